import { camel } from "./camel.js";
import { DoorwardAPIResponseError } from "./errors.js";
import { Session, SignIn, SignUp } from "./resources.js";
import { type CoreConfig, Runtime, type Settlement, loadCore } from "./runtime.js";
import type { GetTokenOptions } from "./types.js";
import type { User } from "./user.js";

export type Navigate = (to: string) => unknown;

export interface DoorwardOptions extends CoreConfig {
  signInUrl?: string;
  signUpUrl?: string;
  afterSignOutUrl?: string;
  /** How the app goes to a page of its own; by default the browser does. */
  routerPush?: Navigate;
  routerReplace?: Navigate;
  /** Around a change of the active session, so that a framework can forget what it rendered for the last one. */
  onBeforeSetActive?: () => unknown;
  /** When the new session is active, and nothing has gone to another page yet. */
  onSetActive?: () => unknown;
  onAfterSetActive?: () => unknown;
}

export interface SetActiveParams {
  session?: string | Session | null;
  organization?: string | { id: string } | null;
  /** Called when the session is active and before anything is rendered for it. */
  beforeEmit?: (session: Session | null) => unknown;
  redirectUrl?: string;
  navigate?: (to: { session: Session; decorateUrl: (url: string) => string }) => unknown;
}

export interface SignOutOptions {
  sessionId?: string;
  redirectUrl?: string;
}

export interface ClientFields {
  id: string | null;
  sessions: Session[];
  activeSessions: Session[];
  signedInSessions: Session[];
  signIn: SignIn;
  signUp: SignUp;
  lastActiveSessionId: string | null;
  createdAt: Date | null;
  updatedAt: Date | null;
}

/**
 * What there is to know, replaced as a whole when something changes. Each part
 * keeps its identity as long as nothing in it does; `undefined` is "not known
 * yet", `null` is "nobody".
 */
export interface State {
  client?: ClientFields;
  session?: Session | null;
  user?: User | null;
  sessions?: Session[];
  signIn?: SignIn;
  signUp?: SignUp;
}

interface Snapshot {
  isLoaded: boolean;
  client: ({ last_active_session_id?: string | null } & Record<string, unknown>) | null;
  session: { id: string } | null;
  sessions: { id: string; user?: unknown }[];
  signIn: unknown;
  signUp: unknown;
}

interface Call {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export const blank: State = {};

/** Refusals of a server that wants to know first whether a person is there. */
const wantsCaptcha = ["captcha_missing_token", "requires_captcha"];

/** The client of one browser: what it knows, and what it can be asked to do. */
export class Doorward {
  readonly publishableKey: string;
  options: DoorwardOptions;
  #state = blank;
  #version = -1;
  #runtime?: Runtime;
  #started?: Promise<Runtime>;
  #calls = new Map<number, Call>();
  #lastCall = 0;
  #listeners = new Set<() => void>();
  #made = new Map<string, { text: string; value: unknown }>();

  constructor(options: DoorwardOptions) {
    if (!options.publishableKey) throw new Error("Doorward: a publishableKey is needed.");
    this.options = options;
    this.publishableKey = options.publishableKey;
  }

  getState = (): State => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  addListener = (listener: (state: State) => void): (() => void) => {
    if (this.loaded) listener(this.#state);
    return this.subscribe(() => listener(this.#state));
  };

  get loaded(): boolean {
    return this.#state.client !== undefined;
  }

  get client() {
    return this.#state.client;
  }

  get session() {
    return this.#state.session;
  }

  get user() {
    return this.#state.user;
  }

  /** Nobody is whose session still has tasks. */
  get isSignedIn(): boolean {
    return this.session?.status === "active";
  }

  /** Fetches the core and has it load the client; the browser's idle time is enough for it. */
  start(): Promise<Runtime> {
    this.#started ??= this.#begin();
    return this.#started;
  }

  async #begin(): Promise<Runtime> {
    await loadCore();
    const { publishableKey, proxyUrl, domain, isSatellite } = this.options;
    const absolute = proxyUrl && new URL(proxyUrl, location.href).href.replace(/\/+$/, "");
    this.#runtime = new Runtime(
      { publishableKey, proxyUrl: absolute || undefined, domain, isSatellite },
      { settled: (settlement) => this.#settled(settlement), changed: () => this.#changed() },
    );
    this.#call(this.#runtime, "load").catch(() => {
      // The core goes on trying; whoever waits for it sees `isLoaded` change.
    });
    this.#changed();
    return this.#runtime;
  }

