"use client";
import { useEffect, useRef, useState } from "react";
import { useDoorwardContext } from "../context.js";
import { useSignIn } from "../signals.js";
import { Card, Field, Link, destination } from "./form.js";
import type { Appearance } from "./styles.js";

export interface SignInProps {
  appearance?: Appearance;
  /** The page for those who have no account; without it, none is offered. */
  signUpUrl?: string;
  /** Where to go afterwards, if the address does not say. */
  redirectUrl?: string;
}

type Step = "password" | "address" | "code" | "forgotten" | "reset-code" | "new-password" | "totp" | "backup-code";

const texts: Record<Step, { title: string; action: string }> = {
  password: { title: "Sign in", action: "Sign in" },
  address: { title: "Sign in with a code", action: "Send the code" },
  code: { title: "Check your email", action: "Sign in" },
  forgotten: { title: "Reset your password", action: "Send the code" },
  "reset-code": { title: "Check your email", action: "Continue" },
  "new-password": { title: "Choose a new password", action: "Save and sign in" },
  totp: { title: "Second step", action: "Sign in" },
  "backup-code": { title: "Use a backup code", action: "Sign in" },
};

/** The form to sign in: by password, by a code in an email, or with a new password; and the second step, where there is one. */
export function SignIn({ appearance, signUpUrl, redirectUrl }: SignInProps) {
  const { doorward } = useDoorwardContext();
  const { signIn, errors: all, fetchStatus } = useSignIn();
  const [step, setStep] = useState<Step>("password");
  const [email, setEmail] = useState("");
  const [note, setNote] = useState("");
  const [tried, setTried] = useState<Step>();
  // What was wrong with one step is not wrong with the next one.
  const errors = tried === step ? all : { ...all, raw: null, global: null, fields: {} as typeof all.fields };
  const { fields } = errors;

  async function go(to: Step) {
    await signIn.reset();
    setNote("");
    setStep(to);
  }

  async function finish() {
    if (signIn.status === "complete") await signIn.finalize({ navigate: ({ decorateUrl }) => doorward.navigate(decorateUrl(destination(redirectUrl))) });
    else if (signIn.status === "needs_new_password") setStep("new-password");
    else if (signIn.status === "needs_second_factor") secondStep("totp");
  }

  function secondStep(to: "totp" | "backup-code") {
    setNote(to === "totp" ? "Enter the code that your authenticator app shows." : "Each of your backup codes works once.");
    setStep(to);
  }

  // Whoever comes by a link that signs in has nothing to enter.
  const ticket = useRef(false);
  useEffect(() => {
    const url = new URL(location.href);
    const given = url.searchParams.get("__clerk_ticket");
    if (!given || ticket.current) return;
    ticket.current = true;
    url.searchParams.delete("__clerk_ticket");
    history.replaceState(history.state, "", url);
    setTried("password");
    void signIn.ticket({ ticket: given }).then(({ error }) => (error ? undefined : finish()));
  });

  async function submit(values: Record<string, string>) {
    const address = values.identifier ?? email;
    setEmail(address);
    setNote("");
    setTried(step);
    const { error } = await act(values, address);
    if (error) return;
    if (step === "address" || step === "forgotten") {
      setNote(`A code is on its way to ${address}.`);
      setStep(step === "address" ? "code" : "reset-code");
    } else await finish();
  }

  async function act({ password = "", code = "" }: Record<string, string>, address: string) {
    switch (step) {
      case "password":
        return signIn.password({ identifier: address, password });
      case "address":
        return signIn.emailCode.sendCode({ emailAddress: address });
      case "code":
        return signIn.emailCode.verifyCode({ code: code.trim() });
      case "forgotten":
        return signIn.resetPasswordEmailCode.sendCode({ emailAddress: address });
      case "reset-code":
        return signIn.resetPasswordEmailCode.verifyCode({ code: code.trim() });
      case "new-password":
        return signIn.resetPasswordEmailCode.submitPassword({ password, signOutOfOtherSessions: true });
      case "totp":
        return signIn.mfa.verifyTOTP({ code: code.trim() });
      case "backup-code":
        return signIn.mfa.verifyBackupCode({ code: code.trim() });
    }
  }

  const asksAddress = step === "password" || step === "address" || step === "forgotten";
  const asksPassword = step === "password" || step === "new-password";
  const second = step === "totp" || step === "backup-code";
  const asksCode = step === "code" || step === "reset-code" || second;
  const offersBackup = signIn.supportedSecondFactors?.some((factor) => factor.strategy === "backup_code");
  return (
    <Card
      {...{ appearance, step, errors, ...texts[step] }}
      hint={note}
      busy={fetchStatus === "fetching"}
      onSubmit={submit}
      more={
        <>
          {step !== "password" && <Link onClick={() => go("password")}>{second ? "Start over" : "Use your password"}</Link>}
          {step === "totp" && offersBackup && <Link onClick={() => secondStep("backup-code")}>Use a backup code</Link>}
          {step === "backup-code" && <Link onClick={() => secondStep("totp")}>Use your authenticator app</Link>}
          {step === "password" && <Link onClick={() => go("address")}>Get a code by email</Link>}
          {step === "password" && <Link onClick={() => go("forgotten")}>Forgot your password?</Link>}
          {signUpUrl && <a href={signUpUrl}>No account yet? Sign up</a>}
        </>
      }
    >
      {asksAddress && <Field key="identifier" name="identifier" label="Email" type="email" autoComplete="username" defaultValue={email} error={fields.identifier} />}
      {asksCode && (
        <Field key={step} name="code" label="Code" inputMode={step === "backup-code" ? "text" : "numeric"} autoComplete="one-time-code" error={fields.code} />
      )}
      {asksPassword && (
        <Field
          key={step}
          name="password"
          label={step === "password" ? "Password" : "New password"}
          type="password"
          autoComplete={step === "password" ? "current-password" : "new-password"}
          error={fields.password}
        />
      )}
    </Card>
  );
}
