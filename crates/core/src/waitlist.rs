//! The waitlist: whoever cannot sign up yet asks for it, and a server invites or rejects them.

use crate::app::{Scope, internal};
use crate::identifiers::Email;
use crate::invitations::{self, FROM_WAITLIST};
use crate::mail::About;
use crate::messages::Letter;
use crate::settings::SignUpMode;
use crate::{access, mail, sign_in, users};
use doorward_base::*;
use doorward_store::waitlist::{self, WaitlistOrder, WaitlistRecord};
use doorward_store::{Read, Tx};
use doorward_wire::bapi::{Invitation, InvitationFields, ListWaitlistEntries, WaitlistEntry, WaitlistFields};
use std::collections::HashSet;

/// Puts an address on the waitlist, for somebody who asks. Who is on it already is told the same, and who is a user, too.
///
/// # Errors
/// `waitlist_not_accepting_entries`, `form_param_format_invalid`, `not_allowed_access`.
pub async fn join(scope: &Scope, text: Option<&str>) -> Result<WaitlistEntryId, ApiError> {
    if scope.instance.settings.sign_up.mode != SignUpMode::Waitlist {
        return Err(codes::WAITLIST_CLOSED.into());
    }
    let email = invitations::email(text)?;
    access::admissible(scope, access::Identifier::Email(&email.key)).await?;
    let id = id_of(scope, &email);
    add(scope, &[(email, true)]).await?;
    Ok(id)
}

/// The id of an address's entry: always the same, so that the answer does not tell whether, or since when, it is there.
fn id_of(scope: &Scope, email: &Email) -> WaitlistEntryId {
    let hash = scope.app.sealer.code_hash(&format!("{}:waitlist", scope.ins()), &email.key);
    WaitlistEntryId::from(format!("{}{}", WaitlistEntryId::PREFIX, sign_in::pretended_ksuid(&hash)))
}

/// Adds addresses that are not there yet, each with whether to tell it so.
async fn add(scope: &Scope, all: &[(Email, bool)]) -> Result<(), ApiError> {
    let mut mails = Vec::with_capacity(all.len());
    for (email, notify) in all {
        let letter =
            Letter { slug: "waitlist_confirmation", to: email.address.clone(), locale: None, values: Vec::new(), about: About::default() };
        mails.push(if *notify { Some(letter.mail(scope).await?) } else { None });
    }
    let mut tx = scope.db().begin().await.map_err(internal)?;
    for ((email, _), mail) in all.iter().zip(&mails) {
        let record = WaitlistRecord {
            id: id_of(scope, email),
            email_address: email.address.clone(),
            email_key: email.key.clone(),
            status: "pending".to_owned(),
            invitation_id: None,
            invited_at: None,
            created_at: scope.now,
            updated_at: scope.now,
        };
        let new = waitlist::insert(&mut tx, scope.ins(), &record).await.map_err(internal)?;
        if let Some(mail) = mail.as_ref().filter(|_| new) {
            mail::enqueue(scope, &mut tx, mail).await?;
        }
    }
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(())
}

/// Puts addresses on the waitlist, all of them or none, for a server. Answers their entries, new or not.
///
/// # Errors
/// `form_param_format_invalid`, `form_param_duplicate`.
pub async fn create(scope: &Scope, all: &[WaitlistFields]) -> Result<Vec<WaitlistEntry>, ApiError> {
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(all.len());
    for fields in all {
        let email = invitations::email(fields.email_address.as_deref())?;
        if !seen.insert(email.key.clone()) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param("email_address"));
        }
        read.push((email, fields.notify != Some(false)));
    }
    add(scope, &read).await?;
    let mut entries = Vec::with_capacity(read.len());
    for (email, _) in &read {
        entries.push(load(scope, &id_of(scope, email)).await?);
    }
    views(scope, &entries).await
}

/// A page of entries, and how many there are in all.
///
/// # Errors
/// The `form_*` codes naming the parameter.
pub async fn list(scope: &Scope, req: &ListWaitlistEntries) -> Result<(Vec<WaitlistEntry>, i64), ApiError> {
    let page = users::page(req.limit, req.offset)?;
    let order = users::order_by(req.order_by.as_deref(), |field| match field {
        "created_at" => Some(WaitlistOrder::CreatedAt),
        "invited_at" => Some(WaitlistOrder::InvitedAt),
        "email_address" => Some(WaitlistOrder::EmailAddress),
        _ => None,
    })?;
    let status = sign_in::filled(req.status.as_deref());
    if status.is_some_and(|status| !["pending", "invited", "completed", "rejected"].contains(&status)) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("status"));
    }
    let query = users::query(&req.query, "query")?;
    let (which, at) = ((status, query.as_deref()), (page.limit, page.offset));
    let found = waitlist::list(scope.db(), scope.ins(), which, order, at).await.map_err(internal)?;
    Ok((views(scope, &found).await?, waitlist::count(scope.db(), scope.ins(), which).await.map_err(internal)?))
}

