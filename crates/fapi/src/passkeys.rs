use doorward_base::ApiError;
use doorward_core::passkeys;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, Passkey};

pub(crate) async fn create(cx: &mut Cx, _: CreateMyPasskey) -> Result<Passkey, ApiError> {
    passkeys::create(&cx.scope, &cx.caller, &cx.session()?.1).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptMyPasskey) -> Result<Passkey, ApiError> {
    passkeys::attempt(&cx.scope, &cx.caller, &cx.session()?.1, &req).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetMyPasskey) -> Result<Passkey, ApiError> {
    passkeys::get(&cx.scope, &cx.caller, &cx.session()?.1, &req.passkey_id).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateMyPasskey) -> Result<Passkey, ApiError> {
    passkeys::rename(&cx.scope, &cx.session()?.1, &req.passkey_id, req.name.as_deref()).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteMyPasskey) -> Result<DeletedObject, ApiError> {
    passkeys::delete(&cx.scope, &cx.session()?.1, &req.passkey_id).await
}
