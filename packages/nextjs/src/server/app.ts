import type { AuthObject, Check, SignedInAuth } from "./auth-object.js";
import { authenticateRequest, publicUrl } from "./authenticate.js";
import { type BackendUser, createDoorwardClient } from "./backend.js";
import { resolveSettings } from "./options.js";
import { passedAuth } from "./passing.js";
import { type ProtectOptions, passes } from "./middleware.js";
import { type RedirectOptions, isPageRequest, signInAddress } from "./redirect.js";

export type AppAuth = AuthObject & {
  redirectToSignIn(options?: RedirectOptions): never;
};

export interface AuthFunction {
  (): Promise<AppAuth>;
  protect(check?: Check | ((has: AuthObject["has"]) => boolean), options?: ProtectOptions): Promise<SignedInAuth>;
}

// Asked for when needed: this file is also part of bundles where Next has neither.
async function next() {
  const [{ headers }, { redirect, notFound }] = await Promise.all([import("next/headers.js"), import("next/navigation.js")]);
  return { headers: await headers(), redirect, notFound };
}

async function found(headers: Headers): Promise<AuthObject> {
  const passed = passedAuth((name) => headers.get(name));
  if (passed) return passed;
  // No middleware in front of this page. A token can be checked all the same;
  // only renewing one takes a redirect.
  const state = await authenticateRequest(new Request("http://localhost", { headers: plain(headers) }));
  return state.toAuth();
}

function plain(headers: Headers): Headers {
  const copy = new Headers();
  for (const name of ["authorization", "cookie", "host", "x-forwarded-host", "x-forwarded-proto"]) {
    const value = headers.get(name);
    if (value) copy.set(name, value);
  }
  return copy;
}

function here(headers: Headers): URL {
  const own = publicUrl(new Request("http://localhost", { headers: plain(headers) }));
  try {
    const told = new URL(headers.get("x-clerk-clerk-url") ?? own);
    // Where no middleware writes it, anybody can.
    return told.host === own.host ? told : own;
  } catch {
    return own;
  }
}

async function currentAuth(): Promise<AppAuth> {
  const { headers, redirect } = await next();
  const url = here(headers);
  return {
    ...(await found(headers)),
    redirectToSignIn: (options) => redirect(signInAddress(resolveSettings({}, url), "sign-in", url, options).href),
  };
}

async function protect(check?: Check | ((has: AuthObject["has"]) => boolean), options: ProtectOptions = {}): Promise<SignedInAuth> {
  const [auth, { headers, redirect, notFound }] = await Promise.all([currentAuth(), next()]);
  if (!auth.isAuthenticated) {
    if (options.unauthenticatedUrl) redirect(options.unauthenticatedUrl);
    if (isPageRequest((name) => headers.get(name))) auth.redirectToSignIn();
    notFound();
  }
  if (check && !passes(auth, check)) {
    if (options.unauthorizedUrl) redirect(options.unauthorizedUrl);
    notFound();
  }
  return auth as SignedInAuth;
}

/** Who sent this request: for server components, route handlers and server actions. */
export const auth: AuthFunction = /* @__PURE__ */ Object.assign(currentAuth, { protect });

/** The signed-in user with all that the Backend API knows, or `null`. */
export async function currentUser(): Promise<BackendUser | null> {
  const { userId } = await currentAuth();
  return userId ? createDoorwardClient().users.getUser(userId) : null;
}
