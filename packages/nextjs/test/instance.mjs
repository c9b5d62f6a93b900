import { createHash, generateKeyPairSync, sign } from "node:crypto";

export const app = "http://localhost:3100";
export const frontendApi = "http://localhost:4100";
export const apiUrl = "http://localhost:4101";
export const now = 1_790_000_000_000;
export const seconds = now / 1000;

export const b64 = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
export const keyFor = (kind) => `pk_${kind}_${Buffer.from("127.0.0.1:4100$").toString("base64")}`;
export const suffixOf = (key) => createHash("sha1").update(key).digest("base64url").slice(0, 8);

const pairs = new Map();
export function pair(name) {
  if (!pairs.has(name)) pairs.set(name, generateKeyPairSync("rsa", { modulusLength: 2048 }));
  return pairs.get(name);
}

export const pem = (name) => pair(name).publicKey.export({ type: "spki", format: "pem" });
export const jwk = (name) => ({ ...pair(name).publicKey.export({ format: "jwk" }), kid: name, use: "sig", alg: "RS256" });

export const claims = { azp: app, exp: seconds + 60, iat: seconds, iss: frontendApi, nbf: seconds - 10, sid: "sess_1", sts: "active", sub: "user_1", v: 2 };

export function token({ payload = {}, header = {}, key = "ins_1" } = {}) {
  const head = { alg: "RS256", kid: key, typ: "JWT", ...header };
  const signed = `${b64(head)}.${b64({ ...claims, ...payload })}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), pair(key).privateKey).toString("base64url")}`;
}

/** A server that publishes these keys, and counts who asks. */
export function publisher(...names) {
  const asked = [];
  const it = {
    asked,
    names,
    fetch: async (url, init) => {
      asked.push({ url: String(url), init });
      return Response.json({ keys: it.names.map(jwk) });
    },
  };
  return it;
}

export function options(kind = "live", more = {}) {
  return { publishableKey: keyFor(kind), secretKey: `sk_${kind}_x`, proxyUrl: frontendApi, jwtKey: pem("ins_1"), now: () => now, ...more };
}

/** What a browser sends when somebody opens a page. */
export function page(cookies = {}, { path = "/", headers = {} } = {}) {
  const cookie = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join("; ");
  return new Request(app + path, { headers: { accept: "text/html", "sec-fetch-dest": "document", host: new URL(app).host, ...(cookie && { cookie }), ...headers } });
}
