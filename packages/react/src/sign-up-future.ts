import type { Doorward } from "./doorward.js";
import { linkOpened } from "./email-link.js";
import { type CodeParams, Future, type LinkParams, type SSOParams, type WaitParams, linkTo } from "./future.js";
import { SignUp } from "./resources.js";
import type * as T from "./types.js";
import { type Web3Params, proveWallet } from "./web3.js";

const fields = ["firstName", "lastName", "emailAddress", "phoneNumber", "password", "username", "code", "captcha", "legalAccepted"] as const;

/** Says more of whom an open attempt is about, or begins one. */
const named = (it: SignUp, params: T.SignUpParams) => (it.id && it.status !== "complete" ? it.update(params) : it.create(params));

/** `signUp` of the newer shape. */
export class SignUpFuture extends Future<SignUp> {
  constructor(doorward: Doorward) {
    super(doorward, "signUp", new SignUp(doorward.run), fields);
  }

  get id() { return this.attempt.id; }
  get status(): T.SignUpStatus { return this.attempt.status ?? "missing_requirements"; }
  get requiredFields() { return this.attempt.requiredFields; }
  get optionalFields() { return this.attempt.optionalFields; }
  get missingFields() { return this.attempt.missingFields; }
  get unverifiedFields() { return this.attempt.unverifiedFields; }
  get username() { return this.attempt.username; }
  get firstName() { return this.attempt.firstName; }
  get lastName() { return this.attempt.lastName; }
  get emailAddress() { return this.attempt.emailAddress; }
  get phoneNumber() { return this.attempt.phoneNumber; }
  get hasPassword() { return this.attempt.hasPassword; }
  get unsafeMetadata() { return this.attempt.unsafeMetadata; }
  get createdSessionId() { return this.attempt.createdSessionId; }
  get createdUserId() { return this.attempt.createdUserId; }
  get isTransferable() { return this.attempt.verifications.externalAccount.error?.code === "external_account_exists"; }

  create = (params: T.SignUpParams) => this.act((it) => it.create(params));
  update = (params: T.SignUpParams) => this.act((it) => it.update(params));
  password = (params: T.SignUpParams & { password: string }) => this.act((it) => named(it, params));
  ticket = ({ ticket = "", ...params }: T.SignUpParams = {}) =>
    this.act((it) => it.create({ ...params, strategy: "ticket", ticket: ticket || new URLSearchParams(location.search).get("__clerk_ticket") || "" }));
  sso = (params: SSOParams) => this.visit(params, (it) => it.verifications.externalAccount);

  /** By the signature of a wallet of this browser. */
  web3 = ({ strategy, wallet, ...params }: Web3Params & T.SignUpParams) =>
    this.act((it) => {
      const begin = async (web3Wallet: string) => {
        await named(it, { ...params, web3Wallet });
        await it.prepareVerification({ strategy });
        return it.verifications.web3Wallet;
      };
      return proveWallet({ strategy, wallet }, begin, (signature) => it.attemptVerification({ strategy, signature }));
    });

  readonly verifications = this.#verifications();

  #verifications() {
    const attempt = () => this.attempt;
    return {
      get emailAddress() { return attempt().verifications.emailAddress; },
      get phoneNumber() { return attempt().verifications.phoneNumber; },
      get web3Wallet() { return attempt().verifications.web3Wallet; },
      get externalAccount() { return attempt().verifications.externalAccount; },
      sendEmailCode: () => this.act((it) => it.prepareVerification({ strategy: "email_code" })),
      verifyEmailCode: ({ code }: CodeParams) => this.act((it) => it.attemptVerification({ strategy: "email_code", code })),
      sendEmailLink: (params: LinkParams) => this.act((it) => it.prepareVerification({ strategy: "email_link", ...linkTo(params) })),
      /** Answers when the link has been opened, or can be opened no more. */
      waitForEmailLinkVerification: ({ signal }: WaitParams = {}) =>
        this.act((it) => linkOpened(it.reload, () => it.verifications.emailAddress, () => !signal?.aborted), { waits: true }),
      sendPhoneCode: () => this.act((it) => it.prepareVerification({ strategy: "phone_code" })),
      verifyPhoneCode: ({ code }: CodeParams) => this.act((it) => it.attemptVerification({ strategy: "phone_code", code })),
    };
  }
}
