// What a browser loads until useSignIn() works, packed: the core, its glue and
// the hook, with React and the framework left out; and beside it the browser
// scripts of the official SDKs, whose own share in the app is not in them.
//
//   node packages/size.mjs [--json]      fails when a limit is passed
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { firstLoad } from "./first-load.mjs";
import { official } from "./official.mjs";

const limit = 60_000;
const aim = 45_000;
const glueAim = 8 * 1024;

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const packed = (bytes) => gzipSync(bytes, { level: 9 }).length;

async function bundled(entry) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: path("react/dist"), loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    outdir: "out",
    splitting: true,
    format: "esm",
    target: "es2022",
    external: ["react", "react/jsx-runtime", "react-dom"],
    logLevel: "error",
  });
  const made = new Map(outputFiles.map((it) => [relative(process.cwd(), it.path), it.contents]));
  return [...firstLoad(metafile, (entry) => entry === "<stdin>")].reduce((sum, path) => sum + packed(made.get(path)), 0);
}

const core = packed(readFileSync(path("react/dist/doorward_client_bg.wasm")));
const classic = await bundled(`export { DoorwardProvider } from "./provider.js"; export { useSignIn } from "./hooks.js";`);
const signals = await bundled(`export { DoorwardProvider } from "./provider.js"; export { useSignIn } from "./signals.js";`);
const everything = await bundled(`export * from "./index.js"; export { useSignIn as useSignInSignal } from "./signals.js";`);
const total = core + classic;
const others = await official();

if (process.argv.includes("--json")) {
  console.log(JSON.stringify({ core, classic, signals, everything, total, limit, aim, official: others }));
} else {
  const row = (name, bytes, note = "") => console.log(`${name.padEnd(48)} ${bytes === undefined ? "      ?" : (bytes / 1000).toFixed(1).padStart(7)} kB  ${note}`);
  row("core (WebAssembly)", core);
  row("provider, useSignIn and glue", classic, classic <= glueAim ? "" : `aim ${glueAim / 1024} KiB`);
  row("useSignIn until it works", total, `limit ${limit / 1000} kB, aim ${aim / 1000} kB${total <= aim ? ": met" : ""}`);
  row("  with the newer hook instead", core + signals);
  row("  with all hooks and components", core + everything);
  for (const { name, bytes, loaded, later } of others) {
    const seen = `until isLoaded, seen once: ${(loaded / 1000).toFixed(1)} kB${later ? ` and ${later} later` : ""}`;
    row(`${name}: its script`, bytes, seen);
  }
}
if (total > limit) {
  console.error(`error: ${total} bytes until useSignIn() works; the limit is ${limit}`);
  process.exitCode = 1;
}
