// The ready-made components of today's official SDK, as people meet them: sign-up, user button, profile and sign-in, with each
// strategy, in a browser and against a development instance.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as OTPAuth from "otpauth";
import { Profile, answer, launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { serveComponents } from "../lib/components.mjs";
import { urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";
import { installWallet } from "../lib/wallet.mjs";

const password = "correct horse battery staple";
// What the protocol keeps for tests: nothing is sent to such addresses and numbers, and one code is right.
const testCode = "424242";
const email = (name) => `${name}+clerk_test@example.com`;

describe("the official components", () => {
  const clock = new Clock();
  const doorward = new Doorward("test", clock);
  let app, browser, profile, page, defaults;

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

  /** A story with a browser of its own, on an instance with these settings. */
  function story(name, change, body) {
    it(name, { timeout: 180_000 }, async () => {
      await doorward.configure((settings) => {
        defaults ??= structuredClone(settings);
        Object.assign(settings, structuredClone(defaults));
        change(settings);
      });
      profile = await Profile.open(browser, `components-${name.replace(/\W+/g, "-")}`, clock);
      // The SDK takes browsers that say they are driven for robots, and shows them less.
      await profile.context.addInitScript(() => Object.defineProperty(navigator, "webdriver", { get: () => false }));
      // The pictures of providers and wallets are the one thing that the components fetch elsewhere, wherever they run.
      await profile.context.route("https://img.clerk.com/static/*.svg", (route) => route.fulfill({ contentType: "image/svg+xml", body: "<svg xmlns='http://www.w3.org/2000/svg'/>" }));
      profile.allow(({ text }) => text.startsWith("asked outside: GET https://img.clerk.com/static/"));
      page = await profile.context.newPage();
      try {
        await body();
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

  const field = (label) => page.getByLabel(label, { exact: true });
  const button = (name) => page.getByRole("button", { name, exact: true });
  const press = (name) => button(name).click();
  const pick = (text) => page.getByText(text, { exact: true }).click();
  const enterCode = async (code) => {
    await page.getByLabel("Enter verification code").waitFor();
    await page.keyboard.type(code);
  };
  const proceed = () => press("Continue");

  const signedIn = async (name) => {
    await page.getByText("Signed in as").waitFor();
    await profile.shot(page, name);
    return page.evaluate(() => globalThis.Clerk.user.id);
  };

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

  async function withPassword(identifier) {
    await identify(identifier);
    await field("Password").fill(password);
    await proceed();
  }

  story(
    "an address and a password, a code by mail, a forgotten password",
    () => {},
    async () => {
      const ada = await signUp(email("ada"));
      await signOut();

      await identify(email("ada"));
      await field("Password").fill("wrong horse battery staple");
      profile.allow(answer(422, "/v1/client/sign_ins"), ({ url }) => /attempt_first_factor$/.test(new URL(url).pathname));
      await proceed();
      // The component takes a password that came with the identifier for a guess of the browser's, and asks by itself.
      await page.getByText("Enter your password", { exact: true }).waitFor();
      await field("Password").fill("wrong horse battery staple");
      await proceed();
      await page.getByText("Password is incorrect").first().waitFor();
      await profile.shot(page, "wrong-password");
      await field("Password").fill(password);
      await proceed();
      assert.equal(await signedIn("password"), ada);
      await signOut();

      await identify(email("ada"));
      await proceed();
      await pick("Use another method");
      await page.getByRole("button", { name: /^Email code to/ }).click();
      await enterCode(testCode);
      assert.equal(await signedIn("email-code"), ada);
      await signOut();

      await identify(email("ada"));
      await proceed();
      await pick("Forgot password?");
      await press("Reset your password");
      await enterCode(testCode);
      await field("New password").fill(`${password} again`);
      await field("Confirm password").fill(`${password} again`);
      await press("Reset Password");
      assert.equal(await signedIn("reset"), ada);
    },
  );

  story(
    "a number and a code by text message",
    ({ attributes }) => Object.assign(attributes, { email_address: "off", phone_number: "required", password: "off", username: "off" }),
    async () => {
      await page.goto("/sign-up");
      await field("Phone number").fill("5555550100");
      await proceed();
      await enterCode(testCode);
      const ada = await signedIn("signed-up");
      await signOut();
      await identify("5555550100", "Phone number");
      await proceed();
      await enterCode(testCode);
      assert.equal(await signedIn("phone-code"), ada);
    },
  );

  story(
    "a link by mail, opened in a second tab",
    ({ attributes }) => Object.assign(attributes, { email_address: "required", phone_number: "off", password: "off", email_code: false, email_link: true }),
    async () => {
      await page.goto("/sign-up");
      await field("Email address").fill("grace@example.com");
      await proceed();
      await openLink();
      const grace = await signedIn("signed-up");
      await signOut();
      await identify("grace@example.com");
      await proceed();
      await openLink();
      assert.equal(await signedIn("email-link"), grace);
    },
  );

  /** Reads the newest mail as a developer does, and opens its link beside the page that waits. */
  async function openLink() {
    await page.getByText(/^(Check your email|Use the verification link sent to your email.*)$/).first().waitFor();
    const inbox = await profile.context.newPage();
    profile.allow(({ text }) => text.startsWith(`asked outside: GET ${urls.backend}/`));
    await inbox.goto(`${urls.backend}/inbox`);
    const link = await until("the link is in the inbox", async () => {
      await inbox.reload();
      return (await inbox.content()).match(/https?:[^"<\s]+\/v1\/verify\?[^"<\s]+/)?.[0].replaceAll("&amp;", "&");
    });
    await inbox.goto(link);
    await inbox.getByText("Signed in as").waitFor();
    await profile.shot(inbox, "link-opened");
    await inbox.close();
  }

  story(
    "an authenticator app and backup codes",
    ({ attributes }) => Object.assign(attributes, { email_address: "required", email_code: true, email_link: false, password: "required" }),
    async () => {
      const joan = await signUp(email("joan"));
      await page.goto("/user/security");
      await press("Add two-step verification");
      await pick("Authenticator application");
      await page.getByText("Can’t scan QR code?").click();
      const uri = await page.locator('input[value^="otpauth:"]').inputValue();
      const app = OTPAuth.URI.parse(uri);
      await proceed();
      await enterCode(app.generate({ timestamp: clock.now() }));
      const codes = await until("ten codes are shown", async () => {
        const shown = (await page.locator("main").innerText()).match(/^[a-z0-9-]{8,}$/gm);
        return shown?.length === 10 && shown;
      });
      await profile.shot(page, "enrolled");
      await press("Finish");
      await signOut();

      await withPassword(email("joan"));
      clock.advance(60);
      await profile.moveClock();
      await enterCode(app.generate({ timestamp: clock.now() }));
      assert.equal(await signedIn("totp"), joan);
      await signOut();

      await withPassword(email("joan"));
      await pick("Use another method");
      await pick("Use a backup code");
      await field("Backup code").fill(codes[0]);
      await proceed();
      assert.equal(await signedIn("backup-code"), joan);
    },
  );

  for (const autofill of [false, true]) story(
    autofill ? "a passkey that the browser offers by itself" : "a passkey",
    ({ attributes, passkey }) => {
      attributes.passkey = true;
      passkey.allow_autofill = autofill;
    },
    async () => {
      const device = await profile.context.newCDPSession(page);
      await device.send("WebAuthn.enable");
      const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
      const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options });
      const kept = async () => (await device.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length;
      const mary = await signUp(email(`mary-${autofill}`));
      await page.goto("/user/security");
      await press("Add a passkey");
      await until("the passkey is made", async () => (await kept()) === 1);
      await page.getByText("Created:").waitFor();
      await profile.shot(page, "passkey");
      await signOut();
      await page.goto("/sign-in");
      if (!autofill) await pick("Use passkey instead");
      assert.equal(await signedIn("passkey"), mary);
    },
  );

  story(
    "a wallet",
    ({ attributes }) => Object.assign(attributes, { web3_wallet: "optional", email_address: "optional", password: "optional" }),
    async () => {
      const wallet = await installWallet(profile.context);
      // The component asks for a sign-in first, and goes on with a sign-up when there is no such account.
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await page.goto("/sign-up");
      await page.getByRole("button", { name: /MetaMask/ }).click();
      const katherine = await signedIn("signed-up");
      assert.deepEqual(
        await page.evaluate(() => globalThis.Clerk.user.web3Wallets.map((it) => it.web3Wallet.toLowerCase())),
        [wallet.address.toLowerCase()],
      );
      await signOut();
      await page.goto("/sign-in");
      await page.getByRole("button", { name: /MetaMask/ }).click();
      assert.equal(await signedIn("wallet"), katherine);
    },
  );

  story(
    "terms that have to be accepted",
    ({ sign_up }) => (sign_up.legal_consent = true),
    async () => {
      await page.goto("/sign-up");
      await field("Email address").fill(email("annie"));
      await field("Password").fill(password);
      await page.getByRole("checkbox").check();
      await proceed();
      await enterCode(testCode);
      await signedIn("signed-up");
      assert.ok(await page.evaluate(() => globalThis.Clerk.user.legalAcceptedAt instanceof Date));
    },
  );

  story(
    "a waiting list, and an invitation off it",
    ({ sign_up, paths }) => {
      sign_up.mode = "waitlist";
      paths.sign_up_url = `${urls.app}/sign-up`;
    },
    async () => {
      await page.goto("/waitlist");
      await field("Email address").fill(email("ruth"));
      await page.getByRole("button", { name: "Join the waitlist" }).click();
      await page.getByText("Thanks for joining the waitlist!").waitFor();
      await profile.shot(page, "joined");
      const backend = async (method, path, body) => {
        const headers = { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" };
        const answer = await fetch(new URL(path, urls.backend), { method, headers, body: body && JSON.stringify(body) });
        assert.equal(answer.status, 200, path);
        return answer.json();
      };
      const { data } = await backend("GET", "/v1/waitlist_entries");
      assert.deepEqual(data.map((it) => [it.email_address, it.status]), [[email("ruth"), "pending"]]);
      const invited = await backend("POST", `/v1/waitlist_entries/${data[0].id}/invite`, { ignore_existing: true });
      assert.equal(invited.status, "invited");
      await page.goto(invited.invitation.url);
      await field("Password").fill(password);
      await proceed();
      await signedIn("signed-up");
    },
  );

  story(
    "a provider of one's own, for a new account and then for one that is there",
    (settings) => {
      settings.oauth = upstreamSettings;
    },
    async () => {
      const upstream = await startUpstream({ dorothy: { email: "dorothy@example.com", email_verified: true, given_name: "Dorothy", family_name: "Vaughan" } });
      try {
        profile.allow(({ text }) => text.startsWith("asked outside: ") && text.includes(upstream.issuer));
        // The pages that this provider has for development want a font from elsewhere.
        await withoutFont(profile.context);
        profile.allow(({ text }) => text.startsWith(`asked outside: GET ${fontOrigin}/`));
        await page.goto("/sign-up");
        await page.getByRole("button", { name: /Upstream/ }).click();
        await upstream.signIn(page, "dorothy");
        const dorothy = await signedIn("signed-up");
        const shown = await page.evaluate(() => {
          const { firstName, primaryEmailAddress, externalAccounts } = globalThis.Clerk.user;
          return { firstName, address: primaryEmailAddress.emailAddress, accounts: externalAccounts.map((it) => it.provider) };
        });
        assert.deepEqual(shown, { firstName: "Dorothy", address: "dorothy@example.com", accounts: ["custom_upstream"] });
        await signOut();
        await page.goto("/sign-in");
        await page.getByRole("button", { name: /Upstream/ }).click();
        // Whoever is signed in there is not asked again.
        assert.equal(await signedIn("upstream"), dorothy);
      } finally {
        upstream.close();
      }
    },
  );
});
