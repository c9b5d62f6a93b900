"use client";
import { useEffect, useState } from "react";
import { Link } from "../form.js";
import { Section, useAccount, useDoing } from "./section.js";

/** A wallet that this browser has, as it tells of itself (EIP-6963). */
interface Wallet {
  info: { uuid: string; name: string };
  provider: { request(call: { method: string; params?: unknown[] }): Promise<unknown> };
}

const hex = (text: string) => `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const short = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`;
const strategyOf = ({ info: { name } }: Wallet) => `web3_${name.toLowerCase().replaceAll(" ", "_")}_signature`;

function useWallets(): Wallet[] {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  useEffect(() => {
    const hear = ({ detail }: CustomEvent<Wallet>) => setWallets((all) => (all.some(({ info }) => info.uuid === detail.info.uuid) ? all : [...all, detail]));
    addEventListener("eip6963:announceProvider", hear as EventListener);
    dispatchEvent(new Event("eip6963:requestProvider"));
    return () => removeEventListener("eip6963:announceProvider", hear as EventListener);
  }, []);
  return wallets;
}

/** Wallets that one can sign in with. */
export function WalletSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const wallets = useWallets();
  const setting = offers?.attributes.web3Wallet;
  const offered = setting?.enabled ? wallets.filter((it) => setting.firstFactors.includes(strategyOf(it))) : [];
  if (!offered.length && !user.web3Wallets.length) return null;

  const connect = (wallet: Wallet) =>
    doing.run(async () => {
      const strategy = strategyOf(wallet);
      const [address] = (await wallet.provider.request({ method: "eth_requestAccounts" })) as string[];
      if (!address) return "No wallet was chosen.";
      const made = await user.createWeb3Wallet({ web3Wallet: address });
      const { verification } = await made.prepareVerification({ strategy });
      const signature = (await wallet.provider.request({ method: "personal_sign", params: [hex(verification.message ?? verification.nonce ?? ""), address] })) as string;
      await made.attemptVerification({ strategy, signature });
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
        {offered.map((it) => (
          <Link key={it.info.uuid} onClick={() => connect(it)}>
            Connect {it.info.name}
          </Link>
        ))}
      </div>
    </Section>
  );
}
