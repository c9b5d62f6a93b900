use doorward_base::ApiError;
use doorward_core::users::server_emails as emails;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::{DeletedObject, EmailAddress};

pub(crate) async fn create(cx: &mut Cx, req: CreateEmailAddress) -> Result<EmailAddress, ApiError> {
    emails::create(&cx.scope, &req).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetEmailAddress) -> Result<EmailAddress, ApiError> {
    emails::get(&cx.scope, &req.email_address_id).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateEmailAddress) -> Result<EmailAddress, ApiError> {
    emails::update(&cx.scope, &req).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteEmailAddress) -> Result<DeletedObject, ApiError> {
    emails::delete(&cx.scope, &req.email_address_id).await?;
    Ok(DeletedObject::new("email_address", req.email_address_id))
}

pub(crate) async fn prepare(cx: &mut Cx, req: PrepareEmailAddressVerification) -> Result<ServerVerification, ApiError> {
    emails::prepare(&cx.scope, &req.email_address_id).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptEmailAddressVerification) -> Result<ServerVerification, ApiError> {
    emails::attempt(&cx.scope, &req.email_address_id, req.verification_id.as_deref(), req.code.as_deref()).await
}

pub(crate) async fn replace(cx: &mut Cx, req: ReplaceUserEmailAddress) -> Result<EmailAddress, ApiError> {
    emails::replace(&cx.scope, &req).await
}
