//! Invitations: a server invites an address, and whoever gets the mail becomes its user, whatever the mode of sign-up.

use crate::app::{Scope, internal};
use crate::identifiers::Email;
use crate::mail::{self, About, Mail};
use crate::messages::Letter;
use crate::settings::Presence;
use crate::{access, crypto, redirect_urls, users};
use doorward_base::*;
use doorward_store::Read;
use doorward_store::invitations::{self, InvitationFilter, InvitationOrder, InvitationRecord};
use doorward_store::users::{self as user_store, UserWithEmails};
use doorward_store::{Tx, waitlist};
use doorward_wire::Object;
use doorward_wire::bapi::{Invitation, InvitationFields, ListInvitations};
use std::collections::HashSet;

/// How long an invitation is good unless the request says otherwise, and how long at most, in days.
const DAYS: (i64, i64) = (30, 365);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The templates of the mail.
const TEMPLATES: [&str; 2] = ["invitation", FROM_WAITLIST];
/// The one for those who asked.
pub(crate) const FROM_WAITLIST: &str = "waitlist_invitation";

/// An invitation that is to be written and sent.
pub(crate) struct NewInvitation {
    pub record: InvitationRecord,
    token: String,
    mail: Option<Mail>,
}

/// Whom a server may invite again, where it says that it wants to (`ignore_existing`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// Anybody.
    Anybody,
    /// Who has an invitation, but not who has an account: that is so for several at once.
    Invited,
}

/// Checks what a server says about an invitation, and makes it.
///
/// # Errors
/// `invitations_not_supported`, `form_param_format_invalid`, `form_identifier_exists`, `duplicate_record`,
/// `not_allowed_access`, the codes of [`redirect_urls::check`], and others that name the parameter.
pub(crate) async fn prepare(scope: &Scope, fields: &InvitationFields, again: Again) -> Result<NewInvitation, ApiError> {
    if scope.instance.settings.attributes.email_address == Presence::Off {
        return Err(codes::INVITATIONS_NOT_SUPPORTED.into());
    }
    let email = email(fields.email_address.as_deref())?;
    let days = fields.expires_in_days.unwrap_or(DAYS.0);
    if !(1..=DAYS.1).contains(&days) {
        let text = format!("expires_in_days must be between 1 and {}.", DAYS.1);
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("expires_in_days").long(text));
    }
    let template = crate::sign_in::filled(fields.template_slug.as_deref()).unwrap_or(TEMPLATES[0]);
    if !TEMPLATES.contains(&template) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("template_slug"));
    }
    let redirect_url = match crate::sign_in::filled(fields.redirect_url.as_deref()) {
        Some(url) => Some(redirect_urls::check(scope, Some(url)).await?.to_string()),
        None => None,
    };
    let public_metadata = users::metadata_text(fields.public_metadata.as_ref().unwrap_or(&Object::new()), "public_metadata")?;
    access::refuse_blocked(scope, access::Identifier::Email(&email.key)).await?;
    let ignored = fields.ignore_existing == Some(true);
    if !ignored || again == Again::Invited {
        refuse_user(scope, &email).await?;
    }
    if !ignored {
        refuse_invited(scope, &email).await?;
    }
    let token = format!("dwi_{}", scope.app.rng.alphanumeric(48));
    let record = InvitationRecord {
        id: InvitationId::new(scope.now, &scope.app.rng),
        token_hash: crypto::token_hash(&token),
        email_address: email.address,
        email_key: email.key,
        status: "pending".to_owned(),
        public_metadata,
        redirect_url,
        expires_at: scope.now + days * DAY_MS,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let notify = fields.notify != Some(false);
    let link = address(scope, &token);
    let letter = Letter {
        slug: if template == FROM_WAITLIST { "waitlist_invitation" } else { "invitation" },
        to: record.email_address.clone(),
        locale: None,
        values: vec![("action_url", link), ("days", days.to_string())],
        about: About::default(),
    };
    let mail = if notify { Some(letter.mail(scope).await?) } else { None };
    Ok(NewInvitation { record, token, mail })
}

/// Reads the address that is meant.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`.
pub(crate) fn email(text: Option<&str>) -> Result<Email, ApiError> {
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("email_address"))?;
    users::read_email(text)
}

