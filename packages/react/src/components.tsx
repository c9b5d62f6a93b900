"use client";
import { Children, type MouseEvent, type ReactElement, type ReactNode, cloneElement, isValidElement, useEffect } from "react";
import type { SignOutOptions } from "./doorward.js";
import { useDoorwardContext } from "./context.js";
import { useAuth } from "./hooks.js";

/** Shows its children to those who are signed in. */
export function SignedIn({ children }: { children?: ReactNode }) {
  return useAuth().userId ? <>{children}</> : null;
}

/** Shows its children to those who are not signed in, once that is known. */
export function SignedOut({ children }: { children?: ReactNode }) {
  return useAuth().userId === null ? <>{children}</> : null;
}

export function DoorwardLoaded({ children }: { children?: ReactNode }) {
  return useAuth().isLoaded ? <>{children}</> : null;
}

export function DoorwardLoading({ children }: { children?: ReactNode }) {
  return useAuth().isLoaded ? null : <>{children}</>;
}
export { DoorwardLoaded as ClerkLoaded, DoorwardLoading as ClerkLoading };

/** A button of one's own, or one that we make of the text. */
function usePressable(children: ReactNode, fallback: string, act: () => unknown): ReactElement {
  const press = async (event: MouseEvent, own?: (event: MouseEvent) => unknown) => {
    await own?.(event);
    await act();
  };
  const only = Children.toArray(children);
  const child = only[0];
  if (only.length === 1 && isValidElement<{ onClick?: (event: MouseEvent) => unknown }>(child)) {
    const { onClick } = child.props;
    return cloneElement(child, { onClick: (event: MouseEvent) => press(event, onClick) });
  }
  return (
    <button type="button" onClick={(event) => press(event)}>
      {only.length ? children : fallback}
    </button>
  );
}

export interface SignOutButtonProps extends SignOutOptions {
  children?: ReactNode;
  /** @deprecated Use `redirectUrl`. */
  signOutCallback?: () => unknown;
  signOutOptions?: SignOutOptions;
}

export function SignOutButton({ children, signOutCallback, signOutOptions, sessionId, redirectUrl }: SignOutButtonProps) {
  const { doorward } = useDoorwardContext();
  const options = { sessionId, redirectUrl, ...signOutOptions };
  return usePressable(children, "Sign out", () => (signOutCallback ? doorward.signOut(signOutCallback, options) : doorward.signOut(options)));
}

export interface RedirectButtonProps {
  children?: ReactNode;
  redirectUrl?: string | null;
}

export function SignInButton({ children, redirectUrl }: RedirectButtonProps) {
  const { doorward } = useDoorwardContext();
  return usePressable(children, "Sign in", () => doorward.redirectToSignIn({ redirectUrl }));
}

export function SignUpButton({ children, redirectUrl }: RedirectButtonProps) {
  const { doorward } = useDoorwardContext();
  return usePressable(children, "Sign up", () => doorward.redirectToSignUp({ redirectUrl }));
}

export function RedirectToSignIn({ redirectUrl }: { redirectUrl?: string | null }) {
  const { doorward } = useDoorwardContext();
  useEffect(() => void doorward.redirectToSignIn({ redirectUrl }), [doorward, redirectUrl]);
  return null;
}

export function RedirectToSignUp({ redirectUrl }: { redirectUrl?: string | null }) {
  const { doorward } = useDoorwardContext();
  useEffect(() => void doorward.redirectToSignUp({ redirectUrl }), [doorward, redirectUrl]);
  return null;
}
