"use client";
import { useState } from "react";
import { useDoorwardContext } from "../../context.js";
import { Link } from "../form.js";
import { Form } from "./form.js";
import { Section, useAccount, useDoing } from "./section.js";

/** The end of an account, where the instance lets people decide on it. */
export function DeleteSection({ afterUrl = "/" }: { afterUrl?: string }) {
  const { doorward } = useDoorwardContext();
  const { user } = useAccount();
  const doing = useDoing();
  const [open, setOpen] = useState(false);
  if (!user.deleteSelfEnabled) return null;
  const end = () =>
    doing.run(async () => {
      await user.delete();
      await doorward.navigate(afterUrl);
    });
  return (
    <Section title="Delete account" doing={doing}>
      {open ? (
        <Form label="Delete account" action="Delete it for ever" asks={[]} doing={doing} onSubmit={end} onCancel={() => setOpen(false)}>
          <p>Your account and all that belongs to it will be gone. Nobody can bring it back.</p>
        </Form>
      ) : (
        <Link onClick={() => setOpen(true)}>Delete your account</Link>
      )}
    </Section>
  );
}
