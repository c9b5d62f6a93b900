import { createServer } from "node:http";
import Provider from "oidc-provider";
import { ports, urls } from "./config.mjs";

const port = ports.app + 1;
export const upstreamIssuer = `http://localhost:${port}`;

/** The settings' `oauth` of an instance whose users come from there. */
export const upstreamSettings = { custom_upstream: { client_id: "doorward", issuer: upstreamIssuer, client_auth: "none", name: "Upstream" } };

/** Where the pages that the provider has for development want a font from. */
export const fontOrigin = "https://fonts.googleapis.com";

/** Gives those pages nothing in the font's place. */
export const withoutFont = (context) => context.route(`${fontOrigin}/**`, (route) => route.fulfill({ contentType: "text/css", body: "" }));

/**
 * An OpenID provider of somebody else's, on the loopback: `oidc-provider` with the pages it has for development, where any name
 * signs in. Its accounts are what the caller says.
 */
export async function startUpstream(accounts, redirectUri = `${urls.frontend}/v1/oauth_callback`) {
  const provider = new Provider(upstreamIssuer, {
    clients: [
      {
        client_id: "doorward",
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: "none",
      },
    ],
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "given_name", "family_name", "picture"] },
    conformIdTokenClaims: false,
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts[sub] }) }),
    cookies: { keys: ["a secret of this test only"] },
  });
  const server = createServer(provider.callback());
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    issuer: upstreamIssuer,
    /** What a person does there. */
    async signIn(page, name) {
      await page.getByPlaceholder("Enter any login").fill(name);
      await page.getByPlaceholder("and password").fill("any");
      await page.getByRole("button", { name: "Sign-in" }).click();
      await page.getByRole("button", { name: "Continue" }).click();
    },
    /** As if nobody had signed in there in this browser. */
    forget: (context) => context.clearCookies({ domain: new URL(upstreamIssuer).hostname, name: /^_(session|interaction)/ }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
