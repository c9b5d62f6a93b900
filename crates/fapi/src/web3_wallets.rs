use doorward_base::*;
use doorward_core::users;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, Web3Wallet};

pub(crate) async fn list(cx: &mut Cx, _: ListMyWeb3Wallets) -> Result<Vec<Web3Wallet>, ApiError> {
    users::list_wallets(&cx.scope, &cx.session()?.1.user.id).await
}

pub(crate) async fn create(cx: &mut Cx, req: CreateMyWeb3Wallet) -> Result<Web3Wallet, ApiError> {
    users::add_wallet(&cx.scope, &cx.session()?.1, req.web3_wallet.as_deref()).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetMyWeb3Wallet) -> Result<Web3Wallet, ApiError> {
    users::get_wallet(&cx.scope, &cx.session()?.1, &req.web3_wallet_id).await
}

pub(crate) async fn prepare(cx: &mut Cx, req: PrepareMyWeb3Wallet) -> Result<Web3Wallet, ApiError> {
    users::prepare_wallet(&cx.scope, &cx.caller, &cx.session()?.1, &req.web3_wallet_id, req.strategy.as_deref()).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptMyWeb3Wallet) -> Result<Web3Wallet, ApiError> {
    users::attempt_wallet(&cx.scope, &cx.session()?.1, &req.web3_wallet_id, req.signature.as_deref()).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteMyWeb3Wallet) -> Result<DeletedObject, ApiError> {
    users::delete_wallet(&cx.scope, &cx.session()?.1, &req.web3_wallet_id).await
}
