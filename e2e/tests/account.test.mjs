// What people do with their own account, through the official SDK of each generation, as an app's own screens call it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as OTPAuth from "otpauth";
import { plan, startApp } from "../lib/app.mjs";
import { Profile, answer, launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { apps, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { until } from "../lib/until.mjs";

const password = "correct horse battery staple";
const versions = Object.keys(apps);
versions.forEach((version) => plan(version, "test"));

describe("an account through the official SDKs", () => {
  const clock = new Clock();
  const doorward = new Doorward("test", clock);
  before(
    async () => {
      await doorward.open();
      await doorward.configure((settings) => {
        settings.attributes.phone_number = "optional";
      });
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await doorward.close();
    clock.close();
  });
  for (const version of versions) describe(version, () => story(version, doorward, clock));
});

function story(version, doorward, clock) {
  const email = `ada.${version}@example.com`;
  const second = `countess.${version}+clerk_test@example.com`;
  const number = `+1555555010${versions.indexOf(version)}`;
  const newPassword = `a better ${password}`;
  // What the protocol keeps for tests.
  const code = "424242";
  let app, browser, profile, page, user, authenticator, backupCodes, broken;

  before(
    async () => {
      user = await doorward.createUser({ email, password, firstName: "Ada" });
      app = await startApp(version, "test", { secretKey: doorward.instance.secret_key, clock });
      browser = await launch();
      profile = await Profile.open(browser, `account-${version}`, clock);
      page = await profile.context.newPage();
      await page.goto("/");
      await settled(false, () => {});
    },
    { timeout: 600_000 },
  );
  after(async () => {
    await browser?.close();
    await app?.stop();
  });

  function step(name, body) {
    it(name, { timeout: 60_000 }, async (t) => {
      if (broken) return t.skip(`after "${broken}"`);
      broken = name;
      // Next's word for one navigation that the next one overtook: the SDKs navigate when the session changes, and so do we.
      profile.allow(({ text }) => /^console: Error: Abort fetching component for route/.test(text));
      // The oldest SDK answers a page whose cookies it doubts with a page of its own that looks again.
      if (version === "v4") profile.allow(answer(401, "/"));
      await body();
      profile.audit();
      broken = undefined;
    });
  }

  /** What changes the session may take the page elsewhere, and the script that waits for it with it. */
  async function settled(known, change, argument) {
    await page.evaluate(change, argument).catch((error) => assert.match(error.message, /context was destroyed/));
    // The page with which the oldest SDK looks again has the client too, and not the app's header.
    const isThere = (known) => globalThis.Clerk?.loaded === true && Boolean(globalThis.Clerk.user) === known && document.querySelector("#browser-user") !== null;
    await until(known ? "somebody is signed in" : "nobody is", () => page.evaluate(isThere, known).catch(() => false));
  }

  const activate = (session) => settled(true, (session) => globalThis.Clerk.setActive({ session }), session);
  const signOut = () => settled(false, () => globalThis.Clerk.signOut(() => {}));

  /** Signs in as far as the first factor goes. */
  async function first(params) {
    const { status, session, factors } = await page.evaluate(async (params) => {
      const signIn = await globalThis.Clerk.client.signIn.create(params);
      return { status: signIn.status, session: signIn.createdSessionId, factors: signIn.supportedSecondFactors?.map((it) => it.strategy) ?? null };
    }, params);
    if (status === "complete") await activate(session);
    return { status, factors };
  }

  async function secondFactor(params) {
    const { status, session } = await page.evaluate(async (params) => {
      const signIn = await globalThis.Clerk.client.signIn.attemptSecondFactor(params);
      return { status: signIn.status, session: signIn.createdSessionId };
    }, params);
    await activate(session);
    return status;
  }

  step("the profile and the app's metadata change", async () => {
    assert.equal((await first({ identifier: email, password })).status, "complete");
    const changed = await page.evaluate(async () => {
      await globalThis.Clerk.user.update({ firstName: "Augusta", lastName: "King", unsafeMetadata: { theme: "dark" } });
      await globalThis.Clerk.user.reload();
      const { firstName, lastName, unsafeMetadata } = globalThis.Clerk.user;
      return { firstName, lastName, unsafeMetadata };
    });
    assert.deepEqual(changed, { firstName: "Augusta", lastName: "King", unsafeMetadata: { theme: "dark" } });
  });

  step("an address is added, proven and made the primary one", async () => {
    const shown = await page.evaluate(async ({ email, code }) => {
      const added = await globalThis.Clerk.user.createEmailAddress({ email });
      const before = added.verification.status;
      await added.prepareVerification({ strategy: "email_code" });
      const proven = await added.attemptVerification({ code });
      await globalThis.Clerk.user.update({ primaryEmailAddressId: proven.id });
      const { user } = globalThis.Clerk;
      return { before, after: proven.verification.status, primary: user.primaryEmailAddress.emailAddress, count: user.emailAddresses.length };
    }, { email: second, code });
    assert.deepEqual(shown, { before: null, after: "verified", primary: second, count: 2 });
  });

  /** Signs in by what is sent to somebody. */
  async function byCode(strategy, identifier) {
    await signOut();
    const { status, session } = await page.evaluate(
      async ({ strategy, identifier, code }) => {
        const signIn = await globalThis.Clerk.client.signIn.create({ identifier });
        const factors = signIn.supportedFirstFactors.filter((it) => it.strategy === strategy);
        const { emailAddressId, phoneNumberId } = factors.find((it) => it.primary) ?? factors[0];
        await signIn.prepareFirstFactor({ strategy, ...(emailAddressId ? { emailAddressId } : { phoneNumberId }) });
        const { status, createdSessionId: session } = await signIn.attemptFirstFactor({ strategy, code });
        return { status, session };
      },
      { strategy, identifier, code },
    );
    assert.equal(status, "complete");
    await activate(session);
    assert.equal(await page.evaluate(() => globalThis.Clerk.user.id), user.id);
  }

  step("a code by mail signs in", () => byCode("email_code", second));

  step("a number is added and proven, and a code to it signs in", async () => {
    const status = await page.evaluate(
      async ({ number, code }) => {
        const added = await globalThis.Clerk.user.createPhoneNumber({ phoneNumber: number });
        await added.prepareVerification();
        return (await added.attemptVerification({ code })).verification.status;
      },
      { number, code },
    );
    assert.equal(status, "verified");
    await byCode("phone_code", number);
  });

  step("a forgotten password is replaced, and the new one signs in", async () => {
    await signOut();
    const strategy = "reset_password_email_code";
    const { statuses, session } = await page.evaluate(
      async ({ strategy, identifier, code, password }) => {
        const { signIn } = globalThis.Clerk.client;
        await signIn.create({ strategy, identifier });
        const half = await signIn.attemptFirstFactor({ strategy, code });
        const statuses = [half.status];
        const done = await signIn.resetPassword({ password, signOutOfOtherSessions: true });
        return { statuses: [...statuses, done.status], session: done.createdSessionId };
      },
      { strategy, identifier: second, code, password: newPassword },
    );
    assert.deepEqual(statuses, ["needs_new_password", "complete"]);
    await activate(session);
    await signOut();
    assert.equal((await first({ identifier: second, password: newPassword })).status, "complete");
  });

  step("whoever signs up proves the address by a code", async () => {
    await signOut();
    const { statuses, session } = await page.evaluate(
      async ({ emailAddress, password, code }) => {
        const { signUp } = globalThis.Clerk.client;
        await signUp.create({ emailAddress, password });
        const statuses = [signUp.status, ...signUp.unverifiedFields];
        await signUp.prepareEmailAddressVerification({ strategy: "email_code" });
        const done = await signUp.attemptEmailAddressVerification({ code });
        return { statuses: [...statuses, done.status], session: done.createdSessionId };
      },
      { emailAddress: `grace.${version}+clerk_test@example.com`, password, code },
    );
    assert.deepEqual(statuses, ["missing_requirements", "email_address", "complete"]);
    await activate(session);
    assert.notEqual(await page.evaluate(() => globalThis.Clerk.user.id), user.id);
    await signOut();
    assert.equal((await first({ identifier: second, password: newPassword })).status, "complete");
  });

  if (version === "v7") {
    step("the newer shape of an attempt signs in by codes, and signs up", async () => {
      const newer = (flow, argument) =>
        settled(true, flow, argument).then(() => page.evaluate(() => globalThis.Clerk.user.id));
      for (const [kind, who] of [
        ["emailCode", { emailAddress: second }],
        ["phoneCode", { phoneNumber: number }],
      ]) {
        await signOut();
        const flow = async ({ kind, who, code }) => {
          const signIn = globalThis.Clerk.client.signIn.__internal_future;
          for (const step of [() => signIn[kind].sendCode(who), () => signIn[kind].verifyCode({ code }), () => signIn.finalize()]) {
            const { error } = await step();
            if (error) throw error;
          }
        };
        assert.equal(await newer(flow, { kind, who, code }), user.id, kind);
      }
      await signOut();
      const flow = async ({ emailAddress, password, code }) => {
        const signUp = globalThis.Clerk.client.signUp.__internal_future;
        const steps = [
          () => signUp.password({ emailAddress, password }),
          () => signUp.verifications.sendEmailCode(),
          () => signUp.verifications.verifyEmailCode({ code }),
          () => signUp.finalize(),
        ];
        for (const step of steps) {
          const { error } = await step();
          if (error) throw error;
        }
      };
      assert.notEqual(await newer(flow, { emailAddress: "katherine+clerk_test@example.com", password, code }), user.id);
      await signOut();
      assert.equal((await first({ identifier: second, password: newPassword })).status, "complete");
    });
  }

  step("an authenticator app is enrolled", async () => {
    const uri = await page.evaluate(async () => (await globalThis.Clerk.user.createTOTP()).uri);
    authenticator = OTPAuth.URI.parse(uri);
    const proven = await page.evaluate(async (code) => {
      const totp = await globalThis.Clerk.user.verifyTOTP({ code });
      const { totpEnabled, backupCodeEnabled, twoFactorEnabled } = globalThis.Clerk.user;
      return { verified: totp.verified, codes: totp.backupCodes, totpEnabled, backupCodeEnabled, twoFactorEnabled };
    }, authenticator.generate({ timestamp: clock.now() }));
    assert.deepEqual({ ...proven, codes: proven.codes.length }, { verified: true, codes: 10, totpEnabled: true, backupCodeEnabled: true, twoFactorEnabled: true });
    backupCodes = await page.evaluate(async () => (await globalThis.Clerk.user.createBackupCode()).codes);
    assert.equal(backupCodes.length, 10);
  });

  if (version !== "v4") {
    step("who is signed in proves it once more", async () => {
      clock.advance(120);
      await profile.moveClock();
      const seen = await page.evaluate(
        async ({ password, code }) => {
          const { session } = globalThis.Clerk;
          const begun = await session.startVerification({ level: "multi_factor" });
          const half = await session.attemptFirstFactorVerification({ strategy: "password", password });
          const done = await session.attemptSecondFactorVerification({ strategy: "backup_code", code });
          await session.reload();
          return { statuses: [begun.status, half.status, done.status], ages: globalThis.Clerk.session.factorVerificationAge };
        },
        { password: newPassword, code: backupCodes[0] },
      );
      assert.deepEqual(seen, { statuses: ["needs_first_factor", "needs_second_factor", "complete"], ages: [0, 0] });
    });
  }

  step("the next sign-in asks for the second step", async () => {
    await signOut();
    assert.deepEqual(await first({ identifier: second, password: newPassword }), { status: "needs_second_factor", factors: ["totp", "backup_code"] });
    clock.advance(60);
    await profile.moveClock();
    assert.equal(await secondFactor({ strategy: "totp", code: authenticator.generate({ timestamp: clock.now() }) }), "complete");
    assert.equal(await page.evaluate(() => globalThis.Clerk.user.id), user.id);
  });

  step("a ticket of the backend takes the place of the first", async () => {
    await signOut();
    const answer = await fetch(new URL("/v1/sign_in_tokens", urls.backend), {
      method: "POST",
      headers: { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: user.id }),
    });
    const { token } = await answer.json();
    assert.equal((await first({ strategy: "ticket", ticket: token })).status, "needs_second_factor");
    assert.equal(await secondFactor({ strategy: "backup_code", code: backupCodes[1] }), "complete");
  });

  step("the authenticator app and the account are removed", async () => {
    const left = await page.evaluate(async () => {
      const gone = await globalThis.Clerk.user.disableTOTP();
      await globalThis.Clerk.user.reload();
      const { twoFactorEnabled } = globalThis.Clerk.user;
      await globalThis.Clerk.user.delete();
      return { deleted: gone.deleted, twoFactorEnabled };
    });
    assert.deepEqual(left, { deleted: true, twoFactorEnabled: false });
    await page.reload();
    await until("the client is loaded", () => page.evaluate(() => globalThis.Clerk?.loaded === true));
    assert.equal(await page.evaluate(() => globalThis.Clerk.user), null);
  });
}
