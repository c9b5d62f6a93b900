//! The signed-in user's phone numbers. A number that is not proven belongs to nobody: it finds no user, and keeps no other
//! from proving it. A proven one may be kept for second factors; then it signs nobody in by itself.

use super::update::{Plan, edit};
use super::{Hand, load, phone_view};
use crate::app::{Scope, internal};
use crate::phone::Phone;
use crate::settings::Presence;
use crate::{access, enumeration, sms, two_factor, verification};
use doorward_base::*;
use doorward_store::users::{self, PhoneRecord, UserWithEmails};
use doorward_store::{StoreError, verifications};
use doorward_wire::resource::PhoneNumber;

const STRATEGY: &str = "phone_code";
/// How many numbers of a user may wait for their proof.
const MAX_UNVERIFIED: usize = 5;
/// How many numbers a user may have.
pub(super) const MAX_NUMBERS: usize = 50;

/// Reads a number that the instance takes.
///
/// # Errors
/// `form_param_format_invalid`, `unsupported_country_code`, for `phone_number`.
pub(crate) fn read_phone(scope: &Scope, text: &str) -> Result<Phone, ApiError> {
    let phone = Phone::parse(text).ok_or_else(|| {
        let error = ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("phone_number");
        error.long("phone_number must be a valid number in international form, such as +12015550123.")
    })?;
    sms::check_country(scope, &phone, Some("phone_number"))?;
    Ok(phone)
}

