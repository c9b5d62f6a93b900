//! What a server does with users' addresses: adds, proves, replaces and removes them, and has one proven by a code.

use super::by_server::Standing;
use super::update::{Change, Plan, edit, primary_changed};
use super::{Hand, by_server, email_addresses, email_view, keep_identifier, load};
use crate::app::{Scope, internal};
use crate::identifiers::Email;
use crate::oauth;
use crate::settings::Presence;
use crate::sign_in::filled;
use crate::verification;
use doorward_base::*;
use doorward_store::users::{self, EmailRecord, UserWithEmails};
use doorward_wire::bapi::{CreateEmailAddress, ReplaceUserEmailAddress, ServerVerification, UpdateEmailAddress};
use doorward_wire::resource::EmailAddress;

const STRATEGY: &str = "email_code";

/// Adds an address to a user.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `form_identifier_exists`; `resource_not_found` when there is no such
/// user; `form_param_value_invalid` for a primary one that is not proven; `quota_exceeded`.
pub async fn create(scope: &Scope, req: &CreateEmailAddress) -> Result<EmailAddress, ApiError> {
    let user = by_server::user_id(req.user_id.as_deref())?;
    let email = read(scope, req.email_address.as_deref())?;
    let (verified, primary) = (req.verified == Some(true), req.primary == Some(true));
    by_server::check_primary(primary, verified)?;
    load(scope, &user).await?;
    let standing = Standing::of(verified, false);
    check_free(scope, &user, &email, standing).await?;
    let id = IdentificationId::new(scope.now, &scope.app.rng);
    let after = edit(scope, &user, |before| {
        if before.emails.iter().any(|it| it.address_key == email.key) {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("email_address"));
        }
        if before.emails.len() >= email_addresses::MAX_ADDRESSES {
            return Err(codes::QUOTA_EXCEEDED.into());
        }
        let record = record(scope, &id, &user, &email, standing);
        let mut plan = Plan::at(scope, before);
        if primary || before.emails.is_empty() || verified && !primary_is_proven(before) {
            make_primary(&mut plan, before, &record, req.notify_primary_email_address_changed);
        }
        plan.changes.push(Change::AddEmail(record));
        Ok(Some(plan))
    })
    .await?;
    email_addresses::shown(&after, &id)
}

/// An address, whoever has it.
///
/// # Errors
/// `resource_not_found`.
pub async fn get(scope: &Scope, id: &IdentificationId) -> Result<EmailAddress, ApiError> {
    let owner = find(scope, id).await?.user_id;
    email_addresses::shown(&load(scope, &owner).await?, id)
}

/// Says whether an address counts as proven, and makes it the primary one.
///
/// # Errors
/// `resource_not_found`, `form_param_value_invalid` for a primary one that is not proven, `identification_claimed` when
/// another user has proven it, `form_data_missing` for the last thing by which the user is found.
pub async fn update(scope: &Scope, req: &UpdateEmailAddress) -> Result<EmailAddress, ApiError> {
    let id = &req.email_address_id;
    let owner = find(scope, id).await?.user_id;
    let after = edit(scope, &owner, |before| {
        let now = email_addresses::own(before, id)?;
        let (verified, primary) = (req.verified.unwrap_or(now.verified), req.primary == Some(true));
        by_server::check_primary(primary, verified)?;
        let mut plan = Plan::at(scope, before);
        if verified && !now.verified {
            plan.changes.push(Change::ProveEmail(proven(scope, now)));
        } else if !verified && now.verified {
            let mut left = before.clone();
            left.emails.retain(|it| &it.id != id);
            keep_identifier(&left, "email_id")?;
            plan.changes.push(Change::UnproveEmail { id: id.clone(), reserved: false });
            let next = before.emails.iter().find(|it| it.verified && &it.id != id);
            if let Some(next) = next.filter(|_| before.user.primary_email_address_id.as_ref() == Some(id)) {
                make_primary(&mut plan, before, next, None);
            }
        }
        if primary || verified && !primary_is_proven(before) {
            make_primary(&mut plan, before, now, req.notify_primary_email_address_changed);
        }
        Ok(plan.changes_anything(before).then_some(plan))
    })
    .await?;
    email_addresses::shown(&after, id)
}

/// Removes an address.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the last thing by which the user is found.
pub async fn delete(scope: &Scope, id: &IdentificationId) -> Result<(), ApiError> {
    let owner = find(scope, id).await?.user_id;
    email_addresses::take_email(scope, &load(scope, &owner).await?, id, Hand::Server).await
}

