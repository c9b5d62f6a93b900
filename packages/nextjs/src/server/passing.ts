import { type AuthObject, signedIn, signedOut } from "./auth-object.js";
import { createDoorwardClient } from "./backend.js";
import type { RequestState } from "./authenticate.js";
import { decodeToken } from "./jwt.js";
import { hmac, same } from "./hmac.js";

// The middleware tells the pages behind it what it found by headers, under the
// names that the protocol has for them. A caller could send the same headers:
// what counts is the signature, and only the app has the key to it.

const header = (name: string) => `x-clerk-auth-${name}`;
const names = ["status", "token", "reason", "message", "signature"] as const;

function signature(secretKey: string, status: string, token: string): string {
  return hmac(secretKey, `doorward-middleware\n${status}\n${token}`);
}

export function requestHeaders({ status, token, reason, message, settings, url }: RequestState): Record<string, string> {
  if (!settings.secretKey) throw new Error("Doorward: DOORWARD_SECRET_KEY is not set.");
  const values = {
    status,
    token: token ?? "",
    reason: reason ?? "",
    message: message.replace(/[^\x20-\x7e]/g, " "),
    signature: signature(settings.secretKey, status, token ?? ""),
  };
  return { "x-clerk-clerk-url": url.href, ...Object.fromEntries(names.map((name) => [header(name), values[name]])) };
}

/** What the middleware found, or `undefined` if it did not see this request. */
export function passedAuth(read: (name: string) => string | null | undefined, secretKey = process.env.DOORWARD_SECRET_KEY || process.env.CLERK_SECRET_KEY): AuthObject | undefined {
  const [status, token, reason, , signed] = names.map((name) => read(header(name)) ?? "") as [string, string, string, string, string];
  if (!secretKey || !signed || !same(signed, signature(secretKey, status, token))) return undefined;
  if (status !== "signed-in" || !token) return signedOut(reason || null);
  return signedIn(token, decodeToken(token).payload, createDoorwardClient({ secretKey }));
}
