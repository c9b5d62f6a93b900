import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authenticateRequest } from "../dist/server/index.js";
import { app, apiUrl, frontendApi, keyFor, now, options, page, seconds, suffixOf, token } from "./instance.mjs";

const suffix = { live: suffixOf(keyFor("live")), test: suffixOf(keyFor("test")) };
const good = { __session: token(), __client_uat: seconds };
const ask = (request, kind = "live", more = {}) => authenticateRequest(request, options(kind, more));

async function shaken(request, reason, kind = "live", more) {
  const state = await ask(request, kind, more);
  assert.equal(state.status, "handshake", state.reason);
  assert.equal(state.reason, reason);
  const url = new URL(state.headers.get("location"));
  assert.equal(url.origin + url.pathname, `${frontendApi}/v1/client/handshake`);
  assert.equal(url.searchParams.get("__clerk_hs_reason"), reason);
  assert.equal(state.toAuth().userId, null);
  return url.searchParams;
}

describe("cookies in production", () => {
  it("sign in", async () => {
    const state = await ask(page(good));
    assert.equal(state.status, "signed-in");
    const { userId, sessionId, getToken } = state.toAuth();
    assert.deepEqual({ userId, sessionId }, { userId: "user_1", sessionId: "sess_1" });
    assert.equal(await getToken(), good.__session);
  });

  it("that are not there ask nobody", async () => {
    const state = await ask(page());
    assert.equal(state.status, "signed-out");
    assert.equal(state.reason, "session-token-and-uat-missing");
  });

  it("start a handshake when they contradict each other", async () => {
    await shaken(page({ __session: token() }), "session-token-but-no-client-uat");
    await shaken(page({ __client_uat: seconds }), "client-uat-but-no-session-token");
    await shaken(page({ ...good, __client_uat: seconds + 1 }), "session-token-iat-before-client-uat");
  });

  it("start a handshake when the token has expired, and take it along", async () => {
    const old = token({ payload: { iat: seconds - 90, exp: seconds - 30 } });
    const asked = await shaken(page({ __session: old, __client_uat: seconds - 100 }, { path: "/a?b=c" }), "session-token-expired");
    assert.equal(asked.get("redirect_url"), `${app}/a?b=c`);
    assert.equal(asked.get("__session"), old);
    assert.equal(asked.get("format"), "nonce");
  });

  it("never send a program away", async () => {
    const request = new Request(`${app}/api/me`, { headers: { accept: "*/*", "sec-fetch-dest": "empty", cookie: `__client_uat=${seconds}` } });
    const state = await ask(request);
    assert.equal(state.status, "signed-out");
    assert.equal(state.reason, "client-uat-but-no-session-token");
  });

  it("with a forged token are nobody's, without a handshake", async () => {
    const state = await ask(page({ ...good, __session: token({ key: "other", header: { kid: "ins_1" } }) }));
    assert.deepEqual([state.status, state.reason], ["signed-out", "token-invalid-signature"]);
    const none = await ask(page({ ...good, __session: "x" }));
    assert.equal(none.status, "signed-out");
  });

  it("stop going round after three times", async () => {
    const once = await ask(page({ __client_uat: seconds }));
    assert.match(once.headers.getSetCookie()[0], /^__clerk_redirect_count=1; .*Max-Age=2$/);
    const state = await ask(page({ __client_uat: seconds, __clerk_redirect_count: 3 }));
    assert.equal(state.status, "signed-out");
  });

  it("that sign in end the way round", async () => {
    const state = await ask(page({ ...good, __clerk_redirect_count: 2 }));
    assert.deepEqual(state.headers.getSetCookie(), ["__clerk_redirect_count=; Path=/; Max-Age=0"]);
    assert.deepEqual((await ask(page(good))).headers.getSetCookie(), []);
  });

  it("of another instance on this host do not count", async () => {
    const foreign = token({ payload: { iss: "http://localhost:7000", sub: "user_other" }, key: "other" });
    const state = await ask(page({ __session: foreign, __client_uat: seconds, [`__session_${suffix.live}`]: token(), [`__client_uat_${suffix.live}`]: seconds }));
    assert.equal(state.status, "signed-in");
    assert.equal(state.toAuth().userId, "user_1");
    const alone = await ask(page({ __session: foreign, __client_uat: seconds }));
    assert.equal(alone.status, "signed-out");
  });

  it("of a session with open tasks are nobody's", async () => {
    const state = await ask(page({ ...good, __session: token({ payload: { sts: "pending" } }) }));
    assert.deepEqual([state.status, state.reason], ["signed-out", "session-pending"]);
  });
});

