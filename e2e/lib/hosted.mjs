import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, it } from "node:test";
import { Profile, launch } from "./browser.mjs";
import { Clock } from "./clock.mjs";
import { ports, urls } from "./config.mjs";
import { Doorward } from "./doorward.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const phone = { width: 360, height: 740 };
export const page = (path) => `${urls.frontend}${path}`;
export const heading = (tab, name) => tab.getByRole("heading", { level: 1, name, exact: true }).waitFor();

/** What axe finds on the page, and what a screen would have to scroll sideways for; with a picture for people. */
export async function look({ profile, tab }, name, within = "html") {
  await profile.shot(tab, name);
  await tab.evaluate(axe);
  const { violations, passes } = await tab.evaluate((where) => globalThis.axe.run(where), within);
  assert.ok(passes.length > 10, "axe looked at the page");
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join(" ")}`), []);
  assert.equal(await tab.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "no sideways scrolling");
}

/** The pages that the server shows by itself, for an app that only says that somebody came. To be called in a `describe`. */
export function hosted(kind, options = {}) {
  const clock = new Clock();
  const doorward = new Doorward(kind, clock, options);
  const arrived = [];
  const app = createServer((request, response) => {
    arrived.push(request.url);
    response.writeHead(request.url === "/favicon.ico" ? 204 : 200, { "content-type": "text/html; charset=utf-8" });
    response.end('<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,"><h1>Landed</h1>');
  });
  const profiles = [];
  let browser, defaults;

  before(
    async () => {
      await doorward.open({ scripts: false });
      const { status } = await fetch(page("/sign-in"));
      assert.equal(status, 200, "the binary has the account pages in it: scripts/pages.sh, then cargo build");
      await new Promise((resolve) => app.listen(ports.app, "127.0.0.1", resolve));
      browser = await launch();
    },
    { timeout: 300_000 },
  );
  after(async () => {
    await browser?.close();
    app.close();
    app.closeAllConnections();
    await doorward.close();
    clock.close();
  });

  async function open(label, { scheme = "light", viewport } = {}) {
    const profile = await Profile.strict(browser, `hosted-${kind}-${label}`, clock);
    profiles.push(profile);
    const tab = await profile.context.newPage();
    await tab.emulateMedia({ colorScheme: scheme });
    if (viewport) await tab.setViewportSize(viewport);
    return { profile, tab };
  }

  function story(name, body) {
    it(name, { timeout: 120_000 }, async () => {
      try {
        await body();
        for (const profile of profiles) profile.audit();
      } catch (error) {
        for (const profile of profiles) await profile.shotAll("failed");
        error.message += `\npages: ${profiles.flatMap((it) => it.context.pages().map((tab) => tab.url()))}`;
        throw error;
      } finally {
        for (const profile of profiles.splice(0)) await profile.close();
      }
    });
  }

  /** Gives the instance the settings that it began with, and these changes. */
  const configure = (change = () => {}) =>
    doorward.configure((settings) => {
      defaults ??= structuredClone(settings);
      Object.assign(settings, structuredClone(defaults));
      change(settings);
    });

  return { clock, doorward, arrived, open, story, configure };
}
