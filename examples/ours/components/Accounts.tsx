"use client";

import { SignOutButton, UserButton, useSession, useSessionList, useSignIn } from "@doorward/nextjs";

/** Who is signed in in this browser, and a way in by an account elsewhere. */
export default function Accounts({ callback, after }: { callback: string; after: string }) {
  const { isLoaded, sessions, setActive } = useSessionList();
  const { session } = useSession();
  const { signIn } = useSignIn();

  if (!isLoaded) {
    return null;
  }
  return (
    <>
      <h1>Accounts</h1>
      <ul>
        {sessions.map((it) => (
          <li key={it.id}>
            {it.publicUserData.identifier}{" "}
            {it.id === session?.id ? (
              "is the one in use"
            ) : (
              <button type="button" onClick={() => setActive({ session: it })}>
                Use {it.publicUserData.identifier}
              </button>
            )}
          </li>
        ))}
      </ul>
      {session ? (
        <>
          <SignOutButton sessionId={session.id} redirectUrl="/">
            <button type="button">Sign out of this account</button>
          </SignOutButton>
          <UserButton />
        </>
      ) : (
        <button type="button" onClick={() => signIn?.authenticateWithRedirect({ strategy: "oauth_custom_upstream", redirectUrl: callback, redirectUrlComplete: after })}>
          Continue with Upstream
        </button>
      )}
    </>
  );
}
