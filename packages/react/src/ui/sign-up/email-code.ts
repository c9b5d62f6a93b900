import { code } from "../asks.js";
import type { Verification } from "./verification.js";

export const emailCode: Verification = {
  field: "email_address",
  strategy: "email_code",
  title: "Check your email",
  action: "Verify",
  asks: [code],
  send: (signUp) => signUp.verifications.sendEmailCode(),
  sent: ({ emailAddress }) => `A code is on its way to ${emailAddress}.`,
  link: "Get a code instead",
  again: "Send the code again",
  verify: (signUp, code) => signUp.verifications.verifyEmailCode({ code }),
};
