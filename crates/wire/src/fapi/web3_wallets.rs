use crate::endpoint::request;
use crate::resource::{DeletedObject, Web3Wallet};
use doorward_base::IdentificationId;

request! {
    /// No parameters.
    ListMyWeb3Wallets {} => Vec<Web3Wallet>; Frontend GET "/v1/me/web3_wallets" "getWeb3Wallets";
    "Web3 Wallets", Session, Frontend, Bare; "List the signed-in user's wallets."
}
request! {
    /// Adds a wallet. It is the user's when it is proven.
    CreateMyWeb3Wallet {
        /// The address.
        web3_wallet: Option<String>,
    } => Web3Wallet; Frontend POST "/v1/me/web3_wallets" "postWeb3Wallets";
    "Web3 Wallets", Session, Send, WithClient; "Add a wallet."
}
request! {
    /// Names a wallet of the signed-in user.
    GetMyWeb3Wallet {
        /// The wallet.
        web3_wallet_id: IdentificationId,
    } => Web3Wallet; Frontend GET "/v1/me/web3_wallets/{web3_wallet_id}" "readWeb3Wallet";
    "Web3 Wallets", Session, Frontend, WithClient; "Get a wallet."
}
request! {
    /// Has a text made for the wallet to sign.
    PrepareMyWeb3Wallet {
        /// The wallet.
        web3_wallet_id: IdentificationId,
        /// `web3_metamask_signature` or another one of a wallet.
        strategy: Option<String>,
        /// Accepted for the SDKs; nothing leads away from the page.
        redirect_url: Option<String>,
    } => Web3Wallet; Frontend POST "/v1/me/web3_wallets/{web3_wallet_id}/prepare_verification" "prepareWeb3WalletVerification";
    "Web3 Wallets", Session, Attempt, WithClient; "Get the text that proves a wallet when it signs it."
}
request! {
    /// Proves a wallet.
    AttemptMyWeb3Wallet {
        /// The wallet.
        web3_wallet_id: IdentificationId,
        /// Its signature of the text.
        signature: Option<String>,
    } => Web3Wallet; Frontend POST "/v1/me/web3_wallets/{web3_wallet_id}/attempt_verification" "attemptWeb3WalletVerification";
    "Web3 Wallets", Session, Attempt, WithClient; "Prove a wallet by its signature."
}
request! {
    /// Names a wallet of the signed-in user.
    DeleteMyWeb3Wallet {
        /// The wallet.
        web3_wallet_id: IdentificationId,
    } => DeletedObject; Frontend DELETE "/v1/me/web3_wallets/{web3_wallet_id}" "deleteWeb3Wallet";
    "Web3 Wallets", Session, Frontend, WithClient; "Remove a wallet."
}
