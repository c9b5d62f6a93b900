// Our own account screens and the forms that not every instance has, as the pages that the server shows by itself.
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as OTPAuth from "otpauth";
import { answer } from "../lib/browser.mjs";
import { urls } from "../lib/config.mjs";
import { heading, hosted, look, page, phone } from "../lib/hosted.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";
import { installSolanaWallet, installWallet } from "../lib/wallet.mjs";

const password = "correct horse battery staple";
// What the protocol keeps for tests: nothing is sent to such addresses and numbers, and one code is right.
const testCode = "424242";
const address = (name) => `${name}+clerk_test@example.com`;

describe("our account screens", () => {
  const { clock, doorward, open, story, configure } = hosted("test");

  /** What a person does on one screen. */
  function hands({ tab }) {
    const section = (name) => tab.getByRole("region", { name, exact: true });
    const field = (label) => tab.getByLabel(label, { exact: true });
    const press = (name) => tab.getByRole("button", { name, exact: true }).click();
    const said = (text) => tab.getByText(text, { exact: true }).waitFor();
    async function signIn(email, given = password) {
      await heading(tab, "Sign in");
      await tab.getByLabel(/^Email/).fill(email);
      await field("Password").fill(given);
      await tab.keyboard.press("Enter");
    }
    async function signOut() {
      await press("Sign out");
      await heading(tab, "Sign in");
    }
    async function arrive(email) {
      await tab.goto(page("/user"));
      await signIn(email);
      await heading(tab, "Your account");
    }
    return { section, field, press, said, signIn, signOut, arrive };
  }

  async function person(name, label = name, where = {}) {
    const user = await doorward.createUser({ email: address(name), password, firstName: "Ada" });
    const it = await open(label, where);
    const hand = hands(it);
    return { ...it, ...hand, user };
  }

  for (const where of [{ scheme: "light" }, { scheme: "dark" }, { scheme: "dark", viewport: phone }]) {
    const label = `${where.scheme}${where.viewport ? "-phone" : ""}`;
    story(`name, addresses, numbers and password: ${label}`, async () => {
      if (label === "light") await configure(({ attributes }) => Object.assign(attributes, { phone_number: "optional", username: "optional", phone_second_factor: true, passkey: true }));
      const it = await person(`account.${label}`, `account-${label}`, where);
      const { tab, section, field, press, said } = it;
      await it.arrive(address(`account.${label}`));
      await look(it, "account");

      await press("Change your name");
      await field("Last name").fill("Lovelace");
      await field("User name").fill(`ada_${label.replace("-", "_")}`);
      await look(it, "name");
      await press("Save");
      await said("Saved.");
      await tab.getByText("Ada Lovelace", { exact: true }).waitFor();

      await press("Add email address");
      await until("the field has the focus", () => tab.evaluate(() => document.activeElement?.getAttribute("name") === "emailAddress"));
      it.profile.allow(answer(422, "/v1/me/email_addresses"));
      await field("Email").fill("no address");
      await tab.keyboard.press("Enter");
      await section("Email addresses").getByRole("alert").waitFor();
      await look(it, "wrong-address");
      const second = address(`second.${label}`);
      await field("Email").fill(second);
      await tab.keyboard.press("Enter");
      await said(`A code is on its way to ${second}.`);
      await look(it, "address-code");
      await field("Code").fill(testCode);
      await tab.keyboard.press("Enter");
      await said(`${second} is verified.`);
      await press(`Make ${second} primary`);
      await said(`${second} is your primary email address.`);
      await press(`Remove ${address(`account.${label}`)}`);
      await said(`${address(`account.${label}`)} is removed.`);

      await press("Add phone number");
      const number = `+1555555010${["light", "dark", "dark-phone"].indexOf(label)}`;
      await field("Phone number").fill(number);
      await tab.keyboard.press("Enter");
      await said(`A code is on its way to ${number}.`);
      await field("Code").fill(testCode);
      await tab.keyboard.press("Enter");
      await said(`${number} is verified.`);
      await press(`Use ${number} as a second step`);
      await tab.getByRole("heading", { name: "Your backup codes" }).waitFor();
      await look(it, "phone-backup-codes");
      await press("I have kept them");
      await press(`No longer use ${number} as a second step`);
      await said(`${number} is no second step any more.`);

      await press("Change the password");
      it.profile.allow(answer(422, "/v1/me/change_password"));
      await field("Current password").fill("wrong horse battery staple");
      await field("New password").fill(`${password} again`);
      await tab.keyboard.press("Enter");
      await section("Password").getByRole("alert").waitFor();
      await look(it, "wrong-password");
      await field("Current password").fill(password);
      await tab.keyboard.press("Enter");
      await said("Your password has changed.");
      await it.signOut();
      await it.signIn(second, `${password} again`);
      await heading(tab, "Your account");
    });
  }

  story("a picture", async () => {
    const it = await person("picture");
    await it.arrive(address("picture"));
    const dot = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
    const before = await it.tab.locator(".dw-who img").getAttribute("src");
    await it.field("Choose a picture").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: dot });
    await it.said("Your picture has changed.");
    await until("it is shown", async () => (await it.tab.locator(".dw-who img").getAttribute("src")) !== before);
    await look(it, "picture");
    await it.press("Remove the picture");
    await it.said("Your picture is gone.");
  });

  story("an authenticator app with backup codes, and its end", async () => {
    const it = await person("totp");
    const { tab, field, press, said } = it;
    await it.arrive(address("totp"));
    await press("Set up an authenticator app");
    const app = OTPAuth.URI.parse(await tab.getByRole("link", { name: "Open it in an app on this device" }).getAttribute("href"));
    await look(it, "enrol");
    it.profile.allow(answer(422, "/v1/me/totp/attempt_verification"));
    await field("Code").fill("000000");
    await tab.keyboard.press("Enter");
    await it.section("Two-step verification").getByRole("alert").waitFor();
    await field("Code").fill(app.generate({ timestamp: clock.now() }));
    await tab.keyboard.press("Enter");
    await tab.getByRole("heading", { name: "Your backup codes" }).waitFor();
    const codes = await tab.locator(".dw-codes code").allInnerTexts();
    assert.equal(codes.length, 10);
    await look(it, "backup-codes");
    await press("I have kept them");
    await press("Make new backup codes");
    await until("there are others", async () => {
      const fresh = await tab.locator(".dw-codes code").allInnerTexts();
      return fresh.length === 10 && !fresh.includes(codes[0]) && codes.splice(0, 10, ...fresh);
    });
    await it.signOut();
    await it.signIn(address("totp"));
    await heading(tab, "Second step");
    await press("Use a backup code");
    await field("Code").fill(codes[0]);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await press("Remove the authenticator app");
    await said("The authenticator app is removed.");
    await tab.getByRole("button", { name: "Set up an authenticator app" }).waitFor();
  });

  /** A device that has passkeys, and what says whether somebody is there to touch it. */
  async function withDevice({ profile, tab }) {
    const device = await profile.context.newCDPSession(tab);
    await device.send("WebAuthn.enable");
    const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
    const { authenticatorId } = await device.send("WebAuthn.addVirtualAuthenticator", { options });
    return (enabled) => device.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  }
  const withPasskeys = (autofill) =>
    configure(({ attributes, passkey }) => {
      attributes.passkey = true;
      passkey.allow_autofill = autofill;
    });

  story("a passkey is made, named, used and removed", async () => {
    await withPasskeys(false);
    const it = await person("passkey");
    const { tab, field, press, said } = it;
    await withDevice(it);
    await it.arrive(address("passkey"));
    await press("Add a passkey");
    await said("You can sign in with this passkey now.");
    await tab.getByRole("button", { name: /^Rename / }).click();
    await field("Name of the passkey").fill("Laptop");
    await tab.keyboard.press("Enter");
    await tab.getByRole("button", { name: "Rename Laptop" }).waitFor();
    await look(it, "passkey");
    await it.signOut();
    assert.equal(await tab.getByLabel("Email").getAttribute("autocomplete"), "username");
    await press("Use a passkey");
    await heading(tab, "Your account");
    await press("Remove Laptop");
    await said("Laptop is removed.");
  });

  story("a passkey is picked in the field, or another way is taken", async () => {
    await withPasskeys(true);
    const it = await person("autofill");
    const { tab, field, press, said } = it;
    const begun = () => it.profile.exchanges.filter(({ url, method }) => method === "POST" && new URL(url).pathname === "/v1/client/sign_ins").length;
    const present = await withDevice(it);
    await it.arrive(address("autofill"));
    await press("Add a passkey");
    await said("You can sign in with this passkey now.");

    await present(false);
    const before = begun();
    await it.signOut();
    await until("the browser is asked for passkeys", () => begun() === before + 1);
    await it.profile.quiet();
    assert.equal(await tab.getByLabel("Email").getAttribute("autocomplete"), "username webauthn");
    await look(it, "passkeys-in-field");
    it.profile.allow(answer(422, "/v1/client/sign_ins"));
    await it.signIn(address("autofill"), "wrong horse battery staple");
    await tab.getByRole("alert").getByText("Password is incorrect.").waitFor();
    await field("Password").fill(password);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await it.signOut();
    await press("Get a code by email");
    await tab.getByLabel("Email").fill(address("autofill"));
    await tab.keyboard.press("Enter");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");

    // A device of tests, with somebody there, picks the first that is offered.
    await present(true);
    await it.signOut();
    await heading(tab, "Your account");
  });

  story("a proof of presence in the middle of it, where the instance asks for one", async () => {
    await configure(({ session, attributes }) => {
      session.reverify_sensitive = true;
      attributes.phone_number = "optional";
    });
    const it = await person("proof");
    const { tab, field, press, said } = it;
    await it.arrive(address("proof"));
    clock.advance(11 * 60);
    await it.profile.moveClock();
    await tab.reload();
    await heading(tab, "Your account");
    it.profile.allow(answer(403, "/v1/me/totp"), ({ status, url }) => status === 422 && url.includes("/verify/attempt_first_factor"));
    await press("Set up an authenticator app");
    const dialog = tab.getByRole("dialog", { name: "Is it you?" });
    await dialog.waitFor();
    await until("the password has the focus", () => tab.evaluate(() => document.activeElement?.getAttribute("name") === "password"));
    await look(it, "proof", "dialog");
    await tab.keyboard.type("wrong horse battery staple");
    await tab.keyboard.press("Enter");
    await dialog.getByRole("alert").waitFor();
    await look(it, "wrong-proof", "dialog");
    await tab.keyboard.press("Escape");
    await it.section("Two-step verification").getByRole("alert").waitFor();
    it.profile.allow(answer(403, "/v1/me/totp"));
    await press("Set up an authenticator app");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: "Get a code by email" }).click();
    await said("A code is on its way to your email address.");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await tab.getByRole("link", { name: "Open it in an app on this device" }).waitFor();
    assert.equal(await dialog.count(), 0);
    await configure();
  });

  story("whoever deletes the account is gone, in the other tab too", async () => {
    const it = await person("gone");
    await it.arrive(address("gone"));
    const other = await it.profile.context.newPage();
    await other.goto(page("/user"));
    await heading(other, "Your account");
    await it.press("Delete your account");
    await look(it, "delete");
    await it.press("Cancel");
    await it.press("Delete your account");
    await it.press("Delete it for ever");
    await heading(it.tab, "Sign in");
    await other.getByRole("heading", { name: "Your account" }).waitFor({ state: "hidden" });
    it.profile.allow(answer(422, "/v1/client/sign_ins"));
    await it.signIn(address("gone"));
    await it.tab.getByRole("alert").waitFor();
    const { status } = await fetch(`${urls.backend}/v1/users/${it.user.id}`, { headers: { authorization: `Bearer ${doorward.instance.secret_key}` } });
    assert.equal(status, 404);
  });

  story("a wallet is connected and removed", async () => {
    await configure(({ attributes }) => Object.assign(attributes, { web3_wallet: "optional" }));
    const it = await person("wallet");
    const wallet = await installWallet(it.profile.context);
    await it.arrive(address("wallet"));
    const short = (text) => `${text.slice(0, 6)}…${text.slice(-4)}`;
    await it.press("Connect MetaMask");
    const note = await it.tab.getByText(/^You can sign in with 0x/).innerText();
    assert.ok(note.toLowerCase().includes(short(wallet.address).toLowerCase()), note);
    await it.tab.getByRole("button", { name: /^Remove 0x/ }).click();
    await it.tab.getByText(/^0x.* is removed\.$/).waitFor();
  });

  for (const [name, install] of [["MetaMask", installWallet], ["Phantom", installSolanaWallet]]) {
    story(`a wallet signs up on one form, signs in on the other: ${name}`, async () => {
      await configure(({ attributes, web3 }) => {
        Object.assign(attributes, { web3_wallet: "optional", email_address: "optional", password: "optional" });
        web3.strategies = ["web3_metamask_signature", "web3_solana_signature"];
      });
      const it = await open(`wallet-${name}`);
      const { tab, profile } = it;
      const { press, signOut } = hands(it);
      const wallet = await install(profile.context);
      // That nobody has it yet is an answer, not a fault.
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await tab.goto(page("/user"));
      await heading(tab, "Sign in");
      await tab.getByRole("button", { name: `Continue with ${name}` }).waitFor();
      await look(it, "sign-in-with-a-wallet");
      wallet.refuse = true;
      await press(`Continue with ${name}`);
      await tab.getByText("The wallet did not sign.").waitFor();
      wallet.refuse = false;
      await press(`Continue with ${name}`);
      await heading(tab, "Your account");
      const who = () => tab.evaluate(() => ({ id: globalThis.Doorward.user.id, wallets: globalThis.Doorward.user.web3Wallets.map((it) => it.web3Wallet.toLowerCase()) }));
      const first = await who();
      assert.deepEqual(first.wallets, [wallet.address.toLowerCase()]);
      await signOut();
      await tab.goto(page(`/sign-up?redirect_url=${encodeURIComponent(page("/user"))}`));
      await press(`Continue with ${name}`);
      await heading(tab, "Your account");
      assert.deepEqual(await who(), first);
    });
  }

  story("a wallet where accounts are hidden, and the second step of its owner on the other form", async () => {
    await configure(({ attributes, attack_protection, web3 }) => {
      Object.assign(attributes, { web3_wallet: "optional", email_address: "optional", password: "optional", authenticator_app: true, backup_code: true });
      attack_protection.enumeration_protection = true;
      web3.strategies = ["web3_metamask_signature"];
    });
    const it = await open("wallet-hidden");
    const { tab, profile } = it;
    const { press, signOut } = hands(it);
    await installWallet(profile.context);
    // A sign-in of nobody ends with a signature that is not right, and then somebody signs up.
    profile.allow(({ status, url = "" }) => status === 422 && /\/v1\/client\/sign_ins\/\w+\/attempt_first_factor$/.test(new URL(url).pathname));
    await tab.goto(page("/user"));
    await press("Continue with MetaMask");
    await heading(tab, "Your account");
    const id = await tab.evaluate(() => globalThis.Doorward.user.id);
    const secret = await tab.evaluate(async () => (await globalThis.Doorward.user.createTOTP()).secret);
    const app = new OTPAuth.TOTP({ secret });
    await tab.evaluate((code) => globalThis.Doorward.user.verifyTOTP({ code }), app.generate({ timestamp: clock.now() }));
    await signOut();
    clock.advance(60);
    await profile.moveClock();
    await tab.goto(page(`/sign-up?redirect_url=${encodeURIComponent(page("/user"))}`));
    await press("Continue with MetaMask");
    await tab.getByLabel("Code", { exact: true }).fill(app.generate({ timestamp: clock.now() }));
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    assert.equal(await tab.evaluate(() => globalThis.Doorward.user.id), id);
  });

  story("an account elsewhere is connected, signs in, and is disconnected", async () => {
    await configure((settings) => {
      settings.oauth = upstreamSettings;
    });
    const upstream = await startUpstream({
      dorothy: { email: "dorothy@example.com", email_verified: true },
      mary: { email: "mary@example.com", email_verified: true, given_name: "Mary", family_name: "Jackson" },
    });
    try {
      const it = await person("elsewhere");
      const { tab, press, said } = it;
      // The provider is the machine's own, and its page wants a font.
      const outside = ({ text = "" }) => text.startsWith("asked outside: ") && (text.includes(upstream.issuer) || text.includes(`${fontOrigin}/`));
      const theirs = ({ url = "", text = "" }) => url.startsWith(upstream.issuer) || text.includes(upstream.issuer);
      it.profile.allow(outside, theirs);
      await withoutFont(it.profile.context);
      await it.arrive(address("elsewhere"));
      await press("Connect Upstream");
      await upstream.signIn(tab, "dorothy");
      await heading(tab, "Your account");
      await tab.getByRole("button", { name: "Disconnect Upstream" }).waitFor();
      await it.section("Email addresses").getByText("dorothy@example.com").waitFor();
      await look(it, "connected");
      await it.signOut();
      await press("Continue with Upstream");
      await heading(tab, "Your account");
      assert.equal(await tab.evaluate(() => globalThis.Doorward.user.id), it.user.id);
      // In a window of its own, as an app may have it.
      await it.signOut();
      const opened = tab.waitForEvent("popup");
      await tab.evaluate(() => {
        const popup = globalThis.open("about:blank");
        const { signIn } = globalThis.Doorward.client;
        void signIn.authenticateWithPopup({ popup, strategy: "oauth_custom_upstream", redirectUrl: location.href, redirectUrlComplete: "/user" });
      });
      const popup = await opened;
      await heading(tab, "Your account");
      await until("the window is closed", () => popup.isClosed());
      assert.equal(await tab.evaluate(() => globalThis.Doorward.user.id), it.user.id);
      await press("Disconnect Upstream");
      await said("Upstream is disconnected.");
      await it.signOut();

      // Somebody whom nobody knows: the sign-in becomes a sign-up by itself.
      await upstream.forget(it.profile.context);
      await press("Continue with Upstream");
      await upstream.signIn(tab, "mary");
      await heading(tab, "Your account");
      await tab.getByText("Mary Jackson", { exact: true }).waitFor();
      assert.notEqual(await tab.evaluate(() => globalThis.Doorward.user.id), it.user.id);
    } finally {
      upstream.close();
    }
  });

  story("sign-up and sign-in by phone alone", async () => {
    await configure(({ attributes }) => Object.assign(attributes, { email_address: "off", phone_number: "required", password: "off" }));
    const it = await open("phone-only", { viewport: phone });
    const { tab, field, press } = { ...it, ...hands(it) };
    await tab.goto(page("/sign-up"));
    await field("Phone number").waitFor();
    await look(it, "sign-up");
    await field("Phone number").fill("+15555550110");
    await press("Sign up");
    await heading(tab, "Check your messages");
    await look(it, "code");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await press("Sign out");
    await heading(tab, "Sign in with a text message");
    await look(it, "sign-in");
    await field("Phone number").fill("+15555550110");
    await tab.keyboard.press("Enter");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
  });

  /** Reads the newest mail as a developer does. */
  async function linkFor(email) {
    return until("the link is in the inbox", async () => {
      const html = await (await fetch(`${urls.backend}/inbox`)).text();
      const at = html.indexOf(email);
      return at >= 0 && html.slice(at).match(/https?:[^"<\s]+\/v1\/verify\?[^"<\s]+/)?.[0].replaceAll("&amp;", "&");
    });
  }

  story("a number with a password, and a new one when it is forgotten", async () => {
    await configure(({ attributes }) => Object.assign(attributes, { email_address: "off", phone_number: "required", password: "required" }));
    const it = await open("phone-password", { viewport: phone });
    const { tab } = it;
    const { field, press, signOut } = hands(it);
    await tab.goto(page("/sign-up"));
    await field("Phone number").fill("+15555550120");
    await field("Password").fill(password);
    await press("Sign up");
    await heading(tab, "Check your messages");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await signOut();
    await look(it, "sign-in");
    await field("Phone number or user name").fill("+15555550120");
    await field("Password").fill(password);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await signOut();
    await press("Forgot your password?");
    await heading(tab, "Reset your password");
    await look(it, "forgotten");
    await field("Phone number").fill("+15555550120");
    await press("Send the code");
    await heading(tab, "Check your messages");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Choose a new password");
    await field("New password").fill(`a better ${password}`);
    await press("Save and sign in");
    await heading(tab, "Your account");
  });

  story("sign-up and sign-in by a link, opened in a second tab", async () => {
    await configure(({ attributes }) => Object.assign(attributes, { email_address: "required", email_link: true, email_code: false, password: "off" }));
    const it = await open("link");
    const { tab, field, press } = { ...it, ...hands(it) };
    await tab.goto(page("/sign-up"));
    await field("Email").waitFor();
    await field("Email").fill("link@example.com");
    await press("Sign up");
    await heading(tab, "Check your email");
    await tab.getByText(/^A link is on its way to link@example\.com/).waitFor();
    await look(it, "sign-up-sent");
    const openLink = async () => {
      const second = await it.profile.context.newPage();
      await second.goto(await linkFor("link@example.com"));
      await heading(second, "Your account");
      await heading(tab, "Your account");
      assert.ok(!second.url().includes("__clerk_"), second.url());
      await second.close();
    };
    await openLink();
    await press("Sign out");
    await heading(tab, "Sign in with a link");
    await field("Email").fill("link@example.com");
    await tab.keyboard.press("Enter");
    await tab.getByText(/^A link is on its way to link@example\.com/).waitFor();
    await look(it, "sign-in-sent");
    await openLink();
  });

  story("terms that have to be accepted, and a user name", async () => {
    await configure(({ sign_up, attributes }) => {
      sign_up.legal_consent = true;
      attributes.username = "required";
    });
    const it = await open("terms", { scheme: "dark" });
    const { tab, field, press } = { ...it, ...hands(it) };
    await tab.goto(page("/sign-up"));
    await field("User name").fill("annie");
    await field("Email").fill(address("annie"));
    await field("Password").fill(password);
    await tab.getByRole("checkbox").check();
    await look(it, "filled");
    await press("Sign up");
    await field("Code").fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await press("Sign out");
    await heading(tab, "Sign in");
    await field("Email or user name").fill("annie");
    await field("Password").fill(password);
    await tab.keyboard.press("Enter");
    await heading(tab, "Your account");
    await configure();
  });
});
