// An app's own screens over the hooks of the official SDKs (`useSignIn`, `useSignUp`, `useSessionList`, `useReverification`), in each
// generation and, in today's, in both shapes: the pages are in `pages/hooks` of the examples.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as OTPAuth from "otpauth";
import { plan, startApp } from "../lib/app.mjs";
import { Profile, answer, launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { apps, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";
import { installWallet } from "../lib/wallet.mjs";

const password = "correct horse battery staple";
// What the protocol keeps for tests: nothing is sent to such addresses and numbers, and one code is right.
const testCode = "424242";
const wrongCode = "111111";
const versions = Object.keys(apps);
versions.forEach((version) => plan(version, "test"));

const refused = (path) => (fault) => fault.status === 422 && path.test(new URL(fault.url).pathname);

describe("an app's own screens over the hooks", () => {
  const clock = new Clock();
  const doorward = new Doorward("test", clock);
  let browser;
  before(
    async () => {
      await doorward.open();
      await doorward.configure((settings) => {
        Object.assign(settings.attributes, { email_address: "optional", phone_number: "optional", web3_wallet: "optional", password: "optional", email_link: true, passkey: true });
        Object.assign(settings.session, { single_session: false, reverify_sensitive: true });
        settings.oauth = upstreamSettings;
      });
      browser = await launch();
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await browser?.close();
    await doorward.close();
    clock.close();
  });

  for (const version of versions) {
    describe(version, () => {
      let app;
      before(
        async () => {
          app = await startApp(version, "test", { secretKey: doorward.instance.secret_key, clock });
        },
        { timeout: 600_000 },
      );
      after(() => app?.stop());

      const tell = teller(version, { clock, doorward, browser: () => browser });
      signUpStories(tell, "/hooks/sign-up");
      signInStories(tell, "/hooks/sign-in");
      sessionsStory(tell);
      if (version !== "v4") reverificationStories(tell);
      if (apps[version].signals) {
        signUpStories(tell, "/hooks/sign-up-signals");
        signInStories(tell, "/hooks/sign-in-signals");
        signalStories(tell);
      }
    });
  }
});

let people = 0;

/** Tells stories of one app, each with a browser profile of its own. */
function teller(version, { clock, doorward, browser }) {
  return (name, body) =>
    it(name, { timeout: 90_000 }, async () => {
      const profile = await Profile.open(browser(), `hooks-${version}-${name.replace(/\W+/g, "-")}`, clock);
      // Next's word for one navigation that the next one overtook: the SDKs navigate when the session changes, and so do we.
      profile.allow(({ text }) => /^console: Error: Abort fetching component for route/.test(text));
      const page = await profile.context.newPage();
      try {
        await body(new Person({ version, clock, doorward, profile, page }));
        profile.audit();
      } catch (error) {
        await profile.shotAll("failed");
        error.stack += `\n${page.url()}: ${await page.evaluate(() => document.body.innerText).catch(() => "")}`;
        throw error;
      } finally {
        await profile.close();
      }
    });
}

/** Who sits before the browser. */
class Person {
  constructor(given) {
    Object.assign(this, given);
    people += 1;
    this.number = `+1555555${String(100 + people).padStart(4, "0")}`;
    this.email = `person.${people}+clerk_test@example.com`;
  }

  /** The oldest SDK answers a page whose cookies it doubts with a page of its own that looks again. */
  doubted(path) {
    if (this.version === "v4") this.profile.allow(answer(401, path));
  }

  async open(path) {
    this.doubted(path);
    await this.page.goto(path);
  }

  field = (label) => this.page.getByLabel(label, { exact: true });
  press = (name) => this.page.getByRole("button", { name, exact: true }).click();
  fill = (label, value) => this.field(label).fill(value);
  proceed = () => this.press("Continue");
  status = (status) => this.page.locator("#attempt-status", { hasText: status }).waitFor();
  isSaid = (text) => this.page.getByText(text, { exact: true }).waitFor();

  async fails(text) {
    await this.page.getByRole("alert").filter({ hasText: text }).waitFor();
  }

  /** Begins a sign-in on one of the pages for it. */
  async choose(path, way, identifier) {
    await this.open(path);
    await this.page.getByLabel("Way").selectOption(way);
    if (identifier) await this.fill("Identifier", identifier);
  }

  async begin(path, way, identifier) {
    await this.choose(path, way, identifier);
    await this.proceed();
  }

  /** Says which user browser and server agree on. */
  async signedIn(user) {
    await this.page.locator("#browser-user", { hasText: user ? `Signed in as ${user}` : "Signed in as" }).waitFor();
    const shown = await until("the server knows", async () => {
      const answer = await this.page.evaluate(async () => (await fetch("/api/me")).json());
      return answer.userId && answer;
    });
    // What the server rendered stands there before the SDK has asked anybody.
    const here = () => globalThis.Clerk?.loaded && globalThis.Clerk.user && [globalThis.Clerk.user.id, globalThis.Clerk.session.id];
    const [userId, sessionId] = await until("the SDK knows", () => this.page.evaluate(here));
    assert.deepEqual(shown, { userId, sessionId });
    if (user) assert.equal(userId, user);
    return userId;
  }

  async signOut() {
    await this.page.evaluate(() => globalThis.Clerk.signOut());
    await this.page.locator("#browser-user", { hasText: "Signed out" }).waitFor();
  }

  async backend(method, path, body) {
    const headers = { authorization: `Bearer ${this.doorward.instance.secret_key}`, "content-type": "application/json" };
    const response = await fetch(new URL(path, urls.backend), { method, headers, body: body && JSON.stringify(body) });
    assert.equal(response.status, 200, path);
    return response.json();
  }

  async hasAccount(more = {}) {
    const { id } = await this.backend("POST", "/v1/users", { email_address: [this.email], password, ...more });
    return id;
  }

  /** Opens the link that was sent in a second tab, as who reads mail in the same browser does. */
  async openLink() {
    const link = await until("the link is in the inbox", async () => {
      const inbox = await (await fetch(new URL("/inbox", urls.backend))).text();
      const letter = inbox.split("<li id=").find((it) => it.includes(`<b>${this.email}</b>`));
      return letter?.match(/https?:[^"<\s]+\/v1\/verify\?[^"<\s]+/)?.[0].replaceAll("&amp;", "&");
    });
    const tab = await this.profile.context.newPage();
    this.doubted("/hooks/verify");
    await tab.goto(link);
    return tab;
  }
}

function signUpStories(tell, path) {
  tell(`${path}: a code by mail, after a wrong one`, async (person) => {
    await person.open(path);
    await person.fill("Email address", person.email);
    await person.fill("Password", password);
    await person.proceed();
    await person.fill("Code", wrongCode);
    person.profile.allow(refused(/attempt_verification$/));
    await person.proceed();
    await person.fails("ncorrect");
    await person.fill("Code", testCode);
    await person.proceed();
    const id = await person.signedIn();
    const user = await person.backend("GET", `/v1/users/${id}`);
    assert.deepEqual(user.email_addresses.map((it) => [it.email_address, it.verification.status]), [[person.email, "verified"]]);
  });

  tell(`${path}: a code by text message`, async (person) => {
    await person.open(path);
    await person.fill("Phone number", person.number);
    await person.fill("Password", password);
    await person.proceed();
    await person.fill("Code", testCode);
    await person.proceed();
    const id = await person.signedIn();
    const user = await person.backend("GET", `/v1/users/${id}`);
    assert.deepEqual(user.phone_numbers.map((it) => [it.phone_number, it.verification.status]), [[person.number, "verified"]]);
  });
}

/** What the classic pages and the newer ones name a way to sign in. */
const named = (path, classic, newer) => (path.endsWith("-signals") ? newer : classic);

function signInStories(tell, path) {
  const way = (classic, newer) => named(path, classic, newer);

  tell(`${path}: a code by mail, after an address that nobody has and a wrong code`, async (person) => {
    const id = await person.hasAccount();
    person.profile.allow(refused(/sign_ins$/), refused(/attempt_first_factor$/));
    await person.begin(path, way("email_code", "emailCode"), `nobody.${person.email}`);
    await person.fails("Couldn't find your account.");
    await person.fill("Identifier", person.email);
    await person.proceed();
    await person.status("needs_first_factor");
    await person.fill("Code", wrongCode);
    await person.proceed();
    await person.fails("ncorrect");
    await person.fill("Code", testCode);
    await person.proceed();
    await person.signedIn(id);
  });

  tell(`${path}: a code by text message`, async (person) => {
    const id = await person.hasAccount({ phone_number: [person.number] });
    await person.begin(path, way("phone_code", "phoneCode"), person.number);
    await person.fill("Code", testCode);
    await person.proceed();
    await person.signedIn(id);
  });

  tell(`${path}: a link by mail, opened in a second tab`, async (person) => {
    // Nothing is sent to the addresses for tests.
    person.email = person.email.replace("+clerk_test", "");
    const id = await person.hasAccount();
    await person.begin(path, way("email_link", "emailLink"), person.email);
    await person.isSaid("Open the link that we sent you.");
    const tab = await person.openLink();
    if (path.endsWith("-signals")) await tab.getByText("The link is verified.").waitFor();
    else await tab.locator("#server-user", { hasText: id }).waitFor();
    await person.signedIn(id);
  });

  tell(`${path}: a forgotten password`, async (person) => {
    const id = await person.hasAccount();
    await person.begin(path, way("reset_password_email_code", "resetPasswordEmailCode"), person.email);
    await person.fill("Code", testCode);
    await person.proceed();
    await person.status("needs_new_password");
    person.profile.allow(refused(/reset_password$/));
    await person.fill("New password", "short");
    await person.proceed();
    await person.fails("8");
    await person.fill("New password", `a better ${password}`);
    await person.proceed();
    await person.signedIn(id);
    const verified = await person.backend("POST", `/v1/users/${id}/verify_password`, { password: `a better ${password}` });
    assert.equal(verified.verified, true);
  });

  tell(`${path}: a password, and the code of an authenticator app`, async (person) => {
    const secret = new OTPAuth.Secret();
    const authenticator = new OTPAuth.TOTP({ secret });
    const id = await person.hasAccount({ totp_secret: secret.base32 });
    person.profile.allow(refused(/sign_ins$/), refused(/attempt_first_factor$/), refused(/attempt_second_factor$/));
    await person.choose(path, "password", person.email);
    await person.fill("Password", `not ${password}`);
    await person.proceed();
    await person.fails("Password is incorrect");
    await person.fill("Password", password);
    await person.proceed();
    const code = way("Code of the app", "Code of the app, or a backup code");
    const right = authenticator.generate({ timestamp: person.clock.now() });
    await person.fill(code, right === "000000" ? "000001" : "000000");
    await person.proceed();
    await person.fails("ncorrect");
    await person.fill(code, authenticator.generate({ timestamp: person.clock.now() }));
    await person.proceed();
    await person.signedIn(id);
  });
}

function sessionsStory(tell) {
  tell("two sessions in one browser: listed, switched, and ended one after the other", async (person) => {
    const { page } = person;
    const ada = person.email;
    const grace = `grace.${ada}`;
    const ids = { [ada]: await person.hasAccount(), [grace]: await person.hasAccount({ email_address: [grace] }) };
    for (const email of [ada, grace]) {
      await person.begin("/hooks/sign-in", "email_code", email);
      await person.fill("Code", testCode);
      await person.proceed();
      await person.signedIn(ids[email]);
    }
    const listed = () => page.getByRole("listitem").evaluateAll((all) => Object.fromEntries(all.map((it) => [it.firstChild.textContent, it.ariaCurrent])));
    const lists = (wanted) =>
      until(`the list says ${JSON.stringify(wanted)}`, async () => {
        const shown = await listed();
        assert.deepEqual(shown, wanted);
        return true;
      });
    await person.open("/hooks/sessions");
    await lists({ [ada]: "false", [grace]: "true" });
    await person.press(`Use ${ada}`);
    await lists({ [ada]: "true", [grace]: "false" });
    await person.signedIn(ids[ada]);
    await person.press(`Sign out ${grace}`);
    // The hook of 2023 renders anew when another session is in use, and not when one is gone.
    if (person.version === "v4") {
      await until("the client knows", () => page.evaluate(() => globalThis.Clerk.client.sessions.length === 1));
      await person.open("/hooks/sessions");
    }
    await lists({ [ada]: "true" });
    await person.signedIn(ids[ada]);
    await person.press(`Sign out ${ada}`);
    await page.locator("#browser-user", { hasText: "Signed out" }).waitFor();
    const { data } = await person.backend("GET", `/v1/sessions?user_id=${ids[grace]}`).then((it) => (Array.isArray(it) ? { data: it } : it));
    assert.deepEqual(data.map((it) => it.status), ["removed"]);
  });
}

function reverificationStories(tell) {
  /** Signs in, and is still there when that is no proof any more. */
  async function longAgo(person) {
    const id = await person.hasAccount();
    await person.begin("/hooks/sign-in", "email_code", person.email);
    await person.fill("Code", testCode);
    await person.proceed();
    await person.signedIn(id);
    person.clock.advance(11 * 60);
    await person.profile.moveClock();
    await person.open("/hooks/reverification");
    await person.page.locator("#browser-user", { hasText: id }).waitFor();
    return id;
  }
  const outcome = (person, text) => person.page.getByRole("status").filter({ hasText: text }).waitFor();

  tell("the app's own route asks who is there, on a screen of the app's own: called off, a wrong code, the right one", async (person) => {
    const id = await longAgo(person);
    person.profile.allow(answer(403, "/api/transfer"), refused(/attempt_first_factor$/));
    await person.press("Transfer");
    await person.isSaid("We sent a code to p**@example.com.");
    await person.press("Cancel");
    await outcome(person, "Cancelled");
    await person.press("Transfer");
    await person.isSaid("We sent a code to p**@example.com.");
    await person.fill("Code", wrongCode);
    await person.press("Verify");
    await person.fails("ncorrect");
    await person.fill("Code", testCode);
    await person.press("Verify");
    await outcome(person, `Transferred for ${id}`);
    const seen = person.profile.exchanges.filter(({ url }) => url === `${urls.app}/api/transfer`).map(({ status }) => status);
    assert.deepEqual(seen, [403, 403, 200]);
  });

  tell("the server asks who is there before an address is added, on the SDK's own screen", async (person) => {
    const id = await longAgo(person);
    const { page } = person;
    person.profile.allow(answer(403, "/v1/me/email_addresses"), answer(403, "/v1/me/email_addresses/"));
    const second = `second.${person.email}`;
    await person.fill("New address", second);
    await person.press("Add the address");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password", { exact: true }).fill(password);
    await person.profile.shot(page, "asked");
    await dialog.getByRole("button", { name: "Continue", exact: true }).click();
    await outcome(person, `Added ${second}`);
    const user = await person.backend("GET", `/v1/users/${id}`);
    assert.deepEqual(user.email_addresses.map((it) => it.email_address), [person.email, second]);
  });
}

function signalStories(tell) {
  const path = "/hooks/sign-in-signals";

  tell("a backup code in the place of the authenticator app", async (person) => {
    const id = await person.hasAccount({ totp_secret: new OTPAuth.Secret().base32, backup_codes: ["first-backup-code", "second-backup-code"] });
    await person.choose(path, "password", person.email);
    await person.fill("Password", password);
    await person.proceed();
    await person.fill("Code of the app, or a backup code", "second-backup-code");
    await person.press("It is a backup code");
    await person.signedIn(id);
  });

  tell("a passkey", async (person) => {
    const id = await person.hasAccount();
    const { page } = person;
    // The SDK takes browsers that say they are driven for ones without passkeys.
    await person.profile.context.addInitScript(() => Object.defineProperty(navigator, "webdriver", { get: () => false }));
    const device = await person.profile.context.newCDPSession(page);
    await device.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    await device.send("WebAuthn.addVirtualAuthenticator", { options });
    await person.choose(path, "password", person.email);
    await person.fill("Password", password);
    await person.proceed();
    await person.signedIn(id);
    await page.evaluate(() => globalThis.Clerk.user.createPasskey());
    await person.signOut();
    await person.begin(path, "passkey");
    await person.signedIn(id);
  });

  tell("a ticket of the backend", async (person) => {
    const id = await person.hasAccount();
    const { token } = await person.backend("POST", "/v1/sign_in_tokens", { user_id: id });
    await person.begin(path, "ticket", token);
    await person.signedIn(id);
  });

  tell("a provider of one's own: a new account by way of the sign-in, and then that account", async (person) => {
    const { page, profile } = person;
    const upstream = await startUpstream({ dorothy: { email: "dorothy@example.com", email_verified: true, given_name: "Dorothy", family_name: "Vaughan" } });
    try {
      profile.allow(({ text }) => text.startsWith("asked outside: ") && text.includes(upstream.issuer));
      await withoutFont(profile.context);
      profile.allow(({ text }) => text.startsWith(`asked outside: GET ${fontOrigin}/`));
      await person.begin(path, "sso");
      await upstream.signIn(page, "dorothy");
      const id = await person.signedIn();
      const user = await person.backend("GET", `/v1/users/${id}`);
      assert.deepEqual([user.first_name, user.email_addresses.map((it) => it.email_address)], ["Dorothy", ["dorothy@example.com"]]);
      await person.signOut();
      await person.begin(path, "sso");
      await person.signedIn(id);
    } finally {
      upstream.close();
    }
  });

  tell("a wallet, for a new account and then for that one", async (person) => {
    const wallet = await installWallet(person.profile.context);
    await person.open("/hooks/sign-up-signals");
    await person.press("With a wallet");
    const id = await person.signedIn();
    const user = await person.backend("GET", `/v1/users/${id}`);
    assert.deepEqual(user.web3_wallets.map((it) => it.web3_wallet.toLowerCase()), [wallet.address.toLowerCase()]);
    await person.signOut();
    await person.begin(path, "web3");
    await person.signedIn(id);
  });
}
