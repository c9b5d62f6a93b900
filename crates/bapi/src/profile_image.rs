use doorward_base::ApiError;
use doorward_core::{images, users};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::User;

pub(crate) async fn set(cx: &mut Cx, req: SetUserProfileImage) -> Result<User, ApiError> {
    let file = cx.upload.take();
    images::set(&cx.scope, &req.user_id, file).await?;
    Ok(users::view(&cx.scope, &users::load(&cx.scope, &req.user_id).await?, users::Audience::Backend))
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteUserProfileImage) -> Result<User, ApiError> {
    images::remove(&cx.scope, &req.user_id).await?;
    Ok(users::view(&cx.scope, &users::load(&cx.scope, &req.user_id).await?, users::Audience::Backend))
}
