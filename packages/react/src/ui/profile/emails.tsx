"use client";
import { Identifiers } from "./identifiers.js";
import { useAccount } from "./section.js";

export function EmailSection() {
  const { user, offers } = useAccount();
  const email = offers?.attributes.emailAddress;
  if (!email?.enabled && !user.emailAddresses.length) return null;
  // By a link only where codes are not what people sign in with.
  const byLink = email?.firstFactors.includes("email_link") && !email.firstFactors.includes("email_code");
  return (
    <Identifiers
      title="Email addresses"
      noun="email address"
      items={user.emailAddresses}
      text={(it) => it.emailAddress}
      primary={user.primaryEmailAddressId}
      ask={{ name: "emailAddress", label: "Email", type: "email", autoComplete: "email" }}
      strategy={byLink ? "email_link" : "email_code"}
      create={(email) => user.createEmailAddress({ email })}
      makePrimary={({ id }) => user.update({ primaryEmailAddressId: id })}
      canAdd={email?.enabled ?? false}
    />
  );
}
