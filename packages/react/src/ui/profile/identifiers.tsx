"use client";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { EmailAddress, PhoneNumber } from "../../user.js";
import { type Ask, code } from "../asks.js";
import { Link } from "../form.js";
import { openHere } from "../others.js";
import { Form } from "./form.js";
import { Section, useDoing } from "./section.js";

type Either = EmailAddress | PhoneNumber;

export interface IdentifiersProps<It extends Either> {
  title: string;
  /** In a sentence, such as "email address". */
  noun: string;
  items: It[];
  text(item: It): string;
  primary: string | null;
  ask: Ask;
  strategy: "email_code" | "email_link" | "phone_code";
  create(text: string): Promise<It>;
  makePrimary(item: It): Promise<unknown>;
  /** Whether the instance takes more of them. */
  canAdd: boolean;
  more?(item: It, act: (act: () => Promise<string>) => unknown): ReactNode;
  state?(item: It): string | undefined;
}

const isVerified = (item: Either) => item.verification.status === "verified";

/** Addresses or numbers: each can be added, proved, put first and removed. */
export function Identifiers<It extends Either>({ title, noun, items, text, primary, ask, strategy, create, makePrimary, canAdd, more, state }: IdentifiersProps<It>) {
  const doing = useDoing();
  const [adding, setAdding] = useState(false);
  const [proving, setProving] = useState<It>();
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);

  async function prove(item: It): Promise<string> {
    const to = text(item);
    if (strategy === "email_link" && "createEmailLinkFlow" in item) {
      const { startEmailLinkFlow, cancelEmailLinkFlow } = item.createEmailLinkFlow();
      stop.current?.();
      stop.current = cancelEmailLinkFlow;
      // What follows when it has been opened comes with the user, whom each answer brings anew.
      startEmailLinkFlow({ redirectUrl: openHere() }).catch(() => {});
      return `A link is on its way to ${to}.`;
    }
    await item.prepareVerification({ strategy });
    setProving(item);
    return `A code is on its way to ${to}.`;
  }

  async function add(values: Record<string, string>) {
    await doing.run(async () => {
      const made = await create((values[ask.name] ?? "").trim());
      setAdding(false);
      return prove(made);
    });
  }

  async function verify(item: It, given: string) {
    await doing.run(async () => {
      await item.attemptVerification({ code: given.trim() });
      setProving(undefined);
      return `${text(item)} is verified.`;
    });
  }

  const say = (act: () => Promise<unknown>, note: string) =>
    doing.run(async () => {
      await act();
      return note;
    });
  const described = (item: It) => (isVerified(item) ? (item.id === primary ? "Primary" : (state?.(item) ?? "Verified")) : "Not verified");

  return (
    <Section title={title} doing={doing}>
      <ul>
        {items.map((item) => (
          <li key={item.id}>
            <span>
              {text(item)}
              <small>{described(item)}</small>
            </span>
            <span className="dw-buttons">
              {!isVerified(item) && (
                <Link label={`Verify ${text(item)}`} onClick={() => doing.run(() => prove(item))}>
                  Verify
                </Link>
              )}
              {isVerified(item) && item.id !== primary && (
                <Link label={`Make ${text(item)} primary`} onClick={() => say(() => makePrimary(item), `${text(item)} is your primary ${noun}.`)}>
                  Make primary
                </Link>
              )}
              {more?.(item, (act) => doing.run(act))}
              {item.id !== primary && (
                <Link label={`Remove ${text(item)}`} onClick={() => say(() => item.destroy(), `${text(item)} is removed.`)}>
                  Remove
                </Link>
              )}
            </span>
          </li>
        ))}
      </ul>
      {proving && (
        <Form label={`Verify ${text(proving)}`} action="Verify" asks={[code]} doing={doing} onSubmit={({ code = "" }) => verify(proving, code)} onCancel={() => setProving(undefined)} />
      )}
      {adding && <Form label={`Add ${noun}`} action="Add" asks={[ask]} doing={doing} onSubmit={add} onCancel={() => setAdding(false)} />}
      {canAdd && !adding && !proving && <Link onClick={() => setAdding(true)}>Add {noun}</Link>}
    </Section>
  );
}