async fn refuse_user(scope: &Scope, email: &Email) -> Result<(), ApiError> {
    if user_store::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)?.is_some() {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("email_address"));
    }
    Ok(())
}

async fn refuse_invited(scope: &Scope, email: &Email) -> Result<(), ApiError> {
    if invitations::is_pending(scope.db(), scope.ins(), &email.key, scope.now).await.map_err(internal)? {
        return Err(ApiError::new(codes::DUPLICATE_RECORD).param("email_address").long("This address is invited already."));
    }
    Ok(())
}

impl NewInvitation {
    /// Writes the invitation and its mail. The worker is to be woken after the transaction.
    pub(crate) async fn write(&self, scope: &Scope, tx: &mut Tx) -> Result<(), ApiError> {
        invitations::insert(tx, scope.ins(), &self.record).await.map_err(internal)?;
        match &self.mail {
            Some(mail) => mail::enqueue(scope, tx, mail).await,
            None => Ok(()),
        }
    }

    /// As the server sees it that made it: with its address, for the last time.
    pub(crate) fn view(&self, scope: &Scope) -> Invitation {
        Invitation { url: Some(address(scope, &self.token)), ..view(&self.record, scope.now) }
    }
}

fn address(scope: &Scope, token: &str) -> String {
    format!("{}/v1/tickets/accept?ticket={token}", scope.instance.frontend_url())
}

/// Invites somebody.
///
/// # Errors
/// Those of [`prepare`].
pub async fn create(scope: &Scope, fields: &InvitationFields) -> Result<Invitation, ApiError> {
    let new = prepare(scope, fields, Again::Anybody).await?;
    write_all(scope, std::slice::from_ref(&new)).await?;
    Ok(new.view(scope))
}

/// Invites people, all of them or none.
///
/// # Errors
/// Those of [`prepare`]; `form_param_duplicate` when an address comes twice.
pub async fn create_many(scope: &Scope, all: &[InvitationFields]) -> Result<Vec<Invitation>, ApiError> {
    let mut made = Vec::with_capacity(all.len());
    let mut seen = HashSet::new();
    for fields in all {
        let new = prepare(scope, fields, Again::Invited).await?;
        if !seen.insert(new.record.email_key.clone()) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param("email_address"));
        }
        made.push(new);
    }
    write_all(scope, &made).await?;
    Ok(made.iter().map(|new| new.view(scope)).collect())
}

async fn write_all(scope: &Scope, all: &[NewInvitation]) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    for new in all {
        new.write(scope, &mut tx).await?;
    }
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(())
}

/// A page of invitations, and how many there are in all.
///
/// # Errors
/// The `form_*` codes naming the parameter.
pub async fn list(scope: &Scope, req: &ListInvitations) -> Result<(Vec<Invitation>, i64), ApiError> {
    let page = users::page(req.limit, req.offset)?;
    let order = users::order_by(req.order_by.as_deref(), |field| match field {
        "created_at" => Some(InvitationOrder::CreatedAt),
        "expires_at" => Some(InvitationOrder::ExpiresAt),
        "email_address" => Some(InvitationOrder::EmailAddress),
        _ => None,
    })?;
    let status = crate::sign_in::filled(req.status.as_deref());
    if status.is_some_and(|status| !["pending", "accepted", "revoked", "expired"].contains(&status)) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("status"));
    }
    let filter = InvitationFilter { status: status.map(str::to_owned), query: users::query(&req.query, "query")? };
    let at = (page.limit, page.offset);
    let found = invitations::list(scope.db(), scope.ins(), &filter, order, scope.now, at).await.map_err(internal)?;
    let total = invitations::count(scope.db(), scope.ins(), &filter, scope.now).await.map_err(internal)?;
    Ok((found.iter().map(|it| view(it, scope.now)).collect(), total))
}

