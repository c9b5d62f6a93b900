//! The second factor.

use super::complete::{self, Parts};
use super::first::{named, repeats};
use super::state::{self, Proof, Stage};
use super::{load_current, write};
use crate::app::{Caller, Scope};
use crate::client::{Current, Outcome};
use crate::strategies::{Attempt, FactorParams, Prepare};
use doorward_base::*;
use doorward_wire::fapi::{AttemptSecondFactor, PrepareSecondFactor, SignIn};

/// Sends the code of a second factor.
///
/// # Errors
/// `client_state_invalid` before the first factor, `strategy_for_user_invalid` and others.
pub async fn prepare_second(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareSecondFactor) -> Result<SignIn, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { verification, trust, .. } = &mut loaded.state.stage else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    let strategy = trust.factor(&scope.instance, user, named(&params)?)?;
    if repeats(scope, verification.as_ref(), &params, Some(user)).await? {
        return state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await;
    }
    let code = strategy.prepare(Prepare { scope, caller, user, owner: &loaded.record.id, identifier: None, params: &params }).await?;
    *verification = Some(code.record.id.clone());
    write(scope, loaded, Some(code)).await
}

/// Proves the second factor: the sign-in is complete then.
///
/// # Errors
/// `client_state_invalid` before the first factor, `form_code_incorrect`, `user_locked` and others.
pub async fn attempt_second(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &AttemptSecondFactor,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { proof, verification, password, trust, account } = &loaded.state.stage else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    proof.refuse_stale(user)?;
    trust.refuse_stale(&scope.instance, user)?;
    let strategy = trust.factor(&scope.instance, user, named(&params)?)?;
    let with = Attempt { scope, user, owner: &loaded.record.id, verification: verification.as_ref(), params: &params };
    let proven = strategy.attempt(with).await?;
    let second = Proof::new(scope, strategy.name(), proven.attempts);
    let first = Parts::new(Some(loaded.record.clone()), loaded.state.clone(), proof.clone());
    let waiting = Parts { password: password.clone(), account: account.clone(), ..first };
    let parts = Parts { second: Some(second), trust: *trust, consume: proven.consume, ..waiting };
    complete::complete(scope, caller, current, parts, user).await
}
