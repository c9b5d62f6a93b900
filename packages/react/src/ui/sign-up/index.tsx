"use client";
import { useState } from "react";
import { useDoorwardContext } from "../context.js";
import { useSignUp } from "../signals.js";
import type { OAuthStrategy } from "../types.js";
import { Card, Field, Link, destination } from "./form.js";
import { Others, comeBackHere, useOffers, useReturn } from "./others.js";
import type { Appearance } from "./styles.js";

export interface SignUpProps {
  appearance?: Appearance;
  /** The page for those who have an account; without it, none is offered. */
  signInUrl?: string;
  /** Where to go afterwards, if the address does not say. */
  redirectUrl?: string;
}

/** The form to sign up: an address and a password, and the code that proves the address; or an account elsewhere. */
export function SignUp({ appearance, signInUrl, redirectUrl: after }: SignUpProps) {
  const { doorward } = useDoorwardContext();
  const { signUp, errors, fetchStatus } = useSignUp();
  const offers = useOffers();
  const [step, setStep] = useState<"details" | "code">("details");
  const [email, setEmail] = useState("");
  const [note, setNote] = useState("");
  const { fields } = errors;

  async function finish() {
    if (signUp.status === "complete") await signUp.finalize({ navigate: ({ decorateUrl }) => doorward.navigate(decorateUrl(destination(after))) });
    else setNote(`Still missing: ${signUp.missingFields.join(", ").replaceAll("_", " ")}.`);
  }

  useReturn(
    () => destination(after),
    (error) => (error ? setNote(error) : finish()),
  );

  async function withProvider(strategy: OAuthStrategy) {
    await signUp.sso({ strategy, redirectUrl: new URL(destination(after), location.href).href, redirectCallbackUrl: comeBackHere() });
  }

  async function send() {
    const { error } = await signUp.verifications.sendEmailCode();
    if (error) return;
    setNote(`A code is on its way to ${signUp.emailAddress ?? email}.`);
    setStep("code");
  }

  async function submit({ emailAddress = email, password = "", code = "" }: Record<string, string>) {
    setNote("");
    if (step === "details") {
      setEmail(emailAddress);
      const { error } = await signUp.password({ emailAddress, password });
      if (error) return;
      if (signUp.unverifiedFields.includes("email_address")) await send();
      else await finish();
    } else if (!(await signUp.verifications.verifyEmailCode({ code: code.trim() })).error) await finish();
  }

  async function back() {
    await signUp.reset();
    setNote("");
    setStep("details");
  }

  return (
    <Card
      {...{ appearance, step, errors }}
      title={step === "details" ? "Create your account" : "Check your email"}
      action={step === "details" ? "Sign up" : "Verify"}
      hint={note}
      busy={fetchStatus === "fetching"}
      onSubmit={submit}
      more={
        <>
          {step === "code" && <Link onClick={back}>Use another address</Link>}
          {step === "code" && <Link onClick={send}>Send the code again</Link>}
          {signInUrl && <a href={signInUrl}>Have an account? Sign in</a>}
        </>
      }
      others={step === "details" && <Others offers={offers} busy={fetchStatus === "fetching"} onProvider={withProvider} />}
    >
      {step === "details" ? (
        <>
          <Field name="emailAddress" label="Email" type="email" autoComplete="email" defaultValue={email} error={fields.emailAddress} />
          <Field name="password" label="Password" type="password" autoComplete="new-password" error={fields.password} />
        </>
      ) : (
        <Field name="code" label="Code" inputMode="numeric" autoComplete="one-time-code" error={fields.code} />
      )}
    </Card>
  );
}
