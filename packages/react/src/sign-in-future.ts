import type { Doorward } from "./doorward.js";
import { passkeyAnswer } from "./passkey.js";
import { linkOpened } from "./email-link.js";
import { missing } from "./errors.js";
import { type CodeParams, Future, type IdentifierParams, type LinkParams, type SSOParams, type WaitParams, linkTo, named } from "./future.js";
import { SignIn } from "./resources.js";
import type * as T from "./types.js";
import { type Web3Params, proveWallet } from "./web3.js";

const fields = ["identifier", "password", "code"] as const;

type SendParams = { emailAddress?: string; emailAddressId?: string };
type SendPhoneParams = { phoneNumber?: string; phoneNumberId?: string };

/** `signIn` of the newer shape. */
export class SignInFuture extends Future<SignIn> {
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

  sso = ({ redirectUrl, redirectCallbackUrl, ...params }: SSOParams) =>
    this.act((it) => it.authenticateWithRedirect({ ...params, redirectUrl: redirectCallbackUrl, redirectUrlComplete: redirectUrl }));

  /** With a passkey of this device, whoever that turns out to be; or of the account that the attempt is about. */
  passkey = () =>
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
