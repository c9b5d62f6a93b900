"use client";
import { useCallback, useRef } from "react";
import { useDoorwardContext } from "./context.js";
import { isDoorwardAPIResponseError, missing } from "./errors.js";
import type { VerificationLevel } from "./types.js";
import type { Appearance } from "./ui/styles.js";

export interface ReverificationRequest {
  level: VerificationLevel | undefined;
  /** It was proved: what was asked for is done again. */
  complete(): void;
  cancel(): void;
}

export interface ReverificationOptions {
  /** Asks the user with a screen of one's own; without it a dialog of ours does. */
  onNeedsReverification?(request: ReverificationRequest): void;
  /** Of our dialog. */
  appearance?: Appearance;
}

/** What an app's own server answers where it wants a newer proof. */
interface Hint {
  clerk_error: { type: "forbidden"; reason: "reverification-error"; metadata?: { reverification?: string | { level?: VerificationLevel } } };
}

const isHint = (it: unknown): it is Hint => (it as Partial<Hint> | null | undefined)?.clerk_error?.reason === "reverification-error";
const isRefusal = (error: unknown) => isDoorwardAPIResponseError(error) && error.errors.some(({ code }) => code === "session_reverification_required");

function levelOf({ clerk_error: { metadata } }: Hint): VerificationLevel | undefined {
  const asked = metadata?.reverification;
  if (typeof asked === "object") return asked.level;
  return asked === "strict_mfa" ? "multi_factor" : asked && "second_factor";
}

type Wanting = { level: VerificationLevel | undefined };

/** Does it; answers with what came of it, or with the level of the proof that it wants first. */
async function attempt<Result>(act: () => Promise<Result>): Promise<{ result: Exclude<Result, Hint | Response> } | Wanting> {
  try {
    const answer = await act();
    const result = answer instanceof Response ? await answer.json() : answer;
    return isHint(result) ? { level: levelOf(result) } : { result: result as Exclude<Result, Hint | Response> };
  } catch (error) {
    if (isRefusal(error)) return { level: undefined };
    throw error;
  }
}

/**
 * Makes a call that may want a newer proof of who is there: it asks the user for one where it does, and is then made again. It
 * rejects with `reverification_cancelled` when the user gives none.
 */
export function useReverification<Args extends unknown[], Result>(fetcher: (...args: Args) => Promise<Result>, options: ReverificationOptions = {}) {
  const { doorward } = useDoorwardContext();
  const last = useRef({ fetcher, options });
  last.current = { fetcher, options };
  return useCallback(
    async (...args: Args) => {
      const { fetcher, options } = last.current;
      const first = await attempt(() => fetcher(...args));
      if ("result" in first) return first.result;
      await new Promise<void>((resolve, reject) => {
        const cancel = () => reject(missing("reverification_cancelled", "Nobody proved who they are."));
        const request = { level: first.level, complete: resolve, cancel };
        if (options.onNeedsReverification) return options.onNeedsReverification(request);
        import("./ui/reverification-root.js").then(({ ask }) => ask(doorward, request, options.appearance)).catch(reject);
      });
      const second = await attempt(() => fetcher(...args));
      if ("result" in second) return second.result;
      throw missing("session_reverification_required", "A newer proof of who is there is still wanted.");
    },
    [doorward],
  );
}