/// Adds a number.
///
/// # Errors
/// `form_param_format_invalid`, `unsupported_country_code`, `form_identifier_exists`, `too_many_unverified_identifications`.
pub async fn add_phone(
    scope: &Scope,
    user: &UserWithEmails,
    text: Option<&str>,
    second_factor: Option<bool>,
) -> Result<PhoneNumber, ApiError> {
    let attributes = &scope.instance.settings.attributes;
    if attributes.phone_number == Presence::Off && !attributes.phone_second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("phone_number"));
    }
    if second_factor == Some(true) && !attributes.phone_second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("reserved_for_second_factor"));
    }
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("phone_number"))?;
    let phone = read_phone(scope, text)?;
    let own = user.phones.iter().any(|it| it.number == phone.as_str());
    if own {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("phone_number"));
    }
    let found = users::by_phone(scope.db(), scope.ins(), phone.as_str()).await.map_err(internal)?;
    enumeration::refuse_taken(scope, found.is_some(), "phone_number")?;
    let waiting = user.phones.iter().filter(|it| !it.verified).count();
    if waiting >= MAX_UNVERIFIED || user.phones.len() >= MAX_NUMBERS {
        return Err(codes::TOO_MANY_UNVERIFIED_IDENTIFICATIONS.into());
    }
    let identifier = access::Identifier::Phone(phone.as_str());
    if second_factor == Some(true) {
        access::admissible(scope, identifier).await?;
    } else {
        access::add_to_account(scope, identifier).await?;
    }
    let record = PhoneRecord {
        id: IdentificationId::new(scope.now, &scope.app.rng),
        user_id: user.user.id.clone(),
        number: phone.as_str().to_owned(),
        second_factor: second_factor == Some(true),
        created_at: scope.now,
        updated_at: scope.now,
        ..PhoneRecord::default()
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    users::insert_phone(&mut tx, scope.ins(), &record).await.map_err(internal)?;
    users::touch(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(phone_view(&record))
}

/// All numbers of a user.
///
/// # Errors
/// `resource_not_found` when the user is gone.
pub async fn list_phones(scope: &Scope, id: &UserId) -> Result<Vec<PhoneNumber>, ApiError> {
    Ok(load(scope, id).await?.phones.iter().map(phone_view).collect())
}

/// A number of the user, with how far its proof is.
///
/// # Errors
/// `resource_not_found`.
pub async fn get_phone(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<PhoneNumber, ApiError> {
    let record = own(user, id)?;
    let mut shown = phone_view(record);
    if !record.verified {
        let sent = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
        shown.verification = sent.map(|it| verification::view(&it, scope.now));
    }
    Ok(shown)
}

/// Sends a code to a number.
///
/// # Errors
/// `verification_strategy_invalid`, `verification_already_verified`, `verification_code_too_many_requests`.
pub async fn prepare_phone(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    strategy: Option<&str>,
    channel: Option<&str>,
) -> Result<PhoneNumber, ApiError> {
    let record = own(user, id)?;
    match crate::sign_in::filled(strategy) {
        Some(STRATEGY) => {}
        Some(_) => return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")),
        None => return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("strategy")),
    }
    let channel = sms::channel(scope, channel)?;
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let before = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let repeats = before.is_some_and(|it| it.status == "unverified" && scope.now - it.created_at < verification::REPEAT_MS);
    if !repeats {
        let code = verification::new_phone_code(
            scope,
            id.as_str(),
            STRATEGY,
            &Phone::kept(&record.number),
            (channel, user.user.locale.as_deref()),
        )
        .await?;
        let code = if enumeration::hides_phone(scope, Some(&user.user.id), &record.number).await? { code.unsent() } else { code };
        let mut tx = scope.db().begin().await.map_err(internal)?;
        code.write(scope, &mut tx).await?;
        tx.commit().await.map_err(internal)?;
        scope.app.outbox.notify_one();
    }
    get_phone(scope, user, id).await
}

/// Proves a number by the code that was sent to it. One that was added as a second factor is one from now on; the first
/// backup codes come with the first second factor.
///
/// # Errors
/// `form_code_incorrect`, `verification_missing`, `verification_expired`, `verification_failed`,
/// `identification_claimed` when another user was faster.
pub async fn attempt_phone(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    code: Option<&str>,
) -> Result<PhoneNumber, ApiError> {
    let record = own(user, id)?;
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let sent = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let sent = sent.ok_or(codes::VERIFICATION_MISSING)?;
    let proven = verification::try_code(scope, &sent.id, id.as_str(), STRATEGY, code).await?;
    if enumeration::hides_phone(scope, Some(&user.user.id), &record.number).await? {
        return Err(enumeration::incorrect());
    }
    let mut proof = as_proven(scope, record.clone(), STRATEGY, Some(proven.attempts));
    proof.default_second_factor = record.second_factor && !has_second_factor(user, None);
    let mut backup_codes = None;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    verification::consume(scope, &mut tx, &proven.id).await?;
    match users::prove_phone(&mut tx, scope.ins(), &proof).await {
        Ok(true) => {}
        Ok(false) => return Err(ApiError::not_found("Phone number", id)),
        Err(StoreError::Conflict) => return Err(codes::IDENTIFICATION_CLAIMED.into()),
        Err(other) => return Err(internal(other)),
    }
    users::touch(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    if proof.second_factor {
        let uses = (true, proof.default_second_factor);
        users::set_second_factor(&mut tx, scope.ins(), &user.user.id, id, uses, scope.now).await.map_err(internal)?;
        backup_codes = two_factor::enrolled(scope, &mut tx, user).await?;
    }
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &user.user.id).await?;
    Ok(PhoneNumber { backup_codes, ..phone_view(&proof) })
}

/// Makes a proven number a second factor, the one that is asked first, or neither.
///
/// # Errors
/// `resource_not_found`, `verification_missing` for a number that is not proven, `form_data_missing` for the last thing by
/// which the user is found.
pub async fn update_phone(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    second_factor: Option<bool>,
    default: Option<bool>,
) -> Result<PhoneNumber, ApiError> {
    let record = own(user, id)?;
    if second_factor.is_none() && default.is_none() {
        return Ok(phone_view(record));
    }
    if !record.verified {
        return Err(ApiError::new(codes::VERIFICATION_MISSING).param("phone_number_id"));
    }
    let second_factor = second_factor.unwrap_or(record.second_factor);
    if second_factor && !record.second_factor && !scope.instance.settings.attributes.phone_second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("reserved_for_second_factor"));
    }
    if record.second_factor && !second_factor {
        access::add_to_account(scope, access::Identifier::Phone(&record.number)).await?;
    }
    if default == Some(true) && !second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("default_second_factor"));
    }
    let first = second_factor && !has_second_factor(user, Some(id));
    let default = second_factor && (first || default.unwrap_or(record.default_second_factor));
    let after = PhoneRecord { second_factor, default_second_factor: default, updated_at: scope.now, ..record.clone() };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::set_second_factor(&mut tx, scope.ins(), &user.user.id, id, (second_factor, default), scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("Phone number", id));
    }
    super::keep_way_in(scope, &mut tx, user, "reserved_for_second_factor", Hand::User).await?;
    let backup_codes = match (record.second_factor, second_factor) {
        (false, true) => two_factor::enrolled(scope, &mut tx, user).await?,
        (true, false) => {
            let mut without = user.clone();
            without.phones.iter_mut().filter(|it| &it.id == id).for_each(|it| it.second_factor = false);
            two_factor::removed(scope, &mut tx, &without).await?;
            None
        }
        _ => None,
    };
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &user.user.id).await?;
    Ok(PhoneNumber { backup_codes, ..phone_view(&after) })
}