  #call(runtime: Runtime, what: string, params?: object): Promise<unknown> {
    const call = ++this.#lastCall;
    const result = new Promise((resolve, reject) => this.#calls.set(call, { resolve, reject }));
    runtime.command(call, what, params);
    return result;
  }

  run = async (what: string, params?: object): Promise<any> => {
    const runtime = this.#runtime ?? (await this.start());
    const ask = () => this.#call(runtime, what, params);
    return ask().catch(async (error) => {
      if (!wantsCaptcha.includes(error.code)) throw error;
      // Most instances ask for none, and what it takes is loaded where one does.
      await this.#call(runtime, "captcha", await (await import("./captcha.js")).captchaAnswer(this));
      return ask();
    });
  };

  /** Has the client as the server knows it now. An answer that comes before the first one would be of no use. */
  refresh = (): Promise<unknown> => this.run(this.loaded ? "reload" : "load");

  #settled({ call, value, error }: Settlement): void {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    if (error) waiting?.reject(new DoorwardAPIResponseError(error.message, error));
    else waiting?.resolve(value);
  }

  #changed(): void {
    const runtime = this.#runtime;
    if (!runtime || runtime.version() === this.#version) return;
    this.#version = runtime.version();
    const { isLoaded, client, session, sessions = [], signIn, signUp } = JSON.parse(runtime.snapshot()) as Snapshot;
    if (!isLoaded) return;
    const before = this.#state;
    const all = this.#kept("sessions", sessions, () => sessions.map((it) => this.#session(it)));
    const current = all.find((it) => it.id === session?.id) ?? null;
    const attempts = {
      signIn: this.#kept("signIn", signIn, () => new SignIn(this.run, signIn, this)),
      signUp: this.#kept("signUp", signUp, () => new SignUp(this.run, signUp, this)),
    };
    const { sign_in: _, sign_up: __, sessions: ___, ...rest } = client ?? {};
    const made = this.#kept("client", [rest, sessions, signIn, signUp], () => clientOf(rest, all, attempts));
    const next: State = { client: made, sessions: all, session: current, user: current?.user ?? null, ...attempts };
    if ((Object.keys(next) as (keyof State)[]).every((key) => next[key] === before[key])) return;
    this.#state = next;
    for (const listener of [...this.#listeners]) listener();
  }

  #session(json: { id: string; user?: unknown }): Session {
    return this.#kept(json.id, json, () => {
      const session = new Session(this.run, json, (id, options) => this.getToken({ ...options, session: id }));
      return json.user ? Object.assign(session, { user: this.#kept(`${json.id}.user`, json.user, () => session.user) }) : session;
    });
  }

  /** The object made from the same JSON before, if it is still the same. */
  #kept<Value>(name: string, json: unknown, make: () => Value): Value {
    const text = JSON.stringify(json) ?? "";
    const held = this.#made.get(name);
    if (held?.text === text) return held.value as Value;
    const value = make();
    this.#made.set(name, { text, value });
    return value;
  }

  getToken = async (options: GetTokenOptions & { session?: string } = {}): Promise<string | null> => {
    const { session, template, skipCache, organizationId } = options;
    if (this.#runtime && !skipCache && organizationId === undefined) {
      const cached = this.#runtime.token(session, template);
      if (cached) return cached;
    }
    return (await this.run("getToken", options)) ?? null;
  };

  setActive = async ({ session, organization, beforeEmit, redirectUrl, navigate }: SetActiveParams): Promise<void> => {
    const id = typeof session === "object" && session ? session.id : session;
    const org = typeof organization === "object" && organization ? organization.id : organization;
    await this.options.onBeforeSetActive?.();
    await this.run("setActive", { ...(id === undefined ? {} : { session: id }), ...(org === undefined ? {} : { organization: org }) });
    await this.options.onSetActive?.();
    const active = this.session ?? null;
    await beforeEmit?.(active);
    if (redirectUrl) await this.navigate(redirectUrl);
    else if (active) await navigate?.({ session: active, decorateUrl: this.buildUrlWithAuth });
    await this.options.onAfterSetActive?.();
  };

