import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { NextRequest } from "next/server.js";
import { authMiddleware, buildClerkProps, clerkMiddleware, createRouteMatcher, getAuth } from "../dist/server/index.js";
import { hmac, sha256 } from "../dist/server/hmac.js";
import { app, frontendApi, options, page, seconds, token } from "./instance.mjs";

const known = { __session: token(), __client_uat: seconds };
const request = (cookies, path = "/", headers = {}) => new NextRequest(page(cookies, { path, headers }));
const run = (middleware, req) => middleware(req, {});

/** The request's headers as the page behind the middleware sees them. */
function seen(response) {
  const names = response.headers.get("x-middleware-override-headers").split(",");
  return Object.fromEntries(names.map((name) => [name, response.headers.get(`x-middleware-request-${name}`)]));
}

const secretKey = "sk_live_x";

describe("clerkMiddleware", () => {
  it("tells the page who it is", async () => {
    const response = await run(clerkMiddleware(options()), request(known));
    assert.equal(response.headers.get("x-middleware-next"), "1");
    const auth = getAuth({ headers: seen(response) }, { secretKey });
    assert.equal(auth.userId, "user_1");
    assert.equal(auth.sessionId, "sess_1");
    assert.equal(await auth.getToken(), known.__session);
    assert.equal(getAuth({ headers: new Headers(seen(response)) }, { secretKey }).userId, "user_1");
  });

  it("tells the page that it is nobody", async () => {
    const response = await run(clerkMiddleware(options()), request({}));
    assert.equal(getAuth({ headers: seen(response) }, { secretKey }).userId, null);
  });

  it("overwrites what the caller says of itself", async () => {
    const forged = { "x-clerk-auth-status": "signed-in", "x-clerk-auth-token": known.__session, "x-clerk-auth-signature": "0".repeat(64) };
    const response = await run(clerkMiddleware(options()), request({}, "/", forged));
    assert.equal(getAuth({ headers: seen(response) }, { secretKey }).userId, null);
    assert.throws(() => getAuth({ headers: forged }, { secretKey }), /middleware/);
  });

  it("does not let a signature serve for another token", async () => {
    const headers = seen(await run(clerkMiddleware(options()), request(known)));
    const swapped = { ...headers, "x-clerk-auth-token": token({ payload: { sub: "user_2" } }) };
    assert.throws(() => getAuth({ headers: swapped }, { secretKey }), /middleware/);
    assert.throws(() => getAuth({ headers }, { secretKey: "sk_live_other" }), /middleware/);
  });

  it("gives the state to the first rendering, without the token", async () => {
    const headers = seen(await run(clerkMiddleware(options()), request(known)));
    const props = buildClerkProps({ headers }, { secretKey });
    assert.equal(props.__clerk_ssr_state.userId, "user_1");
    assert.ok(!JSON.stringify(props).includes(known.__session));
  });

  it("sends strangers from protected pages to the sign-in page, and back", async () => {
    const middleware = clerkMiddleware(async (auth) => void (await auth.protect()), options("live", { signInUrl: "/signin" }));
    const response = await run(middleware, request({}, "/a?b=c"));
    assert.equal(response.status, 307);
    assert.equal(response.headers.get("location"), `${app}/signin?redirect_url=${encodeURIComponent(`${app}/a?b=c`)}`);
    assert.equal((await run(middleware, request(known))).headers.get("x-middleware-next"), "1");
  });

  it("has the server's own sign-in page when the app has none", async () => {
    const response = await run(clerkMiddleware(async (auth) => void (await auth.protect()), options()), request({}));
    assert.ok(response.headers.get("location").startsWith(`${frontendApi}/sign-in?`));
  });

  it("tells programs nothing about protected routes", async () => {
    const response = await run(
      clerkMiddleware(async (auth) => void (await auth.protect()), options()),
      request({}, "/api/x", { accept: "*/*", "sec-fetch-dest": "empty" }),
    );
    assert.equal(response.status, 404);
  });

  it("keeps what the handler answered", async () => {
    const response = await run(
      clerkMiddleware(() => Response.json({ own: true }, { status: 418 }), options()),
      request({}),
    );
    assert.equal(response.status, 418);
    assert.deepEqual(await response.json(), { own: true });
  });

  it("passes on errors of the handler", async () => {
    const broken = clerkMiddleware(() => {
      throw new RangeError("own");
    }, options());
    await assert.rejects(run(broken, request({})), RangeError);
  });

  it("refuses by role and permission", async () => {
    const member = { ...known, __session: token({ payload: { o: { id: "org_1", rol: "admin", per: "manage,read", fpm: "3,2" }, fea: "o:dashboard,u:x,o:teams" } }) };
    const guard = (check) => clerkMiddleware(async (auth) => void (await auth.protect(check, { unauthorizedUrl: "/no" })), options());
    const passed = async (check) => (await run(guard(check), request(member))).headers.get("location") === null;
    assert.equal(await passed({ role: "org:admin" }), true);
    assert.equal(await passed({ role: "org:member" }), false);
    assert.equal(await passed({ permission: "org:dashboard:manage" }), true);
    assert.equal(await passed({ permission: "org:teams:read" }), true);
    assert.equal(await passed({ permission: "org:teams:manage" }), false);
    assert.equal(await passed((has) => has({ role: "org:admin", permission: "org:teams:read" })), true);
    assert.equal(await passed({}), false);
  });

  it("answers a handshake itself", async () => {
    const response = await run(clerkMiddleware(options("test")), request({}));
    assert.equal(response.status, 307);
    assert.match(response.headers.get("location"), /__clerk_hs_reason=dev-browser-missing/);
    assert.equal(response.headers.get("cache-control"), "no-store");
  });
});

