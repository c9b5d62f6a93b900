"use client";
import { useEffect, useState } from "react";
import type { Result } from "../future.js";
import type { SignInFuture } from "../sign-in-future.js";
import type { SignUpFuture } from "../sign-up-future.js";
import { type Wallet, watchWallets } from "../web3.js";
import type { Offers } from "./environment.js";

/** The wallets of this browser that the instance takes. */
export function useWallets(offers: Offers | undefined): Wallet[] {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  const setting = offers?.attributes.web3Wallet;
  const enabled = setting?.enabled;
  useEffect(() => {
    if (!enabled) return;
    setWallets([]);
    return watchWallets((found) => setWallets((all) => [...all, found]));
  }, [enabled]);
  return enabled ? wallets.filter(({ strategy }) => setting!.firstFactors.includes(strategy)) : [];
}

/** Signs in whoever has the wallet, and signs them up where nobody has it yet. */
export async function withWallet({ strategy, name: walletName }: Wallet, signIn: SignInFuture, signUp: SignUpFuture): Promise<Result & { isNew: boolean }> {
  const { error } = await signIn.web3({ strategy, walletName });
  if (error?.errors[0]?.code !== "form_identifier_not_found") return { error, isNew: false };
  await signIn.reset();
  return { ...(await signUp.web3({ strategy, walletName })), isNew: true };
}
