import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as browser from "./browser.mjs";

const { answer, asked, client, doc, events, frontend, options, session, went } = browser;
let React, act, create, renderToString, D, S;
const noise = [];

before(async () => {
  for (const level of ["error", "warn"]) console[level] = (...said) => noise.push(said.map(String).join(" "));
  React = await import("react");
  ({ act, create } = (await import("react-test-renderer")).default);
  ({ renderToString } = await import("react-dom/server"));
  D = await import("../dist/index.js");
  S = await import("../dist/signals.js");
});

const signIn = (more) => ({ object: "sign_in_attempt", id: "sia_1", status: "needs_first_factor", identifier: "ada@example.com", supported_first_factors: [{ strategy: "email_code", email_address_id: "idn_1" }], created_session_id: null, user_data: null, ...more });
const wrong = { errors: [{ code: "form_password_incorrect", message: "wrong", long_message: "Password is wrong.", meta: { param_name: "password" } }], clerk_trace_id: "trace" };
const complete = () => [200, { response: signIn({ status: "complete", created_session_id: "sess_1" }), client: client({ sessions: [session()], last_active_session_id: "sess_1" }) }];
const answerAll = (held = client()) => answer("GET /v1/client", () => [200, { response: held, client: null }]);

/** Renders a hook in strict mode; `seen` is each value that it gave. */
async function render(hook, props = {}) {
  const seen = [];
  const Probe = () => {
    seen.push(hook());
    return null;
  };
  let root;
  const tree = React.createElement(React.StrictMode, null, React.createElement(D.DoorwardProvider, { ...options(), ...props }, React.createElement(Probe)));
  await act(async () => (root = create(tree)));
  await act(async () => await new Promise((resolve) => setImmediate(resolve)));
  return { seen, root, tree, get now() { return seen.at(-1); } };
}

describe("useSignIn", () => {
  it("has nothing before it is loaded, and everything after", async () => {
    answerAll();
    const { seen, now } = await render(() => D.useSignIn());
    assert.deepEqual(seen[0], { isLoaded: false, signIn: undefined, setActive: undefined, setSession: undefined });
    assert.equal(now.isLoaded, true);
    assert.equal(now.signIn.status, null);
    assert.equal(typeof now.setActive, "function");
    assert.equal(typeof now.setSession, "function");
  });

  it("keeps its identity when something else is rendered or changed", async () => {
    answerAll();
    const it = await render(() => [D.useSignIn(), D.useDoorward()]);
    const [before, doorward] = it.now;
    await act(async () => it.root.update(it.tree));
    assert.equal(it.now[0], before);
    answer("GET /v1/client", () => [200, { response: client({ updated_at: 5 }), client: null }]);
    await act(async () => void (await doorward.run("reload")));
    assert.equal(it.now[0], before, "another part of the client changed");
  });

  it("rejects with errors that pages can read", async () => {
    answerAll();
    answer("POST /v1/client/sign_ins", () => [422, { ...wrong, meta: { client: client({ sign_in: signIn() }) } }]);
    const it = await render(() => D.useSignIn());
    await act(async () => {
      await assert.rejects(it.now.signIn.create({ identifier: "ada@example.com", password: "x" }), (error) => {
        assert.ok(D.isClerkAPIResponseError(error));
        assert.equal(error.status, 422);
        assert.equal(error.clerkTraceId, "trace");
        assert.deepEqual(error.errors, [{ code: "form_password_incorrect", message: "wrong", longMessage: "Password is wrong.", meta: { paramName: "password" } }]);
        return true;
      });
    });
    assert.equal(it.now.signIn.status, "needs_first_factor", "the attempt exists all the same");
  });

  it("completes, and setActive makes the session", async () => {
    answerAll();
    answer("POST /v1/client/sign_ins", complete);
    answer("POST /v1/client/sessions/sess_1/touch", () => [200, { response: session(), client: client({ sessions: [session()], last_active_session_id: "sess_1" }) }]);
    const order = [];
    const it = await render(() => [D.useSignIn(), D.useAuth()], { onBeforeSetActive: () => order.push("before"), onAfterSetActive: () => order.push("after") });
    assert.equal(it.now[1].userId, null);
    const held = it.now[0].signIn;
    await act(async () => {
      const result = await held.create({ identifier: "ada@example.com", password: "right" });
      assert.equal(result, held, "the object that the page holds");
      assert.equal(result.status, "complete");
      await it.now[0].setActive({ session: result.createdSessionId, beforeEmit: () => order.push("emit") });
    });
    const { isSignedIn, userId, sessionId, sessionClaims, has, getToken } = it.now[1];
    assert.deepEqual({ isSignedIn, userId, sessionId, sub: sessionClaims.sub, admin: has({ role: "org:admin" }) }, { isSignedIn: true, userId: "user_1", sessionId: "sess_1", sub: "user_1", admin: false });
    assert.equal(await getToken(), session().last_active_token.jwt);
    assert.deepEqual(order, ["before", "emit", "after"]);
    assert.match(doc.cookie, /__session=x\./);
    assert.equal(asked.at(-1).credentials, "include");
  });

  it("answers what the network did with an error like any other", async () => {
    answerAll();
    const it = await render(() => D.useSignIn());
    const { fetch } = globalThis;
    globalThis.fetch = () => Promise.reject(new TypeError("no route"));
    await act(async () => await assert.rejects(it.now.signIn.create({}), (error) => error.errors[0].code === "network_error" && error.errors[0].longMessage.includes("no route")));
    globalThis.fetch = fetch;
  });
});

