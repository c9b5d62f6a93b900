"use client";
import { useEffect, useState } from "react";
import { useDoorwardContext } from "../../context.js";
import { useSignIn, useSignUp } from "../../signals.js";
import type { OAuthStrategy, SignUpParams } from "../../types.js";
import type { Wallet } from "../../web3.js";
import type { Ask } from "../asks.js";
import { type Attribute, type Offers, useOffers, usual } from "../environment.js";
import { Card, Check, Field, Link, arrive, destination } from "../form.js";
import { type OAuthFlow, Others, comeBackHere, goOnAt, useLink, useReturn, useTicket, windowFor } from "../others.js";
import type { Appearance } from "../styles.js";
import { Tasked } from "../tasked.js";
import { withWallet } from "../wallets.js";
import { emailCode } from "./email-code.js";
import { emailLink } from "./email-link.js";
import { phoneCode } from "./phone-code.js";
import type { Verification } from "./verification.js";

export interface SignUpProps {
  appearance?: Appearance;
  /** The page for those who have an account; without it, none is offered. */
  signInUrl?: string;
  /** Where to go afterwards, if the address does not say. */
  redirectUrl?: string;
  /** How people visit a provider; by leaving this page unless it says otherwise. */
  oauthFlow?: OAuthFlow;
}

type Name = "emailAddress" | "phoneNumber" | "username" | "firstName" | "lastName" | "password";
type Wanted = (it: Attribute | undefined, offers: Offers) => boolean | undefined;

const verifications: Verification[] = [emailCode, emailLink, phoneCode];
const required: Wanted = (it) => it?.required;
const enabled: Wanted = (it) => it?.enabled;

/** What the form may ask for, in its order, and when it does. */
const asks: (Ask & { name: Name; wanted: Wanted })[] = [
  { name: "firstName", label: "First name", autoComplete: "given-name", wanted: required },
  { name: "lastName", label: "Last name", autoComplete: "family-name", wanted: required },
  { name: "username", label: "User name", autoComplete: "username", wanted: required },
  { name: "emailAddress", label: "Email", type: "email", autoComplete: "email", wanted: enabled },
  // A number that need not be given is asked for where it is the only way to reach somebody.
  { name: "phoneNumber", label: "Phone number", type: "tel", autoComplete: "tel", wanted: (it, { attributes }) => it?.required || (it?.enabled && !attributes.emailAddress?.enabled) },
  { name: "password", label: "Password", type: "password", autoComplete: "new-password", wanted: enabled },
];
const asked = (offers: Offers, invited: boolean) => asks.filter(({ name, wanted }) => wanted(offers.attributes[name], offers) && !(invited && name === "emailAddress"));

/** The form to sign up: what the instance asks for, then a code or a link for each address that it names; or an account elsewhere. */
export function SignUp(props: SignUpProps) {
  return (
    <Tasked appearance={props.appearance} after={props.redirectUrl}>
      {(waits) => <Form {...props} waits={waits} />}
    </Tasked>
  );
}

