// What a session may wait for before anybody is signed in by it, in our own forms: a new password, and a second step of one's own.
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as OTPAuth from "otpauth";
import { answer } from "../lib/browser.mjs";
import { urls } from "../lib/config.mjs";
import { heading, hosted, look, page, phone } from "../lib/hosted.mjs";
import { until } from "../lib/until.mjs";

const password = "correct horse battery staple";
const testCode = "424242";
const landing = `${urls.app}/landing`;
const address = (name) => `${name}+clerk_test@example.com`;
const setUp = "Set up a second step";
const choose = "Choose a new password";

describe("tasks in our forms", () => {
  const { clock, doorward, open, story, configure } = hosted("test");

  async function backend(path, body = {}) {
    const headers = { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" };
    const sent = await fetch(`${urls.backend}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await sent.json();
    assert.ok(sent.ok, JSON.stringify(json));
    return json;
  }

  const strict = (more = () => {}) =>
    configure((settings) => {
      settings.session.require_second_factor = true;
      more(settings);
    });
  const withPhone = ({ attributes }) => Object.assign(attributes, { phone_number: "optional", phone_second_factor: true });

  async function person(name, label, where) {
    const user = await doorward.createUser({ email: address(name), password, firstName: "Ada" });
    const it = await open(label, where);
    const { tab } = it;
    const press = (name) => tab.getByRole("button", { name, exact: true }).click();
    async function enter(label, text) {
      await tab.getByLabel(label, { exact: true }).fill(text);
      await tab.keyboard.press("Enter");
    }
    async function signIn(at = "/sign-in") {
      await tab.goto(page(at));
      await heading(tab, "Sign in");
      await tab.getByLabel(/^Email/).fill(address(name));
      await enter("Password", password);
    }
    /** The app that the shown key makes. */
    async function scan() {
      await press("Use an authenticator app");
      return OTPAuth.URI.parse(await tab.getByRole("link", { name: "Open it in an app on this device" }).getAttribute("href"));
    }
    const focused = (name) => until(`${name} has the focus`, () => tab.evaluate((name) => [document.activeElement?.getAttribute("name"), document.activeElement?.textContent].includes(name), name));
    const status = () => tab.evaluate(() => [globalThis.Doorward.isSignedIn, globalThis.Doorward.session?.status, globalThis.Doorward.session?.currentTask?.key]);
    return { ...it, user, press, enter, signIn, scan, focused, status };
  }

  for (const where of [{ scheme: "light" }, { scheme: "dark" }, { scheme: "dark", viewport: phone }]) {
    const label = `${where.scheme}${where.viewport ? "-phone" : ""}`;
    story(`an authenticator app, with a reload in the middle of it: ${label}`, async () => {
      await strict(withPhone);
      const it = await person(`app.${label}`, `tasks-app-${label}`, where);
      const { tab } = it;
      await it.signIn(`/sign-in?redirect_url=${encodeURIComponent(landing)}`);
      await heading(tab, setUp);
      await it.focused("Use an authenticator app");
      assert.deepEqual(await it.status(), [false, "pending", "setup-mfa"]);
      await look(it, "second-step");
      await it.scan();
      await it.focused("code");
      await tab.reload();
      await heading(tab, setUp);
      const app = await it.scan();
      await look(it, "authenticator");
      it.profile.allow(answer(422, "/v1/me/totp/attempt_verification"));
      await it.enter("Code", "000000");
      await tab.getByRole("alert").waitFor();
      await it.focused("code");
      await look(it, "wrong-code");
      await it.enter("Code", app.generate({ timestamp: clock.now() }));
      await tab.getByRole("heading", { name: "Your backup codes" }).waitFor();
      assert.equal((await tab.locator(".dw-codes code").allInnerTexts()).length, 10);
      assert.deepEqual(await it.status(), [true, "active", undefined], "but the codes are shown first");
      await look(it, "backup-codes");
      await it.press("I have kept them");
      await tab.waitForURL(landing);

      await tab.goto(page("/user"));
      await heading(tab, "Your account");
      await it.press("Sign out");
      await heading(tab, "Sign in");
      clock.advance(60);
      await it.profile.moveClock();
      await it.signIn();
      await heading(tab, "Second step");
      await it.enter("Code", app.generate({ timestamp: clock.now() }));
      await heading(tab, "Your account");
    });

    story(`a phone number: ${label}`, async () => {
      await strict((settings) => {
        withPhone(settings);
        settings.attributes.authenticator_app = false;
      });
      const number = `+1555555014${["light", "dark", "dark-phone"].indexOf(label)}`;
      const it = await person(`phone.${label}`, `tasks-phone-${label}`, where);
      const { tab } = it;
      await it.signIn();
      await heading(tab, setUp);
      assert.equal(await tab.getByRole("button", { name: "Use an authenticator app" }).count(), 0);
      await it.press("Get codes by text message");
      await it.focused("phoneNumber");
      it.profile.allow(answer(422, "/v1/me/phone_numbers"));
      await it.enter("Phone number", "no number");
      await tab.getByRole("alert").waitFor();
      await look(it, "number");
      await it.enter("Phone number", number);
      await tab.getByText(`A code is on its way to ${number}.`).waitFor();
      await it.focused("code");
      await look(it, "code");
      await tab.reload();
      await heading(tab, setUp);
      await it.press(`Get codes at ${number}`);
      await it.enter("Code", testCode);
      await tab.getByRole("heading", { name: "Your backup codes" }).waitFor();
      await it.press("I have kept them");
      await heading(tab, "Your account");
    });

    story(`a password that others know, and then the second step: ${label}`, async () => {
      await strict();
      const it = await person(`both.${label}`, `tasks-both-${label}`, where);
      const { tab } = it;
      await backend(`/users/${it.user.id}/password/set_compromised`);
      await it.signIn();
      await heading(tab, choose);
      await it.focused("newPassword");
      await look(it, "new-password");
      it.profile.allow(answer(422, "/v1/me/change_password"));
      await it.enter("New password", "short");
      await tab.getByRole("alert").waitFor();
      await look(it, "short");
      await tab.reload();
      await heading(tab, choose);
      await it.enter("New password", `${password} again`);
      await heading(tab, setUp);
      const app = await it.scan();
      await it.enter("Code", app.generate({ timestamp: clock.now() }));
      await it.press("I have kept them");
      await heading(tab, "Your account");
    });
  }

  story("whoever signs up sets the second step up first", async () => {
    await strict();
    const { tab } = await open("tasks-sign-up");
    await tab.goto(page("/sign-up"));
    await tab.getByLabel("Email").fill(address("tasks.new"));
    await tab.getByLabel("Password").fill(password);
    await tab.getByRole("button", { name: "Sign up" }).click();
    await heading(tab, "Check your email");
    await tab.getByLabel("Code", { exact: true }).fill(testCode);
    await tab.keyboard.press("Enter");
    await heading(tab, setUp);
    await tab.getByRole("button", { name: "Use an authenticator app" }).click();
    const app = OTPAuth.URI.parse(await tab.getByRole("link", { name: "Open it in an app on this device" }).getAttribute("href"));
    await tab.getByLabel("Code", { exact: true }).fill(app.generate({ timestamp: clock.now() }));
    await tab.keyboard.press("Enter");
    await tab.getByRole("button", { name: "I have kept them" }).click();
    await heading(tab, "Your account");
  });

  story("whoever comes back to it finds it on each page, and may leave it by signing out", async () => {
    await strict();
    const it = await person("leaves", "tasks-leaves");
    const { tab } = it;
    await it.signIn();
    await heading(tab, setUp);
    for (const at of ["/user", "/sign-up", "/sign-in"]) {
      await tab.goto(page(at));
      await heading(tab, setUp);
    }
    await it.press("Sign out");
    await heading(tab, "Sign in");
    await it.signIn();
    await heading(tab, setUp);
  });

  story("it is done in another tab, or no longer asked for", async () => {
    await configure();
    const it = await person("elsewhere", "tasks-elsewhere");
    await backend(`/users/${it.user.id}/password/set_compromised`);
    await it.signIn(`/sign-in?redirect_url=${encodeURIComponent(landing)}`);
    await heading(it.tab, choose);
    const other = await it.profile.context.newPage();
    await other.goto(page("/user"));
    await heading(other, choose);
    await backend(`/users/${it.user.id}/password/unset_compromised`);
    await it.tab.evaluate(() => void globalThis.Doorward.refresh());
    await it.tab.waitForURL(landing);
    // Which tells the other one.
    await heading(other, "Your account");
  });

  story("one of several accounts waits, and the others do not", async () => {
    await configure(({ session }) => Object.assign(session, { single_session: false }));
    const it = await person("several", "tasks-several");
    const { tab } = it;
    await it.signIn();
    await heading(tab, "Your account");
    const known = await doorward.createUser({ email: address("several.known"), password, firstName: "Mary" });
    await backend(`/users/${known.id}/password/set_compromised`);
    await tab.goto(page("/sign-in"));
    await heading(tab, "You are signed in");
    await it.press("Use another account");
    await tab.getByLabel(/^Email/).fill(address("several.known"));
    await it.enter("Password", password);
    await heading(tab, choose);
    await tab.reload();
    await heading(tab, "You are signed in");
    await it.press("Use another account");
    await heading(tab, "Sign in");
    await tab.reload();
    await it.press(`Continue as ${address("several.known")}`);
    await heading(tab, choose);
    await it.enter("New password", `${password} again`);
    await heading(tab, "Your account");
    await tab.getByText("Mary", { exact: true }).waitFor();
  });
});
