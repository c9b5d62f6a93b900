import type { Settings } from "./options.js";

export interface RedirectOptions {
  /** Where to come back to afterwards; by default the page that was asked for. */
  returnBackUrl?: string | URL | null;
}

export function signInAddress(settings: Pick<Settings, "signInUrl" | "signUpUrl" | "frontendApi">, kind: "sign-in" | "sign-up", here: URL, { returnBackUrl = here }: RedirectOptions = {}): URL {
  const own = kind === "sign-in" ? settings.signInUrl : settings.signUpUrl;
  // Without a page in the app, the one that the server has.
  const url = new URL(own || `${settings.frontendApi}/${kind}`, here);
  if (returnBackUrl !== null) url.searchParams.set("redirect_url", new URL(returnBackUrl, here).href);
  return url;
}

/** Whether a person waits for a page, as opposed to a program for data. */
export function isPageRequest(read: (name: string) => string | null | undefined): boolean {
  const destination = read("sec-fetch-dest");
  if (destination === "document" || destination === "iframe") return true;
  if (read("accept")?.includes("text/html")) return true;
  if (read("next-action")) return false;
  return Boolean(read("next-url") || read("rsc") || read("x-nextjs-data"));
}
