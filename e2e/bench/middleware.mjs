// Processor time that a request costs in the middleware which finds out who sent it: our package and the official ones, with the
// same tokens and cookies, in turns, in one process. Prints a table, writes out/middleware.json, and fails when ours takes more.
//
//   node e2e/bench/middleware.mjs        ROUNDS=15 REQUESTS=2000; needs packages/nextjs/dist and the examples' node_modules
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { out } from "../lib/config.mjs";

const rounds = Number(process.env.ROUNDS ?? 15);
const requests = Number(process.env.REQUESTS ?? 2000);
const app = "https://app.example.com";
const publishableKey = `pk_live_${Buffer.from("clerk.example.com$").toString("base64").replace(/=+$/, "")}`;
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwtKey = pair.publicKey.export({ type: "spki", format: "pem" });
const options = { jwtKey, authorizedParties: [app] };
process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY = publishableKey;
process.env.CLERK_SECRET_KEY = "sk_live_bench";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(n) {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { azp: app, exp: iat + 3600, fva: [0, -1], iat, iss: "https://clerk.example.com", nbf: iat - 10, sid: `sess_${n}`, sts: "active", sub: `user_${n}`, v: 2 };
  const signed = `${encode({ alg: "RS256", cat: "cl_B7d4PD111AAA", kid: "ins_1", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), pair.privateKey).toString("base64url")}`;
}

const suffix = createHash("sha1").update(publishableKey).digest("base64url").slice(0, 8);
const tokens = Array.from({ length: requests }, (_, n) => token(n));
const headersOf = (jwt) => {
  const uat = Math.floor(Date.now() / 1000) - 60;
  const session = `__session=${jwt}; __session_${suffix}=${jwt}; __client_uat=${uat}; __client_uat_${suffix}=${uat}`;
  return { cookie: `theme=dark; ${session}`, host: "app.example.com", "x-forwarded-proto": "https", accept: "text/html", "sec-fetch-dest": "document", "user-agent": "Mozilla/5.0" };
};

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const official = (version, directory) => {
  const require = createRequire(path(`${directory}/package.json`));
  const { version: exact } = JSON.parse(readFileSync(path(`${directory}/node_modules/@clerk/nextjs/package.json`), "utf8"));
  return { name: `@clerk/nextjs ${exact}`, version, NextRequest: require("next/server").NextRequest, ...require("@clerk/nextjs/server") };
};
const ours = createRequire(path("packages/nextjs/package.json"));
const subjects = [
  { name: "@doorward/nextjs", version: "ours", NextRequest: ours("next/server").NextRequest, ...(await import(path("packages/nextjs/dist/server/index.js"))) },
  official("v6", "examples/seed-v6"),
  official("v7", "examples/seed-v7"),
];

/** What the pages behind the middleware are told. */
const found = (response) => response.headers.get("x-middleware-request-x-clerk-auth-status");

for (const subject of subjects) {
  const middleware = subject.clerkMiddleware(options);
  const { NextRequest } = subject;
  subject.run = async () => {
    const all = tokens.map((jwt) => new NextRequest(`${app}/page?a=b`, { headers: headersOf(jwt) }));
    const before = process.cpuUsage();
    for (const request of all) await middleware(request, { waitUntil: () => {} });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  const response = await middleware(new NextRequest(`${app}/`, { headers: headersOf(tokens[0]) }), { waitUntil: () => {} });
  assert.equal(found(response), "signed-in", subject.name);
  const spoilt = await middleware(new NextRequest(`${app}/`, { headers: headersOf(`${tokens[0].slice(0, -4)}AAAA`) }), { waitUntil: () => {} });
  assert.notEqual(found(spoilt), "signed-in", `${subject.name}: a signature that is none`);
  subject.seen = [];
}

/** The signature alone: what nobody gets below. */
const key = await crypto.subtle.importKey("spki", pair.publicKey.export({ type: "spki", format: "der" }), { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["verify"]);
const alone = {
  name: "checking the signature, no more",
  version: "signature",
  seen: [],
  run: async () => {
    const parts = tokens.map((jwt) => [Buffer.from(jwt.slice(jwt.lastIndexOf(".") + 1), "base64url"), Buffer.from(jwt.slice(0, jwt.lastIndexOf(".")))]);
    const before = process.cpuUsage();
    for (const [signature, signed] of parts) assert.ok(await crypto.subtle.verify("RSASSA-PKCS1-v1_5", key, signature, signed));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  },
};

const all = [...subjects, alone];
for (const subject of all) await subject.run();
for (let n = 0; n < rounds; n += 1) {
  // Each time another one begins, so that none is always after the same.
  for (let at = 0; at < all.length; at += 1) {
    const subject = all[(n + at) % all.length];
    globalThis.gc?.();
    subject.seen.push(await subject.run());
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const [mine] = subjects;
// Within a round, so that what else the machine does counts for both.
const ratio = (subject) => median(mine.seen.map((took, n) => took / subject.seen[n]));
const result = all.map((subject) => ({ name: subject.name, version: subject.version, microseconds: median(subject.seen), ratio: ratio(subject) }));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "middleware.json"), `${JSON.stringify({ rounds, requests, node: process.version, result }, null, 2)}\n`);
console.log(`${"processor time per request".padEnd(40)} ${"µs".padStart(8)}   ours / it`);
for (const { name, microseconds, ratio } of result) console.log(`${name.padEnd(40)} ${microseconds.toFixed(1).padStart(8)}   ${ratio.toFixed(2)}`);
const over = result.filter(({ version, ratio }) => version !== "signature" && ratio > 1);
if (over.length) {
  console.error(`error: more than ${over.map(({ name }) => name).join(", ")}`);
  process.exitCode = 1;
}
