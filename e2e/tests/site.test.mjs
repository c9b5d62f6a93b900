import assert from "node:assert/strict";
import { promises as dns } from "node:dns";
import { after, before, describe, it } from "node:test";
import { createClerkClient } from "@clerk/backend";
import { clerk, clerkSetup } from "@clerk/testing/playwright";
import { plan, startApp } from "../lib/app.mjs";
import { launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { site, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { proxy } from "../lib/tls.mjs";
import { cookieSuffix } from "../lib/token.mjs";
import { until } from "../lib/until.mjs";
import { fontOrigin, startUpstream, upstreamIssuer, upstreamSettings, withoutFont } from "../lib/upstream.mjs";

// An app in production, as its users meet it: TLS, sibling hosts of one domain, and nothing set but two keys and the address
// of the Backend API. Its tests sign in with @clerk/testing, as the SDK's documents say.

const email = "ada.site@example.com";
const password = "correct horse battery staple";
const [appHost, frontendHost] = [new URL(site.app).hostname, new URL(site.frontend).hostname];

plan("v7", "site");

describe("a site in production", () => {
  const clock = new Clock();
  const doorward = new Doorward("site", clock);
  const faults = [];
  let app;
  let browser;
  let context;
  let front;
  let page;
  let user;
  let suffix;

  before(
    async () => {
      // The helpers of the SDK ask the Frontend API from this process as well.
      const { lookup } = dns;
      dns.lookup = (host, ...rest) => lookup(host.endsWith(site.domain) ? "127.0.0.1" : host, ...rest);
      await doorward.open();
      await doorward.configure((settings) => {
        settings.oauth = upstreamSettings;
      });
      front = await proxy();
      user = await doorward.createUser({ email, password, firstName: "Ada" });
      app = await startApp("v7", "site", { secretKey: doorward.instance.secret_key, clock });
      browser = await launch([`--host-resolver-rules=MAP *.${site.domain} 127.0.0.1`]);
      context = await browser.newContext({ baseURL: site.app, ignoreHTTPSErrors: true });
      context.setDefaultTimeout(30_000);
      context.on("weberror", (thrown) => faults.push(String(thrown.error())));
      context.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && faults.push(message.text()));
      context.on("response", (it) => it.status() >= 400 && new URL(it.url()).pathname !== "/favicon.ico" && faults.push(`${it.status()}: ${it.url()}`));
      // The pages that the provider has for development want a font from elsewhere.
      const known = [site.app, site.frontend, site.accounts, upstreamIssuer, fontOrigin];
      context.on("request", (asked) => known.includes(new URL(asked.url()).origin) || faults.push(`asked outside: ${asked.url()}`));
      page = await context.newPage();
      suffix = cookieSuffix(doorward.instance.publishable_key);
    },
    { timeout: 600_000 },
  );

  after(async () => {
    await browser?.close();
    await app?.stop();
    await front?.close();
    await doorward.close();
    clock.close();
  });

  const cookie = async (name, domain) => {
    const found = (await context.cookies([site.app, site.frontend])).filter((it) => it.name === name);
    const one = found.find((it) => it.domain === domain);
    assert.ok(one, `${name} of ${domain}, not ${JSON.stringify(found.map((it) => it.domain))}`);
    return one;
  };

  const known = async (tab) => {
    await tab.goto("/protected");
    await tab.locator("#server-user", { hasText: user.id }).waitFor();
  };

  it("a user signs in with the page's own form, and each cookie is where the protocol has it", { timeout: 120_000 }, async () => {
    await page.goto("/signin");
    await page.locator("input[type=email]").fill(email);
    await page.locator("input[type=password]").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#browser-user", { hasText: user.id }).waitFor();

    const client = await cookie("__client", frontendHost);
    assert.deepEqual([client.httpOnly, client.secure, client.sameSite, client.path], [true, true, "Lax", "/"]);
    for (const name of ["__client_uat", `__client_uat_${suffix}`]) {
      const uat = await cookie(name, `.${site.domain}`);
      assert.deepEqual([uat.httpOnly, uat.secure, uat.sameSite], [false, true, "Lax"], name);
      assert.ok(Number(uat.value) > 0, name);
    }
    for (const name of ["__session", `__session_${suffix}`]) {
      const session = await cookie(name, appHost);
      assert.deepEqual([session.httpOnly, session.secure], [false, true], name);
    }
    await known(page);
    assert.deepEqual(faults, []);
  });

  it("an expired token is made anew by a handshake between the two hosts", { timeout: 120_000 }, async () => {
    const session = `__session_${suffix}`;
    const before = (await cookie(session, appHost)).value;
    clock.advance(120);
    const hops = [];
    page.on("request", (asked) => asked.isNavigationRequest() && hops.push(new URL(asked.url())));
    await known(page);
    assert.ok(hops.some((url) => url.host === new URL(site.frontend).host && url.pathname === "/v1/client/handshake"), String(hops));
    assert.notEqual((await cookie(session, appHost)).value, before);
    assert.deepEqual(faults, []);
  });

  it("who signs out is a stranger to both hosts", { timeout: 120_000 }, async () => {
    await clerk.signOut({ page });
    await page.locator("#browser-user", { hasText: "Signed out" }).waitFor();
    await page.goto("/protected");
    await page.waitForURL((url) => url.pathname === "/signin");
    assert.equal((await cookie("__client_uat", `.${site.domain}`)).value, "0");
    assert.deepEqual(faults, []);
  });

  it("a window of its own leads to a provider and back, for a new account and then for one that is there", { timeout: 120_000 }, async () => {
    const upstream = await startUpstream({ dorothy: { email: "dorothy@example.com", email_verified: true, given_name: "Dorothy", family_name: "Vaughan" } }, `${site.frontend}/v1/oauth_callback`);
    await withoutFont(context);
    try {
      const users = [];
      for (const resource of ["signUp", "signIn"]) {
        await page.goto("/signin");
        await page.waitForFunction(() => globalThis.Clerk?.loaded);
        const opened = page.waitForEvent("popup");
        await page.evaluate((name) => {
          const popup = globalThis.open("about:blank");
          const params = { popup, strategy: "oauth_custom_upstream", redirectUrl: `${location.origin}/sso-callback`, redirectUrlComplete: `${location.origin}/` };
          return globalThis.Clerk.client[name].authenticateWithPopup(params);
        }, resource);
        const popup = await opened;
        // Whoever is signed in there is not asked again.
        if (resource === "signUp") await upstream.signIn(popup, "dorothy");
        await until("the window is closed", () => popup.isClosed());
        await page.locator("#browser-user", { hasText: "user_" }).waitFor();
        users.push(await page.evaluate(() => globalThis.Clerk.user.id));
        await clerk.signOut({ page });
        await page.locator("#browser-user", { hasText: "Signed out" }).waitFor();
      }
      assert.ok(users[0] !== user.id && users[0] === users[1], String(users));
      assert.deepEqual(faults, []);
    } finally {
      upstream.close();
    }
  });

  it("the prebuilt <SignIn/> opens the provider in a window of its own where the app asks for that", { timeout: 120_000 }, async () => {
    const upstream = await startUpstream({ mary: { email: "mary@example.com", email_verified: true, given_name: "Mary", family_name: "Jackson" } }, `${site.frontend}/v1/oauth_callback`);
    await withoutFont(context);
    await upstream.forget(context);
    try {
      await page.goto("/signin");
      await page.waitForFunction(() => globalThis.Clerk?.loaded);
      await page.evaluate(() => {
        const node = document.body.appendChild(document.createElement("div"));
        globalThis.Clerk.mountSignIn(node, { oauthFlow: "popup", routing: "hash", withSignUp: true, fallbackRedirectUrl: "/" });
      });
      const opened = page.waitForEvent("popup");
      await page.getByRole("button", { name: "Continue with Upstream" }).click();
      const popup = await opened;
      await upstream.signIn(popup, "mary");
      await until("the window is closed", () => popup.isClosed());
      await page.locator("#browser-user", { hasText: "user_" }).waitFor();
      assert.equal(await page.evaluate(() => globalThis.Clerk.user.primaryEmailAddress.emailAddress), "mary@example.com");
      await clerk.signOut({ page });
      await page.locator("#browser-user", { hasText: "Signed out" }).waitFor();
      assert.deepEqual(faults, []);
    } finally {
      upstream.close();
    }
  });

  it("an agent's browser begins at the task's address, and the app's server knows it on the first page", { timeout: 120_000 }, async () => {
    const server = createClerkClient({ secretKey: doorward.instance.secret_key, apiUrl: urls.backend });
    const onBehalfOf = { identifier: email };
    const task = await server.agentTasks.create({ onBehalfOf, permissions: "*", agentName: "tester", taskDescription: "Looks around", redirectUrl: `${site.app}/protected` });
    const own = await browser.newContext({ ignoreHTTPSErrors: true });
    const tab = await own.newPage();
    await tab.goto(task.url);
    assert.equal(tab.url(), `${site.app}/protected`);
    await tab.locator("#server-user", { hasText: user.id }).waitFor();
    await tab.goto(`${site.app}/`);
    await tab.locator("#browser-user", { hasText: user.id }).waitFor();
    assert.deepEqual(await tab.evaluate(() => globalThis.Clerk.session.actor), { type: "agent", sub: task.agentId });
    await own.close();
  });

  // Given an address, the helper asks the hosted service whatever CLERK_API_URL says: whoever has no password gets a ticket.
  it("tests of an app sign in with the SDK's helpers, by password and by ticket", { timeout: 120_000 }, async () => {
    const { publishable_key: publishableKey, secret_key: secretKey } = doorward.instance;
    await clerkSetup({ publishableKey, secretKey, apiUrl: urls.backend, dotenv: false });
    const { token: ticket } = await createClerkClient({ secretKey, apiUrl: urls.backend }).signInTokens.createSignInToken({ userId: user.id, expiresInSeconds: 300 });
    for (const signInParams of [{ strategy: "password", identifier: email, password }, { strategy: "ticket", ticket }]) {
      front.paths.length = 0;
      const own = await browser.newContext({ baseURL: site.app, ignoreHTTPSErrors: true });
      const tab = await own.newPage();
      await tab.goto("/");
      await clerk.signIn({ page: tab, signInParams });
      await tab.locator("#browser-user", { hasText: user.id }).waitFor();
      await known(tab);
      await clerk.signOut({ page: tab });
      await tab.locator("#browser-user", { hasText: "Signed out" }).waitFor();
      assert.ok(front.paths.some((path) => path.startsWith("/v1/client/sign_ins?") && path.includes("__clerk_testing_token=")), String(front.paths));
      await own.close();
    }
  });
});
