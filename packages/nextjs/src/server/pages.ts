import type { AuthObject } from "./auth-object.js";
import { passedAuth } from "./passing.js";

/** A request of the pages router, of an API route or of a route handler. */
export interface RequestLike {
  headers: Headers | Record<string, string | string[] | undefined>;
}

export interface GetAuthOptions {
  secretKey?: string;
}

/** Who sent this request, as the middleware found it. */
export function getAuth({ headers }: RequestLike, { secretKey }: GetAuthOptions = {}): AuthObject {
  const read = (name: string) => {
    if (typeof (headers as Headers).get === "function") return (headers as Headers).get(name);
    const value = (headers as Record<string, string | string[] | undefined>)[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const auth = passedAuth(read, secretKey);
  if (!auth) throw new Error("Doorward: getAuth() finds no trace of the middleware. Does the matcher in middleware.ts cover this route?");
  return auth;
}

export interface InitialState {
  userId: string | null;
  sessionId: string | null;
  sessionClaims: unknown;
  sessionStatus: string | null;
  actor: unknown;
  orgId: string | null;
  orgSlug: string | null;
  orgRole: string | null;
  orgPermissions: string[] | null;
  factorVerificationAge: [number, number] | null;
}

/** What the browser may know before it has asked: everything but the token. */
export function initialState(auth: AuthObject): InitialState {
  return {
    userId: auth.userId,
    sessionId: auth.sessionId,
    sessionClaims: auth.sessionClaims,
    sessionStatus: auth.sessionStatus,
    actor: auth.actor ?? null,
    orgId: auth.orgId ?? null,
    orgSlug: auth.orgSlug ?? null,
    orgRole: auth.orgRole ?? null,
    orgPermissions: auth.orgPermissions ?? null,
    factorVerificationAge: auth.factorVerificationAge,
  };
}

/** Page properties with which `DoorwardProvider` renders the right state on the server. */
export function buildClerkProps(request: RequestLike, options?: GetAuthOptions): { __clerk_ssr_state: InitialState } {
  return { __clerk_ssr_state: initialState(getAuth(request, options)) };
}

export { buildClerkProps as buildDoorwardProps };
