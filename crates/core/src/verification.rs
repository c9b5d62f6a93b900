//! Codes: how they are made, sent and checked.

use crate::app::{Scope, internal};
use crate::identifiers::{Email, is_test_email};
use crate::mail::About;
use crate::messages::Letter;
use crate::phone::Phone;
use crate::sms::{self, Channel, Sms};
use crate::{mail, oauth, outbox, trusted_devices, web3};
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::verifications::{self, VerificationRecord};
use doorward_wire::resource::Verification;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How long a code is good.
pub(crate) const LIFETIME_MS: i64 = 10 * 60 * 1000;
/// How many codes may be tried before the verification is spent.
pub(crate) const MAX_TRIES: i64 = 5;
/// Within this time the same request gives the same code: some SDKs ask twice for one click.
pub(crate) const REPEAT_MS: i64 = 3_000;
/// How many codes one address or number gets within [`LIFETIME_MS`], whatever they are asked for.
pub(crate) const MAX_SENT: i64 = 5;
/// How many codes one number gets within a day, for each of them costs.
pub(crate) const MAX_SENT_DAILY: i64 = 20;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How many go to one address or number within how long.
type Limits = &'static [(i64, i64)];
const MAIL_LIMITS: Limits = &[(LIFETIME_MS, MAX_SENT)];
const SMS_LIMITS: Limits = &[(LIFETIME_MS, MAX_SENT), (DAY_MS, MAX_SENT_DAILY)];
/// Nothing is sent to these, so there is nothing to limit.
const NO_LIMITS: Limits = &[];
/// The code of test addresses and numbers on development instances.
const TEST_CODE: &str = "424242";

/// A code that is to be written and sent, with the transition that causes it.
pub(crate) struct NewCode {
    pub record: VerificationRecord,
    message: Option<Message>,
    limits: Limits,
}

enum Message {
    Mail(mail::Mail),
    Sms(Sms),
    /// One that is written like the others and goes nowhere.
    Nobodys(Box<Message>),
}

/// Makes a code for an address. `owner` is the attempt.
pub(crate) async fn new_code(scope: &Scope, owner: &str, strategy: &str, email: &Email, locale: Option<&str>) -> Result<NewCode, ApiError> {
    let test = scope.instance.takes_test_identifiers() && is_test_email(email);
    let limits = if test { NO_LIMITS } else { MAIL_LIMITS };
    limit(scope, &email.key, limits).await?;
    let (record, code) = fresh(scope, owner, strategy, &email.key, test);
    let letter = code_letter(strategy, &email.address, code, locale);
    let message = if test { None } else { Some(Message::Mail(letter.mail(scope).await?)) };
    Ok(NewCode { record, message, limits })
}

/// The message with a code. The code goes by the same words whatever it is for, but for a new password.
fn code_letter(strategy: &str, to: &str, code: String, locale: Option<&str>) -> Letter {
    let slug = if strategy.starts_with("reset_password") { "reset_password_code" } else { "verification_code" };
    Letter { slug, to: to.to_owned(), locale: locale.map(str::to_owned), values: vec![("otp_code", code)], about: About::default() }
}

