import { SignOutButton } from "@doorward/nextjs";
import { auth, currentUser } from "@doorward/nextjs/server";

export default async function Account() {
  // The middleware protects this page too; one that shows private data must not
  // depend on that alone.
  const { userId, sessionId } = await auth.protect();
  const user = await currentUser();

  return (
    <>
      <h1>Account</h1>
      <p>
        The server knows you as <code id="server-user">{userId}</code> in session <code id="server-session">{sessionId}</code>, with
        the address <code id="server-email">{user?.primaryEmailAddress?.emailAddress}</code>.
      </p>
      <SignOutButton redirectUrl="/signals">
        <button type="button">Sign out</button>
      </SignOutButton>
    </>
  );
}
