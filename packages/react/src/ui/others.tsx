"use client";
import { useEffect, useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import type { Environment } from "../doorward.js";
import { handleRedirectCallback } from "../redirect-callback.js";
import type { OAuthStrategy } from "../types.js";

const RETURNED = "__doorward_returned";

/** Where a provider sends people back to: the page of the form, which then goes on. */
export function comeBackHere(): string {
  const url = new URL(location.href);
  url.hash = "";
  url.searchParams.set(RETURNED, "1");
  return url.href;
}

/**
 * Goes on with what a provider has said of whoever comes back from it. What cannot go on by itself is told to `onOpen`: an error,
 * or a step that is still to be done.
 */
export function useReturn(after: () => string, onOpen: (error: string | undefined) => unknown): void {
  const { doorward } = useDoorwardContext();
  const begun = useRef(false);
  useEffect(() => {
    const url = new URL(location.href);
    if (begun.current || !url.searchParams.has(RETURNED)) return;
    begun.current = true;
    url.searchParams.delete(RETURNED);
    history.replaceState(history.state, "", url);
    void (async () => {
      await doorward.run("reload");
      const { signIn, signUp } = doorward.getState();
      const error = signIn?.firstFactorVerification.error ?? signUp?.verifications.externalAccount.error;
      const goesOn = ["external_account_exists", "external_account_not_found", "identifier_already_signed_in"];
      if (signIn?.status === "needs_second_factor" || signIn?.status === "needs_new_password") onOpen(undefined);
      else if (error && !goesOn.includes(error.code)) onOpen(error.longMessage ?? error.message);
      else await handleRedirectCallback(doorward, { afterSignInUrl: after(), afterSignUpUrl: after() });
    })().catch(() => onOpen("That did not work. Try again in a moment."));
  });
}

/** What the instance offers beside what every form has; nothing until it is known. */
export function useOffers(): Environment | undefined {
  const { doorward } = useDoorwardContext();
  const [offers, setOffers] = useState<Environment>();
  useEffect(() => {
    let wanted = true;
    // Without an answer the form is what it was; the next screen asks again.
    doorward.environment().then(
      (found) => wanted && setOffers(found),
      () => {},
    );
    return () => void (wanted = false);
  }, [doorward]);
  return offers;
}

export interface OthersProps {
  offers: Environment | undefined;
  busy: boolean;
  onProvider: (strategy: OAuthStrategy) => unknown;
}

/** Accounts elsewhere: last in the card, for they come when the rest is there and must move nothing. */
export function Others({ offers, busy, onProvider }: OthersProps) {
  if (!offers?.social.length) return null;
  return (
    <div className="dw-others">
      {offers.social.map(({ strategy, name }) => (
        <button key={strategy} type="button" className="dw-other" aria-disabled={busy} onClick={() => void (busy || onProvider(strategy))}>
          Continue with {name}
        </button>
      ))}
    </div>
  );
}
