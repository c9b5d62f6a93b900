use doorward_base::ApiError;
use doorward_core::me_password;
use doorward_core::users::{self, Audience};
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::User;

pub(crate) async fn change(cx: &mut Cx, req: ChangePassword) -> Result<User, ApiError> {
    let user = me_password::change(&cx.scope, &cx.session()?.0, &req).await?;
    Ok(users::view(&cx.scope, &user, Audience::Frontend))
}

pub(crate) async fn remove(cx: &mut Cx, req: RemovePassword) -> Result<User, ApiError> {
    let user = me_password::remove(&cx.scope, &cx.session()?.0, &req).await?;
    Ok(users::view(&cx.scope, &user, Audience::Frontend))
}
