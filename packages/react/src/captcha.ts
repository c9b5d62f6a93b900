import type { Doorward } from "./doorward.js";

/** What the server is told of a captcha. */
interface Answer {
  captchaToken?: string;
  captchaWidgetType?: string;
  captchaError?: string;
}

/** What of Cloudflare's script is used (https://developers.cloudflare.com/turnstile/get-started/client-side-rendering/). */
interface Turnstile {
  render(place: HTMLElement, options: Record<string, unknown>): string;
  remove(widget: string): void;
}

const source = "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";
/** Where an app of its own forms wants it, as the official packages call it. */
const wanted = "clerk-captcha";

let loading: Promise<Turnstile> | undefined;

function load(): Promise<Turnstile> {
  loading ??= new Promise<Turnstile>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve((window as unknown as { turnstile: Turnstile }).turnstile);
    script.onerror = () => reject("script_failed");
    document.head.append(script);
  });
  loading.catch(() => (loading = undefined));
  return loading;
}

/** How long a person may take, in milliseconds. */
const patience = 120_000;

/** Ends the waiting for somebody who takes too long, or has gone to another page of the app; answers with how to stop looking. */
function watch(where: HTMLElement, giveUp: (why: string) => void): () => void {
  const until = Date.now() + patience;
  const timer = setInterval(() => {
    if (!where.isConnected || Date.now() > until) giveUp("abandoned");
  }, 500);
  return () => clearInterval(timer);
}

/** A place over the page, so that nothing in it moves. */
function place(): HTMLElement {
  const made = document.createElement("div");
  made.style.cssText = "position:fixed;z-index:2147483647;inset:auto 0 1rem;display:flex;justify-content:center";
  document.body.append(made);
  return made;
}

async function challenge(sitekey: string, captchaWidgetType: string): Promise<Answer> {
  const given = document.getElementById(wanted);
  const where = given ?? place();
  let id: string | undefined;
  let stop = () => {};
  try {
    const turnstile = await load();
    const captchaToken = await new Promise<string>((resolve, reject) => {
      stop = watch(where, reject);
      // Nothing is seen of it unless there are doubts.
      const options = { sitekey, appearance: "interaction-only", callback: resolve, "error-callback": reject, "unsupported-callback": () => reject("unsupported") };
      id = turnstile.render(where, options);
    });
    return { captchaToken, captchaWidgetType };
  } catch (error) {
    return { captchaError: String(error) };
  } finally {
    stop();
    if (id !== undefined) (await load()).remove(id);
    if (!given) where.remove();
  }
}

/** Has the person at the browser pass what the instance asks for; answers with what the server wants to know of it. */
export async function captchaAnswer(doorward: Doorward): Promise<Answer> {
  const answer = await fetch(new URL(`${doorward.frontend}/v1/environment`, location.href), { credentials: "include" });
  if (!answer.ok) return { captchaError: "environment" };
  const { captcha_widget_type: widget, captcha_public_key: smart, captcha_public_key_invisible: invisible } = (await answer.json()).display_config;
  return challenge(widget === "invisible" ? invisible : smart, widget);
}
