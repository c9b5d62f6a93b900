import type { NextFetchEvent, NextRequest } from "next/server.js";
import type { AuthObject, Check, SignedInAuth } from "./auth-object.js";
import { type RequestState, authenticateRequest, publicUrl } from "./authenticate.js";
import type { AuthenticateOptions } from "./options.js";
import { requestHeaders } from "./passing.js";
import { next, redirect, rewrite } from "./responses.js";
import { type RedirectOptions, isPageRequest, signInAddress } from "./redirect.js";

type Awaitable<T> = T | Promise<T>;
export type HandlerResult = Awaitable<Response | null | undefined | void>;

export interface ProtectOptions {
  unauthenticatedUrl?: string;
  unauthorizedUrl?: string;
}

export type MiddlewareAuth = AuthObject & {
  redirectToSignIn(options?: RedirectOptions): Response;
  redirectToSignUp(options?: RedirectOptions): Response;
};

export interface MiddlewareAuthFunction {
  (): Promise<MiddlewareAuth>;
  /** Ends the request of anybody who is not signed in, or fails the check. */
  protect(check?: Check | ((has: AuthObject["has"]) => boolean) | ProtectOptions, options?: ProtectOptions): Promise<SignedInAuth>;
}

export type MiddlewareHandler = (auth: MiddlewareAuthFunction, request: NextRequest, event: NextFetchEvent) => HandlerResult;
export type MiddlewareOptions = AuthenticateOptions;
type OptionsSource = MiddlewareOptions | ((request: NextRequest) => Awaitable<MiddlewareOptions>);
export type DoorwardMiddleware = (request: NextRequest, event: NextFetchEvent) => Promise<Response>;

/** Thrown by `protect` to leave the handler with this answer. */
class Answer extends Error {
  constructor(readonly response: Response) {
    super("answered");
  }
}

export function clerkMiddleware(handler: MiddlewareHandler, options?: OptionsSource): DoorwardMiddleware;
export function clerkMiddleware(options?: OptionsSource): DoorwardMiddleware;
export function clerkMiddleware(first?: MiddlewareHandler | OptionsSource, second?: OptionsSource): DoorwardMiddleware {
  const handler = typeof first === "function" ? (first as MiddlewareHandler) : undefined;
  const source = second ?? (typeof first === "object" ? first : {});
  return async (request, event) => {
    const options = typeof source === "function" ? await source(request) : source;
    return guarded(request, options, async (state) => handler?.(authFunction(request, state), request, event));
  };
}

export { clerkMiddleware as doorwardMiddleware };

/** Authenticates, lets `decide` answer, and tells the pages what was found. */
export async function guarded(request: NextRequest, options: MiddlewareOptions, decide: (state: RequestState) => HandlerResult): Promise<Response> {
  const state = await authenticateRequest(request, options);
  if (options.debug) console.log("doorward", request.method, request.nextUrl.pathname, state.status, state.reason, state.message);
  if (state.status === "handshake") return new Response(null, { status: 307, headers: state.headers });
  let response: Response;
  try {
    response = (await decide(state)) || next();
  } catch (error) {
    if (!(error instanceof Answer)) throw error;
    response = error.response;
  }
  return decorated(request, response, state);
}

function decorated(request: NextRequest, response: Response, state: RequestState): Response {
  // Answers from elsewhere, as from `fetch` or `Response.redirect`, cannot be written to.
  const copy = new Response(response.body, response);
  for (const cookie of state.headers.getSetCookie()) copy.headers.append("Set-Cookie", cookie);
  copy.headers.set("x-clerk-auth-status", state.status);
  if (state.reason) copy.headers.set("x-clerk-auth-reason", state.reason);
  if (copy.headers.has("location")) return copy;

  // How Next's middleware changes what the pages behind it see of the request.
  const list = "x-middleware-override-headers";
  const found = requestHeaders(state);
  const overridden = new Set(copy.headers.get(list)?.split(",").filter(Boolean));
  if (overridden.size === 0) {
    for (const [name, value] of request.headers) {
      overridden.add(name);
      copy.headers.set(`x-middleware-request-${name}`, value);
    }
  }
  for (const [name, value] of Object.entries(found)) {
    overridden.add(name);
    copy.headers.set(`x-middleware-request-${name}`, value);
  }
  copy.headers.set(list, [...overridden].join(","));
  return copy;
}

function authFunction(request: NextRequest, state: RequestState): MiddlewareAuthFunction {
  const here = publicUrl(request);
  const to = (kind: "sign-in" | "sign-up", options?: RedirectOptions) => redirect(signInAddress(state.settings, kind, here, options));
  const auth: MiddlewareAuth = {
    ...state.toAuth(),
    redirectToSignIn: (options) => to("sign-in", options),
    redirectToSignUp: (options) => to("sign-up", options),
  };
  const read = (name: string) => request.headers.get(name);
  const refuse = (url: string | undefined, page: () => Response) => {
    if (url) return new Answer(redirect(new URL(url, here)));
    return new Answer(isPageRequest(read) ? page() : new Response(null, { status: 404 }));
  };
  const missing = () => rewrite(new URL(`/doorward_${Date.now()}`, request.url));
  return Object.assign(async () => auth, {
    protect: async (check?: Check | ((has: AuthObject["has"]) => boolean) | ProtectOptions, options?: ProtectOptions) => {
      const isOptions = typeof check === "object" && ("unauthenticatedUrl" in check || "unauthorizedUrl" in check);
      const given = (isOptions ? check : options) as ProtectOptions | undefined;
      if (!auth.isAuthenticated) throw refuse(given?.unauthenticatedUrl, () => to("sign-in"));
      if (check && !isOptions && !passes(auth, check as Check)) throw refuse(given?.unauthorizedUrl, missing);
      return auth;
    },
  });
}

export function passes(auth: AuthObject, check: Check | ((has: AuthObject["has"]) => boolean)): boolean {
  return typeof check === "function" ? check(auth.has) : auth.has(check);
}
