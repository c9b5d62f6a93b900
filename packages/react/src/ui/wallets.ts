"use client";
import { useEffect, useState } from "react";
import type { Result } from "../future.js";
import type { SignInFuture } from "../sign-in-future.js";
import type { SignUpFuture } from "../sign-up-future.js";
import { type Wallet, watchWallets } from "../web3.js";
import type { Offers } from "./environment.js";

/** What a person calls a wallet, where there is another one of its name for the other chain. */
const label = ({ name, strategy }: Wallet, all: Wallet[]) =>
  all.filter((it) => it.name === name).length > 1 ? `${name} (${strategy === "web3_solana_signature" ? "Solana" : "Ethereum"})` : name;

/** The wallets of this browser that the instance takes. */
export function useWallets(offers: Offers | undefined): { wallet: Wallet; label: string }[] {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const setting = offers?.attributes.web3Wallet;
  const enabled = setting?.enabled;
  useEffect(() => {
    if (!enabled) return;
    setWallets([]);
    return watchWallets((found) => setWallets((all) => [...all, found]));
  }, [enabled]);
  const taken = enabled ? wallets.filter(({ strategy }) => setting!.firstFactors.includes(strategy)) : [];
  return taken.map((wallet) => ({ wallet, label: label(wallet, taken) }));
}

/** How a sign-in ends by a wallet that nobody has; by the second, where the instance does not tell who has an account. */
const unknown = ["form_identifier_not_found", "form_incorrect_signature"];

/** Signs in whoever has the wallet, and signs them up where nobody has it yet. */
export async function withWallet(wallet: Wallet, signIn: SignInFuture, signUp: SignUpFuture): Promise<Result & { isNew: boolean }> {
  const { strategy } = wallet;
  const { error } = await signIn.web3({ strategy, wallet });
  if (!error || !unknown.includes(error.code)) return { error, isNew: false };
  await signIn.reset();
  return { ...(await signUp.web3({ strategy, wallet })), isNew: true };
}
