import assert from "node:assert/strict";
import { describe } from "node:test";
import { answer } from "../lib/browser.mjs";
import { ports, urls } from "../lib/config.mjs";
import { heading, hosted, look, page, phone } from "../lib/hosted.mjs";
import { until } from "../lib/until.mjs";

const password = "correct horse battery staple";
const landing = `${urls.app}/landing`;
const back = (to) => `redirect_url=${encodeURIComponent(to)}`;

for (const kind of ["test", "live"]) describe(`account pages, pk_${kind}`, () => stories(kind));

function stories(kind) {
  const { doorward, arrived, open, story } = hosted(kind);

  async function signIn(tab, email) {
    await heading(tab, "Sign in");
    await tab.getByLabel("Email").fill(email);
    await tab.getByLabel("Password").fill(password);
    await tab.keyboard.press("Enter");
  }

  for (const where of [{ scheme: "light" }, { scheme: "dark" }, { scheme: "dark", viewport: phone }]) {
    const label = `${where.scheme}${where.viewport ? "-phone" : ""}`;
    story(`whoever is new signs up, sees the account, signs out and in again: ${label}`, async () => {
      const email = `new.${label}+clerk_test@example.com`;
      const { profile, tab } = await open(label, where);
      await tab.goto(page("/"));
      await heading(tab, "Sign in");
      await look({ profile, tab }, "sign-in");
      await tab.getByRole("link", { name: "No account yet? Sign up" }).click();
      await heading(tab, "Create your account");
      await look({ profile, tab }, "sign-up");
      await tab.getByLabel("Email").fill(email);
      await tab.getByLabel("Password").fill(password);
      await tab.getByRole("button", { name: "Sign up" }).click();
      await heading(tab, "Check your email");
      await look({ profile, tab }, "code");
      if (kind === "test") {
        await tab.getByLabel("Code").fill("424242");
        await tab.keyboard.press("Enter");
      } else {
        // Codes that everybody knows are for development: here somebody else makes the account.
        await doorward.createUser({ email, password, firstName: "Grace" });
        await tab.getByRole("link", { name: "Have an account? Sign in" }).click();
        await signIn(tab, email);
      }
      await heading(tab, "Your account");
      assert.equal(new URL(tab.url()).pathname, "/user");
      await tab.getByText(email).waitFor();
      await tab.getByText("This device").waitFor();
      await look({ profile, tab }, "user");
      await tab.getByRole("button", { name: "Sign out" }).click();
      await signIn(tab, email);
      await heading(tab, "Your account");
      profile.allow(answer(422, "/v1/client/sign_ins"));
      await tab.getByRole("button", { name: "Sign out" }).click();
      await heading(tab, "Sign in");
      await tab.getByLabel("Email").fill(email);
      await tab.getByLabel("Password").fill("wrong horse battery staple");
      await tab.keyboard.press("Enter");
      await tab.getByRole("alert").getByText("Password is incorrect.").waitFor();
      await look({ profile, tab }, "wrong-password");
    });
  }

  story("back to the app that sent them, by query or by fragment, and nowhere else", async () => {
    const email = "back@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    const first = await open("back");
    await first.tab.goto(page(`/sign-in?${back(`${landing}?from=query`)}`));
    await signIn(first.tab, email);
    await first.tab.waitForURL(`${landing}?from=query`);
    assert.ok(await first.profile.cookie("__session"), "and the app finds the session");

    const second = await open("fragment");
    await second.tab.goto(page(`/sign-in#/?${back(`${landing}?from=fragment`)}`));
    await second.tab.waitForURL((url) => url.searchParams.has("redirect_url"));
    await heading(second.tab, "Sign in");
    await second.tab.getByRole("link", { name: "No account yet? Sign up" }).click();
    await heading(second.tab, "Create your account");
    await second.tab.getByRole("link", { name: "Have an account? Sign in" }).click();
    await signIn(second.tab, email);
    await second.tab.waitForURL(`${landing}?from=fragment`);

    const third = await open("evil");
    const evil = back("https://evil.example/");
    third.profile.allow(answer(422, "/sign-in"));
    for (const address of [`/sign-in?${evil}`, `/sign-in#/?${evil}`]) {
      await third.tab.goto("about:blank");
      await third.tab.goto(page(address));
      await heading(third.tab, "This link does not work");
    }
    await look(third, "refused");
  });

  story("a page on another host learns the development browser, one on a production instance nothing", async () => {
    const email = "elsewhere@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    const elsewhere = `http://127.0.0.1:${ports.app}/landing`;
    const { profile, tab } = await open("elsewhere");
    profile.allow((fault) => fault.text.startsWith(`asked outside: GET http://127.0.0.1:${ports.app}/`));
    arrived.length = 0;
    if (kind === "live") {
      profile.allow(answer(422, "/sign-in"));
      await tab.goto(page(`/sign-in?${back(elsewhere)}`));
      await heading(tab, "This link does not work");
      return;
    }
    await tab.goto(page(`/sign-in?${back(elsewhere)}`));
    await signIn(tab, email);
    await heading(tab, "Landed");
    const given = new URL(tab.url()).searchParams.get("__clerk_db_jwt");
    assert.equal(given, await cookieOf(profile, "__clerk_db_jwt"));
    // And back with it: the same client, whose token does not stay in the address.
    const other = await open("elsewhere-again");
    await other.tab.goto(page(`/user?__clerk_db_jwt=${given}`));
    await heading(other.tab, "Your account");
    assert.equal(new URL(other.tab.url()).search, "");
  });

  const cookieOf = async (profile, name) => (await profile.context.cookies(urls.frontend)).find((it) => it.name === name)?.value;

  story("sessions on other devices are listed, and can be ended", async () => {
    const email = "twice@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    const here = await open("here");
    const there = await open("there", { scheme: "dark", viewport: phone });
    for (const { tab } of [here, there]) {
      await tab.goto(page("/user"));
      await signIn(tab, email);
      await heading(tab, "Your account");
      await tab.getByText("Ada", { exact: true }).waitFor();
    }
    await here.tab.reload();
    const end = here.tab.getByRole("button", { name: /^End the session of Chrom/ });
    await end.waitFor();
    assert.equal(await end.count(), 1, "each but this one");
    await look(here, "two-sessions");
    await end.click();
    await here.tab.getByText(/^The session of .* has ended\.$/).waitFor();
    const listed = here.tab.getByRole("region", { name: "Sessions" }).getByRole("listitem");
    await until("it is no longer listed", async () => (await listed.count()) === 1);
    await look(here, "one-session");
    there.profile.allow(({ status }) => status === 401 || status === 404);
    await there.tab.reload();
    await heading(there.tab, "Sign in");
    await here.tab.reload();
    await heading(here.tab, "Your account");
  });

  story("whoever is signed in is asked, and not sent round in circles", async () => {
    const email = "there@example.com";
    await doorward.createUser({ email, password, firstName: "Ada" });
    const it = await open("there-already");
    await it.tab.goto(page("/sign-in"));
    await signIn(it.tab, email);
    await heading(it.tab, "Your account");
    await it.tab.goto(page(`/sign-in?${back(landing)}`));
    await heading(it.tab, "You are signed in");
    await look(it, "signed-in");
    await it.tab.getByRole("button", { name: `Continue as ${email}` }).click();
    await it.tab.waitForURL(landing);
    await it.tab.goto(page("/sign-up"));
    await heading(it.tab, "You are signed in");
    await it.tab.getByRole("button", { name: "Sign out" }).click();
    await heading(it.tab, "Create your account");
  });

  story("a link that signs in", async () => {
    const email = "ticket@example.com";
    const user = await doorward.createUser({ email, password, firstName: "Ada" });
    const made = await fetch(`${urls.backend}/v1/sign_in_tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${doorward.instance.secret_key}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: user.id }),
    });
    const { url } = await made.json();
    assert.ok(url.startsWith(page("/v1/tickets/accept?")), url);
    const { profile, tab } = await open("ticket");
    await tab.goto(url);
    await heading(tab, "Your account");
    await tab.getByText(email).waitFor();
    await tab.getByRole("button", { name: "Sign out" }).click();
    await heading(tab, "Sign in");
    // What is wrong with a link is said when it is known, and nobody has pressed anything.
    profile.allow(({ status, url: at, moved }) => moved !== undefined || (status >= 400 && at.includes("/v1/client/sign_ins")));
    await tab.goto(`${page("/sign-in")}?__clerk_ticket=nonsense`);
    await tab.getByRole("alert").waitFor();
    await look({ profile, tab }, "used-link");
  });
}
