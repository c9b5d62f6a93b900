import { useSignUp } from "@clerk/nextjs/legacy";
import { useState } from "react";

export default function SignUpWithHook() {
  const { isLoaded, signUp, setActive } = useSignUp();
  const [emailAddress, setEmailAddress] = useState("");
  const [phoneNumber, setPhoneNumber] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [error, setError] = useState("");
  const [unverified, setUnverified] = useState("");

  if (!isLoaded) {
    return null;
  }

  async function begin() {
    const { unverifiedFields } = await signUp.create({ password, ...(emailAddress ? { emailAddress } : { phoneNumber }) });
    return unverifiedFields.includes("email_address") ? signUp.prepareEmailAddressVerification({ strategy: "email_code" }) : signUp.preparePhoneNumberVerification();
  }

  function prove() {
    return unverified === "email_address" ? signUp.attemptEmailAddressVerification({ code }) : signUp.attemptPhoneNumberVerification({ code });
  }

  async function submit(e) {
    e.preventDefault();
    setError("");
    try {
      const { status, createdSessionId, unverifiedFields } = await (unverified ? prove() : begin());
      setUnverified(unverifiedFields[0]);
      if (status === "complete") {
        await setActive({ session: createdSessionId });
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
      <h1>Sign up</h1>
      {unverified ? (
        field("Code", code, setCode)
      ) : (
        <>
          {field("Email address", emailAddress, setEmailAddress)}
          {field("Phone number", phoneNumber, setPhoneNumber)}
          {field("Password", password, setPassword, "password")}
        </>
      )}
      {error && <p role="alert">{error}</p>}
      <button>Continue</button>
    </form>
  );
}
