import { decodeToken } from "./jwt.js";

export function parseCookies(header: string | null | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at < 0) continue;
    const name = pair.slice(0, at).trim();
    // Browsers send the cookie with the longest path first.
    if (!cookies.has(name)) cookies.set(name, unescaped(pair.slice(at + 1).trim()));
  }
  return cookies;
}

function unescaped(value: string): string {
  try {
    return value.includes("%") ? decodeURIComponent(value) : value;
  } catch {
    return value;
  }
}

function claims(token: string | undefined) {
  try {
    return token ? decodeToken(token).payload : undefined;
  } catch {
    return undefined;
  }
}

interface Family {
  session?: string;
  uat: number;
  suffixed: boolean;
}

/**
 * Two instances on one host share the plain names; the suffixed ones belong to
 * one key. Which of them to believe is what the official packages decide.
 */
export function chooseFamily(cookies: Map<string, string>, suffix: string, issuerHosts: string[], production: boolean, now: number): Family {
  const [plain, plainUat] = [cookies.get("__session"), cookies.get("__client_uat")];
  const [own, ownUat] = [cookies.get(`__session_${suffix}`), cookies.get(`__client_uat_${suffix}`)];
  const plainFamily = { session: plain || undefined, uat: Number(plainUat) || 0, suffixed: false };
  const ownFamily = { session: own || undefined, uat: Number(ownUat) || 0, suffixed: true };

  const plainClaims = claims(plain);
  const ownClaims = claims(own);
  if (plain && !plainClaims?.iss) return own ? ownFamily : plainFamily;
  if (plain && !issuerHosts.includes(hostOf(plainClaims!.iss))) return ownFamily;
  if (ownUat === undefined && !own) return plainFamily;
  if (ownUat !== "0" && plainUat !== "0" && (plainClaims?.iat ?? 0) > (ownClaims?.iat ?? 0)) return plainFamily;
  if (ownUat === "0" && plainUat !== "0") return plainFamily;
  if (!production && ownUat !== "0" && plainUat === "0" && ownClaims && ownClaims.exp * 1000 <= now) return plainFamily;
  if (ownUat === undefined && own) return plainFamily;
  return ownFamily;
}

export function hostOf(issuer: string): string {
  try {
    return new URL(issuer).host;
  } catch {
    return "";
  }
}
