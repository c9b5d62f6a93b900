import { setTimeout as pause } from "node:timers/promises";

/**
 * Asks `probe` until it answers something true, and returns that. The last
 * refusal becomes part of the error, so that a missed deadline says why.
 */
export async function until(what, probe, { within = 30_000, every = 50 } = {}) {
  const deadline = performance.now() + within;
  let refusal = "never true";
  for (;;) {
    try {
      const answer = await probe();
      if (answer) return answer;
      refusal = `last answer ${JSON.stringify(answer)}`;
    } catch (error) {
      if (error.fatal) throw error;
      refusal = error.message;
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${within} ms: ${what} (${refusal})`);
    }
    await pause(every);
  }
}

/** An error that no further asking can cure. */
export function fatal(message) {
  return Object.assign(new Error(message), { fatal: true });
}
