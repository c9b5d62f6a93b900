"use client";
import { type FormEvent, type HTMLAttributes, type ReactNode, useEffect, useId, useRef } from "react";
import type { Doorward, SetActiveParams } from "../doorward.js";
import type { DoorwardAPIError } from "../errors.js";
import type { SignInFuture } from "../sign-in-future.js";
import { type Appearance, css, themed } from "./styles.js";

export interface PanelProps {
  title: string;
  /** What has just happened, read out by screen readers. */
  hint?: ReactNode;
  appearance?: Appearance;
  children: ReactNode;
}

/** What each of our screens is: a titled section in our colours. */
export function Panel({ id: given, title, hint, appearance = {}, pending = false, children }: PanelProps & { id?: string; pending?: boolean }) {
  const own = useId();
  const id = given ?? own;
  return (
    <section className="dw-card" data-theme={appearance.theme ?? "auto"} style={themed(appearance)} aria-labelledby={id} aria-busy={pending}>
      {appearance.styles !== "linked" && <style dangerouslySetInnerHTML={{ __html: css }} />}
      <h1 id={id}>{title}</h1>
      <p aria-live="polite">{hint}</p>
      {children}
    </section>
  );
}

export interface CardProps extends PanelProps {
  /** Which form is shown: when it changes, its first field gets the focus. */
  step: string;
  errors: { raw: DoorwardAPIError[] | null; global: DoorwardAPIError[] | null };
  busy: boolean;
  /** What the form asks for is not known yet. Its place is kept, and nothing is seen that would have to move. */
  pending?: boolean;
  action: string;
  onSubmit: (values: Record<string, string>) => unknown;
  more?: ReactNode;
  /** What comes later than the rest, and so stands last. */
  others?: ReactNode;
}

export function Card({ title, hint, appearance, step, errors, busy, pending, action, onSubmit, children, more, others }: CardProps) {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const shown = useRef(step);

  useEffect(() => {
    // Not on the first: a page that takes the focus by itself is lost on whoever was elsewhere.
    if (shown.current !== step) form.current?.querySelector<HTMLElement>("input,.dw-main")?.focus();
    shown.current = step;
  }, [step]);
  useEffect(() => {
    if (errors.raw) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors.raw]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const values = Object.fromEntries([...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value)]));
    void onSubmit(values);
  }

  return (
    <Panel {...{ id, title, hint, appearance, pending }}>
      <form ref={form} onSubmit={submit} noValidate aria-labelledby={id}>
        {children}
        {errors.global?.map((error) => (
          <p key={error.code} className="dw-error" role="alert">
            {error.longMessage ?? error.message}
          </p>
        ))}
        <button className="dw-main" type="submit" aria-disabled={busy}>
          {busy ? "One moment" : action}
        </button>
      </form>
      {more && <div className="dw-more">{more}</div>}
      {others}
    </Panel>
  );
}

export interface FieldProps {
  name: string;
  label: string;
  type?: string;
  autoComplete?: string;
  inputMode?: HTMLAttributes<HTMLInputElement>["inputMode"];
  defaultValue?: string;
  /** As it is unless it says otherwise. */
  required?: boolean;
  error: DoorwardAPIError | null;
}

export function Field({ name, label, error, ...input }: FieldProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id}>{label}</label>
      <input id={id} name={name} required aria-invalid={error !== null} aria-describedby={error ? `${id}-error` : undefined} {...input} />
      {error && (
        <p id={`${id}-error`} className="dw-error" role="alert">
          {error.longMessage ?? error.message}
        </p>
      )}
    </div>
  );
}

export interface CheckProps {
  name: string;
  label: string;
  defaultChecked?: boolean;
  error: DoorwardAPIError | null;
}

export function Check({ name, label, defaultChecked, error }: CheckProps) {
  const id = useId();
  return (
    <div>
      <label className="dw-check">
        <input type="checkbox" name={name} defaultChecked={defaultChecked} aria-invalid={error !== null} aria-describedby={error ? `${id}-error` : undefined} />
        {label}
      </label>
      {error && (
        <p id={`${id}-error`} className="dw-error" role="alert">
          {error.longMessage ?? error.message}
        </p>
      )}
    </div>
  );
}

export function Link({ children, label, onClick }: { children: ReactNode; label?: string; onClick: () => unknown }) {
  return (
    <button type="button" className="dw-link" aria-label={label} onClick={() => void onClick()}>
      {children}
    </button>
  );
}

/** Goes on with a session that is in use now; but not from one that waits for tasks, which come in the form's place (`Tasked`). */
export const onward =
  (doorward: Doorward, to: string): SetActiveParams["navigate"] =>
  ({ session, decorateUrl }) =>
    session.currentTask ? undefined : doorward.navigate(decorateUrl(to));

/** Makes the session of a complete attempt the one in use, and goes where its form leads. */
export const arrive = (doorward: Doorward, attempt: Pick<SignInFuture, "finalize">, after?: string) =>
  attempt.finalize({ navigate: onward(doorward, destination(after)) });

/** Where to go afterwards: what the address asks for, if it is a page of this app. */
export function destination(fallback = "/"): string {
  const asked = new URLSearchParams(location.search).get("redirect_url");
  if (!asked) return fallback;
  try {
    const url = new URL(asked, location.href);
    return url.origin === location.origin ? url.href : fallback;
  } catch {
    return fallback;
  }
}
