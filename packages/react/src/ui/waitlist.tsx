"use client";
import { useState } from "react";
import { useDoorwardContext } from "../context.js";
import type { Doorward } from "../doorward.js";
import { type DoorwardAPIError, DoorwardAPIResponseError, isDoorwardAPIResponseError } from "../errors.js";
import { Card, Field } from "./form.js";
import type { Appearance } from "./styles.js";

export interface WaitlistProps {
  appearance?: Appearance;
  /** The page for those who have an account; without it, none is offered. */
  signInUrl?: string;
  /** Where to go once the address is on the list; without it, the form says so. */
  afterJoinWaitlistUrl?: string;
}

const failed = "That did not work. Try again in a moment.";

/** Puts an address on the waitlist. Only this form does, so the core does not know how. */
async function join(doorward: Doorward, email_address: string): Promise<void> {
  const url = new URL(`${doorward.frontend}/v1/waitlist`, location.href);
  const answer = await fetch(url, { method: "POST", credentials: "include", body: new URLSearchParams({ email_address }) });
  if (!answer.ok) throw new DoorwardAPIResponseError(failed, { status: answer.status, ...(await answer.json().catch(() => ({}))) });
}

/** The form of those who cannot sign up yet and ask to be let in. */
export function Waitlist({ appearance, signInUrl, afterJoinWaitlistUrl }: WaitlistProps) {
  const { doorward } = useDoorwardContext();
  const [busy, setBusy] = useState(false);
  const [joined, setJoined] = useState("");
  const [raw, setRaw] = useState<DoorwardAPIError[] | null>(null);
  const ofField = raw?.find(({ meta }) => meta?.paramName === "email_address") ?? null;

  async function submit({ emailAddress = "" }: Record<string, string>) {
    setBusy(true);
    setRaw(null);
    try {
      await join(doorward, emailAddress);
      if (afterJoinWaitlistUrl) await doorward.navigate(afterJoinWaitlistUrl);
      else setJoined(emailAddress);
    } catch (error) {
      setRaw(isDoorwardAPIResponseError(error) ? error.errors : [{ code: "network_error", message: failed }]);
    }
    setBusy(false);
  }

  return (
    <Card
      {...{ appearance, busy }}
      step={joined ? "joined" : "address"}
      title={joined ? "You are on the list" : "Join the waitlist"}
      hint={joined && `${joined} is on the waitlist. You get an email when there is a place for you.`}
      action={joined ? "Name another address" : "Join"}
      errors={{ raw, global: raw?.filter((it) => it !== ofField) ?? null }}
      onSubmit={joined ? () => setJoined("") : submit}
      more={signInUrl && <a href={signInUrl}>Have an account? Sign in</a>}
    >
      {!joined && <Field name="emailAddress" label="Email" type="email" autoComplete="email" error={ofField} />}
    </Card>
  );
}
