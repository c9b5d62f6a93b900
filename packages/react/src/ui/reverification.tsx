"use client";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type DoorwardAPIError, isDoorwardAPIResponseError, missing } from "../errors.js";
import { passkeysWork } from "../passkey.js";
import type { Session } from "../resources.js";
import type { Factor, SessionVerification, VerificationLevel } from "../types.js";
import { type Ask, backupCode, code, password } from "./asks.js";
import { Card, Field, Link } from "./form.js";
import type { Appearance } from "./styles.js";

/** How one can prove who one is: the same strategies as in a sign-in, as far as they prove that somebody is there. */
const ways: Record<string, { link: string; note: string; asks: Ask[]; sends?: boolean }> = {
  password: { link: "Use your password", note: "Enter your password to go on.", asks: [password] },
  passkey: { link: "Use a passkey", note: "Use a passkey of yours to go on.", asks: [] },
  totp: { link: "Use your authenticator app", note: "Enter the code that your authenticator app shows.", asks: [code] },
  email_code: { link: "Get a code by email", note: "A code is on its way to your email address.", asks: [code], sends: true },
  phone_code: { link: "Get a code by text message", note: "A code is on its way to your phone.", asks: [code], sends: true },
  backup_code: { link: "Use a backup code", note: "Each of your backup codes works once.", asks: [backupCode] },
};

const none = { raw: null, global: null };

export interface ReverificationProps {
  session: Session;
  level?: VerificationLevel;
  appearance?: Appearance;
  /** Whether it was proved. */
  onDone(proved: boolean): void;
}

/** Lets a screen ask, in the middle of something, who is there; false when nobody proves it. What asks is to be shown in the screen. */
export function useReverify(session: Session | null | undefined, appearance?: Appearance): [() => Promise<boolean>, ReactNode] {
  const [asking, setAsking] = useState<(proved: boolean) => void>();
  const reverify = () =>
    new Promise<boolean>((resolve) =>
      setAsking(() => (proved: boolean) => {
        setAsking(undefined);
        resolve(proved);
      }),
    );
  return [reverify, asking && session && <ReverificationDialog session={session} appearance={appearance} onDone={asking} />];
}

/** Asks, over the page, who is there. Escape says nothing, which is a no. */
export function ReverificationDialog({ session, level = "second_factor", appearance, onDone }: ReverificationProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [state, setState] = useState<SessionVerification>();
  const [way, setWay] = useState<string>();
  const [note, setNote] = useState("");
  const [errors, setErrors] = useState<DoorwardAPIError[]>();
  const [busy, setBusy] = useState(false);
  const second = state?.status === "needs_second_factor";
  const factors: Factor[] = (second ? state?.supportedSecondFactors : state?.supportedFirstFactors) ?? [];
  const offered = Object.keys(ways).filter((it) => factors.some(({ strategy }) => strategy === it) && (it !== "passkey" || passkeysWork()));

  async function run(act: () => Promise<unknown>) {
    setBusy(true);
    setErrors(undefined);
    await act().catch((error) => setErrors(isDoorwardAPIResponseError(error) ? error.errors : missing("unexpected_error", "That did not work. Try again in a moment.").errors));
    setBusy(false);
  }

  const begin = () => run(async () => setState(await session.startVerification({ level })));
  useEffect(() => {
    // A dialog that is open already cannot be opened, and strict mode comes here twice.
    if (!dialog.current?.open) dialog.current?.showModal();
    void begin();
    // Once: what is begun takes the place of what was begun before.
  }, []);

  /** Goes on with a strategy: by what it needs to have sent, or by what is entered next. */
  async function choose(strategy: string, at = factors, isSecond = second) {
    const { emailAddressId, phoneNumberId } = at.find((it) => it.strategy === strategy) ?? {};
    setWay(strategy);
    setNote("");
    await run(async () => {
      const { note, sends } = ways[strategy]!;
      const named = { strategy, emailAddressId, phoneNumberId };
      if (sends) await (isSecond ? session.prepareSecondFactorVerification(named) : session.prepareFirstFactorVerification(named));
      setNote(note);
    });
  }
  useEffect(() => {
    if (!state) return;
    if (state.status === "complete") onDone(true);
    else if (offered[0]) void choose(offered[0]);
    else setNote("There is nothing here by which you can prove who you are.");
  }, [state]);

  const submit = ({ code, password }: Record<string, string>) =>
    run(async () => {
      if (!state) return begin();
      const strategy = way!;
      if (strategy === "passkey") setState(await session.verifyWithPasskey());
      else if (second) setState(await session.attemptSecondFactorVerification({ strategy, code: code?.trim() ?? "" }));
      else setState(await session.attemptFirstFactorVerification({ strategy, ...(password === undefined ? { code: code?.trim() } : { password }) }));
    });

  const asks = (way && ways[way]?.asks) || [];
  const at = (ask: Ask) => errors?.find(({ meta }) => meta?.paramName === ask.name) ?? null;
  const others = errors?.filter((it) => !asks.some((ask) => it.meta?.paramName === ask.name));
  return (
    <dialog
      ref={dialog}
      className="dw-dialog"
      aria-label="Is it you?"
      onCancel={(event) => {
        event.preventDefault();
        onDone(false);
      }}
    >
      <Card
        title="Is it you?"
        hint={note}
        step={`${way} ${second}`}
        action="Continue"
        busy={busy}
        errors={errors ? { raw: errors, global: others?.length ? others : null } : none}
        onSubmit={submit}
        appearance={appearance}
        more={
          <>
            {offered
              .filter((it) => it !== way || ways[it]!.sends)
              .map((it) => (
                <Link key={it} onClick={() => choose(it)}>
                  {it === way ? "Send the code again" : ways[it]!.link}
                </Link>
              ))}
            <Link onClick={() => onDone(false)}>Cancel</Link>
          </>
        }
      >
        {asks.map((ask) => (
          <Field key={way} {...ask} error={at(ask)} />
        ))}
      </Card>
    </dialog>
  );
}
