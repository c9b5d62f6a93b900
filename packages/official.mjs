// What the official browser scripts weigh, packed: counted in the packages that npm has, of fixed versions.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);

// `loaded` is what a page with that SDK fetches until `isLoaded`, the app's share and further chunks included, and `later` what it
// fetches after that: seen once in a browser, for no count of files tells it (`node e2e/bench/loaded.mjs` does).
const scripts = [
  { name: "@clerk/nextjs 4", files: { "@clerk/clerk-js@4.73.14": ["clerk.browser.js"] }, loaded: 62_500 },
  { name: "@clerk/nextjs 4, headless script", files: { "@clerk/clerk-js@4.73.14": ["clerk.headless.browser.js"] }, loaded: 46_400 },
  { name: "@clerk/nextjs 6", files: { "@clerk/clerk-js@5.128.0": ["clerk.browser.js"] }, loaded: 138_700, later: "220 to 250 kB" },
  { name: "@clerk/nextjs 7", files: { "@clerk/clerk-js@6.40.0": ["clerk.browser.js"], "@clerk/ui@1.36.0": ["ui.browser.js"] }, loaded: 197_200, later: "220 to 250 kB" },
];

/** The scripts with `bytes`, which is missing where npm cannot be reached. */
export async function official() {
  const directory = mkdtempSync(join(tmpdir(), "doorward-size-"));
  const packages = new Map();
  const unpacked = (spec) => {
    if (!packages.has(spec)) {
      packages.set(spec, run("npm", ["pack", "--silent", "--prefer-offline", "--pack-destination", directory, spec]).then(({ stdout }) => join(directory, stdout.trim())));
    }
    return packages.get(spec);
  };
  const weigh = async (spec, name) => {
    const { stdout } = await run("tar", ["-xOzf", await unpacked(spec), `package/dist/${name}`], { encoding: "buffer", maxBuffer: 2 ** 26 });
    return gzipSync(stdout, { level: 9 }).length;
  };
  try {
    return await Promise.all(
      scripts.map(async ({ files, ...script }) => {
        const all = Object.entries(files).flatMap(([spec, names]) => names.map((name) => weigh(spec, name)));
        return { ...script, packages: Object.keys(files), bytes: (await Promise.all(all)).reduce((sum, it) => sum + it, 0) };
      }),
    );
  } catch (error) {
    console.error(`NOT COUNTED: the official scripts, because npm cannot fetch them: ${String(error.message).split("\n")[0]}`);
    return scripts.map(({ files: _, ...script }) => script);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
