import { openHere } from "../others.js";
import type { Verification } from "./verification.js";

const send: Verification["send"] = (signUp) => signUp.verifications.sendEmailLink({ verificationUrl: openHere() });

export const emailLink: Verification = {
  field: "email_address",
  strategy: "email_link",
  title: "Check your email",
  action: "Send the link again",
  asks: [],
  send,
  sent: ({ emailAddress }) => `A link is on its way to ${emailAddress}. Open it in this browser, and this page goes on.`,
  link: "Get a link instead",
  again: "Send the link again",
  waits: (signUp, signal) => signUp.verifications.waitForEmailLinkVerification({ signal }),
};
