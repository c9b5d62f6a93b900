//! Sign-in by a trusted device: the device is named, and its key says whose it is.

use super::state::{Proof, SignInState, Stage};
use super::{Loaded, finish, keep, signed_in_as, write};
use crate::app::{Caller, Scope};
use crate::client::{Current, Outcome};
use crate::strategies::FactorParams;
use crate::trusted_devices::{self, STRATEGY};
use doorward_base::*;
use doorward_wire::fapi::SignIn;

/// Starts a sign-in by a device.
pub(super) async fn start(scope: &Scope, current: Current, device: Option<&str>) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let device = trusted_devices::find(scope, device).await?;
    let id = SignInId::new(scope.now, &scope.app.rng);
    let code = trusted_devices::ask(scope, id.as_str(), &device)?;
    let stage = Stage::Discoverable { verification: code.record.id.clone() };
    let (value, current) = keep(scope, current, SignInState { stage, ..SignInState::default() }, None, Some((id, code)), None).await?;
    Ok(Outcome { value: Ok(value), current })
}

/// Makes another challenge, in a sign-in that has proven nothing yet.
pub(super) async fn prepare(scope: &Scope, mut loaded: Loaded, params: &FactorParams) -> Result<SignIn, ApiError> {
    let device = trusted_devices::find(scope, params.trusted_device_id.as_deref()).await?;
    let code = trusted_devices::ask(scope, &loaded.record.id, &device)?;
    let verification = code.record.id.clone();
    loaded.state.stage = match loaded.state.stage {
        Stage::NeedsIdentifier | Stage::Discoverable { .. } => Stage::Discoverable { verification },
        Stage::NeedsFirstFactor { .. } => Stage::NeedsFirstFactor { verification: Some(verification) },
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    };
    write(scope, loaded, Some(code)).await
}

/// Proves a device. Whoever was named before has to be whose it is.
pub(super) async fn attempt(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    params: &FactorParams,
) -> Result<Outcome<SignIn>, ApiError> {
    let verification = match &loaded.state.stage {
        Stage::Discoverable { verification } | Stage::NeedsFirstFactor { verification: Some(verification) } => verification,
        Stage::NeedsIdentifier | Stage::NeedsFirstFactor { verification: None } => return Err(codes::VERIFICATION_MISSING.into()),
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    };
    let (user, proven) = trusted_devices::prove(scope, &loaded.record.id, verification, params).await?;
    if loaded.user.as_ref().is_some_and(|named| named.user.id != user.user.id) {
        return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy"));
    }
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    loaded.state.user_id = Some(user.user.id.clone());
    loaded.user = Some(user);
    let proof = Proof::new(scope, STRATEGY, proven.attempts);
    finish(scope, caller, current, loaded, proof, proven).await
}
