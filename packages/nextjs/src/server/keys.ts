import { toBase64Url, utf8 } from "./bytes.js";

export interface PublishableKey {
  production: boolean;
  /** The Frontend API's host that the key names. */
  host: string;
}

export function parsePublishableKey(key: string): PublishableKey {
  const match = /^pk_(live|test)_([A-Za-z0-9+/]+)=*$/.exec(key);
  const decoded = match && decode(match[2]!);
  if (!match || !decoded?.endsWith("$") || decoded.indexOf("$") !== decoded.length - 1) {
    throw new Error(`The publishable key ${JSON.stringify(key)} is not valid.`);
  }
  return { production: match[1] === "live", host: decoded.slice(0, -1) };
}

function decode(text: string): string | undefined {
  try {
    return atob(text);
  } catch {
    return undefined;
  }
}

const suffixes = new Map<string, Promise<string>>();

/** What is appended to the names of the cookies that belong to this key. */
export function cookieSuffix(publishableKey: string): Promise<string> {
  let suffix = suffixes.get(publishableKey);
  if (!suffix) {
    suffix = crypto.subtle.digest("SHA-1", utf8(publishableKey)).then((hash) => toBase64Url(new Uint8Array(hash)).slice(0, 8));
    suffixes.set(publishableKey, suffix);
  }
  return suffix;
}
