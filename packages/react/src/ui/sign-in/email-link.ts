import { email } from "../asks.js";
import { openHere } from "../others.js";
import { type Strategy, byEmail } from "./strategy.js";

const sent = (to: string) => `A link is on its way to ${to}. Open it in this browser, and this page goes on.`;
const offered = byEmail("email_link");

export const emailLink: Strategy = {
  steps: {
    link: {
      title: "Sign in with a link",
      action: "Send the link",
      asks: [email],
      submit: (signIn, { identifier }) => signIn.emailLink.sendLink({ emailAddress: identifier, verificationUrl: openHere() }),
      next: "link-sent",
      sent,
    },
    "link-sent": {
      title: "Check your email",
      action: "Send the link again",
      asks: [],
      submit: (signIn) => signIn.emailLink.sendLink({ verificationUrl: openHere() }),
      waits: (signIn, signal) => signIn.emailLink.waitForVerification({ signal }),
      next: "link-sent",
      sent,
    },
  },
  ways: [
    { on: "password", to: "link", text: "Get a link by email", offered: (offers) => offered(offers) && !byEmail("email_code")(offers) },
    { on: "address", to: "link", text: "Get a link by email", offered },
  ],
};
