import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { beforeEach, describe, it } from "node:test";
import { TokenVerificationError, verifyToken } from "../dist/server/index.js";
import { forgetKeys } from "../dist/server/jwks.js";
import { apiUrl, app, b64, claims, frontendApi, options, pair, pem, publisher, seconds, token } from "./instance.mjs";

beforeEach(forgetKeys);

const refused = (given, reason, more) =>
  assert.rejects(verifyToken(given, options("live", more)), (error) => {
    assert.ok(error instanceof TokenVerificationError, error);
    assert.equal(error.reason, reason);
    return true;
  });

describe("a session token", () => {
  it("is good if the instance signed it", async () => {
    assert.deepEqual(await verifyToken(token(), options()), claims);
  });

  it("is refused with one bit of the claims changed", async () => {
    const [head, , signature] = token().split(".");
    await refused(`${head}.${b64({ ...claims, sub: "user_2" })}.${signature}`, "token-invalid-signature");
  });

  it("is refused with another spelling of its signature", async () => {
    await refused(`${token()}=`, "token-invalid");
    await refused(`${token()} `, "token-invalid");
  });

  it("is refused when another key signed it", async () => {
    await refused(token({ key: "other", header: { kid: "ins_1" } }), "token-invalid-signature");
  });

  it("is refused without a signature, however it says so", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
      await refused(`${b64({ alg, typ: "JWT", kid: "ins_1" })}.${b64(claims)}.`, "token-invalid-algorithm");
    }
  });

  it("is refused when the public key was taken for a secret", async () => {
    const signed = `${b64({ alg: "HS256", typ: "JWT", kid: "ins_1" })}.${b64(claims)}`;
    const mac = createHmac("sha256", pem("ins_1")).update(signed).digest("base64url");
    await refused(`${signed}.${mac}`, "token-invalid-algorithm");
  });

  it("is refused with an algorithm of the same family", async () => {
    const signed = `${b64({ alg: "RS512", typ: "JWT", kid: "ins_1" })}.${b64(claims)}`;
    await refused(`${signed}.${sign("sha512", Buffer.from(signed), pair("ins_1").privateKey).toString("base64url")}`, "token-invalid-algorithm");
  });

  it("brings no key of its own", async () => {
    const own = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const header = { alg: "RS256", typ: "JWT", kid: "ins_1", jwk: own.publicKey.export({ format: "jwk" }) };
    const signed = `${b64(header)}.${b64(claims)}`;
    await refused(`${signed}.${sign("sha256", Buffer.from(signed), own.privateKey).toString("base64url")}`, "token-invalid-signature");
  });

  it("makes no demands that nobody knows", () => refused(token({ header: { crit: ["x"], x: 1 } }), "token-invalid"));
  it("is a JWT", () => refused(token({ header: { typ: "at+jwt" } }), "token-invalid"));
  it("is not made from a template", () => refused(token({ header: { cat: "cl_B7d4PD222AAA" } }), "token-type-mismatch"));

  it("ends, give or take the clocks' difference", async () => {
    await verifyToken(token({ payload: { exp: seconds - 4 } }), options());
    await refused(token({ payload: { exp: seconds - 5 } }), "token-expired");
    await refused(token({ payload: { exp: seconds } }), "token-expired", { clockSkewInMs: 0 });
  });

  it("begins, give or take the clocks' difference", async () => {
    await verifyToken(token({ payload: { nbf: seconds + 5, iat: seconds + 5 } }), options());
    await refused(token({ payload: { nbf: seconds + 6 } }), "token-not-active-yet");
    await refused(token({ payload: { iat: seconds + 6 } }), "token-iat-in-the-future");
  });

  it("has times that are numbers", async () => {
    for (const payload of [{ exp: "9999999999" }, { exp: null }, { exp: undefined }, { iat: undefined }, { nbf: "1" }]) await refused(token({ payload }), "token-invalid");
  });

  it("names a user and a session", async () => {
    for (const payload of [{ sub: 7 }, { sub: undefined }, { sub: "" }, { sid: undefined }]) await refused(token({ payload }), "token-invalid");
  });

  it("was made for one of the authorized parties", async () => {
    await verifyToken(token(), options("live", { authorizedParties: ["https://other.example", app] }));
    await refused(token(), "token-invalid-authorized-parties", { authorizedParties: ["https://other.example"] });
    await refused(token({ payload: { azp: undefined } }), "token-invalid-authorized-parties", { authorizedParties: [app] });
  });

  it("was issued by the Frontend API, or whom the app names", async () => {
    await refused(token({ payload: { iss: "http://localhost:9999" } }), "token-invalid-issuer");
    await verifyToken(token({ payload: { iss: "https://old.example" } }), options("live", { issuer: ["https://old.example", frontendApi] }));
  });

  it("is refused as anything but three parts of JSON", async () => {
    for (const garbage of ["", ".", "..", "a.b.c", "a.b.c.d", `${b64("[]")}.${b64("[]")}.`, `${b64("null")}.${b64("1")}.x`, "\u{1F600}.x.y"]) await refused(garbage, "token-invalid");
  });
});

