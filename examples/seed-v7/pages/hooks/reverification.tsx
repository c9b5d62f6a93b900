import { useReverification, useSession, useUser } from "@clerk/nextjs";
import { isReverificationCancelledError } from "@clerk/nextjs/errors";
import { useEffect, useState } from "react";

type Asked = Parameters<NonNullable<Parameters<typeof useReverification>[1]["onNeedsReverification"]>>[0];

export default function Reverification() {
  const { user } = useUser();
  const [email, setEmail] = useState("");
  const [outcome, setOutcome] = useState("");
  const [asked, setAsked] = useState<Asked>();
  // The app's own route asks for a proof, and the app has its own screen for that.
  const transfer = useReverification(async () => (await fetch("/api/transfer", { method: "POST" })).json(), { onNeedsReverification: setAsked });
  // The server's settings ask for a proof, and the SDK shows its own screen.
  const addAddress = useReverification((email: string) => user.createEmailAddress({ email }));

  async function run(action: () => Promise<string>) {
    setOutcome("");
    try {
      setOutcome(await action());
    } catch (error) {
      setOutcome(isReverificationCancelledError(error) ? "Cancelled" : `Failed: ${error}`);
    } finally {
      setAsked(undefined);
    }
  }

  if (!user) {
    return <p>Sign in first.</p>;
  }

  return (
    <>
      <h1>What asks who is there</h1>
      <p>
        <button type="button" onClick={() => run(async () => `Transferred for ${(await transfer()).userId}`)}>
          Transfer
        </button>
      </p>
      <label>
        New address
        <input value={email} onChange={(e) => setEmail(e.target.value)} />
      </label>
      <button type="button" onClick={() => run(async () => `Added ${(await addAddress(email)).emailAddress}`)}>
        Add the address
      </button>
      <p role="status">{outcome}</p>
      {asked && <Proof {...asked} />}
    </>
  );
}

function Proof({ level, complete, cancel }: Asked) {
  const { session } = useSession();
  const [sentTo, setSentTo] = useState("");
  const [code, setCode] = useState("");
  const [error, setError] = useState("");

  useEffect(() => {
    async function send() {
      const { supportedFirstFactors } = await session.startVerification({ level: level ?? "first_factor" });
      const factor = supportedFirstFactors.find((it) => it.strategy === "email_code");
      if (factor?.strategy === "email_code") {
        await session.prepareFirstFactorVerification({ strategy: "email_code", emailAddressId: factor.emailAddressId });
        setSentTo(factor.safeIdentifier);
      }
    }
    send().catch((err) => setError(err.errors[0].longMessage));
    // Once for each time that this screen opens: the session is a new object after each answer.
  }, []);

  async function submit(e) {
    e.preventDefault();
    setError("");
    try {
      const { status } = await session.attemptFirstFactorVerification({ strategy: "email_code", code });
      if (status === "complete") {
        complete();
      }
    } catch (err) {
      setError(err.errors[0].longMessage);
    }
  }

  return (
    <form onSubmit={submit}>
      <h2>Is it you?</h2>
      {sentTo && <p>We sent a code to {sentTo}.</p>}
      <label>
        Code
        <input value={code} onChange={(e) => setCode(e.target.value)} />
      </label>
      {error && <p role="alert">{error}</p>}
      <button>Verify</button>
      <button type="button" onClick={cancel}>
        Cancel
      </button>
    </form>
  );
}
