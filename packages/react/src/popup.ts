import type { Doorward } from "./doorward.js";
import { missing } from "./errors.js";
import { leadingTo } from "./redirect-callback.js";
import type { PopupParams, VerificationResource } from "./types.js";

/** How long to wait before looking again whether the window is still there (ms). */
const pause = 500;

/** What begins a visit to a provider, and where its answer stands then. */
export interface Visit {
  create(params: Omit<PopupParams, "popup" | "redirectUrlComplete"> & { actionCompleteRedirectUrl: string }): Promise<unknown>;
  verification(): VerificationResource;
}

export interface Visited {
  session?: string;
  goOn?: string;
}

/**
 * Leads a window of its own through a visit to a provider. It ends on a page of the server's, which tells this one how it went and
 * closes it. Answers with the session that began; where none did, with the page that goes on with what is not complete.
 */
export async function visitInPopup(doorward: Doorward, visit: Visit, { popup, redirectUrl, redirectUrlComplete: _, ...params }: PopupParams): Promise<Visited> {
  const page = new URL(`${doorward.frontend}/popup-callback`, location.href);
  const state = crypto.randomUUID();
  page.searchParams.set("state", state);
  const open = new URL(page);
  open.searchParams.set("return_url", new URL(redirectUrl, location.href).href);
  const ended = new AbortController();
  const told = new Promise<{ session?: string; return_url?: string }>((resolve, reject) => {
    const hear = ({ origin, data }: MessageEvent) => origin === page.origin && data?.state === state && resolve(data);
    addEventListener("message", hear, { signal: ended.signal });
    // Seen twice: what it has told on closing may still be on its way.
    let gone = 0;
    const look = setInterval(() => popup.closed && ++gone > 1 && reject(missing("popup_closed", "The window was closed before all was done.")), pause);
    ended.signal.addEventListener("abort", () => clearInterval(look));
  });
  // Heard of below, if at all: what is begun may fail first.
  told.catch(() => {});
  try {
    await visit.create({ ...params, redirectUrl: open.href, actionCompleteRedirectUrl: page.href });
    const { externalVerificationRedirectURL: to } = visit.verification();
    if (!to) throw missing("popup_unneeded", "There is nowhere to go.");
    popup.location.href = to.href;
    const { session, return_url: goOn } = await told;
    await doorward.refresh();
    return session ? { session } : { goOn };
  } catch (error) {
    popup.close();
    throw error;
  } finally {
    ended.abort();
  }
}

/** The same up to the session's being in use, and on from there. */
export async function enterByPopup(doorward: Doorward, visit: Visit, params: PopupParams): Promise<void> {
  const { session, goOn } = await visitInPopup(doorward, visit, params);
  if (!session) return goOn === undefined ? undefined : void (await doorward.navigate(goOn));
  const after = params.redirectUrlComplete;
  const tasks = () => leadingTo(doorward.buildSignInUrl({ redirectUrl: null }), after);
  await doorward.setActive({ session, navigate: ({ session }) => doorward.navigate(session.currentTask ? tasks() : after) });
}