describe("the others", () => {
  const signedIn = client({ sessions: [session(), session("sess_2")], last_active_session_id: "sess_1" });

  it("useUser, useSession and useSessionList show the same person", async () => {
    answerAll(signedIn);
    const it = await render(() => ({ user: D.useUser(), session: D.useSession(), list: D.useSessionList() }));
    const { user, session: one, list } = it.now;
    assert.equal(user.user.fullName, "Ada");
    assert.equal(user.user.primaryEmailAddress.emailAddress, "ada@example.com");
    assert.deepEqual(user.user.unsafeMetadata, { own_name: 1 });
    assert.ok(user.user.createdAt instanceof Date);
    assert.equal(one.session.user, user.user);
    assert.deepEqual(list.sessions.map(({ id }) => id), ["sess_1", "sess_2"]);
    assert.equal(list.sessions[0], one.session);
  });

  it("a new token renders nobody who shows the user", async () => {
    answerAll(signedIn);
    const it = await render(() => [D.useUser(), D.useDoorward()]);
    const renderings = it.seen.length;
    const fresh = session("sess_1", { last_active_token: { object: "token", jwt: "a.b.c" } });
    answer("GET /v1/client", () => [200, { response: client({ ...signedIn, sessions: [fresh, session("sess_2")] }), client: null }]);
    const [{ user }, doorward] = it.now;
    await act(async () => void (await doorward.run("reload")));
    assert.equal(await doorward.session.getToken(), "a.b.c");
    assert.equal(it.now[0].user, user);
    assert.ok(it.seen.length <= renderings + 2, "only for useDoorward, twice in strict mode");
  });

  const waiting = client({ sessions: [session("sess_1", { status: "pending", tasks: [{ key: "setup-mfa" }] })], last_active_session_id: "sess_1" });

  it("a session that waits for tasks is there with them, and signs nobody in", async () => {
    answerAll(waiting);
    const it = await render(() => ({ auth: D.useAuth(), session: D.useSession(), user: D.useUser(), doorward: D.useDoorward() }));
    const { auth, session: one, user, doorward } = it.now;
    assert.deepEqual([auth.isLoaded, auth.isSignedIn, auth.userId, auth.sessionId], [true, false, null, null]);
    assert.deepEqual([one.isLoaded, one.isSignedIn, one.session.status, one.session.currentTask], [true, false, "pending", { key: "setup-mfa" }]);
    assert.deepEqual([doorward.isSignedIn, doorward.client.signedInSessions.length], [false, 1]);
    answer("POST /v1/me/totp/attempt_verification", () => [200, { response: { id: "totp_1", verified: true, backup_codes: ["x"] }, client: signedIn }]);
    await act(async () => assert.deepEqual((await user.user.verifyTOTP({ code: "123456" })).backupCodes, ["x"]));
    assert.deepEqual([it.now.auth.userId, it.now.session.isSignedIn, it.now.session.session.currentTask], ["user_1", true, undefined]);
  });

  it("whoever comes back from a provider does the tasks on the page to sign in, which leads where this would have led", async () => {
    const held = client({ ...waiting, sign_in: signIn({ status: "complete", created_session_id: "sess_1" }) });
    answerAll(held);
    answer("POST /v1/client/sessions/sess_1/touch", () => [200, { response: waiting.sessions[0], client: held }]);
    const Callback = () => React.createElement(D.AuthenticateWithRedirectCallback, { signInUrl: "/enter", afterSignInUrl: "/home" });
    await act(async () => void create(React.createElement(D.DoorwardProvider, options(), React.createElement(Callback))));
    for (let turn = 0; turn < 5; turn += 1) await act(async () => await new Promise((resolve) => setImmediate(resolve)));
    assert.equal(went.at(-1), "http://localhost:3100/enter?redirect_url=http%3A%2F%2Flocalhost%3A3100%2Fhome");
  });

  it("useAuth knows from the server who it is before anything is loaded", async () => {
    answerAll(signedIn);
    const initialState = { userId: "user_9", sessionId: "sess_9", sessionClaims: {} };
    const { seen } = await render(() => D.useAuth(), { initialState });
    assert.deepEqual([seen[0].isLoaded, seen[0].userId], [true, "user_9"]);
    assert.equal(seen.at(-1).userId, "user_1");
  });

  it("SignOutButton signs out, and leaves the page", async () => {
    answerAll(signedIn);
    answer("DELETE /v1/client/sessions", () => [200, { response: client(), client: null }]);
    const parts = () => React.createElement(React.Fragment, null, React.createElement(D.SignedIn, null, "in"), React.createElement(D.SignedOut, null, "out"), React.createElement(D.SignOutButton));
    let root;
    await act(async () => (root = create(React.createElement(D.DoorwardProvider, options(), React.createElement(parts)))));
    await act(async () => await new Promise((resolve) => setImmediate(resolve)));
    assert.equal(root.toJSON()[0], "in");
    await act(async () => await root.root.findByType("button").props.onClick({}));
    assert.equal(root.toJSON()[0], "out");
    assert.equal(went.at(-1), "http://localhost:3100/");
    assert.ok(!doc.cookie.includes("__session="));
  });

  it("navigate never runs an address", async () => {
    answerAll();
    const it = await render(() => D.useDoorward());
    await assert.rejects(it.now.navigate("javascript:alert(1)"), /javascript:/);
    await assert.rejects(it.now.navigate("data:text/html,x"), /data:/);
  });

  it("a hook without a provider says what is missing", async () => {
    await assert.rejects(async () => renderToString(React.createElement(() => D.useAuth().userId)), /DoorwardProvider/);
  });
});

