"use client";
import { useState } from "react";
import type { TOTPResource } from "../../types.js";
import { code } from "../asks.js";
import { Link } from "../form.js";
import { BackupCodes } from "./backup-codes.js";
import { Form } from "./form.js";
import { qr } from "./qr.js";
import { Section, useAccount, useDoing } from "./section.js";

/** In groups of four, as people copy it. */
const grouped = (secret: string) => secret.replace(/(.{4})(?=.)/g, "$1 ");

/** What an authenticator app's camera reads. */
function Picture({ text }: { text: string }) {
  const modules = qr(text);
  if (!modules) return null;
  // The margin is part of it, and so is the ground: in a dark theme a reader would not find it.
  const size = modules.length + 8;
  const path = modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return (
    <svg className="dw-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label="The key as a QR code" shapeRendering="crispEdges">
      <path fill="#fff" d={`M0 0h${size}v${size}H0z`} />
      <path d={path} />
    </svg>
  );
}

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

  async function verify({ code = "" }: Record<string, string>) {
    await doing.run(async () => {
      const { backupCodes } = await user.verifyTOTP({ code: code.trim() });
      setTotp(undefined);
      setCodes(backupCodes);
      return "Your authenticator app is set up.";
    });
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
      {totp && (
        <Form label="Authenticator app" action="Verify" asks={[code]} doing={doing} onSubmit={verify} onCancel={() => setTotp(undefined)}>
          <div>
            <p>Show this to your authenticator app, or enter the key there, and then the code that it shows here.</p>
            {totp.uri && <Picture text={totp.uri} />}
            <p>
              <code>{grouped(totp.secret ?? "")}</code>
            </p>
            {totp.uri && <a href={totp.uri}>Open it in an app on this device</a>}
          </div>
        </Form>
      )}
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
