//! The job that delivers a mail: to its recipient, or to the development inbox.

use doorward_base::{JobId, MessageId, Timestamp};
use doorward_core::{App, mail};
use doorward_store::jobs::{self, InboxRecord, JobRecord};
use std::future::Future;
use std::pin::Pin;

/// A mail on its way out.
pub struct Message {
    /// The job's id. A second delivery of the same job is recognisable by it.
    pub id: JobId,
    /// The recipient's address.
    pub to: String,
    /// The name that stands beside the sender's address.
    pub from_name: String,
    /// What stands before the `@` of the sender's address, where the instance says so.
    pub from_local: Option<String>,
    /// What stands before the `@` of the address that answers go to, where it is another.
    pub reply_to_local: Option<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as markup.
    pub html: Option<String>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// Why something was not delivered, in words that name no person and quote nobody.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may work later.
    #[error("{0}")]
    Retry(String),
    /// It will never work.
    #[error("{0}")]
    Permanent(String),
}

/// A delivery under way.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Where mail goes.
pub trait Transport: Send + Sync {
    /// Delivers one mail.
    fn send<'a>(&'a self, message: &'a Message) -> SendFuture<'a>;
}

/// Delivers the mail of a job.
pub(crate) async fn deliver(app: &App, transport: Option<&dyn Transport>, job: &JobRecord) -> Result<(), SendError> {
    let unreadable = |_| SendError::Permanent("sealed with another master key".to_owned());
    let mail = mail::open(&app.sealer, &job.id, &job.sealed).map_err(unreadable)?;
    if mail.inbox {
        let record =
            InboxRecord { id: inbox_id(&job.id), recipient: mail.to, subject: mail.subject, body: mail.text, created_at: job.created_at };
        // The driver's own words may hold values of the row.
        let failed = |_| SendError::Retry("the development inbox could not be written".to_owned());
        return jobs::insert_inbox(&app.db, &job.instance_id, &record).await.map_err(failed);
    }
    let Some(transport) = transport else {
        return Err(SendError::Permanent("no mail transport is configured".to_owned()));
    };
    let message = Message {
        id: job.id.clone(),
        to: mail.to,
        from_name: mail.from_name,
        from_local: mail.from_local,
        reply_to_local: mail.reply_to_local,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        written_at: job.created_at,
    };
    transport.send(&message).await
}

/// The id of a message in the development inbox: the same for every try of a job.
pub(crate) fn inbox_id(job: &JobId) -> MessageId {
    let rest = job.as_str().strip_prefix(JobId::PREFIX).unwrap_or(job.as_str());
    MessageId::from(format!("{}{rest}", MessageId::PREFIX))
}
