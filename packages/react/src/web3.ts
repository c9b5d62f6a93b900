import { missing } from "./errors.js";

/** A wallet that this browser has. */
export interface Wallet {
  /** As people know it. */
  name: string;
  /** What the protocol calls proving it: one name for each of Ethereum's wallets, one for all of Solana's. */
  strategy: string;
  /** Asks its owner for an address. */
  connect(): Promise<string | undefined>;
  /** Has its owner sign a text as that address. */
  sign(text: string, address: string): Promise<string>;
}

/** How wallets of Ethereum tell of themselves (EIP-6963), and what can be asked of them (EIP-1193). */
interface Announced {
  info: { uuid: string; name: string };
  provider: { request(call: { method: string; params?: unknown[] }): Promise<unknown> };
}

/** What of the Wallet Standard signs a text. */
interface Account {
  address: string;
}
interface StandardWallet {
  name: string;
  chains: readonly string[];
  features: {
    "standard:connect"?: { connect(): Promise<{ accounts: readonly Account[] }> };
    "solana:signMessage"?: { signMessage(asked: { account: Account; message: Uint8Array }): Promise<readonly { signature: Uint8Array }[]> };
  };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (text: string) => `0x${[...bytes(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

function ofEthereum({ info: { name }, provider }: Announced): Wallet {
  return {
    name,
    strategy: `web3_${name.toLowerCase().replaceAll(" ", "_")}_signature`,
    connect: async () => ((await provider.request({ method: "eth_requestAccounts" })) as string[])[0],
    sign: async (text, address) => (await provider.request({ method: "personal_sign", params: [hex(text), address] })) as string,
  };
}

function ofSolana({ name, chains, features }: StandardWallet): Wallet | undefined {
  const [connecting, signing] = [features["standard:connect"], features["solana:signMessage"]];
  if (!connecting || !signing || !chains.some((it) => it.startsWith("solana:"))) return undefined;
  let accounts: readonly Account[] = [];
  return {
    name,
    strategy: "web3_solana_signature",
    connect: async () => {
      accounts = (await connecting.connect()).accounts;
      return accounts[0]?.address;
    },
    sign: async (text, address) => {
      const account = accounts.find((it) => it.address === address)!;
      const [signed] = await signing.signMessage({ account, message: bytes(text) });
      return btoa(String.fromCharCode(...signed!.signature));
    },
  };
}

/** Tells of each wallet that is there or comes later, once; answers with how to stop listening. */
export function watchWallets(hear: (wallet: Wallet) => unknown): () => void {
  const known = new Set<string>();
  const once = (wallet: Wallet | undefined) => {
    const key = wallet && `${wallet.strategy} ${wallet.name}`;
    if (!key || known.has(key)) return;
    known.add(key);
    hear(wallet);
  };
  const announced = ({ detail }: CustomEvent<Announced>) => once(ofEthereum(detail));
  const api = { register: (...wallets: StandardWallet[]) => wallets.forEach((it) => once(ofSolana(it))) };
  const registers = ({ detail }: CustomEvent<(given: typeof api) => void>) => detail(api);
  const listeners = { "eip6963:announceProvider": announced, "wallet-standard:register-wallet": registers };
  for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener as EventListener);
  dispatchEvent(new Event("eip6963:requestProvider"));
  dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: api }));
  return () => {
    for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener as EventListener);
  };
}

/** The first wallet that is proved by this. */
function walletFor(strategy: string): Wallet {
  const found: Wallet[] = [];
  watchWallets((it) => it.strategy === strategy && found.push(it))();
  if (!found[0]) throw missing("web3_missing_wallet", "This browser has no such wallet.");
  return found[0];
}

// Whether its owner said no or the wallet broke, wallets tell in different ways.
async function answered<Value>(asked: Promise<Value | undefined>): Promise<Value> {
  const value = await asked.catch(() => undefined);
  if (value === undefined) throw missing("web3_signature_request_rejected", "The wallet did not sign.");
  return value;
}

export interface Web3Params {
  /** `web3_metamask_signature` or another one of a wallet. */
  strategy: string;
  /** Which wallet, where it is at hand; else the first that tells of itself at once. */
  wallet?: Wallet;
}

/** Proves a wallet: `begin` names its address to the server and answers with the text to sign, `end` brings the signature. */
export async function proveWallet(
  { strategy, wallet = walletFor(strategy) }: Web3Params,
  begin: (address: string) => Promise<{ message: string | null; nonce: string | null }>,
  end: (signature: string) => Promise<unknown>,
): Promise<string> {
  const address = await answered(wallet.connect());
  const { message, nonce } = await begin(address);
  await end(await answered(wallet.sign(message ?? nonce ?? "", address)));
  return address;
}
