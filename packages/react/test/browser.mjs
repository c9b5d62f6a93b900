import { setMaxListeners } from "node:events";
import { register } from "node:module";

register("./hooks.mjs", import.meta.url);

// As much of a browser as the glue looks at.
const target = () => {
  const made = new EventTarget();
  // Every test has a client of its own, and each listens.
  setMaxListeners(0, made);
  return made;
};
const jar = new Map();
export const doc = Object.assign(target(), { visibilityState: "visible" });
Object.defineProperty(doc, "cookie", {
  get: () => [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
  set(text) {
    const [pair, ...attributes] = text.split("; ");
    const [name, value] = pair.split("=");
    if (attributes.includes("max-age=0")) jar.delete(name);
    else jar.set(name, value);
  },
});
const here = new URL("http://localhost:3100/page");
export const went = [];
const place = { origin: here.origin, href: here.href, search: "", assign: (url) => went.push(String(url)) };
export const events = target();
Object.assign(globalThis, {
  window: globalThis,
  document: doc,
  location: place,
  // The real one keeps the process alive.
  BroadcastChannel: class {
    postMessage() {}
  },
  addEventListener: events.addEventListener.bind(events),
  IS_REACT_ACT_ENVIRONMENT: true,
});

export const frontend = "http://localhost:4100";
export const session = (id = "sess_1", more = {}) => ({
  object: "session",
  id,
  status: "active",
  actor: null,
  last_active_token: { object: "token", jwt: `x.${Buffer.from(JSON.stringify({ sub: "user_1", sid: id })).toString("base64url")}.x` },
  user: { object: "user", id: "user_1", first_name: "Ada", last_name: null, primary_email_address_id: "idn_1", email_addresses: [{ id: "idn_1", email_address: "ada@example.com" }], unsafe_metadata: { own_name: 1 }, created_at: 1767225600000 },
  ...more,
});
export const client = (more = {}) => ({ object: "client", id: "client_1", sessions: [], sign_in: null, sign_up: null, last_active_session_id: null, ...more });

/** The server, as a list of answers; says what it was asked. */
export const asked = [];
const answers = new Map();
export const answer = (what, make) => answers.set(what, make);
globalThis.fetch = async (url, init) => {
  const { pathname, searchParams } = new URL(url);
  if (pathname.endsWith(".wasm")) return new Response();
  const what = `${searchParams.get("_method") ?? init.method ?? "GET"} ${pathname}`;
  asked.push({ what, body: Object.fromEntries(new URLSearchParams(init.body)), credentials: init.credentials });
  const [status, body] = answers.get(what)?.() ?? [404, { errors: [{ code: "resource_not_found", message: what }] }];
  return Response.json(body, { status });
};

export const key = (name) => `pk_live_${Buffer.from(`${name}.example$`).toString("base64")}`;
let made = 0;
/** Each test its own client: the package keeps one for a key. */
export const options = () => ({ publishableKey: key(`t${++made}`), proxyUrl: frontend });
