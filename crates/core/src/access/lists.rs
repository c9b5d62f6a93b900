//! The two lists, as a server keeps them.

use super::identifier;
use crate::app::{Scope, internal};
use crate::environment::Places;
use crate::invitations::{self, NewInvitation};
use crate::mail::About;
use crate::messages::Letter;
use crate::phone::Phone;
use crate::sms::{self, Sms};
use crate::users::Page;
use doorward_base::*;
use doorward_store::StoreError;
use doorward_store::access_identifiers::{self, AccessRecord, List};
use doorward_wire::bapi::InvitationFields;

/// Reads an entry and adds it; with `notify` its address is invited, too, and its number told where to sign up.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `duplicate_record`; `form_conditional_param_disallowed` when what is
/// not one address or number is to be invited, `unsupported_country_code`, and those of an invitation.
pub async fn add(scope: &Scope, list: List, text: Option<&str>, notify: bool) -> Result<AccessRecord, ApiError> {
    let mut record = read(scope, text)?;
    let notice = if notify { Some(invite(scope, &record).await?) } else { None };
    if let Some(Notice::Invitation(new)) = &notice {
        record.invitation_id = Some(new.record.id.to_string());
    }
    let mut tx = scope.db().begin().await.map_err(internal)?;
    access_identifiers::insert(&mut tx, scope.ins(), list, &record).await.map_err(|error| match error {
        StoreError::Conflict => ApiError::new(codes::DUPLICATE_RECORD).param("identifier"),
        other => internal(other),
    })?;
    match &notice {
        Some(Notice::Invitation(new)) => new.write(scope, &mut tx).await?,
        Some(Notice::Text(text)) => sms::enqueue(scope, &mut tx, text).await?,
        None => {}
    }
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(record)
}

/// How somebody is told that they may sign up.
enum Notice {
    Invitation(Box<NewInvitation>),
    /// A number is told where to sign up: it needs no more, being on the list.
    Text(Sms),
}

async fn invite(scope: &Scope, record: &AccessRecord) -> Result<Notice, ApiError> {
    if record.kind == identifier::PHONE {
        let phone = Phone::kept(&record.identifier);
        sms::check_country(scope, &phone, Some("identifier"))?;
        let page = Places::of(&scope.instance, &scope.instance.frontend_url()).sign_up;
        let letter = Letter {
            slug: "invitation",
            to: record.identifier.clone(),
            locale: None,
            values: vec![("action_url", page)],
            about: About::default(),
        };
        return Ok(Notice::Text(letter.sms(scope, sms::Channel::Sms).await?));
    }
    if record.kind != identifier::EMAIL || record.identifier.starts_with('*') {
        let error = ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("notify");
        return Err(error.long("Only a single e-mail address or a phone number can be invited."));
    }
    let fields = InvitationFields { email_address: Some(record.identifier.clone()), ..InvitationFields::default() };
    Ok(Notice::Invitation(Box::new(invitations::prepare(scope, &fields, invitations::Again::Anybody).await?)))
}

fn read(scope: &Scope, text: Option<&str>) -> Result<AccessRecord, ApiError> {
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("identifier"))?;
    let (kind, identifier) = identifier::parse(text).ok_or_else(|| {
        let error = ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("identifier");
        error.long("identifier must be an e-mail address, a pattern such as *@example.com, a phone number or a wallet's address.")
    })?;
    Ok(AccessRecord {
        id: AccessIdentifierId::new(scope.now, &scope.app.rng),
        kind: kind.to_owned(),
        identifier,
        invitation_id: None,
        created_at: scope.now,
        updated_at: scope.now,
    })
}

/// A page of a list, the newest first, and how long the list is.
///
/// # Errors
/// Only failures of ours.
pub async fn list(scope: &Scope, list: List, page: Option<Page>) -> Result<(Vec<AccessRecord>, i64), ApiError> {
    let page = page.map(|page| (page.limit, page.offset));
    let found = access_identifiers::list(scope.db(), scope.ins(), list, page).await.map_err(internal)?;
    Ok((found, access_identifiers::count(scope.db(), scope.ins(), list).await.map_err(internal)?))
}

/// Removes an entry.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove(scope: &Scope, list: List, id: &AccessIdentifierId) -> Result<(), ApiError> {
    let done = access_identifiers::delete(scope.db(), scope.ins(), list, id).await.map_err(internal)?;
    if done { Ok(()) } else { Err(ApiError::not_found("Identifier", id)) }
}
