// The back office of an app, the same on each framework: what an SDK's own client does there for whoever is signed in.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { urls } from "../lib/config.mjs";

/** Method, path, and what is done for a request of a user's. Both frameworks have a request's parts under the same names. */
export const desk = [
  ["POST", "/users", (clerk, { body }, userId) => clerk.users.createUser({ emailAddress: [body.email], firstName: body.firstName, skipPasswordRequirement: true, privateMetadata: { madeBy: userId } })],
  ["GET", "/users", async (clerk, { query }) => ({ ...(await clerk.users.getUserList({ query: query.like, orderBy: "-created_at" })), count: await clerk.users.getCount({ query: query.like }) })],
  ["PATCH", "/users/:id", async (clerk, { params, body }) => {
    await clerk.users.updateUser(params.id, { firstName: body.firstName, lastName: body.lastName });
    return clerk.users.updateUserMetadata(params.id, { publicMetadata: body.metadata });
  }],
  ["POST", "/users/:id/tickets", (clerk, { params }) => clerk.signInTokens.createSignInToken({ userId: params.id, expiresInSeconds: 600 })],
  ["DELETE", "/users/:id", (clerk, { params }) => clerk.users.deleteUser(params.id)],
  ["POST", "/invitations", (clerk, { body }, userId) => clerk.invitations.createInvitation({ emailAddress: body.email, publicMetadata: { invitedBy: userId }, notify: false })],
  ["POST", "/invitations/:id/revoke", (clerk, { params }) => clerk.invitations.revokeInvitation(params.id)],
];

async function post(path, form = {}) {
  const response = await fetch(`${urls.frontend}/v1/${path}`, { method: "POST", body: new URLSearchParams(form) });
  assert.equal(response.status, 200, path);
  return response.json();
}

/** As much of a browser as a server's SDK sees: it has signed in with a ticket, keeps the app's cookies and follows redirects. */
export class Browser {
  #cookies = new Map();
  #suffix;

  constructor(publishableKey) {
    this.#suffix = createHash("sha1").update(publishableKey).digest("base64url").slice(0, 8);
  }

  async signIn(ticket) {
    const { token } = await post("dev_browser");
    const { client } = await post(`client/sign_ins?__clerk_db_jwt=${token}`, { strategy: "ticket", ticket });
    const [session] = client.sessions;
    this.#cookies.set(this.#name("__clerk_db_jwt"), token).set(this.#name("__session"), session.last_active_token.jwt);
    return session;
  }

  /** As if something had happened to its sessions since the token was made: the SDK has to ask the Frontend API. */
  distrust() {
    const { iat } = JSON.parse(Buffer.from(this.#cookies.get(this.#name("__session")).split(".")[1], "base64url"));
    this.#cookies.set(this.#name("__client_uat"), String(iat + 1));
  }

  #name(cookie) {
    return `${cookie}_${this.#suffix}`;
  }

  async get(url) {
    const hops = [];
    for (let next = url; hops.length < 6; ) {
      hops.push(new URL(next).pathname);
      const ours = new URL(next).origin === new URL(url).origin;
      const cookie = [...this.#cookies].map((pair) => pair.join("=")).join("; ");
      const response = await fetch(next, { headers: { accept: "text/html", ...(ours && { cookie }) }, redirect: "manual" });
      if (ours) response.headers.getSetCookie().forEach((line) => this.#keep(line));
      if (response.status !== 307) return { hops, answer: await response.json() };
      next = new URL(response.headers.get("location"), next).href;
    }
    throw new Error(`it goes in circles: ${hops}`);
  }

  #keep(line) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
    if (value && !/expires=thu, 01 jan 1970|max-age=0/i.test(line)) this.#cookies.set(name, value);
    else this.#cookies.delete(name);
  }
}
