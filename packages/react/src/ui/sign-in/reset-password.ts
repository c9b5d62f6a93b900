import { code, email, newPassword } from "../asks.js";
import { type Strategy, sentTo } from "./strategy.js";

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
    "new-password": {
      title: "Choose a new password",
      action: "Save and sign in",
      asks: [newPassword],
      submit: (signIn, { password = "" }) => signIn.resetPasswordEmailCode.submitPassword({ password, signOutOfOtherSessions: true }),
    },
  },
  ways: [{ on: "password", to: "forgotten", text: "Forgot your password?" }],
};
