import { Wallet } from "ethers";

/** Puts a wallet into every page of a profile, as the browser extension of that name does (EIP-1193, EIP-6963). */
export async function installWallet(context, name = "MetaMask") {
  const wallet = Wallet.createRandom();
  await context.exposeBinding("__wallet", async (_, { method, params }) => {
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
  }, name);
  return wallet;
}
