import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium as engine } from "playwright-core";
import { chromium, out, urls } from "./config.mjs";
import { until } from "./until.mjs";

const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch(more = []) {
  return engine.launch({ executablePath: chromium, args: [...args, ...more], env: { ...process.env, TZ: "UTC" } });
}

// Objects in the console are live: by the time a test looks at one, the SDK may
// have replaced what it held. So their state is noted when they are logged.
function listenToConsole() {
  const heard = [];
  const log = console.log;
  console.log = (...said) => {
    heard.push(said.map((it) => (it && typeof it === "object" ? { status: it.status, createdSessionId: it.createdSessionId } : String(it))));
    log.apply(console, said);
  };
  Object.defineProperty(globalThis, "__heard", { value: heard });
}

// What no page of ours may do, however the test looks at it.
function listenToPage() {
  const tell = (what) => globalThis.__told?.({ at: performance.timeOrigin, url: location.href, ...what });
  addEventListener("unhandledrejection", ({ reason }) => tell({ text: `unhandled rejection: ${reason?.stack ?? reason}` }));
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => tell({ text: `against the policy: ${violatedDirective} ${blockedURI} ${sample}` }));
  // What follows an input may move things, and so may what that input has asked for, when the answer is there. The browser's own
  // rule (hadRecentInput) excuses half a second, and knows nothing of answers.
  const grace = 1000;
  // Whatever an input has begun, it is not to blame for what comes later than this.
  const most = 10_000;
  let input = -most;
  let excused = 0;
  let asking = 0;
  const followsInput = () => performance.now() <= input + most && (asking > 0 || performance.now() <= excused);
  const excuse = () => (excused = performance.now() + grace);
  const onInput = () => {
    input = performance.now();
    excuse();
  };
  for (const type of ["pointerdown", "pointerup", "keydown"]) addEventListener(type, onInput, { capture: true });
  const ask = globalThis.fetch;
  globalThis.fetch = (...given) => {
    const answer = ask(...given);
    if (!followsInput()) return answer;
    asking += 1;
    return answer.finally(() => {
      asking -= 1;
      excuse();
    });
  };
  const name = ({ node }) => (node?.nodeType === 1 ? node.outerHTML.slice(0, 80) : String(node?.textContent).slice(0, 40));
  new PerformanceObserver((list) => {
    for (const { value, sources } of followsInput() ? [] : list.getEntries()) tell({ shift: value, what: sources.map(name).join(", ") });
  }).observe({ type: "layout-shift", buffered: true });
}

/** How far the things on a page may move by themselves, all told (https://web.dev/articles/cls). */
const mostShift = 0.01;

/** One browser profile, and all that went wrong in it. */
export class Profile {
  #faults = [];
  #allowed = [];
  #shots = 0;
  #open = new Set();

  #shifts = new Map();

