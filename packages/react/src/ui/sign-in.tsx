"use client";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useDoorwardContext } from "../context.js";
import { passkeysWork } from "../passkey.js";
import { useSignIn } from "../signals.js";
import type { OAuthStrategy } from "../types.js";
import { Card, Field, Link, destination } from "./form.js";
import { Others, comeBackHere, useOffers, useReturn } from "./others.js";
import type { Appearance } from "./styles.js";

export interface SignInProps {
  appearance?: Appearance;
  /** The page for those who have no account; without it, none is offered. */
  signUpUrl?: string;
  /** Where to go afterwards, if the address does not say. */
  redirectUrl?: string;
  /** Offers passkeys, in browsers that have them. The instance must have them on. */
  passkeys?: boolean;
}

type Second = "totp" | "phone_code" | "email_code" | "backup_code";
type Step = "password" | "address" | "code" | "number" | "phone-code" | "forgotten" | "reset-code" | "new-password" | Second;

/** The second steps, the first that an account has being the one that it is asked for. */
const seconds: Record<Second, { link: string; note: string }> = {
  totp: { link: "Use your authenticator app", note: "Enter the code that your authenticator app shows." },
  phone_code: { link: "Get a code by text message", note: "A code is on its way to your phone." },
  email_code: { link: "Get a code by email", note: "You sign in on a new device: a code is on its way to your email address." },
  backup_code: { link: "Use a backup code", note: "Each of your backup codes works once." },
};
/** The steps that send a code, and where it is entered. */
const sends: Partial<Record<Step, Step>> = { address: "code", number: "phone-code", forgotten: "reset-code" };
const never = () => () => {};
const isSecond = (step: Step): step is Second => step in seconds;

const texts: Record<Step, { title: string; action: string }> = {
  password: { title: "Sign in", action: "Sign in" },
  address: { title: "Sign in with a code", action: "Send the code" },
  code: { title: "Check your email", action: "Sign in" },
  number: { title: "Sign in with a text message", action: "Send the code" },
  "phone-code": { title: "Check your messages", action: "Sign in" },
  forgotten: { title: "Reset your password", action: "Send the code" },
  "reset-code": { title: "Check your email", action: "Continue" },
  "new-password": { title: "Choose a new password", action: "Save and sign in" },
  totp: { title: "Second step", action: "Sign in" },
  phone_code: { title: "Check your phone", action: "Sign in" },
  email_code: { title: "Check your email", action: "Sign in" },
  backup_code: { title: "Use a backup code", action: "Sign in" },
};

/**
 * The form to sign in: by password, passkey, a code in an email or a text message, or with a new password; by accounts elsewhere,
 * where the instance takes them; and the second step, where there is one.
 */
export function SignIn({ appearance, signUpUrl, redirectUrl: after, passkeys }: SignInProps) {
  const { doorward } = useDoorwardContext();
  const { signIn, errors: all, fetchStatus } = useSignIn();
  const offers = useOffers();
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
    if (signIn.status === "complete") await signIn.finalize({ navigate: ({ decorateUrl }) => doorward.navigate(decorateUrl(destination(after))) });
    else if (signIn.status === "needs_new_password") setStep("new-password");
    else if (signIn.status === "needs_second_factor" || signIn.status === "needs_client_trust") {
      const first = offered()[0];
      if (first) await secondStep(first);
    }
  }

  const offered = () => (Object.keys(seconds) as Second[]).filter((step) => signIn.supportedSecondFactors.some(({ strategy }) => strategy === step));

  async function secondStep(to: Second) {
    setNote("");
    setTried(to);
    setStep(to);
    const { error } = to === "phone_code" ? await signIn.mfa.sendPhoneCode() : to === "email_code" ? await signIn.mfa.sendEmailCode() : { error: null };
    if (!error) setNote(seconds[to].note);
  }

  // What the server rendered does not know the browser: hydration begins with what it showed.
  const canPasskey = useSyncExternalStore(never, passkeysWork, () => false) && passkeys;

  async function passkey() {
    setNote("");
    setTried("password");
    if (!(await signIn.passkey()).error) await finish();
  }

  useReturn(
    () => destination(after),
    (error) => (error ? setNote(error) : finish()),
  );

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
    if (sends[step]) {
      setNote(`A code is on its way to ${address}.`);
      setStep(sends[step]);
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
      case "number":
        return signIn.phoneCode.sendCode({ phoneNumber: address });
      case "phone-code":
        return signIn.phoneCode.verifyCode({ code: code.trim() });
      case "forgotten":
        return signIn.resetPasswordEmailCode.sendCode({ emailAddress: address });
      case "reset-code":
        return signIn.resetPasswordEmailCode.verifyCode({ code: code.trim() });
      case "new-password":
        return signIn.resetPasswordEmailCode.submitPassword({ password, signOutOfOtherSessions: true });
      case "totp":
        return signIn.mfa.verifyTOTP({ code: code.trim() });
      case "phone_code":
        return signIn.mfa.verifyPhoneCode({ code: code.trim() });
      case "email_code":
        return signIn.mfa.verifyEmailCode({ code: code.trim() });
      case "backup_code":
        return signIn.mfa.verifyBackupCode({ code: code.trim() });
    }
  }

  async function withProvider(strategy: OAuthStrategy) {
    setTried(step);
    const redirectUrl = new URL(destination(after), location.href).href;
    await signIn.sso({ strategy, redirectUrl, redirectCallbackUrl: comeBackHere() });
  }

  const asksAddress = step === "password" || step === "address" || step === "forgotten";
  const asksPassword = step === "password" || step === "new-password";
  const second = isSecond(step);
  const asksCode = step === "code" || step === "phone-code" || step === "reset-code" || second;
  return (
    <Card
      {...{ appearance, step, errors, ...texts[step] }}
      hint={note}
      busy={fetchStatus === "fetching"}
      onSubmit={submit}
      more={
        <>
          {step !== "password" && <Link onClick={() => go("password")}>{second ? "Start over" : "Use your password"}</Link>}
          {second &&
            offered()
              .filter((to) => to !== step || to === "phone_code" || to === "email_code")
              .map((to) => (
                <Link key={to} onClick={() => secondStep(to)}>
                  {to === step ? "Send the code again" : seconds[to].link}
                </Link>
              ))}
          {step === "password" && canPasskey && <Link onClick={passkey}>Use a passkey</Link>}
          {step === "password" && <Link onClick={() => go("address")}>Get a code by email</Link>}
          {step === "address" && offers?.phoneCode && <Link onClick={() => go("number")}>Get a code by text message</Link>}
          {step === "password" && <Link onClick={() => go("forgotten")}>Forgot your password?</Link>}
          {signUpUrl && <a href={signUpUrl}>No account yet? Sign up</a>}
        </>
      }
      others={step === "password" && <Others offers={offers} busy={fetchStatus === "fetching"} onProvider={withProvider} />}
    >
      {asksAddress && <Field key="identifier" name="identifier" label="Email" type="email" autoComplete="username" defaultValue={email} error={fields.identifier} />}
      {step === "number" && <Field key="number" name="identifier" label="Phone number" type="tel" autoComplete="tel" error={fields.identifier} />}
      {asksCode && (
        <Field key={step} name="code" label="Code" inputMode={step === "backup_code" ? "text" : "numeric"} autoComplete="one-time-code" error={fields.code} />
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
