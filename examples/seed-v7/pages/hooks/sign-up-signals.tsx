import { useSignUp } from "@clerk/nextjs";
import { useRouter } from "next/router";
import { type FormEvent, useState } from "react";

export default function SignUpWithSignals() {
  const router = useRouter();
  const { signUp, errors } = useSignUp();
  const [emailAddress, setEmailAddress] = useState("");
  const [phoneNumber, setPhoneNumber] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  // The first step takes two calls, and `fetchStatus` is idle between them.
  const [busy, setBusy] = useState(false);

  const unverified = signUp.status === "missing_requirements" ? signUp.unverifiedFields[0] : undefined;

  async function begin() {
    const { error } = await signUp.password({ password, ...(emailAddress ? { emailAddress } : { phoneNumber }) });
    if (error) {
      return { error };
    }
    return signUp.unverifiedFields.includes("email_address") ? signUp.verifications.sendEmailCode() : signUp.verifications.sendPhoneCode();
  }

  function prove() {
    return unverified === "email_address" ? signUp.verifications.verifyEmailCode({ code }) : signUp.verifications.verifyPhoneCode({ code });
  }

  async function finish({ error }: { error: unknown }) {
    if (error || signUp.status !== "complete") {
      return;
    }
    await signUp.finalize({
      navigate: async ({ decorateUrl }) => {
        await router.push(decorateUrl("/protected"));
      },
    });
  }

  async function submit(e: FormEvent) {
    e.preventDefault();
    setBusy(true);
    await finish(await (unverified ? prove() : begin()));
    setBusy(false);
  }

  const field = (label: string, value: string, set: (value: string) => void, error: { longMessage?: string } | null, type = "text") => (
    <div>
      <label>
        {label}
        <input type={type} value={value} onChange={(e) => set(e.target.value)} />
      </label>
      {error && <p role="alert">{error.longMessage}</p>}
    </div>
  );

  return (
    <form onSubmit={submit}>
      <h1>Sign up</h1>
      <p>
        The attempt is <output id="attempt-status">{signUp.status}</output>.
      </p>
      {unverified ? (
        field("Code", code, setCode, errors.fields.code)
      ) : (
        <>
          {field("Email address", emailAddress, setEmailAddress, errors.fields.emailAddress)}
          {field("Phone number", phoneNumber, setPhoneNumber, errors.fields.phoneNumber)}
          {field("Password", password, setPassword, errors.fields.password, "password")}
        </>
      )}
      {errors.global?.map((error) => (
        <p key={error.code} role="alert">
          {error.longMessage}
        </p>
      ))}
      <button disabled={busy}>Continue</button>
      {!unverified && (
        <button type="button" onClick={async () => finish(await signUp.web3({ strategy: "web3_metamask_signature" }))}>
          With a wallet
        </button>
      )}
      <div id="clerk-captcha" />
    </form>
  );
}
