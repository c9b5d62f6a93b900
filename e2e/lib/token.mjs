import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { urls } from "./config.mjs";

/** What the SDKs append to the names of their cookies for one key. */
export function cookieSuffix(publishableKey) {
  return createHash("sha1").update(publishableKey).digest("base64url").slice(0, 8);
}

const part = (text) => JSON.parse(Buffer.from(text, "base64url").toString());

export function decode(token) {
  const [header, payload] = token.split(".");
  return { header: part(header), payload: part(payload) };
}

/** Checks the signature against the published keys; answers the claims. */
export async function verified(token) {
  const { header, payload } = decode(token);
  assert.equal(header.alg, "RS256");
  const { keys } = await (await fetch(`${urls.frontend}/.well-known/jwks.json`)).json();
  const jwk = keys.find((key) => key.kid === header.kid);
  assert.ok(jwk, `no published key ${header.kid}`);
  const [head, body, signature] = token.split(".");
  const good = verify("sha256", Buffer.from(`${head}.${body}`), createPublicKey({ key: jwk, format: "jwk" }), Buffer.from(signature, "base64url"));
  assert.ok(good, "the signature of the session token");
  return payload;
}
