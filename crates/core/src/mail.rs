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

/// A mail that is to be sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Mail {
    /// The one recipient's address.
    pub to: String,
    /// The application's name, as the sender's.
    pub from_name: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// Whether it goes to the development inbox instead of to its recipient.
    pub inbox: bool,
}

/// The mail with a code. A request's own hosts never appear in it, so that a forged one cannot lead anywhere.
pub fn code_mail(scope: &Scope, to: &str, code: &str, purpose: &str) -> Mail {
    let name = one_line(&scope.instance.settings.application_name);
    Mail {
        to: to.to_owned(),
        from_name: name.clone(),
        subject: format!("{code} is your {name} code"),
        text: format!(
            "Your code to {purpose} at {name} is:\n\n    {code}\n\nIt is good for ten minutes and works once. If you did not ask for it, you can ignore this mail; nobody gets in without the code.\n"
        ),
        inbox: scope.instance.is_development(),
    }
}

/// The mail with a link.
pub(crate) fn link_mail(scope: &Scope, to: &str, link: &str, purpose: &str) -> Mail {
    let name = one_line(&scope.instance.settings.application_name);
    Mail {
        to: to.to_owned(),
        from_name: name.clone(),
        subject: format!("Your link to {purpose} at {name}"),
        text: format!(
            "Open this link to {purpose} at {name}:\n\n{link}\n\nIt is good for ten minutes and works once. If you did not ask for it, do not open it.\n"
        ),
        inbox: scope.instance.is_development(),
    }
}

/// The mail with an invitation, good for so many days.
pub(crate) fn invitation_mail(scope: &Scope, to: &str, link: &str, days: i64, from_waitlist: bool) -> Mail {
    let name = one_line(&scope.instance.settings.application_name);
    let (subject, first) = if from_waitlist {
        (format!("You can join {name} now"), format!("Thank you for waiting: you can join {name} now."))
    } else {
        (format!("You are invited to {name}"), format!("You are invited to join {name}."))
    };
    let days = if days == 1 { "a day".to_owned() } else { format!("{days} days") };
    let text = format!(
        "{first} Open this link to accept:\n\n{link}\n\nIt is good for {days} and works once. If you expected no invitation, you can ignore this mail.\n"
    );
    plain(scope, to, subject, text)
}

/// The mail that says that somebody is on the waitlist.
pub(crate) fn waitlist_mail(scope: &Scope, to: &str) -> Mail {
    let name = one_line(&scope.instance.settings.application_name);
    let text = format!(
        "You are on the waitlist of {name}. You get another mail when you can join.\n\nIf you did not ask for it, you can ignore this mail.\n"
    );
    plain(scope, to, format!("You are on the waitlist of {name}"), text)
}

fn plain(scope: &Scope, to: &str, subject: String, text: String) -> Mail {
    let from_name = one_line(&scope.instance.settings.application_name);
    Mail { to: to.to_owned(), from_name, subject, text, inbox: scope.instance.is_development() }
}

/// A name as it may stand in a header.
fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

/// Puts a mail into the outbox, and tells webhook endpoints of it.
///
/// # Errors
/// Only failures of ours.
pub async fn enqueue(scope: &Scope, tx: &mut Tx, mail: &Mail) -> Result<(), ApiError> {
    let job = outbox::enqueue(scope, tx, JOB_KIND, mail).await?;
    let id = outbox::told_id(&job, "ema_");
    let told = json!({
        "object": "email",
        "id": id,
        "slug": null,
        "from_email_name": mail.from_name,
        "reply_to_email_name": null,
        "to_email_address": mail.to,
        "email_address_id": null,
        "user_id": null,
        "subject": mail.subject,
        "body": html(&mail.text),
        "body_plain": mail.text,
        "status": "queued",
        "data": {"app": {"name": mail.from_name}},
        "delivered_by_clerk": true,
    });
    webhooks::raise(scope, tx, "email.created", &id, &told).await
}

/// A plain text as HTML.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<pre>{escaped}</pre>")
}

/// Opens a mail from the outbox.
///
/// # Errors
/// When it was sealed with another master key.
pub fn open(sealer: &Sealer, id: &JobId, sealed: &str) -> Result<Mail, Unsealable> {
    outbox::open(sealer, id, sealed)
}