describe("signals", () => {
  it("put an error at its field, and complete", async () => {
    answerAll();
    answer("POST /v1/client/sign_ins", () => [422, wrong]);
    const it = await render(() => S.useSignIn());
    assert.equal(it.now.signIn.status, "needs_identifier");
    let call;
    act(() => void (call = it.now.signIn.password({ emailAddress: "ada@example.com", password: "x" })));
    assert.equal(it.now.fetchStatus, "fetching");
    await act(async () => assert.equal((await call).error.errors[0].code, "form_password_incorrect"));
    assert.equal(it.now.errors.fields.password.longMessage, "Password is wrong.");
    assert.equal(it.now.errors.fields.identifier, null);
    assert.equal(it.now.errors.global, null);
    assert.equal(it.now.fetchStatus, "idle");

    answer("POST /v1/client/sign_ins", complete);
    answer("POST /v1/client/sessions/sess_1/touch", complete);
    const { signIn } = it.now;
    await act(async () => assert.equal((await signIn.password({ emailAddress: "ada@example.com", password: "y" })).error, null));
    assert.equal(signIn.status, "complete", "though the client holds no attempt any more");
    assert.equal(it.now.errors.fields.password, null);
    const visited = [];
    await act(async () => await signIn.finalize({ navigate: ({ session: { id }, decorateUrl }) => visited.push(decorateUrl(`/of/${id}`)) }));
    assert.deepEqual(visited, ["/of/sess_1"]);
    assert.equal(signIn.status, "needs_identifier");
  });

  it("send a code to the address that was given", async () => {
    answerAll();
    answer("POST /v1/client/sign_ins", () => [200, { response: signIn(), client: client({ sign_in: signIn() }) }]);
    answer("POST /v1/client/sign_ins/sia_1/prepare_first_factor", () => [200, { response: signIn({ first_factor_verification: { status: "unverified", strategy: "email_code" } }), client: null }]);
    const it = await render(() => S.useSignIn());
    await act(async () => assert.equal((await it.now.signIn.emailCode.sendCode({ emailAddress: "ada@example.com" })).error, null));
    assert.deepEqual(asked.at(-1).body, { strategy: "email_code", email_address_id: "idn_1" });
    assert.equal(it.now.signIn.firstFactorVerification.status, "unverified");
    await act(async () => assert.equal((await it.now.signIn.resetPasswordEmailCode.sendCode()).error.code, "factor_not_found"));
    assert.equal(it.now.errors.global[0].code, "factor_not_found");
  });

  describe("by passkey", () => {
    const begun = signIn({ supported_first_factors: [], first_factor_verification: { status: "unverified", strategy: "passkey", nonce: '{"challenge":"Y2g"}' } });
    const begin = () => {
      answerAll();
      answer("POST /v1/client/sign_ins", () => [200, { response: begun, client: client({ sign_in: begun }) }]);
      answer("POST /v1/client/sign_ins/sia_1/attempt_first_factor", complete);
      answer("POST /v1/client/sessions/sess_1/touch", complete);
      return render(() => S.useSignIn());
    };
    const browserWith = (get) => {
      globalThis.PublicKeyCredential = { parseRequestOptionsFromJSON: (options) => ({ parsed: options }) };
      Object.defineProperty(globalThis, "navigator", { value: { credentials: { get } }, configurable: true });
    };
    const { navigator } = globalThis;
    after(() => {
      delete globalThis.PublicKeyCredential;
      Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    });

    it("hands the challenge to the browser, and its answer to the server", async () => {
      const it = await begin();
      browserWith(async ({ publicKey }) => ({ toJSON: () => ({ id: "cred", signed: publicKey.parsed.challenge }) }));
      await act(async () => assert.equal((await it.now.signIn.passkey()).error, null));
      const [attempt] = asked.slice(-1);
      assert.deepEqual(attempt.body, { strategy: "passkey", public_key_credential: '{"id":"cred","signed":"Y2g"}' });
      assert.equal(it.now.signIn.status, "complete");
    });

    it("says so when nobody uses one, or the browser cannot", async () => {
      const it = await begin();
      browserWith(async () => Promise.reject(new DOMException("closed", "NotAllowedError")));
      await act(async () => assert.equal((await it.now.signIn.passkey()).error.code, "passkey_retrieval_cancelled"));
      assert.equal(it.now.errors.global[0].code, "passkey_retrieval_cancelled");
      delete globalThis.PublicKeyCredential;
      await act(async () => assert.equal((await it.now.signIn.passkey()).error.code, "passkey_not_supported"));
    });
  });

  describe("by a passkey that is picked in a field", () => {
    const nonce = signIn({ supported_first_factors: [], first_factor_verification: { status: "unverified", strategy: "passkey", nonce: '{"challenge":"Y2g"}' } });
    const turn = () => act(async () => await new Promise((resolve) => setImmediate(resolve)));
    const { navigator } = globalThis;
    let get;
    before(() => {
      globalThis.PublicKeyCredential = { parseRequestOptionsFromJSON: (options) => ({ parsed: options }) };
      const waiting = (given) =>
        new Promise((resolve, reject) => {
          get = { ...given, pick: () => resolve({ toJSON: () => ({ id: "cred" }) }) };
          given.signal.addEventListener("abort", () => reject(given.signal.reason));
        });
      Object.defineProperty(globalThis, "navigator", { value: { credentials: { get: waiting } }, configurable: true });
    });
    after(() => {
      delete globalThis.PublicKeyCredential;
      Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    });
    const begin = async (more) => {
      answerAll();
      answer("POST /v1/client/sign_ins", () => [200, { response: nonce, client: client({ sign_in: nonce }) }]);
      answer("POST /v1/client/sign_ins/sia_1/attempt_first_factor", complete);
      const it = await render(() => S.useSignIn());
      const picked = it.now.signIn.passkey({ flow: "autofill", ...more });
      await turn();
      return { it, picked };
    };

    it("waits in the background, and goes on with the one that is picked", async () => {
      const { it, picked } = await begin();
      assert.deepEqual([get.mediation, get.publicKey.parsed.challenge, it.now.fetchStatus], ["conditional", "Y2g", "idle"]);
      get.pick();
      await act(async () => assert.equal((await picked).error, null));
      assert.deepEqual(asked.at(-1).body, { strategy: "passkey", public_key_credential: '{"id":"cred"}' });
      assert.equal(it.now.signIn.status, "complete");
    });

    it("is over when anything else is done, of which nobody is told", async () => {
      const { it, picked } = await begin();
      answer("POST /v1/client/sign_ins", () => [422, wrong]);
      await act(async () => assert.equal((await it.now.signIn.password({ identifier: "ada@example.com", password: "x" })).error.code, "form_password_incorrect"));
      assert.equal(get.signal.aborted, true);
      assert.equal((await picked).error.code, "passkey_retrieval_cancelled");
      assert.equal(it.now.errors.raw[0].code, "form_password_incorrect");
    });

    it("is over when the page no longer waits, begun or not", async () => {
      const controller = new AbortController();
      const { it, picked } = await begin({ signal: controller.signal });
      controller.abort();
      assert.equal((await picked).error.code, "passkey_retrieval_cancelled");
      asked.length = 0;
      const late = await it.now.signIn.passkey({ flow: "autofill", signal: controller.signal });
      assert.deepEqual([late.error.code, asked], ["passkey_retrieval_cancelled", []]);
      assert.equal(it.now.errors.raw, null);
    });

    it("shows what the server says of the one that was picked", async () => {
      const { it, picked } = await begin();
      answer("POST /v1/client/sign_ins/sia_1/attempt_first_factor", () => [422, { errors: [{ code: "passkey_not_registered", message: "Unknown." }] }]);
      get.pick();
      await act(async () => assert.equal((await picked).error.code, "passkey_not_registered"));
      assert.equal(it.now.errors.global[0].code, "passkey_not_registered");
    });
  });

  describe("in a window of its own", () => {
    const to = "https://provider.example/go";
    const begun = signIn({ first_factor_verification: { status: "unverified", strategy: "oauth_x", external_verification_redirect_url: to } });
    const held = () => client({ sessions: [session()], last_active_session_id: "sess_1" });
    const params = { strategy: "oauth_x", redirectUrl: "/callback", redirectUrlComplete: "/home" };
    const turn = () => act(async () => await new Promise((resolve) => setImmediate(resolve)));
    const state = () => new URL(asked.findLast(({ what }) => what === "POST /v1/client/sign_ins").body.redirect_url).searchParams.get("state");
    /** What the page that the window ends on says, and what anybody else may say. */
    async function say(data, origin = frontend) {
      events.dispatchEvent(Object.assign(new Event("message"), { origin, data }));
      await turn();
    }
    async function begin(hook, visit) {
      answerAll();
      answer("POST /v1/client/sign_ins", () => [200, { response: begun, client: client({ sign_in: begun }) }]);
      answer("GET /v1/client/sign_ins/sia_1", complete);
      answer("POST /v1/client/sessions/sess_1/touch", () => [200, { response: session(), client: held() }]);
      const popup = { location: {}, closed: false, close: () => (popup.closed = true) };
      const it = await render(hook);
      let done;
      await act(async () => {
        done = visit(it.now.signIn, popup);
        // What it takes is loaded now.
        for (let tries = 0; !popup.location.href && tries < 5000; tries += 1) await new Promise((resolve) => setTimeout(resolve, 1));
      });
      assert.equal(popup.location.href, to);
      return { it, popup, done };
    }
    const classic = (signIn, popup) => signIn.authenticateWithPopup({ ...params, popup });
    const newer = (signIn, popup) => signIn.sso({ strategy: "oauth_x", redirectUrl: "/home", redirectCallbackUrl: "/callback", popup });

    it("waits for what the server's page tells, and nobody else", async () => {
      const { done } = await begin(() => D.useSignIn(), classic);
      const { redirect_url: open, action_complete_redirect_url: through } = asked.at(-1).body;
      assert.equal(through, `${frontend}/popup-callback?state=${state()}`);
      assert.equal(open, `${through}&return_url=${encodeURIComponent("http://localhost:3100/callback")}`);
      answerAll(held());
      await say({ session: "sess_1", state: state() }, "https://evil.example");
      await say({ session: "sess_1", state: "another" });
      await say("nonsense");
      assert.notEqual(asked.at(-1).what, "GET /v1/client", "neither is heard");
      await say({ session: "sess_1", state: state() });
      await act(async () => await done);
      assert.equal(went.at(-1), "http://localhost:3100/home");
    });

    it("goes on here with what is not complete", async () => {
      const { done } = await begin(() => D.useSignIn(), classic);
      await say({ return_url: "http://localhost:3100/callback?more=1", state: state() });
      await act(async () => await done);
      assert.equal(went.at(-1), "http://localhost:3100/callback?more=1");
    });

    it("completes the attempt of the newer shape", async () => {
      const { it, done } = await begin(() => S.useSignIn(), newer);
      answerAll(held());
      await say({ session: "sess_1", state: state() });
      await act(async () => assert.equal((await done).error, null));
      assert.deepEqual([it.now.signIn.status, it.now.signIn.createdSessionId], ["complete", "sess_1"]);
    });

    it("says so when it is closed too early, and closes it when there is nowhere to go", async () => {
      const { it, popup, done } = await begin(() => S.useSignIn(), newer);
      popup.closed = true;
      await act(async () => assert.equal((await done).error.code, "popup_closed"));
      popup.closed = false;
      answer("POST /v1/client/sign_ins", () => [422, wrong]);
      await act(async () => assert.equal((await newer(it.now.signIn, popup)).error.code, "form_password_incorrect"));
      assert.equal(popup.closed, true);
    });
  });

  it("ask what the instance offers once, and again where there was no answer", async () => {
    answerAll();
    const { environment } = await import("../dist/ui/environment.js");
    const it = await render(() => D.useDoorward());
    answer("GET /v1/environment", () => [500, {}]);
    await assert.rejects(environment(it.now));
    const social = { oauth_google: { enabled: true, authenticatable: true, strategy: "oauth_google", name: "Google" }, oauth_x: { enabled: true, authenticatable: false, strategy: "oauth_x" } };
    answer("GET /v1/environment", () => [200, { display_config: { google_one_tap_client_id: "our-client" }, user_settings: { attributes: { phone_number: { enabled: true, first_factors: ["phone_code"] } }, passkey_settings: { allow_autofill: true }, social } }]);
    const offers = { attributes: { phoneNumber: { enabled: true, firstFactors: ["phone_code"] } }, social: [{ strategy: "oauth_google", name: "Google" }], legalConsent: false, passkeyAutofill: true, googleClientId: "our-client" };
    assert.deepEqual(await environment(it.now), offers);
    answer("GET /v1/environment", () => assert.fail("asked again"));
    assert.deepEqual(await environment(it.now), offers);
  });

  it("sign up in steps", async () => {
    answerAll();
    const signUp = (more) => ({ object: "sign_up_attempt", id: "sua_1", status: "missing_requirements", unverified_fields: ["email_address"], verifications: { email_address: { status: "unverified", strategy: "email_code" } }, abandon_at: 5, ...more });
    answer("POST /v1/client/sign_ups", () => [200, { response: signUp(), client: client({ sign_up: signUp() }) }]);
    answer("POST /v1/client/sign_ups/sua_1/prepare_verification", () => [200, { response: signUp(), client: null }]);
    answer("POST /v1/client/sign_ups/sua_1/attempt_verification", () => [200, { response: signUp({ status: "complete", created_session_id: "sess_1" }), client: client({ sessions: [session()], last_active_session_id: "sess_1" }) }]);
    const it = await render(() => S.useSignUp());
    const { signUp: future } = it.now;
    await act(async () => void (await future.password({ emailAddress: "a@b.c", password: "long enough", firstName: "Ada" })));
    assert.deepEqual(asked.at(-1).body, { email_address: "a@b.c", password: "long enough", first_name: "Ada" });
    await act(async () => void (await future.verifications.sendEmailCode()));
    assert.equal(future.verifications.emailAddress.status, "unverified");
    await act(async () => void (await future.verifications.verifyEmailCode({ code: "424242" })));
    assert.equal(future.status, "complete");
    assert.equal(future.createdSessionId, "sess_1");
  });
});

it("a server renders what it knows, and asks nobody", async () => {
  const { window, fetch } = globalThis;
  delete globalThis.window;
  globalThis.fetch = () => assert.fail("asked");
  const Page = () => [JSON.stringify(D.useSignIn()), JSON.stringify(D.useAuth().userId ?? "?")].join(" ");
  const text = renderToString(React.createElement(D.DoorwardProvider, { publishableKey: browser.key("server"), proxyUrl: frontend, initialState: { userId: "user_1", sessionId: "s" } }, React.createElement(Page)));
  Object.assign(globalThis, { window, fetch });
  assert.equal(text.replaceAll("&quot;", '"'), '{"isLoaded":false} "user_1"');
});

it("nothing was complained about", () => assert.deepEqual(noise.filter((said) => !said.includes("react-test-renderer is deprecated")), []));
