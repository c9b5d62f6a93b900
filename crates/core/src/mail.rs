//! Mail on its way.

use crate::app::Scope;
use crate::crypto::{Sealer, Unsealable};
use crate::{outbox, webhooks};
use doorward_base::*;
use doorward_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The kind of job that delivers a mail.
pub const JOB_KIND: &str = "mail";

/// The kind of job with a message for nobody: it is written so that the time it takes tells nothing, and dropped.
pub const NOBODYS_JOB_KIND: &str = "nobodys";

/// A mail that is to be sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// The one recipient's address.
    pub to: String,
    /// The application's name, as the sender's.
    pub from_name: String,
    /// What stands before the `@` of the sender's address; the server's own when there is none.
    #[serde(default)]
    pub from_local: Option<String>,
    /// What stands before the `@` of the address that answers go to; the sender's when there is none.
    #[serde(default)]
    pub reply_to_local: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as markup.
    #[serde(default)]
    pub html: Option<String>,
    /// Whether it goes to the development inbox instead of to its recipient.
    pub inbox: bool,
    /// What webhook endpoints are told of it beside itself.
    #[serde(skip)]
    pub told: Told,
}

/// What webhook endpoints are told of a message beside itself.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The message's name for programs.
    pub slug: Option<&'static str>,
    /// The values that were filled in.
    pub data: serde_json::Value,
    /// Whose message it is, and to which of their addresses or numbers, where that is known.
    pub about: About,
    /// Whether the app delivers the message itself. Then nothing is sent; a development inbox shows it nevertheless.
    pub app_delivers: bool,
}

/// Who is written to, as far as that is known.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The user.
    pub user: Option<UserId>,
    /// The user's address or number.
    pub identification: Option<IdentificationId>,
}

impl About {
    /// A user, at one of their addresses or numbers.
    pub(crate) fn of(user: &UserId, identification: &IdentificationId) -> Self {
        Self { user: Some(user.clone()), identification: Some(identification.clone()) }
    }
}

/// Puts a mail into the outbox, and tells webhook endpoints of it.
///
/// # Errors
/// Only failures of ours.
pub async fn enqueue(scope: &Scope, tx: &mut Tx, mail: &Mail) -> Result<(), ApiError> {
    let job = match mail.told.app_delivers && !mail.inbox {
        true => JobId::new(scope.now, &scope.app.rng),
        false => outbox::enqueue(scope, tx, JOB_KIND, mail).await?,
    };
    let id = outbox::told_id(&job, "ema_");
    let told = json!({
        "object": "email",
        "id": id,
        "slug": mail.told.slug,
        "from_email_name": mail.from_local.as_ref().unwrap_or(&mail.from_name),
        "reply_to_email_name": mail.reply_to_local,
        "to_email_address": mail.to,
        "email_address_id": mail.told.about.identification,
        "user_id": mail.told.about.user,
        "subject": mail.subject,
        "body": mail.html,
        "body_plain": mail.text,
        "status": "queued",
        "data": mail.told.data,
        "delivered_by_clerk": !mail.told.app_delivers,
    });
    webhooks::raise(scope, tx, "email.created", &id, &told).await
}

/// Opens a mail from the outbox.
///
/// # Errors
/// When it was sealed with another master key.
pub fn open(sealer: &Sealer, id: &JobId, sealed: &str) -> Result<Mail, Unsealable> {
    outbox::open(sealer, id, sealed)
}
