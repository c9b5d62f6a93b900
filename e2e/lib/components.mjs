import { createServer } from "node:http";
import { ports, publishableKey, urls } from "./config.mjs";

const script = (name) => `<script src="${urls.frontend}/npm/@clerk/${name}" crossorigin="anonymous"`;

/** An app of one page: the official scripts and, by the address, one of their components. */
function page(kind) {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>App</title><link rel="icon" href="data:,"></head><body>
<div id="button"></div><main id="root"></main>
${script("ui@1/dist/ui.browser.js")}></script>
${script("clerk-js@6/dist/clerk.browser.js")} data-clerk-publishable-key="${publishableKey(kind)}" data-clerk-proxy-url="${urls.frontend}"></script>
<script type="module">
  const { Clerk, __internal_ClerkUICtor: ClerkUI } = globalThis;
  await Clerk.load({ ui: { ClerkUI }, signInUrl: "/sign-in", signUpUrl: "/sign-up", telemetry: false });
  const root = document.getElementById("root");
  const at = location.pathname.split("/")[1];
  if (at === "sign-in") Clerk.mountSignIn(root, { routing: "path", path: "/sign-in", fallbackRedirectUrl: "/" });
  else if (at === "sign-up") Clerk.mountSignUp(root, { routing: "path", path: "/sign-up", fallbackRedirectUrl: "/" });
  else if (at === "user") Clerk.mountUserProfile(root, { routing: "path", path: "/user" });
  else if (at === "waitlist") Clerk.mountWaitlist(root);
  else Clerk.addListener(({ user }) => { root.textContent = user ? "Signed in as " + user.id : "Nobody is signed in"; });
  if (Clerk.user) Clerk.mountUserButton(document.getElementById("button"));
</script></body></html>`;
}

/** Serves that app on the app's port until it is closed. */
export async function serveComponents(kind) {
  const html = page(kind);
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(html);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(ports.app, "127.0.0.1", resolve);
  });
  return {
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
