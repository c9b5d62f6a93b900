//! How often a user's secret may be guessed, and what a wrong guess is told.

use crate::app::{Scope, internal};
use crate::{enumeration, notices};
use doorward_base::*;
use doorward_store::users::{self, UserRecord};

/// Takes one guess at a user's secret, before it is looked at.
pub(crate) async fn take_guess(scope: &Scope, user: &UserRecord) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.attack_protection;
    if !rules.lockout {
        return match user.locked_until.filter(|until| *until > scope.now) {
            Some(until) => Err(locked(scope, until)),
            None => Ok(()),
        };
    }
    let until = scope.now + rules.duration_minutes * 60_000;
    let taken = users::take_guess(scope.db(), scope.ins(), &user.id, rules.max_attempts, until, scope.now).await.map_err(internal)?;
    if let Some((_, closed)) = taken {
        if closed.is_some() {
            // Should this guess be right, those before it were wrong all the same.
            let user = crate::users::load(scope, &user.id).await?;
            notices::locked(scope, &user, rules.duration_minutes).await?;
        }
        return Ok(());
    }
    let now_locked = users::get(scope.db(), scope.ins(), &user.id).await.map_err(internal)?.and_then(|it| it.user.locked_until);
    Err(locked(scope, now_locked.unwrap_or(until)))
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
