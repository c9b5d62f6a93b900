import type { Doorward } from "./doorward.js";
import { passkeyAnswer } from "./passkey.js";
import { linkOpened } from "./email-link.js";
import { missing } from "./errors.js";
import { type CodeParams, Future, type IdentifierParams, type LinkParams, type Result, type SSOParams, type WaitParams, known, linkTo, named } from "./future.js";
import { SignIn } from "./resources.js";
import type * as T from "./types.js";
import { type Web3Params, proveWallet } from "./web3.js";

const fields = ["identifier", "password", "code"] as const;

type SendParams = { emailAddress?: string; emailAddressId?: string };
type SendPhoneParams = { phoneNumber?: string; phoneNumberId?: string };

interface PasskeyParams extends WaitParams {
  /** `autofill` waits in the background, as long as nothing else is done, for one that is picked in a field of `autocomplete="username webauthn"`. */
  flow?: "autofill" | "discoverable";
}

/** `signIn` of the newer shape. */
export class SignInFuture extends Future<SignIn> {
  #filling?: { end(): void; begun: Promise<unknown> };

  constructor(doorward: Doorward) {
    super(doorward, "signIn", new SignIn(doorward.run), fields);
  }

  get id() { return this.attempt.id; }
  get status(): T.SignInStatus { return this.attempt.status ?? "needs_identifier"; }
  get identifier() { return this.attempt.identifier; }
  get supportedFirstFactors() { return this.attempt.supportedFirstFactors ?? []; }
  get supportedSecondFactors() { return this.attempt.supportedSecondFactors ?? []; }
  get firstFactorVerification() { return this.attempt.firstFactorVerification; }
  get secondFactorVerification() { return this.attempt.secondFactorVerification; }
  get createdSessionId() { return this.attempt.createdSessionId; }
  get userData() { return this.attempt.userData; }
  get isTransferable() { return this.firstFactorVerification.status === "transferable"; }

  create = (params: T.SignInCreateParams) => this.act((it) => it.create(params));

  password = ({ password, ...who }: IdentifierParams & { password: string }) =>
    this.act((it) => it.create({ identifier: named(who) ?? it.identifier ?? undefined, password }));

  ticket = ({ ticket = "" }: { ticket?: string } = {}) =>
    this.act((it) => it.create({ strategy: "ticket", ticket: ticket || new URLSearchParams(location.search).get("__clerk_ticket") || "" }));

  sso = (params: SSOParams) => this.visit(params, (it) => it.firstFactorVerification);

  // A browser offers one passkey at a time, and what was begun for the field must not take the place of what is begun now.
  protected override act(work: (attempt: SignIn) => Promise<unknown>, options?: { waits?: boolean }): Promise<Result> {
    const ended = this.#endFilling();
    return super.act(async (it) => {
      await ended;
      await work(it);
    }, options);
  }

