"use client";
import { useSignUp } from "@doorward/nextjs";
import { isClerkAPIResponseError } from "@doorward/nextjs/errors";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";

export default function SignUp() {
  const router = useRouter();
  const { isLoaded, signUp, setActive } = useSignUp();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [verifying, setVerifying] = useState(false);
  const [problem, setProblem] = useState("");

  if (!isLoaded) return null;

  async function step(e: FormEvent, work: () => Promise<void>) {
    e.preventDefault();
    setProblem("");
    try {
      await work();
    } catch (error) {
      if (!isClerkAPIResponseError(error)) throw error;
      setProblem(error.errors[0].longMessage ?? error.errors[0].message);
    }
  }

  async function begin() {
    await signUp.create({ emailAddress: email, password });
    await signUp.prepareEmailAddressVerification();
    setVerifying(true);
  }

  async function verify() {
    const { status, createdSessionId } = await signUp.attemptEmailAddressVerification({ code });
    if (status !== "complete") return;
    await setActive({ session: createdSessionId, navigate: () => router.push("/account") });
  }

  return (
    <form onSubmit={(e) => step(e, verifying ? verify : begin)}>
      {verifying ? (
        <div>
          <label htmlFor="code">Code</label>
          <input id="code" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(e) => setCode(e.target.value)} />
        </div>
      ) : (
        <>
          <div>
            <label htmlFor="email">Email</label>
            <input id="email" type="email" value={email} onChange={(e) => setEmail(e.target.value)} />
          </div>
          <div>
            <label htmlFor="password">Password</label>
            <input id="password" type="password" value={password} onChange={(e) => setPassword(e.target.value)} />
          </div>
        </>
      )}
      {problem && <p role="alert">{problem}</p>}
      <div>
        <button>{verifying ? "Verify" : "Sign up"}</button>
      </div>
    </form>
  );
}