describe("authMiddleware", () => {
  const middleware = authMiddleware({ publicRoutes: ["/", "/open/:path*"], ...options("live", { signInUrl: "/signin" }) });

  it("lets everybody see public pages and the sign-in page", async () => {
    for (const path of ["/", "/open", "/open/a/b", "/signin", "/signin/factor-one"]) {
      assert.equal((await run(middleware, request({}, path))).headers.get("x-middleware-next"), "1", path);
    }
  });

  it("sends strangers away from all others", async () => {
    for (const path of ["/private", "/opened", "/signing"]) {
      assert.match((await run(middleware, request({}, path))).headers.get("location"), /\/signin\?redirect_url=/, path);
    }
    assert.equal((await run(middleware, request(known, "/private"))).headers.get("x-middleware-next"), "1");
  });

  it("answers programs with 401", async () => {
    const response = await run(middleware, request({}, "/api/me", { accept: "*/*", "sec-fetch-dest": "empty" }));
    assert.equal(response.status, 401);
  });

  it("leaves files alone", async () => {
    const response = await run(middleware, request({}, "/logo.png"));
    assert.equal(response.headers.get("x-middleware-override-headers"), null);
  });

  it("asks afterAuth", async () => {
    const asking = authMiddleware({ ...options(), afterAuth: (auth, req) => Response.json({ user: auth.userId, path: req.nextUrl.pathname, isPublic: auth.isPublicRoute }) });
    assert.deepEqual(await (await run(asking, request(known, "/x"))).json(), { user: "user_1", path: "/x", isPublic: false });
  });
});

describe("createRouteMatcher", () => {
  const cases = [
    ["/", ["/"], ["/a"]],
    ["/dashboard(.*)", ["/dashboard", "/dashboard/a", "/dashboards"], ["/", "/a/dashboard"]],
    ["/user/:id", ["/user/7", "/user/7/"], ["/user", "/user/7/8"]],
    ["/docs/:page*", ["/docs", "/docs/a", "/docs/a/b"], ["/docsa"]],
    ["/docs/:page+", ["/docs/a", "/docs/a/b"], ["/docs"]],
    ["/a/:b?", ["/a", "/a/b"], ["/a/b/c"]],
    ["/:id(\\d+)", ["/12"], ["/a", "/12a"]],
    ["/(api|trpc)(.*)", ["/api", "/api/x", "/trpc"], ["/ap"]],
    ["/((?!.+\\.[\\w]+$|_next).*)", ["/a"], ["/_next/x", "/a.png"]],
    ["/a.b", ["/a.b"], ["/axb"]],
  ];
  for (const [pattern, yes, no] of cases) {
    it(pattern, () => {
      const matches = createRouteMatcher([pattern]);
      for (const path of yes) assert.equal(matches({ nextUrl: { pathname: path } }), true, path);
      for (const path of no) assert.equal(matches({ nextUrl: { pathname: path } }), false, path);
    });
  }
});

it("the hash agrees with the system's for every length of a block", () => {
  for (let length = 0; length <= 200; length += 1) {
    const message = randomBytes(length);
    assert.equal(Buffer.from(sha256(message)).toString("hex"), createHash("sha256").update(message).digest("hex"), `${length}`);
  }
  for (const key of ["", "k", "k".repeat(64), "k".repeat(65), "ü".repeat(50)]) {
    assert.equal(hmac(key, "said"), createHmac("sha256", key).update("said").digest("hex"));
  }
});
