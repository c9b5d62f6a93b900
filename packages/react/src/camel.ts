/** A name of the wire as JavaScript writes it. */
export const name = (key: string) => key.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * The wire's names as JavaScript's, and its moments as `Date`. What people keep
 * in their metadata has names of its own and stays as it is.
 */
export function camel(value: unknown, dates = true): unknown {
  if (Array.isArray(value)) return value.map((it) => camel(it, dates));
  if (value === null || typeof value !== "object") return value;
  const made: Record<string, unknown> = {};
  for (const [key, held] of Object.entries(value)) {
    if (key.endsWith("_metadata")) made[name(key)] = held;
    else if (dates && key.endsWith("_at") && typeof held === "number") made[name(key)] = new Date(held);
    else made[name(key)] = camel(held, dates);
  }
  return made;
}
