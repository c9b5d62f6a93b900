"use client";
import { useMemo, useSyncExternalStore } from "react";
import { type InitialState, useDoorwardContext } from "./context.js";
import type { Doorward, State } from "./doorward.js";
import type { Session, SignIn, SignUp } from "./resources.js";
import type { GetToken, HasParams } from "./types.js";
import type { User } from "./user.js";

type SetActive = Doorward["setActive"];
interface NotLoaded {
  isLoaded: false;
  setActive: undefined;
  /** @deprecated Use `setActive`. */
  setSession: undefined;
}
interface Loaded {
  isLoaded: true;
  /** Makes a session the active one: the last step of signing in. */
  setActive: SetActive;
  /** @deprecated Use `setActive({ session })`, which can do more. */
  setSession: (session: string | Session | null, beforeEmit?: (session: Session | null) => unknown) => Promise<void>;
}

/** One part of the state; renders again only when that part changes. */
function usePart<Key extends keyof State>(key: Key): [Doorward, State[Key]] {
  const { doorward } = useDoorwardContext();
  const part = useSyncExternalStore(
    doorward.subscribe,
    () => doorward.getState()[key],
    // What the server rendered knew of nothing, and hydration must agree with it.
    () => undefined,
  );
  return [doorward, part];
}

const setSessionOf = ({ setActive }: Doorward): Loaded["setSession"] => (session, beforeEmit) => setActive({ session, beforeEmit });

function useAttempt<Key extends "signIn" | "signUp">(key: Key) {
  const [doorward, attempt] = usePart(key);
  return useMemo(() => {
    const isLoaded = attempt !== undefined;
    return { isLoaded, [key]: attempt, setActive: isLoaded ? doorward.setActive : undefined, setSession: isLoaded ? setSessionOf(doorward) : undefined };
  }, [doorward, key, attempt]);
}

export type UseSignInReturn = (NotLoaded & { signIn: undefined }) | (Loaded & { signIn: SignIn });
export type UseSignUpReturn = (NotLoaded & { signUp: undefined }) | (Loaded & { signUp: SignUp });

/** The current attempt to sign in, and the means to begin and to finish one. */
export function useSignIn(): UseSignInReturn {
  return useAttempt("signIn") as unknown as UseSignInReturn;
}

/** The current attempt to sign up, and the means to begin and to finish one. */
export function useSignUp(): UseSignUpReturn {
  return useAttempt("signUp") as unknown as UseSignUpReturn;
}

type Absent = "user" | "session";
export type UseUserReturn = { isLoaded: false; isSignedIn: undefined; user: undefined } | { isLoaded: true; isSignedIn: false; user: null } | { isLoaded: true; isSignedIn: true; user: User };
export type UseSessionReturn = { isLoaded: false; isSignedIn: undefined; session: undefined } | { isLoaded: true; isSignedIn: false; session: null } | { isLoaded: true; isSignedIn: boolean; session: Session };

function useOne<Key extends Absent>(key: Key) {
  const [, one] = usePart(key);
  return useMemo(() => ({ isLoaded: one !== undefined, isSignedIn: one === undefined ? undefined : one !== null && (one as Partial<Session>).status !== "pending", [key]: one }), [key, one]);
}

export function useUser(): UseUserReturn {
  return useOne("user") as unknown as UseUserReturn;
}

/** The session in use. It is there with its tasks, too (`session.currentTask`), though nobody is signed in before they are done. */
export function useSession(): UseSessionReturn {
  return useOne("session") as unknown as UseSessionReturn;
}

export type UseSessionListReturn = { isLoaded: false; sessions: undefined; setActive: undefined } | { isLoaded: true; sessions: Session[]; setActive: SetActive };

/** All sessions of this browser, in instances that allow more than one. */
export function useSessionList(): UseSessionListReturn {
  const [doorward, sessions] = usePart("sessions");
  return useMemo(() => ({ isLoaded: sessions !== undefined, sessions, setActive: sessions && doorward.setActive }), [doorward, sessions]) as UseSessionListReturn;
}

/** The client itself, for what has no hook. */
export function useDoorward(): Doorward {
  return usePart("client")[0];
}
export { useDoorward as useClerk };

interface AuthActions {
  getToken: GetToken;
  signOut: Doorward["signOut"];
}
export type UseAuthReturn = AuthActions &
  (
    | { isLoaded: false; isSignedIn: undefined; userId: undefined; sessionId: undefined; sessionClaims: undefined; actor: undefined; orgId: undefined; orgRole: undefined; orgSlug: undefined; has: undefined }
    | { isLoaded: true; isSignedIn: false; userId: null; sessionId: null; sessionClaims: null; actor: null; orgId: null; orgRole: null; orgSlug: null; has: (params: HasParams) => false }
    | {
        isLoaded: true;
        isSignedIn: true;
        userId: string;
        sessionId: string;
        sessionClaims: Record<string, unknown>;
        actor: { sub: string } | null;
        orgId: string | null;
        orgRole: string | null;
        orgSlug: string | null;
        has: (params: HasParams) => boolean;
      }
  );

function claimsOf(token: string | undefined): Record<string, unknown> {
  try {
    const body = token!.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0))));
  } catch {
    return {};
  }
}

function known({ userId, sessionId, sessionClaims, actor, orgId, orgRole, orgSlug, orgPermissions }: InitialState) {
  const isSignedIn = Boolean(userId);
  const has = ({ role, permission }: HasParams) =>
    Boolean(orgId && (role || permission)) && (!role || orgRole === role) && (!permission || Boolean(orgPermissions?.includes(permission)));
  return { isLoaded: true, isSignedIn, userId, sessionId, sessionClaims, actor: actor ?? null, orgId: orgId ?? null, orgRole: orgRole ?? null, orgSlug: orgSlug ?? null, has: isSignedIn ? has : () => false };
}

function present(session: Session): InitialState {
  const claims = claimsOf(session.lastActiveToken?.jwt);
  const text = (name: string) => (claims[name] as string | undefined) ?? null;
  return {
    userId: session.user?.id ?? null,
    sessionId: session.id,
    sessionClaims: claims,
    actor: session.actor,
    orgId: text("org_id"),
    orgRole: text("org_role"),
    orgSlug: text("org_slug"),
    orgPermissions: (claims.org_permissions as string[] | undefined) ?? null,
  };
}

const nobody: InitialState = { userId: null, sessionId: null, sessionClaims: null };

/** Who is signed in, and the token that proves it to the app's own servers. */
export function useAuth(): UseAuthReturn {
  const { initialState } = useDoorwardContext();
  const [doorward, session] = usePart("session");
  return useMemo(() => {
    const actions = { getToken: doorward.getToken as GetToken, signOut: doorward.signOut };
    if (session === undefined) return { ...(initialState ? known(initialState) : { isLoaded: false }), ...actions };
    // A session with tasks left is nobody yet.
    return { ...known(session?.status === "active" ? present(session) : nobody), ...actions };
  }, [doorward, session, initialState]) as UseAuthReturn;
}