/// Takes an invitation back. Its address can still sign up where everybody can.
///
/// # Errors
/// `resource_not_found`, `invitation_already_accepted`, `invitation_already_revoked`.
pub async fn revoke(scope: &Scope, id: &InvitationId) -> Result<Invitation, ApiError> {
    let found = invitations::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    let found = found.ok_or_else(|| ApiError::not_found("Invitation", id))?;
    if !invitations::revoke(scope.db(), scope.ins(), id, scope.now).await.map_err(internal)? {
        let accepted = found.status == "accepted";
        return Err(if accepted { codes::INVITATION_ALREADY_ACCEPTED } else { codes::INVITATION_ALREADY_REVOKED }.into());
    }
    Ok(view(&InvitationRecord { status: "revoked".to_owned(), updated_at: scope.now, ..found }, scope.now))
}

/// The invitation of an id, as the wire has it.
pub(crate) async fn get(scope: &Scope, db: impl Read, id: &InvitationId) -> Result<Option<Invitation>, ApiError> {
    let found = invitations::get(db, scope.ins(), id).await.map_err(internal)?;
    Ok(found.map(|it| view(&it, scope.now)))
}

/// Those of these ids that there are, as the wire has them.
pub(crate) async fn get_many(scope: &Scope, ids: &[InvitationId]) -> Result<Vec<Invitation>, ApiError> {
    let found = invitations::get_many(scope.db(), scope.ins(), ids).await.map_err(internal)?;
    Ok(found.iter().map(|it| view(it, scope.now)).collect())
}

/// The invitation that a token stands for, if it still works; none for tokens of another kind.
///
/// # Errors
/// `revoked_invitation`, `invitation_already_accepted`, `ticket_expired_code`.
pub(crate) async fn open(scope: &Scope, token: &str) -> Result<Option<InvitationRecord>, ApiError> {
    let found = invitations::by_token(scope.db(), scope.ins(), &crypto::token_hash(token)).await.map_err(internal)?;
    found.map(|it| usable(scope, it)).transpose()
}

fn usable(scope: &Scope, it: InvitationRecord) -> Result<InvitationRecord, ApiError> {
    let code = match it.status_at(scope.now) {
        "pending" => return Ok(it),
        "revoked" => codes::INVITATION_REVOKED,
        "accepted" => codes::INVITATION_ALREADY_ACCEPTED,
        _ => codes::TICKET_EXPIRED,
    };
    Err(code.into())
}

/// Uses an invitation up. False when another request was faster, or it has ended: [`why_not`] tells, after the transaction.
pub(crate) async fn accept(scope: &Scope, tx: &mut Tx, id: &InvitationId) -> Result<bool, ApiError> {
    let accepted = invitations::accept(tx, scope.ins(), id, scope.now).await.map_err(internal)?;
    if accepted {
        waitlist::complete(tx, scope.ins(), id, scope.now).await.map_err(internal)?;
    }
    Ok(accepted)
}

/// Why an invitation could not be used up.
pub(crate) async fn why_not(scope: &Scope, id: &InvitationId) -> ApiError {
    match invitations::get(scope.db(), scope.ins(), id).await.map_err(internal) {
        Ok(Some(it)) => usable(scope, it).err().unwrap_or_else(|| codes::INVITATION_ALREADY_ACCEPTED.into()),
        Ok(None) => codes::TICKET_INVALID.into(),
        Err(error) => error,
    }
}

/// What an invitation makes of the public metadata of somebody who is a user already.
///
/// # Errors
/// `form_param_exceeds_allowed_size` when both together are too much.
pub(crate) fn merged_metadata(user: &UserWithEmails, it: &InvitationRecord) -> Result<String, ApiError> {
    let mut all: Object = serde_json::from_str(&user.user.public_metadata).unwrap_or_default();
    all.extend(metadata(it));
    users::metadata_text(&all, "public_metadata")
}

/// What its user gets.
pub(crate) fn metadata(it: &InvitationRecord) -> Object {
    serde_json::from_str(&it.public_metadata).unwrap_or_default()
}

fn view(it: &InvitationRecord, now: Timestamp) -> Invitation {
    Invitation {
        object: "invitation".to_owned(),
        id: it.id.clone(),
        email_address: it.email_address.clone(),
        public_metadata: metadata(it),
        revoked: it.status == "revoked",
        status: it.status_at(now).to_owned(),
        url: None,
        expires_at: Some(it.expires_at),
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}
