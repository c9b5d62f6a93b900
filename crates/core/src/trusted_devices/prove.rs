use super::{ALGORITHM, STRATEGY, client_data, key, refuse_when_off};
use crate::app::{Scope, internal};
use crate::sign_in::{filled, refuse_locked};
use crate::strategies::{Consume, FactorParams, Grants, Proven};
use crate::verification::{self, NewCode};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use doorward_base::*;
use doorward_store::trusted_devices::{self as store, TrustedDeviceRecord};
use doorward_store::users::{self, UserWithEmails};

/// The most characters of a signature: one in DER has 72 bytes at most.
const MAX_SIGNATURE: usize = 200;

/// The device of an id, if it can sign in.
///
/// # Errors
/// `feature_not_enabled`, `form_param_missing`, `resource_not_found`.
pub(crate) async fn find(scope: &Scope, id: Option<&str>) -> Result<TrustedDeviceRecord, ApiError> {
    refuse_when_off(scope)?;
    let id = filled(id).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("trusted_device_id"))?;
    let found = store::get(scope.db(), scope.ins(), &id.into()).await.map_err(internal)?;
    found.filter(|it| it.revoked_at.is_none()).ok_or_else(|| ApiError::not_found("Trusted device", id))
}

/// Makes the challenge for a sign-in.
///
/// # Errors
/// Only failures of ours.
pub(crate) fn ask(scope: &Scope, owner: &str, device: &TrustedDeviceRecord) -> Result<NewCode, ApiError> {
    let text = client_data(scope, "trusted_device.sign_in", &device.app_identifier, &B64.encode(scope.app.rng.bytes::<32>()));
    verification::new_challenge(scope, owner, STRATEGY, device.id.as_str(), text, ())
}

pub(super) fn signature(text: Option<&str>) -> Result<Vec<u8>, ApiError> {
    const PARAM: &str = "signature";
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(PARAM))?;
    let bytes = Some(text).filter(|text| text.len() <= MAX_SIGNATURE);
    let bytes = bytes.and_then(|text| B64.decode(text.trim_end_matches('=')).or_else(|_| STANDARD.decode(text)).ok());
    bytes.ok_or_else(|| ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(PARAM))
}

/// Checks a device's answer, and says whose device it is.
///
/// # Errors
/// `form_incorrect_signature`, `verification_failed`, `verification_expired`, `user_locked` and the parameters' codes.
pub(crate) async fn prove(
    scope: &Scope,
    owner: &str,
    verification: &VerificationId,
    params: &FactorParams,
) -> Result<(UserWithEmails, Proven), ApiError> {
    let device = find(scope, params.trusted_device_id.as_deref()).await?;
    let client_data = filled(params.client_data.as_deref()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("client_data"))?;
    if filled(params.algorithm.as_deref()).is_some_and(|name| name != ALGORITHM) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("algorithm"));
    }
    let signature = signature(params.signature.as_deref())?;
    let (taken, asked) = verification::take_challenge::<()>(scope, verification, owner, STRATEGY).await?;
    let user = users::get(scope.db(), scope.ins(), &device.user_id).await.map_err(internal)?.ok_or(codes::SIGN_IN_USER_DELETED)?;
    refuse_locked(scope, &user.user)?;
    let right = taken.target_id == device.id.as_str() && asked.shown == client_data;
    if !right || !key::verifies(&device.public_key, client_data, &signature) {
        return Err(ApiError::new(codes::FORM_INCORRECT_SIGNATURE).param("signature").long("The signature is not one of this device."));
    }
    let consume = Some(Consume::TrustedDevice { verification: taken.id, device: device.id });
    Ok((user, Proven { grants: Grants::SignIn, consume, attempts: 1, both: false }))
}
