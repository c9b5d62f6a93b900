//! What a server does with users' phone numbers: adds, proves, replaces and removes them, and has one proven by a code.

use super::by_server::Standing;
use super::update::{Change, Plan, edit};
use super::{Hand, by_server, keep_identifier, load, phone_numbers, phone_view, read_phone};
use crate::app::{Scope, internal};
use crate::phone::Phone;
use crate::settings::Presence;
use crate::sign_in::filled;
use crate::sms::Channel;
use crate::verification;
use doorward_base::*;
use doorward_store::users::{self, PhoneRecord, UserWithEmails};
use doorward_wire::bapi::{CreatePhoneNumber, ReplaceUserPhoneNumber, ServerVerification, UpdatePhoneNumber};
use doorward_wire::resource::PhoneNumber;

const STRATEGY: &str = "phone_code";

/// Adds a number to a user. No backup codes come with a first second factor: nobody would see them.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `unsupported_country_code`, `form_identifier_exists`;
/// `resource_not_found` when there is no such user; `form_param_value_invalid` for a primary one that is not proven;
/// `identification_create_second_factor_unverified`; `quota_exceeded`.
pub async fn create(scope: &Scope, req: &CreatePhoneNumber) -> Result<PhoneNumber, ApiError> {
    let user = by_server::user_id(req.user_id.as_deref())?;
    let phone = read(scope, req.phone_number.as_deref())?;
    let (verified, primary) = (req.verified == Some(true), req.primary == Some(true));
    let second = req.reserved_for_second_factor == Some(true);
    by_server::check_primary(primary, verified && !second)?;
    check_second(scope, second)?;
    if second && !verified {
        return Err(codes::SECOND_FACTOR_CREATE_UNVERIFIED.into());
    }
    load(scope, &user).await?;
    let standing = Standing::of(verified, false);
    check_free(scope, &user, &phone, standing).await?;
    let id = IdentificationId::new(scope.now, &scope.app.rng);
    let after = edit(scope, &user, |before| {
        if before.phones.iter().any(|it| it.number == phone.as_str()) {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("phone_number"));
        }
        if before.phones.len() >= phone_numbers::MAX_NUMBERS {
            return Err(codes::QUOTA_EXCEEDED.into());
        }
        let record = record(scope, &id, &user, &phone, standing);
        let mut plan = Plan::at(scope, before);
        if primary || !second && (before.phones.is_empty() || verified && !primary_is_proven(before)) {
            make_primary(&mut plan, &record);
        }
        plan.changes.push(Change::AddPhone(record));
        if second {
            plan.changes.push(Change::second_factor(before, &id, true));
        }
        Ok(Some(plan))
    })
    .await?;
    shown(&after, &id)
}

/// A number, whoever has it.
///
/// # Errors
/// `resource_not_found`.
pub async fn get(scope: &Scope, id: &IdentificationId) -> Result<PhoneNumber, ApiError> {
    Ok(phone_view(&find(scope, id).await?))
}

/// Says whether a number counts as proven, whether it is kept for second factors, and makes it the primary one.
///
/// # Errors
/// `resource_not_found`, `form_param_value_invalid` for a primary one that is not proven, `identification_claimed` when
/// another user has proven it, `form_data_missing` for the last thing by which the user is found,
/// `identification_update_second_factor_unverified`.
pub async fn update(scope: &Scope, req: &UpdatePhoneNumber) -> Result<PhoneNumber, ApiError> {
    let id = &req.phone_number_id;
    let owner = find(scope, id).await?.user_id;
    check_second(scope, req.reserved_for_second_factor == Some(true))?;
    let after = edit(scope, &owner, |before| {
        let now = phone_numbers::own(before, id)?;
        let verified = req.verified.unwrap_or(now.verified);
        let second = req.reserved_for_second_factor.unwrap_or(now.second_factor && verified);
        let primary = req.primary == Some(true);
        by_server::check_primary(primary, verified && !second)?;
        if second && !verified {
            return Err(codes::SECOND_FACTOR_UPDATE_UNVERIFIED.into());
        }
        let signs_in = |verified: bool, second: bool| verified && !second;
        if signs_in(now.verified, now.second_factor) && !signs_in(verified, second) {
            let mut left = before.clone();
            left.phones.retain(|it| &it.id != id);
            keep_identifier(&left, "phone_number_id")?;
        }
        let mut plan = Plan::at(scope, before);
        if verified && !now.verified {
            plan.changes.push(Change::ProvePhone(proven(scope, now)));
        }
        if second != now.second_factor {
            plan.changes.push(Change::second_factor(before, id, second));
        }
        if !verified && now.verified {
            plan.changes.push(Change::UnprovePhone { id: id.clone(), reserved: false });
        }
        if primary {
            make_primary(&mut plan, now);
        }
        Ok(plan.changes_anything(before).then_some(plan))
    })
    .await?;
    phone_numbers::settle_primary(scope, &owner).await?;
    shown(&after, id)
}

/// Removes a number.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the last thing by which the user is found.
pub async fn delete(scope: &Scope, id: &IdentificationId) -> Result<(), ApiError> {
    let owner = find(scope, id).await?.user_id;
    phone_numbers::take_phone(scope, &load(scope, &owner).await?, id, Hand::Server).await
}

