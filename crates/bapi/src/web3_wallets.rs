use doorward_base::ApiError;
use doorward_core::users;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

pub(crate) async fn delete(cx: &mut Cx, req: DeleteUserWeb3Wallet) -> Result<DeletedObject, ApiError> {
    users::remove_wallet(&cx.scope, &req.user_id, &req.web3_wallet_identification_id).await
}
