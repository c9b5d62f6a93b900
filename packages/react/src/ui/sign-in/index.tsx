"use client";
import { useEffect, useState, useSyncExternalStore } from "react";
import { useDoorwardContext } from "../../context.js";
import { passkeysWork } from "../../passkey.js";
import { useSignIn, useSignUp } from "../../signals.js";
import type { OAuthStrategy } from "../../types.js";
import type { Ask } from "../asks.js";
import { type Offers, useOffers, usual } from "../environment.js";
import { Card, Field, Link, arrive, destination } from "../form.js";
import type { Wallet } from "../../web3.js";
import { type OAuthFlow, Others, comeBackHere, goOnAt, useLink, useReturn, useTicket, windowFor } from "../others.js";
import type { Appearance } from "../styles.js";
import { Tasked } from "../tasked.js";
import { withWallet } from "../wallets.js";
import { useAutofill } from "./autofill.js";
import { emailCode } from "./email-code.js";
import { emailLink } from "./email-link.js";
import { password } from "./password.js";
import { phoneCode } from "./phone-code.js";
import { resetPassword } from "./reset-password.js";
import { secondFactors } from "./second-factors.js";
import type { Step, Strategy, Way } from "./strategy.js";

export interface SignInProps {
  appearance?: Appearance;
  /** The page for those who have no account; without it, none is offered. */
  signUpUrl?: string;
  /** Where to go afterwards, if the address does not say. */
  redirectUrl?: string;
  /**
   * Offers passkeys, in browsers that have them. The instance must have them on. Where it says so, they are offered in the field for
   * the address too, unless this is false.
   */
  passkeys?: boolean;
  /** How people visit a provider; by leaving this page unless it says otherwise. */
  oauthFlow?: OAuthFlow;
}

const strategies: Strategy[] = [password, emailCode, emailLink, phoneCode, resetPassword];
const steps: Record<string, Step> = Object.assign({}, ...strategies.map((it) => it.steps), secondFactors);
const ways: Way[] = strategies.flatMap((it) => it.ways ?? []);
const never = () => () => {};

/** How the form with the password asks for who it is: by whatever the instance lets people name themselves by. */
function whoIsIt({ attributes }: Offers): Partial<Ask> {
  const { emailAddress, phoneNumber, username } = attributes;
  const names = [emailAddress?.usedForFirstFactor && "email", phoneNumber?.usedForFirstFactor && "phone number", username?.usedForFirstFactor && "user name"].filter(Boolean);
  if (names.length === 0 || names.join() === "email") return {};
  const label = names.join(", ").replace(/, ([^,]*)$/, " or $1");
  return { label: label[0]!.toUpperCase() + label.slice(1), type: names.join() === "phone number" ? "tel" : "text" };
}

/** The form to begin with: the usual one, unless the instance has no passwords. */
function firstStep(offers: Offers): string {
  if (offers.attributes.password?.enabled) return "password";
  return ways.find((it) => it.on === "password" && it.to !== "forgotten" && it.offered?.(offers))?.to ?? "password";
}

/**
 * The form to sign in: by password, passkey, a code or a link in an email, a code in a text message, or with a new password; by
 * accounts elsewhere, where the instance takes them; and the second step, where there is one.
 */
export function SignIn(props: SignInProps) {
  return (
    <Tasked appearance={props.appearance} after={props.redirectUrl}>
      {(waits) => <Form {...props} waits={waits} />}
    </Tasked>
  );
}

