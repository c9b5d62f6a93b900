"use client";
import { useId, useLayoutEffect, useRef } from "react";

/** Backup codes, which are shown this once. */
export function BackupCodes({ codes, heading: Heading = "h3", onDone }: { codes: string[]; heading?: "h2" | "h3"; onDone(): void }) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => heading.current?.focus(), []);
  return (
    <div className="dw-codes" role="group" aria-labelledby={id}>
      <Heading id={id} ref={heading} tabIndex={-1}>
        Your backup codes
      </Heading>
      <p>Each works once, in place of the second step. Keep them where you find them without this device: they are not shown again.</p>
      <ol>
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <button type="button" className="dw-main" onClick={onDone}>
        I have kept them
      </button>
    </div>
  );
}
