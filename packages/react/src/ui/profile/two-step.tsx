"use client";
import { useState } from "react";
import type { TOTPResource } from "../../types.js";
import { Link } from "../form.js";
import { AuthenticatorForm } from "./authenticator.js";
import { BackupCodes } from "./backup-codes.js";
import { Section, useAccount, useDoing } from "./section.js";

/** The authenticator app and the backup codes. */
export function TwoStepSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const [totp, setTotp] = useState<TOTPResource>();
  const [codes, setCodes] = useState<string[]>();
  const canApp = offers?.attributes.authenticatorApp?.enabled ?? false;
  const canCodes = (offers?.attributes.backupCode?.enabled ?? false) && user.twoFactorEnabled;
  if (!canApp && !user.totpEnabled && !canCodes) return null;

  const enrol = () =>
    doing.run(async () => {
      setTotp(await user.createTOTP());
    });

  function enrolled(backupCodes?: string[]) {
    setTotp(undefined);
    setCodes(backupCodes);
  }

  const disable = () =>
    doing.run(async () => {
      await user.disableTOTP();
      return "The authenticator app is removed.";
    });
  const renew = () =>
    doing.run(async () => {
      setCodes((await user.createBackupCode()).codes);
      return "The codes from before work no more.";
    });

  return (
    <Section title="Two-step verification" doing={doing}>
      <p>{user.twoFactorEnabled ? "Whoever signs in is asked for a second proof." : "Nobody who signs in is asked for a second proof."}</p>
      {totp && <AuthenticatorForm {...{ totp, doing }} onDone={enrolled} onCancel={() => setTotp(undefined)} />}
      {codes && <BackupCodes codes={codes} onDone={() => setCodes(undefined)} />}
      {!totp && !codes && (
        <div className="dw-buttons">
          {canApp && !user.totpEnabled && <Link onClick={enrol}>Set up an authenticator app</Link>}
          {user.totpEnabled && <Link onClick={disable}>Remove the authenticator app</Link>}
          {canCodes && <Link onClick={renew}>{user.backupCodeEnabled ? "Make new backup codes" : "Make backup codes"}</Link>}
        </div>
      )}
    </Section>
  );
}
