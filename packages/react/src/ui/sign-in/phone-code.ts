import { code, phone } from "../asks.js";
import { type Strategy, byEmail, byPhone, sentTo } from "./strategy.js";

const text = "Get a code by text message";

export const phoneCode: Strategy = {
  steps: {
    number: {
      title: "Sign in with a text message",
      action: "Send the code",
      asks: [phone],
      submit: (signIn, { identifier }) => signIn.phoneCode.sendCode({ phoneNumber: identifier }),
      next: "phone-code",
      sent: sentTo,
    },
    "phone-code": {
      title: "Check your messages",
      action: "Sign in",
      asks: [code],
      submit: (signIn, { code = "" }) => signIn.phoneCode.verifyCode({ code }),
    },
  },
  ways: [
    { on: "address", to: "number", text, offered: byPhone },
    { on: "password", to: "number", text, offered: (offers) => byPhone(offers) && !byEmail("email_code")(offers) },
  ],
};
