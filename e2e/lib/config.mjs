import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const here = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const out = resolve(here, "out");

// The addresses end up in the publishable key, and that is compiled into each
// app: ports that changed from run to run would void every cached build.
export const ports = {
  frontend: Number(process.env.E2E_FRONTEND_PORT ?? 4100),
  backend: Number(process.env.E2E_BACKEND_PORT ?? 4101),
  app: Number(process.env.E2E_APP_PORT ?? 3100),
};

export const urls = {
  frontend: `http://localhost:${ports.frontend}`,
  backend: `http://localhost:${ports.backend}`,
  app: `http://localhost:${ports.app}`,
};

// The SDKs refuse a key whose host has no dot, hence not "localhost".
export const keyHost = `127.0.0.1:${ports.frontend}`;

export const chromium = process.env.E2E_CHROMIUM ?? "/usr/bin/chromium";
export const databaseUrl = process.env.E2E_DATABASE_URL;

const tlsPort = Number(process.env.E2E_TLS_PORT ?? 4443);

/** A site as in production: app and Frontend API behind TLS, on hosts of one domain. */
export const site = {
  domain: "doorward.test",
  port: tlsPort,
  app: `https://app.doorward.test:${tlsPort}`,
  frontend: `https://clerk.doorward.test:${tlsPort}`,
  // Where the official SDKs of today have their popups end.
  accounts: `https://accounts.doorward.test:${tlsPort}`,
};

export const kinds = {
  test: { prefix: "pk_test_", production: false, keyHost },
  live: { prefix: "pk_live_", production: true, keyHost },
  // A development instance where production ones are kept.
  served: { prefix: "pk_test_", production: true, environment: "development", keyHost },
  site: { prefix: "pk_live_", production: true, keyHost: new URL(site.frontend).host, site },
};

export function publishableKey(kind) {
  return kinds[kind].prefix + Buffer.from(`${kinds[kind].keyHost}$`).toString("base64").replace(/=+$/, "");
}

const script = (name) => `${urls.frontend}/npm/@clerk/${name}`;

export const apps = {
  v4: {
    directory: resolve(here, "../examples/seed"),
    scripts: { NEXT_PUBLIC_CLERK_JS: script("clerk-js@4/dist/clerk.browser.js") },
    suffixedSession: false,
    tellsOtherTabs: false,
  },
  v6: {
    directory: resolve(here, "../examples/seed-v6"),
    scripts: { NEXT_PUBLIC_CLERK_JS_URL: script("clerk-js@5/dist/clerk.browser.js") },
    suffixedSession: true,
    tellsOtherTabs: true,
  },
  v7: {
    directory: resolve(here, "../examples/seed-v7"),
    scripts: {
      NEXT_PUBLIC_CLERK_JS_URL: script("clerk-js@6/dist/clerk.browser.js"),
      NEXT_PUBLIC_CLERK_UI_URL: script("ui@1/dist/ui.browser.js"),
    },
    suffixedSession: true,
    tellsOtherTabs: true,
    signals: true,
  },
};

const ownPackages = ["react", "nextjs"].map((name) => resolve(here, "../packages", name));

/** Apps on our own packages, which `scripts/packages.sh` has built. */
export const ownApps = {
  "ours-alias": { directory: resolve(here, "../examples/ours-alias"), packages: ownPackages },
  ours: { directory: resolve(here, "../examples/ours"), packages: ownPackages },
};

export const sdkPackages = ["@clerk/clerk-js@4", "@clerk/clerk-js@5", "@clerk/clerk-js@6", "@clerk/ui@1"];

export function doorwardBinary() {
  const named = process.env.DOORWARD_BIN;
  const candidates = named ? [resolve(named)] : ["release", "debug"].map((p) => resolve(here, `../target/${p}/doorward`));
  const found = candidates.find((path) => existsSync(path));
  if (!found) {
    throw new Error(`no doorward at ${candidates.join(" or ")}: build it, or name it in DOORWARD_BIN`);
  }
  return found;
}

/**
 * The variables that each started program gets. What the caller's shell holds
 * for an instance or an app of its own must not reach the ones under test.
 */
export function cleanEnv(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(DOORWARD_|CLERK_|NEXT_|NODE_TEST|NODE_OPTIONS|FAKETIME|LD_PRELOAD|PORT$)/.test(name));
  return { ...Object.fromEntries(kept), NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", ...extra };
}
