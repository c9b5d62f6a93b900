//! A new password, for whoever proved an address or a number instead of the old one.

use super::complete::{self, Parts};
use super::state::{self, NewPassword, Proof, Stage};
use super::{Loaded, advance, load_current, was_right};
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::password;
use crate::strategies::{self, Proven};
use doorward_base::*;
use doorward_wire::fapi::{ResetPassword, SignIn};

pub(super) async fn needs_new_password(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    proof: Proof,
    proven: Proven,
    new_password: Option<&Secret>,
) -> Result<Outcome<SignIn>, ApiError> {
    if let Some(new) = new_password {
        let hash = scope.app.passwords.hash(new, &scope.app.rng).await?;
        let password = NewPassword { hash, sign_out_others: true };
        return reset(scope, caller, current, loaded, proof, proven.consume, password).await;
    }
    loaded.state.stage = Stage::NeedsNewPassword { proof };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(user) = &loaded.user {
        if let Some(what) = &proven.consume {
            strategies::consume(scope, &mut tx, &user.user.id, what).await?;
        }
        was_right(scope, &mut tx, user, false).await?;
    }
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    tx.commit().await.map_err(internal)?;
    let value = state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await?;
    Ok(Outcome { value, current })
}

/// Sets the new password that a proof of the address allows, and signs in.
///
/// # Errors
/// `client_state_invalid` before the proof, the password policy's codes, and others.
pub async fn reset_password(scope: &Scope, caller: &Caller, current: Current, req: &ResetPassword) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let Stage::NeedsNewPassword { proof } = &loaded.state.stage else { return Err(codes::CLIENT_STATE_INVALID.into()) };
    let proof = proof.clone();
    let password = req.password.as_deref().filter(|p| !p.is_empty());
    let password = Secret::from(password.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("password"))?);
    password::accept(scope, &password, "password").await?;
    let hash = scope.app.passwords.hash(&password, &scope.app.rng).await?;
    let password = NewPassword { hash, sign_out_others: req.sign_out_of_other_sessions != Some(false) };
    reset(scope, caller, current, loaded, proof, None, password).await
}

async fn reset(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    proof: Proof,
    consume: Option<strategies::Consume>,
    password: NewPassword,
) -> Result<Outcome<SignIn>, ApiError> {
    let user = loaded.user.ok_or(codes::SIGN_IN_USER_DELETED)?;
    proof.refuse_stale(&user)?;
    let parts = Parts { consume, password: Some(password), ..Parts::new(Some(loaded.record), loaded.state, proof) };
    complete::after_first(scope, caller, current, parts, &user).await
}
