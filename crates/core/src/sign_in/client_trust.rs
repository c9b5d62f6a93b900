//! Client trust: a right password on a device that its user never signed in on is not enough.

use super::complete::Parts;
use super::state::Trust;
use crate::app::{Caller, Scope, internal};
use crate::client::Current;
use crate::strategies;
use doorward_base::*;
use doorward_store::sessions;
use doorward_store::users::UserWithEmails;

/// Whether a user has signed in on this device before. A device is a client: it is known as long as a session of the user on it
/// is kept, live or over.
pub(super) async fn is_known(scope: &Scope, current: &Current, user: &UserId) -> Result<bool, ApiError> {
    let Some(client) = &current.record else { return Ok(false) };
    sessions::was_on_client(scope.db(), scope.ins(), &client.id, user).await.map_err(internal)
}

/// Whether a device has to be proven after a password, by a code to an address or number of the user. Who has neither, or is
/// spared by a server, is not asked; a second factor of the user's own makes it needless.
pub(super) async fn asked(
    scope: &Scope,
    caller: &Caller,
    current: &Current,
    parts: &Parts,
    user: &UserWithEmails,
) -> Result<Trust, ApiError> {
    let by_password = scope.instance.settings.attack_protection.client_trust && parts.proof.strategy == "password";
    if !by_password || user.user.bypass_client_trust || strategies::device_factors(&scope.instance, user).is_empty() {
        return Ok(Trust::NotAsked);
    }
    if is_known(scope, current, &user.user.id).await? {
        return Ok(Trust::NotAsked);
    }
    // An SDK that does not know the status would show nothing for it.
    Ok(if caller.knows_client_trust { Trust::NewDevice } else { Trust::AsSecondFactor })
}
