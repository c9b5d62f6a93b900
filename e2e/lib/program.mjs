import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { out } from "./config.mjs";
import { fatal, until } from "./until.mjs";

const running = new Set();

// The last resort for a run that is cut short: what was started must not
// outlive it and keep the ports.
process.on("exit", () => running.forEach((program) => program.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => process.exit(1));
}

/** A long-running program with its output in `out/<name>.log`. */
export class Program {
  constructor(name, command, args, { cwd, env }) {
    this.name = name;
    this.log = join(out, `${name}.log`);
    mkdirSync(dirname(this.log), { recursive: true });
    const log = openSync(this.log, "a");
    // A group of its own, so that ending it ends its children and nothing else.
    this.child = spawn(command, args, { cwd, env, stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => resolve({ error }));
      this.child.once("exit", (code, signal) => resolve({ code, signal }));
    }).then((how) => {
      running.delete(this);
      this.outcome = how;
      return how;
    });
  }

  async ready(url, accept = (response) => response.ok) {
    await until(`${this.name} answers at ${url}`, async () => {
      if (this.outcome) {
        throw fatal(`${this.name} ended early: ${JSON.stringify(this.outcome)}\n${this.tail()}`);
      }
      const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5_000) });
      await response.arrayBuffer();
      return accept(response);
    });
  }

  kill(signal) {
    try {
      process.kill(-this.child.pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  }

  /** Ends it as an operator would, and says how it took that. */
  async stop() {
    if (this.outcome || this.child.pid === undefined) return this.outcome;
    this.kill("SIGTERM");
    const patience = setTimeout(() => this.kill("SIGKILL"), 15_000);
    const how = await this.ended;
    clearTimeout(patience);
    return how;
  }

  tail(lines = 30) {
    return readFileSync(this.log, "utf8").split("\n").slice(-lines).join("\n");
  }
}

const execute = promisify(execFile);

/** Runs a command to its end; its whole output is in the error if it fails. */
export async function run(command, args, options) {
  try {
    const { stdout } = await execute(command, args, { maxBuffer: 64 << 20, ...options });
    return stdout;
  } catch (error) {
    const shown = [command, ...args].join(" ");
    throw new Error(`${shown}: ${error.code ?? error.signal}\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

/** Something else on our port would be tested in place of what we start. */
export async function assertFree(port) {
  for (const host of ["127.0.0.1", "localhost"]) {
    await new Promise((resolve, reject) => {
      const probe = createServer();
      probe.once("error", (error) => reject(new Error(`port ${port} is taken (${error.code})`)));
      probe.listen({ port, host, exclusive: true }, () => probe.close(resolve));
    });
  }
}