describe("the key", () => {
  it("may be a PEM whose line breaks were escaped", async () => {
    assert.equal((await verifyToken(token(), options("live", { jwtKey: pem("ins_1").replaceAll("\n", "\\n") }))).sub, "user_1");
  });

  it("must be one", () => refused(token(), "jwt-key-invalid", { jwtKey: "secret" }));

  it("is fetched once for many tokens, with the secret key", async () => {
    const it = publisher("ins_1");
    const from = options("live", { jwtKey: undefined, apiUrl, fetch: it.fetch });
    await Promise.all(Array.from({ length: 50 }, () => verifyToken(token(), from)));
    assert.equal(it.asked.length, 1);
    assert.equal(it.asked[0].url, `${apiUrl}/v1/jwks`);
    assert.equal(it.asked[0].init.headers.Authorization, "Bearer sk_live_x");
  });

  it("comes from the Frontend API where no Backend API is known", async () => {
    const it = publisher("ins_1");
    await verifyToken(token(), options("live", { jwtKey: undefined, fetch: it.fetch }));
    assert.equal(it.asked[0].url, `${frontendApi}/.well-known/jwks.json`);
    assert.equal(it.asked[0].init.headers.Authorization, undefined);
  });

  it("may be new, but tokens with made-up names cause no storm", async () => {
    const it = publisher("ins_1");
    let moment = seconds * 1000;
    const from = options("live", { jwtKey: undefined, apiUrl, fetch: it.fetch, now: () => moment });
    await verifyToken(token(), from);
    it.names.push("ins_2");
    await refused(token({ key: "ins_2" }), "jwk-kid-mismatch", from);
    assert.equal(it.asked.length, 1, "no second look within seconds");
    moment += 11_000;
    assert.equal((await verifyToken(token({ key: "ins_2" }), from)).sub, "user_1");
    assert.equal(it.asked.length, 2);
  });

  it("outlives a short absence of the server", async () => {
    const it = publisher("ins_1");
    let moment = seconds * 1000;
    const from = options("live", { jwtKey: undefined, apiUrl, fetch: (...args) => it.fetch(...args), now: () => moment });
    await verifyToken(token(), from);
    moment += 6 * 60_000;
    it.fetch = async () => new Response(null, { status: 503 });
    const later = token({ payload: { iat: moment / 1000, exp: moment / 1000 + 60 } });
    assert.equal((await verifyToken(later, from)).sub, "user_1");
  });

  it("is asked for in vain: the reason says so", async () => {
    await refused(token(), "jwk-failed-to-load", { jwtKey: undefined, apiUrl, fetch: async () => Promise.reject(new Error("no route")) });
  });
});
