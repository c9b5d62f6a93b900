"use client";
import { type FormEvent, type ReactNode, type RefObject, useLayoutEffect, useRef } from "react";
import { name } from "../../camel.js";
import type { Ask } from "../asks.js";
import { Field, Link } from "../form.js";
import type { Doing } from "./section.js";

export interface FormProps {
  doing: Doing;
  asks: Ask[];
  action: string;
  /** Says more than the buttons of other forms on this page. */
  label: string;
  onSubmit(values: Record<string, string>): unknown;
  onCancel?(): unknown;
  /** Before the fields, and after them. */
  children?: ReactNode;
  more?: ReactNode;
}

/**
 * Gives the focus to the first of what has come up, before it can be seen: later, what somebody types into another field would land
 * in this one. Not on a page that has just been opened: whoever has touched nothing yet may be elsewhere on it.
 */
export function useFirstFocus(place: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    if (navigator.userActivation?.hasBeenActive ?? true) place.current?.querySelector<HTMLElement>("input,button")?.focus();
  }, []);
}

/** A form inside of a section, which takes the focus when it opens. */
export function Form({ doing, asks, action, label, onSubmit, onCancel, children, more }: FormProps) {
  const form = useRef<HTMLFormElement>(null);
  const errorAt = (field: string) => doing.errors.find(({ meta }) => meta?.paramName && name(meta.paramName) === field) ?? null;
  // A refusal that belongs to none of these fields must not be lost.
  const stray = doing.errors.filter(({ meta }) => meta?.paramName && !asks.some((it) => it.name === name(meta.paramName!)));

  useFirstFocus(form);
  useLayoutEffect(() => {
    if (doing.errors.length) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [doing.errors]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    onSubmit(Object.fromEntries([...new FormData(event.currentTarget)].map(([key, value]) => [key, String(value)])));
  }

  return (
    <form ref={form} onSubmit={submit} noValidate aria-label={label}>
      {children}
      {asks.map((it) => (
        <Field key={it.name} {...it} error={errorAt(it.name)} />
      ))}
      {more}
      {stray.map((error) => (
        <p key={error.code} className="dw-error" role="alert">
          {error.longMessage ?? error.message}
        </p>
      ))}
      <div className="dw-buttons">
        <button className="dw-main" type="submit" aria-disabled={doing.busy}>
          {doing.busy ? "One moment" : action}
        </button>
        {onCancel && <Link onClick={onCancel}>Cancel</Link>}
      </div>
    </form>
  );
}
