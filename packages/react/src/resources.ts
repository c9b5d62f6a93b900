import { camel } from "./camel.js";
import type { Doorward } from "./doorward.js";
import { type EmailLinkFlow, emailLinkFlow } from "./email-link.js";
import type { Visit } from "./popup.js";
import type * as T from "./types.js";
import { User } from "./user.js";

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

/** How far a proof is, from JSON whose names are JavaScript's. */
export function verification(held: unknown): T.VerificationResource {
  const { externalVerificationRedirectUrl: url, expireAt, ...rest } = (held ?? {}) as JSONObject;
  return {
    ...nothing,
    ...rest,
    expireAt: expireAt ? new Date(expireAt as number) : null,
    ...(url ? { externalVerificationRedirectURL: new URL(url as string) } : {}),
  } as T.VerificationResource;
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
  readonly #doorward?: Doorward;

  constructor(run: Run, json?: unknown, doorward?: Doorward) {
    this.#run = run;
    this.#doorward = doorward;
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
  reload = () => this.#do("reload", { id: this.id });

  authenticateWithRedirect = async ({ redirectUrl, redirectUrlComplete, ...params }: T.RedirectParams): Promise<void> => {
    await this.create({ ...params, redirectUrl: absolute(redirectUrl), actionCompleteRedirectUrl: absolute(redirectUrlComplete) });
    leave(this.firstFactorVerification);
  };
  authenticateWithPopup = (params: T.PopupParams) => byPopup(this.#doorward, { create: this.create, verification: () => this.firstFactorVerification }, params);

  createEmailLinkFlow = (): EmailLinkFlow<T.EmailLinkParams & { emailAddressId: string }, this> =>
    emailLinkFlow(
      (params) => this.prepareFirstFactor({ strategy: "email_link", ...params }),
      this.reload,
      () => this.firstFactorVerification,
    );
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
  readonly #doorward?: Doorward;

  constructor(run: Run, json?: unknown, doorward?: Doorward) {
    this.#run = run;
    this.#doorward = doorward;
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
  reload = () => this.#do("reload", { id: this.id });

  authenticateWithRedirect = async ({ redirectUrl, redirectUrlComplete, ...params }: T.RedirectParams): Promise<void> => {
    await this.create({ ...params, redirectUrl: absolute(redirectUrl), actionCompleteRedirectUrl: absolute(redirectUrlComplete) });
    leave(this.verifications.externalAccount);
  };
  authenticateWithPopup = (params: T.PopupParams) => byPopup(this.#doorward, { create: this.create, verification: () => this.verifications.externalAccount }, params);

  createEmailLinkFlow = (): EmailLinkFlow<T.EmailLinkParams, this> =>
    emailLinkFlow(
      (params) => this.prepareVerification({ strategy: "email_link", ...params }),
      this.reload,
      () => this.verifications.emailAddress,
    );
}
export interface SignUp extends T.SignUpFields {}

const absolute = (to: string) => new URL(to, location.href).href;

/** Settles when the window is closed again, and the session in use; few need it, so it is loaded then. */
const byPopup = async (doorward: Doorward | undefined, visit: Visit, params: T.PopupParams): Promise<void> => (await import("./popup.js")).enterByPopup(doorward!, visit, params);

function leave({ externalVerificationRedirectURL: url }: T.VerificationResource): void {
  if (url) location.assign(url);
}

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

  /** What a pending session waits for; with the last of its tasks it is active. */
  get currentTask(): T.SessionTask | undefined {
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

  /** Asks the user, of the active session, to prove once more who they are. */
  startVerification = (params: { level: T.VerificationLevel }) => this.#verify([], params);
  prepareFirstFactorVerification = (params: T.PrepareFirstFactorParams) => this.#verify(["prepare_first_factor"], params);
  attemptFirstFactorVerification = (params: T.AttemptFirstFactorParams) => this.#verify(["attempt_first_factor"], params);
  prepareSecondFactorVerification = (params: T.PrepareSecondFactorParams) => this.#verify(["prepare_second_factor"], params);
  attemptSecondFactorVerification = (params: T.AttemptSecondFactorParams) => this.#verify(["attempt_second_factor"], params);
  verifyWithPasskey = async (): Promise<T.SessionVerification> => {
    const { firstFactorVerification } = await this.prepareFirstFactorVerification({ strategy: "passkey" });
    const { passkeyAnswer } = await import("./passkey.js");
    return this.attemptFirstFactorVerification({ strategy: "passkey", publicKeyCredential: await passkeyAnswer(firstFactorVerification.nonce) });
  };

  #verify = async (path: string[], params: object): Promise<T.SessionVerification> => {
    const { session: _, ...rest } = (await this.#run("verification", { method: "POST", path, params })) as JSONObject;
    const held = camel(rest, false) as T.SessionVerification;
    return { ...held, firstFactorVerification: verification(held.firstFactorVerification), secondFactorVerification: verification(held.secondFactorVerification) };
  };
}
export interface Session extends T.SessionFields {}
