// A core that does not start would only be noticed in a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import init, { Core } from "./react/dist/doorward_client.js";

await init({ module_or_path: readFileSync(new URL("./react/dist/doorward_client_bg.wasm", import.meta.url)) });
const publishableKey = `pk_live_${Buffer.from("clerk.example.com$").toString("base64")}`;
const page = "https://app.example.com";
const core = new Core(JSON.stringify({ publishableKey, origin: page, href: `${page}/`, now: Date.now(), seed: "0".repeat(16), cookies: "" }));
core.command(JSON.stringify({ call: 1, now: Date.now(), do: "load", params: {} }));
const effects = JSON.parse(core.effects());
assert.ok(effects.some((it) => it.do === "request" && it.url.startsWith("https://clerk.example.com/v1/client")), JSON.stringify(effects));
assert.equal(JSON.parse(core.snapshot()).isLoaded, false);
assert.throws(() => new Core("{}"));
