"use client";
import { type ReactNode, createContext, useContext, useId, useRef, useState } from "react";
import { type DoorwardAPIError, isDoorwardAPIResponseError } from "../../errors.js";
import type { User } from "../../user.js";
import type { Offers } from "../environment.js";

export interface Account {
  user: User;
  offers: Offers | undefined;
  /** Has the user prove who they are, in the middle of something; false when they would not. */
  reverify(): Promise<boolean>;
}

const AccountContext = createContext<Account | undefined>(undefined);
export const AccountProvider = AccountContext.Provider;

export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error("Doorward: a section of the account stands outside of it.");
  return account;
}

/** What a section does: one thing at a time, and what it came to. */
export interface Doing {
  busy: boolean;
  note: string;
  errors: DoorwardAPIError[];
  /** Does it. What it answers is said to the user. Answers whether it was done. */
  run(act: () => Promise<string | void>): Promise<boolean>;
}

const failed: DoorwardAPIError = { code: "unexpected_error", message: "That did not work. Try again in a moment." };
const said = (error: unknown) => (isDoorwardAPIResponseError(error) ? error.errors : [failed]);
const needsProof = (error: unknown) => said(error).some(({ code }) => code === "session_reverification_required");

export function useDoing(): Doing {
  const { reverify } = useAccount();
  const [state, setState] = useState<Omit<Doing, "run">>({ busy: false, note: "", errors: [] });
  const busy = useRef(false);

  async function withProof(act: () => Promise<string | void>): Promise<string | void> {
    try {
      return await act();
    } catch (error) {
      if (!needsProof(error) || !(await reverify())) throw error;
      return act();
    }
  }

  async function run(act: () => Promise<string | void>): Promise<boolean> {
    if (busy.current) return false;
    busy.current = true;
    setState({ busy: true, note: "", errors: [] });
    const came = await withProof(act).then(
      (note) => ({ note: note ?? "", errors: [] }),
      (error) => ({ note: "", errors: said(error) }),
    );
    busy.current = false;
    setState({ busy: false, ...came });
    return came.errors.length === 0;
  }
  return { ...state, run };
}

/** What was wrong with none of the fields. */
export function Errors({ doing }: { doing: Doing }) {
  return doing.errors
    .filter(({ meta }) => !meta?.paramName)
    .map((error) => (
      <p key={error.code} className="dw-error" role="alert">
        {error.longMessage ?? error.message}
      </p>
    ));
}

/** One part of the account, with what has just come of it. */
export function Section({ title, doing, children }: { title: string; doing: Doing; children: ReactNode }) {
  const id = useId();
  return (
    <section className="dw-section" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
      <p aria-live="polite">{doing.note}</p>
      <Errors doing={doing} />
    </section>
  );
}