/// Removes an entry that waits.
///
/// # Errors
/// `resource_not_found`; `conflict` when it was decided already.
pub async fn remove(scope: &Scope, id: &WaitlistEntryId) -> Result<(), ApiError> {
    load(scope, id).await?;
    if waitlist::delete(scope.db(), scope.ins(), id).await.map_err(internal)? { Ok(()) } else { Err(decided()) }
}

/// Invites who asked. Somebody who was rejected can still be invited.
///
/// # Errors
/// `resource_not_found`, `conflict` when it was decided already, and those of an invitation.
pub async fn invite(scope: &Scope, id: &WaitlistEntryId, ignore_existing: Option<bool>) -> Result<WaitlistEntry, ApiError> {
    let before = load(scope, id).await?;
    let fields = InvitationFields {
        email_address: Some(before.email_address.clone()),
        template_slug: Some(FROM_WAITLIST.to_owned()),
        ignore_existing,
        ..InvitationFields::default()
    };
    if !matches!(before.status.as_str(), "pending" | "rejected") && ignore_existing != Some(true) {
        return Err(decided());
    }
    let new = invitations::prepare(scope, &fields, invitations::Again::Anybody).await?;
    let after = WaitlistRecord {
        status: "invited".to_owned(),
        invitation_id: Some(new.record.id.clone()),
        invited_at: Some(scope.now),
        updated_at: scope.now,
        ..before.clone()
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    new.write(scope, &mut tx).await?;
    if !waitlist::set_status(&mut tx, scope.ins(), &after, &before.status).await.map_err(internal)? {
        return Err(decided());
    }
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(shown(&after, Some(new.view(scope))))
}

/// Rejects who asked. Nobody is told.
///
/// # Errors
/// `resource_not_found`; `conflict` when it was decided already.
pub async fn reject(scope: &Scope, id: &WaitlistEntryId) -> Result<WaitlistEntry, ApiError> {
    let before = load(scope, id).await?;
    let after = WaitlistRecord { status: "rejected".to_owned(), updated_at: scope.now, ..before };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !waitlist::set_status(&mut tx, scope.ins(), &after, "pending").await.map_err(internal)? {
        return Err(decided());
    }
    tx.commit().await.map_err(internal)?;
    view(scope, scope.db(), &after).await
}

fn decided() -> ApiError {
    ApiError::new(codes::CONFLICT).long("The entry is in a status that does not allow this.")
}

async fn load(scope: &Scope, id: &WaitlistEntryId) -> Result<WaitlistRecord, ApiError> {
    let found = waitlist::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    found.ok_or_else(|| ApiError::not_found("Waitlist entry", id))
}

/// The entry of an id, for whoever changes it in a transaction.
pub(crate) async fn within(scope: &Scope, tx: &mut Tx, id: &WaitlistEntryId) -> Result<Option<WaitlistEntry>, ApiError> {
    match waitlist::get(&mut *tx, scope.ins(), id).await.map_err(internal)? {
        Some(it) => view(scope, tx, &it).await.map(Some),
        None => Ok(None),
    }
}

/// Entries with their invitations, which are read together.
async fn views(scope: &Scope, entries: &[WaitlistRecord]) -> Result<Vec<WaitlistEntry>, ApiError> {
    let ids: Vec<InvitationId> = entries.iter().filter_map(|it| it.invitation_id.clone()).collect();
    let invitations = invitations::get_many(scope, &ids).await?;
    let of = |it: &WaitlistRecord| invitations.iter().find(|one| Some(&one.id) == it.invitation_id.as_ref()).cloned();
    Ok(entries.iter().map(|it| shown(it, of(it))).collect())
}

async fn view(scope: &Scope, db: impl Read, it: &WaitlistRecord) -> Result<WaitlistEntry, ApiError> {
    let invitation = match &it.invitation_id {
        Some(id) => invitations::get(scope, db, id).await?,
        None => None,
    };
    Ok(shown(it, invitation))
}

fn shown(it: &WaitlistRecord, invitation: Option<Invitation>) -> WaitlistEntry {
    WaitlistEntry {
        object: "waitlist_entry".to_owned(),
        id: it.id.clone(),
        email_address: it.email_address.clone(),
        status: it.status.clone(),
        is_locked: false,
        created_at: it.created_at,
        updated_at: it.updated_at,
        invitation,
    }
}
