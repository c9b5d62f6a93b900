import type { Doorward, SetActiveParams } from "./doorward.js";
import { DoorwardAPIResponseError, type DoorwardAPIError, missing } from "./errors.js";
import { SignIn, SignUp } from "./resources.js";
import type * as T from "./types.js";

export interface Result {
  error: DoorwardAPIResponseError | null;
}

export interface FieldErrors {
  fields: Record<string, DoorwardAPIError | null>;
  raw: DoorwardAPIError[] | null;
  global: DoorwardAPIError[] | null;
}

export const known = (error: unknown): DoorwardAPIResponseError =>
  error instanceof DoorwardAPIResponseError ? error : new DoorwardAPIResponseError(String((error as Error).message ?? error), { code: "unexpected_error" });

/**
 * Where attempts of the newer shape live: methods answer `{ error }` and never
 * throw, the object stays the same and shows the current state.
 */
export abstract class Future<Attempt extends SignIn | SignUp> {
  protected readonly doorward: Doorward;
  readonly #key: "signIn" | "signUp";
  readonly #blank: Attempt;
  readonly #fields: readonly string[];
  readonly #listeners = new Set<() => void>();
  #held?: Attempt;
  #seen?: Attempt;
  #pending = 0;
  #error: DoorwardAPIResponseError | null = null;
  #view: { errors: FieldErrors; fetchStatus: "idle" | "fetching" };

  protected constructor(doorward: Doorward, key: "signIn" | "signUp", blank: Attempt, fields: readonly string[]) {
    this.doorward = doorward;
    this.#key = key;
    this.#blank = blank;
    this.#fields = fields;
    this.#view = this.#look();
    doorward.subscribe(() => {
      if (this.#follow()) this.#tell();
    });
  }

  protected get attempt(): Attempt {
    this.#follow();
    return this.#held ?? this.#blank;
  }

  /** Takes over what the client holds, but keeps a finished attempt until it is used. */
  #follow(): boolean {
    const current = this.doorward.getState()[this.#key] as Attempt | undefined;
    if (!current || current === this.#seen) return false;
    this.#seen = current;
    if (this.#held?.status === "complete" && !current.id) return false;
    this.#held = current;
    return true;
  }

  #look() {
    const fields: FieldErrors["fields"] = Object.fromEntries(this.#fields.map((name) => [name, null]));
    const raw = this.#error?.errors ?? null;
    const global: DoorwardAPIError[] = [];
    for (const error of raw ?? []) {
      const name = error.meta?.paramName?.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (name && Object.hasOwn(fields, name)) fields[name] ??= error;
      else global.push(error);
    }
    return { errors: { fields, raw, global: global.length ? global : null }, fetchStatus: this.#pending ? ("fetching" as const) : ("idle" as const) };
  }

  #tell(): void {
    this.#view = this.#look();
    for (const listener of [...this.#listeners]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  view = () => this.#view;

  /** Does it to the attempt there is; what goes wrong becomes `errors`. What only waits leaves the forms free. */
  protected async act(work: (attempt: Attempt) => Promise<unknown>, { waits = false } = {}): Promise<Result> {
    const weight = waits ? 0 : 1;
    this.#pending += weight;
    this.#error = null;
    this.#tell();
    try {
      await this.doorward.start();
      const attempt = this.attempt === this.#blank ? this.#fresh() : this.attempt;
      await work(attempt);
      this.#follow();
      // The one that the calls went through has seen each answer.
      if (attempt.status === "complete" || (attempt.id && attempt.id === this.#held?.id)) this.#held = attempt;
    } catch (error) {
      this.#error = known(error);
    } finally {
      this.#pending -= weight;
      this.#tell();
    }
    return { error: this.#error };
  }

  /** By an account elsewhere: in the window that was given, or by leaving this page. */
  protected visit = ({ redirectUrl, redirectCallbackUrl, popup, ...rest }: SSOParams, verification: (it: Attempt) => T.VerificationResource) =>
    this.act(async (it) => {
      const params = { ...rest, redirectUrl: redirectCallbackUrl, redirectUrlComplete: redirectUrl };
      if (!popup) return it.authenticateWithRedirect(params);
      const { visitInPopup } = await import("./popup.js");
      const { session, goOn } = await visitInPopup(this.doorward, { create: it.create, verification: () => verification(it) }, { ...params, popup });
      // Whatever goes on looks at this attempt.
      await it.reload();
      if (!session && goOn) await this.doorward.navigate(goOn);
    });

  #fresh(): Attempt {
    return (this.#key === "signIn" ? new SignIn(this.doorward.run) : new SignUp(this.doorward.run)) as Attempt;
  }

  finalize = async (params: Pick<SetActiveParams, "navigate"> = {}): Promise<Result> => {
    const result = await this.act(async ({ createdSessionId }) => {
      if (!createdSessionId) throw missing("session_not_created", "The attempt is not complete: there is no session to activate.");
      await this.doorward.setActive({ session: createdSessionId, navigate: params.navigate });
    });
    return result.error ? result : this.reset();
  };

  /** Forgets the attempt and its errors; the next call begins a new one. */
  reset = async (): Promise<Result> => {
    this.#held = undefined;
    this.#error = null;
    this.#tell();
    return { error: null };
  };
}

export interface IdentifierParams {
  identifier?: string;
  emailAddress?: string;
  phoneNumber?: string;
}

export const named = ({ identifier, emailAddress, phoneNumber }: IdentifierParams) => identifier ?? emailAddress ?? phoneNumber;

export interface CodeParams {
  code: string;
}

export interface LinkParams {
  /** Where the link leads, once it has proved the address. */
  verificationUrl: string;
}

export interface WaitParams {
  /** Ends the waiting, and nothing else. */
  signal?: AbortSignal;
}

export const linkTo = ({ verificationUrl }: LinkParams) => ({ redirectUrl: new URL(verificationUrl, location.href).href });

export type SSOParams = Omit<T.RedirectParams, "redirectUrl" | "redirectUrlComplete"> & {
  /** Where to go when all is done. */
  redirectUrl: string;
  /** The page that goes on with an attempt that is not complete. */
  redirectCallbackUrl: string;
  /** A window that was opened for it: the visit is in there, and the attempt complete here when it is over. */
  popup?: Window;
};
