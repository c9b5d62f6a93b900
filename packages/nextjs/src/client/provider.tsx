"use client";
import { type DoorwardProviderProps, DoorwardProvider as ReactProvider, type InitialState } from "@doorward/react";
import { useRouter as usePagesRouter } from "next/compat/router.js";
import { useRouter as useAppRouter } from "next/navigation.js";
import { useCallback, useEffect, useRef, useTransition } from "react";

// Next replaces these names, letter for letter, with their values.
const environment = () => ({
  publishableKey: process.env.NEXT_PUBLIC_DOORWARD_PUBLISHABLE_KEY || process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY,
  proxyUrl: process.env.NEXT_PUBLIC_DOORWARD_PROXY_URL || process.env.NEXT_PUBLIC_CLERK_PROXY_URL,
  domain: process.env.NEXT_PUBLIC_DOORWARD_DOMAIN || process.env.NEXT_PUBLIC_CLERK_DOMAIN,
  signInUrl: process.env.NEXT_PUBLIC_DOORWARD_SIGN_IN_URL || process.env.NEXT_PUBLIC_CLERK_SIGN_IN_URL,
  signUpUrl: process.env.NEXT_PUBLIC_DOORWARD_SIGN_UP_URL || process.env.NEXT_PUBLIC_CLERK_SIGN_UP_URL,
});

export interface NextProviderProps extends Omit<DoorwardProviderProps, "publishableKey"> {
  publishableKey?: string;
  /** What `buildDoorwardProps` added to a page's properties. */
  __clerk_ssr_state?: InitialState;
  /** Properties of pages are often spread here; what is not ours is not looked at. */
  [property: string]: unknown;
}

const names = ["publishableKey", "proxyUrl", "domain", "isSatellite", "signInUrl", "signUpUrl", "afterSignOutUrl"] as const;

// Pages that were rendered for somebody else must not come out of the cache.
function forgetPages(): void {
  const router = (window as { next?: { router?: { sdc?: object; sbc?: object } } }).next?.router;
  for (const cache of [router?.sdc, router?.sbc]) {
    for (const key of Object.keys(cache ?? {})) delete (cache as Record<string, unknown>)[key];
  }
}

const release = (waiting: (() => void)[]) => waiting.splice(0).forEach((resolve) => resolve());

/**
 * What the router has fetched ahead for a stranger is mostly the way to the
 * sign-in page. It must be forgotten before anybody goes on: a navigation that
 * overtakes the refresh would cancel it.
 */
function useRefresh(refresh: () => void): () => Promise<void> {
  const [isPending, start] = useTransition();
  const waiting = useRef<(() => void)[]>([]);
  const latest = useRef(refresh);
  useEffect(() => {
    latest.current = refresh;
  });
  useEffect(() => {
    if (!isPending) release(waiting.current);
  }, [isPending]);
  useEffect(() => () => release(waiting.current), []);
  return useCallback(
    () =>
      new Promise<void>((resolve) => {
        start(() => latest.current());
        waiting.current.push(resolve);
      }),
    [],
  );
}

export function DoorwardProvider({ children, initialState, __clerk_ssr_state, ...props }: NextProviderProps) {
  const pages = usePagesRouter();
  const app = useAppRouter();
  const refresh = useRefresh(() => app.refresh());
  const given = Object.fromEntries(names.filter((name) => props[name] !== undefined).map((name) => [name, props[name]]));
  const router = pages
    ? {
        routerPush: (to: string) => pages.push(to),
        routerReplace: (to: string) => pages.replace(to),
        onBeforeSetActive: forgetPages,
        onAfterSetActive: () => pages.replace(window.location.href, undefined, { scroll: false }),
      }
    : {
        routerPush: (to: string) => app.push(to),
        routerReplace: (to: string) => app.replace(to),
        onSetActive: refresh,
        onAfterSetActive: refresh,
      };
  return (
    <ReactProvider {...(environment() as { publishableKey: string })} {...given} {...router} initialState={initialState ?? __clerk_ssr_state}>
      {children}
    </ReactProvider>
  );
}

export { DoorwardProvider as ClerkProvider };
