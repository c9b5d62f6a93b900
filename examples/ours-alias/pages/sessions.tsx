import { useSession, useSessionList } from "@clerk/nextjs";

export default function Accounts() {
  const { isLoaded, sessions, setActive } = useSessionList();
  const { session } = useSession();

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
    </>
  );
}
