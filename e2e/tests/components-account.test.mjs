// The rest of the official components of today's SDK: all that <UserProfile/> changes, several accounts in one <UserButton/>, and
// the ways into <SignIn/> and <SignUp/> that not every instance has.
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as OTPAuth from "otpauth";
import { answer } from "../lib/browser.mjs";
import { components, email, password, testCode } from "../lib/components.mjs";
import { urls } from "../lib/config.mjs";
import { fontOrigin, startUpstream, upstreamSettings, withoutFont } from "../lib/upstream.mjs";
import { until } from "../lib/until.mjs";
import { installSolanaWallet, installWallet } from "../lib/wallet.mjs";

const dot = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

describe("the official account components", () => {
  const { clock, story, backend, person, arrive, open } = components("components-account");
  const withPhone = ({ attributes }) => Object.assign(attributes, { phone_number: "optional", phone_second_factor: true });

  const enrol = async ({ page }) => {
    const app = new OTPAuth.TOTP({ secret: await page.evaluate(async () => (await globalThis.Clerk.user.createTOTP()).secret) });
    await page.evaluate((code) => globalThis.Clerk.user.verifyTOTP({ code }), app.generate({ timestamp: clock.now() }));
    return app;
  };

  story(
    "a profile: name, picture, addresses and numbers",
    withPhone,
    async (hands) => {
      const { profile, page, field, button, press, said, section, choose, enterCode } = hands;
      const user = await person("profile");
      // One form goes while the next one comes: there would be two of each button.
      const closed = () => until("the form is gone", async () => (await button("Cancel").count()) === 0);
      const kept = () => backend("GET", `/v1/users/${user.id}`);
      await arrive(hands, user);
      await page.goto("/user");
      await press("Update profile");
      await field("Last name").fill("Lovelace");
      await press("Save");
      await said("Ada Lovelace");
      await closed();

      await press("Update profile");
      const chooser = page.waitForEvent("filechooser");
      await press("Upload");
      await (await chooser).setFiles({ name: "dot.png", mimeType: "image/png", buffer: dot });
      await closed();
      await until("there is a picture", async () => (await kept()).has_image);
      await profile.shot(page, "picture");
      await press("Update profile");
      await press("Remove");
      await until("there is none", async () => !(await kept()).has_image);

      await press("Add email address");
      await field("Email address").fill(email("profile.second"));
      await press("Add");
      await enterCode(testCode);
      await choose("emailAddresses", email("profile.second"), "Set as primary");
      await section("emailAddresses").locator(".cl-profileSectionItem__emailAddresses", { hasText: email("profile.second") }).getByText("Primary").waitFor();
      await choose("emailAddresses", email("profile"), "Remove email");
      await press("Remove");
      await until("it is gone", async () => (await section("emailAddresses").innerText()).match(/@/g).length === 1);

      await press("Add phone number");
      await field("Phone number").fill("5555550130");
      await press("Add");
      await enterCode(testCode);
      await closed();
      await section("phoneNumbers").getByText("+1 (555) 555-0130").waitFor();
      await profile.shot(page, "complete");

      const { first_name, last_name, email_addresses, phone_numbers, primary_email_address_id } = await kept();
      assert.deepEqual([first_name, last_name], ["Ada", "Lovelace"]);
      assert.deepEqual(email_addresses.map((it) => [it.email_address, it.verification.status, it.id === primary_email_address_id]), [[email("profile.second"), "verified", true]]);
      assert.deepEqual(phone_numbers.map((it) => [it.phone_number, it.verification.status]), [["+15555550130", "verified"]]);
    },
  );

  story(
    "a profile: the other device signed out, backup codes made anew, and no account in the end",
    withPhone,
    async (hands) => {
      const { profile, page, field, press, pick, proceed, section, choose, signOut, withPassword, signedIn, backupCodes } = hands;
      const user = await person("security");
      const other = await open("security other");
      await arrive(other, user);
      await arrive(hands, user);
      await enrol(hands);
      await page.goto("/user/security");
      await section("activeDevices").getByText("This device").waitFor();
      assert.equal(await section("activeDevices").locator(".cl-activeDeviceListItem").count(), 2);
      await profile.shot(page, "devices");
      await section("activeDevices").locator(".cl-activeDeviceListItem").filter({ hasNotText: "This device" }).getByRole("button", { name: "Open menu" }).click();
      await page.getByRole("menuitem", { name: "Sign out of device" }).click();
      await until("it is out", async () => (await backend("GET", `/v1/sessions?user_id=${user.id}&status=active`)).length === 1);
      await other.page.reload();
      await other.said("Nobody is signed in");
      // The component looks again when it is opened again.
      await press("Profile");
      await press("Security");
      await section("activeDevices").getByText("This device").waitFor();
      assert.equal(await section("activeDevices").locator(".cl-activeDeviceListItem").count(), 1);

      await choose("mfa", "Backup codes", "Regenerate");
      const codes = await backupCodes();
      await profile.shot(page, "backup-codes");
      await press("Finish");

      await signOut();
      await withPassword(email("security"));
      await pick("Use another method");
      await pick("Use a backup code");
      await field("Backup code").fill(codes[0]);
      await proceed();
      assert.equal(await signedIn("backup-code"), user.id);

      await page.goto("/user/security");
      await press("Delete account");
      await field('Type "Delete account" below to continue.').fill("Delete account");
      await profile.shot(page, "delete");
      await page.locator("form").getByRole("button", { name: "Delete account" }).click();
      await until("nobody is signed in", () => page.evaluate(() => globalThis.Clerk?.loaded && globalThis.Clerk.user === null).catch(() => false));
      assert.deepEqual(await backend("GET", `/v1/users?user_id=${user.id}`), []);
    },
  );

  story(
    "a profile: an account elsewhere is connected, and removed",
    (settings) => (settings.oauth = upstreamSettings),
    async (hands) => {
      const { profile, page, press, section, choose } = hands;
      const user = await person("elsewhere");
      const upstream = await startUpstream({ dorothy: { email: "dorothy@example.com", email_verified: true, given_name: "Dorothy" } });
      try {
        profile.allow(({ text }) => text.startsWith("asked outside: ") && (text.includes(upstream.issuer) || text.includes(`${fontOrigin}/`)));
        await withoutFont(profile.context);
        await arrive(hands, user);
        await page.goto("/user");
        await press("Connect account");
        await page.getByRole("menuitem", { name: /Upstream/ }).click();
        await upstream.signIn(page, "dorothy");
        await section("connectedAccounts").getByText("dorothy@example.com").waitFor();
        await profile.shot(page, "connected");
        await choose("connectedAccounts", "Upstream", "Remove");
        await press("Remove");
        await section("connectedAccounts").getByText("dorothy@example.com").waitFor({ state: "detached" });
        assert.deepEqual((await backend("GET", `/v1/users/${user.id}`)).external_accounts, []);
      } finally {
        upstream.close();
      }
    },
  );

  story(
    "a profile: a new proof of presence by password",
    ({ session }) => (session.reverify_sensitive = true),
    async (hands) => {
      const { profile, page, field, press, section, proceed, enterCode } = hands;
      const user = await person("presence");
      await arrive(hands, user);
      clock.advance(11 * 60);
      await profile.moveClock();
      await page.goto("/user");
      profile.allow(answer(403, "/v1/me/email_addresses/"), ({ status, url }) => status === 422 && url.includes("/verify/attempt_first_factor"));
      await press("Add email address");
      await field("Email address").fill(email("presence.second"));
      await press("Add");
      await page.getByText("Verification required", { exact: true }).waitFor();
      await field("Password").fill("wrong horse battery staple");
      await proceed();
      await page.getByText(/^Password is incorrect/).first().waitFor();
      await profile.shot(page, "wrong-proof");
      await field("Password").fill(password);
      await proceed();
      await page.getByText("Verification required", { exact: true }).waitFor({ state: "detached" });
      await enterCode(testCode);
      await until("the address is proven", async () => {
        const { email_addresses } = await backend("GET", `/v1/users/${user.id}`);
        return email_addresses.find((it) => it.email_address === email("presence.second"))?.verification?.status === "verified";
      });
      await section("emailAddresses").getByText("Unverified").waitFor({ state: "detached" });
      await profile.shot(page, "proven");
    },
  );

  story(
    "a profile: another password, by the one before",
    () => {},
    async (hands) => {
      const { profile, page, field, press, signedIn, signOut, proceed, identify } = hands;
      const user = await person("another.password");
      await arrive(hands, user);
      await page.goto("/user/security");
      profile.allow(answer(422, "/v1/me/change_password/"), answer(422, "/v1/me/change_password"));
      await press("Update password");
      await field("Current password").fill("wrong horse battery staple");
      await field("New password").fill(`a better ${password}`);
      await field("Confirm password").fill(`a better ${password}`);
      await press("Save");
      await page.getByText(/^Password is incorrect/).first().waitFor();
      await field("Current password").fill(password);
      await press("Save");
      await until("the form is gone", async () => (await field("Current password").count()) === 0);
      await profile.shot(page, "another-password");
      await signOut();
      await identify(email("another.password"));
      await field("Password").fill(`a better ${password}`);
      await proceed();
      assert.equal(await signedIn("with-it"), user.id);
    },
  );

  story(
    "a profile: presence is proven by the second factor of whoever has one, for a new password too",
    ({ session }) => (session.reverify_sensitive = true),
    async (hands) => {
      const { profile, page, field, press, proceed, enterCode, signedIn, signOut, identify } = hands;
      const user = await person("presence.totp");
      await arrive(hands, user);
      const app = await enrol(hands);
      clock.advance(11 * 60);
      await profile.moveClock();
      await page.goto("/user/security");
      profile.allow(answer(403, "/v1/me/change_password/"), answer(403, "/v1/me/change_password"));
      await press("Update password");
      assert.equal(await field("Current password").count(), 0, "the proof stands in for it");
      await field("New password").fill(`a better ${password}`);
      await field("Confirm password").fill(`a better ${password}`);
      await press("Save");
      await page.getByText("Verification required", { exact: true }).waitFor();
      await profile.shot(page, "second-factor");
      await enterCode(app.generate({ timestamp: clock.now() }));
      await page.getByText("Verification required", { exact: true }).waitFor({ state: "detached" });
      await until("the form is gone", async () => (await field("New password").count()) === 0);
      await signOut();
      await identify(email("presence.totp"));
      await field("Password").fill(`a better ${password}`);
      await proceed();
      clock.advance(60);
      await profile.moveClock();
      await enterCode(app.generate({ timestamp: clock.now() }));
      assert.equal(await signedIn("with-both"), user.id);
    },
  );

  story(
    "several accounts in one browser",
    ({ session, paths }) => {
      session.single_session = false;
      paths.home_url = `${urls.app}/`;
    },
    async (hands) => {
      const { profile, page, press, pick, said, signedIn, field, proceed } = hands;
      const ada = await person("several.ada");
      const grace = await person("several.grace", { first_name: "Grace" });
      await arrive(hands, ada);
      await press("Open user menu");
      await press("Add account");
      await field("Email address or username").fill(email("several.grace"));
      await field("Password").fill(password);
      await proceed();
      assert.equal(await signedIn("second"), grace.id);
      await press("Open user menu");
      await profile.shot(page, "menu");
      const popover = page.locator(".cl-userButtonPopoverCard");
      await popover.getByText(email("several.ada"), { exact: true }).click();
      await said(`Signed in as ${ada.id}`);
      await press("Open user menu");
      await press("Sign out");
      await said("Choose an account");
      await profile.shot(page, "one-signed-out");
      await pick(email("several.grace"));
      await said(`Signed in as ${grace.id}`);
      assert.deepEqual(await page.evaluate(() => globalThis.Clerk.client.signedInSessions.map((it) => it.user.id)), [grace.id]);

      await arrive(hands, ada);
      await press("Open user menu");
      await press("Sign out of all accounts");
      await until("nobody is signed in", () => page.evaluate(() => globalThis.Clerk?.loaded && globalThis.Clerk.client.sessions.length === 0).catch(() => false));
      for (const { id } of [ada, grace]) assert.deepEqual(await backend("GET", `/v1/sessions?user_id=${id}&status=active`), []);
    },
  );

  story(
    "a user name alone",
    ({ attributes }) => Object.assign(attributes, { username: "required", email_address: "off" }),
    async ({ page, field, proceed, signedIn, signOut, withPassword }) => {
      await page.goto("/sign-up");
      await field("Username").fill("ada_by_name");
      await field("Password").fill(password);
      await proceed();
      const ada = await signedIn("signed-up");
      await signOut();
      await withPassword("ada_by_name", "Username");
      assert.equal(await signedIn("signed-in"), ada);
    },
  );

  story(
    "a forgotten password, by text message",
    ({ attributes }) => Object.assign(attributes, { phone_number: "required", email_address: "off", username: "off" }),
    async ({ page, field, press, pick, proceed, enterCode, signedIn, signOut, identify }) => {
      const ada = await person("forgotten", { email_address: [], phone_number: ["+15555550140"] });
      await identify("5555550140", "Phone number");
      await proceed();
      await pick("Forgot password?");
      await press("Reset your password");
      await enterCode(testCode);
      await field("New password").fill(`${password} again`);
      await field("Confirm password").fill(`${password} again`);
      await press("Reset Password");
      assert.equal(await signedIn("reset"), ada.id);
      await signOut();
      await identify("5555550140", "Phone number");
      await field("Password").fill(`${password} again`);
      await proceed();
      assert.equal(await signedIn("new-password"), ada.id);
    },
  );

  story(
    "an invitation",
    () => {},
    async ({ profile, page, field, proceed, signedIn }) => {
      const { url } = await backend("POST", "/v1/invitations", { email_address: email("invited"), redirect_url: `${urls.app}/sign-up`, public_metadata: { plan: "gold" } });
      await page.goto(url);
      await field("Password").fill(password);
      await profile.shot(page, "invited");
      await proceed();
      const invited = await backend("GET", `/v1/users/${await signedIn("signed-up")}`);
      assert.deepEqual(invited.email_addresses.map((it) => [it.email_address, it.verification.status]), [[email("invited"), "verified"]]);
      assert.deepEqual(invited.public_metadata, { plan: "gold" });
    },
  );

  story(
    "a ticket",
    () => {},
    async ({ page, said }) => {
      const user = await person("ticket");
      const { token } = await backend("POST", "/v1/sign_in_tokens", { user_id: user.id });
      await page.goto(`/sign-in?__clerk_ticket=${token}`);
      await said(`Signed in as ${user.id}`);
      assert.deepEqual(await page.evaluate(() => location.search), "");
    },
  );

  story(
    "a code by text message as the second step",
    withPhone,
    async (hands) => {
      const { profile, page, press, pick, enterCode, signedIn, signOut, withPassword, said } = hands;
      const user = await person("second.phone", { phone_number: ["+15555550150"] });
      await arrive(hands, user);
      await page.goto("/user/security");
      await press("Add two-step verification");
      await pick("SMS code");
      await page.getByText("+1 (555) 555-0150").click();
      await said("Backup codes");
      await profile.shot(page, "enrolled");
      await press("Finish");
      await signOut();
      await withPassword(email("second.phone"));
      await said("Check your phone");
      await enterCode(testCode);
      assert.equal(await signedIn("second-step"), user.id);
    },
  );

  story(
    "a device that is new",
    ({ attack_protection }) => (attack_protection.client_trust = true),
    async ({ profile, page, enterCode, signedIn, signOut, withPassword, said }) => {
      const user = await person("trust");
      await withPassword(email("trust"));
      await said("You're signing in from a new device. We're asking for verification to keep your account secure.");
      await profile.shot(page, "new-device");
      await enterCode(testCode);
      assert.equal(await signedIn("proven"), user.id);
      await signOut();
      // The device is known now.
      await withPassword(email("trust"));
      assert.equal(await signedIn("known"), user.id);
    },
  );

  story(
    "a second step that has to be set up",
    (settings) => {
      withPhone(settings);
      settings.session.require_second_factor = true;
    },
    async ({ profile, page, press, pick, proceed, enterCode, withPassword, said }) => {
      const user = await person("task.mfa");
      await withPassword(email("task.mfa"));
      await said("Set up two-step verification");
      await profile.shot(page, "task");
      await pick("Authenticator application");
      await page.getByText(/Can.t scan QR code\?/).click();
      const app = new OTPAuth.TOTP({ secret: await page.locator("main input").inputValue() });
      await proceed();
      await enterCode(app.generate({ timestamp: clock.now() }));
      await said("Authenticator application verification enabled");
      await profile.shot(page, "set-up");
      await proceed();
      await said(`Signed in as ${user.id}`);
    },
  );

  story(
    "a password that has to be chosen anew",
    () => {},
    async ({ profile, page, field, press, withPassword, said }) => {
      const user = await person("task.password");
      await backend("POST", `/v1/users/${user.id}/password/set_compromised`, {});
      await withPassword(email("task.password"));
      await said("Reset your password");
      await profile.shot(page, "task");
      await field("New password").fill(`${password} again`);
      await field("Confirm password").fill(`${password} again`);
      await press("Reset Password");
      await said(`Signed in as ${user.id}`);
    },
  );

  const wallets = [
    ["Coinbase Wallet", "Coinbase Wallet", installWallet],
    ["OKX Wallet", "OKX Wallet", installWallet],
    ["Base", "Base", installWallet],
    ["Solana", "Phantom", installSolanaWallet],
  ];
  for (const [button, name, install] of wallets) story(
    `a wallet: ${button}`,
    ({ attributes }) => Object.assign(attributes, { web3_wallet: "optional", email_address: "optional", password: "optional" }),
    async ({ profile, page, signedIn, signOut }) => {
      const wallet = await install(profile.context, name);
      // The component asks for a sign-in first, and goes on with a sign-up when there is no such account.
      profile.allow(answer(422, "/v1/client/sign_ins"));
      const enter = async (at) => {
        await page.goto(at);
        await page.getByRole("button", { name: new RegExp(button) }).click();
        if (name !== button) await page.getByRole("button", { name: new RegExp(name) }).click();
      };
      await enter("/sign-up");
      const katherine = await signedIn("signed-up");
      const kept = (await backend("GET", `/v1/users/${katherine}`)).web3_wallets;
      assert.deepEqual(kept.map((it) => it.web3_wallet.toLowerCase()), [wallet.address.toLowerCase()]);
      await signOut();
      await enter("/sign-in");
      assert.equal(await signedIn("signed-in"), katherine);
    },
  );
});
