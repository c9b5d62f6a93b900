import { missing } from "./errors.js";

// Browsers read and write the JSON of WebAuthn themselves (level 3, section 5.1); TypeScript's library does not know it yet.
interface Level3 {
  parseRequestOptionsFromJSON?: (options: unknown) => PublicKeyCredentialRequestOptions;
  parseCreationOptionsFromJSON?: (options: unknown) => PublicKeyCredentialCreationOptions;
  isConditionalMediationAvailable?: () => Promise<boolean>;
}
const level3 = () => (globalThis as { PublicKeyCredential?: Level3 }).PublicKeyCredential;

/** Whether this browser can sign in with passkeys, and make them. */
export const passkeysWork = (): boolean => level3()?.parseRequestOptionsFromJSON !== undefined;

/** Whether this browser also offers them where a form's field asks for them. */
export const autofillWorks = async (): Promise<boolean> => passkeysWork() && Boolean(await level3()!.isConditionalMediationAvailable?.());

const unsupported = () => missing("passkey_not_supported", "Passkeys do not work in this browser.");

// Which of its reasons a browser had it does not tell; mostly the person closed its window.
async function said(credential: Promise<Credential | null>, code: string, message: string): Promise<string> {
  const answer = await credential.catch(() => null);
  if (!answer) throw missing(code, message);
  return JSON.stringify(answer);
}

/** What a passkey says to the server's challenge, as JSON. With a signal it waits for one that is picked in a field. */
export async function passkeyAnswer(challenge: string | null, signal?: AbortSignal): Promise<string> {
  const publicKey = passkeysWork() && challenge ? level3()!.parseRequestOptionsFromJSON!(JSON.parse(challenge)) : undefined;
  if (!publicKey) throw unsupported();
  return said(navigator.credentials.get({ publicKey, ...(signal && { signal, mediation: "conditional" }) }), "passkey_retrieval_cancelled", "No passkey was used.");
}

/** A new passkey of this device, as JSON. */
export async function passkeyMade(options: string | null): Promise<string> {
  const publicKey = options ? level3()?.parseCreationOptionsFromJSON?.(JSON.parse(options)) : undefined;
  if (!publicKey) throw unsupported();
  return said(navigator.credentials.create({ publicKey }), "passkey_registration_cancelled", "No passkey was made.");
}
