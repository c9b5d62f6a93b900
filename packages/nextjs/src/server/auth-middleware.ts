import type { NextFetchEvent, NextRequest } from "next/server.js";
import type { AuthObject } from "./auth-object.js";
import { publicUrl } from "./authenticate.js";
import { type RouteMatcher, type RoutePattern, createRouteMatcher } from "./matcher.js";
import { type DoorwardMiddleware, type HandlerResult, type MiddlewareOptions, guarded } from "./middleware.js";
import { type RedirectOptions, signInAddress } from "./redirect.js";
import { resolveSettings } from "./options.js";
import { next, redirect } from "./responses.js";

type Routes = RoutePattern | readonly RoutePattern[] | ((request: NextRequest) => boolean);

export interface AuthMiddlewareOptions extends MiddlewareOptions {
  /** Pages for everybody; all others send strangers to the sign-in page. */
  publicRoutes?: Routes;
  ignoredRoutes?: Routes;
  apiRoutes?: Routes;
  beforeAuth?: (request: NextRequest, event: NextFetchEvent) => HandlerResult | false;
  afterAuth?: (auth: AuthObject & { isPublicRoute: boolean; isApiRoute: boolean }, request: NextRequest, event: NextFetchEvent) => HandlerResult;
}

const defaultIgnored = ["/((?!api|trpc))(_next|.+\\..+)(.*)"];
const defaultApi = ["/api/(.*)", "/trpc/(.*)"];

function isApi(routes: Routes | undefined): RouteMatcher {
  const matches = createRouteMatcher(routes ?? defaultApi);
  if (routes) return matches;
  return (request) => matches(request) || !["GET", "HEAD", "OPTIONS"].includes(request.method) || request.headers.get("content-type") === "application/json";
}

function below(page: string): RegExp {
  return new RegExp(`^${page.replace(/\/$/, "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(/.*)?$`);
}

/**
 * The middleware of the older SDK: every page is private unless it is named.
 *
 * @deprecated `clerkMiddleware` lets each page decide for itself.
 */
export function authMiddleware(params: AuthMiddlewareOptions = {}): DoorwardMiddleware {
  const { publicRoutes, ignoredRoutes, apiRoutes, beforeAuth, afterAuth, ...options } = params;
  const ignored = createRouteMatcher(ignoredRoutes ?? defaultIgnored);
  const isPublic = createRouteMatcher(publicRoutes ?? []);
  const isApiRoute = isApi(apiRoutes);
  return async (request, event) => {
    if (ignored(request)) return next();
    const before = await beforeAuth?.(request, event);
    if (before === false) return next();
    if (before?.headers.has("location")) return before;
    return guarded(request, options, async (state) => {
      const { signInUrl, signUpUrl } = state.settings;
      // The sign-in page of one's own must not send strangers to itself.
      const own = [signInUrl, signUpUrl].some((page) => page?.startsWith("/") && below(page).test(request.nextUrl.pathname));
      const auth = Object.assign(state.toAuth(), { isPublicRoute: own || isPublic(request), isApiRoute: isApiRoute(request) });
      if (afterAuth) return (await afterAuth(auth, request, event)) || before;
      if (auth.userId || auth.isPublicRoute) return before;
      if (auth.isApiRoute) return Response.json(null, { status: 401, statusText: "Unauthorized" });
      return redirect(signInAddress(state.settings, "sign-in", publicUrl(request)));
    });
  };
}

/** For `afterAuth`: to the sign-in page, and back to `returnBackUrl` afterwards. */
export function redirectToSignIn({ returnBackUrl = null }: RedirectOptions = {}): Response {
  const here = new URL(returnBackUrl ?? "http://localhost");
  return redirect(signInAddress(resolveSettings({}, here), "sign-in", here, { returnBackUrl }));
}