/// Puts one number in the place of all that a user has; it is not kept for second factors. One that the user has already
/// keeps its id.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `unsupported_country_code`, `form_param_value_invalid`,
/// `form_identifier_exists`, `resource_not_found`.
pub async fn replace(scope: &Scope, req: &ReplaceUserPhoneNumber) -> Result<PhoneNumber, ApiError> {
    load(scope, &req.user_id).await?;
    let phone = read(scope, req.phone_number.as_deref())?;
    let standing = Standing::read(req.identification_status.as_deref())?;
    check_free(scope, &req.user_id, &phone, standing).await?;
    let new_id = IdentificationId::new(scope.now, &scope.app.rng);
    let after = edit(scope, &req.user_id, |before| {
        let kept = before.phones.iter().find(|it| it.number == phone.as_str());
        let record = kept.cloned().unwrap_or_else(|| record(scope, &new_id, &req.user_id, &phone, standing));
        let mut plan = Plan::at(scope, before);
        make_primary(&mut plan, &record);
        plan.changes.extend(Change::no_second_factors(before));
        let others: Vec<_> = before.phones.iter().map(|it| it.id.clone()).filter(|id| *id != record.id).collect();
        let was = kept.map(|it| (it.id.clone(), Standing::of(it.verified, it.reserved)));
        let record = if standing == Standing::Verified { proven(scope, &record) } else { record };
        by_server::PHONES.leave(&mut plan, others.into_iter(), was, standing, record);
        Ok(plan.changes_anything(before).then_some(plan))
    })
    .await?;
    let only = after.phones.iter().find(|it| it.number == phone.as_str());
    only.map(phone_view).ok_or_else(|| codes::CONFLICT.into())
}

/// Sends a code to a number, proven or not.
///
/// # Errors
/// `resource_not_found`, `unsupported_country_code`, `verification_code_too_many_requests`.
pub async fn prepare(scope: &Scope, id: &IdentificationId) -> Result<ServerVerification, ApiError> {
    let record = find(scope, id).await?;
    let code =
        verification::new_phone_code(scope, &by_server::owner(id), STRATEGY, &Phone::kept(&record.number), (Channel::Sms, None)).await?;
    by_server::send(scope, code.about(&record.user_id, id)).await
}

/// Tries the code that was sent to a number. A wrong or late one shows in the status. A right one proves the number, if
/// that was not proven before.
///
/// # Errors
/// `resource_not_found`, `form_param_missing`, `verification_missing`, `verification_already_verified`,
/// `identification_claimed` when another user has proven the number.
pub async fn attempt(
    scope: &Scope,
    id: &IdentificationId,
    verification_id: Option<&str>,
    code: Option<&str>,
) -> Result<ServerVerification, ApiError> {
    let record = find(scope, id).await?;
    by_server::attempt(scope, id, STRATEGY, verification_id, code, async |by| {
        let before = load(scope, &record.user_id).await?;
        let proof = PhoneRecord { attempts: Some(by.attempts), strategy: Some(STRATEGY.to_owned()), ..proven(scope, &record) };
        let mut tx = scope.db().begin().await.map_err(internal)?;
        verification::consume(scope, &mut tx, &by.id).await?;
        if !record.verified {
            Change::ProvePhone(proof).write(scope, &mut tx, &record.user_id).await?;
            users::touch(&mut tx, scope.ins(), &record.user_id, scope.now).await.map_err(internal)?;
            if record.second_factor {
                Change::second_factor(&before, id, true).write(scope, &mut tx, &record.user_id).await?;
            }
        }
        tx.commit().await.map_err(internal)?;
        phone_numbers::settle_primary(scope, &record.user_id).await
    })
    .await
}

fn read(scope: &Scope, text: Option<&str>) -> Result<Phone, ApiError> {
    let attributes = &scope.instance.settings.attributes;
    if attributes.phone_number == Presence::Off && !attributes.phone_second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("phone_number"));
    }
    read_phone(scope, filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("phone_number"))?)
}

fn check_second(scope: &Scope, second: bool) -> Result<(), ApiError> {
    if second && !scope.instance.settings.attributes.phone_second_factor {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("reserved_for_second_factor"));
    }
    Ok(())
}

/// One that is to be held must not be another user's.
async fn check_free(scope: &Scope, user: &UserId, phone: &Phone, standing: Standing) -> Result<(), ApiError> {
    let taken = standing != Standing::Unverified
        && users::by_phone(scope.db(), scope.ins(), phone.as_str()).await.map_err(internal)?.is_some_and(|it| &it.user.id != user);
    if taken { Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("phone_number")) } else { Ok(()) }
}

fn record(scope: &Scope, id: &IdentificationId, user: &UserId, phone: &Phone, standing: Standing) -> PhoneRecord {
    let record = PhoneRecord {
        id: id.clone(),
        user_id: user.clone(),
        number: phone.as_str().to_owned(),
        reserved: standing == Standing::Reserved,
        created_at: scope.now,
        updated_at: scope.now,
        ..PhoneRecord::default()
    };
    if standing == Standing::Verified { proven(scope, &record) } else { record }
}

/// The same number, proven by the server's word.
fn proven(scope: &Scope, record: &PhoneRecord) -> PhoneRecord {
    phone_numbers::as_proven(scope, record.clone(), by_server::STRATEGY, None)
}

fn primary_is_proven(user: &UserWithEmails) -> bool {
    user.phones.iter().any(|it| Some(&it.id) == user.user.primary_phone_number_id.as_ref() && it.verified)
}

fn make_primary(plan: &mut Plan, record: &PhoneRecord) {
    plan.user.primary_phone_number_id = Some(record.id.clone());
    plan.user.primary_phone = Some(record.number.clone());
}

async fn find(scope: &Scope, id: &IdentificationId) -> Result<PhoneRecord, ApiError> {
    let found = users::get_phone(scope.db(), scope.ins(), id).await.map_err(internal)?;
    found.ok_or_else(|| ApiError::not_found("Phone number", id))
}

fn shown(user: &UserWithEmails, id: &IdentificationId) -> Result<PhoneNumber, ApiError> {
    phone_numbers::own(user, id).map(phone_view)
}
