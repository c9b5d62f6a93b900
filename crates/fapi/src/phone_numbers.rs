use doorward_base::*;
use doorward_core::{reverification, users};
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, PhoneNumber};

pub(crate) async fn list(cx: &mut Cx, _: ListMyPhoneNumbers) -> Result<Vec<PhoneNumber>, ApiError> {
    users::list_phones(&cx.scope, &cx.session()?.1.user.id).await
}

pub(crate) async fn create(cx: &mut Cx, req: CreateMyPhoneNumber) -> Result<PhoneNumber, ApiError> {
    users::add_phone(&cx.scope, &cx.session()?.1, req.phone_number.as_deref(), req.reserved_for_second_factor).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetMyPhoneNumber) -> Result<PhoneNumber, ApiError> {
    users::get_phone(&cx.scope, &cx.session()?.1, &req.phone_number_id).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateMyPhoneNumber) -> Result<PhoneNumber, ApiError> {
    let (second, default) = (req.reserved_for_second_factor, req.default_second_factor);
    let (session, user) = cx.session()?;
    if second.is_some() {
        reverification::require(&cx.scope, session, user)?;
    }
    users::update_phone(&cx.scope, user, &req.phone_number_id, second, default).await
}

pub(crate) async fn prepare(cx: &mut Cx, req: PrepareMyPhoneNumber) -> Result<PhoneNumber, ApiError> {
    let (strategy, channel) = (req.strategy.as_deref(), req.channel.as_deref());
    users::prepare_phone(&cx.scope, &cx.session()?.1, &req.phone_number_id, strategy, channel).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptMyPhoneNumber) -> Result<PhoneNumber, ApiError> {
    users::attempt_phone(&cx.scope, &cx.session()?.1, &req.phone_number_id, req.code.as_deref()).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteMyPhoneNumber) -> Result<DeletedObject, ApiError> {
    users::delete_phone(&cx.scope, &cx.session()?.1, &req.phone_number_id).await?;
    Ok(DeletedObject::new("phone_number", &req.phone_number_id))
}
