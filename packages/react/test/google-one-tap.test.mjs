// One Tap with Google's script played by the test: what our part asks of it, and what becomes of the token that it brings.
import assert from "node:assert/strict";
import { before, beforeEach, describe, it } from "node:test";
import * as browser from "./browser.mjs";

const { answer, asked, client, doc, options, session, went } = browser;
let React, act, create, D;
let google;

/** Google's script, which says what it was asked and lets a test tap. */
function script({ works = true } = {}) {
  google = { calls: [], sources: [] };
  const id = {
    initialize: (given) => {
      google.calls.push("initialize");
      google.given = given;
    },
    prompt: () => google.calls.push("prompt"),
    cancel: () => google.calls.push("cancel"),
  };
  doc.createElement = () => ({});
  doc.head = {
    append(element) {
      google.sources.push(element.src);
      globalThis.google = { accounts: { id } };
      queueMicrotask(() => (works ? element.onload() : element.onerror()));
    },
  };
}

const settled = () => act(async () => await new Promise((resolve) => setImmediate(resolve)));

async function mount(props = {}) {
  let root;
  await act(async () => {
    root = create(React.createElement(D.DoorwardProvider, options(), React.createElement(D.GoogleOneTap, props)));
  });
  await settled();
  return root;
}

async function tap() {
  await act(async () => void google.given.callback({ credential: "an.id.token" }));
  await settled();
}

const refused = (code) => [404, { errors: [{ code, message: code }] }];
const attempt = (object, more) => ({ object, id: "one", status: "complete", created_session_id: "sess_1", ...more });
const signedIn = { sessions: [session()], last_active_session_id: "sess_1" };

before(async () => {
  console.error = () => {};
  React = await import("react");
  ({ act, create } = (await import("react-test-renderer")).default);
  D = await import("../dist/index.js");
});

beforeEach(() => {
  asked.length = 0;
  went.length = 0;
  answer("GET /v1/client", () => [200, { response: client(), client: null }]);
  answer("GET /v1/environment", () => [200, { display_config: { google_one_tap_client_id: "our-client" } }]);
  answer("POST /v1/client/sessions/sess_1/touch", () => [200, { response: session(), client: client(signedIn) }]);
});

describe("One Tap", () => {
  it("asks for nobody's account where the script does not come, and says so", async () => {
    script({ works: false });
    const errors = [];
    const root = await mount({ onError: (error) => errors.push(error.message) });
    assert.deepEqual(errors, ["Doorward: Google's script could not be loaded"]);
    await act(async () => root.unmount());
  });

  it("signs in whoever is known, and goes on to where they wanted", async () => {
    script();
    const root = await mount({ afterSignInUrl: "/inside", afterSignUpUrl: "/welcome", cancelOnTapOutside: false });
    assert.deepEqual(google.sources, ["https://accounts.google.com/gsi/client"]);
    assert.deepEqual(google.calls, ["initialize", "prompt"]);
    const { callback, ...given } = google.given;
    assert.deepEqual(given, { client_id: "our-client", itp_support: true, cancel_on_tap_outside: false, use_fedcm_for_prompt: true, auto_select: false });
    const done = client({ ...signedIn, sign_in: attempt("sign_in_attempt") });
    answer("POST /v1/client/sign_ins", () => {
      answer("GET /v1/client", () => [200, { response: done, client: null }]);
      return [200, { response: done.sign_in, client: done }];
    });
    await tap();
    const { body } = asked.find(({ what }) => what === "POST /v1/client/sign_ins");
    assert.deepEqual(body, { strategy: "google_one_tap", token: "an.id.token" });
    assert.equal(went.at(-1), "http://localhost:3100/inside");
    assert.equal(google.calls.at(-1), "cancel", "nobody is asked who is signed in");
    await act(async () => root.unmount());
  });

  it("signs up whoever is not known, with the same token", async () => {
    script();
    const root = await mount({ afterSignInUrl: "/inside", afterSignUpUrl: "/welcome" });
    assert.deepEqual(google.calls, ["initialize", "prompt"], "the script that is there is not loaded again");
    answer("POST /v1/client/sign_ins", () => refused("external_account_not_found"));
    const done = client({ ...signedIn, sign_up: attempt("sign_up_attempt", { created_user_id: "user_1" }) });
    answer("POST /v1/client/sign_ups", () => {
      answer("GET /v1/client", () => [200, { response: done, client: null }]);
      return [200, { response: done.sign_up, client: done }];
    });
    await tap();
    const { body } = asked.find(({ what }) => what === "POST /v1/client/sign_ups");
    assert.deepEqual(body, { strategy: "google_one_tap", token: "an.id.token" });
    assert.equal(went.at(-1), "http://localhost:3100/welcome");
    await act(async () => root.unmount());
  });

  it("tells what else went wrong, and signs nobody up", async () => {
    script();
    const errors = [];
    const root = await mount({ onError: (error) => errors.push(error.errors[0].code) });
    answer("POST /v1/client/sign_ins", () => refused("external_account_email_address_verification_required"));
    await tap();
    assert.deepEqual(errors, ["external_account_email_address_verification_required"]);
    assert.equal(asked.some(({ what }) => what === "POST /v1/client/sign_ups"), false);
    await act(async () => root.unmount());
    assert.equal(google.calls.at(-1), "cancel");
  });

  it("is not there where the instance has no Google, or somebody is signed in", async () => {
    script();
    answer("GET /v1/environment", () => [200, { display_config: { google_one_tap_client_id: null } }]);
    const root = await mount();
    await act(async () => root.unmount());
    answer("GET /v1/environment", () => [200, { display_config: { google_one_tap_client_id: "our-client" } }]);
    answer("GET /v1/client", () => [200, { response: client(signedIn), client: null }]);
    const other = await mount();
    assert.deepEqual(google, { calls: [], sources: [] });
    assert.equal(asked.filter(({ what }) => what === "GET /v1/environment").length, 2);
    await act(async () => other.unmount());
  });
});
