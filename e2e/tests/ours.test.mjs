import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it, test } from "node:test";
import * as OTPAuth from "otpauth";
import { plan, startApp } from "../lib/app.mjs";
import { Profile, answer, launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { apps, out, ownApps, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { cookieSuffix, decode, verified } from "../lib/token.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";

const password = "correct horse battery staple";
const wrongPassword = "wrong horse battery staple";
const longMessage = "Password is incorrect. Try again, or use another method.";

const asked = process.env.E2E_ONLY?.split(",");
const wanted = (version, kind) => !asked || asked.includes(`${version}-${kind}`);

const read = (directory, path) => readFileSync(join(directory, path), "utf8");
for (const page of ["pages/index.tsx", "pages/signin.tsx"]) {
  test(`${page} is the seed's, letter for letter, and by our name in one import`, () => {
    const original = read(apps.v4.directory, page);
    assert.equal(read(ownApps["ours-alias"].directory, page), original);
    assert.equal(read(ownApps.ours.directory, page), original.replace("@clerk/nextjs", "@doorward/nextjs"));
  });
}

test("the app around the seed's pages is the seed's too", () => {
  for (const file of ["pages/_app.tsx", "pages/protected.tsx", "pages/api/me.ts", "middleware.ts", "components/Header.tsx", "next.config.js", "tsconfig.json"]) {
    assert.equal(read(ownApps["ours-alias"].directory, file), read(apps.v4.directory, file), file);
  }
});

for (const kind of ["test", "live"]) {
  const versions = Object.keys(ownApps).filter((version) => wanted(version, kind));
  versions.forEach((version) => plan(version, kind));
  if (versions.length > 0) describe(`pk_${kind}`, () => instance(kind, versions));
}

function instance(kind, versions) {
  const clock = new Clock();
  const doorward = new Doorward(kind, clock);

  before(
    async () => {
      await doorward.open();
      await doorward.configure((settings) => {
        settings.session.single_session = false;
        settings.oauth = upstreamSettings;
      });
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await doorward.close();
    clock.close();
  });

  for (const version of versions) describe(version, () => story(version, kind, doorward));

  it("no crash in the server's logs", () => {
    for (const path of doorward.logs) assert.doesNotMatch(readFileSync(path, "utf8"), /panicked at/);
  });
}

function story(version, kind, doorward) {
  const { clock } = doorward;
  const email = `ada.${version}@example.com`;
  const withAppRouter = version === "ours";
  let app, browser, profile, page, user, sessionId, uatNames, sessionNames;

  before(
    async () => {
      // What an earlier run has logged is not this one's.
      rmSync(join(out, `app-${version}-${kind}.log`), { force: true });
      user = await doorward.createUser({ email, password, firstName: "Ada" });
      app = await startApp(version, kind, { secretKey: doorward.instance.secret_key, clock });
      browser = await launch();
      profile = await open(`${version}-${kind}`);
      page = await profile.context.newPage();
      const suffix = cookieSuffix(doorward.instance.publishable_key);
      uatNames = ["__client_uat", `__client_uat_${suffix}`];
      sessionNames = ["__session", `__session_${suffix}`];
    },
    { timeout: 600_000 },
  );

  after(async () => {
    await browser?.close();
    await app?.stop();
  });

  async function open(label) {
    return Profile.strict(browser, label, clock);
  }

  let broken;
  function step(name, body) {
    it(name, { timeout: 120_000 }, async (t) => {
      if (broken) return t.skip(`after "${broken}"`);
      broken = name;
      try {
        await body();
        profile.audit();
      } catch (error) {
        await profile?.shotAll("failed");
        error.message += `\npages: ${profile?.context.pages().map((it) => it.url())}`;
        throw error;
      }
      broken = undefined;
    });
  }

  // What the server rendered stands there before the client has asked anybody.
  async function header(tab, text) {
    await until("the client is loaded", () => tab.evaluate(() => globalThis.Doorward?.loaded === true));
    await tab.locator("#browser-user", { hasText: text }).waitFor();
  }

  async function signIn(tab, given, as = email) {
    await tab.locator("input[type=email]").fill(as);
    await tab.locator("input[type=password]").fill(given);
    await tab.locator("form").getByRole("button", { name: "Sign in" }).click();
  }

  const apiAnswer = (tab) => tab.evaluate(async () => (await fetch("/api/me")).json());
  const apiStatus = (tab) => tab.evaluate(async () => (await fetch("/api/me")).status);
  const privatePage = withAppRouter ? "/account" : "/protected";

  async function assertServerKnows(tab) {
    await tab.locator("#server-user", { hasText: user.id }).waitFor();
    await tab.locator("#server-session", { hasText: sessionId }).waitFor();
    assert.deepEqual(await apiAnswer(tab), { userId: user.id, sessionId });
  }

  async function assertStranger(tab, own) {
    own.allow(answer(401, "/api/me"));
    await tab.goto(privatePage);
    await tab.waitForURL((url) => url.pathname === "/signin");
    await header(tab, "Signed out");
    assert.ok(!(await tab.content()).includes(user.id));
    assert.equal(await apiStatus(tab), 401);
  }

  async function sessionToken() {
    const values = await Promise.all(sessionNames.map((name) => profile.cookie(name)));
    assert.equal(new Set(values).size, 1, "the session cookies agree");
    return values[0];
  }

  const touches = () => profile.exchanges.filter((it) => new URL(it.url).pathname.endsWith("/touch")).length;

  step("the status page shows the attempt's status", async () => {
    await page.goto("/");
    await page.getByText(/^The current sign in attempt status is \w*\.$/).waitFor();
    await header(page, "Signed out");
    assert.ok(profile.exchanges.some((it) => it.url.endsWith(".wasm")), "the core is a file of the app");
    assert.ok(!profile.exchanges.some((it) => it.url.includes("/npm/")), "no script of the official SDK");
    await profile.shot(page, "status");
  });

  step("a wrong password logs errors[0].longMessage", async () => {
    profile.allow(answer(422, "/v1/client/sign_ins"));
    await page.getByRole("link", { name: "Sign in", exact: true }).click();
    await page.waitForURL("/signin");
    await signIn(page, wrongPassword);
    await until("the page logs the error", () => profile.errors.length > 0);
    assert.deepEqual(profile.errors, [`error ${longMessage}`]);
    assert.equal(await profile.cookie("__session"), undefined);
    await profile.shot(page, "wrong-password");
  });

  step("the status page knows of the attempt after a reload", async () => {
    await page.goto("/");
    await page.getByText("The current sign in attempt status is needs_first_factor.").waitFor();
    await page.goto("/signin");
    await header(page, "Signed out");
  });

  step("the right password completes, and setActive makes the session", async () => {
    await signIn(page, password);
    await header(page, `Signed in as ${user.id}`);
    const [[result]] = await page.evaluate(() => globalThis.__heard.filter(([it]) => it?.status !== undefined));
    assert.equal(result.status, "complete");
    assert.match(result.createdSessionId, /^sess_\w+$/);
    sessionId = result.createdSessionId;
    await until("the session is touched", () => touches() > 0);
    assert.equal(await page.evaluate(() => globalThis.Doorward.session.id), sessionId);
    // The page is fetched anew for whom the server knows now; Next complains of whoever goes elsewhere meanwhile.
    await page.waitForLoadState("networkidle");
    await profile.shot(page, "complete");
  });

  step("the cookies are as the protocol says", async () => {
    const [client] = await profile.cookies("__client");
    assert.equal(client.httpOnly, true);
    const uats = await Promise.all(uatNames.map((name) => profile.cookie(name)));
    assert.equal(uats[0], uats[1], "both __client_uat agree");
    assert.ok(Number(uats[0]) > clock.seconds() - 60 && Number(uats[0]) <= clock.seconds());
    const claims = await verified(await sessionToken());
    assert.deepEqual({ iss: claims.iss, azp: claims.azp, sub: claims.sub, sid: claims.sid }, { iss: urls.frontend, azp: urls.app, sub: user.id, sid: sessionId });
    assert.ok(claims.iat >= Number(uats[0]));
  });

  step("the server-side page and the API route know the user", async () => {
    await page.getByRole("link", { name: "Protected" }).click();
    await assertServerKnows(page);
    await profile.shot(page, "protected");
    if (withAppRouter) {
      await page.goto("/account");
      await assertServerKnows(page);
      assert.equal(await page.locator("#server-email").textContent(), email);
      await profile.shot(page, "account");
    }
  });

  step("the page of somebody known is right before a script has run", async () => {
    const html = await (await profile.context.request.get(privatePage)).text();
    assert.ok(html.includes(`Signed in as ${user.id}`), "the header, rendered on the server");
  });

  step("a reload keeps the session", async () => {
    await page.goto(privatePage);
    await page.reload();
    await assertServerKnows(page);
    await header(page, `Signed in as ${user.id}`);
  });

  step("a second tab has the session too", async () => {
    const second = await profile.context.newPage();
    await second.goto(privatePage);
    await assertServerKnows(second);
    await header(second, `Signed in as ${user.id}`);
    await second.close();
  });

  step("a hundred calls for a token cost nothing, and a hundred for a new one cost one request", async () => {
    const mints = () => profile.exchanges.filter((it) => new URL(it.url).pathname.endsWith("/tokens")).length;
    const many = (options) => page.evaluate(async (given) => [...new Set(await Promise.all(Array.from({ length: 100 }, () => globalThis.Doorward.session.getToken(given))))], options);
    const before = mints();
    const [cached, ...others] = await many();
    assert.equal(others.length, 0);
    assert.equal(mints(), before);
    const [fresh, ...more] = await many({ skipCache: true });
    assert.equal(more.length, 0, "one token for all");
    assert.equal(mints(), before + 1);
    assert.equal((await verified(fresh)).sid, decode(cached).payload.sid);
  });

  async function moveOn(seconds) {
    clock.advance(seconds);
    await profile.moveClock();
    for (const url of [`${urls.backend}/health/ready`, `${urls.app}/favicon.ico`]) {
      await until(`${url} has moved on`, async () => {
        const response = await fetch(url);
        await response.arrayBuffer();
        return Date.parse(response.headers.get("date")) > clock.now() - 10_000;
      });
    }
  }

  step("an open page renews its token before it ends", async () => {
    const old = await sessionToken();
    await profile.context.clock.runFor(55_000);
    const fresh = await until("the cookies hold a new token", async () => {
      const token = await sessionToken();
      return token !== old && token;
    });
    assert.equal((await verified(fresh)).sid, sessionId);
    await profile.moveClock();
  });

  step("an expired token is replaced, not the session", async () => {
    for (const tab of profile.context.pages()) await tab.close();
    const old = await sessionToken();
    await moveOn(90);
    const jar = (await profile.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const refused = await fetch(`${urls.app}/api/me`, { headers: { cookie: jar } });
    assert.equal(refused.status, 401, "the app takes the expired token for nothing");

    const before = profile.exchanges.length;
    page = await profile.context.newPage();
    await page.goto(privatePage);
    await assertServerKnows(page);
    const fresh = await until("the cookies hold a new token", async () => {
      const token = await sessionToken();
      return token !== old && token;
    });
    assert.ok((await verified(fresh)).iat > decode(old).payload.exp);
    const handshakes = profile.exchanges.slice(before).filter((it) => new URL(it.url).pathname === "/v1/client/handshake");
    assert.equal(handshakes.length, 1, "one handshake");
    await header(page, `Signed in as ${user.id}`);
  });

  step("a browser without cookies sees nothing", async () => {
    const stranger = await open(`${version}-${kind}-stranger`);
    const tab = await stranger.context.newPage();
    await assertStranger(tab, stranger);
    stranger.audit();
    await stranger.close();
  });

  async function signOut() {
    // In a second tab the app's own header becomes a line shorter.
    profile.allow((fault) => fault.moved && new URL(fault.moved).pathname === privatePage);
    const second = await profile.context.newPage();
    await second.goto(privatePage);
    await assertServerKnows(second);
    await header(second, `Signed in as ${user.id}`);
    await page.bringToFront();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL((url) => url.pathname !== privatePage);
    await header(page, "Signed out");
    await header(second, "Signed out");
    await until("the session cookies are gone", async () => (await profile.cookies()).every(({ name, value }) => !name.startsWith("__session") || value === ""));
    for (const name of uatNames) assert.equal(await profile.cookie(name), "0", name);
    await profile.shot(page, "signed-out");
    await assertStranger(second, profile);
    await second.close();
    const known = await fetch(`${urls.backend}/v1/sessions/${sessionId}`, { headers: { authorization: `Bearer ${doorward.instance.secret_key}` } });
    assert.notEqual((await known.json()).status, "active");
  }

  step("signing out ends the session everywhere", signOut);

  if (withAppRouter) {
    step("the signal-style hook shows the error at its field and signs in", async () => {
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await page.goto("/signals");
      await header(page, "Signed out");
      await signIn(page, wrongPassword);
      await page.getByRole("alert").getByText(longMessage).waitFor();
      await profile.shot(page, "signals-wrong-password");
      await signIn(page, password);
      await page.waitForURL("/account");
      const ended = sessionId;
      sessionId = await page.locator("#server-session").textContent();
      assert.notEqual(sessionId, ended);
      await assertServerKnows(page);
      await header(page, `Signed in as ${user.id}`);
    });

    step("and that session ends like the other", signOut);
  }

  step("two accounts in one browser, and each of them in use", async () => {
    const other = `grace.${version}@example.com`;
    const grace = await doorward.createUser({ email: other, password, firstName: "Grace" });
    // The app's own header names whoever is there, and its text stands at the right: it moves with each of them.
    profile.allow((fault) => fault.moved !== undefined);
    for (const [address, id] of [[email, user.id], [other, grace.id]]) {
      await page.goto("/signin");
      await until("the client is loaded", () => page.evaluate(() => globalThis.Doorward?.loaded === true));
      await signIn(page, password, address);
      await header(page, `Signed in as ${id}`);
    }
    await page.goto("/sessions");
    await page.getByText(`${other} is the one in use`).waitFor();
    await profile.shot(page, "accounts");
    const second = await profile.context.newPage();
    await second.goto("/sessions");
    await header(second, `Signed in as ${grace.id}`);
    await page.bringToFront();
    await page.getByRole("button", { name: `Use ${email}` }).click();
    await header(page, `Signed in as ${user.id}`);
    assert.equal((await apiAnswer(page)).userId, user.id, "and the app's server goes by it");
    await header(second, `Signed in as ${grace.id}`);
    await second.close();
    if (!withAppRouter) {
      await page.evaluate(() => globalThis.Doorward.signOut());
      await page.waitForURL((url) => url.pathname === "/");
      return header(page, "Signed out");
    }
    await page.getByRole("button", { name: "Account of Ada" }).click();
    await page.getByRole("button", { name: /^Switch to Grace/ }).waitFor();
    await profile.shot(page, "user-button");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Sign out of this account" }).click();
    await page.waitForURL((url) => url.pathname === "/");
    // Whoever is left is in use where a page is loaded anew.
    await page.goto("/sessions");
    await header(page, `Signed in as ${grace.id}`);
    await page.getByText(`${other} is the one in use`).waitFor();
    assert.equal(await page.getByText(email).count(), 0, "the other one is gone");
    await page.getByRole("button", { name: "Sign out of this account" }).click();
    await page.waitForURL((url) => url.pathname === "/");
    await header(page, "Signed out");
  });

  // A production instance calls nobody on this machine, where the other provider is.
  if (withAppRouter && kind === "test") {
    for (const router of ["app", "pages"]) step(`an account elsewhere, and back by the callback of the ${router} router`, async () => {
      const name = `${router}-${kind}`;
      const upstream = await startUpstream({ [name]: { email: `${name}@example.com`, email_verified: true, given_name: "Dorothy", family_name: "Vaughan" } });
      try {
        // The provider is another's, and its page wants a font.
        const theirs = ({ url = "", text = "" }) => url.startsWith(upstream.issuer) || text.includes(upstream.issuer) || text.includes(`${fontOrigin}/`);
        profile.allow(theirs);
        await withoutFont(profile.context);
        const prefix = router === "app" ? "" : "/classic";
        const after = router === "app" ? "/account" : "/protected";
        let first;
        for (const again of [false, true]) {
          await page.goto(`${prefix}/sessions`);
          await page.getByRole("button", { name: "Continue with Upstream" }).click();
          // Whoever is signed in there is not asked again.
          if (!again) await upstream.signIn(page, name);
          await page.waitForURL((url) => url.pathname === after);
          const id = await page.locator("#server-user").textContent();
          await header(page, `Signed in as ${id}`);
          first ??= id;
          assert.equal(id, first, "the same person");
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.waitForURL((url) => url.pathname !== after);
          await header(page, "Signed out");
        }
        await upstream.forget(profile.context);
      } finally {
        upstream.close();
      }
    });
  }

  if (withAppRouter && kind === "test") {
    step("the ready-made form visits a provider in a window of its own, for a new account and for one that is there", async () => {
      const app = new OTPAuth.TOTP({ secret: new OTPAuth.Secret({ size: 20 }) });
      const upstream = await startUpstream({ katherine: { email: "katherine@example.com", email_verified: true, given_name: "Katherine", family_name: "Johnson" } });
      try {
        const theirs = ({ url = "", text = "" }) => url.startsWith(upstream.issuer) || text.includes(upstream.issuer) || text.includes(`${fontOrigin}/`);
        profile.allow(theirs);
        await withoutFont(profile.context);
        const ids = [];
        const visit = async () => {
          const opened = page.waitForEvent("popup");
          await page.getByRole("button", { name: "Continue with Upstream" }).click();
          return opened;
        };
        for (const again of [false, true]) {
          await page.goto("/popup");
          await (await visit()).close();
          await page.getByText("The window was closed before all was done.").waitFor();
          if (!again) {
            // Whoever comes back in vain may go once more, from the same page.
            await (await visit()).getByText("Cancel").click();
            await page.getByText("access", { exact: false }).first().waitFor();
          }
          const popup = await visit();
          if (!again) await upstream.signIn(popup, "katherine");
          await until("the window is closed", () => popup.isClosed());
          if (again) {
            await page.getByRole("heading", { name: "Second step" }).waitFor();
            await page.getByLabel("Code").fill(app.generate({ timestamp: clock.now() }));
            await page.keyboard.press("Enter");
          }
          await page.waitForURL((url) => url.pathname === "/account");
          ids.push(await page.locator("#server-user").textContent());
          const headers = { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" };
          await fetch(`${urls.backend}/v1/users/${ids[0]}`, { method: "PATCH", headers, body: JSON.stringify({ totp_secret: app.secret.base32 }) });
          await page.getByRole("button", { name: "Sign out" }).click();
          await page.waitForURL((url) => url.pathname !== "/account");
          await header(page, "Signed out");
        }
        assert.equal(ids[0], ids[1], "the same person");
        await upstream.forget(profile.context);
      } finally {
        upstream.close();
      }
    });
  }

  // Only development instances have addresses whose code is known.
  if (withAppRouter && kind === "test") {
    step("somebody new signs up", async () => {
      const address = "grace+clerk_test@example.com";
      await page.goto("/signup");
      await header(page, "Signed out");
      await page.getByLabel("Email").fill(address);
      await page.getByLabel("Password").fill(password);
      await page.locator("form").getByRole("button", { name: "Sign up" }).click();
      await page.getByLabel("Code").fill("424242");
      await profile.shot(page, "sign-up-code");
      await page.getByRole("button", { name: "Verify" }).click();
      await page.waitForURL("/account");
      assert.equal(await page.locator("#server-email").textContent(), address);
      await header(page, /Signed in as user_\w+/);
      await profile.shot(page, "signed-up");
    });
  }

  step("the app ran without an error of its own", () => {
    assert.ok(existsSync(app.log));
    assert.doesNotMatch(readFileSync(app.log, "utf8"), /unhandled|uncaught|TypeError|ReferenceError|Error:|ECONN|⨯/i);
  });
}