/// Removes a number. Backup codes go with the last factor that they stand in for.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the last thing by which the user is found, and for the only way into the account.
pub async fn delete_phone(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<(), ApiError> {
    take_phone(scope, user, id, Hand::User).await
}

pub(super) async fn take_phone(scope: &Scope, user: &UserWithEmails, id: &IdentificationId, hand: Hand) -> Result<(), ApiError> {
    let record = own(user, id)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::delete_phone(&mut tx, scope.ins(), &user.user.id, id).await.map_err(internal)? {
        return Err(ApiError::not_found("Phone number", id));
    }
    super::keep_way_in(scope, &mut tx, user, "phone_number_id", hand).await?;
    if record.verified && record.second_factor {
        let mut without = user.clone();
        without.phones.retain(|it| &it.id != id);
        two_factor::removed(scope, &mut tx, &without).await?;
    }
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &user.user.id).await
}

/// The same number, proven now.
pub(super) fn as_proven(scope: &Scope, record: PhoneRecord, by: &str, attempts: Option<i64>) -> PhoneRecord {
    PhoneRecord {
        verified: true,
        reserved: false,
        strategy: Some(by.to_owned()),
        attempts,
        verified_at: Some(scope.now),
        updated_at: scope.now,
        ..record
    }
}

/// Whether the user has a number that is kept for second factors, other than one.
fn has_second_factor(user: &UserWithEmails, other_than: Option<&IdentificationId>) -> bool {
    user.phones.iter().any(|it| it.verified && it.second_factor && Some(&it.id) != other_than)
}

/// Makes the oldest number that signs in the primary one, where the primary one is gone or does not.
pub(super) async fn settle_primary(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    edit(scope, id, |before| {
        let usable = |it: &&PhoneRecord| it.signs_in();
        let primary = before.user.primary_phone_number_id.as_ref();
        let now = before.phones.iter().find(|it| Some(&it.id) == primary);
        let next = now.filter(usable).or_else(|| before.phones.iter().find(usable));
        if next.map(|it| &it.id) == primary {
            return Ok(None);
        }
        let mut user = before.user.clone();
        user.primary_phone_number_id = next.map(|it| it.id.clone());
        user.primary_phone = next.map(|it| it.number.clone());
        user.updated_at = scope.now;
        Ok(Some(Plan::of(user)))
    })
    .await
    .map(|_| ())
}

pub(super) fn own<'a>(user: &'a UserWithEmails, id: &IdentificationId) -> Result<&'a PhoneRecord, ApiError> {
    user.phones.iter().find(|it| &it.id == id).ok_or_else(|| ApiError::not_found("Phone number", id))
}
