"use client";
import { useMemo, useSyncExternalStore } from "react";
import { useDoorwardContext } from "./context.js";
import type { Doorward } from "./doorward.js";
import type { DoorwardAPIError } from "./errors.js";
import { SignInFuture } from "./sign-in-future.js";
import { SignUpFuture } from "./sign-up-future.js";

interface Errors<Fields extends string> {
  fields: Record<Fields, DoorwardAPIError | null>;
  raw: DoorwardAPIError[] | null;
  global: DoorwardAPIError[] | null;
}

interface Signal<Fields extends string> {
  /** What the last call was refused for, by the field that it belongs to. */
  errors: Errors<Fields>;
  fetchStatus: "idle" | "fetching";
}

export type SignInSignalValue = Signal<"identifier" | "password" | "code"> & { signIn: SignInFuture };
export type SignUpSignalValue = Signal<"firstName" | "lastName" | "emailAddress" | "phoneNumber" | "password" | "username" | "code" | "captcha" | "legalAccepted"> & { signUp: SignUpFuture };

interface Futures {
  signIn: SignInFuture;
  signUp: SignUpFuture;
}

const known = new WeakMap<Doorward, Futures>();

function futuresOf(doorward: Doorward): Futures {
  let futures = known.get(doorward);
  if (!futures) {
    futures = { signIn: new SignInFuture(doorward), signUp: new SignUpFuture(doorward) };
    known.set(doorward, futures);
  }
  return futures;
}

function useSignal<Key extends keyof Futures>(key: Key) {
  const { doorward } = useDoorwardContext();
  const future = futuresOf(doorward)[key];
  const view = useSyncExternalStore(future.subscribe, future.view, future.view);
  return useMemo(() => ({ [key]: future, ...view }), [key, future, view]);
}

/** The attempt to sign in, whose methods answer `{ error }` instead of throwing. */
export function useSignIn(): SignInSignalValue {
  return useSignal("signIn") as unknown as SignInSignalValue;
}

/** The attempt to sign up, whose methods answer `{ error }` instead of throwing. */
export function useSignUp(): SignUpSignalValue {
  return useSignal("signUp") as unknown as SignUpSignalValue;
}

export type { SignInFuture, SignUpFuture };
