use crate::endpoint::request;
use crate::resource::DeletedObject;
use doorward_base::{IdentificationId, UserId};

request! {
    /// Names a wallet of a user.
    DeleteUserWeb3Wallet {
        /// The user.
        user_id: UserId,
        /// The wallet.
        web3_wallet_identification_id: IdentificationId,
    } => DeletedObject; Backend DELETE "/v1/users/{user_id}/web3_wallets/{web3_wallet_identification_id}" "UserWeb3WalletDelete";
    "Users", SecretKey, Backend, Bare; "Remove a user's wallet."
}
