// What `@clerk/backend` sends for each call when every option that its declarations name is given.
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = join(dirname(createRequire(import.meta.url).resolve("@clerk/backend")), "api/endpoints");
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "");
const examples = { number: 1, boolean: true, Date: new Date(0), Blob: new Blob(["a"]), File: new Blob(["a"]), Record: {}, object: {} };

/** Splits where no bracket is open. */
function split(text, separator) {
  const parts = [""];
  let depth = 0;
  for (const letter of text.replaceAll("=>", "->")) {
    if ("{[(<".includes(letter)) depth += 1;
    if ("}])".includes(letter) || (letter === ">" && !parts.at(-1).endsWith("-"))) depth -= 1;
    if (depth === 0 && letter === separator) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** An example of a type, with every option that it has. */
function example(text, types) {
  const of = (part) => example(part, types);
  const all = (parts) => parts.map(of).reduce((one, other) => (isObject(one) && isObject(other) ? { ...one, ...other } : one));
  const alternatives = split(text, "|").filter((it) => !["null", "undefined"].includes(it));
  if (alternatives.length > 1) return all(alternatives);
  const [type = "null"] = alternatives;
  const intersection = split(type, "&");
  if (intersection.length > 1) return all(intersection);
  if (type.startsWith("(") && type.endsWith(")")) return of(type.slice(1, -1));
  if (type.endsWith("[]")) return [of(type.slice(0, -2))];
  if (type.startsWith("{")) return Object.fromEntries(split(type.slice(1, -1), ";").flatMap((member) => option(member, types)));
  const [, name, inner] = /^(\w+)(?:<([\s\S]*)>)?$/.exec(type) ?? [];
  if (name === "ClerkPaginationRequest") return { limit: 1, offset: 1, ...(inner && of(inner)) };
  if (["Partial", "Simplify", "WithSign"].includes(name)) return of(inner);
  if (name === "Array") return [of(inner)];
  if (name === "Pick") {
    const [from, names] = split(inner, ",");
    return Object.fromEntries(Object.entries(of(from)).filter(([key]) => names.includes(`'${key}'`)));
  }
  if (types.has(name)) return of(types.get(name));
  return examples[name] ?? (/Metadata$/.test(name) ? {} : type.replaceAll("'", ""));
}

const isObject = (it) => Object.getPrototypeOf(it) === Object.prototype;

function option(member, types) {
  const [, name, type] = /^(\w+)\??:([\s\S]*)$/.exec(member) ?? [];
  return name ? [[name, example(type, types)]] : [];
}

/** `[class, method, arguments]` of every call. */
function declaredCalls() {
  return readdirSync(folder).filter((name) => name.endsWith(".d.ts")).flatMap((name) => {
    const text = withoutComments(readFileSync(join(folder, name), "utf8"));
    const types = new Map([...text.matchAll(/^(?:export )?type (\w+) = ([\s\S]*?);\n(?=[^\s}]|$)/gm)].map(([, type, body]) => [type, body]));
    return [...text.matchAll(/^export declare class (\w+) [\s\S]*?^}/gm)].flatMap(([body, api]) =>
      [...body.matchAll(/^    (?!constructor)(\w+)\(([\s\S]*?)\): Promise/gm)].map(([, method, list]) =>
        [api, method, split(list, ",").map((parameter) => option(parameter, types)[0][1])]));
  });
}

/** `{ call, url, init }` of each request that those calls make: none of them leaves this process. */
export async function declaredRequests(clerk, mock) {
  const apis = new Map(Object.values(clerk).map((api) => [api?.constructor.name.replace(/^_/, ""), api]));
  const requests = [];
  let call;
  mock.method(globalThis, "fetch", (url, init) => {
    requests.push({ call, url, init });
    return Promise.resolve(Response.json({}));
  });
  // Only then does the SDK look for `fetch` at each request.
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "test";
  for (const [api, method, args] of declaredCalls()) {
    call = `${api}.${method}`;
    // It cannot read an empty answer.
    await apis.get(api)[method](...args).catch(() => {});
  }
  mock.restoreAll();
  if (before === undefined) delete process.env.NODE_ENV;
  else process.env.NODE_ENV = before;
  return requests;
}
