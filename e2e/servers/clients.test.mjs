// The published clients for servers, each against a real server: it creates, reads, changes and deletes real things.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cleanEnv, databaseUrl, urls } from "../lib/config.mjs";
import { Doorward } from "../lib/doorward.mjs";
import { run } from "../lib/program.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const password = "correct horse battery";
// Nothing here waits for a token to expire: the clock is everybody's.
const doorward = new Doorward(databaseUrl ? "served" : "test", { env: {} });
let env;

describe("published clients for servers", () => {
  before(async () => {
    await doorward.open({ scripts: false });
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

  /** What an app answers to nobody, to somebody and to a forger. */
  async function visits(url, { jwt, user, session, clerk }) {
    const get = async (token) => (await fetch(url, as(token))).json();
    assert.deepEqual(await get(), { user: null, session: null });
    assert.deepEqual(await get(jwt), { user: user.id, session: session.id, name: "Ada" });
    assert.deepEqual(await get(forged(jwt)), { user: null, session: null });
    await clerk.users.deleteUser(user.id);
  }

  async function answer({ userId, sessionId }, clerkClient) {
    if (!userId) return { user: null, session: null };
    return { user: userId, session: sessionId, name: (await clerkClient.users.getUser(userId)).firstName };
  }

  test("@clerk/express", async () => {
    const [{ default: express }, { clerkClient, clerkMiddleware, getAuth }] = await Promise.all([import("express"), import("@clerk/express")]);
    const app = express();
    app.use(clerkMiddleware(options()));
    app.get("/", async (req, res) => res.json(await answer(getAuth(req), clerkClient)));
    const server = createServer(app);
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await visits(`http://127.0.0.1:${server.address().port}/`, await signedIn("express"));
    } finally {
      server.close();
    }
  });

  test("@clerk/fastify", async () => {
    const [{ default: fastify }, { clerkClient, clerkPlugin, getAuth }] = await Promise.all([import("fastify"), import("@clerk/fastify")]);
    const app = fastify();
    await app.register(clerkPlugin, options());
    app.get("/", async (request) => answer(getAuth(request), clerkClient));
    try {
      await visits(await app.listen({ port: 0, host: "127.0.0.1" }), await signedIn("fastify"));
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

  test("clerk-backend-api for Python", async () => {
    await run(process.env.E2E_PYTHON ?? "python3", [here("client.py")], { env: cleanEnv(env) });
  });

  test("clerk-rs", async () => {
    await run("cargo", ["run", "--quiet", "--locked", "--manifest-path", here("rust/Cargo.toml")], { env: cleanEnv(env) });
  });
});
