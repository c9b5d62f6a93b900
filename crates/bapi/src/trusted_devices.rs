use doorward_base::ApiError;
use doorward_core::{trusted_devices, users};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::TrustedDevice;

pub(crate) async fn list(cx: &mut Cx, req: ListUserTrustedDevices) -> Result<List<TrustedDevice>, ApiError> {
    let user = users::load(&cx.scope, &req.user_id).await?;
    let data = trusted_devices::list(&cx.scope, &user.user.id).await?;
    let total_count = i64::try_from(data.len()).map_err(ApiError::internal)?;
    Ok(List::Page { data, total_count })
}

pub(crate) async fn revoke(cx: &mut Cx, req: RevokeUserTrustedDevice) -> Result<TrustedDevice, ApiError> {
    trusted_devices::revoke(&cx.scope, &req.user_id, &req.trusted_device_id).await
}
