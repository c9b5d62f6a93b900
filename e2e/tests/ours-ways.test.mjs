// Our own forms for those who come by an invitation or a link, and the second steps that an account asks for.
import assert from "node:assert/strict";
import { describe } from "node:test";
import * as OTPAuth from "otpauth";
import { answer } from "../lib/browser.mjs";
import { urls } from "../lib/config.mjs";
import { heading, hosted, look, page } from "../lib/hosted.mjs";

const password = "correct horse battery staple";
const testCode = "424242";
const address = (name) => `${name}+clerk_test@example.com`;

describe("other ways into our forms", () => {
  const { clock, doorward, open, story, configure } = hosted("test");

  async function backend(path, body) {
    const headers = { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" };
    const sent = await fetch(`${urls.backend}/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await sent.json();
    assert.ok(sent.ok, JSON.stringify(json));
    return json;
  }

  async function signIn(tab, email) {
    await tab.goto(page("/sign-in"));
    await heading(tab, "Sign in");
    await tab.getByLabel(/^Email/).fill(email);
    await tab.getByLabel("Password", { exact: true }).fill(password);
    await tab.keyboard.press("Enter");
  }

  async function enter(tab, code) {
    await tab.getByLabel("Code").fill(code);
    await tab.keyboard.press("Enter");
  }

  for (const mode of ["restricted", "waitlist"]) {
    story(`an invitation lets somebody in where nobody else signs up: ${mode}`, async () => {
      await configure(({ sign_up }) => Object.assign(sign_up, { mode }));
      const email = address(`invited.${mode}`);
      const { url } = await backend("/invitations", { email_address: email, public_metadata: { by: "ada" } });
      const it = await open(`invited-${mode}`);
      await it.tab.goto(url);
      await heading(it.tab, "Create your account");
      await it.tab.getByText(`You are invited as ${email}.`).waitFor();
      assert.equal(await it.tab.getByLabel("Email").count(), 0, "the address is known and proven");
      await look(it, "invited");
      await it.tab.getByLabel("Password").fill(password);
      await it.tab.getByRole("button", { name: "Sign up" }).click();
      await heading(it.tab, "Your account");
      await it.tab.getByText(email).waitFor();
    });
  }

  story("whoever would sign up asks to be let in, and comes in when invited", async () => {
    await configure(({ sign_up }) => Object.assign(sign_up, { mode: "waitlist" }));
    const email = address("waiting");
    const it = await open("waitlist");
    it.profile.allow(answer(422, "/v1/waitlist"));
    await it.tab.goto(page("/sign-in"));
    await it.tab.getByRole("link", { name: "No account yet? Sign up" }).click();
    await heading(it.tab, "Join the waitlist");
    await look(it, "waitlist");
    await it.tab.getByLabel("Email").fill("nonsense");
    await it.tab.keyboard.press("Enter");
    await it.tab.getByRole("alert").waitFor();
    await it.tab.getByLabel("Email").fill(email);
    await it.tab.keyboard.press("Enter");
    await heading(it.tab, "You are on the list");
    await it.tab.getByText(`${email} is on the waitlist.`).waitFor();
    await look(it, "on-the-list");
    const headers = { authorization: `Bearer ${doorward.instance.secret_key}` };
    const { data } = await (await fetch(`${urls.backend}/v1/waitlist_entries`, { headers })).json();
    assert.deepEqual(data.map((entry) => [entry.email_address, entry.status]), [[email, "pending"]]);
    const { invitation } = await backend(`/waitlist_entries/${data[0].id}/invite`, {});
    await it.tab.goto(invitation.url);
    await it.tab.getByText(`You are invited as ${email}.`).waitFor();
  });

  story("an invitation of somebody who has an account signs them in", async () => {
    await configure();
    const email = address("invited.again");
    const { url } = await backend("/invitations", { email_address: email });
    await doorward.createUser({ email, password, firstName: "Ada" });
    const { tab } = await open("invited-again");
    await tab.goto(url);
    await heading(tab, "Your account");
    await tab.getByText(email).waitFor();
  });

  story("a link that signs in, and the second step of whom it signs in", async () => {
    await configure();
    const secret = new OTPAuth.Secret({ size: 20 });
    const user = await backend("/users", { email_address: [address("ticket.totp")], password, totp_secret: secret.base32 });
    const { url } = await backend("/sign_in_tokens", { user_id: user.id });
    const it = await open("ticket-totp");
    await it.tab.goto(url);
    await heading(it.tab, "Second step");
    await it.tab.getByText("Enter the code that your authenticator app shows.").waitFor();
    assert.equal(await it.tab.getByText("This link does not work").count(), 0);
    await look(it, "second-step");
    await enter(it.tab, new OTPAuth.TOTP({ secret }).generate({ timestamp: clock.now() }));
    await heading(it.tab, "Your account");
  });

  story("a text message as the second step", async () => {
    await configure(({ attributes }) => Object.assign(attributes, { phone_number: "optional", phone_second_factor: true }));
    const email = address("second.phone");
    const user = await backend("/users", { email_address: [email], password });
    await backend("/phone_numbers", { user_id: user.id, phone_number: "+15555550130", verified: true, reserved_for_second_factor: true });
    const it = await open("second-phone");
    await signIn(it.tab, email);
    await heading(it.tab, "Check your phone");
    await it.tab.getByText("A code is on its way to your phone.").waitFor();
    await look(it, "second-phone");
    await enter(it.tab, testCode);
    await heading(it.tab, "Your account");
  });

  story("a new device is proven by a code, and known afterwards", async () => {
    await configure(({ attack_protection, attributes }) => {
      attack_protection.client_trust = true;
      // Nobody signs in by codes here.
      attributes.email_code = false;
    });
    const email = address("new.device");
    await backend("/users", { email_address: [email], password });
    const it = await open("new-device");
    await signIn(it.tab, email);
    await heading(it.tab, "Check your email");
    await it.tab.getByText("You sign in on a new device: a code is on its way to your email address.").waitFor();
    await look(it, "new-device");
    await enter(it.tab, testCode);
    await heading(it.tab, "Your account");
    await it.tab.getByRole("button", { name: "Sign out" }).click();
    await heading(it.tab, "Sign in");
    await signIn(it.tab, email);
    await heading(it.tab, "Your account");
  });
});
