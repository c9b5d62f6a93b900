//! The worker: takes what requests put into the outbox and does it, at least once, with patience and an end to it.
//!
//! A job is leased, so that one of several nodes does it and another takes over when that one dies. Whatever a job does
//! must bear being done twice: a message in the development inbox has an id made from the job's, a mail its Message-ID.
//! Neither logs nor the database learn more of a failure than its kind, for servers answer with addresses and texts.

mod backoff;
mod mail;
mod sms;
mod smtp;
mod sweep;
mod webhooks;
mod worker;

pub use mail::{Message, SendError, SendFuture, Transport};
pub use sms::SmsGateway;
pub use smtp::{SmtpOptions, SmtpTls, SmtpTransport};
pub use sweep::sweep;
pub use webhooks::{WebhookOptions, WebhookWorker};
pub use worker::{Options, Worker};
