import { type AuthObject, signedIn, signedOut } from "./auth-object.js";
import { createDoorwardClient } from "./backend.js";
import { chooseFamily, hostOf, parseCookies } from "./cookies.js";
import { type DecodedToken, type SessionClaims, TokenVerificationError, type VerifyRules, assertHeader, assertSession, decodeToken, verifySignature } from "./jwt.js";
import { directives, handshakeUrl, isDocument, parameters, sessionIn } from "./handshake.js";
import { keyFor } from "./jwks.js";
import { cookieSuffix } from "./keys.js";
import { type AuthenticateOptions, type Settings, resolveSettings } from "./options.js";

export interface RequestState {
  status: "signed-in" | "signed-out" | "handshake";
  reason: string | null;
  message: string;
  token: string | null;
  claims: SessionClaims | null;
  /** What the answer must carry: cookies, or the address to go to. */
  headers: Headers;
  settings: Settings;
  /** The address as the browser knows it. */
  url: URL;
  toAuth(): AuthObject;
}

/** Verifies one session token; throws `TokenVerificationError`. */
export async function verifyToken(token: string, options: AuthenticateOptions = {}): Promise<SessionClaims> {
  const settings = resolveSettings(options, new URL("http://localhost"));
  return verify(token, settings, rulesOf(settings));
}

function rulesOf(settings: Settings): VerifyRules {
  const { authorizedParties, clockSkewInMs, issuers, now = Date.now } = settings;
  return { now: now(), authorizedParties, clockSkewInMs, issuers };
}

async function verify(token: string, settings: Settings, rules: VerifyRules): Promise<SessionClaims> {
  const decoded: DecodedToken = decodeToken(token);
  // Before the key: a token that cannot be ours must not cause a request.
  assertHeader(decoded.header);
  await verifySignature(decoded, await keyFor(decoded.header, settings, rules.now));
  assertSession(decoded, rules);
  return decoded.payload;
}

/** The address as the browser knows it, when something stands in front of the app. */
export function publicUrl(request: Request): URL {
  const url = new URL(request.url);
  const first = (name: string) => request.headers.get(name)?.split(",")[0]?.trim();
  const host = first("x-forwarded-host") ?? first("host");
  const protocol = first("x-forwarded-proto") ?? url.protocol.replace(":", "");
  try {
    return host ? new URL(`${protocol}://${host}${url.pathname}${url.search}`) : url;
  } catch {
    return url;
  }
}

class Attempt {
  readonly url: URL;
  readonly settings: Settings;
  readonly rules: VerifyRules;
  readonly cookies: Map<string, string>;
  readonly headers = new Headers();

  constructor(
    readonly request: Request,
    options: AuthenticateOptions,
  ) {
    this.url = publicUrl(request);
    this.settings = resolveSettings(options, this.url);
    this.rules = rulesOf(this.settings);
    this.cookies = parseCookies(request.headers.get("cookie"));
  }

  state(status: RequestState["status"], reason: string | null, token: string | null = null, claims: SessionClaims | null = null, message = ""): RequestState {
    const { settings, headers, url } = this;
    return {
      ...{ status, reason, message, token, claims, headers, settings, url },
      toAuth: () => (token && claims ? signedIn(token, claims, createDoorwardClient(settings)) : signedOut(reason)),
    };
  }

  out(reason: string, message = ""): RequestState {
    return this.state("signed-out", reason, null, null, message);
  }

  in(token: string, claims: SessionClaims): RequestState {
    // A session with tasks left is nobody yet.
    if (claims.sts === "pending") return this.out("session-pending");
    // The way round has led here. Whoever signs in again at once must not meet its count.
    if (this.cookies.has(parameters.count)) this.headers.append("Set-Cookie", `${parameters.count}=; Path=/; Max-Age=0`);
    return this.state("signed-in", null, token, claims);
  }

  async run(): Promise<RequestState> {
    const bearer = /^Bearer\s+(\S+)$/i.exec(this.request.headers.get("authorization") ?? "")?.[1];
    if (bearer) return this.fromHeader(bearer);
    return (await this.finished()) ?? this.fromCookies();
  }