  signOut = async (first?: (() => unknown) | SignOutOptions, second: SignOutOptions = {}): Promise<void> => {
    const callback = typeof first === "function" ? first : undefined;
    const { sessionId, redirectUrl } = typeof first === "object" ? first : second;
    await this.options.onBeforeSetActive?.();
    await this.run("signOut", sessionId ? { sessionId } : {});
    if (callback) await callback();
    else await this.navigate(redirectUrl ?? this.options.afterSignOutUrl ?? "/");
    await this.options.onAfterSetActive?.();
  };

  navigate = async (to: string, { replace = false } = {}): Promise<void> => {
    const url = new URL(to, location.href);
    // A `javascript:` address in a redirect parameter would run in the app.
    if (url.protocol !== "https:" && url.protocol !== "http:") throw new Error(`Doorward: will not go to ${url.protocol}`);
    const { routerPush, routerReplace } = this.options;
    const router = replace ? routerReplace ?? routerPush : routerPush;
    if (router && url.origin === location.origin) await router(url.pathname + url.search + url.hash);
    else location.assign(url);
  };

  /**
   * A page's address with what it needs to find the same client. Only development instances need anything, and only where
   * another host's page does not get this one's cookies.
   */
  buildUrlWithAuth = (to: string): string => {
    const url = new URL(to, location.href);
    if (!this.publishableKey.startsWith("pk_test_") || url.hostname === location.hostname) return to;
    const token = /(?:^|; )__clerk_db_jwt=([^;]+)/.exec(document.cookie)?.[1];
    if (token) url.searchParams.set("__clerk_db_jwt", token);
    return url.href;
  };

  /** Where the Frontend API is. */
  get frontend(): string {
    const host = atob(this.publishableKey.split("_")[2] ?? "").slice(0, -1);
    return this.options.proxyUrl ?? `https://${host}`;
  }

  #page(own: string | undefined, kind: string, back: string | null): string {
    const url = new URL(own ?? `${this.frontend}/${kind}`, location.href);
    if (back) url.searchParams.set("redirect_url", back);
    return own ? url.href : this.buildUrlWithAuth(url.href);
  }

  buildSignInUrl = ({ redirectUrl = location.href }: { redirectUrl?: string | null } = {}) => this.#page(this.options.signInUrl, "sign-in", redirectUrl);
  buildSignUpUrl = ({ redirectUrl = location.href }: { redirectUrl?: string | null } = {}) => this.#page(this.options.signUpUrl, "sign-up", redirectUrl);
  redirectToSignIn = (options?: { redirectUrl?: string | null }) => this.navigate(this.buildSignInUrl(options));
  redirectToSignUp = (options?: { redirectUrl?: string | null }) => this.navigate(this.buildSignUpUrl(options));
}

function clientOf(json: object, sessions: Session[], attempts: { signIn: SignIn; signUp: SignUp }): ClientFields {
  const signedIn = sessions.filter(({ status }) => status === "active" || status === "pending");
  const fields = camel(json) as Pick<ClientFields, "id" | "lastActiveSessionId" | "createdAt" | "updatedAt">;
  return { ...fields, ...attempts, sessions, activeSessions: signedIn, signedInSessions: signedIn };
}

const clients = new Map<string, Doorward>();

/** The one client of this browser for a key; on a server, one for each rendering. */
export function doorwardFor(options: DoorwardOptions): Doorward {
  if (typeof window === "undefined") return new Doorward(options);
  const name = `${options.publishableKey} ${options.proxyUrl ?? ""}`;
  let client = clients.get(name);
  if (!client) {
    client = new Doorward(options);
    clients.set(name, client);
    // Where code outside of React looks for it, and the official packages' helpers too.
    const scope = window as { Doorward?: Doorward; Clerk?: unknown };
    scope.Doorward = client;
    scope.Clerk ??= client;
    // Errors are told by each call that needs it.
    client.start().catch((error) => console.error("Doorward cannot start:", error));
  }
  return client;
}
