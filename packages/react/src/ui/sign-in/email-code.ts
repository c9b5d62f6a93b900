import { code, email } from "../asks.js";
import { type Strategy, byEmail, sentTo } from "./strategy.js";

export const emailCode: Strategy = {
  steps: {
    address: {
      title: "Sign in with a code",
      action: "Send the code",
      asks: [email],
      submit: (signIn, { identifier }) => signIn.emailCode.sendCode({ emailAddress: identifier }),
      next: "code",
      sent: sentTo,
    },
    code: {
      title: "Check your email",
      action: "Sign in",
      asks: [code],
      submit: (signIn, { code = "" }) => signIn.emailCode.verifyCode({ code }),
    },
  },
  ways: [{ on: "password", to: "address", text: "Get a code by email", offered: byEmail("email_code") }],
};
