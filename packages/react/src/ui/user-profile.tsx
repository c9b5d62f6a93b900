"use client";
import { useEffect, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { isDoorwardAPIResponseError } from "../errors.js";
import { useSession } from "../hooks.js";
import type { SessionWithActivities } from "../resources.js";
import type { EmailAddressFields } from "../types.js";
import { Link, Panel } from "./form.js";
import type { Appearance } from "./styles.js";

export interface UserProfileProps {
  appearance?: Appearance;
  /** Where a sign-out leads. */
  afterSignOutUrl?: string;
}

const text = (error: unknown) => (isDoorwardAPIResponseError(error) && (error.errors[0]?.longMessage ?? error.errors[0]?.message)) || "That did not work. Try again in a moment.";

function device({ latestActivity: { browserName, deviceType } }: SessionWithActivities): string {
  const browser = browserName ?? "An unknown browser";
  return deviceType ? `${browser} on ${deviceType}` : browser;
}

function state({ id, verification }: EmailAddressFields, primary: string | null): string {
  if (verification?.status !== "verified") return "Not verified";
  return id === primary ? "Primary" : "Verified";
}

/** Who is signed in: name and addresses, and the sessions on all devices, each of which can be ended. */
export function UserProfile({ appearance, afterSignOutUrl }: UserProfileProps) {
  const { doorward } = useDoorwardContext();
  const { session } = useSession();
  const [sessions, setSessions] = useState<SessionWithActivities[]>();
  const [note, setNote] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const user = session?.user;
  const current = session?.id;

  useEffect(() => {
    let wanted = true;
    // Not by `user`: that is made anew whenever anything about it changes.
    setSessions(undefined);
    doorward.user
      ?.getSessions()
      .then((all) => wanted && setSessions(all))
      .catch((why) => wanted && setError(text(why)));
    return () => void (wanted = false);
  }, [doorward, current]);

  async function run(act: () => Promise<unknown>) {
    if (busy) return;
    setBusy(true);
    setNote("");
    setError("");
    await act().catch((why) => setError(text(why)));
    setBusy(false);
  }

  const end = (one: SessionWithActivities) =>
    run(async () => {
      await one.revoke();
      setSessions((all) => all?.filter((it) => it !== one));
      setNote(`The session of ${device(one)} has ended.`);
    });

  if (!user) return null;
  return (
    <Panel title="Your account" hint={note} appearance={appearance}>
      <h2>Name</h2>
      <p>{user.fullName ?? user.username ?? "None given"}</p>
      {user.emailAddresses.length > 0 && (
        <>
          <h2>Email addresses</h2>
          <ul>
            {user.emailAddresses.map((it) => (
              <li key={it.id}>
                <span>{it.emailAddress}</span> <small>{state(it, user.primaryEmailAddressId)}</small>
              </li>
            ))}
          </ul>
        </>
      )}
      <div className="dw-more">
        <button type="button" className="dw-main" aria-disabled={busy} onClick={() => run(() => doorward.signOut({ redirectUrl: afterSignOutUrl }))}>
          Sign out
        </button>
      </div>
      {/* Last, because it comes last: what stood below would jump. */}
      <h2>Sessions</h2>
      <ul aria-busy={!sessions && !error}>
        {sessions?.map((it) => (
          <li key={it.id}>
            <span>
              {device(it)}
              <small>
                {it.latestActivity.ipAddress && `${it.latestActivity.ipAddress}, `}last used {it.lastActiveAt.toLocaleString()}
              </small>
            </span>
            {it.id === current ? (
              <small>This device</small>
            ) : (
              <Link label={`End the session of ${device(it)}, last used ${it.lastActiveAt.toLocaleString()}`} onClick={() => end(it)}>
                End
              </Link>
            )}
          </li>
        ))}
      </ul>
      {error && (
        <p className="dw-error" role="alert">
          {error}
        </p>
      )}
    </Panel>
  );
}
