"use client";
import { useEffect } from "react";
import { useDoorwardContext } from "./context.js";
import type { Doorward } from "./doorward.js";
import { DoorwardAPIResponseError } from "./errors.js";
import { useAuth } from "./hooks.js";
import { type RedirectCallbackProps, handleRedirectCallback } from "./redirect-callback.js";
import { nothing, useOffers } from "./ui/environment.js";

const source = "https://accounts.google.com/gsi/client";

/** What of Google's script is used (https://developers.google.com/identity/gsi/web/reference/js-reference). */
interface Google {
  initialize(options: Record<string, unknown>): void;
  prompt(): void;
  cancel(): void;
}

let loading: Promise<Google> | undefined;

function load(): Promise<Google> {
  loading ??= new Promise<Google>((resolve, reject) => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = () => resolve((window as unknown as { google: { accounts: { id: Google } } }).google.accounts.id);
    script.onerror = () => reject(new Error("Doorward: Google's script could not be loaded"));
    document.head.append(script);
  });
  loading.catch(() => (loading = undefined));
  return loading;
}

/** Signs in whoever Google's ID token is about, and signs them up where nobody has that account yet. */
async function withToken(doorward: Doorward, token: string): Promise<void> {
  const { signIn, signUp } = doorward.getState();
  const given = { strategy: "google_one_tap", token };
  try {
    await signIn!.create(given);
  } catch (error) {
    if (!(error instanceof DoorwardAPIResponseError) || error.errors[0]?.code !== "external_account_not_found") throw error;
    await signUp!.create(given);
  }
}

export interface GoogleOneTapProps extends RedirectCallbackProps {
  /** Takes the prompt away when somebody clicks beside it. */
  cancelOnTapOutside?: boolean;
  /** Shows it in browsers that prevent tracking too. */
  itpSupport?: boolean;
  /** Lets the browser show it (https://w3c-fedid.github.io/FedCM/). */
  fedCmSupport?: boolean;
  /** Told what went wrong; without it, that is an error of the page that nobody caught. */
  onError?: (error: unknown) => unknown;
}

/**
 * Google's One Tap, before those who are not signed in, where the instance signs people in by Google. It loads Google's script;
 * afterwards it goes on as a redirect's callback does.
 */
export function GoogleOneTap({ cancelOnTapOutside = true, itpSupport = true, fedCmSupport = true, onError, ...after }: GoogleOneTapProps) {
  const { doorward } = useDoorwardContext();
  const { userId } = useAuth();
  const clientId = useOffers(nothing)?.googleClientId;
  useEffect(() => {
    if (userId !== null || !clientId) return;
    let google: Google | undefined;
    let wanted = true;
    const failed = (error: unknown) => {
      if (!onError) throw error;
      onError(error);
    };
    const callback = ({ credential }: { credential: string }) =>
      withToken(doorward, credential)
        .then(() => handleRedirectCallback(doorward, after))
        .catch(failed);
    void load()
      .then((loaded) => {
        if (!wanted) return;
        google = loaded;
        google.initialize({ client_id: clientId, callback, itp_support: itpSupport, cancel_on_tap_outside: cancelOnTapOutside, use_fedcm_for_prompt: fedCmSupport, auto_select: false });
        google.prompt();
      })
      .catch(failed);
    return () => {
      wanted = false;
      google?.cancel();
    };
    // The properties are often written anew with each rendering, and mean the same.
  }, [doorward, userId, clientId]);
  return null;
}
