"use client";
import { useEffect, useState } from "react";
import { useDoorwardContext } from "../../context.js";
import { autofillWorks } from "../../passkey.js";
import type { SignInFuture } from "../../sign-in-future.js";

/** So long the server takes an answer to what it asks a passkey (ms). */
const lifetime = 10 * 60 * 1000;
/** Whoever was refused may try again at once, and the server counts how often one begins (ms). */
const pause = 5000;

/** A sign-in that goes on, here or in another tab, is not taken the place of. */
function isUnderWay({ status, view, firstFactorVerification: { status: proof, strategy, expireAt } }: SignInFuture): boolean {
  if (view().fetchStatus === "fetching" || !["needs_identifier", "needs_first_factor"].includes(status)) return true;
  return proof === "unverified" && strategy !== "passkey" && expireAt !== null && expireAt.getTime() > Date.now();
}

export interface AutofillProps {
  /** Whether the instance has it. */
  enabled: boolean;
  /** Whether the form waits for somebody. */
  wanted: boolean;
  /** Whether the last try was refused. */
  refused: boolean;
  /** Told of each passkey that was picked. */
  onPicked(worked: boolean): unknown;
}

/** Has the browser offer passkeys in the field of a form, as long as nothing else is done. Answers whether the field is to ask for them. */
export function useAutofill(signIn: SignInFuture, { enabled, wanted, refused, onPicked }: AutofillProps): boolean {
  const { doorward } = useDoorwardContext();
  const [works, setWorks] = useState(false);
  const [begun, setBegun] = useState(0);
  useEffect(() => {
    if (enabled) void autofillWorks().then(setWorks);
  }, [enabled]);
  const waits = works && wanted;

  useEffect(() => {
    if (!waits) return;
    const since = Date.now();
    const controller = new AbortController();
    const { signal } = controller;
    const begin = async () => {
      if (doorward.isSignedIn || isUnderWay(signIn)) return;
      const { error } = await signIn.passkey({ flow: "autofill", signal });
      if (error?.code !== "passkey_retrieval_cancelled") onPicked(!error);
    };
    const timer = setTimeout(begin, refused ? pause : 0);
    // Whoever comes back to a page after long finds nothing on it that is over.
    addEventListener("focus", () => Date.now() - since > lifetime / 2 && setBegun(since), { signal });
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [doorward, signIn, waits, begun]);
  return works;
}
