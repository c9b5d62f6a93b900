import { camel } from "./camel.js";
import type * as T from "./types.js";

/** Gives the core one command; answers with the resource that came of it. */
export type Run = (what: string, params?: object) => Promise<unknown>;

type JSONObject = Record<string, unknown>;

const nothing = {
  status: null,
  strategy: null,
  attempts: null,
  expireAt: null,
  error: null,
  nonce: null,
  message: null,
  externalVerificationRedirectURL: null,
  verifiedAtClient: null,
};

function verification(held: unknown): T.VerificationResource {
  const { externalVerificationRedirectUrl: url, ...rest } = (held ?? {}) as JSONObject;
  return { ...nothing, ...rest, ...(url ? { externalVerificationRedirectURL: new URL(url as string) } : {}) } as T.VerificationResource;
}

const blankSignIn = {
  id: undefined,
  status: null,
  supportedIdentifiers: [],
  supportedFirstFactors: [],
  supportedSecondFactors: null,
  identifier: null,
  createdSessionId: null,
};

/** One attempt to sign in, with the methods that move it on. */
export class SignIn {
  readonly #run: Run;

  constructor(run: Run, json?: unknown) {
    this.#run = run;
    this.#take(json);
  }

  #take(json: unknown): this {
    const held = camel(json ?? {}, false) as JSONObject;
    return Object.assign(this, blankSignIn, held, {
      firstFactorVerification: verification(held.firstFactorVerification),
      secondFactorVerification: verification(held.secondFactorVerification),
      userData: held.userData ?? {},
    });
  }

  // The object that a page holds shows what became of its own calls, also
  // between two renderings.
  #do = async (what: string, params?: object): Promise<this> => this.#take(await this.#run(`signIn.${what}`, params));

  create = (params: T.SignInCreateParams) => this.#do("create", params);
  prepareFirstFactor = (params: T.PrepareFirstFactorParams) => this.#do("prepareFirstFactor", params);
  attemptFirstFactor = (params: T.AttemptFirstFactorParams) => this.#do("attemptFirstFactor", params);
  prepareSecondFactor = (params: T.PrepareSecondFactorParams) => this.#do("prepareSecondFactor", params);
  attemptSecondFactor = (params: T.AttemptSecondFactorParams) => this.#do("attemptSecondFactor", params);
  resetPassword = (params: T.ResetPasswordParams) => this.#do("resetPassword", params);
  reload = () => this.#do("reload");

  authenticateWithRedirect = async ({ redirectUrlComplete, ...params }: T.RedirectParams): Promise<void> => {
    await this.create({ ...params, actionCompleteRedirectUrl: redirectUrlComplete });
    leave(this.firstFactorVerification);
  };
}
export interface SignIn extends T.SignInFields {}

const blankSignUp = {
  id: undefined,
  status: null,
  requiredFields: [],
  optionalFields: [],
  missingFields: [],
  unverifiedFields: [],
  username: null,
  firstName: null,
  lastName: null,
  emailAddress: null,
  phoneNumber: null,
  hasPassword: false,
  unsafeMetadata: {},
  createdSessionId: null,
  createdUserId: null,
  abandonAt: null,
  legalAcceptedAt: null,
};

/** One attempt to sign up. */
export class SignUp {
  readonly #run: Run;

  constructor(run: Run, json?: unknown) {
    this.#run = run;
    this.#take(json);
  }

