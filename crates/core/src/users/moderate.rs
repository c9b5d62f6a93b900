//! Who may come in, and who must leave: bans, locks, deletion, and what a server checks or begins in a user's name.

use super::{load, lock_end};
use crate::app::{Caller, Scope, internal};
use crate::client::Current;
use crate::sign_in::{NewSession, complete_new_session, take_guess, was_right};
use doorward_base::*;
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::{self, UserRecord, UserWithEmails};

/// What a client says of the last sign-in when there was none: a server began the session.
const STRATEGY: &str = "admin";

/// Bans users or lets them in again, all or none of them. A ban ends every session in the same transaction, so that
/// there is no moment at which a banned user is still in.
///
/// # Errors
/// `resource_not_found` naming the first id that there is no user of.
pub async fn set_banned(scope: &Scope, ids: &[UserId], banned: bool) -> Result<Vec<UserWithEmails>, ApiError> {
    // Rows are taken in one order, so that two of these side by side cannot wait for each other.
    let mut sorted: Vec<&UserId> = ids.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut tx = scope.db().begin().await.map_err(internal)?;
    for id in sorted {
        if !users::set_banned(&mut tx, scope.ins(), id, banned, scope.now).await.map_err(internal)? {
            return Err(ApiError::not_found("User", id));
        }
        if banned {
            sessions::close_of_user(&mut tx, scope.ins(), id, None, "revoked", scope.now).await.map_err(internal)?;
        }
    }
    tx.commit().await.map_err(internal)?;
    let mut found = users::get_many(scope.db(), scope.ins(), ids).await.map_err(internal)?;
    // The answer has the request's order. Whoever was deleted meanwhile is left out.
    let place = |it: &UserWithEmails| ids.iter().position(|id| id == &it.user.id);
    found.sort_by_key(place);
    Ok(found)
}

/// Closes an account for as long as the instance's lock-out lasts, or opens it and forgets the wrong guesses.
///
/// # Errors
/// `resource_not_found`.
pub async fn set_locked(scope: &Scope, id: &UserId, locked: bool) -> Result<UserWithEmails, ApiError> {
    let until = locked.then(|| lock_end(scope));
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::set_locked(&mut tx, scope.ins(), id, until, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("User", id));
    }
    tx.commit().await.map_err(internal)?;
    load(scope, id).await
}

/// Says that a password is known to others, so that a sign-in with it leads to a new one, or takes that back.
///
/// # Errors
/// `resource_not_found`, `no_password_set`.
pub async fn set_password_compromised(scope: &Scope, id: &UserId, compromised: bool, sign_out: bool) -> Result<UserWithEmails, ApiError> {
    load(scope, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::set_password_compromised(&mut tx, scope.ins(), id, compromised, scope.now).await.map_err(internal)? {
        return Err(codes::NO_PASSWORD_SET.into());
    }
    if sign_out {
        sessions::close_of_user(&mut tx, scope.ins(), id, None, "revoked", scope.now).await.map_err(internal)?;
    }
    tx.commit().await.map_err(internal)?;
    load(scope, id).await
}

/// Deletes a user with everything that is theirs, and answers who it was.
///
/// # Errors
/// `resource_not_found`, also for the slower one of two requests.
pub async fn delete(scope: &Scope, id: &UserId) -> Result<UserRecord, ApiError> {
    let it = load(scope, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::delete(&mut tx, scope.ins(), id, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("User", id));
    }
    tx.commit().await.map_err(internal)?;
    Ok(it.user)
}

/// Checks a user's password without a sign-in. Wrong ones count like those of a sign-in: a server must not become a way
/// round the lock-out.
///
/// # Errors
/// `resource_not_found`, `no_password_set`, `user_locked`, `incorrect_password`.
pub async fn verify_password(scope: &Scope, id: &UserId, password: Option<&str>) -> Result<(), ApiError> {
    let password = password.filter(|text| !text.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("password"))?;
    let user = load(scope, id).await?;
    let hash = user.user.password_hash.as_deref().ok_or(codes::NO_PASSWORD_SET)?;
    take_guess(scope, &user.user).await?;
    let verdict = scope.app.passwords.verify(&Secret::from(password), Some(hash)).await?;
    if !verdict.matched {
        return Err(ApiError::new(codes::INCORRECT_PASSWORD).param("password"));
    }
    let mut tx = scope.db().begin().await.map_err(internal)?;
    was_right(scope, &mut tx, &user, false).await?;
    tx.commit().await.map_err(internal)
}

/// Begins a session without a sign-in, on a client of its own that no browser has the token of. For tests: it takes no
/// proof of anything, so only development instances have it.
///
/// # Errors
/// `request_invalid_for_environment`, `resource_not_found`, `user_banned`.
pub async fn begin_session(scope: &Scope, caller: &Caller, id: &UserId) -> Result<SessionRecord, ApiError> {
    if !scope.instance.is_development() {
        return Err(codes::REQUEST_INVALID_FOR_ENVIRONMENT.into());
    }
    load(scope, id).await?;
    let new = NewSession::prepare(scope, caller, &Current::default(), id);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    let completed = complete_new_session(scope, &mut tx, new, STRATEGY).await?;
    tx.commit().await.map_err(internal)?;
    Ok(completed.session)
}
