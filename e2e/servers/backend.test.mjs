// What an app's server does with `@clerk/backend` of today, resource by resource: created, read, changed and deleted, with its values.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createClerkClient, verifyToken } from "@clerk/backend";
import { databaseUrl, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { declaredRequests } from "./declared.mjs";

const password = "correct horse battery";
const doorward = new Doorward(databaseUrl ? "served" : "test", { env: {} });
let clerk;

// Options of the SDK that the server refuses, and why.
const notHere = new Set([
  // The protocol has dropped it: only older dates have it.
  "InstanceAPI.updateRestrictions ignore_dots_for_gmail_addresses",
]);

const refused = (status, code) => (error) => error.status === status && error.errors[0].code === code;
const values = (it, ...names) => names.map((name) => it[name]);

describe("@clerk/backend, resource by resource", () => {
  before(async () => {
    await doorward.open({ scripts: false });
    await doorward.configure(({ attributes }) => Object.assign(attributes, { phone_number: "optional", phone_second_factor: true }));
    clerk = createClerkClient({ secretKey: doorward.instance.secret_key, publishableKey: doorward.instance.publishable_key, apiUrl: urls.backend, telemetry: { disabled: true } });
  });
  after(() => doorward.close());

  const person = (name, more = {}) => clerk.users.createUser({ emailAddress: [`${name}@example.com`], password, firstName: "Ada", ...more });

  test("addresses and numbers of a user", async () => {
    const user = await person("identifiers");
    const added = await clerk.emailAddresses.createEmailAddress({ userId: user.id, emailAddress: "second@example.com", verified: true });
    assert.deepEqual([added.emailAddress, added.verification.status], ["second@example.com", "verified"]);
    await clerk.emailAddresses.updateEmailAddress(added.id, { primary: true });
    assert.equal((await clerk.users.getUser(user.id)).primaryEmailAddressId, added.id);
    assert.equal((await clerk.emailAddresses.getEmailAddress(added.id)).emailAddress, "second@example.com");
    assert.equal((await clerk.emailAddresses.deleteEmailAddress(added.id)).deleted, true);
    await assert.rejects(clerk.emailAddresses.getEmailAddress(added.id), refused(404, "resource_not_found"));
    const phone = await clerk.phoneNumbers.createPhoneNumber({ userId: user.id, phoneNumber: "+12024560190", verified: true });
    assert.deepEqual(values(await clerk.phoneNumbers.getPhoneNumber(phone.id), "phoneNumber", "reservedForSecondFactor"), ["+12024560190", false]);
    const kept = await clerk.phoneNumbers.updatePhoneNumber(phone.id, { reservedForSecondFactor: true });
    assert.equal(kept.reservedForSecondFactor, true);
    assert.equal((await clerk.phoneNumbers.deletePhoneNumber(phone.id)).deleted, true);
    assert.deepEqual((await clerk.users.getUser(user.id)).phoneNumbers, []);
  });

  test("a user is locked, ended, searched for and counted", async () => {
    const user = await person("moderated", { externalId: "app-1", privateMetadata: { note: 1 } });
    assert.equal((await clerk.users.lockUser(user.id)).locked, true);
    assert.equal((await clerk.users.unlockUser(user.id)).locked, false);
    const found = await clerk.users.getUserList({ externalId: ["app-1"], orderBy: "-created_at", limit: 5 });
    assert.deepEqual(found.data.map((it) => [it.id, it.privateMetadata]), [[user.id, { note: 1 }]]);
    assert.equal(await clerk.users.getCount({ query: "moderated" }), 1);
    const picture = new File([Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64")], "a.png", { type: "image/png" });
    assert.equal((await clerk.users.updateUserProfileImage(user.id, { file: picture })).hasImage, true);
    assert.equal((await clerk.users.deleteUserProfileImage(user.id)).hasImage, false);
    await assert.rejects(clerk.users.createUser({ emailAddress: ["moderated@example.com"], password }), refused(422, "form_identifier_exists"));
  });

  test("a user moves here with everything that it had, and everything changes", async () => {
    const had = { externalId: "app-2", firstName: "Ada", lastName: "King", locale: "fr-FR", publicMetadata: { a: 1 }, privateMetadata: { b: 1 }, unsafeMetadata: { c: 1 }, banned: true, locked: true };
    const [born, agreed] = ["2020-01-02T03:04:05.678Z", "2021-01-02T03:04:05.678Z"].map((it) => new Date(it));
    const secrets = { passwordHasher: "md5", passwordDigest: createHash("md5").update(password).digest("hex"), totpSecret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", backupCodes: ["one-two-three"] };
    const user = await clerk.users.createUser({ emailAddress: ["all@example.com", "other@example.com"], createdAt: born, legalAcceptedAt: agreed, ...had, ...secrets });
    assert.deepEqual(values(user, ...Object.keys(had)), Object.values(had));
    assert.deepEqual(values(user, "createdAt", "legalAcceptedAt", "passwordEnabled", "totpEnabled", "backupCodeEnabled"), [+born, +agreed, true, true, true]);
    await clerk.users.unbanUser(user.id);
    await clerk.users.unlockUser(user.id);
    assert.equal((await clerk.users.verifyPassword({ userId: user.id, password })).verified, true);
    assert.equal((await clerk.users.verifyTOTP({ userId: user.id, code: "one-two-three" })).code_type, "backup_code");
    await assert.rejects(clerk.users.verifyTOTP({ userId: user.id, code: "one-two-three" }), (error) => error.status === 422);

    const changes = { externalId: "app-3", firstName: "Augusta", lastName: "Byron", locale: "de", deleteSelfEnabled: false, createOrganizationEnabled: false, createOrganizationsLimit: 3 };
    const [, { id: second }] = user.emailAddresses;
    const changed = await clerk.users.updateUser(user.id, { primaryEmailAddressID: second, createdAt: agreed, legalAcceptedAt: born, password: "another battery staple", signOutOfOtherSessions: true, ...changes });
    assert.deepEqual(values(changed, ...Object.keys(changes)), Object.values(changes));
    assert.deepEqual(values(changed, "primaryEmailAddressId", "createdAt", "legalAcceptedAt"), [second, +agreed, +born]);
    await assert.rejects(clerk.users.verifyPassword({ userId: user.id, password }), refused(422, "incorrect_password"));
    await clerk.users.replaceUserMetadata(user.id, { publicMetadata: { z: 1 } });
    await clerk.users.disableUserMFA(user.id);
    const left = await clerk.users.removePassword(user.id, { signOutOfOtherSessions: true });
    assert.deepEqual(values(left, "publicMetadata", "privateMetadata", "passwordEnabled", "twoFactorEnabled"), [{ z: 1 }, { b: 1 }, false, false]);
    assert.deepEqual((await clerk.users.getUserList({ createdAtAfter: +agreed - 1, createdAtBefore: +agreed + 1 })).data.map((it) => it.id), [user.id]);
  });

  test("invitations, and who is let in or kept out", async () => {
    const made = await clerk.invitations.createInvitation({ emailAddress: "guest@example.com", publicMetadata: { role: "guest" }, notify: false });
    assert.deepEqual(values(made, "emailAddress", "status", "publicMetadata"), ["guest@example.com", "pending", { role: "guest" }]);
    assert.ok(made.url.startsWith("http"), made.url);
    const many = await clerk.invitations.createInvitationBulk([{ emailAddress: "one@example.com", notify: false }, { emailAddress: "two@example.com", notify: false }]);
    assert.deepEqual(many.map((it) => it.emailAddress), ["one@example.com", "two@example.com"]);
    const pending = await clerk.invitations.getInvitationList({ status: "pending", query: "guest" });
    assert.deepEqual([pending.totalCount, pending.data[0].id], [1, made.id]);
    assert.equal((await clerk.invitations.revokeInvitation(made.id)).status, "revoked");
    await assert.rejects(clerk.invitations.revokeInvitation(made.id), (error) => error.status === 400);
    for (const [api, list, create, remove, more] of [
      [clerk.allowlistIdentifiers, "getAllowlistIdentifierList", "createAllowlistIdentifier", "deleteAllowlistIdentifier", { notify: false }],
      [clerk.blocklistIdentifiers, "getBlocklistIdentifierList", "createBlocklistIdentifier", "deleteBlocklistIdentifier", {}],
    ]) {
      const listed = await api[create]({ identifier: "*@example.org", ...more });
      assert.equal(listed.identifier, "*@example.org");
      assert.deepEqual((await api[list]()).data.map((it) => it.id), [listed.id]);
      await assert.rejects(api[create]({ identifier: "*@example.org", ...more }), (error) => error.status >= 400 && error.status < 500);
      assert.equal((await api[remove](listed.id)).deleted, true);
    }
    const waiting = await clerk.waitlistEntries.create({ emailAddress: "later@example.com", notify: false });
    const others = await clerk.waitlistEntries.createBulk(["never", "gone"].map((name) => ({ emailAddress: `${name}@example.com`, notify: false })));
    assert.equal((await clerk.waitlistEntries.delete(others[1].id)).deleted, true);
    assert.equal((await clerk.waitlistEntries.reject(others[0].id)).status, "rejected");
    assert.equal((await clerk.waitlistEntries.invite(waiting.id)).status, "invited");
    assert.deepEqual((await clerk.waitlistEntries.list({ orderBy: "email_address" })).data.map((it) => it.emailAddress), ["later@example.com", "never@example.com"]);
  });

  test("a token for another service, by a template", async () => {
    const user = await person("templates", { publicMetadata: { plan: "pro" } });
    const claims = { role: "{{user.public_metadata.plan || 'none'}}", mail: "{{user.primary_email_address}}", hello: "Hello {{user.first_name}}", n: 1, list: ["{{user.id}}"] };
    const made = await clerk.jwtTemplates.create({ name: "service", claims, lifetime: 120, allowedClockSkew: 5 });
    assert.deepEqual(values(await clerk.jwtTemplates.get(made.id), "name", "lifetime", "claims"), ["service", 120, claims]);
    const session = await clerk.sessions.createSession({ userId: user.id });
    const { jwt } = await clerk.sessions.getToken(session.id, "service");
    const read = await verifyToken(jwt, { secretKey: doorward.instance.secret_key, apiUrl: urls.backend });
    assert.deepEqual(values(read, "sub", "role", "mail", "hello", "n", "list"), [user.id, "pro", "templates@example.com", "Hello Ada", 1, [user.id]]);
    assert.equal(read.exp - read.iat, 120);
    const changed = await clerk.jwtTemplates.update({ templateId: made.id, name: "service", claims: { role: "fixed" }, lifetime: 60 });
    assert.deepEqual(values(changed, "lifetime", "claims"), [60, { role: "fixed" }]);
    assert.equal((await clerk.jwtTemplates.list()).data.length, 1);
    assert.equal((await clerk.jwtTemplates.delete(made.id)).deleted, true);
    await assert.rejects(clerk.sessions.getToken(session.id, "service"), refused(404, "resource_not_found"));
  });

  test("sessions and clients", async () => {
    const user = await person("sessions");
    const [one, two] = [await clerk.sessions.createSession({ userId: user.id }), await clerk.sessions.createSession({ userId: user.id })];
    const list = await clerk.sessions.getSessionList({ userId: user.id, status: "active" });
    assert.deepEqual(list.data.map((it) => it.id).sort(), [one.id, two.id].sort());
    assert.equal((await clerk.clients.getClient(one.clientId)).sessions[0].id, one.id);
    assert.equal((await clerk.sessions.revokeSession(one.id)).status, "revoked");
    await assert.rejects(clerk.sessions.getToken(one.id), refused(404, "resource_not_found"));
    assert.equal((await clerk.users.deleteUser(user.id)).deleted, true);
    await assert.rejects(clerk.sessions.getToken(two.id), refused(404, "resource_not_found"));
  });

  test("who acts as a user, and where links may lead", async () => {
    const user = await person("acted");
    const actor = await clerk.actorTokens.create({ userId: user.id, actor: { sub: "user_support" }, expiresInSeconds: 600 });
    assert.deepEqual(values(actor, "status", "actor"), ["pending", { sub: "user_support" }]);
    assert.equal((await clerk.actorTokens.revoke(actor.id)).status, "revoked");
    const task = { onBehalfOf: { userId: user.id }, permissions: "*", agentName: "shopper", taskDescription: "Orders paper", redirectUrl: "http://localhost:3000/" };
    const agent = await clerk.agentTasks.create(task);
    const opened = await fetch(agent.url, { redirect: "manual" });
    assert.match(opened.headers.get("location") ?? (await opened.text()), /^http:\/\/localhost:3000\/\?__clerk_handshake=/);
    const [session] = (await clerk.sessions.getSessionList({ userId: user.id })).data;
    assert.deepEqual(session.actor, { type: "agent", sub: agent.agentId });
    await assert.rejects(clerk.agentTasks.revoke(agent.agentTaskId), refused(400, "agent_task_cannot_be_revoked_code"));
    const unused = await clerk.agentTasks.create({ ...task, onBehalfOf: { identifier: user.emailAddresses[0].emailAddress } });
    assert.equal((await clerk.agentTasks.revoke(unused.agentTaskId)).agentId, agent.agentId);
    const made = await clerk.redirectUrls.createRedirectUrl({ url: "myapp://callback" });
    assert.equal((await clerk.redirectUrls.getRedirectUrl(made.id)).url, "myapp://callback");
    assert.deepEqual((await clerk.redirectUrls.getRedirectUrlList()).data.map((it) => it.id), [made.id]);
    assert.equal((await clerk.redirectUrls.deleteRedirectUrl(made.id)).deleted, true);
  });

  test("the instance itself", async () => {
    const instance = await clerk.instance.get();
    assert.equal(instance.environmentType, "development");
    await clerk.instance.update({ supportEmail: "help@example.com", allowedOrigins: ["http://localhost:3000"] });
    const restrictions = await clerk.instance.updateRestrictions({ blocklist: true, blockDisposableEmailDomains: true });
    assert.deepEqual(values(restrictions, "blocklist", "blockDisposableEmailDomains"), [true, true]);
    await clerk.instance.updateRestrictions({ blocklist: false, blockDisposableEmailDomains: false });
    const domains = await clerk.domains.list();
    assert.equal(domains.data.some((it) => it.isSatellite === false), true);
    assert.ok((await clerk.testingTokens.createTestingToken()).token);
    const { keys } = await clerk.jwks.getJwks();
    assert.equal(keys[0].kty, "RSA");
  });

  // The last: it changes everything that can be changed.
  test("no option that its declarations name is unknown, or of another type", async (t) => {
    const requests = (await declaredRequests(clerk, t.mock)).filter(({ init }) => typeof init.body === "string");
    const refusals = [];
    let taken = 0;
    for (const { call, url, init } of requests) {
      const body = JSON.parse(init.body);
      for (;;) {
        const response = await fetch(url, { ...init, body: JSON.stringify(body) });
        const [{ code, long_message: text, meta } = {}] = (await response.json().catch(() => ({}))).errors ?? [];
        if (text === "There is no such endpoint.") break; // organizations and the like
        if (code !== "form_param_unknown" && code !== "form_param_type_invalid") {
          taken += 1;
          break;
        }
        refusals.push(`${call} ${meta.param_name}`);
        [body].flat().forEach((fields) => delete fields[meta.param_name]);
      }
    }
    assert.ok(taken > 35, `its declarations are read otherwise now: ${taken}`);
    assert.deepEqual(refusals.filter((it) => !notHere.has(it)), []);
  });
});
