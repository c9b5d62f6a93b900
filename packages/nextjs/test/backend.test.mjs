import assert from "node:assert/strict";
import { it } from "node:test";
import { isClerkAPIResponseError } from "@doorward/react/errors";
import { createDoorwardClient } from "../dist/server/index.js";
import { apiUrl } from "./instance.mjs";

function server(status, body) {
  const asked = [];
  const fetch = async (url, init) => {
    asked.push({ url: String(url), ...init });
    return Response.json(body, { status, headers: { "retry-after": "7" } });
  };
  return { asked, client: createDoorwardClient({ apiUrl, secretKey: "sk_test_x", fetch }) };
}

const json = {
  object: "user",
  id: "user_1",
  first_name: "Ada",
  last_name: "L",
  primary_email_address_id: "idn_2",
  email_addresses: [{ id: "idn_1", email_address: "a@x" }, { id: "idn_2", email_address: "b@x" }],
  private_metadata: { own_name: { deep_name: 1 } },
  created_at: 1767225600000,
};

it("a user has JavaScript's names, and metadata its own", async () => {
  const { asked, client } = server(200, json);
  const user = await client.users.getUser("user/1");
  assert.equal(asked[0].url, `${apiUrl}/v1/users/user%2F1`);
  assert.equal(asked[0].headers.Authorization, "Bearer sk_test_x");
  assert.equal(user.fullName, "Ada L");
  assert.equal(user.primaryEmailAddress.emailAddress, "b@x");
  assert.deepEqual(user.privateMetadata, { own_name: { deep_name: 1 } });
  assert.equal(user.createdAt, 1767225600000);
});

it("a refusal is an error with its codes", async () => {
  const { client } = server(422, { errors: [{ code: "form_param_nil", message: "is nil", long_message: "It is nil.", meta: { param_name: "x" } }], clerk_trace_id: "t" });
  await assert.rejects(client.users.createUser({ firstName: "A" }), (error) => {
    assert.ok(isClerkAPIResponseError(error));
    assert.equal(error.status, 422);
    assert.equal(error.clerkTraceId, "t");
    assert.equal(error.retryAfter, 7);
    assert.deepEqual(error.errors, [{ code: "form_param_nil", message: "is nil", longMessage: "It is nil.", meta: { paramName: "x" } }]);
    return true;
  });
});

it("parameters travel under the wire's names", async () => {
  const { asked, client } = server(200, json);
  await client.users.updateUser("user_1", { firstName: "B", publicMetadata: { ownName: 1 } });
  assert.deepEqual(JSON.parse(asked[0].body), { first_name: "B", public_metadata: { ownName: 1 } });
  assert.equal(asked[0].method, "PATCH");
});