function Form({ appearance, signUpUrl, redirectUrl: after, passkeys, oauthFlow, waits }: SignInProps & { waits: boolean }) {
  const { doorward } = useDoorwardContext();
  const { signIn, errors: all, fetchStatus } = useSignIn();
  // Whose wallet nobody knows yet signs up by it.
  const { signUp, fetchStatus: other } = useSignUp();
  const busy = fetchStatus === "fetching" || other === "fetching";
  const known = useOffers(usual);
  const offers = known ?? usual;
  const first = firstStep(offers);
  const [chosen, setStep] = useState<string>();
  const name = chosen ?? first;
  const step = steps[name]!;
  const [address, setAddress] = useState("");
  const [note, setNote] = useState("");
  const [tried, setTried] = useState<string>();
  // What was wrong with one step is not wrong with the next one.
  const errors = tried === name ? all : { ...all, raw: null, global: null, fields: {} as Record<string, null> };
  const fields: Record<string, (typeof all.fields)[keyof typeof all.fields]> = errors.fields;

  async function go(to: string) {
    await signIn.reset();
    setNote("");
    setStep(to);
  }

  async function finish() {
    if (signIn.status === "complete") await arrive(doorward, signIn, after);
    else if (signIn.status === "needs_new_password") setStep("new-password");
    else if (signIn.status === "needs_second_factor" || signIn.status === "needs_client_trust") {
      const second = offered()[0];
      if (second) await secondStep(second);
    }
  }

  const offered = () => Object.keys(secondFactors).filter((it) => signIn.supportedSecondFactors.some(({ strategy }) => strategy === it));

  async function secondStep(to: string) {
    const { note, send } = secondFactors[to]!;
    setNote("");
    // What is only entered has not been tried yet.
    if (send) setTried(to);
    setStep(to);
    if (!(await send?.(signIn))?.error) setNote(note);
  }

  // What the server rendered does not know the browser: hydration begins with what it showed.
  const canPasskey = useSyncExternalStore(never, passkeysWork, () => false) && passkeys;

  async function passkey() {
    setNote("");
    setTried(name);
    if (!(await signIn.passkey()).error) await finish();
  }

  useReturn(
    () => destination(after),
    (error) => (error ? setNote(error) : finish()),
  );
  useLink(() => destination(after), setNote);

  const arriving = useTicket(async (ticket) => {
    setTried(name);
    if (!(await signIn.ticket({ ticket })).error) await finish();
  });

  const inField = useAutofill(signIn, {
    enabled: offers.passkeyAutofill && passkeys !== false,
    wanted: name === first && !busy && !arriving && !waits,
    refused: all.raw !== null,
    onPicked: (worked) => {
      setTried(name);
      if (worked) void finish();
    },
  });

  useEffect(() => {
    const controller = new AbortController();
    void step.waits?.(signIn, controller.signal).then(({ error }) => {
      if (controller.signal.aborted || error) return;
      if (signIn.firstFactorVerification.status === "verified" || signIn.status === "complete") return finish();
      setNote("The link works no more. Send another one.");
    });
    return () => controller.abort();
    // A step waits once, whatever is rendered meanwhile.
  }, [name]);

  async function submit(values: Record<string, string>) {
    const to = values.identifier ?? address;
    setAddress(to);
    setNote("");
    setTried(name);
    const given = { ...values, identifier: to, ...(values.code === undefined ? {} : { code: values.code.trim() }) };
    if ((await step.submit(signIn, given)).error) return;
    if (!step.next) return finish();
    setNote(step.sent?.(to) ?? "");
    setStep(step.next);
  }

  async function withProvider(strategy: OAuthStrategy) {
    setNote("");
    setTried(name);
    const redirectUrl = new URL(destination(after), location.href).href;
    const popup = windowFor(oauthFlow);
    const { error } = await signIn.sso({ strategy, redirectUrl, redirectCallbackUrl: comeBackHere(), popup });
    if (error) popup?.close();
    else if (popup && signIn.status === "complete") await finish();
  }

  async function byWallet(wallet: Wallet) {
    setNote("");
    setTried(name);
    const { error, isNew } = await withWallet(wallet, signIn, signUp);
    if (!isNew) return error ? undefined : finish();
    if (error) setNote(error.message);
    else if (signUp.status === "complete") await arrive(doorward, signUp, after);
    // The other form asks for what is still missing.
    else await doorward.navigate(goOnAt(signUpUrl ?? doorward.buildSignUpUrl({ redirectUrl: null }), destination(after)));
  }

  const second = name in secondFactors;
  return (
    <Card
      {...{ appearance, step: name, errors, title: step.title, action: step.action }}
      hint={note}
      busy={busy}
      pending={!known || arriving || waits}
      onSubmit={submit}
      more={
        <>
          {name !== first && <Link onClick={() => go(first)}>{second || first !== "password" ? "Start over" : "Use your password"}</Link>}
          {second &&
            offered()
              .filter((to) => to !== name || secondFactors[to]!.send)
              .map((to) => (
                <Link key={to} onClick={() => secondStep(to)}>
                  {to === name ? "Send the code again" : secondFactors[to]!.link}
                </Link>
              ))}
          {name === first && canPasskey && <Link onClick={passkey}>Use a passkey</Link>}
          {ways
            .filter((it) => it.on === name && (it.offered?.(offers) ?? true))
            .map(({ to, text }) => (
              <Link key={to} onClick={() => go(to)}>
                {text}
              </Link>
            ))}
          {signUpUrl && <a href={signUpUrl}>No account yet? Sign up</a>}
        </>
      }
      others={known && name === first && <Others offers={offers} busy={busy} onProvider={withProvider} onWallet={byWallet} />}
    >
      {step.asks.map((it) => (
        <Field
          key={it.name === "identifier" ? it.label : `${name} ${it.name}`}
          {...it}
          {...(it.type === "email" ? { defaultValue: address } : {})}
          {...(name === "password" && it.name === "identifier" ? whoIsIt(offers) : {})}
          {...(name === first && it.name === "identifier" && inField ? { autoComplete: "username webauthn" } : {})}
          error={fields[it.name] ?? null}
        />
      ))}
    </Card>
  );
}
