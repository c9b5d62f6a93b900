import init, { Core } from "./doorward_client.js";

// Between the core and the browser. The core says what is to be done, this file
// does it and tells what came of it; nothing here decides anything.

export interface CoreConfig {
  publishableKey: string;
  proxyUrl?: string;
  domain?: string;
  isSatellite?: boolean;
}

export interface Settlement {
  call: number;
  value?: unknown;
  error?: { name?: string; message: string; status?: number; code?: string; errors?: never[]; clerkTraceId?: string; retryAfter?: number };
}

export interface Host {
  settled(settlement: Settlement): void;
  changed(): void;
}

interface Request {
  id: number;
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  credentials: RequestCredentials;
}

interface Cookie {
  name: string;
  value: string | null;
  maxAge?: number;
  sameSite?: string;
  secure?: boolean;
  path?: string;
  domain?: string;
}

type Effect =
  | ({ do: "request" } & Request)
  | ({ do: "settle" } & Settlement)
  | ({ do: "cookie" } & Cookie)
  | { do: "timer"; at: number | null }
  | { do: "storage"; key: string; value: string | null }
  | { do: "navigate"; url: string }
  | { do: "broadcast"; data: unknown }
  | { do: "changed" };

const pause = 3000;

async function fetchCore(): Promise<Response> {
  for (;;) {
    const response = await fetch(new URL("./doorward_client_bg.wasm", import.meta.url)).catch(() => undefined);
    if (response?.ok) return response;
    if (response && response.status < 500) throw new Error(`the core is not at ${response.url}: status ${response.status}`);
    // Without a network the page works without us, and we come later.
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

let module: Promise<unknown> | undefined;

/** Begins to load the core; it is compiled while it arrives. */
export function loadCore(): Promise<unknown> {
  module ??= init({ module_or_path: fetchCore() });
  return module;
}

function seed(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function cookieText({ name, value, maxAge, sameSite, secure, path = "/", domain }: Cookie): string {
  const gone = value === null;
  const age = gone ? 0 : maxAge;
  return [
    `${name}=${gone ? "" : value}`,
    `path=${path}`,
    ...(age === undefined ? [] : [`max-age=${age}`]),
    ...(domain ? [`domain=${domain}`] : []),
    ...(sameSite ? [`samesite=${sameSite}`] : []),
    ...(secure ? ["secure"] : []),
  ].join("; ");
}

/** A token that another page gave along is the core's now, and nobody's who looks at the address or at where links come from. */
function withoutToken(href: string): void {
  const url = new URL(href);
  if (!url.searchParams.has("__clerk_db_jwt")) return;
  url.searchParams.delete("__clerk_db_jwt");
  history.replaceState(history.state, "", url);
}

export class Runtime {
  readonly #core: Core;
  readonly #host: Host;
  readonly #channel?: BroadcastChannel;
  #timer?: ReturnType<typeof setTimeout>;
  #draining = false;

  constructor(config: CoreConfig, host: Host) {
    this.#host = host;
    const hidden = document.visibilityState === "hidden";
    const { origin, href } = location;
    this.#core = new Core(JSON.stringify({ ...config, origin, href, now: Date.now(), seed: seed(), cookies: document.cookie, hidden }));
    withoutToken(href);
    // By its full name: Next warns of what the edge lacks, where this never runs.
    if (globalThis.BroadcastChannel) {
      this.#channel = new globalThis.BroadcastChannel(`doorward:${config.publishableKey}`);
      this.#channel.onmessage = ({ data }) => this.event("message", { data });
    }
    document.addEventListener("visibilitychange", () => {
      this.event("cookies", { cookies: document.cookie });
      this.event(document.visibilityState === "hidden" ? "hidden" : "visible");
    });
    for (const name of ["online", "offline"]) addEventListener(name, () => this.event(name));
    this.#drain();
  }

  command(call: number, what: string, params: unknown): void {
    this.#core.command(JSON.stringify({ call, now: Date.now(), do: what, params: params ?? {} }));
    this.#drain();
  }

  event(event: string, details: object = {}): void {
    this.#core.event(JSON.stringify({ now: Date.now(), event, ...details }));
    this.#drain();
  }

  token(session?: string, template?: string): string | undefined {
    return this.#core.token(session, template, Date.now());
  }

  snapshot(): string {
    return this.#core.snapshot();
  }

  version(): number {
    return this.#core.version();
  }

  #drain(): void {
    // A listener may give the next command before the last one's effects are
    // through: they are taken up below, in their order.
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let batch = this.#core.effects(); batch; batch = this.#core.effects()) {
        const effects = JSON.parse(batch) as Effect[];
        if (effects.length === 0) return;
        for (const effect of effects) this.#perform(effect);
      }
    } finally {
      this.#draining = false;
    }
  }

  #perform(effect: Effect): void {
    switch (effect.do) {
      case "request":
        return void this.#request(effect);
      case "settle":
        return this.#host.settled(effect);
      case "changed":
        return this.#host.changed();
      case "cookie":
        document.cookie = cookieText(effect);
        return;
      case "timer":
        clearTimeout(this.#timer);
        if (effect.at !== null) this.#timer = setTimeout(() => this.event("timer"), Math.min(Math.max(0, effect.at - Date.now()), 2 ** 31 - 1));
        return;
      case "broadcast":
        return this.#channel?.postMessage(effect.data);
      case "navigate":
        return location.assign(effect.url);
      case "storage":
        return store(effect.key, effect.value);
    }
  }

  async #request({ id, method, url, headers, body, credentials }: Request): Promise<void> {
    let details: object;
    let event = "response";
    try {
      const response = await fetch(url, { method, headers, body, credentials });
      details = { id, status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
    } catch (error) {
      event = "failed";
      details = { id, message: String(error) };
    }
    this.event(event, details);
  }
}

function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden or full, and nothing that is kept there is needed.
  }
}
