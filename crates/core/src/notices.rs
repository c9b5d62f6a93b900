//! What people are told of their own account once it has changed.

use crate::app::Scope;
use crate::mail::Mail;
use crate::messages::Letter;
use doorward_base::*;
use doorward_store::users::UserWithEmails;

/// That the password was changed: by its owner, or by somebody who should not have been able to.
pub(crate) const PASSWORD_CHANGED: &str = "password_changed";
/// That it was removed.
pub(crate) const PASSWORD_REMOVED: &str = "password_removed";

/// A notice to a user's primary address; none to who has no proven one. Never call it inside a transaction.
///
/// # Errors
/// Only failures of ours.
pub(crate) async fn to_primary(scope: &Scope, user: &UserWithEmails, slug: &'static str) -> Result<Option<Mail>, ApiError> {
    let primary = user.user.primary_email_address_id.as_ref();
    let Some(email) = user.emails.iter().find(|it| it.verified && Some(&it.id) == primary) else { return Ok(None) };
    let letter = Letter { slug, to: email.address.clone(), locale: user.user.locale.clone(), values: Vec::new() };
    letter.mail(scope).await.map(Some)
}
