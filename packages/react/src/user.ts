import { camel, name } from "./camel.js";
import { type EmailLinkFlow, emailLinkFlow } from "./email-link.js";
import { type Run, verification } from "./resources.js";
import type * as T from "./types.js";

type JSONObject = Record<string, unknown>;
type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** Calls the endpoint below `/v1/me` that the path leads to. */
const me = (run: Run, method: Method, path: string[], params?: object, file?: string) => run("me", { method, path, params, file });

/** What a user has of each kind, by its name on the wire, which is that of its path too. */
const kinds = ["email_addresses", "phone_numbers", "passkeys", "external_accounts", "web3_wallets"];

/** One thing that a user has. What it can be asked to do depends on its kind: the types below say it. */
class Owned {
  readonly #run: Run;
  readonly #kind: string;
  declare readonly id: string;
  declare readonly verification: T.VerificationResource;

  constructor(run: Run, kind: string, json: unknown) {
    this.#run = run;
    this.#kind = kind;
    this.#take(json);
  }

  #take(json: unknown): this {
    const held = camel(json) as JSONObject;
    return Object.assign(this, held, { verification: verification(held.verification) });
  }

  #call = (method: Method, path: string[] = [], params?: object) => me(this.#run, method, [this.#kind, this.id, ...path], params);
  #do = async (method: Method, path?: string[], params?: object): Promise<this> => this.#take(await this.#call(method, path, params));

  reload = () => this.#do("GET");
  prepareVerification = (params?: T.PrepareVerificationParams) => this.#do("POST", ["prepare_verification"], params);
  attemptVerification = (params: { code?: string; signature?: string; strategy?: string; publicKeyCredential?: string }) => this.#do("POST", ["attempt_verification"], params);
  update = (params: { name?: string }) => this.#do("PATCH", [], params);
  setReservedForSecondFactor = ({ reserved }: { reserved: boolean }) => this.#do("PATCH", [], { reservedForSecondFactor: reserved });
  makeDefaultSecondFactor = () => this.#do("PATCH", [], { defaultSecondFactor: true });
  reauthorize = (params: T.ExternalAccountParams) => this.#do("PATCH", ["reauthorize"], asked(params));
  destroy = async (): Promise<void> => void (await this.#call("DELETE"));
  delete = () => this.#call("DELETE") as Promise<T.DeletedObject>;
  createEmailLinkFlow = (): EmailLinkFlow<T.EmailLinkParams, this> =>
    emailLinkFlow(
      (params) => this.prepareVerification({ strategy: "email_link", ...params }),
      this.reload,
      () => this.verification,
    );
}

interface Provable<It> {
  reload(): Promise<It>;
  prepareVerification(params?: T.PrepareVerificationParams): Promise<It>;
  attemptVerification(params: { code?: string; signature?: string; strategy?: string }): Promise<It>;
  destroy(): Promise<void>;
}
export interface EmailAddress extends T.EmailAddressFields, Provable<EmailAddress> {
  createEmailLinkFlow(): EmailLinkFlow<T.EmailLinkParams, EmailAddress>;
}
export interface PhoneNumber extends T.PhoneNumberFields, Provable<PhoneNumber> {
  setReservedForSecondFactor(params: { reserved: boolean }): Promise<PhoneNumber>;
  makeDefaultSecondFactor(): Promise<PhoneNumber>;
}
export interface Web3Wallet extends T.Web3WalletFields, Provable<Web3Wallet> {}
export interface ExternalAccount extends T.ExternalAccountFields {
  reload(): Promise<ExternalAccount>;
  reauthorize(params: T.ExternalAccountParams): Promise<ExternalAccount>;
  destroy(): Promise<void>;
}
export interface Passkey extends T.PasskeyFields {
  reload(): Promise<Passkey>;
  update(params: { name: string }): Promise<Passkey>;
  delete(): Promise<T.DeletedObject>;
}

const asked = ({ additionalScopes, ...params }: T.ExternalAccountParams) => ({ ...params, additionalScope: additionalScopes });
const isVerified = (it: { verification: T.VerificationResource }) => it.verification.status === "verified";

/** Who is signed in, and all that can be done about their account. */
export class User {
  readonly #run: Run;
  declare readonly emailAddresses: EmailAddress[];
  declare readonly phoneNumbers: PhoneNumber[];
  declare readonly passkeys: Passkey[];
  declare readonly externalAccounts: ExternalAccount[];
  declare readonly web3Wallets: Web3Wallet[];

  constructor(run: Run, json: unknown) {
    this.#run = run;
    this.#take(json as JSONObject);
  }

