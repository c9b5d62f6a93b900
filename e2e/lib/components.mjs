import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, it } from "node:test";
import { Profile, launch } from "./browser.mjs";
import { Clock } from "./clock.mjs";
import { ports, publishableKey, urls } from "./config.mjs";
import { Doorward } from "./doorward.mjs";
import { until } from "./until.mjs";

export const password = "correct horse battery staple";
// What the protocol keeps for tests: nothing is sent to such addresses and numbers, and one code is right.
export const testCode = "424242";
export const email = (name) => `${name}+clerk_test@example.com`;

const script = (name) => `<script src="${urls.frontend}/npm/@clerk/${name}" crossorigin="anonymous"`;

/** An app of one page: the official scripts and, by the address, one of their components. */
function page(kind) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title><link rel="icon" href="data:,"></head><body>
<div id="button"></div><main id="root"></main>
${script("ui@1/dist/ui.browser.js")}></script>
${script("clerk-js@6/dist/clerk.browser.js")} data-clerk-publishable-key="${publishableKey(kind)}" data-clerk-proxy-url="${urls.frontend}"></script>
<script type="module">
  const { Clerk, __internal_ClerkUICtor: ClerkUI } = globalThis;
  await Clerk.load({ ui: { ClerkUI }, signInUrl: "/sign-in", signUpUrl: "/sign-up", afterMultiSessionSingleSignOutUrl: "/sign-in/choose", telemetry: false });
  const root = document.getElementById("root");
  const at = location.pathname.split("/")[1];
  if (at === "sign-in") Clerk.mountSignIn(root, { routing: "path", path: "/sign-in", fallbackRedirectUrl: "/" });
  else if (at === "sign-up") Clerk.mountSignUp(root, { routing: "path", path: "/sign-up", fallbackRedirectUrl: "/" });
  else if (at === "user") Clerk.mountUserProfile(root, { routing: "path", path: "/user" });
  else if (at === "waitlist") Clerk.mountWaitlist(root);
  else Clerk.addListener(({ user }) => { root.textContent = user ? "Signed in as " + user.id : "Nobody is signed in"; });
  if (Clerk.user) Clerk.mountUserButton(document.getElementById("button"));
