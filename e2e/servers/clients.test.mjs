// The published clients for servers, each against a real server: it creates, reads, changes and deletes real things.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cleanEnv, databaseUrl, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { run } from "../lib/program.mjs";
import { Browser, desk } from "./desk.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const password = "correct horse battery";
// Nothing here waits for a token to expire: the clock is everybody's.
const doorward = new Doorward(databaseUrl ? "served" : "test", { env: {} });
let env;

describe("published clients for servers", () => {
  before(async () => {
    await doorward.open({ scripts: false });
    await doorward.configure(({ attributes }) => Object.assign(attributes, { phone_number: "optional", phone_second_factor: true }));
    const { publishable_key: publishableKey, secret_key: secretKey } = doorward.instance;
    env = { CLERK_API_URL: urls.backend, CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishableKey, CLERK_TELEMETRY_DISABLED: "1" };
    // The SDKs read their environment when they are loaded.
    Object.assign(process.env, env);
  });
  after(() => doorward.close());

  const options = () => ({ secretKey: env.CLERK_SECRET_KEY, publishableKey: env.CLERK_PUBLISHABLE_KEY, apiUrl: urls.backend });

  /** A session of a new user, and a token for it. */
  async function signedIn(name) {
    const { createClerkClient } = await import("@clerk/backend");
    const clerk = createClerkClient(options());
    const user = await clerk.users.createUser({ emailAddress: [`${name}@example.com`], password, firstName: "Ada" });
    const session = await clerk.sessions.createSession({ userId: user.id });
    const { jwt } = await clerk.sessions.getToken(session.id);
    return { clerk, user, session, jwt };
  }

  function forged(jwt) {
    const [header, payload, signature] = jwt.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    return [header, Buffer.from(JSON.stringify({ ...claims, sub: "user_other" })).toString("base64url"), signature].join(".");
  }

  const as = (jwt) => (jwt ? { headers: { authorization: `Bearer ${jwt}` } } : {});

  test("@clerk/backend of today", async () => {
    const { clerk, user, session, jwt } = await signedIn("backend");
    const changed = await clerk.users.updateUser(user.id, { lastName: "King", username: undefined });
    assert.equal(changed.fullName, "Ada King");
    const merged = await clerk.users.updateUserMetadata(user.id, { publicMetadata: { plan: "pro" }, privateMetadata: { note: 1 } });
    assert.deepEqual([merged.publicMetadata, merged.privateMetadata], [{ plan: "pro" }, { note: 1 }]);
    const list = await clerk.users.getUserList({ emailAddress: ["backend@example.com"] });
    assert.deepEqual([list.totalCount, list.data.map((it) => it.id)], [1, [user.id]]);
    assert.equal((await clerk.users.verifyPassword({ userId: user.id, password })).verified, true);
    await assert.rejects(clerk.users.verifyPassword({ userId: user.id, password: "wrong" }), (error) => error.errors[0].code === "incorrect_password");
    const banned = await clerk.users.banUser(user.id);
    assert.equal(banned.banned, true);
    await clerk.users.unbanUser(user.id);

    const request = (token) => new Request("http://app.example/", as(token));
    const state = await clerk.authenticateRequest(request(jwt), options());
    assert.deepEqual([state.isAuthenticated, state.toAuth().userId, state.toAuth().sessionId], [true, user.id, session.id]);
    assert.equal((await clerk.authenticateRequest(request(forged(jwt)), options())).isAuthenticated, false);

    const ticket = await clerk.signInTokens.createSignInToken({ userId: user.id, expiresInSeconds: 60 });
    assert.equal((await clerk.signInTokens.revokeSignInToken(ticket.id)).status, "revoked");
    assert.equal((await clerk.users.deleteUser(user.id)).deleted, true);
    await assert.rejects(clerk.users.getUser(user.id), (error) => error.status === 404 && error.errors[0].code === "resource_not_found");
  });

  test("@clerk/backend of 2023", async () => {
    const { default: sdk } = await import("@clerk/backend-0");
    const clerk = sdk.Clerk(options());
    const user = await clerk.users.createUser({ emailAddress: ["old@example.com"], password, firstName: "Ada" });
    assert.deepEqual([user.firstName, user.emailAddresses[0].emailAddress], ["Ada", "old@example.com"]);
    // Metadata was replaced with the user then; callers of its date may.
    const changed = await clerk.users.updateUser(user.id, { lastName: "King", publicMetadata: { plan: "pro" } });
    assert.deepEqual([changed.lastName, changed.publicMetadata], ["King", { plan: "pro" }]);
    assert.deepEqual((await clerk.users.getUserList({ userId: [user.id] })).map((it) => it.id), [user.id]);
    assert.equal((await clerk.users.deleteUser(user.id)).deleted, true);

    const { clerk: today, session, jwt, user: other } = await signedIn("old-sessions");
    // Keys that it keeps for a time hold a timer of an hour, which would keep this process from ending.
    const verification = { ...options(), jwksCacheTtlInMs: -1 };
    const state = await clerk.authenticateRequest({ ...verification, proxyUrl: urls.frontend, headerToken: jwt, host: "app.example", isSatellite: false });
    assert.equal(state.toAuth()?.userId, other.id, state.reason);
    assert.equal((await clerk.sessions.getSession(session.id)).userId, other.id);
    await today.users.deleteUser(other.id);
  });

  /** An app knows by the proxy's address that this Frontend API is not behind TLS. */
  const appOptions = () => ({ ...options(), proxyUrl: urls.frontend });

  async function answer({ userId, sessionId }, clerkClient) {
    if (!userId) return { user: null, session: null };
    return { user: userId, session: sessionId, name: (await clerkClient.users.getUser(userId)).firstName };
  }

  /** The first page of an app: to nobody, to somebody, to a forger, and to somebody whose session was ended. */
  async function visits(url, { jwt, user, session, clerk }) {
    const get = async (token) => (await fetch(url, as(token))).json();
    const nobody = { user: null, session: null };
    assert.deepEqual(await get(), nobody);
    assert.deepEqual(await get(jwt), { user: user.id, session: session.id, name: "Ada" });
    for (const wrong of [forged(jwt), "no token"]) assert.deepEqual(await get(wrong), nobody);

    const browser = new Browser(env.CLERK_PUBLISHABLE_KEY);
    const ticket = await clerk.signInTokens.createSignInToken({ userId: user.id, expiresInSeconds: 60 });
    const { id } = await browser.signIn(ticket.token);
    const asked = ["/", "/v1/client/handshake", "/", "/"];
    browser.distrust();
    assert.deepEqual(await browser.get(url), { hops: asked, answer: { user: user.id, session: id, name: "Ada" } });
    await clerk.sessions.revokeSession(id);
    browser.distrust();
    assert.deepEqual(await browser.get(url), { hops: asked, answer: nobody });
    assert.deepEqual(await browser.get(url), { hops: ["/"], answer: nobody });
  }

  /** What the desk of an app does, by what the server says of it afterwards. */
  async function worksAtTheDesk(url, { jwt, user, clerk }, name) {
    const send = (method, path, body, token = jwt) => {
      const json = body && { headers: { ...as(token).headers, "content-type": "application/json" }, body: JSON.stringify(body) };
      return fetch(url + path, { method, redirect: "manual", ...as(token), ...json });
    };
    const done = async (...call) => {
      const response = await send(...call);
      assert.equal(response.status, 200, call.join(" "));
      return response.json();
    };
    // Read back without any SDK.
    const kept = async (path) => (await fetch(`${urls.backend}/v1/${path}`, as(env.CLERK_SECRET_KEY))).json();

    const email = `made-at-${name}@example.com`;
    for (const token of [null, forged(jwt)]) {
      const refusal = await send("POST", "/users", { email }, token);
      assert.ok([302, 401].includes(refusal.status), `without a session: ${refusal.status}`);
    }
    assert.deepEqual(await kept(`users?email_address=${email}`), [], "nothing was done for a forger");

    const { id } = await done("POST", "/users", { email, firstName: "Grace" });
    const made = await kept(`users/${id}`);
    assert.deepEqual([made.first_name, made.email_addresses[0].email_address, made.private_metadata], ["Grace", email, { madeBy: user.id }]);
    await done("PATCH", `/users/${id}`, { firstName: "Amazing", lastName: "Hopper", metadata: { rank: "admiral" } });
    const changed = await kept(`users/${id}`);
    assert.deepEqual([changed.first_name, changed.last_name, changed.public_metadata, changed.private_metadata], ["Amazing", "Hopper", { rank: "admiral" }, { madeBy: user.id }]);
    const found = await done("GET", `/users?like=made-at-${name}`);
    assert.deepEqual([found.data.map((it) => it.id), found.totalCount, found.count], [[id], 1, 1]);

    const ticket = await done("POST", `/users/${id}/tickets`);
    assert.deepEqual([ticket.userId, ticket.status], [id, "pending"]);
    assert.equal((await new Browser(env.CLERK_PUBLISHABLE_KEY).signIn(ticket.token)).user.id, id);

    const invited = await done("POST", "/invitations", { email: `guest-at-${name}@example.com` });
    const pending = async () => (await kept(`invitations?status=pending&query=guest-at-${name}`)).map((it) => [it.id, it.public_metadata]);
    assert.deepEqual(await pending(), [[invited.id, { invitedBy: user.id }]]);
    assert.equal((await done("POST", `/invitations/${invited.id}/revoke`)).status, "revoked");
    assert.deepEqual(await pending(), []);

    assert.equal((await done("DELETE", `/users/${id}`)).deleted, true);
    assert.equal((await kept(`users/${id}`)).errors[0].code, "resource_not_found");
    await clerk.users.deleteUser(user.id);
  }

  test("@clerk/express", async () => {
    const [{ default: express }, { clerkClient, clerkMiddleware, getAuth, requireAuth }] = await Promise.all([import("express"), import("@clerk/express")]);
    const app = express();
    app.use(clerkMiddleware(appOptions()), express.json());
    app.get("/", async (req, res) => res.json(await answer(getAuth(req), clerkClient)));
    for (const [method, path, act] of desk) {
      app[method.toLowerCase()](path, requireAuth(), async (req, res) => res.json(await act(clerkClient, req, getAuth(req).userId)));
    }
    const server = createServer(app);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${server.address().port}`;
      const somebody = await signedIn("express");
      await visits(`${url}/`, somebody);
      await worksAtTheDesk(url, somebody, "express");
    } finally {
      server.close();
    }
  });

  test("@clerk/fastify", async () => {
    const [{ default: fastify }, { clerkClient, clerkPlugin, getAuth }] = await Promise.all([import("fastify"), import("@clerk/fastify")]);
    const app = fastify();
    await app.register(clerkPlugin, appOptions());
    app.get("/", async (request) => answer(getAuth(request), clerkClient));
    for (const [method, url, act] of desk) {
      app.route({
        method,
        url,
        preHandler: async (request, reply) => {
          if (!getAuth(request).userId) return reply.code(401).send({ error: "sign in first" });
        },
        handler: (request) => act(clerkClient, request, getAuth(request).userId),
      });
    }
    try {
      const url = await app.listen({ port: 0, host: "127.0.0.1" });
      const somebody = await signedIn("fastify");
      await visits(`${url}/`, somebody);
      await worksAtTheDesk(url, somebody, "fastify");
    } finally {
      await app.close();
    }
  });

  test("@clerk/testing", async () => {
    const { clerkSetup } = await import("@clerk/testing/playwright");
    await clerkSetup({ publishableKey: env.CLERK_PUBLISHABLE_KEY, secretKey: env.CLERK_SECRET_KEY, frontendApiUrl: new URL(urls.frontend).host, dotenv: false });
    const token = process.env.CLERK_TESTING_TOKEN;
    assert.ok(token, "it got a testing token");
    const client = await fetch(`${urls.frontend}/v1/client?__clerk_testing_token=${encodeURIComponent(token)}`);
    assert.equal(client.status, 200);
    assert.equal(client.headers.get("content-type"), "application/json");
  });

  test("answers and errors have the one content type that @clerk/backend takes for JSON", async () => {
    const statuses = { "/v1/users": 200, "/v1/users/count": 200, "/v1/jwks": 200, "/v1/users/user_none": 404, "/v1/nothing": 404 };
    for (const [path, status] of Object.entries(statuses)) {
      const response = await fetch(urls.backend + path, as(env.CLERK_SECRET_KEY));
      assert.deepEqual([response.status, response.headers.get("content-type")], [status, "application/json"], path);
      await response.json();
    }
  });

  const programEnv = () => cleanEnv({ ...env, FRONTEND_URL: urls.frontend });

  test("clerk-backend-api for Python", async () => {
    await run(process.env.E2E_PYTHON ?? "python3", [here("client.py")], { env: programEnv() });
  });

  test("clerk-rs", async () => {
    await run("cargo", ["run", "--quiet", "--locked", "--manifest-path", here("rust/Cargo.toml")], { env: programEnv() });
  });
});
