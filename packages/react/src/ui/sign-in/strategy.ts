import type { Result } from "../../future.js";
import type { SignInFuture } from "../../sign-in-future.js";
import type { Ask } from "../asks.js";
import type { Offers } from "../environment.js";

export type Values = Record<string, string>;

/** One form. When its attempt is not complete and no `next` is named, the form that the attempt's status asks for follows. */
export interface Step {
  title: string;
  action: string;
  asks: Ask[];
  submit(signIn: SignInFuture, values: Values): Promise<Result>;
  /** Where that which this step has sent is entered or awaited. */
  next?: string;
  /** What is said then. */
  sent?(to: string): string;
  /** Waits for what happens elsewhere. */
  waits?(signIn: SignInFuture, signal: AbortSignal): Promise<Result>;
}

/** A link on one step's form that leads to another one. */
export interface Way {
  on: string;
  to: string;
  text: string;
  /** Whether the instance has it; without this, every one has. */
  offered?(offers: Offers): boolean;
}

/** How one can sign in: a file here and a line in `index.tsx`. */
export interface Strategy {
  steps: Record<string, Step>;
  ways?: Way[];
}

/** Whether an address or a number can be a first factor by this. */
export const byEmail = (strategy: string) => ({ attributes }: Offers) => attributes.emailAddress?.firstFactors.includes(strategy) ?? false;
export const byPhone = ({ attributes }: Offers) => attributes.phoneNumber?.firstFactors.includes("phone_code") ?? false;
export const sentTo = (to: string) => `A code is on its way to ${to}.`;
