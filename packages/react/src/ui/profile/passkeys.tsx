"use client";
import { useState } from "react";
import { passkeysWork } from "../../passkey.js";
import type { Passkey } from "../../user.js";
import { Link } from "../form.js";
import { Form } from "./form.js";
import { Section, useAccount, useDoing } from "./section.js";

const named = ({ name }: Passkey) => name || "Passkey";

export function PasskeySection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const [renaming, setRenaming] = useState<Passkey>();
  const enabled = offers?.attributes.passkey?.enabled ?? false;
  if (!enabled && !user.passkeys.length) return null;

  const add = () =>
    doing.run(async () => {
      await user.createPasskey();
      return "You can sign in with this passkey now.";
    });

  async function rename(passkey: Passkey, name: string) {
    const done = await doing.run(async () => {
      await passkey.update({ name });
      return "Saved.";
    });
    if (done) setRenaming(undefined);
  }

  const remove = (passkey: Passkey) =>
    doing.run(async () => {
      await passkey.delete();
      return `${named(passkey)} is removed.`;
    });

  return (
    <Section title="Passkeys" doing={doing}>
      <ul>
        {user.passkeys.map((it) => (
          <li key={it.id}>
            <span>
              {named(it)}
              <small>{it.lastUsedAt ? `Last used ${it.lastUsedAt.toLocaleString()}` : `Made ${it.createdAt.toLocaleString()}`}</small>
            </span>
            <span className="dw-buttons">
              <Link label={`Rename ${named(it)}`} onClick={() => setRenaming(it)}>
                Rename
              </Link>
              <Link label={`Remove ${named(it)}`} onClick={() => remove(it)}>
                Remove
              </Link>
            </span>
          </li>
        ))}
      </ul>
      {renaming ? (
        <Form
          key={renaming.id}
          label={`Rename ${named(renaming)}`}
          action="Save"
          asks={[{ name: "name", label: "Name of the passkey", defaultValue: renaming.name ?? "" }]}
          doing={doing}
          onSubmit={({ name = "" }) => rename(renaming, name)}
          onCancel={() => setRenaming(undefined)}
        />
      ) : (
        enabled && passkeysWork() && <Link onClick={add}>Add a passkey</Link>
      )}
    </Section>
  );
}
