import { missing } from "./future.js";

// Browsers read and write the JSON of WebAuthn themselves (level 3, section 5.1); TypeScript's library does not know it yet.
interface Level3 {
  parseRequestOptionsFromJSON?: (options: unknown) => PublicKeyCredentialRequestOptions;
}
const level3 = () => (globalThis as { PublicKeyCredential?: Level3 }).PublicKeyCredential;

/** Whether this browser can sign in with passkeys. */
export const passkeysWork = (): boolean => level3()?.parseRequestOptionsFromJSON !== undefined;

/** What a passkey says to the server's challenge, as JSON. */
export async function passkeyAnswer(challenge: string | null): Promise<string> {
  const options = passkeysWork() && challenge ? level3()!.parseRequestOptionsFromJSON!(JSON.parse(challenge)) : undefined;
  if (!options) throw missing("passkey_not_supported", "Passkeys do not work in this browser.");
  // Which of its reasons a browser had it does not tell; mostly the person closed its window.
  const credential = await navigator.credentials.get({ publicKey: options }).catch(() => null);
  if (!credential) throw missing("passkey_retrieval_cancelled", "No passkey was used.");
  return JSON.stringify(credential);
}
