"use client";
import { useId, useState } from "react";
import type { Ask } from "../asks.js";
import { Link } from "../form.js";
import { Form } from "./form.js";
import { Section, useAccount, useDoing } from "./section.js";

/** Name, user name and picture. */
export function NameSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const [editing, setEditing] = useState(false);
  const picture = useId();
  const has = (name: "firstName" | "lastName" | "username") => offers?.attributes[name]?.enabled ?? false;
  const text = (value: string | null) => value ?? undefined;
  const all: (Ask & { shown: boolean })[] = [
    { name: "firstName", label: "First name", autoComplete: "given-name", defaultValue: text(user.firstName), required: false, shown: has("firstName") },
    { name: "lastName", label: "Last name", autoComplete: "family-name", defaultValue: text(user.lastName), required: false, shown: has("lastName") },
    { name: "username", label: "User name", autoComplete: "username", defaultValue: text(user.username), required: false, shown: has("username") },
  ];
  const asks = all.filter(({ shown }) => shown).map(({ shown: _, ...ask }) => ask);

  async function save(values: Record<string, string>) {
    const done = await doing.run(async () => {
      await user.update(values);
      return "Saved.";
    });
    if (done) setEditing(false);
  }

  const choose = (file: File | undefined) =>
    file &&
    doing.run(async () => {
      await user.setProfileImage({ file });
      return "Your picture has changed.";
    });
  const remove = () =>
    doing.run(async () => {
      await user.setProfileImage({ file: null });
      return "Your picture is gone.";
    });

  return (
    <Section title="Name" doing={doing}>
      <div className="dw-who">
        <img src={user.imageUrl} alt="" width="48" height="48" />
        <p>
          <span>{user.fullName ?? user.username ?? "None given"}</span>
          {user.fullName && user.username && <small>{user.username}</small>}
        </p>
      </div>
      {editing ? (
        <Form label="Name" action="Save" {...{ doing, asks }} onSubmit={save} onCancel={() => setEditing(false)} />
      ) : (
        <div className="dw-buttons">
          {asks.length > 0 && (
            <Link label="Change your name" onClick={() => setEditing(true)}>
              Change
            </Link>
          )}
          <label className="dw-file" htmlFor={picture}>
            Choose a picture
            <input id={picture} type="file" accept="image/png,image/jpeg,image/gif,image/webp" onChange={({ currentTarget: { files } }) => void choose(files?.[0])} />
          </label>
          {user.hasImage && <Link onClick={remove}>Remove the picture</Link>}
        </div>
      )}
    </Section>
  );
}
