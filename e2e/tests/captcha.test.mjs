// Our own forms where an instance asks whether a person is there: the script of the service, and the service that verifies, are this test's.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe } from "node:test";
import { answer } from "../lib/browser.mjs";
import { ports } from "../lib/config.mjs";
import { heading, hosted, page } from "../lib/hosted.mjs";

const password = "correct horse battery staple";
const secret = "1x0000000000000000000000000000000AA";
const service = "https://challenges.cloudflare.com";

describe("a captcha in our forms", () => {
  const { doorward, open, story, configure } = hosted("live", { callsThisMachine: true });
  const asked = [];
  const verifier = createServer(async (request, response) => {
    const fields = new URLSearchParams((await request.toArray()).join(""));
    asked.push(fields);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ success: fields.get("secret") === secret && fields.get("response").startsWith("good"), "error-codes": [] }));
  });

  before(async () => {
    await new Promise((resolve) => verifier.listen(ports.app + 2, "127.0.0.1", resolve));
    await doorward.providerSecret("captcha", secret);
    const verify_url = `http://localhost:${ports.app + 2}/siteverify`;
    await configure((settings) => Object.assign(settings.captcha, { sign_up: true, sign_in: true, site_key: "the-site", invisible_site_key: "unseen", verify_url }));
  });
  after(() => verifier.close());

  /** Somebody at a form, before whom the service puts a button; its token is what it says. */
  async function person(label, token) {
    const it = await open(label);
    await it.profile.context.route(`${service}/**`, (route) => {
      if (!token) return route.abort();
      const script = `window.turnstile = {
        render(place, { sitekey, callback }) {
          const button = Object.assign(document.createElement("button"), { textContent: "I am a person at " + sitekey, onclick: () => callback(${JSON.stringify(token)}) });
          place.append(button);
          return "widget";
        },
        remove: () => document.querySelectorAll("button").forEach((it) => it.textContent.startsWith("I am a person") && it.remove()),
      };`;
      return route.fulfill({ contentType: "text/javascript", body: script });
    });
    it.profile.allow(({ text = "", url = "" }) => text.includes(service) || url.startsWith(service));
    const isPerson = () => it.tab.getByRole("button", { name: "I am a person at the-site" }).click();
    async function fill(email) {
      await it.tab.getByLabel(/^Email/).fill(email);
      await it.tab.getByLabel("Password", { exact: true }).fill(password);
      await it.tab.keyboard.press("Enter");
    }
    async function signUp(email) {
      it.profile.allow(answer(400, "/v1/client/sign_ups"));
      await it.tab.goto(page("/sign-up"));
      await fill(email);
    }
    return { ...it, isPerson, fill, signUp };
  }

  story("whoever passes it signs up, and is not asked again", async () => {
    const { tab, profile, isPerson, signUp } = await person("captcha", "good one");
    await signUp("ada@example.com");
    await profile.shot(tab, "asked");
    await isPerson();
    await tab.getByText("A code is on its way to ada@example.com.").waitFor();
    assert.deepEqual(asked.map((it) => it.get("response")), ["good one"]);
    assert.equal(await tab.getByText("I am a person").count(), 0, "it is gone");
    await signUp("grace@example.com");
    await tab.getByText("A code is on its way to grace@example.com.").waitFor();
    assert.equal(asked.length, 1);
  });

  story("whoever does not pass it is told so", async () => {
    const { tab, profile, isPerson, signUp } = await person("captcha-refused", "bad");
    profile.allow(answer(400, "/v1/client/verify"));
    await signUp("eve@example.com");
    await isPerson();
    await tab.getByRole("alert").waitFor();
    assert.equal(await tab.getByText("A code is on its way").count(), 0);
    assert.equal(asked.at(-1).get("response"), "bad");
  });

  story("where its script cannot be loaded, that is said", async () => {
    const { tab, profile, signUp } = await person("captcha-blocked");
    profile.allow(answer(400, "/v1/client/verify"));
    await signUp("eve@example.com");
    await tab.getByRole("alert").getByText("The captcha could not be loaded. Try another browser, or without extensions.").waitFor();
    assert.equal(asked.at(-1).get("response"), "bad", "nobody was asked");
  });

  story("a sign-in goes on after it", async () => {
    await doorward.createUser({ email: "katherine@example.com", password, firstName: "Katherine" });
    const { tab, profile, isPerson, fill } = await person("captcha-sign-in", "good two");
    profile.allow(answer(401, "/v1/client/sign_ins"));
    await tab.goto(page("/user"));
    await heading(tab, "Sign in");
    await fill("katherine@example.com");
    await isPerson();
    await heading(tab, "Your account");
    assert.equal(asked.at(-1).get("response"), "good two");
  });
});
