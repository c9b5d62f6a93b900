"use client";
import { useRef, useState } from "react";
import type { TOTPResource } from "../../types.js";
import type { PhoneNumber } from "../../user.js";
import { type Ask, code, phone } from "../asks.js";
import { AuthenticatorForm } from "../profile/authenticator.js";
import { Form, useFirstFocus } from "../profile/form.js";
import { type Doing, useAccount } from "../profile/section.js";
import type { Task, TaskProps } from "./index.js";

const number: Ask = { ...phone, name: "phoneNumber" };

/** What there is to choose from, by what is written on it. */
function Choices({ doing, all }: { doing: Doing; all: (readonly [string, () => unknown])[] }) {
  const place = useRef<HTMLDivElement>(null);
  useFirstFocus(place);
  return (
    <div ref={place} className="dw-choices">
      {all.map(([text, act]) => (
        <button key={text} type="button" className="dw-other" aria-disabled={doing.busy} onClick={() => void act()}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** An authenticator app or a phone number, whichever of them the instance takes. */
function SecondStep({ doing, onCodes }: TaskProps) {
  const { user, offers } = useAccount();
  const [totp, setTotp] = useState<TOTPResource>();
  const [adding, setAdding] = useState(false);
  const [proving, setProving] = useState<PhoneNumber>();
  const { authenticatorApp, phoneNumber } = offers?.attributes ?? {};
  const byPhone = phoneNumber?.secondFactors.includes("phone_code");
  // Where the instance has not said what it takes, most take this.
  const byApp = authenticatorApp?.enabled ?? !byPhone;

  function back() {
    setTotp(undefined);
    setAdding(false);
    setProving(undefined);
  }

  const enrol = () => doing.run(async () => setTotp(await user.createTOTP()));

  /** Takes a number that is proven, and has any other proven first. */
  async function take(it: PhoneNumber): Promise<string | void> {
    if (it.verification.status === "verified") return onCodes((await it.setReservedForSecondFactor({ reserved: true })).backupCodes);
    await it.prepareVerification({ strategy: "phone_code" });
    setAdding(false);
    setProving(it);
    return `A code is on its way to ${it.phoneNumber}.`;
  }

  const add = ({ phoneNumber = "" }: Record<string, string>) => doing.run(async () => take(await user.createPhoneNumber({ phoneNumber: phoneNumber.trim() })));

  const prove = (it: PhoneNumber, given: string) =>
    doing.run(async () => {
      await it.attemptVerification({ code: given.trim() });
      return take(it);
    });

  if (totp) return <AuthenticatorForm {...{ totp, doing }} onDone={onCodes} onCancel={back} />;
  if (proving) return <Form key="code" label={`Verify ${proving.phoneNumber}`} action="Verify" asks={[code]} doing={doing} onSubmit={({ code = "" }) => prove(proving, code)} onCancel={back} />;
  if (adding) return <Form key="number" label="Add phone number" action="Send the code" asks={[number]} doing={doing} onSubmit={add} onCancel={back} />;
  const phones = byPhone
    ? [
        ...user.phoneNumbers.map((it) => [`Get codes at ${it.phoneNumber}`, () => doing.run(() => take(it))] as const),
        [user.phoneNumbers.length ? "Get codes at another number" : "Get codes by text message", () => setAdding(true)] as const,
      ]
    : [];
  return <Choices doing={doing} all={[...(byApp ? [["Use an authenticator app", enrol] as const] : []), ...phones]} />;
}

export const setupMfa: Task = {
  title: "Set up a second step",
  text: "This app asks everybody for a second proof when they sign in.",
  Body: SecondStep,
};
