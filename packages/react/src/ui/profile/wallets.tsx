"use client";
import { Link } from "../form.js";
import { Section, useAccount, useDoing } from "./section.js";

/** A wallet in this browser (EIP-1193). */
interface Wallet {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}
const walletHere = () => (globalThis as { ethereum?: Wallet }).ethereum;
const STRATEGY = "web3_metamask_signature";
const hex = (text: string) => `0x${[...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const short = (address: string) => `${address.slice(0, 6)}…${address.slice(-4)}`;

/** Wallets that one can sign in with. */
export function WalletSection() {
  const { user, offers } = useAccount();
  const doing = useDoing();
  const wallet = walletHere();
  const setting = offers?.attributes.web3Wallet;
  const canAdd = Boolean(wallet && setting?.enabled && setting.firstFactors.includes(STRATEGY));
  if (!canAdd && !user.web3Wallets.length) return null;

  const connect = () =>
    doing.run(async () => {
      const [address] = (await wallet!.request({ method: "eth_requestAccounts" })) as string[];
      if (!address) return "No wallet was chosen.";
      const made = await user.createWeb3Wallet({ web3Wallet: address });
      const { verification } = await made.prepareVerification({ strategy: STRATEGY });
      const signature = (await wallet!.request({ method: "personal_sign", params: [hex(verification.message ?? ""), address] })) as string;
      await made.attemptVerification({ strategy: STRATEGY, signature });
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
      {canAdd && <Link onClick={connect}>Connect a wallet</Link>}
    </Section>
  );
}
