"use client";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useDoorwardContext } from "../../context.js";
import type { Session } from "../../resources.js";
import type { Offers } from "../environment.js";
import { Link, Panel, destination, onward } from "../form.js";
import { BackupCodes } from "../profile/backup-codes.js";
import { AccountProvider, type Doing, Errors, useDoing } from "../profile/section.js";
import { useReverify } from "../reverification.js";
import type { Appearance } from "../styles.js";
import { resetPassword } from "./reset-password.js";
import { setupMfa } from "./setup-mfa.js";

/** What stands in the middle of a task's screen. */
export interface TaskProps {
  doing: Doing;
  /** Shows backup codes, this once, before anything goes on. */
  onCodes(codes?: string[]): void;
}

/** A task: a file here and a line below. It is done when its session says so. */
export interface Task {
  title: string;
  text: string;
  Body(props: TaskProps): ReactNode;
}

const tasks: Record<string, Task> = { "reset-password": resetPassword, "setup-mfa": setupMfa };
const unknown: Task = { title: "One thing is left to do", text: "This page does not know how. Ask those who run this app.", Body: () => null };

export interface TasksProps {
  session: Session;
  offers: Offers;
  appearance?: Appearance;
  after?: string;
}

/** Goes through what a pending session waits for, and then on as any sign-in does. */
export function Tasks({ session, offers, ...more }: TasksProps) {
  const [reverify, dialog] = useReverify(session, more.appearance);
  return (
    <AccountProvider value={{ user: session.user, offers, reverify }}>
      <Current session={session} {...more} />
      {dialog}
    </AccountProvider>
  );
}

function Current({ session, appearance, after }: Omit<TasksProps, "offers">) {
  const { doorward } = useDoorwardContext();
  const doing = useDoing();
  const open = session.currentTask?.key;
  const [shown, setShown] = useState(open);
  const [codes, setCodes] = useState<string[]>();
  const [failed, setFailed] = useState(false);
  const leaving = useRef(false);

  async function finish() {
    if (leaving.current) return;
    leaving.current = true;
    setFailed(false);
    await doorward.setActive({ session, navigate: onward(doorward, destination(after)) }).catch(() => setFailed(true));
    leaving.current = false;
  }

  // The session is active as soon as the answer is there, but what else is in the answer comes first. It may also be done elsewhere,
  // in another tab.
  useEffect(() => {
    if (doing.busy || codes) return;
    if (open) setShown(open);
    else void finish();
  }, [open, doing.busy, codes]);

  const signOut = () => doing.run(async () => doorward.signOut(() => {}, { sessionId: session.id }));

  const { title, text, Body } = (shown && tasks[shown]) || unknown;
  if (failed)
    return (
      <Panel title="You are signed in" hint="This app could not be reached just now." appearance={appearance}>
        <div className="dw-choices">
          <button type="button" className="dw-main" onClick={() => void finish()}>
            Continue
          </button>
        </div>
      </Panel>
    );
  return (
    <Panel title={title} hint={doing.note || text} appearance={appearance}>
      {codes ? <BackupCodes codes={codes} heading="h2" onDone={() => setCodes(undefined)} /> : <Body key={shown} doing={doing} onCodes={setCodes} />}
      <Errors doing={doing} />
      {!codes && (
        <div className="dw-more">
          <Link onClick={signOut}>Sign out</Link>
        </div>
      )}
    </Panel>
  );
}
