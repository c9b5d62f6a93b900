//! The signed-in user's addresses. One that is neither proven nor reserved belongs to nobody: it finds no user, and keeps no other
//! from proving it.

use super::change::Change;
use super::update::{Plan, edit};
use super::{Hand, email_view, load};
use crate::app::{Scope, internal};
use crate::identifiers::{self, Email};
use crate::settings::Presence;
use crate::{access, email_link, enumeration, verification};
use doorward_base::*;
use doorward_store::StoreError;
use doorward_store::users::{self, EmailRecord, UserWithEmails};
use doorward_store::verifications::{self, VerificationRecord};
use doorward_wire::resource::EmailAddress;

const STRATEGY: &str = "email_code";
/// How many addresses of a user may wait for their proof.
const MAX_UNVERIFIED: usize = 5;
/// How many addresses a user may have.
pub(super) const MAX_ADDRESSES: usize = 50;

/// Reads an address.
///
/// # Errors
/// `form_param_format_invalid`, for `email_address`.
pub(crate) fn read_email(text: &str) -> Result<Email, ApiError> {
    identifiers::parse_email(text).ok_or_else(|| {
        ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("email_address").long("email_address must be a valid email address.")
    })
}

/// Adds an address.
///
/// # Errors
/// `form_param_format_invalid`, `form_identifier_exists`, `too_many_unverified_identifications`.
pub async fn add_email(scope: &Scope, user: &UserWithEmails, text: Option<&str>) -> Result<EmailAddress, ApiError> {
    if scope.instance.settings.attributes.email_address == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("email_address"));
    }
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("email_address"))?;
    let email = read_email(text)?;
    let own = user.emails.iter().any(|it| it.address_key == email.key);
    if own {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("email_address"));
    }
    let found = users::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)?;
    enumeration::refuse_taken(scope, found.is_some(), "email_address")?;
    let waiting = user.emails.iter().filter(|it| !it.verified).count();
    if waiting >= MAX_UNVERIFIED || user.emails.len() >= MAX_ADDRESSES {
        return Err(codes::TOO_MANY_UNVERIFIED_IDENTIFICATIONS.into());
    }
    access::add_to_account(scope, access::Identifier::Email(&email.key)).await?;
    let id = IdentificationId::new(scope.now, &scope.app.rng);
    let record = fresh(scope, &id, &user.user.id, &email);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    users::insert_email(&mut tx, scope.ins(), &record).await.map_err(internal)?;
    users::touch(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(email_view(user, &record))
}

/// A new address of a user, not proven.
pub(super) fn fresh(scope: &Scope, id: &IdentificationId, user: &UserId, email: &Email) -> EmailRecord {
    EmailRecord {
        id: id.clone(),
        user_id: user.clone(),
        address: email.address.clone(),
        address_key: email.key.clone(),
        created_at: scope.now,
        updated_at: scope.now,
        ..EmailRecord::default()
    }
}

/// The same address, proven now.
pub(super) fn proven(scope: &Scope, record: EmailRecord, by: &str, attempts: Option<i64>) -> EmailRecord {
    EmailRecord {
        verified: true,
        reserved: false,
        strategy: Some(by.to_owned()),
        attempts,
        verified_at: Some(scope.now),
        updated_at: scope.now,
        ..record
    }
}

/// An address of the user, with how far its proof is.
///
/// # Errors
/// `resource_not_found`.
pub async fn get_email(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<EmailAddress, ApiError> {
    let record = own(user, id)?;
    let mut shown = email_view(user, record);
    if !record.verified {
        let sent = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
        shown.verification = sent.map(|it| verification::view(&it, scope.now));
    }
    Ok(shown)
}

/// Sends a code or a link to an address.
///
/// # Errors
/// `verification_strategy_invalid`, `verification_already_verified`, `verification_code_too_many_requests`.
pub async fn prepare_email(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    strategy: Option<&str>,
    redirect_url: Option<&str>,
) -> Result<EmailAddress, ApiError> {
    let record = own(user, id)?;
    let by_link = match crate::sign_in::filled(strategy) {
        Some(STRATEGY) => false,
        Some(email_link::STRATEGY) if scope.instance.settings.attributes.email_link => true,
        Some(_) => return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")),
        None => return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("strategy")),
    };
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let before = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let same = |it: &VerificationRecord| it.status == "unverified" && (it.strategy == email_link::STRATEGY) == by_link;
    let repeats = before.is_some_and(|it| same(&it) && scope.now - it.created_at < verification::REPEAT_MS);
    if !repeats {
        let email = Email { address: record.address.clone(), key: record.address_key.clone() };
        let locale = user.user.locale.as_deref();
        let code = if by_link {
            email_link::new_link(scope, id.as_str(), &email, redirect_url, ("magic_link_user_profile", locale)).await?
        } else {
            verification::new_code(scope, id.as_str(), STRATEGY, &email, locale).await?
        };
        let code = code.about(&user.user.id, id);
        let code = if enumeration::hides_email(scope, Some(&user.user.id), &record.address_key).await? { code.unsent() } else { code };
        let mut tx = scope.db().begin().await.map_err(internal)?;
        code.write(scope, &mut tx).await?;
        tx.commit().await.map_err(internal)?;
        scope.app.outbox.notify_one();
    }
    get_email(scope, user, id).await
}

