"use client";
import { useEffect, useState } from "react";
import { useDoorwardContext } from "../../context.js";
import { useSession } from "../../hooks.js";
import type { SessionWithActivities } from "../../user.js";
import { Link } from "../form.js";
import { Section, useDoing } from "./section.js";

function device({ latestActivity: { browserName, deviceType } }: SessionWithActivities): string {
  const browser = browserName ?? "An unknown browser";
  return deviceType ? `${browser} on ${deviceType}` : browser;
}

/** The sessions on all devices, each of which can be ended. */
export function SessionsSection() {
  const { doorward } = useDoorwardContext();
  const current = useSession().session?.id;
  const doing = useDoing();
  const [sessions, setSessions] = useState<SessionWithActivities[]>();

  useEffect(() => {
    let wanted = true;
    // Not by `user`: that is made anew whenever anything about it changes.
    setSessions(undefined);
    void doing.run(async () => {
      const all = await doorward.user?.getSessions();
      if (wanted) setSessions(all);
    });
    return () => void (wanted = false);
  }, [doorward, current]);

  const end = (one: SessionWithActivities) =>
    doing.run(async () => {
      await one.revoke();
      setSessions((all) => all?.filter((it) => it !== one));
      return `The session of ${device(one)} has ended.`;
    });

  return (
    <Section title="Sessions" doing={doing}>
      <ul aria-busy={!sessions && !doing.errors.length}>
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
    </Section>
  );
}
