import { useSignIn } from "@clerk/nextjs";
import { useRouter } from "next/router";
import { type FormEvent, useState } from "react";

const ways = ["password", "emailCode", "phoneCode", "emailLink", "resetPasswordEmailCode", "passkey", "ticket", "sso", "web3"] as const;

export default function SignInWithSignals() {
  const router = useRouter();
  const { signIn, errors } = useSignIn();
  const [way, setWay] = useState<(typeof ways)[number]>("emailCode");
  const [identifier, setIdentifier] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  // Some ways take two calls, and `fetchStatus` is idle between them.
  const [busy, setBusy] = useState(false);

  async function begin() {
    switch (way) {
      case "password":
        return signIn.password({ identifier, password });
      case "emailCode":
        return signIn.emailCode.sendCode({ emailAddress: identifier });
      case "phoneCode":
        return signIn.phoneCode.sendCode({ phoneNumber: identifier });
      case "emailLink": {
        const { error } = await signIn.emailLink.sendLink({ emailAddress: identifier, verificationUrl: `${location.origin}/hooks/sign-in-signals` });
        return error ? { error } : signIn.emailLink.waitForVerification();
      }
      case "resetPasswordEmailCode": {
        const { error } = await signIn.create({ identifier });
        return error ? { error } : signIn.resetPasswordEmailCode.sendCode();
      }
      case "passkey":
        return signIn.passkey({ flow: "discoverable" });
      case "ticket":
        return signIn.ticket({ ticket: identifier });
      case "sso":
        return signIn.sso({ strategy: "oauth_custom_upstream", redirectUrl: "/protected", redirectCallbackUrl: "/hooks/sso-callback" });
      case "web3":
        return signIn.web3({ strategy: "web3_metamask_signature", provider: "metamask" });
    }
  }

  function prove() {
    if (signIn.status === "needs_new_password") {
      return signIn.resetPasswordEmailCode.submitPassword({ password });
    }
    if (signIn.status === "needs_second_factor") {
      return signIn.mfa.verifyTOTP({ code });
    }
    if (way === "password") {
      return signIn.password({ password });
    }
    const { verifyCode } = way === "phoneCode" || way === "resetPasswordEmailCode" ? signIn[way] : signIn.emailCode;
    return verifyCode({ code });
  }

  async function finish({ error }: { error: unknown }) {
    if (error || signIn.status !== "complete") {
      return;
    }
    await signIn.finalize({
      navigate: async ({ decorateUrl }) => {
        await router.push(decorateUrl("/protected"));
      },
    });
  }

  async function submit(e: FormEvent) {
    e.preventDefault();
    setBusy(true);
    await finish(await (signIn.status === "needs_identifier" ? begin() : prove()));
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

  // In the tab that a link in a mail has opened.
  if (signIn.emailLink.verification) {
    return <p>The link is {signIn.emailLink.verification.status}. You can go on where you asked for it.</p>;
  }

  const proving = signIn.status === "needs_first_factor";

  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      <p>
        The attempt is <output id="attempt-status">{signIn.status}</output>.
      </p>
      {proving && way === "emailLink" && <p>Open the link that we sent you.</p>}
      {proving && way !== "emailLink" && way !== "password" && field("Code", code, setCode, errors.fields.code)}
      {signIn.status === "needs_second_factor" && field("Code of the app, or a backup code", code, setCode, errors.fields.code)}
      {signIn.status === "needs_new_password" && field("New password", password, setPassword, errors.fields.password, "password")}
      {signIn.status === "needs_identifier" && (
        <>
          <label htmlFor="way">Way</label>
          <select id="way" value={way} onChange={(e) => setWay(e.target.value as typeof way)}>
            {ways.map((it) => (
              <option key={it}>{it}</option>
            ))}
          </select>
          {field("Identifier", identifier, setIdentifier, errors.fields.identifier)}
        </>
      )}
      {/* A wrong password leaves the attempt where it was, with its identifier. */}
      {(proving || signIn.status === "needs_identifier") && way === "password" && field("Password", password, setPassword, errors.fields.password, "password")}
      {errors.global?.map((error) => (
        <p key={error.code} role="alert">
          {error.longMessage}
        </p>
      ))}
      <button disabled={busy}>Continue</button>
      {signIn.status === "needs_second_factor" && (
        <button type="button" onClick={async () => finish(await signIn.mfa.verifyBackupCode({ code }))}>
          It is a backup code
        </button>
      )}
      <div id="clerk-captcha" />
    </form>
  );
}
