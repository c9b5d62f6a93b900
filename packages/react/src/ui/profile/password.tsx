"use client";
import { useState } from "react";
import type { Ask } from "../asks.js";
import { Check, Link } from "../form.js";
import { Form } from "./form.js";
import { type Doing, Section, useAccount, useDoing } from "./section.js";

const current: Ask = { name: "currentPassword", label: "Current password", type: "password", autoComplete: "current-password" };
const fresh: Ask = { name: "newPassword", label: "New password", type: "password", autoComplete: "new-password" };

/** Sets a password. Whoever has one says it first, except where they have signed in to choose another. */
export function PasswordForm({ doing, asked, onDone, onCancel }: { doing: Doing; asked: boolean; onDone?(): void; onCancel?(): void }) {
  const { user } = useAccount();

  async function change({ newPassword = "", currentPassword, others }: Record<string, string>) {
    const done = await doing.run(async () => {
      await user.updatePassword({ newPassword, currentPassword, signOutOfOtherSessions: others !== undefined });
      return "Your password has changed.";
    });
    if (done) onDone?.();
  }

  return (
    <Form
      label="Password"
      action="Save"
      asks={asked ? [current, fresh] : [fresh]}
      {...{ doing, onCancel }}
      onSubmit={change}
      more={<Check name="others" label="Sign out on all other devices" defaultChecked error={null} />}
    />
  );
}

export function PasswordSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const [open, setOpen] = useState<"change" | "remove">();
  const setting = offers?.attributes.password;
  if (!setting?.enabled && !user.passwordEnabled) return null;

  async function remove({ currentPassword = "" }: Record<string, string>) {
    const done = await doing.run(async () => {
      await user.removePassword({ currentPassword });
      return "Your password is removed.";
    });
    if (done) setOpen(undefined);
  }

  return (
    <Section title="Password" doing={doing}>
      {open === "change" && <PasswordForm doing={doing} asked={user.passwordEnabled} onDone={() => setOpen(undefined)} onCancel={() => setOpen(undefined)} />}
      {open === "remove" && <Form label="Remove the password" action="Remove" asks={[current]} doing={doing} onSubmit={remove} onCancel={() => setOpen(undefined)} />}
      {!open && (
        <div className="dw-buttons">
          <Link onClick={() => setOpen("change")}>{user.passwordEnabled ? "Change the password" : "Set a password"}</Link>
          {user.passwordEnabled && setting && !setting.required && <Link onClick={() => setOpen("remove")}>Remove the password</Link>}
        </div>
      )}
    </Section>
  );
}
