import { email, password as secret } from "../asks.js";
import type { Strategy } from "./strategy.js";

export const password: Strategy = {
  steps: {
    password: {
      title: "Sign in",
      action: "Sign in",
      asks: [email, secret],
      submit: (signIn, { identifier = "", password = "" }) => signIn.password({ identifier, password }),
    },
  },
};
