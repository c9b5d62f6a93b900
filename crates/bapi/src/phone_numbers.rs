use doorward_base::ApiError;
use doorward_core::users::server_phones as phones;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::{DeletedObject, PhoneNumber};

pub(crate) async fn create(cx: &mut Cx, req: CreatePhoneNumber) -> Result<PhoneNumber, ApiError> {
    phones::create(&cx.scope, &req).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetPhoneNumber) -> Result<PhoneNumber, ApiError> {
    phones::get(&cx.scope, &req.phone_number_id).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdatePhoneNumber) -> Result<PhoneNumber, ApiError> {
    phones::update(&cx.scope, &req).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeletePhoneNumber) -> Result<DeletedObject, ApiError> {
    phones::delete(&cx.scope, &req.phone_number_id).await?;
    Ok(DeletedObject::new("phone_number", req.phone_number_id))
}

pub(crate) async fn prepare(cx: &mut Cx, req: PreparePhoneNumberVerification) -> Result<ServerVerification, ApiError> {
    phones::prepare(&cx.scope, &req.phone_number_id).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptPhoneNumberVerification) -> Result<ServerVerification, ApiError> {
    phones::attempt(&cx.scope, &req.phone_number_id, req.verification_id.as_deref(), req.code.as_deref()).await
}

pub(crate) async fn replace(cx: &mut Cx, req: ReplaceUserPhoneNumber) -> Result<PhoneNumber, ApiError> {
    phones::replace(&cx.scope, &req).await
}
