import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import * as browser from "./browser.mjs";

const { answer, asked, client, options, session } = browser;
let React, act, create, D;

before(async () => {
  // What the renderer has to say about itself.
  console.error = () => {};
  React = await import("react");
  ({ act, create } = (await import("react-test-renderer")).default);
  D = await import("../dist/index.js");
});

const proof = { object: "verification_otp", status: "unverified", strategy: "email_code", attempts: null, expire_at: 1767225600000 };
const account = {
  object: "user",
  id: "user_1",
  first_name: "Ada",
  primary_email_address_id: "idn_1",
  primary_phone_number_id: null,
  email_addresses: [{ id: "idn_1", email_address: "ada@example.com", verification: { ...proof, status: "verified" } }, { id: "idn_2", email_address: "ada@example.org", verification: proof }],
  phone_numbers: [{ id: "idn_3", phone_number: "+15555550100", reserved_for_second_factor: false, verification: null }],
  passkeys: [{ id: "psk_1", name: "Laptop", verification: { ...proof, status: "verified" }, created_at: 1767225600000 }],
  external_accounts: [{ id: "eac_1", provider: "oauth_google", verification: { ...proof, external_verification_redirect_url: "https://provider.example/go" } }],
  web3_wallets: [{ id: "idn_4", web3_wallet: "0x01", verification: { ...proof, status: "verified" } }],
  unsafe_metadata: { own_name: 1 },
};
const held = client({ sessions: [session("sess_1", { user: account })], last_active_session_id: "sess_1" });

async function render(hook) {
  const seen = [];
  const Probe = () => {
    seen.push(hook());
    return null;
  };
  await act(async () => void create(React.createElement(D.DoorwardProvider, options(), React.createElement(Probe))));
  await act(async () => await new Promise((resolve) => setImmediate(resolve)));
  return { get now() { return seen.at(-1); } };
}

beforeEach(() => {
  asked.length = 0;
  answer("GET /v1/client", () => [200, { response: held, client: null }]);
});

