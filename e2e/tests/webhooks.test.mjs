import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { verifyWebhook } from "@clerk/backend/webhooks";
import { Webhook } from "svix";
import { cleanEnv, doorwardBinary } from "../lib/config.mjs";
import { Program, run } from "../lib/program.mjs";
import { until } from "../lib/until.mjs";

// What the server sends, taken by the libraries that apps take it with.

const directory = mkdtempSync(join(tmpdir(), "doorward-webhooks-"));
const calls = [];
let server, receiver, backend, secret;

const cli = (...args) => run(doorwardBinary(), [...args, "--data-dir", directory], { cwd: directory, env: cleanEnv() });

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

before(async () => {
  receiver = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(204).end();
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => receiver.once("listening", resolve));
  const [listen, backendListen] = [await freePort(), await freePort()];
  backend = `http://127.0.0.1:${backendListen}`;
  const args = ["dev", "--data-dir", directory, "--listen", `127.0.0.1:${listen}`, "--backend-listen", `127.0.0.1:${backendListen}`];
  server = new Program("doorward-webhooks", doorwardBinary(), args, { cwd: directory, env: cleanEnv() });
  await server.ready(`${backend}/health/ready`);
  const made = await cli("webhook", "create", "--json", "--url", `http://127.0.0.1:${receiver.address().port}/hook`);
  secret = JSON.parse(made).secret;
});

after(async () => {
  await server?.stop();
  receiver?.close();
  rmSync(directory, { recursive: true, force: true });
});

const request = ({ headers, body }) => new Request("http://localhost/hook", { method: "POST", headers, body });

test("the official libraries take what is sent, and nothing that was changed", async () => {
  const key = /^SECRET_KEY=(.*)$/m.exec(readFileSync(join(directory, "dev.env"), "utf8"))[1];
  const response = await fetch(`${backend}/v1/users`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ email_address: ["ada@example.com"], first_name: "Ada", skip_password_requirement: true }),
  });
  assert.equal(response.status, 200);
  const user = await response.json();
  const [call] = await until("the endpoint is told", () => (calls.length > 0 ? calls : undefined));

  const event = await verifyWebhook(request(call), { signingSecret: secret });
  assert.equal(event.type, "user.created");
  assert.equal(event.data.id, user.id);
  assert.equal(event.data.first_name, "Ada");
  assert.equal(event.event_attributes.http_request.client_ip, "");
  assert.deepEqual(new Webhook(secret).verify(call.body, call.headers), JSON.parse(call.body));

  const other = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
  const later = { ...call.headers, "svix-timestamp": String(Number(call.headers["svix-timestamp"]) - 1) };
  for (const [signingSecret, changed] of [
    [other, call],
    [secret, { ...call, body: call.body.replace("Ada", "Eve") }],
    [secret, { ...call, body: JSON.stringify(JSON.parse(call.body), null, 1) }],
    [secret, { ...call, headers: later }],
  ]) {
    await assert.rejects(verifyWebhook(request(changed), { signingSecret }));
    assert.throws(() => new Webhook(signingSecret).verify(changed.body, changed.headers));
  }
});

test("while a secret is replaced, both are good", async () => {
  const [{ id }] = JSON.parse(await cli("webhook", "list", "--json"));
  const { secret: next } = JSON.parse(await cli("webhook", "rotate-secret", "--json", id));
  const { event_id } = JSON.parse(await cli("webhook", "test", "--json", id));
  const call = await until("the test is told", () => calls.find((it) => it.headers["svix-id"] === event_id));
  for (const one of [secret, next]) {
    assert.equal((await verifyWebhook(request(call), { signingSecret: one })).type, "test");
    new Webhook(one).verify(call.body, call.headers);
  }
});
