import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apps as official, cleanEnv, kinds, out, ownApps, ports, publishableKey, urls } from "./config.mjs";
import { Program, assertFree, run } from "./program.mjs";

const apps = { ...official, ...ownApps };
const generated = /^(node_modules|\.next.*|next-env\.d\.ts|.*\.tsbuildinfo)$/;

function publicEnv(version, kind) {
  // A site in production has nothing but its keys.
  const addresses = kinds[kind].site ? {} : { ...apps[version].scripts, NEXT_PUBLIC_CLERK_PROXY_URL: urls.frontend };
  return {
    ...addresses,
    NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY: publishableKey(kind),
    NEXT_PUBLIC_CLERK_SIGN_IN_URL: "/signin",
    NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED: "1",
    NEXT_PUBLIC_CLERK_KEYLESS_DISABLED: "1",
    NEXT_DIST_DIR: `.next-e2e-${kind}`,
    NEXT_IGNORE_INCORRECT_LOCKFILE: "1",
  };
}

function* files(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (generated.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

function fingerprint(version, env) {
  const hash = createHash("sha256");
  for (const path of files(apps[version].directory)) {
    hash.update(path).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.update(JSON.stringify(env)).update(digest(apps[version])).digest("hex");
}

// What npm copies into an app is not in its lock file.
function digest({ directory, packages = [] }) {
  const hash = createHash("sha256").update(readFileSync(join(directory, "package-lock.json")));
  for (const path of packages.flatMap((it) => [join(it, "package.json"), ...files(join(it, "dist"))])) hash.update(path).update(readFileSync(path));
  return hash.update(process.version).digest("hex");
}

function fresh(path, key) {
  return existsSync(path) && readFileSync(path, "utf8") === key;
}

async function install(version) {
  const { directory } = apps[version];
  const key = digest(apps[version]);
  const stamp = join(directory, "node_modules/.e2e");
  if (fresh(stamp, key)) return;
  await run("nice", ["-n", "10", "npm", "ci", "--prefer-offline"], { cwd: directory, env: cleanEnv() });
  writeFileSync(stamp, key);
}

async function build(version, kind) {
  await install(version);
  const { directory } = apps[version];
  const env = publicEnv(version, kind);
  const key = fingerprint(version, env);
  const stamp = join(directory, env.NEXT_DIST_DIR, "e2e-key");
  if (fresh(stamp, key)) return;
  // Next believes that a package of the same version is the same package.
  rmSync(join(directory, env.NEXT_DIST_DIR), { recursive: true, force: true });
  const log = await run("nice", ["-n", "10", "node", "node_modules/next/dist/bin/next", "build"], { cwd: directory, env: cleanEnv(env) });
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `build-${version}-${kind}.log`), log);
  writeFileSync(stamp, key);
}

const builds = new Map();
let queue = Promise.resolve();

/**
 * Builds one after the other, in the order asked for, while stories that are
 * ready already run. A failed build fails its own story alone.
 */
export function plan(version, kind) {
  const built = queue.then(() => build(version, kind));
  queue = built.catch(() => {});
  built.catch(() => {});
  builds.set(`${version}-${kind}`, built);
}

export async function startApp(version, kind, { secretKey, clock, port = ports.app }) {
  await builds.get(`${version}-${kind}`);
  await assertFree(port);
  const program = new Program(`app-${version}-${kind}`, process.execPath, ["node_modules/next/dist/bin/next", "start", "-H", "localhost", "-p", String(port)], {
    cwd: apps[version].directory,
    env: cleanEnv({ ...publicEnv(version, kind), ...clock.env, CLERK_SECRET_KEY: secretKey, CLERK_API_URL: urls.backend }),
  });
  // A path outside the middleware: the app is up even if Doorward is not.
  await program.ready(`http://localhost:${port}/favicon.ico`, (response) => response.status === 404);
  return program;
}
