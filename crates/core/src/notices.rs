//! What people are told of their own account once it has changed.

use crate::mail::{self, About, Mail};
use crate::messages::Letter;
use crate::user_agent;
use crate::{Caller, Scope, internal, rfc3339};
use doorward_base::*;
use doorward_store::users::UserWithEmails;

/// That the password was changed: by its owner, or by somebody who should not have been able to.
pub(crate) const PASSWORD_CHANGED: &str = "password_changed";
/// That it was removed.
pub(crate) const PASSWORD_REMOVED: &str = "password_removed";

/// That wrong guesses have closed the account for a while.
const ACCOUNT_LOCKED: &str = "account_locked";
/// That somebody signed in on a device that is new to the account.
const NEW_DEVICE: &str = "sign_in_from_new_device";

/// A notice to a user's primary address; none to who has no proven one. Never call it inside a transaction.
///
/// # Errors
/// Only failures of ours.
pub(crate) async fn to_primary(scope: &Scope, user: &UserWithEmails, slug: &'static str) -> Result<Option<Mail>, ApiError> {
    told(scope, user, slug, Vec::new()).await
}

/// Tells that wrong guesses have closed the account, for so many minutes.
///
/// # Errors
/// Only failures of ours.
pub(crate) async fn locked(scope: &Scope, user: &UserWithEmails, minutes: i64) -> Result<(), ApiError> {
    let Some(notice) = told(scope, user, ACCOUNT_LOCKED, vec![("minutes", minutes.to_string())]).await? else { return Ok(()) };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    mail::enqueue(scope, &mut tx, &notice).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(())
}

/// A notice of a sign-in on a new device. Never call it inside a transaction.
///
/// # Errors
/// Only failures of ours.
pub(crate) async fn new_device(scope: &Scope, caller: &Caller, user: &UserWithEmails) -> Result<Option<Mail>, ApiError> {
    let place = caller.ip.map(|ip| scope.app.atlas.place(ip)).unwrap_or_default();
    let location: Vec<String> = [place.city, place.country].into_iter().flatten().collect();
    let values = vec![
        ("device", user_agent::parse(caller.user_agent.as_deref()).name().unwrap_or_default()),
        ("ip_address", caller.ip.map(|ip| ip.to_string()).unwrap_or_default()),
        ("location", location.join(", ")),
        ("signed_in_at", rfc3339(scope.now)?),
    ];
    told(scope, user, NEW_DEVICE, values).await
}

async fn told(
    scope: &Scope,
    user: &UserWithEmails,
    slug: &'static str,
    values: Vec<(&'static str, String)>,
) -> Result<Option<Mail>, ApiError> {
    let primary = user.user.primary_email_address_id.as_ref();
    let Some(email) = user.emails.iter().find(|it| it.verified && Some(&it.id) == primary) else { return Ok(None) };
    let about = About::of(&user.user.id, &email.id);
    let letter = Letter { slug, to: email.address.clone(), locale: user.user.locale.clone(), values, about };
    letter.mail(scope).await.map(Some)
}
