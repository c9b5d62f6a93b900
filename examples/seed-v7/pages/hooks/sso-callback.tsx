import { useClerk, useSignIn, useSignUp } from "@clerk/nextjs";
import type { SetActiveNavigate } from "@clerk/nextjs/types";
import { useRouter } from "next/router";
import { useEffect, useRef } from "react";

/** Where people come back to from another provider, when no session was made on the way. */
export default function SSOCallback() {
  const clerk = useClerk();
  const router = useRouter();
  const { signIn } = useSignIn();
  const { signUp } = useSignUp();
  const begun = useRef(false);

  useEffect(() => {
    if (!clerk.loaded || begun.current) {
      return;
    }
    begun.current = true;
    const navigate: SetActiveNavigate = async ({ decorateUrl }) => {
      await router.push(decorateUrl("/protected"));
    };
    const finish = (attempt: typeof signIn | typeof signUp, otherwise: string) =>
      attempt.status === "complete" ? attempt.finalize({ navigate }) : router.push(otherwise);
    async function goOn() {
      if (signUp.isTransferable) {
        // Somebody who has an account already came by way of the sign-up.
        await signIn.create({ transfer: true });
      } else if (signIn.isTransferable) {
        // Somebody new came by way of the sign-in.
        await signUp.create({ transfer: true });
        return finish(signUp, "/hooks/sign-up-signals");
      }
      return finish(signIn, "/hooks/sign-in-signals");
    }
    void goOn();
  }, [clerk.loaded, router, signIn, signUp]);

  return (
    <>
      <p>One moment.</p>
      <div id="clerk-captcha" />
    </>
  );
}