</script></body></html>`;
}

/** Serves that app on the app's port until it is closed. */
async function serveComponents(kind) {
  const html = page(kind);
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(html);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(ports.app, "127.0.0.1", resolve);
  });
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What a person does on one tab. */
function hands(profile, page) {
  const field = (label) => page.getByLabel(label, { exact: true });
  const button = (name) => page.getByRole("button", { name, exact: true });
  const press = (name) => button(name).click();
  const pick = (text) => page.getByText(text, { exact: true }).click();
  const said = (text) => page.getByText(text, { exact: true }).first().waitFor();
  const proceed = () => press("Continue");
  async function enterCode(code) {
    await page.getByLabel("Enter verification code").waitFor();
    // The component shows the field before it asks for the code: nobody has one earlier.
    await profile.quiet();
    await page.keyboard.type(code);
  }
  async function signedIn(name) {
    await page.getByText("Signed in as").waitFor();
    await profile.shot(page, name);
    return page.evaluate(() => globalThis.Clerk.user.id);
  }
  async function signOut() {
    await page.goto("/");
    await press("Open user menu");
    await press("Sign out");
    await until("nobody is signed in", () => page.evaluate(() => globalThis.Clerk?.loaded && globalThis.Clerk.user === null).catch(() => false));
  }
  async function signUp(address) {
    await page.goto("/sign-up");
    await field("Email address").fill(address);
    await field("Password").fill(password);
    await proceed();
    await enterCode(testCode);
    return signedIn("signed-up");
  }
  async function identify(identifier, label = "Email address or username") {
    await page.goto("/sign-in");
    await field(label).fill(identifier);
  }
  async function withPassword(identifier, label) {
    await identify(identifier, label);
    await field("Password").fill(password);
    await proceed();
  }
  /** The backup codes that are shown: there are ten. */
  const backupCodes = () =>
    until("ten codes are shown", async () => {
      const shown = (await page.locator("main").innerText()).match(/^[a-z0-9-]{8,}$/gm);
      return shown?.length === 10 && shown;
    });
  /** One of the boxes of the profile, and what its row about `text` offers behind the dots. */
  const section = (name) => page.locator(`.cl-profileSection__${name}`);
  async function choose(name, text, what) {
    await section(name).locator(`.cl-profileSectionItem__${name}`).filter({ hasText: text }).getByRole("button", { name: "Open menu" }).click();
    await page.getByRole("menuitem", { name: what, exact: true }).click();
  }
  return { profile, page, section, choose, backupCodes, field, button, press, pick, said, proceed, enterCode, signedIn, signOut, signUp, identify, withPassword };
}

/** The official components on an app of one page, for stories that each have a browser of their own. To be called in a `describe`. */
export function components(label) {
  const clock = new Clock();
  const doorward = new Doorward("test", clock);
  const profiles = [];
  let app, browser, defaults, current;

  before(
    async () => {
      await doorward.open();
      app = await serveComponents("test");
      browser = await launch();
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await browser?.close();
    app?.close();
    await doorward.close();
    clock.close();
  });

  /** One more browser, with a tab. */
  async function open(name) {
    // What the components move about leaves copies behind for a moment, and a click on one of those does nothing.
    const profile = await Profile.open(browser, `${label}-${name.replace(/\W+/g, "-")}`, clock, { reducedMotion: "reduce" });
    profiles.push(profile);
    // The SDK takes browsers that say they are driven for robots, and shows them less.
    await profile.context.addInitScript(() => Object.defineProperty(navigator, "webdriver", { get: () => false }));
    // The pictures of providers and wallets are the one thing that the components fetch elsewhere, wherever they run.
    const picture = { contentType: "image/svg+xml", body: "<svg xmlns='http://www.w3.org/2000/svg'/>" };
    await profile.context.route("https://img.clerk.com/static/*.svg", (route) => route.fulfill(picture));
    profile.allow(({ text }) => text.startsWith("asked outside: GET https://img.clerk.com/static/"));
    return hands(profile, await profile.context.newPage());
  }

  /** Gives the instance the settings that it began with, and these changes. */
  async function configure(change) {
    const wanted = defaults && structuredClone(defaults);
    if (wanted) change(wanted);
    // To have the same ones again would cost a start of the server.
    if (wanted && JSON.stringify(wanted) === current) return;
    await doorward.configure((settings) => {
      defaults ??= structuredClone(settings);
      Object.assign(settings, structuredClone(defaults));
      change(settings);
      current = JSON.stringify(settings);
    });
  }

  function story(name, change, body) {
    it(name, { timeout: 180_000 }, async () => {
      try {
        await configure(change);
        await body(await open(name));
        for (const profile of profiles) profile.audit();
      } catch (error) {
        for (const profile of profiles) {
          await profile.shotAll("failed");
          for (const tab of profile.context.pages()) error.stack += `\n${tab.url()}: ${await tab.evaluate(() => document.body.innerText).catch(() => "")}`;
        }
        throw error;
      } finally {
        for (const profile of profiles.splice(0)) await profile.close();
      }
    });
  }

  /** What the app's own server asks. */
  async function backend(method, path, body) {
    const headers = { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" };
    const answer = await fetch(new URL(path, urls.backend), { method, headers, body: body && JSON.stringify(body) });
    const told = await answer.json();
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(told)}`);
    return told;
  }

  /** An account that somebody has already; `more` is the rest of what it is created with. */
  const person = (name, more = {}) => backend("POST", "/v1/users", { email_address: [email(name)], password, first_name: "Ada", ...more });

  /** Has the person of that browser signed in, by a ticket. */
  async function arrive({ page, signedIn }, user) {
    const { token } = await backend("POST", "/v1/sign_in_tokens", { user_id: user.id });
    await page.goto(`/sign-in?__clerk_ticket=${token}`);
    assert.equal(await signedIn("ticket"), user.id);
  }

  return { clock, doorward, open, story, backend, person, arrive };
}
