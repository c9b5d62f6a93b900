import { useClerk } from "@clerk/nextjs";
import { useEffect, useRef, useState } from "react";

/** Where a link in a mail ends. */
export default function Verify() {
  const { handleEmailLinkVerification } = useClerk();
  const [outcome, setOutcome] = useState("Looking at the link");
  const asked = useRef(false);

  useEffect(() => {
    if (asked.current) {
      return;
    }
    asked.current = true;
    handleEmailLinkVerification({ redirectUrlComplete: "/protected" }).catch((error) => setOutcome(`The link is ${error.code ?? error}`));
  }, [handleEmailLinkVerification]);

  return <p>{outcome}</p>;
}
