import { generateKeyPairSync, sign } from "node:crypto";
import { Wallet, encodeBase58 } from "ethers";

/** Puts a wallet into every page of a profile, as the browser extension of that name does (EIP-1193, EIP-6963). */
export async function installWallet(context, name = "MetaMask") {
  const wallet = Wallet.createRandom();
  const owner = { address: wallet.address, refuse: false };
  await context.exposeBinding("__wallet", async (_, { method, params }) => {
    if (owner.refuse) throw new Error("the owner said no");
    if (method === "eth_requestAccounts" || method === "eth_accounts") return [wallet.address];
    if (method === "personal_sign") return wallet.signMessage(Buffer.from(params[0].replace(/^0x/, ""), "hex"));
    throw new Error(`this wallet does not know ${method}`);
  });
  await context.addInitScript((name) => {
    const provider = { isMetaMask: true, request: (asked) => globalThis.__wallet(asked) };
    const detail = { info: { uuid: "1f2c6c1e-8f57-4b9e-9e0a-6d5f1f6f3a11", name, icon: "data:,", rdns: "io.example.wallet" }, provider };
    const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze(detail) }));
    addEventListener("eip6963:requestProvider", announce);
    announce();
    // Coinbase's own library looks for its extension here, and Base's for the browser in Coinbase's app.
    if (name === "Coinbase Wallet") globalThis.coinbaseWalletExtension = provider;
    if (name === "Base") globalThis.ethereum = Object.assign(provider, { isCoinbaseBrowser: true });
  }, name);
  return owner;
}

/** Puts a wallet of Solana into every page of a profile, as an extension that speaks the Wallet Standard does. */
export async function installSolanaWallet(context, name = "Phantom") {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const owner = { address: encodeBase58(Buffer.from(publicKey.export({ format: "jwk" }).x, "base64url")), refuse: false };
  await context.exposeBinding("__solana", (_, message) => {
    if (owner.refuse) throw new Error("the owner said no");
    return [...sign(null, Buffer.from(message), privateKey)];
  });
  await context.addInitScript(
    ({ name, address }) => {
      const signMessage = async ({ message }) => [{ signedMessage: message, signature: Uint8Array.from(await globalThis.__solana([...message])) }];
      const signTransaction = async () => Promise.reject(new Error("this wallet signs no transaction"));
      const connect = async () => ({ accounts: (wallet.accounts = [{ address, chains: ["solana:mainnet"], features: ["solana:signMessage"] }]) });
      const features = {
        "standard:connect": { version: "1.0.0", connect },
        // Without these two some apps do not take it for a wallet.
        "standard:events": { version: "1.0.0", on: () => () => {} },
        "solana:signTransaction": { version: "1.0.0", supportedTransactionVersions: ["legacy"], signTransaction },
        "solana:signMessage": { version: "1.1.0", signMessage },
      };
      const wallet = { version: "1.0.0", name, icon: "data:,", chains: ["solana:mainnet"], features, accounts: [] };
      const register = (api) => api.register(wallet);
      addEventListener("wallet-standard:app-ready", ({ detail }) => register(detail));
      dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
    },
    { name, address: owner.address },
  );
  return owner;
}
