use doorward_base::ApiError;
use doorward_core::two_factor;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::DeletedObject;

pub(crate) async fn create_totp(cx: &mut Cx, _: CreateTotp) -> Result<Totp, ApiError> {
    two_factor::create_totp(&cx.scope, &cx.session()?.1).await
}

pub(crate) async fn verify_totp(cx: &mut Cx, req: VerifyTotp) -> Result<Totp, ApiError> {
    let (session, user) = cx.session()?;
    two_factor::verify_totp(&cx.scope, &session.id, user, req.code.as_deref()).await
}

pub(crate) async fn delete_totp(cx: &mut Cx, _: DeleteTotp) -> Result<DeletedObject, ApiError> {
    two_factor::delete_totp(&cx.scope, &cx.session()?.1).await
}

pub(crate) async fn create_backup_codes(cx: &mut Cx, _: CreateBackupCodes) -> Result<BackupCodes, ApiError> {
    two_factor::create_backup_codes(&cx.scope, &cx.session()?.1).await
}
