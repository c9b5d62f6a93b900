import { type DecodedToken, TokenVerificationError, importJwk, importPem } from "./jwt.js";

interface Jwk extends JsonWebKey {
  kid?: string;
}

interface KeySet {
  keys: Map<string, CryptoKey>;
  loadedAt: number;
}

export interface KeySource {
  jwtKey?: string;
  jwksUrl: string;
  /** Only for the Backend API: the other address may be anybody's proxy. */
  jwksSecret?: string;
  fetch?: typeof fetch;
}

const lifetime = 5 * 60_000;
/** How soon a token with a key that nobody knows may cause another look. */
const patience = 10_000;

const sets = new Map<string, KeySet>();
const loading = new Map<string, Promise<KeySet>>();
const pems = new Map<string, Promise<CryptoKey>>();

export async function keyFor(header: DecodedToken["header"], source: KeySource, now: number): Promise<CryptoKey> {
  if (source.jwtKey) return fromPem(source.jwtKey);
  if (!header.kid) throw new TokenVerificationError("jwk-kid-mismatch", "The token names no key.");
  let set = sets.get(source.jwksUrl);
  const age = set ? Math.abs(now - set.loadedAt) : Infinity;
  if (!set || age > lifetime || (!set.keys.has(header.kid) && age > patience)) {
    try {
      set = await load(source, now);
    } catch (error) {
      // Keys change rarely: those of some minutes ago are better than signing
      // everybody out while the server restarts.
      if (!set?.keys.has(header.kid)) throw error;
    }
  }
  const key = set.keys.get(header.kid);
  if (!key) throw new TokenVerificationError("jwk-kid-mismatch", "No published key has this token's kid.");
  return key;
}

function fromPem(pem: string): Promise<CryptoKey> {
  let key = pems.get(pem);
  if (!key) {
    key = importPem(pem);
    pems.set(pem, key);
  }
  return key;
}

function load(source: KeySource, now: number): Promise<KeySet> {
  let pending = loading.get(source.jwksUrl);
  if (!pending) {
    pending = request(source, now).finally(() => loading.delete(source.jwksUrl));
    loading.set(source.jwksUrl, pending);
  }
  return pending;
}

async function request({ jwksUrl, jwksSecret, fetch: ask = fetch }: KeySource, now: number): Promise<KeySet> {
  let published: Jwk[];
  try {
    const response = await ask(jwksUrl, {
      headers: jwksSecret ? { Authorization: `Bearer ${jwksSecret}` } : {},
      // Next keeps answers in a cache of its own, for longer than we would.
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    ({ keys: published } = (await response.json()) as { keys: Jwk[] });
  } catch (error) {
    throw new TokenVerificationError("jwk-failed-to-load", `The keys at ${jwksUrl} cannot be read: ${(error as Error).message}`);
  }
  const keys = new Map<string, CryptoKey>();
  for (const jwk of published) {
    if (jwk.kty === "RSA" && jwk.kid && (jwk.use ?? "sig") === "sig" && (jwk.alg ?? "RS256") === "RS256") {
      keys.set(jwk.kid, await importJwk(jwk));
    }
  }
  const set = { keys, loadedAt: now };
  sets.set(jwksUrl, set);
  return set;
}

/** For tests: as if the process had just begun. */
export function forgetKeys(): void {
  sets.clear();
  pems.clear();
}
