import { code, email, newPassword, phone } from "../asks.js";
import type { Offers } from "../environment.js";
import { type Strategy, sentTo } from "./strategy.js";

const byMail = ({ attributes }: Offers) => attributes.emailAddress?.usedForFirstFactor ?? false;
const byText = ({ attributes }: Offers) => attributes.phoneNumber?.usedForFirstFactor ?? false;

const text = "Forgot your password?";

export const resetPassword: Strategy = {
  steps: {
    forgotten: {
      title: "Reset your password",
      action: "Send the code",
      asks: [email],
      submit: (signIn, { identifier }) => signIn.resetPasswordEmailCode.sendCode({ emailAddress: identifier }),
      next: "reset-code",
      sent: sentTo,
    },
    "reset-code": {
      title: "Check your email",
      action: "Continue",
      asks: [code],
      submit: (signIn, { code = "" }) => signIn.resetPasswordEmailCode.verifyCode({ code }),
    },
    "forgotten-number": {
      title: "Reset your password",
      action: "Send the code",
      asks: [phone],
      submit: (signIn, { identifier }) => signIn.resetPasswordPhoneCode.sendCode({ phoneNumber: identifier }),
      next: "reset-phone-code",
      sent: sentTo,
    },
    "reset-phone-code": {
      title: "Check your messages",
      action: "Continue",
      asks: [code],
      submit: (signIn, { code = "" }) => signIn.resetPasswordPhoneCode.verifyCode({ code }),
    },
    "new-password": {
      title: "Choose a new password",
      action: "Save and sign in",
      asks: [newPassword],
      submit: (signIn, { password = "" }) => signIn.resetPasswordEmailCode.submitPassword({ password, signOutOfOtherSessions: true }),
    },
  },
  ways: [
    { on: "password", to: "forgotten", text, offered: byMail },
    { on: "password", to: "forgotten-number", text, offered: (offers) => byText(offers) && !byMail(offers) },
    { on: "forgotten", to: "forgotten-number", text: "Get a code by text message", offered: byText },
  ],
};