/** Each method, what it asks for, and what of the answer it shows. */
const calls = [
  ["update", (it) => it.update({ firstName: "Augusta", unsafeMetadata: { own_name: 2 } }), "PATCH /v1/me", { first_name: "Augusta", unsafe_metadata: '{"own_name":2}' }, { ...account, first_name: "Augusta" }, { firstName: "Augusta" }],
  ["updateMetadata", (it) => it.updateMetadata({ unsafeMetadata: { a: null } }), "PATCH /v1/me/metadata", { unsafe_metadata: '{"a":null}' }, account, { id: "user_1" }],
  ["updatePassword", (it) => it.updatePassword({ newPassword: "n", currentPassword: "c", signOutOfOtherSessions: true }), "POST /v1/me/change_password", { new_password: "n", current_password: "c", sign_out_of_other_sessions: "true" }, account, {}],
  ["removePassword", (it) => it.removePassword({ currentPassword: "c" }), "POST /v1/me/remove_password", { current_password: "c" }, account, {}],
  ["createEmailAddress", (it) => it.createEmailAddress({ email: "a@b.c" }), "POST /v1/me/email_addresses", { email_address: "a@b.c" }, account.email_addresses[1], { emailAddress: "ada@example.org" }],
  ["createPhoneNumber", (it) => it.createPhoneNumber({ phoneNumber: "+1" }), "POST /v1/me/phone_numbers", { phone_number: "+1" }, account.phone_numbers[0], { phoneNumber: "+15555550100" }],
  ["createWeb3Wallet", (it) => it.createWeb3Wallet({ web3Wallet: "0x01" }), "POST /v1/me/web3_wallets", { web3_wallet: "0x01" }, account.web3_wallets[0], { web3Wallet: "0x01" }],
  ["createExternalAccount", (it) => it.createExternalAccount({ strategy: "oauth_google", redirectUrl: "https://a.example/", oidcPrompt: "login" }), "POST /v1/me/external_accounts", { strategy: "oauth_google", redirect_url: "https://a.example/", oidc_prompt: "login" }, account.external_accounts[0], { provider: "oauth_google" }],
  ["createTOTP", (it) => it.createTOTP(), "POST /v1/me/totp", {}, { object: "totp", id: "totp_1", secret: "ABC", uri: "otpauth://x", verified: false, created_at: 5 }, { secret: "ABC", uri: "otpauth://x", createdAt: new Date(5) }],
  ["verifyTOTP", (it) => it.verifyTOTP({ code: "123456" }), "POST /v1/me/totp/attempt_verification", { code: "123456" }, { id: "totp_1", verified: true, backup_codes: ["x"] }, { verified: true, backupCodes: ["x"] }],
  ["disableTOTP", (it) => it.disableTOTP(), "DELETE /v1/me/totp", {}, { object: "totp", id: "totp_1", deleted: true }, { deleted: true }],
  ["createBackupCode", (it) => it.createBackupCode(), "POST /v1/me/backup_codes", {}, { id: "bc_1", codes: ["a", "b"] }, { codes: ["a", "b"] }],
  ["setProfileImage", (it) => it.setProfileImage({ file: null }), "DELETE /v1/me/profile_image", {}, { deleted: true }, {}],
  ["an address is prepared", (it) => it.emailAddresses[1].prepareVerification({ strategy: "email_code" }), "POST /v1/me/email_addresses/idn_2/prepare_verification", { strategy: "email_code" }, account.email_addresses[1], { id: "idn_2" }],
  ["an address is proved", (it) => it.emailAddresses[1].attemptVerification({ code: "424242" }), "POST /v1/me/email_addresses/idn_2/attempt_verification", { code: "424242" }, { ...account.email_addresses[1], verification: { ...proof, status: "verified" } }, { id: "idn_2" }],
  ["an address goes", (it) => it.emailAddresses[1].destroy(), "DELETE /v1/me/email_addresses/idn_2", {}, { deleted: true }, undefined],
  ["a number for second steps", (it) => it.phoneNumbers[0].setReservedForSecondFactor({ reserved: true }), "PATCH /v1/me/phone_numbers/idn_3", { reserved_for_second_factor: "true" }, { ...account.phone_numbers[0], backup_codes: ["z"] }, { backupCodes: ["z"] }],
  ["the number for second steps", (it) => it.phoneNumbers[0].makeDefaultSecondFactor(), "PATCH /v1/me/phone_numbers/idn_3", { default_second_factor: "true" }, account.phone_numbers[0], {}],
  ["a passkey is renamed", (it) => it.passkeys[0].update({ name: "Phone" }), "PATCH /v1/me/passkeys/psk_1", { name: "Phone" }, { ...account.passkeys[0], name: "Phone" }, { name: "Phone" }],
  ["a passkey goes", (it) => it.passkeys[0].delete(), "DELETE /v1/me/passkeys/psk_1", {}, { deleted: true }, { deleted: true }],
  ["an account elsewhere is asked again", (it) => it.externalAccounts[0].reauthorize({ redirectUrl: "https://a.example/" }), "PATCH /v1/me/external_accounts/eac_1/reauthorize", { redirect_url: "https://a.example/" }, account.external_accounts[0], {}],
  ["a wallet signs", (it) => it.web3Wallets[0].attemptVerification({ strategy: "web3_metamask_signature", signature: "0x" }), "POST /v1/me/web3_wallets/idn_4/attempt_verification", { strategy: "web3_metamask_signature", signature: "0x" }, account.web3_wallets[0], {}],
  ["delete", (it) => it.delete(), "DELETE /v1/me", {}, { deleted: true }, undefined],
];

