import { decodeToken, type VerifyRules, verifySignature } from "./jwt.js";
import { keyFor } from "./jwks.js";
import type { Settings } from "./options.js";

export const parameters = {
  handshake: "__clerk_handshake",
  nonce: "__clerk_handshake_nonce",
  devBrowser: "__clerk_db_jwt",
  help: "__clerk_help",
  count: "__clerk_redirect_count",
} as const;

const apiVersion = "2025-11-10";

/** Only a document that a person is looking at can be sent away and back. */
export function isDocument(headers: Headers): boolean {
  const destination = headers.get("sec-fetch-dest");
  if (destination) return destination === "document" || destination === "iframe";
  return headers.get("accept")?.startsWith("text/html") ?? false;
}

export interface Asked {
  reason: string;
  settings: Settings;
  url: URL;
  suffixed: boolean;
  session?: string;
  devBrowser?: string;
}

export function handshakeUrl({ reason, settings, url, suffixed, session, devBrowser }: Asked): string {
  const back = new URL(url);
  back.searchParams.delete(parameters.devBrowser);
  const target = new URL(`${settings.frontendApi}/v1/client/handshake`);
  target.searchParams.set("redirect_url", back.href);
  target.searchParams.set("__clerk_api_version", apiVersion);
  target.searchParams.set("suffixed_cookies", String(suffixed));
  target.searchParams.set("__clerk_hs_reason", reason);
  target.searchParams.set("format", "nonce");
  if (session) target.searchParams.set("__session", session);
  if (!settings.production && devBrowser) target.searchParams.set(parameters.devBrowser, devBrowser);
  return target.href;
}

/** The cookies that a finished handshake wants set, checked to be from the instance. */
export async function directives(payload: { token?: string; nonce?: string }, settings: Settings, rules: VerifyRules): Promise<string[]> {
  const held = payload.nonce ? await fromNonce(payload.nonce, settings) : await fromToken(payload.token ?? "", settings, rules);
  if (!Array.isArray(held) || !held.every((it) => typeof it === "string")) throw new Error("a handshake without cookies");
  return held;
}

async function fromNonce(nonce: string, { apiUrl, secretKey, fetch: ask = fetch }: Settings): Promise<unknown> {
  if (!apiUrl || !secretKey) throw new Error("no Backend API to ask for the handshake's payload");
  const url = `${apiUrl.replace(/\/+$/, "")}/v1/clients/handshake_payload?nonce=${encodeURIComponent(nonce)}`;
  const response = await ask(url, { headers: { Authorization: `Bearer ${secretKey}` }, cache: "no-store" });
  if (!response.ok) throw new Error(`the handshake's payload: status ${response.status}`);
  return ((await response.json()) as { directives?: unknown }).directives;
}

async function fromToken(token: string, settings: Settings, rules: VerifyRules): Promise<unknown> {
  const decoded = decodeToken(token);
  await verifySignature(decoded, await keyFor(decoded.header, settings, rules.now));
  return decoded.payload.handshake;
}

/** The token among the directives; the last one counts, an empty one is a sign-out. */
export function sessionIn(cookies: readonly string[]): string {
  const last = cookies.filter((cookie) => /^__session(_[\w-]+)?=/.test(cookie)).at(-1);
  return last?.slice(last.indexOf("=") + 1).split(";")[0]?.trim() ?? "";
}
