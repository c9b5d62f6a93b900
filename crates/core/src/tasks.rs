//! What has to be done before a session is active: choose a new password, set up a second factor.
//!
//! Whether a session waits for tasks is settled when it begins; which of them are open is read off its user each time, so that
//! a task is done with the act itself. With the last of them the session is active for good ([`crate::webhooks::listen`] tells of it). SDKs that do not know pending sessions would be stuck with one: on their clients none
//! begins, and the sign-in is refused instead.

use crate::app::{Caller, Scope};
use crate::strategies;
use doorward_base::*;
use doorward_store::sessions::SessionRecord;
use doorward_store::users::UserWithEmails;

/// Choose a new password.
const RESET_PASSWORD: &str = "reset-password";
/// Set up a second factor.
const SETUP_MFA: &str = "setup-mfa";

/// What a user has to do, by the names on the wire.
pub(crate) fn of_user(scope: &Scope, user: &UserWithEmails) -> Vec<&'static str> {
    let reset = user.user.password_compromised && user.user.password_hash.is_some();
    let setup = lacks_second_factor(scope, Some(user));
    [(reset, RESET_PASSWORD), (setup, SETUP_MFA)].into_iter().filter(|(open, _)| *open).map(|(_, name)| name).collect()
}

fn lacks_second_factor(scope: &Scope, user: Option<&UserWithEmails>) -> bool {
    let has = user.is_some_and(|user| !strategies::second_factors(&scope.instance, user).is_empty());
    scope.instance.settings.session.require_second_factor && !has
}

/// Whether a session that begins now waits for tasks. `user` is none for one that the same act makes. With a new password that
/// is set by the same act, none is to be chosen.
///
/// # Errors
/// `session_creation_not_allowed` where the caller could not set up the second factor that is required.
pub(crate) fn at_begin(scope: &Scope, caller: &Caller, user: Option<&UserWithEmails>, new_password: bool) -> Result<bool, ApiError> {
    if !caller.knows_setup_mfa && lacks_second_factor(scope, user) {
        return Err(codes::SESSION_CREATION_NOT_ALLOWED.into());
    }
    if !caller.knows_pending {
        return Ok(false);
    }
    let tasks = user.map_or_else(|| if lacks_second_factor(scope, None) { vec![SETUP_MFA] } else { Vec::new() }, |it| of_user(scope, it));
    Ok(tasks.iter().any(|task| !(new_password && *task == RESET_PASSWORD)))
}

/// What is left to be done of what a session waits for.
pub(crate) fn open(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> Vec<&'static str> {
    if session.tasked { of_user(scope, user) } else { Vec::new() }
}

/// Whether a session is pending: it may do nothing but its tasks.
pub fn is_pending(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> bool {
    !open(scope, session, user).is_empty()
}

/// Whether the session's task is to choose a new password. Whoever signed in for it need not know the old one.
pub(crate) fn chooses_password(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> bool {
    open(scope, session, user).contains(&RESET_PASSWORD)
}
