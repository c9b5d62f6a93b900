import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanEnv, databaseUrl, doorwardBinary, kinds, ports, publishableKey, sdkPackages, urls } from "./config.mjs";
import { temporaryDatabase } from "./postgres.mjs";
import { Program, assertFree, run } from "./program.mjs";
import { until } from "./until.mjs";

const listen = `127.0.0.1:${ports.frontend}`;
const backendListen = `127.0.0.1:${ports.backend}`;

function dotenv(text) {
  const pairs = text.split("\n").map((line) => /^([A-Z0-9_]+)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(pairs.filter(Boolean).map(([, name, value]) => [name, value.replace(/^(["'])(.*)\1$/, "$2")]));
}

/** Scripts read the answer of a command from its standard output: there must be nothing else on it. */
function parsed(stdout) {
  try {
    return JSON.parse(stdout);
  } catch (error) {
    throw new Error(`no JSON, and nothing but JSON: ${stdout}`, { cause: error });
  }
}

/** A server with one instance of the given kind and nobody in it. */
export class Doorward {
  #directory = mkdtempSync(join(tmpdir(), "doorward-e2e-"));
  #database;
  #starts = 0;

  constructor(kind, clock, { origins = [kinds[kind].site?.app ?? urls.app], callsThisMachine = Boolean(kinds[kind].site) } = {}) {
    this.kind = kind;
    this.origins = origins;
    this.callsThisMachine = callsThisMachine;
    this.clock = clock;
    this.logs = new Set();
  }

  get #production() {
    return kinds[this.kind].production;
  }

  get #where() {
    return this.#production ? ["--config", join(this.#directory, "doorward.toml")] : ["--data-dir", this.#directory];
  }

  get #instance() {
    return this.#production ? ["--instance", this.instance.id] : [];
  }

  /** The command line, under the same clock as the server. */
  cli(...args) {
    return run(doorwardBinary(), args, { cwd: this.#directory, env: cleanEnv({ ...this.clock.env, npm_config_prefer_offline: "true" }) });
  }

  /** Starts it; `scripts` says whether pages will load the official ones from it. */
  async open({ scripts = true } = {}) {
    await assertFree(ports.frontend);
    await assertFree(ports.backend);
    if (this.#production) await this.#prepareProduction();
    await this.start();
    if (!this.#production) this.instance = await until("dev.env tells the keys", () => this.#developmentInstance());
    assert.equal(this.instance.publishable_key, publishableKey(this.kind), "the key that the apps are compiled with");
    // The one command that asks the network: its time is the real one.
    for (const name of scripts ? sdkPackages : []) {
      await run(doorwardBinary(), ["sdk", "install", name, ...this.#where], {
        cwd: this.#directory,
        env: cleanEnv({ npm_config_prefer_offline: "true" }),
      });
    }
  }

  async start() {
    const args = this.#production ? ["serve", ...this.#where] : ["dev", ...this.#where, "--listen", listen, "--backend-listen", backendListen];
    this.#starts += 1;
    this.program = new Program(`doorward-${this.kind}-${this.#starts}`, doorwardBinary(), args, {
      cwd: this.#directory,
      env: cleanEnv(this.clock.env),
    });
    this.logs.add(this.program.log);
    await this.program.ready(`${urls.backend}/health/ready`);
  }

  async stop() {
    return this.program?.stop();
  }

  /** Changes the instance's settings, and starts the server anew: a running one may hold the old ones for some seconds. */
  async configure(change) {
    const settings = parsed(await this.cli("instance", "settings", "get", ...this.#where, ...this.#instance));
    change(settings);
    const file = join(this.#directory, "settings.json");
    writeFileSync(file, JSON.stringify(settings));
    await this.stop();
    await this.cli("instance", "settings", "set", file, ...this.#where, ...this.#instance);
    await this.start();
  }

  /** Gives it the secret that a provider has given its owner. */
  async providerSecret(provider, secret) {
    const file = join(this.#directory, "secret");
    writeFileSync(file, secret);
    await this.cli("instance", "provider-secret", "set", ...this.#where, ...this.#instance, "--provider", provider, file);
  }

  async close() {
    await this.stop();
    await this.#database?.drop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async createUser({ email, password, firstName }) {
    const json = await this.cli("user", "create", ...this.#where, ...this.#instance, "--email", email, "--password", password, "--first-name", firstName, "--json");
    return parsed(json);
  }

  async #prepareProduction() {
    this.#database = databaseUrl ? await temporaryDatabase(databaseUrl) : undefined;
    const { environment = "production", keyHost, site } = kinds[this.kind];
    const masterKey = join(this.#directory, "master.key");
    await this.cli("keys", "new-master", masterKey);
    const url = this.#database?.url ?? `sqlite://${join(this.#directory, "doorward.db")}`;
    writeFileSync(
      join(this.#directory, "doorward.toml"),
      [
        `[server]\nlisten = "${listen}"\nbackend_listen = "${backendListen}"${site ? '\ntrusted_proxies = ["127.0.0.1"]' : ""}`,
        `[database]\nurl = "${url}"`,
        `[secrets]\nmaster_key_file = "${masterKey}"`,
        "[limits]\nenabled = false",
        // Where what it calls is on this machine.
        ...(this.callsThisMachine ? ["[outbound]\nallow_private_networks = true"] : []),
        "",
      ].join("\n\n"),
    );
    const address = site
      ? ["--host", keyHost, "--host", new URL(site.accounts).host, "--cookie-domain", site.domain]
      : ["--host", `localhost:${ports.frontend}`, "--scheme", "http", "--key-host", keyHost];
    const created = await this.cli(
      ...["instance", "create", ...this.#where, "--environment", environment, "--name", "E2E", ...address],
      ...this.origins.flatMap((origin) => ["--allowed-origin", origin]),
      "--json",
    );
    this.instance = parsed(created);
  }

  #developmentInstance() {
    const env = dotenv(readFileSync(join(this.#directory, "dev.env"), "utf8"));
    assert.equal(env.FAPI_URL, urls.frontend);
    assert.equal(env.BAPI_URL, urls.backend);
    return { publishable_key: env.PUBLISHABLE_KEY, secret_key: env.SECRET_KEY };
  }
}
