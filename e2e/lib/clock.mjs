import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

function library() {
  if (process.env.E2E_LIBFAKETIME) return process.env.E2E_LIBFAKETIME;
  for (const arch of readdirSync("/usr/lib")) {
    const directory = `/usr/lib/${arch}/faketime`;
    try {
      if (readdirSync(directory).includes("libfaketimeMT.so.1")) return `${directory}/libfaketimeMT.so.1`;
    } catch {
      continue;
    }
  }
  throw new Error("libfaketime is missing: see apt-packages.txt");
}

/**
 * One wall clock for all programs that were started with `env`. It runs at its
 * normal pace and can be moved forward, so that a token expires without a wait.
 */
export class Clock {
  #directory = mkdtempSync(join(tmpdir(), "doorward-e2e-clock-"));
  #offset = 0;

  constructor() {
    this.#write();
  }

  get env() {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: join(this.#directory, "offset"),
      FAKETIME_NO_CACHE: "1",
      // Timers and time-outs go by the monotonic clock and must not jump.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      NO_FAKE_STAT: "1",
    };
  }

  now() {
    return Date.now() + this.#offset;
  }

  seconds() {
    return Math.floor(this.now() / 1000);
  }

  advance(seconds) {
    this.#offset += seconds * 1000;
    this.#write();
  }

  close() {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #write() {
    // Renamed into place: the programs read the file at every look at the
    // clock, also in the middle of a write.
    const fresh = join(this.#directory, "fresh");
    writeFileSync(fresh, `+${this.#offset / 1000}\n`);
    renameSync(fresh, join(this.#directory, "offset"));
  }
}
