"use client";
import type { OAuthStrategy } from "../../types.js";
import type { ExternalAccount } from "../../user.js";
import { Link } from "../form.js";
import { openHere } from "../others.js";
import { Section, useAccount, useDoing } from "./section.js";

/** Accounts elsewhere that one can sign in with. */
export function AccountsSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const social = offers?.social ?? [];
  if (!social.length && !user.externalAccounts.length) return null;
  const strategyOf = ({ provider }: ExternalAccount) => (provider.startsWith("oauth_") ? provider : `oauth_${provider}`);
  const nameOf = (it: ExternalAccount) => social.find(({ strategy }) => strategy === strategyOf(it))?.name ?? it.provider.replace(/^oauth_/, "");
  const open = social.filter(({ strategy }) => !user.verifiedExternalAccounts.some((it) => strategyOf(it) === strategy));

  const leave = ({ verification: { externalVerificationRedirectURL: url } }: ExternalAccount) => {
    if (url) location.assign(url);
  };
  const connect = (strategy: OAuthStrategy) => doing.run(async () => leave(await user.createExternalAccount({ strategy, redirectUrl: openHere() })));
  const remove = (it: ExternalAccount) =>
    doing.run(async () => {
      await it.destroy();
      return `${nameOf(it)} is disconnected.`;
    });

  return (
    <Section title="Connected accounts" doing={doing}>
      <ul>
        {user.externalAccounts.map((it) => (
          <li key={it.id}>
            <span>
              {nameOf(it)}
              <small>{it.verification.status === "verified" ? it.emailAddress || it.username : (it.verification.error?.longMessage ?? "Not connected yet")}</small>
            </span>
            <Link label={`Disconnect ${nameOf(it)}`} onClick={() => remove(it)}>
              Disconnect
            </Link>
          </li>
        ))}
      </ul>
      <div className="dw-buttons">
        {open.map(({ strategy, name }) => (
          <Link key={strategy} onClick={() => connect(strategy)}>
            Connect {name}
          </Link>
        ))}
      </div>
    </Section>
  );
}