  async #endFilling(): Promise<void> {
    const filling = this.#filling;
    this.#filling = undefined;
    filling?.end();
    await filling?.begun.catch(() => {});
  }

  // Nobody has asked for it, so nobody is told when nothing comes of it, until a passkey is picked.
  async #fill(signal?: AbortSignal): Promise<Result> {
    const before = this.#endFilling();
    const controller = new AbortController();
    const it = new SignIn(this.doorward.run);
    const end = () => controller.abort();
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
    const begun = before.then(async () => {
      if (controller.signal.aborted) throw missing("passkey_retrieval_cancelled", "No passkey was used.");
      await it.create({ strategy: "passkey" });
    });
    const filling = (this.#filling = { end, begun });
    try {
      await begun;
      const publicKeyCredential = await passkeyAnswer(it.firstFactorVerification.nonce, controller.signal);
      if (this.#filling === filling) this.#filling = undefined;
      return this.act((held) => held.attemptFirstFactor({ strategy: "passkey", publicKeyCredential }));
    } catch (error) {
      return { error: known(error) };
    }
  }

  /** With a passkey of this device, whoever that turns out to be; or of the account that the attempt is about. */
  passkey = ({ flow, signal }: PasskeyParams = {}): Promise<Result> => (flow === "autofill" ? this.#fill(signal) : this.#passkey());

  #passkey = () =>
    this.act(async (it) => {
      if (it.supportedFirstFactors?.some(({ strategy }) => strategy === "passkey")) await it.prepareFirstFactor({ strategy: "passkey" });
      else await it.create({ strategy: "passkey" });
      await it.attemptFirstFactor({ strategy: "passkey", publicKeyCredential: await passkeyAnswer(it.firstFactorVerification.nonce) });
    });

  /** By the signature of a wallet of this browser, whoever it belongs to. */
  web3 = (params: Web3Params) =>
    this.act(async (it) => {
      const { strategy } = params;
      const begin = async (identifier: string) => {
        await it.create({ identifier });
        const factor = it.supportedFirstFactors?.find((factor) => factor.strategy === strategy);
        if (!factor) throw missing("factor_not_found", "This account cannot sign in with that wallet.");
        await it.prepareFirstFactor({ strategy, web3WalletId: factor.web3WalletId });
        return it.firstFactorVerification;
      };
      await proveWallet(params, begin, (signature) => it.attemptFirstFactor({ strategy, signature }));
    });

  emailCode = {
    sendCode: (params: SendParams = {}) => this.act((it) => send(it, "email_code", params)),
    verifyCode: ({ code }: CodeParams) => this.act((it) => it.attemptFirstFactor({ strategy: "email_code", code })),
  };

  emailLink = {
    sendLink: (params: SendParams & LinkParams) => this.act((it) => send(it, "email_link", { ...params, ...linkTo(params) })),
    /** Answers when the link has been opened, or can be opened no more. */
    waitForVerification: ({ signal }: WaitParams = {}) =>
      this.act((it) => linkOpened(it.reload, () => it.firstFactorVerification, () => !signal?.aborted), { waits: true }),
  };

  phoneCode = {
    sendCode: (params: SendPhoneParams = {}) => this.act((it) => send(it, "phone_code", params)),
    verifyCode: ({ code }: CodeParams) => this.act((it) => it.attemptFirstFactor({ strategy: "phone_code", code })),
  };

  resetPasswordEmailCode = {
    sendCode: (params: SendParams = {}) => this.act((it) => send(it, "reset_password_email_code", params)),
    verifyCode: ({ code }: CodeParams) => this.act((it) => it.attemptFirstFactor({ strategy: "reset_password_email_code", code })),
    submitPassword: (params: T.ResetPasswordParams) => this.act((it) => it.resetPassword(params)),
  };

  resetPasswordPhoneCode = {
    sendCode: (params: SendPhoneParams = {}) => this.act((it) => send(it, "reset_password_phone_code", params)),
    verifyCode: ({ code }: CodeParams) => this.act((it) => it.attemptFirstFactor({ strategy: "reset_password_phone_code", code })),
    submitPassword: (params: T.ResetPasswordParams) => this.act((it) => it.resetPassword(params)),
  };

  mfa = {
    sendPhoneCode: () => this.act((it) => prepareSecond(it, "phone_code")),
    sendEmailCode: () => this.act((it) => prepareSecond(it, "email_code")),
    verifyPhoneCode: ({ code }: CodeParams) => this.act((it) => it.attemptSecondFactor({ strategy: "phone_code", code })),
    verifyEmailCode: ({ code }: CodeParams) => this.act((it) => it.attemptSecondFactor({ strategy: "email_code", code })),
    verifyTOTP: ({ code }: CodeParams) => this.act((it) => it.attemptSecondFactor({ strategy: "totp", code })),
    verifyBackupCode: ({ code }: CodeParams) => this.act((it) => it.attemptSecondFactor({ strategy: "backup_code", code })),
  };
}

async function send(signIn: SignIn, strategy: string, { redirectUrl, ...params }: SendParams & SendPhoneParams & { redirectUrl?: string }): Promise<void> {
  const identifier = params.emailAddress ?? params.phoneNumber;
  const wanted = params.emailAddressId ?? params.phoneNumberId;
  if (identifier) await signIn.create({ identifier });
  else if (!signIn.id) throw missing("identifier_missing", "Nobody has said yet who wants to sign in.");
  const factor = signIn.supportedFirstFactors?.find((it) => it.strategy === strategy && (!wanted || wanted === (it.emailAddressId ?? it.phoneNumberId)));
  if (!factor) throw missing("factor_not_found", `This account cannot sign in with a ${redirectUrl ? "link" : "code"}.`);
  const { emailAddressId, phoneNumberId } = factor;
  await signIn.prepareFirstFactor({ strategy, redirectUrl, ...(emailAddressId ? { emailAddressId } : { phoneNumberId }) });
}

async function prepareSecond(signIn: SignIn, strategy: string): Promise<void> {
  const factor = signIn.supportedSecondFactors?.find((it) => it.strategy === strategy);
  if (!factor) throw missing("factor_not_found", "This account has no such second factor.");
  const { emailAddressId, phoneNumberId } = factor;
  await signIn.prepareSecondFactor({ strategy, ...(emailAddressId ? { emailAddressId } : { phoneNumberId }) });
}
