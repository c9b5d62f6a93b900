use doorward_base::ApiError;
use doorward_core::sign_up;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::fapi::SignUp;

pub(crate) async fn get(cx: &mut Cx, req: GetServerSignUp) -> Result<SignUp, ApiError> {
    sign_up::server_get(&cx.scope, &req.id).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateServerSignUp) -> Result<SignUp, ApiError> {
    let external_id = req.external_id.as_ref().map(|id| id.as_deref());
    sign_up::server_update(&cx.scope, &req.id, external_id, req.custom_action).await
}
