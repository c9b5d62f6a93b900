import { camel } from "./camel.js";

export interface ErrorMeta {
  paramName?: string;
  sessionId?: string;
  emailAddresses?: string[];
  identifiers?: string[];
  zxcvbn?: { suggestions: { code: string; message: string }[] };
  [name: string]: unknown;
}

export interface DoorwardAPIError {
  code: string;
  message: string;
  longMessage?: string;
  meta?: ErrorMeta;
}

/** An error as it stands in an answer or in the core's JSON. */
interface ErrorJSON {
  code: string;
  message: string;
  long_message?: string;
  longMessage?: string;
  meta?: Record<string, unknown>;
}

export interface ErrorDetails {
  errors?: readonly ErrorJSON[];
  status?: number;
  code?: string;
  clerkTraceId?: string;
  retryAfter?: number;
}

export function parseError({ code, message, long_message, longMessage, meta }: ErrorJSON): DoorwardAPIError {
  return { code, message, longMessage: longMessage ?? long_message ?? message, meta: camel(meta ?? {}) as ErrorMeta };
}

/**
 * What every refused call rejects with. `errors` is never empty: pages read
 * `errors[0].longMessage` without looking, also when it was the network that failed.
 */
export class DoorwardAPIResponseError extends Error {
  readonly clerkError = true;
  readonly errors: DoorwardAPIError[];
  readonly status: number;
  readonly code: string;
  readonly clerkTraceId?: string;
  readonly retryAfter?: number;

  constructor(message: string, { errors, status = 0, code, clerkTraceId, retryAfter }: ErrorDetails = {}) {
    const parsed = errors?.length ? errors.map(parseError) : [parseError({ code: code ?? "unknown_error", message })];
    super(parsed[0]!.longMessage || message);
    this.name = "ClerkAPIResponseError";
    this.errors = parsed;
    this.status = status;
    this.code = code ?? parsed[0]!.code;
    this.clerkTraceId = clerkTraceId;
    this.retryAfter = retryAfter;
  }
}

/** What was refused before anybody was asked. */
export function missing(code: string, message: string): DoorwardAPIResponseError {
  return new DoorwardAPIResponseError(message, { code });
}

// Told by their shape: two copies of this package in one app have two classes.
export function isClerkAPIResponseError(error: unknown): error is DoorwardAPIResponseError {
  return error instanceof Error && (error as { clerkError?: boolean }).clerkError === true && "errors" in error;
}

export { isClerkAPIResponseError as isDoorwardAPIResponseError, DoorwardAPIResponseError as ClerkAPIResponseError };
