"use client";
import { useEffect } from "react";
import { useDoorwardContext } from "./context.js";
import type { Doorward } from "./doorward.js";

export interface RedirectCallbackProps {
  signInUrl?: string;
  signUpUrl?: string;
  /** Where to go when somebody is signed in; by default the app's first page. */
  afterSignInUrl?: string;
  afterSignUpUrl?: string;
  signInFallbackRedirectUrl?: string;
  signUpFallbackRedirectUrl?: string;
}

const isComplete = ({ status }: { status: string | null }) => status === "complete";

/** Goes on where somebody comes back from another service with an attempt that is not complete. */
export async function handleRedirectCallback(doorward: Doorward, props: RedirectCallbackProps = {}): Promise<void> {
  await doorward.refresh();
  const { signIn, signUp } = doorward.getState();
  if (!signIn || !signUp) return;
  const afterSignIn = props.afterSignInUrl ?? props.signInFallbackRedirectUrl ?? "/";
  const afterSignUp = props.afterSignUpUrl ?? props.signUpFallbackRedirectUrl ?? "/";
  const toSignIn = () => doorward.navigate(props.signInUrl ?? doorward.buildSignInUrl({ redirectUrl: null }));
  const toSignUp = () => doorward.navigate(props.signUpUrl ?? doorward.buildSignUpUrl({ redirectUrl: null }));
  const external = signUp.verifications.externalAccount;

  if (isComplete(signIn)) return doorward.setActive({ session: signIn.createdSessionId, redirectUrl: afterSignIn });
  if (external.status === "transferable" && external.error?.code === "external_account_exists") {
    await signIn.create({ transfer: true });
    return isComplete(signIn) ? doorward.setActive({ session: signIn.createdSessionId, redirectUrl: afterSignIn }) : toSignIn();
  }
  if (signIn.firstFactorVerification.status === "transferable") {
    await signUp.create({ transfer: true });
    return isComplete(signUp) ? doorward.setActive({ session: signUp.createdSessionId, redirectUrl: afterSignUp }) : toSignUp();
  }
  if (isComplete(signUp)) return doorward.setActive({ session: signUp.createdSessionId, redirectUrl: afterSignUp });
  const error = signIn.firstFactorVerification.error ?? external.error;
  const session = error?.meta?.sessionId;
  if (error?.code === "identifier_already_signed_in" && typeof session === "string") return doorward.setActive({ session, redirectUrl: afterSignIn });
  return signUp.status === "missing_requirements" ? toSignUp() : toSignIn();
}

const handled = new WeakMap<Doorward, Promise<void>>();

export function AuthenticateWithRedirectCallback(props: RedirectCallbackProps) {
  const { doorward } = useDoorwardContext();
  useEffect(() => {
    // Strict mode mounts twice, and what was brought back can be used once.
    if (!handled.has(doorward)) handled.set(doorward, handleRedirectCallback(doorward, props).finally(() => handled.delete(doorward)));
    // The properties are often written anew with each rendering, and mean the same.
  }, [doorward]);
  return null;
}
