use doorward_base::ApiError;
use doorward_core::passkeys;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

pub(crate) async fn delete(cx: &mut Cx, req: DeleteUserPasskey) -> Result<DeletedObject, ApiError> {
    passkeys::remove(&cx.scope, &req.user_id, &req.passkey_identification_id).await
}
