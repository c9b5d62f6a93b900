//! How often a user's secret may be guessed, and what a wrong guess is told.

use crate::app::{Scope, internal};
use crate::{enumeration, notices, strategies};
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::users::{self, UserRecord, UserWithEmails};

/// One guess at a user's secret.
pub(crate) struct Guess {
    /// Whether it has closed the account. A right one opens it again.
    closed: bool,
}

impl Guess {
    /// What came of it. Of an account that a wrong one has closed its user is told.
    ///
    /// # Errors
    /// That of the guess, or failures of ours.
    pub(crate) async fn judged<T>(self, scope: &Scope, user: &UserWithEmails, came: Result<T, ApiError>) -> Result<T, ApiError> {
        if self.closed && came.is_err() {
            notices::locked(scope, user, scope.instance.settings.attack_protection.duration_minutes).await?;
        }
        came
    }
}

/// Takes one guess at a user's secret, before it is looked at.
pub(crate) async fn take_guess(scope: &Scope, user: &UserRecord) -> Result<Guess, ApiError> {
    let rules = &scope.instance.settings.attack_protection;
    if !rules.lockout {
        return match user.locked_until.filter(|until| *until > scope.now) {
            Some(until) => Err(locked(scope, until)),
            None => Ok(Guess { closed: false }),
        };
    }
    let until = scope.now + rules.duration_minutes * 60_000;
    let taken = users::take_guess(scope.db(), scope.ins(), &user.id, rules.max_attempts, until, scope.now).await.map_err(internal)?;
    if let Some((_, closed)) = taken {
        return Ok(Guess { closed: closed.is_some() });
    }
    let now_locked = users::get(scope.db(), scope.ins(), &user.id).await.map_err(internal)?.and_then(|it| it.user.locked_until);
    Err(locked(scope, now_locked.unwrap_or(until)))
}

/// Gives back a right guess. The wrong ones before it are forgotten only where nothing else of the user is guessed from the same
/// counter: whoever has one factor would otherwise guess at the other one without end.
pub(crate) async fn was_right(scope: &Scope, tx: &mut Tx, user: &UserWithEmails, proven_all: bool) -> Result<(), ApiError> {
    let id = &user.user.id;
    if proven_all || strategies::second_factors(&scope.instance, user).is_empty() {
        users::clear_guesses(tx, scope.ins(), id).await.map_err(internal)
    } else {
        users::give_back_guess(tx, scope.ins(), id).await.map_err(internal)
    }
}

/// Refuses who was locked by a server. What nobody can guess takes no guess, and gets in while others guess at the account.
///
/// # Errors
/// `user_locked`.
pub(crate) fn refuse_locked(scope: &Scope, user: &UserRecord) -> Result<(), ApiError> {
    match user.locked_until {
        Some(until) if until > scope.now && user.failed_attempts == 0 => Err(locked(scope, until)),
        _ => Ok(()),
    }
}

pub(super) fn locked(scope: &Scope, until: Timestamp) -> ApiError {
    let seconds = ((until - scope.now + 999) / 1000).max(1);
    let minutes = (seconds + 59) / 60;
    let text = format!(
        "Your account is locked. You will be able to try again in {minutes} minute{}. For more information, please contact support.",
        if minutes == 1 { "" } else { "s" }
    );
    ApiError::new(codes::USER_LOCKED).long(text).lockout(seconds)
}

/// The error of a wrong password; with enumeration protection the same one as for an unknown user.
pub(crate) fn wrong_password(scope: &Scope) -> ApiError {
    if enumeration::hides(scope) {
        ApiError::new(codes::FORM_PASSWORD_OR_IDENTIFIER_INCORRECT).param("password")
    } else {
        ApiError::new(codes::FORM_PASSWORD_INCORRECT).param("password")
    }
}
