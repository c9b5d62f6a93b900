// Makes the account pages' files from packages/react/dist, into the directory that it is given: each file and its packed
// twin, and a version that is made of their contents. The same sources give the same bytes.
//
//   node packages/account/build.mjs crates/pages/built
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { firstLoad } from "../first-load.mjs";

const [out] = process.argv.slice(2);
if (!out) throw new Error("usage: node packages/account/build.mjs DIRECTORY");
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const wasm = "../react/dist/doorward_client_bg.wasm";

const { outputFiles, metafile } = await build({
  entryPoints: [path("src/main.tsx")],
  absWorkingDir: path("."),
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  outdir: "out",
  entryNames: "account",
  chunkNames: "[name]-[hash]",
  // The account's own screens are of no use to who signs in.
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  // A page that nobody shares with another React: the small one does.
  alias: { react: "preact/compat", "react-dom": "preact/compat", "react-dom/client": "preact/compat/client", "react/jsx-runtime": "preact/jsx-runtime" },
  legalComments: "none",
  logLevel: "error",
});
const files = {
  ...Object.fromEntries(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)])),
  "account.css": Buffer.concat([readFileSync(path("../react/dist/styles.css")), readFileSync(path("src/account.css"))]),
  "doorward_client_bg.wasm": readFileSync(path(wasm)),
};

mkdirSync(out, { recursive: true });
const hash = createHash("sha256");
const first = [...firstLoad(metafile, (entry) => entry === "src/main.tsx")].map((path) => basename(path));
let loaded = 0;
for (const [name, bytes] of Object.entries(files)) {
  hash.update(`${name} ${bytes.length} `).update(bytes);
  const packed = gzipSync(bytes, { level: 9 });
  // What system packed it is nobody's business, and would differ (RFC 1952, 2.3.1).
  packed[9] = 255;
  if (!name.endsWith(".js") || first.includes(name)) loaded += packed.length;
  writeFileSync(join(out, name), bytes);
  writeFileSync(join(out, `${name}.gz`), packed);
}
writeFileSync(join(out, "version"), `${hash.digest("hex").slice(0, 16)}\n`);
console.error(`==> ${out}: ${(loaded / 1000).toFixed(1)} kB until one can sign in, packed`);
