import type { Result } from "../../future.js";
import type { SignInFuture } from "../../sign-in-future.js";
import { backupCode, code } from "../asks.js";
import type { Step } from "./strategy.js";

/** A second step, under the name of its strategy. */
export interface SecondFactor extends Step {
  /** How the others lead here. */
  link: string;
  note: string;
  send?(signIn: SignInFuture): Promise<Result>;
}

/** The second steps, the first that an account has being the one that it is asked for. */
export const secondFactors: Record<string, SecondFactor> = {
  totp: {
    title: "Second step",
    action: "Sign in",
    link: "Use your authenticator app",
    note: "Enter the code that your authenticator app shows.",
    asks: [code],
    submit: (signIn, { code = "" }) => signIn.mfa.verifyTOTP({ code }),
  },
  phone_code: {
    title: "Check your phone",
    action: "Sign in",
    link: "Get a code by text message",
    note: "A code is on its way to your phone.",
    asks: [code],
    send: (signIn) => signIn.mfa.sendPhoneCode(),
    submit: (signIn, { code = "" }) => signIn.mfa.verifyPhoneCode({ code }),
  },
  email_code: {
    title: "Check your email",
    action: "Sign in",
    link: "Get a code by email",
    note: "You sign in on a new device: a code is on its way to your email address.",
    asks: [code],
    send: (signIn) => signIn.mfa.sendEmailCode(),
    submit: (signIn, { code = "" }) => signIn.mfa.verifyEmailCode({ code }),
  },
  backup_code: {
    title: "Use a backup code",
    action: "Sign in",
    link: "Use a backup code",
    note: "Each of your backup codes works once.",
    asks: [backupCode],
    submit: (signIn, { code = "" }) => signIn.mfa.verifyBackupCode({ code }),
  },
};