/// Proves an address by the code that was sent to it. Who has no proven address yet has a primary one then.
///
/// # Errors
/// `form_code_incorrect`, `verification_missing`, `verification_expired`, `verification_failed`,
/// `identification_claimed` when another user was faster.
pub async fn attempt_email(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    code: Option<&str>,
) -> Result<EmailAddress, ApiError> {
    let record = own(user, id)?;
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let sent = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let sent = sent.ok_or(codes::VERIFICATION_MISSING)?;
    let tried = verification::try_code(scope, &sent.id, id.as_str(), STRATEGY, code).await?;
    if enumeration::hides_email(scope, Some(&user.user.id), &record.address_key).await? {
        return Err(enumeration::incorrect());
    }
    prove(scope, record, &tried).await
}

/// Proves an address by the link that was sent to it.
pub(crate) async fn prove_by_link(scope: &Scope, link: &VerificationRecord) -> Result<(), ApiError> {
    let id = IdentificationId::from(link.owner_id.as_str());
    let record = users::get_email(scope.db(), scope.ins(), &id).await.map_err(internal)?;
    let record = record.ok_or_else(|| ApiError::not_found("Email address", &id))?;
    prove(scope, &record, &VerificationRecord { attempts: 1, ..link.clone() }).await.map(|_| ())
}

async fn prove(scope: &Scope, record: &EmailRecord, by: &VerificationRecord) -> Result<EmailAddress, ApiError> {
    let proof = proven(scope, record.clone(), &by.strategy, Some(by.attempts));
    let mut tx = scope.db().begin().await.map_err(internal)?;
    verification::consume(scope, &mut tx, &by.id).await?;
    match users::prove_email(&mut tx, scope.ins(), &proof).await {
        Ok(true) => {}
        Ok(false) => return Err(ApiError::not_found("Email address", &record.id)),
        Err(StoreError::Conflict) => return Err(codes::IDENTIFICATION_CLAIMED.into()),
        Err(other) => return Err(internal(other)),
    }
    users::touch(&mut tx, scope.ins(), &record.user_id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &record.user_id).await?;
    shown(&load(scope, &record.user_id).await?, &record.id)
}

/// Gives a user an address that a provider has proven to be theirs; the first proven one is the primary one then.
///
/// # Errors
/// `form_param_unknown` where users have no addresses, `form_param_format_invalid`; `form_identifier_exists` or, for one that the user
/// has named already, `identification_claimed` when another user has proven it; `quota_exceeded`, and those of the instance's lists.
pub(crate) async fn take_vouched_email(scope: &Scope, user: &UserId, text: &str, strategy: &str) -> Result<(), ApiError> {
    if scope.instance.settings.attributes.email_address == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("email_address"));
    }
    let email = read_email(text)?;
    access::add_to_account(scope, access::Identifier::Email(&email.key)).await?;
    let id = IdentificationId::new(scope.now, &scope.app.rng);
    edit(scope, user, |before| {
        let own = before.emails.iter().find(|it| it.address_key == email.key);
        if own.is_some_and(|it| it.verified) {
            return Ok(None);
        }
        if own.is_none() && before.emails.len() >= MAX_ADDRESSES {
            return Err(codes::QUOTA_EXCEEDED.into());
        }
        let record = own.cloned().unwrap_or_else(|| fresh(scope, &id, user, &email));
        let record = proven(scope, record, &format!("from_{strategy}"), Some(1));
        let mut plan = Plan::at(scope, before);
        plan.changes.push(if own.is_some() { Change::ProveEmail(record) } else { Change::AddEmail(record) });
        Ok(Some(plan))
    })
    .await?;
    settle_primary(scope, user).await
}

/// Removes an address.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the last thing by which the user is found, and for the only way into the account.
pub async fn delete_email(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<(), ApiError> {
    take_email(scope, user, id, Hand::User).await
}

pub(super) async fn take_email(scope: &Scope, user: &UserWithEmails, id: &IdentificationId, hand: Hand) -> Result<(), ApiError> {
    own(user, id)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::delete_email(&mut tx, scope.ins(), &user.user.id, id).await.map_err(internal)? {
        return Err(ApiError::not_found("Email address", id));
    }
    super::keep_way_in(scope, &mut tx, user, "email_id", hand).await?;
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &user.user.id).await
}

/// Makes the oldest proven address the primary one, where the primary one is gone or was never proven.
pub(super) async fn settle_primary(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    edit(scope, id, |before| {
        let now = before.emails.iter().find(|it| Some(&it.id) == before.user.primary_email_address_id.as_ref());
        if now.is_some_and(|it| it.verified) {
            return Ok(None);
        }
        let next = before.emails.iter().find(|it| it.verified).or(now);
        let mut user = before.user.clone();
        user.primary_email_address_id = next.map(|it| it.id.clone());
        user.primary_email_key = next.map(|it| it.address_key.clone());
        user.updated_at = scope.now;
        Ok(Some(Plan::of(user)))
    })
    .await
    .map(|_| ())
}

pub(super) fn own<'a>(user: &'a UserWithEmails, id: &IdentificationId) -> Result<&'a EmailRecord, ApiError> {
    user.emails.iter().find(|it| &it.id == id).ok_or_else(|| ApiError::not_found("Email address", id))
}

/// One of a user's addresses.
pub(super) fn shown(user: &UserWithEmails, id: &IdentificationId) -> Result<EmailAddress, ApiError> {
    own(user, id).map(|it| email_view(user, it))
}

/// All addresses of a user.
///
/// # Errors
/// `resource_not_found` when the user is gone.
pub async fn list_emails(scope: &Scope, id: &UserId) -> Result<Vec<EmailAddress>, ApiError> {
    let user = load(scope, id).await?;
    Ok(user.emails.iter().map(|it| email_view(&user, it)).collect())
}
