import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as OTPAuth from "otpauth";
import { plan, startApp } from "../lib/app.mjs";
import { Profile, answer, launch } from "../lib/browser.mjs";
import { Clock } from "../lib/clock.mjs";
import { urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { until } from "../lib/until.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const password = "correct horse battery staple";
const phone = { width: 360, height: 740 };

plan("ours", "test");

describe("the ready-made forms", () => {
  const clock = new Clock();
  const doorward = new Doorward("test", clock);
  let app, browser, profile, page;

  before(
    async () => {
      await doorward.open();
      app = await startApp("ours", "test", { secretKey: doorward.instance.secret_key, clock });
      browser = await launch();
    },
    { timeout: 600_000 },
  );
  after(async () => {
    await browser?.close();
    await app?.stop();
    await doorward.close();
    clock.close();
  });

  async function visit(path, { scheme = "light", viewport } = {}) {
    await profile?.close();
    profile = await Profile.strict(browser, `forms-${path.slice(1)}-${scheme}${viewport ? "-phone" : ""}`, clock);
    page = await profile.context.newPage();
    await page.emulateMedia({ colorScheme: scheme });
    if (viewport) await page.setViewportSize(viewport);
    await page.goto(path);
    await until("the client is loaded", () => page.evaluate(() => globalThis.Doorward?.loaded === true));
  }

  /** What axe finds in the form, and what a phone's screen would have to scroll sideways for. */
  async function assertAccessible(name) {
    await profile.shot(page, name);
    await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(".dw-card"));
    assert.ok(passes.length > 10, "axe looked at the form");
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join(" ")}`), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "no sideways scrolling");
  }

  /** Enrols an authenticator app as a native program would. */
  async function enrol(email) {
    let token = "";
    const call = async (path, fields) => {
      const url = new URL(path, urls.frontend);
      url.searchParams.set("_is_native", "1");
      const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), headers: token ? { authorization: token } : {} });
      const body = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(body.errors));
      token = answer.headers.get("authorization") ?? token;
      return body.response;
    };
    await call("/v1/client/sign_ins", { identifier: email, password });
    const app = OTPAuth.URI.parse((await call("/v1/me/totp", {})).uri);
    const proven = await call("/v1/me/totp/attempt_verification", { code: app.generate({ timestamp: clock.now() }) });
    return { app, backupCodes: proven.backup_codes };
  }

  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("name"));

  for (const where of [{ scheme: "light" }, { scheme: "dark" }, { scheme: "dark", viewport: phone }]) {
    const label = `${where.scheme}${where.viewport ? " on a phone" : ""}`;

    it(`sign in by keyboard alone, ${label}`, { timeout: 60_000 }, async () => {
      const email = `ada.${where.scheme}${where.viewport ? ".phone" : ""}@example.com`;
      await doorward.createUser({ email, password, firstName: "Ada" });
      await visit("/sign-in", where);
      await assertAccessible("empty");
      await page.getByLabel("Email").focus();
      await page.keyboard.type(email);
      await page.keyboard.press("Tab");
      assert.equal(await focused(), "password");
      await page.keyboard.type("wrong horse battery staple");
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("Password is incorrect.").waitFor();
      await until("the wrong field has the focus", async () => (await focused()) === "password");
      await assertAccessible("wrong-password");
      await page.getByLabel("Password").fill("");
      await page.keyboard.type(password);
      await page.keyboard.press("Enter");
      await page.waitForURL("/account");
      assert.equal(await page.locator("#server-email").textContent(), email);
      profile.audit();
    });

    it(`sign up, ${label}`, { timeout: 60_000 }, async () => {
      const email = `grace.${where.scheme}${where.viewport ? ".phone" : ""}+clerk_test@example.com`;
      await visit("/sign-up", where);
      await assertAccessible("empty");
      await page.getByLabel("Email").fill(email);
      await page.getByLabel("Password").fill(password);
      await page.locator(".dw-card").getByRole("button", { name: "Sign up" }).click();
      await page.getByText(`A code is on its way to ${email}.`).waitFor();
      await until("the code's field has the focus", async () => (await focused()) === "code");
      await assertAccessible("code");
      await page.keyboard.type("424242");
      await page.keyboard.press("Enter");
      await page.waitForURL("/account");
      assert.equal(await page.locator("#server-email").textContent(), email);
      profile.audit();
    });
  }

  it("sign in with a code, and where the address says", { timeout: 60_000 }, async () => {
    const email = "code+clerk_test@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    await visit("/sign-in?redirect_url=%2Fsignals");
    await page.getByRole("button", { name: "Get a code by email" }).click();
    await page.getByLabel("Email").fill(email);
    await page.getByRole("button", { name: "Send the code" }).click();
    await page.getByText(`A code is on its way to ${email}.`).waitFor();
    await page.getByLabel("Code").fill("000000");
    profile.allow(({ status, url }) => status === 422 && url.includes("/attempt_first_factor"));
    await page.locator(".dw-card").getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("Incorrect code").waitFor();
    await assertAccessible("wrong-code");
    await page.getByLabel("Code").fill("424242");
    await page.locator(".dw-card").getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("/signals");
    profile.audit();
  });

  it("a second step for who has an authenticator app, or lost it", { timeout: 60_000 }, async () => {
    const email = "twice@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    const { app: authenticator, backupCodes } = await enrol(email);
    await visit("/sign-in");
    const first = async () => {
      await page.getByLabel("Email").fill(email);
      await page.getByLabel("Password").fill(password);
      await page.locator(".dw-card").getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Second step" }).waitFor();
    };
    await first();
    await until("the code's field has the focus", async () => (await focused()) === "code");
    await assertAccessible("second-step");
    // A minute later: the code that enrolled the app is used up.
    clock.advance(60);
    profile.allow(({ status, url }) => status === 422 && url.includes("/attempt_second_factor"));
    await page.getByLabel("Code").fill("000000");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("Incorrect code").waitFor();
    await page.getByRole("button", { name: "Use a backup code" }).click();
    await assertAccessible("backup-code");
    assert.equal(await page.getByRole("alert").getByText("Incorrect code").count(), 0, "that was the other step's error");
    await page.getByRole("button", { name: "Use your authenticator app" }).click();
    await page.getByLabel("Code").fill(authenticator.generate({ timestamp: clock.now() }));
    await page.keyboard.press("Enter");
    await page.waitForURL("/account");
    assert.equal(await page.locator("#server-email").textContent(), email);
    profile.audit();

    await visit("/sign-in");
    await first();
    await page.getByRole("button", { name: "Use a backup code" }).click();
    await page.getByRole("textbox", { name: "Code" }).fill(backupCodes[0]);
    await page.keyboard.press("Enter");
    await page.waitForURL("/account");
    profile.audit();
  });

  it("a second step that has to be set up first, in an app whose server lets nobody in before", { timeout: 120_000 }, async () => {
    const email = "strict@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    await doorward.configure(({ session }) => Object.assign(session, { require_second_factor: true }));
    await visit("/sign-in");
    await page.getByLabel("Email").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Set up a second step" }).waitFor();
    await assertAccessible("second-step");
    await page.goto("/account");
    await page.waitForURL((url) => url.pathname === "/signin");
    await page.goto("/sign-in");
    await page.getByRole("heading", { name: "Set up a second step" }).waitFor();
    await page.getByRole("button", { name: "Use an authenticator app" }).click();
    const authenticator = OTPAuth.URI.parse(await page.getByRole("link", { name: "Open it in an app on this device" }).getAttribute("href"));
    await page.getByLabel("Code", { exact: true }).fill(authenticator.generate({ timestamp: clock.now() }));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your backup codes" }).waitFor();
    await assertAccessible("backup-codes");
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.waitForURL("/account");
    assert.equal(await page.locator("#server-email").textContent(), email);
    profile.audit();
    await doorward.configure(({ session }) => Object.assign(session, { require_second_factor: false }));
  });

  it("a new password for who has forgotten the old one", { timeout: 60_000 }, async () => {
    const email = "forgotten+clerk_test@example.com";
    // It lets one address try only so much in a while, counts in memory, and all of the above came from one.
    await doorward.stop();
    await doorward.start();
    await doorward.createUser({ email, password, firstName: "Ada" });
    await visit("/sign-in?redirect_url=https%3A%2F%2Fevil.example%2F");
    await page.getByRole("button", { name: "Forgot your password?" }).click();
    await page.getByLabel("Email").fill(email);
    await page.getByRole("button", { name: "Send the code" }).click();
    await page.getByLabel("Code").fill("424242");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByRole("textbox", { name: "New password" }).fill("another horse battery staple");
    await assertAccessible("new-password");
    await page.getByRole("button", { name: "Save and sign in" }).click();
    await page.waitForURL("/account");
    assert.equal(await page.locator("#server-email").textContent(), email, "and not at the foreign page that the address named");
    profile.audit();
  });
});
