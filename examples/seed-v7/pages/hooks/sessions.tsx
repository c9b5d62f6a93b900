import { useClerk, useSession, useSessionList } from "@clerk/nextjs";

export default function Sessions() {
  const { isLoaded, sessions, setActive } = useSessionList();
  const { session: current } = useSession();
  const { signOut } = useClerk();

  if (!isLoaded) {
    return null;
  }

  return (
    <>
      <h1>Accounts in this browser</h1>
      {sessions.length === 0 && <p>Nobody is signed in.</p>}
      <ul>
        {sessions.map(({ id, publicUserData: { identifier } }) => (
          <li key={id} aria-current={id === current?.id}>
            {identifier}{" "}
            <button type="button" onClick={() => setActive({ session: id })}>
              Use {identifier}
            </button>{" "}
            <button type="button" onClick={() => signOut({ sessionId: id })}>
              Sign out {identifier}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
