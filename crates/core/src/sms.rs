//! Text messages on their way, and where they may go.

use crate::app::Scope;
use crate::crypto::{Sealer, Unsealable};
use crate::mail::Told;
use crate::phone::Phone;
use crate::{outbox, webhooks};
use doorward_base::*;
use doorward_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The kind of job that delivers a text message.
pub const JOB_KIND: &str = "sms";

/// How a text message travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// As an SMS.
    #[default]
    Sms,
    /// Over WhatsApp.
    Whatsapp,
}

impl Channel {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Whatsapp => "whatsapp",
        }
    }
}

/// A text message that is to be sent.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sms {
    /// The one recipient's number, in the form of E.164.
    pub to: String,
    /// The text.
    pub text: String,
    /// How it travels.
    pub channel: Channel,
    /// Whether it goes to the development inbox instead of to its recipient.
    pub inbox: bool,
    /// What webhook endpoints are told of it beside itself.
    #[serde(skip)]
    pub told: Told,
}

/// The channel that a request names, if the instance has it.
///
/// # Errors
/// Names `channel`.
pub(crate) fn channel(scope: &Scope, text: Option<&str>) -> Result<Channel, ApiError> {
    match crate::sign_in::filled(text) {
        None | Some("sms") => Ok(Channel::Sms),
        Some("whatsapp") if scope.instance.settings.sms.whatsapp => Ok(Channel::Whatsapp),
        Some(_) => Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("channel")),
    }
}

/// Refuses numbers of countries that the instance does not send to: each message costs, and some countries' messages cost
/// whoever is paid for them nothing. Numbers that nothing is sent to cost nobody anything.
///
/// # Errors
/// `unsupported_country_code`, for the parameter.
pub(crate) fn check_country(scope: &Scope, phone: &Phone, param: Option<&str>) -> Result<(), ApiError> {
    if scope.instance.takes_test_identifiers() && phone.is_test() {
        return Ok(());
    }
    let allowed = &scope.instance.settings.sms.allowed_countries;
    match phone.country() {
        Some(country) if allowed.iter().any(|it| it.eq_ignore_ascii_case(&country)) => Ok(()),
        _ => {
            let error = ApiError::new(codes::UNSUPPORTED_COUNTRY_CODE);
            Err(match param {
                Some(param) => error.param(param),
                None => error,
            })
        }
    }
}

/// Puts a message into the outbox, and tells webhook endpoints of it.
///
/// # Errors
/// Only failures of ours.
pub async fn enqueue(scope: &Scope, tx: &mut Tx, sms: &Sms) -> Result<(), ApiError> {
    let job = match sms.told.app_delivers && !sms.inbox {
        true => JobId::new(scope.now, &scope.app.rng),
        false => outbox::enqueue(scope, tx, JOB_KIND, sms).await?,
    };
    let id = outbox::told_id(&job, "sms_");
    let told = json!({
        "object": "sms_message",
        "id": id,
        "slug": sms.told.slug,
        // The gateway's own, which is not known here.
        "from_phone_number": "",
        "to_phone_number": sms.to,
        "phone_number_id": sms.told.about.identification,
        "user_id": sms.told.about.user,
        "message": sms.text,
        "status": "queued",
        "data": sms.told.data,
        "delivered_by_clerk": !sms.told.app_delivers,
        "created_at_ms": scope.now,
    });
    webhooks::raise(scope, tx, "sms.created", &id, &told).await
}

/// Opens a message from the outbox.
///
/// # Errors
/// When it was sealed with another master key.
pub fn open(sealer: &Sealer, id: &JobId, sealed: &str) -> Result<Sms, Unsealable> {
    outbox::open(sealer, id, sealed)
}
