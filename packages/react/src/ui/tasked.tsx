"use client";
import { type ComponentType, type ReactNode, useEffect, useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { useSession } from "../hooks.js";
import { type Offers, environment, nothing } from "./environment.js";
import type { Appearance } from "./styles.js";
import type { TasksProps } from "./tasks/index.js";

export interface TaskedProps {
  appearance?: Appearance;
  /** Where to go when all is done, if the address does not say. */
  after?: string;
  /** The form; told whether it only keeps the place of what comes at once. */
  children(waits: boolean): ReactNode;
}

const hasTicket = () => typeof location === "object" && new URLSearchParams(location.search).has("__clerk_ticket");

/**
 * A form, or in its place what a session waits for that is begun but not active: a new password, a second factor. That is so too
 * where somebody comes back to a form in the middle of it. Few need these screens, so they are loaded then.
 */
export function Tasked({ appearance, after, children }: TaskedProps) {
  const { doorward } = useDoorwardContext();
  const { session } = useSession();
  const [loaded, setLoaded] = useState<{ Tasks: ComponentType<TasksProps>; offers: Offers } | "failed">();
  // A link that signs in means the person that it was sent to, whoever was there.
  const [byLink] = useState(hasTicket);
  const before = useRef<string>(undefined);
  if (session !== undefined) before.current ??= (byLink && session?.id) || "";
  // Kept when the last task is done: what came of it is shown yet, and leads on.
  const tasked = useRef<string>(undefined);
  if (session?.currentTask && session.id !== before.current) tasked.current = session.id;
  const waits = session?.id !== undefined && session.id === tasked.current;

  useEffect(() => {
    if (!waits) return;
    Promise.all([import("./tasks/index.js"), environment(doorward).catch(() => nothing)]).then(
      ([{ Tasks }, offers]) => setLoaded({ Tasks, offers }),
      // The form is better than nothing: by signing in again one comes here again.
      () => setLoaded("failed"),
    );
  }, [doorward, waits]);

  if (!waits || !loaded || loaded === "failed") return children(waits && !loaded);
  return <loaded.Tasks key={session.id} {...{ session, appearance, after }} offers={loaded.offers} />;
}
