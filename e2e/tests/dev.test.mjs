import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "../lib/browser.mjs";
import { cleanEnv, doorwardBinary, here, out } from "../lib/config.mjs";
import { Program, assertFree } from "../lib/program.mjs";
import { fatal, until } from "../lib/until.mjs";

// `make dev` as a newcomer runs it, on its own ports: what it prints is all that they know.

const data = mkdtempSync(join(tmpdir(), "doorward-dev-"));
const ports = [4100, 4101, 3100];
let browser;
let dev;

before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await dev?.stop();
  rmSync(data, { recursive: true, force: true });
});

/** Starts it and reads the address and the user off what it says. */
async function start(name) {
  for (const port of ports) await assertFree(port);
  // What an earlier run has said is not this one's.
  rmSync(join(out, `${name}.log`), { force: true });
  const env = cleanEnv({ DOORWARD_BIN: doorwardBinary(), DOORWARD_DATA_DIR: data, npm_config_prefer_offline: "true" });
  dev = new Program(name, resolve(here, "../scripts/dev.sh"), [], { cwd: resolve(here, ".."), env });
  const said = () => readFileSync(dev.log, "utf8");
  await until(
    "it says that it is ready",
    () => {
      if (dev.outcome) throw fatal(`it ended: ${JSON.stringify(dev.outcome)}\n${dev.tail()}`);
      return /^ *Stop +Ctrl-C$/m.test(said());
    },
    { within: 300_000 },
  );
  const [, open] = /^ *Open +(\S+)$/m.exec(said());
  const [, email, password] = /^ *Sign in +(\S+) +(\S+)$/m.exec(said());
  return { open, email, password };
}

async function signIn({ open, email, password }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(open);
  await page.getByRole("link", { name: "Sign in", exact: true }).click();
  await page.locator("input[type=email]").fill(email);
  await page.locator("input[type=password]").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("#browser-user", { hasText: "Signed in as user_" }).waitFor();
  await page.goto(`${open}/protected`);
  await page.locator("#server-user", { hasText: "user_" }).waitFor();
  await context.close();
}

async function interrupt() {
  dev.kill("SIGINT");
  assert.deepEqual(await dev.ended, { code: 0, signal: null });
  for (const port of ports) await assertFree(port);
}

test("who runs it for the first time signs in with what it prints", { timeout: 420_000 }, async () => {
  await signIn(await start("dev-first"));
});

test("each page of the server that a developer meets is there", { timeout: 120_000 }, async () => {
  const directory = join(out, "shots", "dev");
  mkdirSync(directory, { recursive: true });
  const pages = { public: "4100/", "public-docs": "4100/docs", private: "4101/", inbox: "4101/inbox", messages: "4101/messages", "private-docs": "4101/docs" };
  for (const [name, address] of Object.entries(pages)) {
    const page = await browser.newPage();
    const faults = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(String(error)));
    const answer = await page.goto(`http://localhost:${address}`, { waitUntil: "networkidle" });
    assert.equal(answer.status(), 200, address);
    assert.ok((await page.title()).length > 0, `${address} has a title`);
    assert.deepEqual(faults, [], address);
    await page.screenshot({ path: join(directory, `${name}.png`) });
    await page.close();
  }
});

test("Ctrl-C ends all of it, and the next start keeps the user", { timeout: 300_000 }, async () => {
  await interrupt();
  const again = await start("dev-again");
  await signIn(again);
  await interrupt();
});
