import { SignOutButton } from "@clerk/nextjs";
import { buildClerkProps, getAuth } from "@clerk/nextjs/server";
import type { GetServerSideProps } from "next";

export const getServerSideProps: GetServerSideProps = async ({ req }) => {
  const { userId, sessionId } = getAuth(req);

  // The middleware has turned strangers away already; a page that shows private
  // data must not depend on that alone.
  if (!userId) {
    return { redirect: { destination: "/signin", permanent: false } };
  }

  return { props: { userId, sessionId, ...buildClerkProps(req) } };
};

export default function Protected({ userId, sessionId }: { userId: string; sessionId: string }) {
  return (
    <>
      <h1>Protected</h1>
      <p>
        The server knows you as <code id="server-user">{userId}</code> in session{" "}
        <code id="server-session">{sessionId}</code>.
      </p>
      <SignOutButton>
        <button type="button">Sign out</button>
      </SignOutButton>
    </>
  );
}
