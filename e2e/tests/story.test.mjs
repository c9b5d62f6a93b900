import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { plan, startApp } from "../lib/app.mjs";
import { Profile, answer, launch, unreachable } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { apps, kinds, out, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { cookieSuffix, decode, verified } from "../lib/token.mjs";
import { until } from "../lib/until.mjs";

const password = "correct horse battery staple";
const wrongPassword = "wrong horse battery staple";
const longMessage = "Password is incorrect. Try again, or use another method.";

const asked = process.env.E2E_ONLY?.split(",");
const wanted = (version, kind) => !asked || asked.includes(`${version}-${kind}`);

rmSync(out, { recursive: true, force: true });
for (const kind of ["test", "live"]) {
  const versions = Object.keys(apps).filter((version) => wanted(version, kind));
  versions.forEach((version) => plan(version, kind));
  if (versions.length > 0) describe(`pk_${kind}`, () => instance(kind, versions));
}

function instance(kind, versions) {
  const clock = new Clock();
  const doorward = new Doorward(kind, clock);
  const secrets = new Set([password, wrongPassword]);
  doorward.keepSecret = (value) => secrets.add(value);

  before(() => doorward.open(), { timeout: 180_000 });
  after(async () => {
    await doorward.close();
    clock.close();
  });

  for (const version of versions) {
    describe(version, () => story(version, kind, doorward));
  }

  it("nothing secret and no crash in the server's logs", () => {
    for (const path of doorward.logs) {
      const log = readFileSync(path, "utf8");
      for (const secret of secrets) {
        assert.ok(!log.includes(secret), `${path} holds a secret`);
      }
      assert.doesNotMatch(log, /panicked at/);
    }
  });
}

function story(version, kind, doorward) {
  const { clock } = doorward;
  const { production } = kinds[kind];
  const { suffixedSession, tellsOtherTabs, signals } = apps[version];
  const email = `ada.${version}@example.com`;
  let app;
  let browser;
  let profile;
  let page;
  let user;
  let sessionId;
  let uatNames;
  let sessionNames;

  before(
    async () => {
      user = await doorward.createUser({ email, password, firstName: "Ada" });
      app = await startApp(version, kind, { secretKey: doorward.instance.secret_key, clock });
      browser = await launch();
      profile = await Profile.open(browser, `${version}-${kind}`, clock);
      page = await profile.context.newPage();
      const suffix = cookieSuffix(doorward.instance.publishable_key);
      uatNames = ["__client_uat", `__client_uat_${suffix}`];
      sessionNames = suffixedSession ? ["__session", `__session_${suffix}`] : ["__session"];
    },
    // Long enough for every build that is still ahead of this one.
    { timeout: 600_000 },
  );

  after(async () => {
    await browser?.close();
    await app?.stop();
  });

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

  // What the server rendered stands there before the SDK has asked anybody: only
  // what it says once it is loaded counts.
  async function header(tab, text) {
    await until("the SDK is loaded", () => tab.evaluate(() => globalThis.Clerk?.loaded === true));
    await tab.locator("#browser-user", { hasText: text }).waitFor();
  }

  const apiStatus = (tab) => tab.evaluate(async () => (await fetch("/api/me")).status);
  const apiAnswer = (tab) => tab.evaluate(async () => (await fetch("/api/me")).json());

  // v4 answers the first page load of a browser that it cannot place with a
  // page of status 401, which places it and loads again.
  const placing = (path) => (version === "v4" ? [answer(401, path)] : []);

  async function signIn(tab, given) {
    await tab.locator("input[type=email]").fill(email);
    await tab.locator("input[type=password]").fill(given);
    await tab.getByRole("button", { name: "Sign in" }).click();
  }

  async function assertServerKnows(tab) {
    await tab.locator("#server-user", { hasText: user.id }).waitFor();
    await tab.locator("#server-session", { hasText: sessionId }).waitFor();
    assert.deepEqual(await apiAnswer(tab), { userId: user.id, sessionId });
  }

  async function assertStranger(tab, ownProfile) {
    ownProfile.allow(...placing("/protected"), answer(401, "/api/me"));
    await tab.goto("/protected");
    await tab.waitForURL((url) => url.pathname === "/signin");
    await header(tab, "Signed out");
    assert.ok(!(await tab.content()).includes(user.id));
    assert.equal(await apiStatus(tab), 401);
  }

  async function cookiesOf(exchange) {
    const headers = await exchange.response.headersArray();
    return headers.filter(({ name }) => name.toLowerCase() === "set-cookie").map(({ value }) => value);
  }

  async function sessionToken() {
    const values = await Promise.all(sessionNames.map((name) => profile.cookie(name)));
    assert.equal(new Set(values).size, 1, "the session cookies agree");
    return values[0];
  }

  step("the status page shows the attempt's status", async () => {
    profile.allow(...placing("/"));
    await page.goto("/");
    await page.getByText(/^The current sign in attempt status is \w*\.$/).waitFor();
    await header(page, "Signed out");
    await profile.shot(page, "status");
  });

  step("a wrong password logs errors[0].longMessage", async () => {
    profile.allow(answer(422, "/v1/client/sign_ins"));
    await page.getByRole("link", { name: "Sign in", exact: true }).click();
    await page.waitForURL("/signin");
    await signIn(page, wrongPassword);
    await until("the page logs the error", () => profile.errors.length > 0);
    assert.deepEqual(profile.errors, [`error ${longMessage}`]);
    const refusal = profile.exchanges.find((it) => it.status === 422);
    const { errors } = await refusal.response.json();
    assert.equal(errors[0].code, "form_password_incorrect");
    assert.equal(errors[0].meta.param_name, "password");
    await header(page, "Signed out");
    assert.equal(await profile.cookie("__session"), undefined);
    await profile.shot(page, "wrong-password");
  });

  step("the status page knows of the attempt after a reload", async () => {
    await page.goto("/");
    await page.getByText("The current sign in attempt status is needs_first_factor.").waitFor();
    await profile.shot(page, "status-after-wrong-password");
    await page.goto("/signin");
  });

  step("the right password completes, and setActive makes the session", async () => {
    await signIn(page, password);
    await header(page, `Signed in as ${user.id}`);
    // setActive reloads the route; a click in the middle of that would cross it.
    await until("the route is loaded again", () => {
      const touched = profile.exchanges.findLastIndex((it) => it.url.includes("/touch?"));
      return touched >= 0 && profile.exchanges.slice(touched).some((it) => /\/_next\/data\/.*\/signin\.json/.test(it.url));
    });
    const [[result]] = await page.evaluate(() => globalThis.__heard.filter(([it]) => it?.status !== undefined));
    assert.equal(result.status, "complete");
    assert.match(result.createdSessionId, /^sess_\w+$/);
    sessionId = result.createdSessionId;
    assert.equal(await page.evaluate(() => globalThis.Clerk.session.id), sessionId);
    await profile.shot(page, "complete");
  });

  step("the cookies are as the protocol says", async () => {
    const [client, ...more] = await profile.cookies("__client");
    assert.equal(more.length, 0, "one __client");
    const { domain, path, httpOnly, secure, sameSite } = client;
    assert.deepEqual({ domain, path, httpOnly, secure, sameSite }, { domain: "localhost", path: "/", httpOnly: true, secure: false, sameSite: "Lax" });
    doorward.keepSecret(client.value);

    const uats = await Promise.all(uatNames.map((name) => profile.cookie(name)));
    assert.equal(uats[0], uats[1], "both __client_uat agree");
    const uat = Number(uats[0]);
    assert.ok(uat > clock.seconds() - 60 && uat <= clock.seconds(), `__client_uat ${uat} is a moment ago`);

    const token = await sessionToken();
    doorward.keepSecret(token);
    const claims = await verified(token);
    assert.deepEqual(
      { iss: claims.iss, azp: claims.azp, sub: claims.sub, sid: claims.sid, life: claims.exp - claims.iat },
      { iss: urls.frontend, azp: urls.app, sub: user.id, sid: sessionId, life: 60 },
    );
    assert.ok(claims.iat >= uat, "the token is no older than __client_uat");

    for (const cookie of await profile.cookies()) {
      if (/^__(client_uat|session)/.test(cookie.name)) assert.equal(cookie.httpOnly, false, cookie.name);
    }
    // The SDKs write these two again, each its own way: only the server's answer
    // tells what the server set.
    const set = await cookiesOf(profile.exchanges.findLast((it) => it.status === 200 && new URL(it.url).pathname === "/v1/client/sign_ins"));
    for (const name of uatNames) {
      const mine = set.find((cookie) => cookie.startsWith(`${name}=${uat};`));
      assert.match(mine ?? "", /; *SameSite=Lax/i, name);
      assert.doesNotMatch(mine, /httponly|secure/i);
    }
    // The production rules know no dev browser.
    assert.equal((await profile.cookie("__clerk_db_jwt")) !== undefined, !production, "__clerk_db_jwt");
  });

  step("the server-side page and the API route know the user", async () => {
    // Next says so where the click still meets the end of that reload.
    profile.allow((fault) => fault.text.startsWith("console: Error: Abort fetching component"));
    await page.getByRole("link", { name: "Protected" }).click();
    await assertServerKnows(page);
    await profile.shot(page, "protected");
  });

  step("a reload keeps the session", async () => {
    await page.reload();
    await assertServerKnows(page);
    await header(page, `Signed in as ${user.id}`);
    await page.goto("/");
    await header(page, `Signed in as ${user.id}`);
    await page.getByText(/^The current sign in attempt status is \w*\.$/).waitFor();
    await profile.shot(page, "status-signed-in");
  });

  step("a second tab has the session too", async () => {
    const second = await profile.context.newPage();
    await second.goto("/protected");
    await assertServerKnows(second);
    await header(second, `Signed in as ${user.id}`);
    await second.close();
  });

  step("an expired token is replaced, not the session", async () => {
    const old = await sessionToken();
    // An open page would renew the token before it expires.
    for (const tab of profile.context.pages()) await tab.close();
    clock.advance(90);
    await profile.moveClock();
    for (const url of [`${urls.backend}/health/ready`, `${urls.app}/favicon.ico`]) {
      await until(`${url} has moved on`, async () => {
        const response = await fetch(url);
        await response.arrayBuffer();
        return Date.parse(response.headers.get("date")) > clock.now() - 10_000;
      });
    }

    const { exp } = decode(old).payload;
    assert.ok(exp + 10 < clock.seconds(), "the token in the cookie is past its end, and past the SDKs' allowance");
    const jar = (await profile.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    const refused = await fetch(`${urls.app}/api/me`, { headers: { cookie: jar } });
    assert.equal(refused.status, 401, "the app takes the expired token for nothing");
    assert.ok(!(await refused.text()).includes(user.id));
    assert.equal(await sessionToken(), old, "nothing has renewed it so far");

    profile.allow(...placing("/protected"));
    const before = profile.exchanges.length;
    page = await profile.context.newPage();
    await page.goto("/protected");
    await assertServerKnows(page);
    const fresh = await until("the cookies hold a new token", async () => {
      const token = await sessionToken();
      return token !== old && token;
    });
    const claims = await verified(fresh);
    assert.equal(claims.sid, sessionId);
    assert.ok(claims.iat > exp, "the new token was issued after the old one's end");
    const handshakes = profile.exchanges.slice(before).filter((it) => new URL(it.url).pathname === "/v1/client/handshake");
    assert.equal(handshakes.length, version === "v4" ? 0 : 1, "one handshake, v4 has none");
    await header(page, `Signed in as ${user.id}`);
    await profile.shot(page, "after-expiry");
  });

  step("a restart of the server keeps the session", async () => {
    // A page must have all its scripts by then; what it asks for later, it asks
    // for again.
    await page.waitForLoadState("networkidle");
    profile.allow(unreachable(urls.frontend));
    const { code } = await doorward.stop();
    assert.equal(code, 0, "a clean stop");
    await doorward.start();
    const old = await sessionToken();
    const renewed = await page.evaluate(() => globalThis.Clerk.session.getToken({ skipCache: true }));
    assert.notEqual(renewed, old);
    assert.equal((await verified(renewed)).sid, sessionId);
    await page.reload();
    await assertServerKnows(page);
    await header(page, `Signed in as ${user.id}`);
  });

  step("a browser without cookies sees nothing", async () => {
    const stranger = await Profile.open(browser, `${version}-${kind}-stranger`, clock);
    const tab = await stranger.context.newPage();
    await assertStranger(tab, stranger);
    await stranger.shot(tab, "refused");
    stranger.allow(...placing("/"));
    await tab.goto("/");
    await header(tab, "Signed out");
    stranger.audit();
    await stranger.close();
  });

  async function signOut() {
    const second = await profile.context.newPage();
    await second.goto("/protected");
    await assertServerKnows(second);
    await header(second, `Signed in as ${user.id}`);

    profile.allow(...placing("/protected"));
    await page.bringToFront();
    await page.getByRole("button", { name: "Sign out" }).click();
    // The SDK leaves the page by itself, and a navigation of ours would cross it.
    await page.waitForURL((url) => url.pathname !== "/protected");
    await header(page, "Signed out");
    await profile.shot(page, "signed-out");
    if (!tellsOtherTabs) {
      // It finds out when somebody looks at it. A headless page never changes
      // its visibility by itself.
      const touch = `/v1/client/sessions/${sessionId}/touch`;
      profile.allow(answer(401, touch), answer(404, touch));
      await second.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    }
    await header(second, "Signed out");
    await profile.shot(second, "signed-out-second-tab");

    await until("the session cookies are gone", async () => {
      const left = (await profile.cookies()).filter(({ name, value }) => name.startsWith("__session") && value !== "");
      return left.length === 0;
    });
    for (const name of uatNames) assert.equal(await profile.cookie(name), "0", name);
    // Later answers would put the cookies right too, but the SDK's next page
    // load may come before them.
    const farewell = profile.exchanges.findLast((it) => new URL(it.url).searchParams.get("_method") === "DELETE");
    const set = await cookiesOf(farewell);
    for (const name of uatNames) {
      assert.ok(set.some((cookie) => cookie.startsWith(`${name}=0;`)), `the answer to the sign-out sets ${name} to 0`);
    }
    await assertStranger(second, profile);
    await assertStranger(page, profile);
    await second.close();
  }

  async function assertEnded(id) {
    const minted = await profile.context.request.post(`${urls.frontend}/v1/client/sessions/${id}/tokens`, { headers: { origin: urls.app }, form: {} });
    assert.ok([401, 404].includes(minted.status()), `no more tokens: ${minted.status()}`);
    const known = await fetch(`${urls.backend}/v1/sessions/${id}`, { headers: { authorization: `Bearer ${doorward.instance.secret_key}` } });
    assert.equal(known.status, 200);
    assert.notEqual((await known.json()).status, "active");
  }

  step("signing out ends the session everywhere", async () => {
    await signOut();
    await assertEnded(sessionId);
  });

  if (signals) {
    step("the signal-style hook shows the error at its field and signs in", async () => {
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await page.goto("/signin-signals");
      await header(page, "Signed out");
      await signIn(page, wrongPassword);
      await page.getByRole("alert").getByText(longMessage).waitFor();
      await profile.shot(page, "signals-wrong-password");
      await signIn(page, password);
      const before = sessionId;
      await page.waitForURL("/protected");
      sessionId = await page.locator("#server-session").textContent();
      assert.notEqual(sessionId, before);
      await assertServerKnows(page);
      await header(page, `Signed in as ${user.id}`);
      await profile.shot(page, "signals-protected");
    });

    step("and that session ends like the other", async () => {
      await signOut();
      await assertEnded(sessionId);
    });
  }

  step("the app ran without an error of its own", () => {
    assert.ok(existsSync(app.log));
    assert.doesNotMatch(readFileSync(app.log, "utf8"), /unhandled|uncaught|TypeError|ReferenceError|Error:|ECONN|⨯/i);
  });
}
