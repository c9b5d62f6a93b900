// The account pages of the server, made of the forms that apps can use too. What the page is for, and where to go
// afterwards, the server has checked and put beside the element.
import { DoorwardProvider, SignIn, SignUp, useDoorward, useSession, useSessionList, type SessionResource, Waitlist } from "@doorward/react";
import { type ReactNode, Suspense, lazy, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Link, Panel } from "../../react/dist/ui/form.js";

const UserProfile = lazy(() => import("../../react/dist/ui/user-profile.js").then((it) => ({ default: it.UserProfile })));

interface Setup {
  page: string;
  base: string;
  publishableKey: string;
  signIn: string;
  signUp: string;
  after: string;
  afterSignOut: string;
  singleSession: string;
  passkeys: string;
}

const appearance = { styles: "linked" } as const;
// These say what is to be shown, and do not go on to the next page.
const wanted = /(redirect_url|^after_sign_(in|up)_url)$/;

/** The official SDKs put where to go afterwards into the fragment, which no server sees: asks again with it in the query. */
function asksAgain(): boolean {
  const url = new URL(location.href);
  const hidden = new URLSearchParams(url.hash.replace(/^#[^?]*\??/, ""));
  const found = [...hidden].filter(([name]) => wanted.test(name) && !url.searchParams.has(name));
  if (!found.length) return false;
  for (const [name, value] of found) url.searchParams.set(name, value);
  url.hash = "";
  location.replace(url);
  return true;
}

/** Those who are signed in here already, when the page was opened. */
function useThere(): SessionResource[] | undefined {
  const { isLoaded, sessions } = useSessionList();
  const [there, setThere] = useState<SessionResource[]>();
  useEffect(() => {
    // A sign-in on this very page changes the list, and then leaves the page.
    if (isLoaded && !there) setThere(sessions.filter(({ status }) => status === "active" || status === "pending"));
  }, [isLoaded, sessions, there]);
  return there;
}

function Choose({ setup, there, onOther }: { setup: Setup; there: SessionResource[]; onOther: () => void }) {
  const doorward = useDoorward();
  const [problem, setProblem] = useState("");
  // What a session waits for comes in the form's place.
  const go = (session: SessionResource) =>
    doorward.setActive({ session, navigate: ({ session, decorateUrl }) => (session.currentTask ? onOther() : doorward.navigate(decorateUrl(setup.after))) });
  // Nor does one that waits come before another account.
  const other = () => (doorward.session?.currentTask ? doorward.setActive({ session: null }).then(onOther) : Promise.resolve(onOther()));
  const attempt = (act: () => Promise<unknown>) => act().catch(() => setProblem("That did not work. Try again in a moment."));
  return (
    <Panel title="You are signed in" appearance={appearance}>
      <ul>
        {there.map((session) => (
          <li key={session.id}>
            <span>{session.publicUserData.identifier}</span>
            <Link label={`Continue as ${session.publicUserData.identifier}`} onClick={() => attempt(() => go(session))}>
              Continue
            </Link>
          </li>
        ))}
      </ul>
      {problem && (
        <p className="dw-error" role="alert">
          {problem}
        </p>
      )}
      <div className="dw-more">
        {setup.singleSession !== "true" && <Link onClick={() => attempt(other)}>Use another account</Link>}
        <Link onClick={() => attempt(() => doorward.signOut(onOther))}>Sign out</Link>
      </div>
    </Panel>
  );
}

/** A form, unless somebody is signed in already. */
function Form({ setup, children }: { setup: Setup; children: ReactNode }) {
  const there = useThere();
  const [other, setOther] = useState(false);
  // A link that signs in means the person that it was sent to, whoever is there.
  const [byLink] = useState(() => ["__clerk_ticket", "__clerk_status"].some((name) => new URLSearchParams(location.search).has(name)));
  if (!there) return null;
  // The form goes on with the only one, if something is left to be done for it.
  const waits = there.length === 1 && there[0]!.status === "pending";
  if (there.length && !other && !byLink && !waits) return <Choose setup={setup} there={there} onOther={() => setOther(true)} />;
  return children;
}

function User({ setup }: { setup: Setup }) {
  const { isLoaded, isSignedIn } = useSession();
  const doorward = useDoorward();
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    if (isLoaded && isSignedIn) setLeaving(true);
    // Whoever signs out here is led on by that; whoever comes here signed out signs in first.
    if (isLoaded && !isSignedIn && !leaving) {
      const url = new URL(setup.signIn, location.href);
      url.searchParams.set("redirect_url", location.origin + location.pathname);
      void doorward.navigate(url.href, { replace: true });
    }
  }, [doorward, isLoaded, isSignedIn, leaving, setup]);
  return (
    <Suspense>
      <UserProfile appearance={appearance} afterSignOutUrl={setup.afterSignOut} />
    </Suspense>
  );
}

function Page({ setup }: { setup: Setup }) {
  switch (setup.page) {
    case "sign-up":
      return (
        <Form setup={setup}>
          <SignUp appearance={appearance} signInUrl={setup.signIn} redirectUrl={setup.after} />
        </Form>
      );
    case "waitlist":
      return <Waitlist appearance={appearance} signInUrl={setup.signIn} />;
    case "user":
      return <User setup={setup} />;
    default:
      return (
        <Form setup={setup}>
          <SignIn appearance={appearance} signUpUrl={setup.signUp || undefined} redirectUrl={setup.after} passkeys={setup.passkeys === "true"} />
        </Form>
      );
  }
}

const root = document.getElementById("account")!;
const setup = { ...root.dataset } as unknown as Setup;
if (!asksAgain()) {
  root.replaceChildren();
  createRoot(root).render(
    <DoorwardProvider publishableKey={setup.publishableKey} proxyUrl={location.origin + setup.base} signInUrl={setup.signIn} afterSignOutUrl={setup.afterSignOut}>
      <Page setup={setup} />
    </DoorwardProvider>,
  );
}
