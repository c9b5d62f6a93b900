import type { Result } from "../../future.js";
import type { SignUpFuture } from "../../sign-up-future.js";
import type { SignUpField } from "../../types.js";
import type { Ask } from "../asks.js";

/** How something that a sign-up names is proved: a file here and a line in `index.tsx`. */
export interface Verification {
  field: SignUpField;
  strategy: string;
  title: string;
  action: string;
  asks: Ask[];
  send(signUp: SignUpFuture): Promise<Result>;
  /** What is said when it is sent. */
  sent(signUp: SignUpFuture): string;
  /** How it is asked for, and asked for again. */
  link: string;
  again: string;
  /** Proves it with a code; without this, sending is all that the form can do. */
  verify?(signUp: SignUpFuture, code: string): Promise<Result>;
  /** Waits for what happens elsewhere. */
  waits?(signUp: SignUpFuture, signal: AbortSignal): Promise<Result>;
}