  /** Of our own pages nothing is borne: no warning, no rejection, no jump. */
  static async strict(browser, label, clock) {
    const profile = await Profile.open(browser, label, clock);
    const { context } = profile;
    await context.exposeBinding("__told", (_, what) => profile.#onTold(what));
    await context.addInitScript(listenToPage);
    context.on("console", (message) => message.type() === "warning" && profile.#faults.push({ text: `console: ${message.text()}` }));
    return profile;
  }

  static async open(browser, label, clock, more = {}) {
    const context = await browser.newContext({ baseURL: urls.app, locale: "en-US", ...more });
    await context.clock.install({ time: clock.now() });
    await context.addInitScript(listenToConsole);
    return new Profile(context, label, clock);
  }

  constructor(context, label, clock) {
    this.context = context;
    this.label = label;
    this.clock = clock;
    this.errors = [];
    this.exchanges = [];
    context.setDefaultTimeout(30_000);
    context.on("weberror", (thrown) => this.#faults.push({ text: `thrown: ${thrown.error().stack ?? thrown.error()}` }));
    context.on("console", (message) => this.#onConsole(message));
    context.on("request", (request) => this.#onRequest(request));
    for (const how of ["requestfinished", "requestfailed"]) context.on(how, (request) => this.#open.delete(request));
    context.on("requestfailed", (request) => this.#onFailure(request));
    context.on("response", (response) => this.#onResponse(response));
  }

  /** Says that the coming step may or must meet this answer. */
  allow(...allowed) {
    this.#allowed.push(...allowed);
  }

  /** Everything that nobody announced, since the last look. */
  audit() {
    for (const [at, { url, sum, what }] of this.#shifts) {
      if (sum >= mostShift) this.#faults.push({ moved: url, text: `moved by ${sum.toFixed(4)} at ${url} (${at}): ${what.join("; ")}` });
    }
    this.#shifts.clear();
    const faults = this.#faults.filter((fault) => !this.#allowed.some((allowed) => allowed(fault)));
    this.#faults = [];
    this.#allowed = [];
    assert.deepEqual(faults.map((fault) => fault.text), [], "the browser met errors");
  }

  /** Until the pages have had an answer to all that they have asked the server for. */
  quiet() {
    return until("no answer is outstanding", () => this.#open.size === 0);
  }

  async moveClock() {
    await this.context.clock.setSystemTime(this.clock.now());
  }

  async cookies(name) {
    const all = await this.context.cookies(urls.app);
    return name === undefined ? all : all.filter((cookie) => cookie.name === name);
  }

  /** The one value under this name, however many domains hold it. */
  async cookie(name) {
    const values = new Set((await this.cookies(name)).map((cookie) => cookie.value));
    assert.ok(values.size <= 1, `${name} has several values: ${[...values].join(" ")}`);
    return [...values][0];
  }

  async shot(page, name) {
    const directory = join(out, "screens");
    mkdirSync(directory, { recursive: true });
    this.#shots += 1;
    const number = String(this.#shots).padStart(2, "0");
    await page.screenshot({ path: join(directory, `${this.label}-${number}-${name}.png`) });
  }

  async shotAll(name) {
    for (const page of this.context.pages()) {
      await this.shot(page, name).catch(() => {});
    }
  }

  close() {
    return this.context.close();
  }

  #onTold({ at, url, text, shift, what }) {
    if (text) this.#faults.push({ text: `${text} at ${url}` });
    if (shift === undefined) return;
    const page = this.#shifts.get(at) ?? { url, sum: 0, what: [] };
    page.sum += shift;
    page.what.push(what);
    this.#shifts.set(at, page);
  }

  #onConsole(message) {
    if (message.type() !== "error") return;
    const text = message.text();
    // The answers themselves are judged, with more to go by.
    if (text.startsWith("Failed to load resource")) return;
    if (text.startsWith("error ")) this.errors.push(text);
    else this.#faults.push({ text: `console: ${text}` });
  }

  #onRequest(request) {
    const url = new URL(request.url());
    if (url.origin === urls.frontend) this.#open.add(request);
    if (["http:", "https:"].includes(url.protocol) && ![urls.app, urls.frontend].includes(url.origin)) {
      this.#faults.push({ text: `asked outside: ${request.method()} ${request.url()}` });
    }
  }

  #onFailure(request) {
    const why = request.failure()?.errorText;
    // A page that is left takes its open requests with it.
    if (why !== "net::ERR_ABORTED") this.#faults.push({ url: request.url(), failure: why, text: `${why}: ${request.method()} ${request.url()}` });
  }

  #onResponse(response) {
    const request = response.request();
    const exchange = { method: request.method(), url: response.url(), status: response.status(), response };
    this.exchanges.push(exchange);
    if (exchange.status >= 400) this.#faults.push({ ...exchange, text: `${exchange.status}: ${exchange.method} ${exchange.url}` });
  }
}

export function answer(status, path) {
  return (fault) => fault.status === status && new URL(fault.url).pathname === path;
}

export function unreachable(origin) {
  return (fault) => fault.failure && new URL(fault.url).origin === origin;
}
