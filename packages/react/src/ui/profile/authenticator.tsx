"use client";
import type { TOTPResource } from "../../types.js";
import { code } from "../asks.js";
import { Form } from "./form.js";
import { qr } from "./qr.js";
import { type Doing, useAccount } from "./section.js";

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

export interface AuthenticatorFormProps {
  totp: TOTPResource;
  doing: Doing;
  /** With the first backup codes, where the instance has such. */
  onDone(backupCodes?: string[]): void;
  onCancel(): void;
}

/** Shows the key of an authenticator app, and wants a code of it. */
export function AuthenticatorForm({ totp, doing, onDone, onCancel }: AuthenticatorFormProps) {
  const { user } = useAccount();

  const verify = ({ code = "" }: Record<string, string>) =>
    doing.run(async () => {
      const { backupCodes } = await user.verifyTOTP({ code: code.trim() });
      onDone(backupCodes);
      return "Your authenticator app is set up.";
    });

  return (
    <Form label="Authenticator app" action="Verify" asks={[code]} doing={doing} onSubmit={verify} onCancel={onCancel}>
      <div>
        <p>Show this to your authenticator app, or enter the key there, and then the code that it shows here.</p>
        {totp.uri && <Picture text={totp.uri} />}
        <p>
          <code>{grouped(totp.secret ?? "")}</code>
        </p>
        {totp.uri && <a href={totp.uri}>Open it in an app on this device</a>}
      </div>
    </Form>
  );
}
