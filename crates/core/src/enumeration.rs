//! Hiding which accounts exist. Where the settings say so (`attack_protection.enumeration_protection`), whoever names an
//! address or a number that belongs to somebody goes on as if it belonged to nobody, and gets no further than to a code that
//! was never sent.
//!
//! Without it, an instance tells who asks; limits on how often one can ask are those of the calls.

use crate::app::{Scope, internal};
use crate::crypto::token_hash;
use doorward_base::*;
use doorward_store::users::{self, UserWithEmails};
use doorward_store::{StoreError, tokens};
use std::time::{Duration, Instant};

/// The steps in which answers come where accounts are hidden.
pub const GRAIN: Duration = Duration::from_millis(25);

/// Whether the instance tells nobody.
pub(crate) fn hides(scope: &Scope) -> bool {
    scope.instance.settings.attack_protection.enumeration_protection
}

/// Waits for the end of the step that a call is in, where accounts are hidden: what is left of the difference between somebody
/// and nobody, a tenth of a millisecond, does not show.
pub async fn even_out(scope: &Scope, began: Instant) {
    if hides(scope) {
        let steps = began.elapsed().as_nanos() / GRAIN.as_nanos() + 1;
        let end = began + GRAIN * u32::try_from(steps).unwrap_or(u32::MAX);
        tokio::time::sleep_until(end.into()).await;
    }
}

/// Refuses an identifier that somebody has, unless that is to be hidden.
///
/// # Errors
/// `form_identifier_exists`, naming `param`.
pub(crate) fn refuse_taken(scope: &Scope, found: bool, param: &str) -> Result<(), ApiError> {
    if found && !hides(scope) { Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(param)) } else { Ok(()) }
}

/// Whether an address belongs to somebody other than `own`, which is to be hidden.
pub(crate) async fn hides_email(scope: &Scope, own: Option<&UserId>, key: &str) -> Result<bool, ApiError> {
    Ok(hides(scope) && is_anothers(users::by_email(scope.db(), scope.ins(), key).await, own)?)
}

/// Whether a number belongs to somebody other than `own`, which is to be hidden.
pub(crate) async fn hides_phone(scope: &Scope, own: Option<&UserId>, number: &str) -> Result<bool, ApiError> {
    Ok(hides(scope) && is_anothers(users::by_phone(scope.db(), scope.ins(), number).await, own)?)
}

fn is_anothers(holder: Result<Option<UserWithEmails>, StoreError>, own: Option<&UserId>) -> Result<bool, ApiError> {
    Ok(holder.map_err(internal)?.is_some_and(|it| Some(&it.user.id) != own))
}

/// The kind of one-time tokens that stand for guesses at nobody's secret. Nobody has one; they are swept away soon.
const GUESS: &str = "guess_of_nobody";

/// Writes as much as a guess at somebody's secret does.
pub(crate) async fn pretend_guess(scope: &Scope) -> Result<(), ApiError> {
    let hash = token_hash(&scope.app.rng.alphanumeric(20));
    tokens::insert(scope.db(), scope.ins(), GUESS, &hash, "", scope.now, scope.now).await.map_err(internal)
}

/// The error of a code that was never sent, and was guessed.
pub(crate) fn incorrect() -> ApiError {
    ApiError::new(codes::FORM_CODE_INCORRECT).param("code")
}
