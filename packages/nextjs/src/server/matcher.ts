import type { NextRequest } from "next/server.js";

export type RoutePattern = string | RegExp;
export type RouteMatcher = (request: NextRequest) => boolean;

const escaped = (char: string) => char.replace(/[.+*?^${}()|[\]\\/]/, "\\$&");

/** The group that begins at `at`, brackets included. */
function group(pattern: string, at: number): string {
  let depth = 0;
  for (let i = at; i < pattern.length; i += 1) {
    if (pattern[i] === "\\") i += 1;
    else if (pattern[i] === "(") depth += 1;
    else if (pattern[i] === ")" && --depth === 0) return pattern.slice(at, i + 1);
  }
  throw new Error(`The route ${pattern} has an open bracket.`);
}

/** `/docs/:page*`, `/admin(.*)`: the form that Next's own `matcher` has too. */
export function toRegExp(pattern: string): RegExp {
  let source = "";
  let prefix = "";
  for (let i = 0; i < pattern.length; ) {
    const name = /^:\w+/.exec(pattern.slice(i))?.[0] ?? "";
    const open = i + name.length;
    if (name || pattern[i] === "(") {
      const custom = pattern[open] === "(" ? group(pattern, open) : "";
      const inner = custom ? `(?:${custom.slice(1, -1).replace(/^\?:/, "")})` : "[^/]+?";
      i = open + custom.length;
      const modifier = /[*+?]/.test(pattern[i] ?? "") ? pattern[i++]! : "";
      const before = escaped(prefix);
      if (modifier === "*" || modifier === "+") source += `(?:${before}${inner}(?:${before}${inner})*)${modifier === "*" ? "?" : ""}`;
      else source += `(?:${before}${inner})${modifier}`;
      prefix = "";
      continue;
    }
    source += escaped(prefix);
    prefix = "";
    const char = pattern[i] === "\\" ? pattern[++i] ?? "" : pattern[i]!;
    // A slash before a name belongs to it, and goes when the name is left out.
    if (char === "/") prefix = char;
    else source += escaped(char);
    i += 1;
  }
  return new RegExp(`^${source}${prefix === "/" && source === "" ? "\\/" : escaped(prefix)}[/#?]?$`, "i");
}

export function createRouteMatcher(routes: RoutePattern | readonly RoutePattern[] | ((request: NextRequest) => boolean) = []): RouteMatcher {
  if (typeof routes === "function") return routes;
  const patterns = [routes].flat().filter(Boolean).map((it) => (it instanceof RegExp ? it : toRegExp(it as string)));
  return (request) => patterns.some((pattern) => pattern.test(request.nextUrl.pathname));
}
