import { useSignIn } from "@clerk/nextjs";
import { useState } from "react";

const ways = ["password", "email_code", "phone_code", "email_link", "reset_password_email_code"] as const;

export default function SignInWithHook() {
  const { isLoaded, signIn, setActive } = useSignIn();
  const [way, setWay] = useState<(typeof ways)[number]>("email_code");
  const [identifier, setIdentifier] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [error, setError] = useState("");
  // The page's own, since the hook of 2023 does not render it anew for each answer.
  const [status, setStatus] = useState("needs_identifier");

  if (!isLoaded) {
    return null;
  }

  async function begin() {
    if (way === "password") {
      return signIn.create({ identifier, password });
    }
    if (way === "reset_password_email_code") {
      return signIn.create({ strategy: way, identifier });
    }
    const { supportedFirstFactors } = await signIn.create({ identifier });
    const factor = supportedFirstFactors.find((it) => it.strategy === way);
    switch (factor?.strategy) {
      case "email_code":
        return signIn.prepareFirstFactor({ strategy: "email_code", emailAddressId: factor.emailAddressId });
      case "phone_code":
        return signIn.prepareFirstFactor({ strategy: "phone_code", phoneNumberId: factor.phoneNumberId });
      case "email_link": {
        setStatus("needs_first_factor");
        const { startEmailLinkFlow } = signIn.createEmailLinkFlow();
        // Answers when the link was opened, in whatever tab.
        return startEmailLinkFlow({ emailAddressId: factor.emailAddressId, redirectUrl: `${location.origin}/hooks/verify` });
      }
    }
  }

  function prove() {
    if (status === "needs_new_password") {
      return signIn.resetPassword({ password });
    }
    if (status === "needs_second_factor") {
      return signIn.attemptSecondFactor({ strategy: "totp", code });
    }
    const strategy = way === "phone_code" || way === "reset_password_email_code" ? way : "email_code";
    return signIn.attemptFirstFactor({ strategy, code });
  }

  async function submit(e) {
    e.preventDefault();
    setError("");
    try {
      const attempt = status === "needs_identifier" ? await begin() : await prove();
      setStatus(attempt.status);
      setCode("");
      if (attempt.status === "complete") {
        await setActive({ session: attempt.createdSessionId });
      }
    } catch (err) {
      setError(err.errors[0].longMessage);
    }
  }

  const field = (label: string, value: string, set: (value: string) => void, type = "text") => (
    <label>
      {label}
      <input type={type} value={value} onChange={(e) => set(e.target.value)} />
    </label>
  );

  return (
    <form onSubmit={submit}>
      <h1>Sign in</h1>
      <p>
        The attempt is <output id="attempt-status">{status}</output>.
      </p>
      {status === "needs_first_factor" && way === "email_link" && <p>Open the link that we sent you.</p>}
      {status === "needs_first_factor" && way !== "email_link" && field("Code", code, setCode)}
      {status === "needs_second_factor" && field("Code of the app", code, setCode)}
      {status === "needs_new_password" && field("New password", password, setPassword, "password")}
      {status === "needs_identifier" && (
        <>
          <label htmlFor="way">Way</label>
          <select id="way" value={way} onChange={(e) => setWay(e.target.value as typeof way)}>
            {ways.map((it) => (
              <option key={it}>{it}</option>
            ))}
          </select>
          {field("Identifier", identifier, setIdentifier)}
          {way === "password" && field("Password", password, setPassword, "password")}
        </>
      )}
      {error && <p role="alert">{error}</p>}
      <button>Continue</button>
    </form>
  );
}
