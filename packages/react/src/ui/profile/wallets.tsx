"use client";
import type { Web3Wallet } from "../../user.js";
import { type Wallet, proveWallet } from "../../web3.js";
import { Link } from "../form.js";
import { useWallets } from "../wallets.js";
import { Section, useAccount, useDoing } from "./section.js";

const short = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`;

/** Wallets that one can sign in with. */
export function WalletSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const offered = useWallets(offers);
  if (!offered.length && !user.web3Wallets.length) return null;

  const connect = (wallet: Wallet) =>
    doing.run(async () => {
      const { strategy } = wallet;
      let made: Web3Wallet;
      const begin = async (web3Wallet: string) => {
        made = await user.createWeb3Wallet({ web3Wallet });
        return (await made.prepareVerification({ strategy })).verification;
      };
      const address = await proveWallet({ strategy, wallet }, begin, (signature) => made.attemptVerification({ strategy, signature }));
      return `You can sign in with ${short(address)} now.`;
    });

  return (
    <Section title="Wallets" doing={doing}>
      <ul>
        {user.web3Wallets.map((it) => (
          <li key={it.id}>
            <span>
              {short(it.web3Wallet)}
              <small>{it.verification.status === "verified" ? "Verified" : "Not verified"}</small>
            </span>
            <Link
              label={`Remove ${short(it.web3Wallet)}`}
              onClick={() =>
                doing.run(async () => {
                  await it.destroy();
                  return `${short(it.web3Wallet)} is removed.`;
                })
              }
            >
              Remove
            </Link>
          </li>
        ))}
      </ul>
      <div className="dw-buttons">
        {offered.map(({ wallet, label }) => (
          <Link key={`${wallet.strategy} ${label}`} onClick={() => connect(wallet)}>
            Connect {label}
          </Link>
        ))}
      </div>
    </Section>
  );
}
