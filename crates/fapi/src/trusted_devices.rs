use doorward_base::ApiError;
use doorward_core::trusted_devices;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::{TrustedDevice, TrustedDeviceChallenge};

pub(crate) async fn validate(cx: &mut Cx, req: ValidateTrustedDevice) -> Result<TrustedDeviceValidation, ApiError> {
    cx.client_or_new().await?;
    let valid = trusted_devices::is_valid(&cx.scope, req.trusted_device_id.as_deref()).await?;
    Ok(TrustedDeviceValidation { object: "trusted_device_validation".to_owned(), valid })
}

pub(crate) async fn list(cx: &mut Cx, _: ListTrustedDevices) -> Result<Vec<TrustedDevice>, ApiError> {
    trusted_devices::list(&cx.scope, &cx.session()?.1.user.id).await
}

pub(crate) async fn prepare(cx: &mut Cx, req: PrepareTrustedDevice) -> Result<TrustedDeviceChallenge, ApiError> {
    trusted_devices::prepare(&cx.scope, &cx.session()?.1.user.id, &req).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptTrustedDevice) -> Result<TrustedDevice, ApiError> {
    trusted_devices::attempt(&cx.scope, &cx.session()?.1.user.id, &req).await
}

pub(crate) async fn revoke(cx: &mut Cx, req: RevokeTrustedDevice) -> Result<TrustedDevice, ApiError> {
    trusted_devices::revoke(&cx.scope, &cx.session()?.1.user.id, &req.trusted_device_id).await
}
