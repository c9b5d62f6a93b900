// The peer: better-auth on SQLite, set up to do the same work as Doorward does in the same measurement.
//
// What was set away from its defaults, and why: argon2id with Doorward's parameters instead of scrypt, RS256 with 2048
// bits instead of EdDSA, SQLite in WAL mode with full synchronisation, no rate limits. Everything else is as it comes.
import { Algorithm, hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin, jwt } from "better-auth/plugins";
import Database from "better-sqlite3";
import { createServer } from "node:http";

const { PEER_PORT: port, PEER_DATABASE: file, PEER_SECRET: secret, PEER_EMAIL: email, PEER_PASSWORD: password } = process.env;
const cost = { algorithm: Algorithm.Argon2id, memoryCost: 19456, timeCost: 2, parallelism: 1 };

const database = new Database(file);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

const baseURL = `http://127.0.0.1:${port}`;
const options = {
  baseURL,
  secret,
  database,
  trustedOrigins: [baseURL],
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  logger: { level: "error" },
  emailAndPassword: {
    enabled: true,
    password: { hash: (text) => hash(text, cost), verify: ({ hash: kept, password: text }) => verify(kept, text) },
  },
  plugins: [jwt({ jwks: { keyPairConfig: { alg: "RS256", modulusLength: 2048 } } }), admin()],
};

await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);
const known = database.prepare("select id from user where email = ?").get(email);
if (!known) {
  await auth.api.signUpEmail({ body: { email, password, name: "Bench" } });
  database.prepare("update user set role = 'admin' where email = ?").run(email);
}
createServer(toNodeHandler(auth)).listen(Number(port), "127.0.0.1");
