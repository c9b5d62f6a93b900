import { parsePublishableKey } from "./keys.js";

export interface AuthenticateOptions {
  publishableKey?: string;
  secretKey?: string;
  /** The instance's public key in PEM form: with it, nothing is ever fetched. */
  jwtKey?: string;
  /** The Backend API, as `https://api.example.com`. */
  apiUrl?: string;
  proxyUrl?: string | ((url: URL) => string);
  domain?: string;
  /** The origins whose tokens are taken. Set it: without it, a token made for any page of the instance is good. */
  authorizedParties?: string[];
  /** Who must have issued the token; by default the address of the Frontend API. */
  issuer?: string | string[];
  clockSkewInMs?: number;
  signInUrl?: string;
  signUpUrl?: string;
  afterSignInUrl?: string;
  afterSignUpUrl?: string;
  debug?: boolean;
  /** The moment that counts as now, for tests. */
  now?: () => number;
  fetch?: typeof fetch;
}

export interface Settings extends AuthenticateOptions {
  publishableKey: string;
  secretKey: string;
  production: boolean;
  /** The Frontend API's address without a slash at its end. */
  frontendApi: string;
  proxyUrl?: string;
  issuers?: string[];
  jwksUrl: string;
  jwksSecret?: string;
}

// Next replaces these names, letter for letter, with their values.
const environment = () => ({
  publishableKey: process.env.NEXT_PUBLIC_DOORWARD_PUBLISHABLE_KEY || process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY,
  proxyUrl: process.env.NEXT_PUBLIC_DOORWARD_PROXY_URL || process.env.NEXT_PUBLIC_CLERK_PROXY_URL,
  domain: process.env.NEXT_PUBLIC_DOORWARD_DOMAIN || process.env.NEXT_PUBLIC_CLERK_DOMAIN,
  signInUrl: process.env.NEXT_PUBLIC_DOORWARD_SIGN_IN_URL || process.env.NEXT_PUBLIC_CLERK_SIGN_IN_URL,
  signUpUrl: process.env.NEXT_PUBLIC_DOORWARD_SIGN_UP_URL || process.env.NEXT_PUBLIC_CLERK_SIGN_UP_URL,
  secretKey: process.env.DOORWARD_SECRET_KEY || process.env.CLERK_SECRET_KEY,
  jwtKey: process.env.DOORWARD_JWT_KEY || process.env.CLERK_JWT_KEY,
  apiUrl: process.env.DOORWARD_API_URL || process.env.CLERK_API_URL,
});

export function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

const trimmed = (url: string) => url.replace(/\/+$/, "");

export function resolveSettings(options: AuthenticateOptions, url: URL): Settings {
  const merged: AuthenticateOptions = { ...environment(), ...given(options) };
  const { publishableKey, secretKey = "", domain, apiUrl, issuer } = merged;
  if (!publishableKey) throw new Error("Doorward: NEXT_PUBLIC_DOORWARD_PUBLISHABLE_KEY is not set.");
  const { production, host } = parsePublishableKey(publishableKey);
  const asked = typeof merged.proxyUrl === "function" ? merged.proxyUrl(url) : merged.proxyUrl;
  const relative = asked?.startsWith("/");
  const proxyUrl = asked ? trimmed(relative ? url.origin + asked : asked) : undefined;
  const frontendApi = proxyUrl ?? `https://${domain && production ? `clerk.${domain}` : host}`;
  return {
    ...merged,
    publishableKey,
    secretKey,
    production,
    proxyUrl,
    frontendApi,
    // Behind a path of the app's own, the server may know itself by another
    // address; the instance's key is what proves a token there.
    issuers: issuer ? [issuer].flat() : relative ? undefined : [frontendApi],
    ...(apiUrl && secretKey
      ? { jwksUrl: `${trimmed(apiUrl)}/v1/jwks`, jwksSecret: secretKey }
      : { jwksUrl: `${frontendApi}/.well-known/jwks.json` }),
  };
}