/// Puts one address in the place of all that a user has. One that the user has already keeps its id.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `form_param_value_invalid`, `form_identifier_exists`,
/// `resource_not_found`; `identification_update_failed` where a connected account vouches for one that would go.
pub async fn replace(scope: &Scope, req: &ReplaceUserEmailAddress) -> Result<EmailAddress, ApiError> {
    load(scope, &req.user_id).await?;
    let email = read(scope, req.email_address.as_deref())?;
    let standing = Standing::read(req.identification_status.as_deref())?;
    check_free(scope, &req.user_id, &email, standing).await?;
    let new_id = IdentificationId::new(scope.now, &scope.app.rng);
    let after = edit(scope, &req.user_id, |before| {
        let kept = before.emails.iter().find(|it| it.address_key == email.key);
        let goes = |it: &&EmailRecord| it.address_key != email.key;
        if before.emails.iter().filter(goes).any(|it| !oauth::linked_to(before, it).is_empty()) {
            return Err(ApiError::new(codes::IDENTIFICATION_UPDATE_FAILED).param("email_address"));
        }
        let record = kept.cloned().unwrap_or_else(|| record(scope, &new_id, &req.user_id, &email, standing));
        let mut plan = Plan::at(scope, before);
        make_primary(&mut plan, before, &record, req.notify_primary_email_address_changed);
        let others: Vec<_> = before.emails.iter().map(|it| it.id.clone()).filter(|id| *id != record.id).collect();
        let was = kept.map(|it| (it.id.clone(), Standing::of(it.verified, it.reserved)));
        let record = if standing == Standing::Verified { proven(scope, &record) } else { record };
        by_server::EMAILS.leave(&mut plan, others.into_iter(), was, standing, record);
        Ok(plan.changes_anything(before).then_some(plan))
    })
    .await?;
    let only = after.emails.iter().find(|it| it.address_key == email.key);
    only.map(|it| email_view(&after, it)).ok_or_else(|| codes::CONFLICT.into())
}

/// Sends a code to an address, proven or not.
///
/// # Errors
/// `resource_not_found`, `verification_code_too_many_requests`.
pub async fn prepare(scope: &Scope, id: &IdentificationId) -> Result<ServerVerification, ApiError> {
    let record = find(scope, id).await?;
    let email = Email { address: record.address.clone(), key: record.address_key.clone() };
    let code = verification::new_code(scope, &by_server::owner(id), STRATEGY, &email, None).await?;
    by_server::send(scope, code.about(&record.user_id, id)).await
}

/// Tries the code that was sent to an address. A wrong or late one shows in the status. A right one proves the address, if
/// that was not proven before.
///
/// # Errors
/// `resource_not_found`, `form_param_missing`, `verification_missing`, `verification_already_verified`,
/// `identification_claimed` when another user has proven the address.
pub async fn attempt(
    scope: &Scope,
    id: &IdentificationId,
    verification_id: Option<&str>,
    code: Option<&str>,
) -> Result<ServerVerification, ApiError> {
    let record = find(scope, id).await?;
    by_server::attempt(scope, id, STRATEGY, verification_id, code, async |by| {
        let proof = EmailRecord { attempts: Some(by.attempts), strategy: Some(STRATEGY.to_owned()), ..proven(scope, &record) };
        let mut tx = scope.db().begin().await.map_err(internal)?;
        verification::consume(scope, &mut tx, &by.id).await?;
        if !record.verified {
            Change::ProveEmail(proof).write(scope, &mut tx, &record.user_id).await?;
            users::touch(&mut tx, scope.ins(), &record.user_id, scope.now).await.map_err(internal)?;
        }
        tx.commit().await.map_err(internal)?;
        email_addresses::settle_primary(scope, &record.user_id).await
    })
    .await
}

fn read(scope: &Scope, text: Option<&str>) -> Result<Email, ApiError> {
    if scope.instance.settings.attributes.email_address == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("email_address"));
    }
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("email_address"))?;
    email_addresses::read_email(text)
}

/// One that is to be held must not be another user's.
async fn check_free(scope: &Scope, user: &UserId, email: &Email, standing: Standing) -> Result<(), ApiError> {
    let taken = standing != Standing::Unverified
        && users::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)?.is_some_and(|it| &it.user.id != user);
    if taken { Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("email_address")) } else { Ok(()) }
}

fn record(scope: &Scope, id: &IdentificationId, user: &UserId, email: &Email, standing: Standing) -> EmailRecord {
    let record = EmailRecord { reserved: standing == Standing::Reserved, ..email_addresses::fresh(scope, id, user, email) };
    if standing == Standing::Verified { proven(scope, &record) } else { record }
}

/// The same address, proven by the server's word.
fn proven(scope: &Scope, record: &EmailRecord) -> EmailRecord {
    email_addresses::proven(scope, record.clone(), by_server::STRATEGY, None)
}

fn primary(user: &UserWithEmails) -> Option<&EmailRecord> {
    user.emails.iter().find(|it| Some(&it.id) == user.user.primary_email_address_id.as_ref())
}

fn primary_is_proven(user: &UserWithEmails) -> bool {
    primary(user).is_some_and(|it| it.verified)
}

fn make_primary(plan: &mut Plan, before: &UserWithEmails, record: &EmailRecord, notify: Option<bool>) {
    plan.user.primary_email_address_id = Some(record.id.clone());
    plan.user.primary_email_key = Some(record.address_key.clone());
    let old = primary(before).filter(|old| old.id != record.id && notify == Some(true));
    plan.mail = old.map(|old| primary_changed(&before.user, old, record));
}

async fn find(scope: &Scope, id: &IdentificationId) -> Result<EmailRecord, ApiError> {
    let found = users::get_email(scope.db(), scope.ins(), id).await.map_err(internal)?;
    found.ok_or_else(|| ApiError::not_found("Email address", id))
}