describe("useUser().user", () => {
  for (const [name, call, what, body, response, shown] of calls) {
    it(name, async () => {
      const it = await render(() => D.useUser());
      answer(what, () => [200, { response, client: null }]);
      let result;
      await act(async () => void (result = await call(it.now.user)));
      const [request] = asked.slice(-1);
      assert.deepEqual({ what: request.what, body: request.body }, { what, body });
      if (shown === undefined) assert.equal(result, undefined);
      for (const [key, value] of Object.entries(shown ?? {})) assert.deepEqual(result[key], value, key);
    });
  }

  it("has what it is made of, in JavaScript's terms", async () => {
    const { now } = await render(() => D.useUser());
    const { user } = now;
    assert.equal(user.primaryEmailAddress, user.emailAddresses[0]);
    assert.ok(user.hasVerifiedEmailAddress && !user.hasVerifiedPhoneNumber);
    assert.ok(user.emailAddresses[0].verification.expireAt instanceof Date);
    assert.equal(user.phoneNumbers[0].verification.status, null, "of what nobody has begun to prove");
    assert.equal(user.unverifiedExternalAccounts[0].verification.externalVerificationRedirectURL.href, "https://provider.example/go");
    assert.deepEqual([user.verifiedExternalAccounts.length, user.verifiedWeb3Wallets.length], [0, 1]);
    assert.ok(user.isPrimaryIdentification(user.emailAddresses[0]) && !user.isPrimaryIdentification(user.emailAddresses[1]));
    assert.deepEqual(user.unsafeMetadata, { own_name: 1 });
  });

  it("getSessions, and the end of one", async () => {
    const it = await render(() => D.useUser());
    answer("GET /v1/me/sessions/active", () => [200, [{ id: "sess_9", status: "active", latest_activity: { id: "a", browser_name: "Chromium" } }]]);
    answer("POST /v1/me/sessions/sess_9/revoke", () => [200, { response: { id: "sess_9", status: "revoked" }, client: null }]);
    const [one] = await it.now.user.getSessions();
    assert.equal(one.latestActivity.browserName, "Chromium");
    assert.equal((await one.revoke()).status, "revoked");
  });

  it("createPasskey hands the server's options to the browser, and its answer back", async () => {
    const it = await render(() => D.useUser());
    const passkey = (more) => ({ id: "psk_2", name: "", verification: { ...proof, nonce: '{"challenge":"Y2g"}', ...more } });
    answer("POST /v1/me/passkeys", () => [200, { response: passkey(), client: null }]);
    answer("POST /v1/me/passkeys/psk_2/attempt_verification", () => [200, { response: passkey({ status: "verified", nonce: null }), client: null }]);
    globalThis.PublicKeyCredential = { parseCreationOptionsFromJSON: (given) => ({ parsed: given }) };
    const navigator = { credentials: { create: async ({ publicKey }) => ({ toJSON: () => ({ id: "cred", made: publicKey.parsed.challenge }) }) } };
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    const made = await it.now.user.createPasskey();
    assert.equal(made.verification.status, "verified");
    assert.deepEqual(asked.at(-1).body, { strategy: "passkey", public_key_credential: '{"id":"cred","made":"Y2g"}' });
    navigator.credentials.create = async () => Promise.reject(new DOMException("closed", "NotAllowedError"));
    await assert.rejects(it.now.user.createPasskey(), { code: "passkey_registration_cancelled" });
  });

  it("a link waits until it has been opened", async () => {
    const it = await render(() => D.useUser());
    const address = (status) => [200, { response: { ...account.email_addresses[1], verification: { ...proof, status, strategy: "email_link" } }, client: null }];
    answer("POST /v1/me/email_addresses/idn_2/prepare_verification", () => address("unverified"));
    answer("GET /v1/me/email_addresses/idn_2", () => address("verified"));
    const flow = it.now.user.emailAddresses[1].createEmailLinkFlow();
    const proved = await flow.startEmailLinkFlow({ redirectUrl: "https://a.example/" });
    assert.equal(proved.verification.status, "verified");
    assert.deepEqual(asked.at(-2).body, { strategy: "email_link", redirect_url: "https://a.example/" });
  });
});

describe("useReverification", () => {
  const refusal = [403, { errors: [{ code: "session_reverification_required", message: "Prove it." }] }];

  it("asks for a proof, and then does it again", async () => {
    let proved = false;
    const requests = [];
    const it = await render(() => {
      const { user } = D.useUser();
      const { session } = D.useSession();
      const onNeedsReverification = (request) => requests.push(request);
      return { session, enrol: D.useReverification(() => user.createTOTP(), { onNeedsReverification }) };
    });
    answer("POST /v1/me/totp", () => (proved ? [200, { response: { id: "totp_1", secret: "ABC" }, client: null }] : refusal));
    const state = (status) => ({ object: "session_reverification", status, level: "first_factor", session: session(), supported_first_factors: [{ strategy: "password" }], first_factor_verification: null });
    answer("POST /v1/client/sessions/sess_1/verify", () => [200, { response: state("needs_first_factor"), client: null }]);
    answer("POST /v1/client/sessions/sess_1/verify/attempt_first_factor", () => [200, { response: state("complete"), client: null }]);
    const enrolled = it.now.enrol();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(requests.length, 1);
    const begun = await it.now.session.startVerification({ level: "first_factor" });
    assert.deepEqual([begun.status, begun.supportedFirstFactors[0].strategy, begun.firstFactorVerification.status], ["needs_first_factor", "password", null]);
    const done = await it.now.session.attemptFirstFactorVerification({ strategy: "password", password: "right" });
    assert.deepEqual([done.status, asked.at(-1).body], ["complete", { strategy: "password", password: "right" }]);
    proved = true;
    requests[0].complete();
    assert.equal((await enrolled).secret, "ABC");
  });

  it("rejects when nobody proves anything, and knows what an app's own server says", async () => {
    const levels = [];
    const it = await render(() => D.useReverification(async (given) => Response.json(given), { onNeedsReverification: ({ level, cancel }) => (levels.push(level), cancel()) }));
    assert.deepEqual(await it.now({ fine: true }), { fine: true });
    const hint = (reverification) => ({ clerk_error: { type: "forbidden", reason: "reverification-error", metadata: { reverification } } });
    await assert.rejects(it.now(hint("strict_mfa")), { code: "reverification_cancelled" });
    await assert.rejects(it.now(hint({ level: "first_factor", afterMinutes: 10 })), { code: "reverification_cancelled" });
    assert.deepEqual(levels, ["multi_factor", "first_factor"]);
  });
});
