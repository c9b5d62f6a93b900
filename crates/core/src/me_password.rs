//! Who is signed in changes the password, sets a first one, or does without one.

use crate::app::{Scope, internal};
use crate::mail::{self, Mail};
use crate::settings::Presence;
use crate::sign_in::{take_guess, was_right};
use crate::{notices, password, strategies, tasks, users};
use doorward_base::*;
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::{self as store, UserWithEmails};
use doorward_wire::fapi::{ChangePassword, RemovePassword};

/// How often a change is tried again when the password's hash was replaced in between.
const TRIES: usize = 3;

/// Sets a new password. Who has one proves it first, unless the session waits for just that. Everything else of the account stays, the other sessions too unless
/// they are to end.
///
/// # Errors
/// `form_param_missing`, `form_password_incorrect` (of `current_password`), `form_new_password_matches_current`, those of
/// [`password::accept`] (of `new_password`), `user_locked`, `form_param_unknown` where the instance has no passwords.
pub async fn change(scope: &Scope, session: &SessionRecord, req: &ChangePassword) -> Result<UserWithEmails, ApiError> {
    if scope.instance.settings.attributes.password == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("new_password"));
    }
    let new = secret(req.new_password.as_deref()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("new_password"))?;
    let current = secret(req.current_password.as_deref());
    password::policy::check(&scope.instance.settings.password, new.expose(), "new_password")?;
    for _ in 0..TRIES {
        let user = users::load(scope, &session.user_id).await?;
        let old = user.user.password_hash.as_deref();
        let spared = spares(scope) || tasks::chooses_password(scope, session, &user);
        let guessed = old.is_some() && !(current.is_none() && spared);
        if guessed {
            let current = current.as_ref().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("current_password"))?;
            prove(scope, &user, current).await?;
            if current.expose() == new.expose() {
                return Err(ApiError::new(codes::FORM_NEW_PASSWORD_MATCHES).param("new_password"));
            }
        }
        password::accept(scope, &new, "new_password").await?;
        let hash = scope.app.passwords.hash(&new, &scope.app.rng).await?;
        let others_out = req.sign_out_of_other_sessions == Some(true);
        // Nobody is told of a first password: there was none that could have been stolen.
        let notice = if old.is_some() { notices::to_primary(scope, &user, notices::PASSWORD_CHANGED).await? } else { None };
        if write(scope, session, (&user, guessed), Some(&hash), others_out, notice.as_ref()).await? {
            return users::load(scope, &session.user_id).await;
        }
    }
    Err(codes::CONFLICT.into())
}

/// Removes the password. Who could not sign in without it keeps it.
///
/// # Errors
/// `no_password_set`, `password_required`, `form_param_missing`, `form_password_incorrect` (of `current_password`),
/// `user_locked`.
pub async fn remove(scope: &Scope, session: &SessionRecord, req: &RemovePassword) -> Result<UserWithEmails, ApiError> {
    let current = secret(req.current_password.as_deref());
    for _ in 0..TRIES {
        let user = users::load(scope, &session.user_id).await?;
        if user.user.password_hash.is_none() {
            return Err(codes::NO_PASSWORD_SET.into());
        }
        if scope.instance.settings.attributes.password == Presence::Required || !enters_without(scope, &user) {
            return Err(codes::PASSWORD_REQUIRED.into());
        }
        match &current {
            Some(current) => prove(scope, &user, current).await?,
            None if spares(scope) => {}
            None => return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("current_password")),
        }
        let notice = notices::to_primary(scope, &user, notices::PASSWORD_REMOVED).await?;
        if write(scope, session, (&user, current.is_some()), None, false, notice.as_ref()).await? {
            return users::load(scope, &session.user_id).await;
        }
    }
    Err(codes::CONFLICT.into())
}

fn secret(text: Option<&str>) -> Option<Secret> {
    text.filter(|text| !text.is_empty()).map(Secret::from)
}

/// Whether the password that is replaced need not be told: the instance has asked for a proof of presence instead, and the SDKs'
/// screens go by what the environment says of that.
fn spares(scope: &Scope) -> bool {
    scope.instance.settings.session.reverify_sensitive
}

/// Whether there is another way in.
fn enters_without(scope: &Scope, user: &UserWithEmails) -> bool {
    let mut without = user.clone();
    without.user.password_hash = None;
    strategies::enters(&scope.instance, &without)
}

async fn prove(scope: &Scope, user: &UserWithEmails, current: &Secret) -> Result<(), ApiError> {
    take_guess(scope, &user.user).await?;
    let verdict = scope.app.passwords.verify(current, user.user.password_hash.as_deref()).await?;
    if verdict.matched { Ok(()) } else { Err(ApiError::new(codes::FORM_PASSWORD_INCORRECT).param("current_password")) }
}

/// False when the hash is no longer the one that was read: of several that prove the same password, one gets through.
async fn write(
    scope: &Scope,
    session: &SessionRecord,
    (before, guessed): (&UserWithEmails, bool),
    new: Option<&str>,
    others_out: bool,
    notice: Option<&Mail>,
) -> Result<bool, ApiError> {
    let (user, old) = (&session.user_id, before.user.password_hash.as_deref());
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::replace_password(&mut tx, scope.ins(), user, old, new, scope.now).await.map_err(internal)? {
        return Ok(false);
    }
    if new.is_none() {
        users::keep_way_in(scope, &mut tx, before, "current_password", users::Hand::User).await?;
    }
    if guessed {
        was_right(scope, &mut tx, before, false).await?;
    }
    if others_out {
        sessions::close_of_user(&mut tx, scope.ins(), user, Some(&session.id), "revoked", scope.now).await.map_err(internal)?;
    }
    if let Some(notice) = notice {
        mail::enqueue(scope, &mut tx, notice).await?;
    }
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(true)
}
