import { code } from "../asks.js";
import type { Verification } from "./verification.js";

export const phoneCode: Verification = {
  field: "phone_number",
  strategy: "phone_code",
  title: "Check your messages",
  action: "Verify",
  asks: [code],
  send: (signUp) => signUp.verifications.sendPhoneCode(),
  sent: ({ phoneNumber }) => `A code is on its way to ${phoneNumber}.`,
  link: "Get a code by text message",
  again: "Send the code again",
  verify: (signUp, code) => signUp.verifications.verifyPhoneCode({ code }),
};
