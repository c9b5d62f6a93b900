// The smallest thing that keeps the contract of crates/client-web, so that what
// lies around the core is tested without it. It retries nothing, forgets
// nothing in time and trusts every answer.

const calls = {
  load: () => ["GET", "/v1/client"],
  reload: () => ["GET", "/v1/client"],
  "signIn.create": () => ["POST", "/v1/client/sign_ins"],
  "signIn.reload": (_, { id }) => ["GET", `/v1/client/sign_ins/${id}`],
  "signIn.prepareFirstFactor": (it) => ["POST", `/v1/client/sign_ins/${it.client.sign_in.id}/prepare_first_factor`],
  "signIn.attemptFirstFactor": (it) => ["POST", `/v1/client/sign_ins/${it.client.sign_in.id}/attempt_first_factor`],
  "signIn.prepareSecondFactor": (it) => ["POST", `/v1/client/sign_ins/${it.client.sign_in.id}/prepare_second_factor`],
  "signIn.attemptSecondFactor": (it) => ["POST", `/v1/client/sign_ins/${it.client.sign_in.id}/attempt_second_factor`],
  "signIn.resetPassword": (it) => ["POST", `/v1/client/sign_ins/${it.client.sign_in.id}/reset_password`],
  "signUp.create": () => ["POST", "/v1/client/sign_ups"],
  "signUp.update": (it) => ["PATCH", `/v1/client/sign_ups/${it.client.sign_up.id}`],
  "signUp.prepareVerification": (it) => ["POST", `/v1/client/sign_ups/${it.client.sign_up.id}/prepare_verification`],
  "signUp.attemptVerification": (it) => ["POST", `/v1/client/sign_ups/${it.client.sign_up.id}/attempt_verification`],
  setActive: (it, { session }) => ["POST", `/v1/client/sessions/${session}/touch`],
  signOut: () => ["DELETE", "/v1/client/sessions"],
  me: (_, { method, path }) => [method, ["/v1/me", ...path].join("/")],
  verification: (it, { path }) => ["POST", ["/v1/client/sessions", it.client.last_active_session_id, "verify", ...path].join("/")],
  "user.reload": () => ["GET", "/v1/client"],
  getToken: (it) => ["POST", `/v1/client/sessions/${it.client.last_active_session_id}/tokens`],
};

const snake = (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export class Core {
  #config;
  #effects = [];
  #requests = new Map();
  #next = 0;
  #version = 0;
  #token;
  client = null;
  isLoaded = false;

  constructor(config) {
    this.#config = JSON.parse(config);
  }

  command(text) {
    const { call, do: what, params } = JSON.parse(text);
    if (what === "getToken" && !this.client?.last_active_session_id) return void this.#effects.push({ do: "settle", call, value: null });
    const [method, path] = calls[what](this, params);
    const id = ++this.#next;
    this.#requests.set(id, { call, what });
    const form = new URLSearchParams();
    const given = what === "me" || what === "verification" ? params.params ?? {} : params;
    for (const [key, value] of Object.entries(given)) form.set(snake(key), typeof value === "object" ? JSON.stringify(value) : value);
    const real = method === "GET" ? "GET" : "POST";
    const override = real === method ? "" : `?_method=${method}`;
    const sent = real === "GET" ? {} : params.file ? { headers: { "content-type": "application/octet-stream" }, body: params.file } : { headers: { "content-type": "application/x-www-form-urlencoded" }, body: form.toString() };
    this.#effects.push({ do: "request", id, method: real, url: this.#config.proxyUrl + path + override, credentials: "include", ...sent });
  }

  event(text) {
    const event = JSON.parse(text);
    if (event.event === "message") return this.#take(event.data.client);
    const asked = this.#requests.get(event.id);
    if (!asked) return;
    this.#requests.delete(event.id);
    if (event.event === "failed") return this.#refuse(asked, { message: event.message, code: "network_error" });
    const json = JSON.parse(event.body);
    const client = json.client ?? (/^(load|reload|user.reload|signOut)$/.test(asked.what) ? json.response : undefined);
    if (event.status >= 400) {
      this.#take(json.meta?.client ?? client);
      return this.#refuse(asked, { message: "refused", status: event.status, errors: json.errors, clerkTraceId: json.clerk_trace_id });
    }
    if (asked.what === "load") this.isLoaded = true;
    const before = JSON.stringify(this.client);
    this.#take(client, asked.what !== "load");
    if (before !== JSON.stringify(this.client) && asked.what !== "load") this.#effects.push({ do: "broadcast", data: { client: this.client } });
    this.#effects.push({ do: "settle", call: asked.call, value: asked.what === "getToken" ? json.jwt : Array.isArray(json) ? json : json.response });
  }

  #refuse({ call }, error) {
    this.#effects.push({ do: "settle", call, error: { name: "DoorwardError", errors: [], ...error } });
  }

  #take(client) {
    if (client === undefined && !this.isLoaded) return;
    if (client !== undefined) this.client = client;
    const active = this.client?.sessions.find((it) => it.id === this.client.last_active_session_id);
    this.#token = active?.last_active_token?.jwt;
    this.#effects.push({ do: "cookie", name: "__session", value: this.#token ?? null, maxAge: 31536000, sameSite: "Lax", secure: false, path: "/" });
    this.#version += 1;
    this.#effects.push({ do: "changed" });
  }

  token(session, template) {
    return template ? undefined : this.#token;
  }

  effects() {
    const drained = this.#effects.splice(0);
    return drained.length ? JSON.stringify(drained) : undefined;
  }

  snapshot() {
    const { client, isLoaded } = this;
    const session = client?.sessions.find((it) => it.id === client.last_active_session_id) ?? null;
    return JSON.stringify({ version: this.#version, isLoaded, client, session, user: session?.user ?? null, sessions: client?.sessions ?? [], signIn: client?.sign_in ?? null, signUp: client?.sign_up ?? null });
  }

  version() {
    return this.#version;
  }
}

let works = () => Promise.resolve();
export const loading = (how) => (works = how);
export default () => works();