  #take(json: unknown): this {
    const held = camel(json ?? {}, false) as JSONObject;
    const checks = (held.verifications ?? {}) as JSONObject;
    const verifications = Object.fromEntries(
      ["emailAddress", "phoneNumber", "web3Wallet", "externalAccount"].map((name) => [name, verification(checks[name])]),
    );
    return Object.assign(this, blankSignUp, held, { verifications });
  }

  #do = async (what: string, params?: object): Promise<this> => this.#take(await this.#run(`signUp.${what}`, params));

  create = (params: T.SignUpParams) => this.#do("create", params);
  update = (params: T.SignUpParams) => this.#do("update", params);
  prepareVerification = (params: T.PrepareVerificationParams) => this.#do("prepareVerification", params);
  attemptVerification = (params: T.AttemptVerificationParams) => this.#do("attemptVerification", params);
  prepareEmailAddressVerification = (params: T.PrepareVerificationParams = { strategy: "email_code" }) => this.prepareVerification(params);
  attemptEmailAddressVerification = ({ code }: { code: string }) => this.attemptVerification({ strategy: "email_code", code });
  preparePhoneNumberVerification = (params: T.PrepareVerificationParams = { strategy: "phone_code" }) => this.prepareVerification(params);
  attemptPhoneNumberVerification = ({ code }: { code: string }) => this.attemptVerification({ strategy: "phone_code", code });
  reload = () => this.#do("reload");

  authenticateWithRedirect = async ({ redirectUrlComplete, ...params }: T.RedirectParams): Promise<void> => {
    await this.create({ ...params, actionCompleteRedirectUrl: redirectUrlComplete });
    leave(this.verifications.externalAccount);
  };
}
export interface SignUp extends T.SignUpFields {}

function leave({ externalVerificationRedirectURL: url }: T.VerificationResource): void {
  if (url) location.assign(url);
}

export class User {
  readonly #run: Run;

  constructor(run: Run, json: unknown) {
    this.#run = run;
    Object.assign(this, camel(json));
  }

  get fullName(): string | null {
    return [this.firstName, this.lastName].filter(Boolean).join(" ") || null;
  }

  get primaryEmailAddress(): T.EmailAddressFields | null {
    return this.emailAddresses?.find((it) => it.id === this.primaryEmailAddressId) ?? null;
  }

  get primaryPhoneNumber(): T.PhoneNumberFields | null {
    return this.phoneNumbers?.find((it) => it.id === this.primaryPhoneNumberId) ?? null;
  }

  get hasVerifiedEmailAddress(): boolean {
    return this.emailAddresses?.some((it) => it.verification?.status === "verified") ?? false;
  }

  update = async (params: T.UpdateUserParams): Promise<this> => Object.assign(this, camel(await this.#run("user.update", params)));
  reload = async (): Promise<this> => Object.assign(this, camel(await this.#run("user.reload")));
  /** The user's sessions on all devices. */
  getSessions = async (): Promise<SessionWithActivities[]> => {
    const all = (await this.#run("user.sessions")) as unknown[];
    return all.map((json) => new SessionWithActivities(this.#run, json));
  };
}
export interface User extends T.UserFields {}

/** A session on this device or another, and what it was last used on. */
export class SessionWithActivities {
  readonly #run: Run;

  constructor(run: Run, json: unknown) {
    this.#run = run;
    Object.assign(this, camel(json));
  }

  /** Ends it, wherever it is. */
  revoke = async (): Promise<this> => Object.assign(this, camel(await this.#run("user.revokeSession", { sessionId: this.id })));
}
export interface SessionWithActivities extends T.SessionWithActivitiesFields {}

export class Session {
  readonly #run: Run;
  declare readonly user: User;
  /** A token for the app's own servers, fresh enough to be used at once. */
  readonly getToken: T.GetToken;

  constructor(run: Run, json: unknown, getToken: (session: string, options?: T.GetTokenOptions) => Promise<string | null>) {
    this.#run = run;
    const { user, ...rest } = json as JSONObject;
    Object.assign(this, camel(rest), { user: user && new User(run, user) });
    this.getToken = (options) => getToken(this.id, options);
  }

  get currentTask(): { key: string } | undefined {
    return this.tasks?.[0];
  }

  touch = async (): Promise<this> => {
    await this.#run("touch", { session: this.id });
    return this;
  };
  /** Signs this session out, and no other of this browser. */
  remove = async (): Promise<this> => {
    await this.#run("signOut", { sessionId: this.id });
    return this;
  };
  end = () => this.remove();
}
export interface Session extends T.SessionFields {}