  #take(json: JSONObject): this {
    const all = kinds.map((kind) => [name(kind), ((json[kind] ?? []) as unknown[]).map((it) => new Owned(this.#run, kind, it))]);
    return Object.assign(this, camel(json), Object.fromEntries(all));
  }

  get fullName(): string | null {
    return [this.firstName, this.lastName].filter(Boolean).join(" ") || null;
  }

  get primaryEmailAddress(): EmailAddress | null {
    return this.emailAddresses.find((it) => it.id === this.primaryEmailAddressId) ?? null;
  }

  get primaryPhoneNumber(): PhoneNumber | null {
    return this.phoneNumbers.find((it) => it.id === this.primaryPhoneNumberId) ?? null;
  }

  get primaryWeb3Wallet(): Web3Wallet | null {
    return this.web3Wallets.find((it) => it.id === this.primaryWeb3WalletId) ?? null;
  }

  get hasVerifiedEmailAddress(): boolean {
    return this.emailAddresses.some(isVerified);
  }

  get hasVerifiedPhoneNumber(): boolean {
    return this.phoneNumbers.some(isVerified);
  }

  get verifiedExternalAccounts(): ExternalAccount[] {
    return this.externalAccounts.filter(isVerified);
  }

  get unverifiedExternalAccounts(): ExternalAccount[] {
    return this.externalAccounts.filter((it) => !isVerified(it));
  }

  get verifiedWeb3Wallets(): Web3Wallet[] {
    return this.web3Wallets.filter(isVerified);
  }

  isPrimaryIdentification = ({ id }: { id: string }): boolean => [this.primaryEmailAddressId, this.primaryPhoneNumberId, this.primaryWeb3WalletId].includes(id);

  #call = <Result>(method: Method, path: string[], params?: object, file?: string) => me(this.#run, method, path, params, file) as Promise<Result>;
  #do = async (method: Method, path: string[], params?: object): Promise<this> => this.#take(await this.#call(method, path, params));
  #read = async <Result>(method: Method, path: string[]) => camel(await this.#call(method, path)) as Result;
  #make = async <It>(kind: string, params?: object): Promise<It> => new Owned(this.#run, kind, await this.#call("POST", [kind], params)) as It;

  reload = async (): Promise<this> => this.#take((await this.#run("user.reload")) as JSONObject);
  update = (params: T.UpdateUserParams) => this.#do("PATCH", [], params);
  updateMetadata = (params: { unsafeMetadata: Record<string, unknown> }) => this.#do("PATCH", ["metadata"], params);
  updatePassword = (params: T.UpdatePasswordParams) => this.#do("POST", ["change_password"], params);
  removePassword = (params: { currentPassword: string }) => this.#do("POST", ["remove_password"], params);
  /** Ends the account, and with it all of its sessions. */
  delete = async (): Promise<void> => void (await this.#call("DELETE", []));

  createEmailAddress = ({ email }: { email: string }) => this.#make<EmailAddress>("email_addresses", { emailAddress: email });
  createPhoneNumber = (params: { phoneNumber: string }) => this.#make<PhoneNumber>("phone_numbers", params);
  createWeb3Wallet = (params: { web3Wallet: string }) => this.#make<Web3Wallet>("web3_wallets", params);
  /** Goes on at `verification.externalVerificationRedirectURL`. */
  createExternalAccount = (params: T.ExternalAccountParams) => this.#make<ExternalAccount>("external_accounts", asked(params));
  createPasskey = async (): Promise<Passkey> => {
    const made = await this.#make<Owned>("passkeys");
    const { passkeyMade } = await import("./passkey.js");
    return (await made.attemptVerification({ strategy: "passkey", publicKeyCredential: await passkeyMade(made.verification.nonce) })) as unknown as Passkey;
  };

  createTOTP = () => this.#read<T.TOTPResource>("POST", ["totp"]);
  verifyTOTP = async (params: { code: string }) => camel(await this.#call("POST", ["totp", "attempt_verification"], params)) as T.TOTPResource;
  disableTOTP = () => this.#read<T.DeletedObject>("DELETE", ["totp"]);
  createBackupCode = () => this.#read<T.BackupCodeResource>("POST", ["backup_codes"]);

  /** A file, base64 text, or null for none. */
  setProfileImage = async ({ file }: { file: Blob | string | null }): Promise<T.ImageResource> => {
    const path = ["profile_image"];
    if (file === null) return this.#read("DELETE", path);
    return camel(await this.#call("POST", path, undefined, typeof file === "string" ? file : await base64(file))) as T.ImageResource;
  };

  /** The user's sessions on all devices. */
  getSessions = async (): Promise<SessionWithActivities[]> => {
    const all = await this.#call<unknown[]>("GET", ["sessions", "active"]);
    return all.map((json) => new SessionWithActivities(this.#run, json));
  };
}
export interface User extends T.UserFields {}

const base64 = (file: Blob) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).replace(/^.*?,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });

/** A session on this device or another, and what it was last used on. */
export class SessionWithActivities {
  readonly #run: Run;

  constructor(run: Run, json: unknown) {
    this.#run = run;
    Object.assign(this, camel(json));
  }

  /** Ends it, wherever it is. */
  revoke = async (): Promise<this> => Object.assign(this, camel(await me(this.#run, "POST", ["sessions", this.id, "revoke"])));
}
export interface SessionWithActivities extends T.SessionWithActivitiesFields {}
