const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export const utf8 = (text: string) => encoder.encode(text) as Uint8Array<ArrayBuffer>;

export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  // `atob` takes what base64url does not have, and two spellings of one
  // signature would be two tokens.
  if (!/^[\w-]*$/.test(text)) throw new Error("not base64url");
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export const textOf = (bytes: Uint8Array) => decoder.decode(bytes);
