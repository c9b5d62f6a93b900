"use client";
import { useSignIn } from "@doorward/nextjs/signals";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";

export default function SignInWithSignals() {
  const router = useRouter();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");

  const { signIn, errors, fetchStatus } = useSignIn();

  async function submit(e: FormEvent) {
    e.preventDefault();

    // Failures arrive through `errors`, not as an exception.
    const { error } = await signIn.password({ emailAddress: email, password });
    if (error || signIn.status !== "complete") {
      return;
    }
    await signIn.finalize({ navigate: ({ decorateUrl }) => router.push(decorateUrl("/account")) });
  }

  return (
    <form onSubmit={submit}>
      <p>
        The attempt is <output id="attempt-status">{signIn.status}</output>.
      </p>
      <div>
        <label htmlFor="email">Email</label>
        <input id="email" type="email" value={email} onChange={(e) => setEmail(e.target.value)} />
        {errors.fields.identifier && <p role="alert">{errors.fields.identifier.longMessage}</p>}
      </div>
      <div>
        <label htmlFor="password">Password</label>
        <input id="password" type="password" value={password} onChange={(e) => setPassword(e.target.value)} />
        {errors.fields.password && <p role="alert">{errors.fields.password.longMessage}</p>}
      </div>
      {errors.global?.map((error) => (
        <p key={error.code} role="alert">
          {error.longMessage}
        </p>
      ))}
      <div>
        <button disabled={fetchStatus === "fetching"}>Sign in</button>
      </div>
    </form>
  );
}
