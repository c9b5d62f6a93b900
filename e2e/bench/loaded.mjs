// How long a page takes from navigation until `isLoaded === true`, and what it loads until then: our package and the official
// ones, in turns, in one run against one server. Prints a table and writes out/loaded.json.
//
//   node e2e/bench/loaded.mjs            LOADS=20 loads of each, cold and warm; DOORWARD_BIN names the server
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plan, startApp } from "../lib/app.mjs";
import { launch } from "../lib/browser.mjs";
import { out, ports } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";

const loads = Number(process.env.LOADS ?? 20);
const kind = "live";
const names = {
  "ours-alias": "@doorward/nextjs, Next 13 (the app of v4)",
  v4: "@clerk/nextjs 4, Next 13",
  ours: "@doorward/nextjs, Next 15",
  v6: "@clerk/nextjs 6, Next 15",
  v7: "@clerk/nextjs 7, Next 15",
};
const versions = Object.keys(names);
const port = (version) => ports.app + versions.indexOf(version);
// The time is the machine's own here.
const clock = { env: {}, now: () => Date.now() };

// The page is the seed's: it shows nothing until `isLoaded`, and then this.
function note() {
  const look = () => {
    if (globalThis.__loadedAt === undefined && document.body?.textContent.includes("The current sign in attempt status is")) globalThis.__loadedAt = performance.now();
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}

/** One load; the bytes are those that came over the wire until then. */
async function load(page, url) {
  let bytes = 0;
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.goto(url, { waitUntil: "commit" });
  const at = await page.waitForFunction(() => globalThis.__loadedAt, undefined, { polling: 5, timeout: 30_000 });
  const ms = await at.jsonValue();
  const until = bytes;
  await page.waitForLoadState("networkidle");
  await session.detach();
  return { ms, bytes: until, later: bytes - until };
}

async function round(browser, version) {
  const context = await browser.newContext();
  await context.addInitScript(note);
  const page = await context.newPage();
  const url = `http://localhost:${port(version)}/`;
  const cold = await load(page, url);
  await page.goto("about:blank");
  const warm = await load(page, url);
  await context.close();
  return { cold, warm };
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

const doorward = new Doorward(kind, clock, { origins: versions.map((version) => `http://localhost:${port(version)}`) });
const apps = [];
let browser;
try {
  versions.forEach((version) => plan(version, kind));
  await doorward.open();
  for (const version of versions) apps.push(await startApp(version, kind, { secretKey: doorward.instance.secret_key, clock, port: port(version) }));
  browser = await launch();
  // The first answers of a server are slower than all others.
  for (const version of versions) await round(browser, version);
  const seen = Object.fromEntries(versions.map((version) => [version, []]));
  for (let n = 0; n < loads; n += 1) {
    // Each time another one begins, so that none is always after the same.
    for (let k = 0; k < versions.length; k += 1) {
      const version = versions[(n + k) % versions.length];
      seen[version].push(await round(browser, version));
    }
  }
  const rows = versions.map((version) => {
    const of = (kind, what) => median(seen[version].map((it) => it[kind][what]));
    return { version, name: names[version], cold: of("cold", "ms"), warm: of("warm", "ms"), bytes: of("cold", "bytes"), later: of("cold", "later") };
  });
  const best = (what) => Math.min(...rows.filter(({ version }) => version.startsWith("v")).map((row) => row[what]));
  console.log(`median of ${loads} loads, production builds, signed out; bytes over the wire, Next and React included`);
  for (const { name, cold, warm, bytes, later } of rows) {
    const times = `${cold.toFixed(0).padStart(5)} ms cold ${warm.toFixed(0).padStart(5)} ms warm`;
    console.log(`${name.padEnd(44)} ${times}  ${(bytes / 1000).toFixed(1).padStart(6)} kB, then ${(later / 1000).toFixed(1)} kB`);
  }
  for (const row of rows.filter(({ version }) => version.startsWith("ours"))) {
    console.log(`${row.name}: ${(row.cold / best("cold")).toFixed(2)} cold and ${(row.warm / best("warm")).toFixed(2)} warm of the best official one`);
  }
  assert.ok(rows.every(({ cold }) => cold > 0));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "loaded.json"), `${JSON.stringify({ at: new Date().toISOString(), loads, rows }, null, 2)}\n`);
} finally {
  await browser?.close();
  for (const app of apps) await app.stop();
  await doorward.close();
}
