//! The job that delivers a text message: to a gateway, or to the development inbox.

use crate::mail::{SendError, inbox_id};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_base::Secret;
use doorward_core::outbound::{Method, OutboundRequest};
use doorward_core::sms::{self, Channel, Sms};
use doorward_core::{App, signed_webhook};
use doorward_store::jobs::{self, InboxRecord, JobRecord};
use serde_json::json;
use url::Url;

/// Who delivers text messages.
#[derive(Clone)]
pub enum SmsGateway {
    /// Twilio, or a service that takes the same calls (Programmable Messaging, 2010-04-01).
    Twilio {
        /// Where its interface is: `https://api.twilio.com` unless it is another's.
        url: Url,
        /// The account's id.
        account_sid: String,
        /// The account's secret.
        auth_token: Secret,
        /// The sender: a number, a name, or the id of a messaging service (`MG..`).
        from: String,
        /// The sender of messages over WhatsApp, if there is one.
        whatsapp_from: Option<String>,
    },
    /// A server of one's own, called with JSON and a signature (Standard Webhooks).
    Webhook {
        /// Its address.
        url: Url,
        /// What the signature is made with.
        secret: Secret,
    },
}

impl SmsGateway {
    fn request(&self, job: &JobRecord, sms: &Sms, seconds: i64) -> Result<OutboundRequest, SendError> {
        match self {
            Self::Twilio { url, account_sid, auth_token, from, whatsapp_from } => {
                let none = || SendError::Permanent("the gateway has no sender for messages over WhatsApp".to_owned());
                let (to, from) = match sms.channel {
                    Channel::Sms => (sms.to.clone(), from.clone()),
                    Channel::Whatsapp => (format!("whatsapp:{}", sms.to), format!("whatsapp:{}", whatsapp_from.as_ref().ok_or_else(none)?)),
                };
                let sender = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
                let place = url.join(&format!("/2010-04-01/Accounts/{account_sid}/Messages.json"));
                let place = place.map_err(|_| SendError::Permanent("the gateway's address is none".to_owned()))?;
                let credentials = STANDARD.encode(format!("{account_sid}:{}", auth_token.expose()));
                Ok(OutboundRequest::new(Method::Post, place).header("authorization", format!("Basic {credentials}")).form([
                    ("To", to.as_str()),
                    (sender, &from),
                    ("Body", &sms.text),
                ]))
            }
            Self::Webhook { url, secret } => {
                let id = job.id.as_str();
                let body = json!({"id": id, "to": sms.to, "channel": sms.channel.as_str(), "text": sms.text});
                let request = OutboundRequest::new(Method::Post, url.clone()).json(&body);
                let signature = signed_webhook::signature(&signed_webhook::key(secret), id, seconds, &request.body);
                Ok(request.header("webhook-id", id).header("webhook-timestamp", seconds.to_string()).header("webhook-signature", signature))
            }
        }
    }
}

/// Delivers the text message of a job.
pub(crate) async fn deliver(app: &App, gateway: Option<&SmsGateway>, job: &JobRecord) -> Result<(), SendError> {
    let unreadable = |_| SendError::Permanent("sealed with another master key".to_owned());
    let sms = sms::open(&app.sealer, &job.id, &job.sealed).map_err(unreadable)?;
    if sms.inbox {
        let subject = if sms.channel == Channel::Whatsapp { "WhatsApp message" } else { "Text message" }.to_owned();
        let record = InboxRecord { id: inbox_id(&job.id), recipient: sms.to, subject, body: sms.text, created_at: job.created_at };
        let failed = |_| SendError::Retry("the development inbox could not be written".to_owned());
        return jobs::insert_inbox(&app.db, &job.instance_id, &record).await.map_err(failed);
    }
    let Some(gateway) = gateway else {
        return Err(SendError::Permanent("no gateway for text messages is configured".to_owned()));
    };
    let request = gateway.request(job, &sms, app.clock.now() / 1000)?;
    let answer = app.outbound.send(request).await.map_err(|error| SendError::Retry(error.to_string()))?;
    match answer.status {
        200..=299 => Ok(()),
        // Its own words may hold the number.
        status @ (408 | 425 | 429 | 500..=599) => Err(SendError::Retry(format!("the gateway answered {status}"))),
        status => Err(SendError::Permanent(format!("the gateway refused: {status}"))),
    }
}
