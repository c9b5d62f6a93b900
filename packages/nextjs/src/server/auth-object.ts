import { ServerApi } from "./backend.js";
import type { SessionClaims } from "./jwt.js";

export interface GetTokenOptions {
  template?: string;
  expiresInSeconds?: number;
}

export interface Check {
  role?: string;
  permission?: string;
}

interface Common {
  tokenType: "session_token";
  getToken(options?: GetTokenOptions): Promise<string | null>;
  has(check: Check): boolean;
  debug(): { reason: string | null };
}

export interface SignedInAuth extends Common {
  isAuthenticated: true;
  sessionClaims: SessionClaims;
  sessionId: string;
  sessionStatus: "active" | "pending";
  userId: string;
  actor?: SessionClaims["act"];
  orgId?: string;
  orgSlug?: string;
  orgRole?: string;
  orgPermissions?: string[];
  factorVerificationAge: [number, number] | null;
}

export interface SignedOutAuth extends Common {
  isAuthenticated: false;
  sessionClaims: null;
  sessionId: null;
  sessionStatus: null;
  userId: null;
  actor: null;
  orgId: null;
  orgSlug: null;
  orgRole: null;
  orgPermissions: null;
  factorVerificationAge: null;
}

export type AuthObject = SignedInAuth | SignedOutAuth;

interface Organization {
  orgId?: string;
  orgSlug?: string;
  orgRole?: string;
  orgPermissions?: string[];
}

/** Two ways to write it: four claims of their own, or one packed one. */
function organization(claims: SessionClaims): Organization {
  const { o, fea = "" } = claims;
  if (claims.org_id || !o) {
    return { orgId: claims.org_id, orgSlug: claims.org_slug, orgRole: claims.org_role, orgPermissions: claims.org_permissions };
  }
  const names = o.per?.split(",") ?? [];
  const masks = o.fpm?.split(",") ?? [];
  const features = fea.split(",").filter((it) => it.startsWith("o:"));
  const orgPermissions = features.flatMap((feature, i) =>
    names.filter((_, bit) => (Number(masks[i]) >> bit) & 1).map((permission) => `org:${feature.slice(2)}:${permission}`),
  );
  return { orgId: o.id, orgSlug: o.slg, orgRole: o.rol && `org:${o.rol.replace(/^org:/, "")}`, orgPermissions };
}

export function signedIn(token: string, claims: SessionClaims, api: ServerApi): SignedInAuth {
  const org = organization(claims);
  return {
    tokenType: "session_token",
    isAuthenticated: true,
    sessionClaims: claims,
    sessionId: claims.sid,
    sessionStatus: claims.sts ?? "active",
    userId: claims.sub,
    actor: claims.act,
    ...org,
    factorVerificationAge: claims.fva ?? null,
    getToken: async ({ template, expiresInSeconds } = {}) => (template ? (await api.sessions.getToken(claims.sid, template, expiresInSeconds)).jwt : token),
    has: ({ role, permission }) => {
      if (!org.orgId || (!role && !permission)) return false;
      return (!role || org.orgRole === role) && (!permission || Boolean(org.orgPermissions?.includes(permission)));
    },
    debug: () => ({ reason: null }),
  };
}

export function signedOut(reason: string | null): SignedOutAuth {
  return {
    tokenType: "session_token",
    isAuthenticated: false,
    sessionClaims: null,
    sessionId: null,
    sessionStatus: null,
    userId: null,
    actor: null,
    orgId: null,
    orgSlug: null,
    orgRole: null,
    orgPermissions: null,
    factorVerificationAge: null,
    getToken: async () => null,
    has: () => false,
    debug: () => ({ reason }),
  };
}
