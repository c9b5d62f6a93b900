"use client";
import { useEffect, useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { handleRedirectCallback, leadingTo } from "../redirect-callback.js";
import type { OAuthStrategy } from "../types.js";
import type { Wallet } from "../web3.js";
import type { Offers } from "./environment.js";
import { onward } from "./form.js";
import { useWallets } from "./wallets.js";

const RETURNED = "__doorward_returned";

/** Where a provider sends people back to: the page of the form, which then goes on. Each visit has an address of its own. */
export function comeBackHere(): string {
  const url = new URL(location.href);
  url.hash = "";
  url.searchParams.set(RETURNED, Date.now().toString(36));
  return url.href;
}

/** How people visit a provider from a form: by leaving its page, or in a window of their own, as a page within a frame needs it. */
export type OAuthFlow = "redirect" | "popup";

/** The window for a visit to a provider. Where the browser opens none, the form's own page goes there. */
export function windowFor(flow: OAuthFlow | undefined): Window | undefined {
  return (flow === "popup" && open("about:blank", "", "popup,width=480,height=640")) || undefined;
}

/** The other form's page, and where it leads; with `step`, it goes on at once with the sign-in that this form has left open. */
export function goOnAt(page: string, after: string, { step = false } = {}): string {
  const url = new URL(leadingTo(page, after));
  if (step) url.searchParams.set(RETURNED, "1");
  return url.href;
}

/** Where a link in an email leads: the page of the form, in another tab. */
export function openHere(): string {
  const url = new URL(location.href);
  url.hash = "";
  return url.href;
}

/**
 * Goes on with what a provider has said of whoever comes back from it. What cannot go on by itself is told to `onOpen`: an error,
 * or a step that is still to be done.
 */
export function useReturn(after: () => string, onOpen: (error: string | undefined) => unknown): void {
  const { doorward } = useDoorwardContext();
  const begun = useRef<string>(undefined);
  useEffect(() => {
    const url = new URL(location.href);
    const visit = url.searchParams.get(RETURNED);
    // A router may show the same address again; another visit, by a window of its own, has another one.
    if (!visit || begun.current === visit) return;
    begun.current = visit;
    url.searchParams.delete(RETURNED);
    history.replaceState(history.state, "", url);
    void (async () => {
      await doorward.refresh();
      const { signIn, signUp } = doorward.getState();
      const error = signIn?.firstFactorVerification.error ?? signUp?.verifications.externalAccount.error;
      const goesOn = ["external_account_exists", "external_account_not_found", "identifier_already_signed_in"];
      if (signIn?.status === "needs_second_factor" || signIn?.status === "needs_new_password") onOpen(undefined);
      else if (error && !goesOn.includes(error.code)) onOpen(error.longMessage ?? error.message);
      else {
        // The tasks of a session come in the form's place.
        await handleRedirectCallback(doorward, { afterSignInUrl: after(), afterSignUpUrl: after() }, () => {});
      }
    })().catch(() => onOpen("That did not work. Try again in a moment."));
  });
}

const outcomes: Record<string, string> = {
  verified: "The link was right. Go on in the tab where you began.",
  expired: "This link has expired. Ask for another one.",
  client_mismatch: "Open the link in the browser where you began.",
};

/** What comes with a ticket says which of the forms it is for, and nothing of how the link has fared. */
const ofTickets = ["sign_in", "sign_up", "complete"];

/**
 * Whoever comes by a link that lets them in has little or nothing to enter: tells of its ticket, once, and takes it out of the
 * address, unless it is to be there when the page is loaded again. Answers whether it is not known yet what comes of it.
 */
export function useTicket(onTicket: (ticket: string) => Promise<unknown>, { stays = false } = {}): boolean {
  const begun = useRef(false);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const url = new URL(location.href);
    const ticket = url.searchParams.get("__clerk_ticket");
    if (!ticket || begun.current) return;
    begun.current = true;
    if (!stays) {
      for (const name of ["__clerk_ticket", "__clerk_status"]) url.searchParams.delete(name);
      history.replaceState(history.state, "", url);
    }
    setOpen(true);
    void onTicket(ticket).finally(() => setOpen(false));
  });
  return open;
}

/** What a link from an email has come to, where the server leads back from it: on, with who has signed in by it, or to a note. */
export function useLink(after: () => string, onNote: (note: string) => unknown): void {
  const { doorward } = useDoorwardContext();
  const begun = useRef(false);
  useEffect(() => {
    const url = new URL(location.href);
    const status = url.searchParams.get("__clerk_status");
    if (begun.current || !status || ofTickets.includes(status)) return;
    begun.current = true;
    const session = url.searchParams.get("__clerk_created_session");
    for (const name of ["__clerk_status", "__clerk_created_session"]) url.searchParams.delete(name);
    history.replaceState(history.state, "", url);
    void (async () => {
      await doorward.refresh();
      const here = session && doorward.getState().sessions?.some(({ id }) => id === session);
      if (status !== "verified" || !here) return onNote(outcomes[status] ?? "This link does not work. Ask for another one.");
      await doorward.setActive({ session, navigate: onward(doorward, after()) });
    })().catch(() => onNote("That did not work. Try again in a moment."));
  });
}

export interface OthersProps {
  offers: Offers;
  busy: boolean;
  onProvider: (strategy: OAuthStrategy) => unknown;
  onWallet: (wallet: Wallet) => unknown;
}

/** Accounts elsewhere and wallets: last in the card, for they come when the rest is there and must move nothing. */
export function Others({ offers, busy, onProvider, onWallet }: OthersProps) {
  const wallets = useWallets(offers);
  const all = [
    ...offers.social.map(({ strategy, name }) => ({ key: strategy, name, go: () => onProvider(strategy) })),
    ...wallets.map(({ wallet, label: name }) => ({ key: `${wallet.strategy} ${name}`, name, go: () => onWallet(wallet) })),
  ];
  if (!all.length) return null;
  return (
    <div className="dw-others">
      {all.map(({ key, name, go }) => (
        <button key={key} type="button" className="dw-other" aria-disabled={busy} onClick={() => void (busy || go())}>
          Continue with {name}
        </button>
      ))}
    </div>
  );
}
