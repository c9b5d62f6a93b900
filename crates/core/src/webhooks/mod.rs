//! Webhooks: what others are told of, and where. An event is written in the transaction of the change that it tells of; a
//! worker delivers it.
//!
//! Users and sessions need nothing from whoever changes them: the statements that do so say it to their transaction, and
//! [`listen`] has an event written at its end. For anything else, call [`raise`] in the transaction.

mod access;
mod endpoints;
mod events;
mod replay;
mod teller;

pub use access::{SESSION_SECONDS, app_of, authorized, create_app, delete_app, enter, form_token, is_form_token, leave, link};
pub(crate) use endpoints::secret_context;
pub use endpoints::{EndpointChange, create, delete, find, list, reveal_secret, rotate_secret, update};
pub use events::{asked_by, open_event, raise, signed_headers, test_event};
pub use replay::{Range, replay, replay_range};
pub use teller::listen;

/// The types of events that an endpoint can choose from. Not all of them can happen yet.
pub const EVENTS: &[&str] = &[
    "email.created",
    "organization.created",
    "organization.updated",
    "organization.deleted",
    "organizationDomain.created",
    "organizationDomain.updated",
    "organizationDomain.deleted",
    "organizationInvitation.created",
    "organizationInvitation.accepted",
    "organizationInvitation.revoked",
    "organizationMembership.created",
    "organizationMembership.updated",
    "organizationMembership.deleted",
    "paymentAttempt.created",
    "paymentAttempt.updated",
    "permission.created",
    "permission.updated",
    "permission.deleted",
    "role.created",
    "role.updated",
    "role.deleted",
    "session.created",
    "session.pending",
    "session.ended",
    "session.removed",
    "session.revoked",
    "sms.created",
    "subscription.created",
    "subscription.updated",
    "subscription.active",
    "subscription.pastDue",
    "subscriptionItem.abandoned",
    "subscriptionItem.active",
    "subscriptionItem.canceled",
    "subscriptionItem.ended",
    "subscriptionItem.freeTrialEnding",
    "subscriptionItem.incomplete",
    "subscriptionItem.pastDue",
    "subscriptionItem.upcoming",
    "subscriptionItem.updated",
    "user.created",
    "user.updated",
    "user.deleted",
    "waitlistEntry.created",
    "waitlistEntry.updated",
];

/// The date of the payloads' shape.
pub const VERSION: &str = "2025-04-15";

/// Whether an endpoint that chose `kinds`, a JSON list, is told of events of a type.
pub(crate) fn wants(kinds: &str, kind: &str) -> bool {
    let kinds: Vec<String> = serde_json::from_str(kinds).unwrap_or_default();
    kinds.is_empty() || kinds.iter().any(|it| it == kind)
}
