// The ready-made components of today's official SDK, as people meet them: sign-up, user button, profile and sign-in, with each
// strategy, in a browser and against a development instance.
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as OTPAuth from "otpauth";
import { answer } from "../lib/browser.mjs";
import { components, email, password, testCode } from "../lib/components.mjs";
import { urls } from "../lib/config.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";
import { installWallet } from "../lib/wallet.mjs";

describe("the official components", () => {
  const { clock, story, backend, open } = components("components");

  story(
    "an address and a password, a code by mail, a forgotten password",
    () => {},
    async ({ profile, page, field, press, pick, proceed, enterCode, signedIn, signOut, signUp, identify }) => {
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
    async ({ page, field, proceed, enterCode, signedIn, signOut, identify }) => {
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
    async (hands) => {
      const { page, field, proceed, signedIn, signOut, identify } = hands;
      await page.goto("/sign-up");
      await field("Email address").fill("grace@example.com");
      await proceed();
      await openLink(hands);
      const grace = await signedIn("signed-up");
      await signOut();
      await identify("grace@example.com");
      await proceed();
      await openLink(hands);
      assert.equal(await signedIn("email-link"), grace);
    },
  );

  story(
    "a link by mail, opened on another device",
    ({ attributes, attack_protection }) => {
      Object.assign(attributes, { email_address: "required", phone_number: "off", password: "off", email_code: false, email_link: true });
      attack_protection.email_link_same_client = false;
    },
    async (hands) => {
      const { page, field, proceed, signedIn, signOut, identify } = hands;
      const opened = async () => {
        const phone = await open("phone");
        const tab = await openMail(hands, phone);
        await phone.profile.shot(tab, "asked");
        await tab.getByRole("button", { name: "Continue" }).click();
        await tab.waitForURL(`${urls.app}/**`);
      };
      await page.goto("/sign-up");
      await field("Email address").fill("heidi@example.com");
      await proceed();
      await opened();
      const heidi = await signedIn("signed-up");
      await signOut();
      await identify("heidi@example.com");
      await proceed();
      await opened();
      assert.equal(await signedIn("email-link"), heidi);
    },
  );

  async function openLink(hands) {
    const tab = await openMail(hands, hands);
    await tab.getByText("Signed in as").waitFor();
    await hands.profile.shot(tab, "link-opened");
    await tab.close();
  }

  /** Reads the newest mail as a developer does, once the page waits for it, and opens its link in a new tab of `reader`. */
  async function openMail({ page }, { profile }) {
    await page.getByText(/^(Check your email|Use the verification link sent to your email.*)$/).first().waitFor();
    const inbox = await profile.context.newPage();
    profile.allow(({ text }) => text.startsWith(`asked outside: GET ${urls.backend}/`));
    await inbox.goto(`${urls.backend}/inbox`);
    const link = await until("the link is in the inbox", async () => {
      await inbox.reload();
      return (await inbox.content()).match(/https?:[^"<\s]+\/v1\/verify\?[^"<\s]+/)?.[0].replaceAll("&amp;", "&");
    });
    await inbox.goto(link);
    return inbox;
  }

  story(
    "an authenticator app and backup codes",
    ({ attributes }) => Object.assign(attributes, { email_address: "required", email_code: true, email_link: false, password: "required" }),
    async ({ profile, page, field, press, pick, proceed, enterCode, signedIn, signOut, signUp, withPassword, backupCodes }) => {
      const joan = await signUp(email("joan"));
      await page.goto("/user/security");
      await press("Add two-step verification");
      await pick("Authenticator application");
      await page.getByText("Can’t scan QR code?").click();
      const uri = await page.locator('input[value^="otpauth:"]').inputValue();
      const app = OTPAuth.URI.parse(uri);
      await proceed();
      await enterCode(app.generate({ timestamp: clock.now() }));
      const codes = await backupCodes();
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
    async ({ profile, page, press, pick, signedIn, signOut, signUp }) => {
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
    async ({ profile, page, signedIn, signOut }) => {
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
    async ({ page, field, proceed, enterCode, signedIn }) => {
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
    async ({ profile, page, field, proceed, signedIn }) => {
      await page.goto("/waitlist");
      await field("Email address").fill(email("ruth"));
      await page.getByRole("button", { name: "Join the waitlist" }).click();
      await page.getByText("Thanks for joining the waitlist!").waitFor();
      await profile.shot(page, "joined");
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
    async ({ profile, page, signedIn, signOut }) => {
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