  async fromHeader(token: string): Promise<RequestState> {
    try {
      return this.in(token, await verify(token, this.settings, this.rules));
    } catch (error) {
      return this.refused(error);
    }
  }

  refused(error: unknown): RequestState {
    if (!(error instanceof TokenVerificationError)) throw error;
    return this.out(error.reason, error.message);
  }

  /** Takes what a handshake brought back. */
  async finished(): Promise<RequestState | undefined> {
    const { searchParams } = this.url;
    const find = (name: string) => searchParams.get(name) ?? this.cookies.get(name);
    const [token, nonce] = [find(parameters.handshake), find(parameters.nonce)];
    if (!token && !nonce) return undefined;
    let wanted: string[];
    try {
      wanted = await directives({ token, nonce }, this.settings, this.rules);
    } catch {
      // Spoilt, forged or used up: as if it were not there, and not again.
      for (const name of [parameters.handshake, parameters.nonce]) {
        if (this.cookies.has(name)) this.headers.append("Set-Cookie", `${name}=; Path=/; Max-Age=0`);
        searchParams.delete(name);
      }
      return undefined;
    }
    for (const cookie of wanted) this.headers.append("Set-Cookie", cookie);
    if (!this.settings.production) {
      const clean = new URL(this.url);
      for (const name of [parameters.handshake, parameters.nonce, parameters.devBrowser, parameters.help]) clean.searchParams.delete(name);
      this.headers.set("Location", clean.href);
      this.headers.set("Cache-Control", "no-store");
      return this.state("handshake", "handshake-finished");
    }
    const session = sessionIn(wanted);
    if (!session) return this.out("session-token-missing");
    try {
      return this.in(session, await verify(session, this.settings, this.rules));
    } catch (error) {
      return this.refused(error);
    }
  }

  async fromCookies(): Promise<RequestState> {
    const { settings, cookies, rules } = this;
    const suffix = await cookieSuffix(settings.publishableKey);
    const hosts = [settings.frontendApi, ...(settings.issuers ?? [])].map(hostOf);
    const { session, uat, suffixed } = chooseFamily(cookies, suffix, hosts, settings.production, rules.now);
    const devBrowser = cookies.get(`${parameters.devBrowser}_${suffix}`) ?? cookies.get(parameters.devBrowser);
    const shake = (reason: string) => this.shake(reason, suffixed, session, devBrowser);

    if (!settings.production && this.url.searchParams.has(parameters.devBrowser)) return shake("dev-browser-sync");
    if (!settings.production && !devBrowser) return shake("dev-browser-missing");
    if (!uat && !session) return this.out("session-token-and-uat-missing");
    if (!uat) return shake("session-token-but-no-client-uat");
    if (!session) return shake("client-uat-but-no-session-token");
    try {
      if (decodeToken(session).payload.iat < uat) return await shake("session-token-iat-before-client-uat");
      return this.in(session, await verify(session, settings, rules));
    } catch (error) {
      const reason = error instanceof TokenVerificationError ? error.reason : undefined;
      if (reason === "token-expired") return shake("session-token-expired");
      if (reason === "token-not-active-yet") return shake("session-token-nbf");
      if (reason === "token-iat-in-the-future") return shake("session-token-iat-in-the-future");
      return this.refused(error);
    }
  }

  shake(reason: string, suffixed: boolean, session?: string, devBrowser?: string): RequestState {
    if (!isDocument(this.request.headers)) return this.out(reason);
    const rounds = Number(this.cookies.get(parameters.count)) || 0;
    // Cookies that the browser does not keep would send it round for ever.
    if (rounds >= 3) return this.out(reason, "The handshake went round in a circle: does the browser keep the cookies of both hosts?");
    this.headers.append("Set-Cookie", `${parameters.count}=${rounds + 1}; Path=/; SameSite=Lax; HttpOnly; Max-Age=2`);
    this.headers.set("Location", handshakeUrl({ reason, settings: this.settings, url: this.url, suffixed, session, devBrowser }));
    this.headers.set("Cache-Control", "no-store");
    return this.state("handshake", reason);
  }
}

/** Who sent this request, by the token in its header or its cookies. */
export function authenticateRequest(request: Request, options: AuthenticateOptions = {}): Promise<RequestState> {
  return new Attempt(request, options).run();
}
