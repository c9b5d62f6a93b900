use doorward_base::ApiError;
use doorward_core::users::{self, Audience};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::User;

pub(crate) async fn remove_password(cx: &mut Cx, req: RemoveUserPassword) -> Result<User, ApiError> {
    let sign_out = req.sign_out_of_other_sessions == Some(true);
    let user = users::remove_password(&cx.scope, &req.user_id, sign_out).await?;
    Ok(users::view(&cx.scope, &user, Audience::Backend))
}

pub(crate) async fn verify_totp(cx: &mut Cx, req: VerifyUserTotp) -> Result<VerifiedFactor, ApiError> {
    let code_type = users::verify_second_factor(&cx.scope, &req.user_id, req.code.as_deref()).await?;
    Ok(VerifiedFactor { verified: true, code_type: code_type.to_owned() })
}

pub(crate) async fn disable_mfa(cx: &mut Cx, req: DisableUserMfa) -> Result<UserFactorsRemoved, ApiError> {
    users::remove_second_factors(&cx.scope, &req.user_id).await?;
    Ok(UserFactorsRemoved { user_id: req.user_id })
}

pub(crate) async fn delete_backup_codes(cx: &mut Cx, req: DeleteUserBackupCodes) -> Result<UserFactorsRemoved, ApiError> {
    users::remove_backup_codes(&cx.scope, &req.user_id).await?;
    Ok(UserFactorsRemoved { user_id: req.user_id })
}

pub(crate) async fn delete_totp(cx: &mut Cx, req: DeleteUserTotp) -> Result<UserFactorsRemoved, ApiError> {
    users::remove_totp(&cx.scope, &req.user_id).await?;
    Ok(UserFactorsRemoved { user_id: req.user_id })
}
