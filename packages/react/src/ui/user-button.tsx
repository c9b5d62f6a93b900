"use client";
import { type FocusEvent, type KeyboardEvent, useId, useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { useSession, useSessionList } from "../hooks.js";
import type { Session } from "../resources.js";
import { type Appearance, css, themed } from "./styles.js";

export interface UserButtonProps {
  appearance?: Appearance;
  /** The page of the account; the server's own by default. */
  userProfileUrl?: string;
  /** Where a sign-out leads. */
  afterSignOutUrl?: string;
}

const nameOf = ({ publicUserData: { firstName, lastName, identifier } }: Session) => [firstName, lastName].filter(Boolean).join(" ") || identifier;

/** Who is signed in, and behind it: the account, the other accounts of this browser, and the way out. */
export function UserButton({ appearance = {}, userProfileUrl, afterSignOutUrl }: UserButtonProps) {
  const { doorward } = useDoorwardContext();
  const { session } = useSession();
  const { sessions = [] } = useSessionList();
  const [open, setOpen] = useState(false);
  const [error, setError] = useState("");
  const button = useRef<HTMLButtonElement>(null);
  const menu = useId();
  if (session?.status !== "active") return null;
  const others = sessions.filter(({ id, status }) => id !== session.id && (status === "active" || status === "pending"));
  const name = nameOf(session);

  function close(event: KeyboardEvent) {
    if (event.key !== "Escape" || !open) return;
    setOpen(false);
    button.current?.focus();
  }

  // Whoever goes elsewhere, by key or by pointer, is done here.
  function left({ currentTarget, relatedTarget }: FocusEvent) {
    if (!currentTarget.contains(relatedTarget as Node | null)) setOpen(false);
  }

  async function run(act: () => Promise<unknown>) {
    setError("");
    await act().then(
      () => setOpen(false),
      () => setError("That did not work. Try again in a moment."),
    );
  }

  // What is left to be done for that session is done on the page to sign in.
  const toTasks = ({ session }: { session: Session }) => session.currentTask && doorward.redirectToSignIn();
  const item = (text: string, act: () => Promise<unknown>) => (
    <li>
      <button type="button" className="dw-item" onClick={() => void run(act)}>
        {text}
      </button>
    </li>
  );
  return (
    <div className="dw-card dw-user" data-theme={appearance.theme ?? "auto"} style={themed(appearance)} onKeyDown={close} onBlur={left}>
      {appearance.styles !== "linked" && <style dangerouslySetInnerHTML={{ __html: css }} />}
      <button ref={button} type="button" className="dw-face" aria-expanded={open} aria-controls={menu} aria-label={`Account of ${name}`} onClick={() => setOpen(!open)}>
        <img src={session.publicUserData.imageUrl} alt="" width="32" height="32" />
      </button>
      {/* Without the focus of its own it would be left by a click on it. */}
      <div id={menu} className="dw-menu" hidden={!open} tabIndex={-1}>
        <p>
          {name}
          {name !== session.publicUserData.identifier && <small>{session.publicUserData.identifier}</small>}
        </p>
        <ul>
          {item("Your account", () => doorward.navigate(userProfileUrl ?? doorward.buildUrlWithAuth(`${doorward.frontend}/user`)))}
          {others.map((it) => (
            <li key={it.id}>
              <button type="button" className="dw-item" onClick={() => void run(() => doorward.setActive({ session: it, navigate: toTasks }))}>
                Switch to {nameOf(it)}
                <small>{it.publicUserData.identifier}</small>
              </button>
            </li>
          ))}
          {item("Sign out", () => doorward.signOut({ sessionId: session.id, redirectUrl: afterSignOutUrl }))}
          {others.length > 0 && item("Sign out of all accounts", () => doorward.signOut({ redirectUrl: afterSignOutUrl }))}
        </ul>
        {error && (
          <p className="dw-error" role="alert">
            {error}
          </p>
        )}
      </div>
    </div>
  );
}
