use doorward_base::ApiError;
use doorward_core::{client, reverification, users};
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, EmailAddress, User};

pub(crate) async fn update(cx: &mut Cx, req: UpdateMe) -> Result<User, ApiError> {
    let (session, user) = cx.session()?;
    let primary = [&req.primary_email_address_id, &req.primary_phone_number_id, &req.primary_web3_wallet_id];
    if req.username.is_some() || primary.iter().any(|it| it.is_some()) {
        reverification::require(&cx.scope, session, user)?;
    }
    users::update_own(&cx.scope, &user.user.id, &req).await
}

pub(crate) async fn merge_metadata(cx: &mut Cx, req: UpdateMyMetadata) -> Result<User, ApiError> {
    let metadata = users::Metadata { public: None, private: None, unsafe_: req.unsafe_metadata.as_ref() };
    let changed = users::merge_metadata(&cx.scope, &cx.session()?.1.user.id, metadata).await?;
    Ok(users::view(&cx.scope, &changed, users::Audience::Frontend))
}

/// The client of the answer is what is left of it: nobody is signed in as that user any more.
pub(crate) async fn delete(cx: &mut Cx, _: DeleteMe) -> Result<DeletedObject, ApiError> {
    let gone = users::delete_own(&cx.scope, &cx.session()?.1).await?;
    if let Some(record) = &mut cx.current.record {
        client::forget_user(&cx.scope, record).await?;
    }
    Ok(DeletedObject::new("user", gone))
}

pub(crate) async fn list_emails(cx: &mut Cx, _: ListMyEmailAddresses) -> Result<Vec<EmailAddress>, ApiError> {
    users::list_emails(&cx.scope, &cx.session()?.1.user.id).await
}

pub(crate) async fn create_email(cx: &mut Cx, req: CreateMyEmailAddress) -> Result<EmailAddress, ApiError> {
    users::add_email(&cx.scope, &cx.session()?.1, req.email_address.as_deref()).await
}

pub(crate) async fn get_email(cx: &mut Cx, req: GetMyEmailAddress) -> Result<EmailAddress, ApiError> {
    users::get_email(&cx.scope, &cx.session()?.1, &req.email_id).await
}

pub(crate) async fn prepare_email(cx: &mut Cx, req: PrepareMyEmailAddress) -> Result<EmailAddress, ApiError> {
    users::prepare_email(&cx.scope, &cx.session()?.1, &req.email_id, req.strategy.as_deref(), req.redirect_url.as_deref()).await
}

pub(crate) async fn attempt_email(cx: &mut Cx, req: AttemptMyEmailAddress) -> Result<EmailAddress, ApiError> {
    users::attempt_email(&cx.scope, &cx.session()?.1, &req.email_id, req.code.as_deref()).await
}

pub(crate) async fn delete_email(cx: &mut Cx, req: DeleteMyEmailAddress) -> Result<DeletedObject, ApiError> {
    users::delete_email(&cx.scope, &cx.session()?.1, &req.email_id).await?;
    Ok(DeletedObject::new("email_address", &req.email_id))
}