describe("cookies in development", () => {
  it("first need a browser that is known", async () => {
    await shaken(page(), "dev-browser-missing", "test");
    await shaken(page(good), "dev-browser-missing", "test");
  });

  it("renew what the address brings", async () => {
    const asked = await shaken(page({ __clerk_db_jwt: "old" }, { path: "/?__clerk_db_jwt=new" }), "dev-browser-sync", "test");
    assert.equal(asked.get("redirect_url"), `${app}/`);
  });

  it("sign in", async () => {
    const state = await ask(page({ ...good, [`__clerk_db_jwt_${suffix.test}`]: "dvb" }), "test");
    assert.equal(state.status, "signed-in");
  });
});

describe("a finished handshake", () => {
  const set = (session) => [`__client_uat=${seconds}; Path=/`, `__session=${session}; Path=/`, `__session_${suffix.live}=${session}; Path=/`];
  const handshake = (list, more) => token({ payload: { handshake: list }, ...more });

  it("signs in at once in production, and keeps the cookies", async () => {
    const fresh = token();
    const state = await ask(page({ __clerk_handshake: handshake(set(fresh)) }));
    assert.equal(state.status, "signed-in");
    assert.deepEqual(state.headers.getSetCookie(), set(fresh));
  });

  it("cleans the address in development", async () => {
    const state = await ask(page({}, { path: `/a?b=c&__clerk_handshake=${handshake(set(token()))}&__clerk_db_jwt=x` }), "test");
    assert.equal(state.status, "handshake");
    assert.equal(state.headers.get("location"), `${app}/a?b=c`);
    assert.equal(state.headers.getSetCookie().length, 3);
  });

  it("signs out with an empty session", async () => {
    const state = await ask(page({ ...good, __clerk_handshake: handshake(["__client_uat=0; Path=/", "__session=; Path=/; Max-Age=0"]) }));
    assert.equal(state.status, "signed-out");
    assert.equal(state.headers.getSetCookie().length, 2);
  });

  it("that somebody else wrote sets no cookie", async () => {
    const forged = handshake(["evil=1; Path=/"], { key: "other", header: { kid: "ins_1" } });
    const state = await ask(page({ __clerk_handshake: forged }));
    assert.equal(state.status, "signed-out");
    assert.deepEqual(state.headers.getSetCookie(), ["__clerk_handshake=; Path=/; Max-Age=0"]);
    const query = await ask(page({ __clerk_db_jwt: "x" }, { path: `/?__clerk_handshake=${forged}` }), "test");
    assert.equal(query.status, "signed-out");
    assert.deepEqual(query.headers.getSetCookie(), []);
  });

  it("that only names a number is fetched from the Backend API", async () => {
    const asked = [];
    const fetch = async (url, init) => {
      asked.push([String(url), init.headers.Authorization]);
      return Response.json({ directives: set(token()) });
    };
    const state = await ask(page({ __clerk_handshake_nonce: "n 1" }), "live", { apiUrl, fetch });
    assert.equal(state.status, "signed-in");
    assert.deepEqual(asked, [[`${apiUrl}/v1/clients/handshake_payload?nonce=n%201`, "Bearer sk_live_x"]]);
  });
});

describe("a bearer token", () => {
  const bearer = (given) => new Request(`${app}/api`, { headers: { authorization: `Bearer ${given}` } });

  it("signs in without any cookie", async () => {
    assert.equal((await ask(bearer(token()), "test")).toAuth().userId, "user_1");
  });

  it("is refused with its reason, and the cookies beside it do not help", async () => {
    const request = bearer(token({ payload: { exp: seconds - 60 } }));
    request.headers.set("cookie", `__session=${token()}; __client_uat=${seconds}`);
    const state = await ask(request);
    assert.deepEqual([state.status, state.reason], ["signed-out", "token-expired"]);
  });
});

it("the address behind a proxy is the browser's", async () => {
  const asked = await shaken(page({ __client_uat: seconds }, { headers: { "x-forwarded-proto": "https", "x-forwarded-host": "app.example.com, inner" } }), "client-uat-but-no-session-token");
  assert.equal(asked.get("redirect_url"), "https://app.example.com/");
});

it("a token is good until its last second", async () => {
  assert.equal((await ask(page(good), "live", { now: () => now + 64_000 })).status, "signed-in");
  assert.equal((await ask(page(good), "live", { now: () => now + 65_000 })).status, "handshake");
});
