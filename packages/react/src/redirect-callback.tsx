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

/** A page's address, and where it leads. */
export function leadingTo(page: string, after: string): string {
  const url = new URL(page, location.href);
  url.searchParams.set("redirect_url", new URL(after, location.href).href);
  return url.href;
}

const isComplete = ({ status }: { status: string | null }) => status === "complete";

/**
 * Goes on where somebody comes back from another service with an attempt that is not complete. A session that waits for tasks is gone
 * on with by `onTasks`: by default on the page to sign in, which then leads where this would have led.
 */
export async function handleRedirectCallback(doorward: Doorward, props: RedirectCallbackProps = {}, onTasks?: () => unknown): Promise<void> {
  await doorward.refresh();
  const { signIn, signUp } = doorward.getState();
  if (!signIn || !signUp) return;
  const afterSignIn = props.afterSignInUrl ?? props.signInFallbackRedirectUrl ?? "/";
  const afterSignUp = props.afterSignUpUrl ?? props.signUpFallbackRedirectUrl ?? "/";
  const signInUrl = props.signInUrl ?? doorward.buildSignInUrl({ redirectUrl: null });
  const toSignIn = () => doorward.navigate(signInUrl);
  const toSignUp = () => doorward.navigate(props.signUpUrl ?? doorward.buildSignUpUrl({ redirectUrl: null }));
  const toTasks = (after: string) => (onTasks ? onTasks() : doorward.navigate(leadingTo(signInUrl, after)));
  const enter = (session: string | null, after: string) =>
    doorward.setActive({ session, navigate: ({ session }) => (session.currentTask ? toTasks(after) : doorward.navigate(after)) });
  const external = signUp.verifications.externalAccount;

  if (isComplete(signIn)) return enter(signIn.createdSessionId, afterSignIn);
  if (external.status === "transferable" && external.error?.code === "external_account_exists") {
    await signIn.create({ transfer: true });
    return isComplete(signIn) ? enter(signIn.createdSessionId, afterSignIn) : toSignIn();
  }
  if (signIn.firstFactorVerification.status === "transferable") {
    await signUp.create({ transfer: true });
    return isComplete(signUp) ? enter(signUp.createdSessionId, afterSignUp) : toSignUp();
  }
  if (isComplete(signUp)) return enter(signUp.createdSessionId, afterSignUp);
  const error = signIn.firstFactorVerification.error ?? external.error;
  const session = error?.meta?.sessionId;
  if (error?.code === "identifier_already_signed_in" && typeof session === "string") return enter(session, afterSignIn);
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