/// Makes a link for an address, with a secret in it instead of a code.
pub(crate) async fn new_link(
    scope: &Scope,
    owner: &str,
    strategy: &str,
    email: &Email,
    secret: &str,
    (slug, locale): (&'static str, Option<&str>),
) -> Result<NewCode, ApiError> {
    limit(scope, &email.key, MAIL_LIMITS).await?;
    let (mut record, _) = fresh(scope, owner, strategy, &email.key, false);
    record.code_hash = scope.app.sealer.code_hash(record.id.as_str(), secret);
    let link = format!("{}/v1/verify?token={}.{secret}", scope.instance.frontend_url(), record.id);
    let values = vec![("magic_link", link)];
    let letter = Letter { slug, to: email.address.clone(), locale: locale.map(str::to_owned), values, about: About::default() };
    let message = Some(Message::Mail(letter.mail(scope).await?));
    Ok(NewCode { record, message, limits: MAIL_LIMITS })
}

/// Makes a code for a number.
pub(crate) async fn new_phone_code(
    scope: &Scope,
    owner: &str,
    strategy: &str,
    phone: &Phone,
    (channel, locale): (Channel, Option<&str>),
) -> Result<NewCode, ApiError> {
    // The number was named earlier: where its code is asked for there is no field for it.
    sms::check_country(scope, phone, None)?;
    let test = scope.instance.takes_test_identifiers() && phone.is_test();
    let limits = if test { NO_LIMITS } else { SMS_LIMITS };
    limit(scope, phone.as_str(), limits).await?;
    let (mut record, code) = fresh(scope, owner, strategy, phone.as_str(), test);
    record.payload = Some(channel.as_str().to_owned());
    let letter = code_letter(strategy, phone.as_str(), code, locale);
    let message = if test { None } else { Some(Message::Sms(letter.sms(scope, channel).await?)) };
    Ok(NewCode { record, message, limits })
}

/// Refuses early what [`NewCode::write`] would refuse.
async fn limit(scope: &Scope, target: &str, limits: Limits) -> Result<(), ApiError> {
    for (period, most) in limits {
        refuse_above(*most - 1, verifications::sent_since(scope.db(), scope.ins(), target, scope.now - period).await.map_err(internal)?)?;
    }
    Ok(())
}

fn refuse_above(most: i64, sent: i64) -> Result<(), ApiError> {
    if sent > most { Err(ApiError::new(codes::VERIFICATION_CODE_TOO_MANY_REQUESTS).retry_after(60)) } else { Ok(()) }
}

fn fresh(scope: &Scope, owner: &str, strategy: &str, target: &str, test: bool) -> (VerificationRecord, String) {
    let code = if test { TEST_CODE.to_owned() } else { scope.app.rng.digits(6) };
    let id = VerificationId::new(scope.now, &scope.app.rng);
    let record = VerificationRecord {
        code_hash: scope.app.sealer.code_hash(id.as_str(), &code),
        id,
        owner_id: owner.to_owned(),
        strategy: strategy.to_owned(),
        target_id: target.to_owned(),
        payload: None,
        status: "unverified".to_owned(),
        attempts: 0,
        expire_at: scope.now + LIFETIME_MS,
        created_at: scope.now,
    };
    (record, code)
}

impl NewCode {
    /// The same code, of which nobody is told.
    pub(crate) fn unsent(self) -> Self {
        Self { message: self.message.map(|it| Message::Nobodys(Box::new(it))), ..self }
    }

    /// The same code, for a user at one of their addresses or numbers.
    pub(crate) fn about(mut self, user: &UserId, identification: &IdentificationId) -> Self {
        match &mut self.message {
            Some(Message::Mail(it)) => it.told.about = About::of(user, identification),
            Some(Message::Sms(it)) => it.told.about = About::of(user, identification),
            // Nobody is told of it.
            Some(Message::Nobodys(_)) | None => {}
        }
        self
    }

    /// Writes the code and its message. Of those that are written side by side no more than the limits allow.
    ///
    /// # Errors
    /// `verification_code_too_many_requests`.
    pub(crate) async fn write(&self, scope: &Scope, tx: &mut Tx) -> Result<(), ApiError> {
        let target = &self.record.target_id;
        if !self.limits.is_empty() {
            verifications::lock_target(tx, scope.ins(), target).await.map_err(internal)?;
        }
        verifications::insert(tx, scope.ins(), &self.record).await.map_err(internal)?;
        for (period, most) in self.limits {
            refuse_above(*most, verifications::sent_since(&mut *tx, scope.ins(), target, scope.now - period).await.map_err(internal)?)?;
        }
        match &self.message {
            Some(Message::Mail(it)) => mail::enqueue(scope, tx, it).await,
            Some(Message::Sms(it)) => sms::enqueue(scope, tx, it).await,
            Some(Message::Nobodys(it)) => it.enqueue_for_nobody(scope, tx).await,
            None => Ok(()),
        }
    }
}

impl Message {
    async fn enqueue_for_nobody(&self, scope: &Scope, tx: &mut Tx) -> Result<(), ApiError> {
        let job = match self {
            Self::Mail(it) => outbox::enqueue(scope, tx, mail::NOBODYS_JOB_KIND, it).await,
            Self::Sms(it) => outbox::enqueue(scope, tx, mail::NOBODYS_JOB_KIND, it).await,
            Self::Nobodys(_) => return Ok(()),
        };
        job?;
        // Endpoints that are told of messages are looked up for every other one.
        doorward_store::webhooks::subscribers(tx, scope.ins()).await.map(|_| ()).map_err(internal)
    }
}

/// What is kept of a challenge, sealed: what the browser is shown of it, and what its answer has to fit to.
#[derive(Serialize, Deserialize)]
pub(crate) struct Challenge<T> {
    pub shown: String,
    pub expects: T,
}

fn payload_context(id: &VerificationId) -> String {
    format!("{id}:payload")
}

/// Whether something is to be signed, instead of a code to be entered. Such a challenge takes one try.
fn is_challenge(strategy: &str) -> bool {
    matches!(strategy, "passkey" | trusted_devices::STRATEGY) || web3::chain_of(strategy).is_some()
}

/// Makes a challenge of a visit to a provider: `to` is where the browser goes, and it comes back with the secret.
pub(crate) fn new_visit<T: Serialize>(
    scope: &Scope,
    id: VerificationId,
    owner: &str,
    strategy: &str,
    secret: &str,
    to: String,
    remembered: T,
) -> Result<NewCode, ApiError> {
    let mut code = challenge_of(scope, id, owner, strategy, strategy, to, remembered)?;
    code.record.code_hash = scope.app.sealer.code_hash(code.record.id.as_str(), secret);
    Ok(code)
}

/// What is remembered of a challenge, without taking its try.
pub(crate) fn remembered<T: DeserializeOwned>(scope: &Scope, record: &VerificationRecord) -> Result<T, ApiError> {
    Ok(challenge(scope, record)?.expects)
}

/// Makes a challenge. Nobody is sent anything: `shown` goes to the browser with the answer.
pub(crate) fn new_challenge<T: Serialize>(
    scope: &Scope,
    owner: &str,
    strategy: &str,
    target: &str,
    shown: String,
    expects: T,
) -> Result<NewCode, ApiError> {
    challenge_of(scope, VerificationId::new(scope.now, &scope.app.rng), owner, strategy, target, shown, expects)
}

fn challenge_of<T: Serialize>(
    scope: &Scope,
    id: VerificationId,
    owner: &str,
    strategy: &str,
    target: &str,
    shown: String,
    expects: T,
) -> Result<NewCode, ApiError> {
    let payload = serde_json::to_vec(&Challenge { shown, expects }).map_err(ApiError::internal)?;
    let payload = scope.app.sealer.seal(&scope.app.rng, &payload_context(&id), &payload).map_err(ApiError::internal)?;
    let record = VerificationRecord {
        id,
        owner_id: owner.to_owned(),
        strategy: strategy.to_owned(),
        target_id: target.to_owned(),
        code_hash: String::new(),
        payload: Some(payload),
        status: "unverified".to_owned(),
        attempts: 0,
        expire_at: scope.now + LIFETIME_MS,
        created_at: scope.now,
    };
    Ok(NewCode { record, message: None, limits: &[] })
}

fn challenge<T: DeserializeOwned>(scope: &Scope, record: &VerificationRecord) -> Result<Challenge<T>, ApiError> {
    let sealed = record.payload.as_deref().ok_or_else(|| ApiError::internal("a challenge without what it asks"))?;
    let plain = scope.app.sealer.open(&payload_context(&record.id), sealed).map_err(ApiError::internal)?;
    serde_json::from_slice(&plain).map_err(ApiError::internal)
}

/// Takes the only try of a challenge, and answers what was asked. A right answer still has to be consumed.
pub(crate) async fn take_challenge<T: DeserializeOwned>(
    scope: &Scope,
    id: &VerificationId,
    owner: &str,
    strategy: &str,
) -> Result<(VerificationRecord, Challenge<T>), ApiError> {
    let taken = take_try(scope, id, owner, strategy, 1).await?;
    let asked = challenge(scope, &taken)?;
    Ok((taken, asked))
}

/// How a verification shows on the wire, with what is to be signed as long as that can be.
pub(crate) fn show(scope: &Scope, record: &VerificationRecord) -> Result<Verification, ApiError> {
    let mut shown = view(record, scope.now);
    if shown.status == "unverified" && (is_challenge(&record.strategy) || oauth::is_redirect(&record.strategy)) {
        let text = challenge::<serde_json::Value>(scope, record)?.shown;
        if record.strategy == trusted_devices::STRATEGY {
            shown.trusted_device_challenge = Some(trusted_devices::shown(record, &text));
            return Ok(shown);
        }
        if oauth::is_redirect(&record.strategy) {
            shown.external_verification_redirect_url = Some(text);
            return Ok(shown);
        }
        shown.message = web3::chain_of(&record.strategy).map(|_| text.clone());
        shown.nonce = Some(text);
    }
    Ok(shown)
}

/// Tries a code. The try is counted before the code is compared and stays counted; a right code still has to be
/// consumed, in the transaction that makes use of it.
pub(crate) async fn try_code(
    scope: &Scope,
    id: &VerificationId,
    owner: &str,
    strategy: &str,
    code: Option<&str>,
) -> Result<VerificationRecord, ApiError> {
    let code = code.map(str::trim).filter(|c| !c.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("code"))?;
    let open = take_try(scope, id, owner, strategy, MAX_TRIES).await?;
    let right = crate::crypto::equal(open.code_hash.as_bytes(), scope.app.sealer.code_hash(id.as_str(), code).as_bytes());
    if right { Ok(open) } else { Err(ApiError::new(codes::FORM_CODE_INCORRECT).param("code")) }
}

/// Takes one of the tries that an owner's verification has.
async fn take_try(scope: &Scope, id: &VerificationId, owner: &str, strategy: &str, max: i64) -> Result<VerificationRecord, ApiError> {
    let kept = verifications::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    let kept = kept.filter(|v| v.owner_id == owner).ok_or(codes::VERIFICATION_MISSING)?;
    if kept.strategy != strategy {
        return Err(codes::VERIFICATION_STRATEGY_INVALID.into());
    }
    let taken = verifications::take_try(scope.db(), scope.ins(), id, max, scope.now).await.map_err(internal)?;
    taken.ok_or_else(|| {
        match kept.status.as_str() {
            "verified" => codes::VERIFICATION_ALREADY_VERIFIED,
            _ if kept.expire_at <= scope.now => codes::VERIFICATION_EXPIRED,
            _ => codes::VERIFICATION_FAILED,
        }
        .into()
    })
}

/// Takes the code for good. Exactly one of several requests with the right code gets through.
pub(crate) async fn consume(scope: &Scope, tx: &mut Tx, id: &VerificationId) -> Result<(), ApiError> {
    match verifications::consume(tx, scope.ins(), id).await.map_err(internal)? {
        true => Ok(()),
        false => Err(codes::VERIFICATION_ALREADY_VERIFIED.into()),
    }
}

/// How a verification shows on the wire.
pub(crate) fn view(record: &VerificationRecord, now: Timestamp) -> Verification {
    let (object, tries) = match record.strategy.as_str() {
        "passkey" => ("verification_passkey", 1),
        trusted_devices::STRATEGY => ("verification_trusted_device", 1),
        name if web3::chain_of(name).is_some() => ("verification_web3", 1),
        "email_link" => ("verification_email_link", MAX_TRIES),
        name if oauth::is_redirect(name) => ("verification_oauth", 1),
        _ => ("verification_otp", MAX_TRIES),
    };
    let status = match record.status.as_str() {
        "unverified" if record.attempts >= tries => "failed",
        "unverified" if record.expire_at <= now => "expired",
        other => other,
    };
    Verification {
        object: object.to_owned(),
        status: status.to_owned(),
        strategy: record.strategy.clone(),
        attempts: (object != "verification_oauth").then_some(record.attempts),
        expire_at: Some(record.expire_at),
        channel: record.payload.clone().filter(|_| record.strategy.ends_with("phone_code")),
        ..Verification::default()
    }
}

/// Loads a verification for showing.
pub(crate) async fn load(scope: &Scope, id: &VerificationId) -> Result<Option<VerificationRecord>, ApiError> {
    verifications::get(scope.db(), scope.ins(), id).await.map_err(internal)
}