function Form({ appearance, signInUrl, redirectUrl: after, oauthFlow, waits }: SignUpProps & { waits: boolean }) {
  const { doorward } = useDoorwardContext();
  const { signUp, errors, fetchStatus } = useSignUp();
  const { signIn, fetchStatus: other } = useSignIn();
  const busy = fetchStatus === "fetching" || other === "fetching";
  const known = useOffers(usual);
  const offers = known ?? usual;
  const [proof, setProof] = useState<Verification>();
  const [given, setGiven] = useState<Record<string, string>>({});
  const [note, setNote] = useState("");
  // Their address came with the invitation, which has proven it.
  const [invited, setInvited] = useState(false);
  const fields: Record<string, (typeof errors.fields)[keyof typeof errors.fields]> = errors.fields;
  const step = proof ? `${proof.field} ${proof.strategy}` : "details";

  /** What can prove this, the one that the instance would rather have first. */
  function proofsOf(field: string): Verification[] {
    const all = verifications.filter((it) => it.field === field);
    const { firstFactors = [], verifications: later = [] } = offers.attributes[field === "email_address" ? "emailAddress" : "phoneNumber"] ?? {};
    const rank = ({ strategy }: Verification) => (firstFactors.includes(strategy) ? 0 : later.includes(strategy) ? 1 : 2);
    const possible = all.filter((it) => rank(it) < 2);
    return possible.length ? possible.sort((a, b) => rank(a) - rank(b)) : all.slice(0, 1);
  }

  async function go() {
    if (signUp.status === "complete") return void (await arrive(doorward, signUp, after));
    const open = signUp.unverifiedFields[0];
    const next = open && proofsOf(open)[0];
    if (next) await send(next);
    else setNote(`Still missing: ${signUp.missingFields.join(", ").replaceAll("_", " ")}.`);
  }

  async function send(by: Verification) {
    const { error } = await by.send(signUp);
    if (error) return;
    setNote(by.sent(signUp));
    setProof(by);
  }

  useReturn(
    () => destination(after),
    (error) => (error ? setNote(error) : go()),
  );
  useLink(() => destination(after), setNote);
  const arriving = useTicket(async (ticket) => {
    if ((await signUp.ticket({ ticket })).error) return;
    if (signUp.status === "complete") return go();
    setInvited(true);
    setNote(`You are invited as ${signUp.emailAddress}.`);
  }, { stays: true });

  useEffect(() => {
    const controller = new AbortController();
    void proof?.waits?.(signUp, controller.signal).then(({ error }) => {
      if (controller.signal.aborted || error) return;
      if (signUp.status === "complete" || !signUp.unverifiedFields.includes(proof.field)) return go();
      setNote("The link works no more. Send another one.");
    });
    return () => controller.abort();
    // A step waits once, whatever is rendered meanwhile.
  }, [proof]);

  async function withProvider(strategy: OAuthStrategy) {
    setNote("");
    const popup = windowFor(oauthFlow);
    const redirectUrl = new URL(destination(after), location.href).href;
    const { error } = await signUp.sso({ strategy, redirectUrl, redirectCallbackUrl: comeBackHere(), popup });
    if (error) popup?.close();
    else if (popup && signUp.status === "complete") await go();
  }

  async function byWallet(wallet: Wallet) {
    setNote("");
    const { error, isNew } = await withWallet(wallet, signIn, signUp);
    if (error) return isNew ? undefined : setNote(error.message);
    if (isNew) return go();
    if (signIn.status === "complete") return void (await arrive(doorward, signIn, after));
    // The other form has the second step.
    await doorward.navigate(goOnAt(signInUrl ?? doorward.buildSignInUrl({ redirectUrl: null }), destination(after), { step: true }));
  }

  async function submit({ legalAccepted, code = "", ...values }: Record<string, string>) {
    setNote("");
    if (proof) {
      const { error } = proof.verify ? await proof.verify(signUp, code.trim()) : await proof.send(signUp);
      if (error) return;
      return proof.verify ? go() : setNote(proof.sent(signUp));
    }
    setGiven(values);
    const params: SignUpParams = { ...values, ...(legalAccepted ? { legalAccepted: true } : {}) };
    const { error } = await (signUp.id && signUp.status !== "complete" ? signUp.update(params) : signUp.create(params));
    if (!error) await go();
  }

  async function back() {
    await signUp.reset();
    setInvited(false);
    setNote("");
    setProof(undefined);
  }

  return (
    <Card
      {...{ appearance, step, errors }}
      title={proof?.title ?? "Create your account"}
      action={proof?.action ?? "Sign up"}
      hint={note}
      busy={busy}
      pending={!known || arriving || waits}
      onSubmit={submit}
      more={
        <>
          {proof && <Link onClick={back}>{proof.field === "phone_number" ? "Use another number" : "Use another address"}</Link>}
          {proof?.verify && <Link onClick={() => send(proof)}>{proof.again}</Link>}
          {proof &&
            proofsOf(proof.field)
              .filter((it) => it !== proof)
              .map((it) => (
                <Link key={it.strategy} onClick={() => send(it)}>
                  {it.link}
                </Link>
              ))}
          {signInUrl && <a href={signInUrl}>Have an account? Sign in</a>}
        </>
      }
      others={known && !proof && !invited && <Others offers={offers} busy={busy} onProvider={withProvider} onWallet={byWallet} />}
    >
      {proof
        ? proof.asks.map((it) => <Field key={step} {...it} error={fields[it.name] ?? null} />)
        : asked(offers, invited).map(({ wanted: _, ...it }) => <Field key={it.name} {...it} {...(it.type === "password" ? {} : { defaultValue: given[it.name] })} error={fields[it.name] ?? null} />)}
      {!proof && offers.legalConsent && <Check name="legalAccepted" label="I accept the terms and the privacy policy." error={fields.legalAccepted ?? null} />}
    </Card>
  );
}
