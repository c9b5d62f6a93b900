import { fromBase64Url, textOf, utf8 } from "./bytes.js";

export type TokenReason =
  | "token-expired"
  | "token-invalid"
  | "token-invalid-algorithm"
  | "token-invalid-authorized-parties"
  | "token-invalid-issuer"
  | "token-invalid-signature"
  | "token-not-active-yet"
  | "token-iat-in-the-future"
  | "token-type-mismatch"
  | "jwk-failed-to-load"
  | "jwk-kid-mismatch"
  | "jwt-key-invalid";

export class TokenVerificationError extends Error {
  override readonly name = "TokenVerificationError";
  constructor(
    readonly reason: TokenReason,
    message: string,
  ) {
    super(message);
  }
}

export interface SessionClaims {
  azp?: string;
  exp: number;
  iat: number;
  iss: string;
  nbf?: number;
  sid: string;
  sub: string;
  sts?: "active" | "pending";
  v?: number;
  act?: { sub: string; [claim: string]: unknown };
  fva?: [number, number];
  org_id?: string;
  org_slug?: string;
  org_role?: string;
  org_permissions?: string[];
  o?: { id: string; slg?: string; rol?: string; per?: string; fpm?: string };
  fea?: string;
  [claim: string]: unknown;
}

export interface DecodedToken {
  header: { alg: string; kid?: string; typ?: string; cat?: string; crit?: unknown };
  payload: SessionClaims;
  signed: string;
  signature: Uint8Array<ArrayBuffer>;
}

/** Reads a token without believing it. */
export function decodeToken(token: string): DecodedToken {
  const parts = token.split(".");
  if (parts.length !== 3) throw new TokenVerificationError("token-invalid", "A token has three parts.");
  try {
    const [header, payload] = [0, 1].map((i) => JSON.parse(textOf(fromBase64Url(parts[i]!))));
    if (!isObject(header) || !isObject(payload)) throw new Error("not an object");
    return {
      header: header as DecodedToken["header"],
      payload: payload as SessionClaims,
      signed: `${parts[0]}.${parts[1]}`,
      signature: fromBase64Url(parts[2]!),
    };
  } catch {
    throw new TokenVerificationError("token-invalid", "The token cannot be read.");
  }
}

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

export interface VerifyRules {
  now: number;
  clockSkewInMs?: number;
  authorizedParties?: readonly string[];
  issuers?: readonly string[];
}

const rs256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

// The other categories are signed with the same key and are no sessions.
const sessionCategory = "cl_B7d4PD111AAA";

export async function verifySignature({ header, signed, signature }: DecodedToken, key: CryptoKey): Promise<void> {
  assertHeader(header);
  const good = await crypto.subtle.verify(rs256.name, key, signature, utf8(signed)).catch(() => false);
  if (!good) throw new TokenVerificationError("token-invalid-signature", "The token's signature is wrong.");
}

export function assertHeader(header: DecodedToken["header"]): void {
  // One algorithm, whatever the token says: the key is never used as anything else.
  if (header.alg !== "RS256") throw new TokenVerificationError("token-invalid-algorithm", "The token is not signed with RS256.");
  if (header.typ !== undefined && header.typ !== "JWT") throw new TokenVerificationError("token-invalid", "This is no JWT.");
  // RFC 7515, 4.1.11: what must be understood and is not makes a token invalid.
  if (header.crit !== undefined) throw new TokenVerificationError("token-invalid", "The token demands an extension.");
}

export function assertSession({ header, payload }: DecodedToken, rules: VerifyRules): void {
  if (header.cat !== undefined && header.cat !== sessionCategory) {
    throw new TokenVerificationError("token-type-mismatch", "This is not a session's token.");
  }
  const { sub, sid, exp, iat, nbf, azp, iss } = payload;
  if (typeof sub !== "string" || sub === "" || typeof sid !== "string" || typeof iss !== "string") {
    throw new TokenVerificationError("token-invalid", "The token names no user, session or issuer.");
  }
  if (!isMoment(exp) || !isMoment(iat) || (nbf !== undefined && !isMoment(nbf))) {
    throw new TokenVerificationError("token-invalid", "The token's times are not numbers.");
  }
  if (rules.issuers && !rules.issuers.includes(iss)) {
    throw new TokenVerificationError("token-invalid-issuer", `The token was issued by ${iss}.`);
  }
  if (rules.authorizedParties?.length && (typeof azp !== "string" || !rules.authorizedParties.includes(azp))) {
    throw new TokenVerificationError("token-invalid-authorized-parties", `The token was issued for ${azp ?? "nobody"}.`);
  }
  const skew = rules.clockSkewInMs ?? 5000;
  if (exp * 1000 <= rules.now - skew) throw new TokenVerificationError("token-expired", "The token has expired.");
  if (nbf !== undefined && nbf * 1000 > rules.now + skew) throw new TokenVerificationError("token-not-active-yet", "The token is not valid yet.");
  if (iat * 1000 > rules.now + skew) throw new TokenVerificationError("token-iat-in-the-future", "The token was issued in the future.");
}

const isMoment = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

export function importJwk(jwk: JsonWebKey): Promise<CryptoKey> {
  const { kty, n, e } = jwk;
  return crypto.subtle.importKey("jwk", { kty, n, e, alg: "RS256", ext: true }, rs256, false, ["verify"]);
}

export async function importPem(pem: string): Promise<CryptoKey> {
  // Environment files often hold the line breaks as two characters.
  const body = pem.replace(/\\n/g, "\n").replace(/-----(BEGIN|END) PUBLIC KEY-----/g, "").replace(/\s+/g, "");
  try {
    const der = Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
    return await crypto.subtle.importKey("spki", der, rs256, false, ["verify"]);
  } catch {
    throw new TokenVerificationError("jwt-key-invalid", "The JWT key is not an RSA public key in PEM form.");
  }
}
