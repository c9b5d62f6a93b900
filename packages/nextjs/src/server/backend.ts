import { DoorwardAPIResponseError, camel } from "@doorward/react/internal";

export interface BackendOptions {
  secretKey?: string;
  apiUrl?: string;
  fetch?: typeof fetch;
}

export interface BackendEmailAddress {
  id: string;
  emailAddress: string;
  verification: { status: string; strategy: string } | null;
}

/** A user as servers see it; the fields are the wire's in camelCase, moments are numbers as there. */
export interface BackendUser {
  id: string;
  externalId: string | null;
  username: string | null;
  firstName: string | null;
  lastName: string | null;
  fullName: string | null;
  imageUrl: string;
  hasImage: boolean;
  primaryEmailAddressId: string | null;
  primaryEmailAddress: BackendEmailAddress | null;
  emailAddresses: BackendEmailAddress[];
  passwordEnabled: boolean;
  twoFactorEnabled: boolean;
  banned: boolean;
  locked: boolean;
  publicMetadata: Record<string, unknown>;
  privateMetadata: Record<string, unknown>;
  unsafeMetadata: Record<string, unknown>;
  lastSignInAt: number | null;
  createdAt: number;
  updatedAt: number;
  [field: string]: unknown;
}

export interface BackendSession {
  id: string;
  userId: string;
  clientId: string;
  status: string;
  [field: string]: unknown;
}

type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function user(json: unknown): BackendUser {
  const made = camel(json, false) as BackendUser;
  const addresses = made.emailAddresses ?? [];
  return {
    ...made,
    fullName: [made.firstName, made.lastName].filter(Boolean).join(" ") || null,
    primaryEmailAddress: addresses.find((it) => it.id === made.primaryEmailAddressId) ?? null,
  };
}

/** The part of the Backend API that apps of their own need most. */
export class ServerApi {
  readonly #options: BackendOptions;

  constructor(options: BackendOptions) {
    this.#options = options;
  }

  async #call(method: string, path: string, { query = {}, body }: { query?: Query; body?: Record<string, unknown> } = {}): Promise<unknown> {
    const { apiUrl, secretKey, fetch: ask = fetch } = this.#options;
    if (!apiUrl || !secretKey) {
      throw new Error("Doorward: DOORWARD_API_URL and DOORWARD_SECRET_KEY are needed to call the Backend API.");
    }
    const url = new URL(`${apiUrl.replace(/\/+$/, "")}/v1${path}`);
    for (const [key, value] of Object.entries(query)) {
      for (const one of [value ?? []].flat()) url.searchParams.append(snake(key), String(one));
    }
    const response = await ask(url, {
      method,
      headers: { Authorization: `Bearer ${secretKey}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(Object.fromEntries(Object.entries(body).map(([key, value]) => [snake(key), value]))),
      cache: "no-store",
    });
    const json: any = await response.json().catch(() => null);
    if (!response.ok) {
      const retryAfter = Number(response.headers.get("retry-after")) || undefined;
      throw new DoorwardAPIResponseError(`${method} ${path}: ${response.status}`, {
        errors: json?.errors,
        status: response.status,
        clerkTraceId: json?.clerk_trace_id,
        retryAfter,
      });
    }
    return json;
  }

  readonly users = {
    getUser: async (id: string) => user(await this.#call("GET", `/users/${encodeURIComponent(id)}`)),
    getUserList: async (query: Query = {}) => {
      const [list, count] = await Promise.all([this.#call("GET", "/users", { query }), this.users.getCount(query)]);
      return { data: (list as unknown[]).map(user), totalCount: count };
    },
    getCount: async (query: Query = {}) => ((await this.#call("GET", "/users/count", { query })) as { total_count: number }).total_count,
    createUser: async (body: Record<string, unknown>) => user(await this.#call("POST", "/users", { body })),
    updateUser: async (id: string, body: Record<string, unknown>) => user(await this.#call("PATCH", `/users/${encodeURIComponent(id)}`, { body })),
    deleteUser: async (id: string) => (await this.#call("DELETE", `/users/${encodeURIComponent(id)}`)) as { id: string; deleted: boolean },
  };

  readonly sessions = {
    getSession: async (id: string) => camel(await this.#call("GET", `/sessions/${encodeURIComponent(id)}`), false) as BackendSession,
    revokeSession: async (id: string) => camel(await this.#call("POST", `/sessions/${encodeURIComponent(id)}/revoke`), false) as BackendSession,
    getToken: async (id: string, template: string, expiresInSeconds?: number) =>
      (await this.#call("POST", `/sessions/${encodeURIComponent(id)}/tokens/${encodeURIComponent(template)}`, {
        body: expiresInSeconds === undefined ? {} : { expiresInSeconds },
      })) as { jwt: string },
  };
}

export function createDoorwardClient(options: BackendOptions = {}): ServerApi {
  return new ServerApi({
    apiUrl: process.env.DOORWARD_API_URL || process.env.CLERK_API_URL,
    secretKey: process.env.DOORWARD_SECRET_KEY || process.env.CLERK_SECRET_KEY,
    ...options,
  });
}
