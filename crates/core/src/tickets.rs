//! Tickets: a server hands them out, and whoever holds one signs in with it once, without any factor.

use crate::app::{Caller, Scope, internal};
use crate::client::Current;
use crate::environment::Places;
use crate::sign_in::{self, filled};
use crate::strategies::{self, Consume};
use crate::{crypto, invitations};
use doorward_base::*;
use doorward_store::invitations::InvitationRecord;
use doorward_store::tickets::{self, TicketRecord};
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::bapi::{ActorToken, CreateActorToken, CreateSignInToken, SignInToken};
use std::ops::RangeInclusive;

const SIGN_IN: &str = "sign_in_token";
const ACTOR: &str = "actor_token";
pub(crate) const AGENT: &str = "agent_task";
/// How long a ticket may be good, in seconds: ten years at most.
const LIFETIMES: RangeInclusive<i64> = 1..=315_360_000;
/// The most that an actor may say, as JSON: every session token holds it, and cookies are small.
const ACTOR_MAX_BYTES: usize = 512;

/// Makes a ticket for a user.
///
/// # Errors
/// `user_id` missing or unknown, `expires_in_seconds` out of range, `resource_not_found` for an organization.
pub async fn create_sign_in_token(scope: &Scope, req: &CreateSignInToken) -> Result<SignInToken, ApiError> {
    if let Some(organization) = filled(req.org_id.as_deref()) {
        return Err(ApiError::not_found("Organization", organization));
    }
    let user = known_user(scope, req.user_id.as_deref(), "user_id").await?;
    let lifetime = within(req.expires_in_seconds, 30 * 86_400, "expires_in_seconds")?;
    let id = SignInTokenId::new(scope.now, &scope.app.rng);
    let new = New { kind: SIGN_IN, id: id.as_str(), user, lifetime, actor: None, session_seconds: None, redirect_url: None };
    let (ticket, token) = issue(scope, new).await?;
    let url = Some(address(scope, &token));
    Ok(SignInToken { token: Some(token), url, ..sign_in_view(&ticket) })
}

/// Makes a ticket with which somebody acts as a user.
///
/// # Errors
/// `user_id` missing or unknown, `actor` without `sub` or too large, a duration out of range.
pub async fn create_actor_token(scope: &Scope, req: &CreateActorToken) -> Result<ActorToken, ApiError> {
    let user = known_user(scope, req.user_id.as_deref(), "user_id").await?;
    let actor = req.actor.as_ref().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("actor"))?;
    if actor.get("sub").and_then(|sub| sub.as_str()).is_none_or(str::is_empty) {
        return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("actor.sub"));
    }
    let actor = serde_json::to_string(actor).map_err(ApiError::internal)?;
    if actor.len() > ACTOR_MAX_BYTES {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LARGE).param("actor"));
    }
    let lifetime = within(req.expires_in_seconds, 3600, "expires_in_seconds")?;
    let session = within(req.session_max_duration_in_seconds, 1800, "session_max_duration_in_seconds")?;
    let id = ActorTokenId::new(scope.now, &scope.app.rng);
    let (actor, session_seconds) = (Some(actor), Some(session));
    let new = New { kind: ACTOR, id: id.as_str(), user, lifetime, actor, session_seconds, redirect_url: None };
    let (ticket, token) = issue(scope, new).await?;
    let url = Some(address(scope, &token));
    Ok(ActorToken { token: Some(token), url, ..actor_view(&ticket) })
}

/// Takes a sign-in token back.
///
/// # Errors
/// `resource_not_found`; `sign_in_token_cannot_be_revoked_code` when it was used or taken back before.
pub async fn revoke_sign_in_token(scope: &Scope, id: &SignInTokenId) -> Result<SignInToken, ApiError> {
    revoke(scope, SIGN_IN, id.as_str(), "Sign-in token").await.map(|ticket| sign_in_view(&ticket))
}

/// Takes an actor token back. A session that began with it goes on.
///
/// # Errors
/// `resource_not_found`; `actor_token_cannot_be_revoked_code` when it was used or taken back before.
pub async fn revoke_actor_token(scope: &Scope, id: &ActorTokenId) -> Result<ActorToken, ApiError> {
    revoke(scope, ACTOR, id.as_str(), "Actor token").await.map(|ticket| actor_view(&ticket))
}

/// The ticket that a token stands for, if it still works: that of an agent's task, or another one.
///
/// # Errors
/// `ticket_invalid_code`, `ticket_expired_code`, and `.._already_used_code` and `.._revoked_code` of each kind.
pub(crate) async fn open(scope: &Scope, token: &str, of_agent: bool) -> Result<TicketRecord, ApiError> {
    let found = tickets::by_token(scope.db(), scope.ins(), &crypto::token_hash(token)).await.map_err(internal)?;
    let refused = |code: &'static Code| Err(code.into());
    let Some(ticket) = found.filter(|it| (it.kind == AGENT) == of_agent) else { return refused(codes::TICKET_INVALID) };
    match (ticket.status.as_str(), ticket.kind.as_str()) {
        ("pending", _) => {}
        ("revoked", ACTOR) => return refused(codes::ACTOR_TOKEN_REVOKED),
        ("revoked", AGENT) => return refused(codes::AGENT_TASK_REVOKED),
        ("revoked", _) => return refused(codes::SIGN_IN_TOKEN_REVOKED),
        _ => return refused(used(&ticket)),
    }
    if ticket.expire_at <= scope.now {
        return Err(codes::TICKET_EXPIRED.into());
    }
    Ok(ticket)
}

/// What a ticket answers that was used before.
pub(crate) fn used(it: &TicketRecord) -> &'static Code {
    match it.kind.as_str() {
        ACTOR => codes::ACTOR_TOKEN_ALREADY_USED,
        AGENT => codes::AGENT_TASK_ALREADY_USED,
        _ => codes::SIGN_IN_TOKEN_ALREADY_USED,
    }
}

/// What a token stands for: a ticket for a user, or an invitation for an address.
pub(crate) enum Opened {
    Ticket(TicketRecord),
    Invitation(InvitationRecord),
}

/// What a token stands for, if it still works.
///
/// # Errors
/// As [`open`], and those of an invitation that has ended.
pub(crate) async fn open_any(scope: &Scope, token: &str) -> Result<Opened, ApiError> {
    match invitations::open(scope, token).await? {
        Some(invitation) => Ok(Opened::Invitation(invitation)),
        None => open(scope, token, false).await.map(Opened::Ticket),
    }
}

/// Where a browser goes that opened a ticket: the page that the ticket is for, which it travels with. Nothing is used up,
/// but for an invitation of somebody who is signed in already: for them there is nothing left to do.
///
/// # Errors
/// As [`open_any`]: a page should not have to find out.
pub async fn landing(scope: &Scope, caller: &Caller, current: &Current, token: Option<&str>, only_looks: bool) -> Result<String, ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let places = Places::of(&scope.instance, &caller.frontend_url);
    let (page, status) = match open_any(scope, token).await? {
        Opened::Ticket(_) => (places.sign_in, "sign_in"),
        Opened::Invitation(it) => {
            let user = users::by_email(scope.db(), scope.ins(), &it.email_key).await.map_err(internal)?;
            let (page, status) = match &user {
                None => (places.sign_up, "sign_up"),
                Some(user) if sign_in::signed_in_as(scope, current, &user.user.id).await?.is_some() => {
                    if !only_looks {
                        accept(scope, user, &it).await?;
                    }
                    (places.after_sign_in, "complete")
                }
                Some(_) => (places.sign_in, "sign_in"),
            };
            (it.redirect_url.unwrap_or(page), status)
        }
    };
    let mut page = url::Url::parse(&page).map_err(ApiError::internal)?;
    if status != "complete" {
        page.query_pairs_mut().append_pair("__clerk_ticket", token);
    }
    page.query_pairs_mut().append_pair("__clerk_status", status);
    Ok(page.into())
}

async fn accept(scope: &Scope, user: &UserWithEmails, it: &InvitationRecord) -> Result<(), ApiError> {
    let what = consumed(user, it)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    strategies::consume(scope, &mut tx, &user.user.id, &what).await?;
    tx.commit().await.map_err(internal)
}

/// What is used up when a user accepts an invitation.
pub(crate) fn consumed(user: &UserWithEmails, it: &InvitationRecord) -> Result<Consume, ApiError> {
    let after = invitations::merged_metadata(user, it)?;
    Ok(Consume::Invitation { id: it.id.clone(), before: user.user.public_metadata.clone(), after })
}

pub(crate) async fn known_user(scope: &Scope, id: Option<&str>, param: &str) -> Result<UserId, ApiError> {
    let id = filled(id).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(param))?;
    let id = UserId::from(id);
    let known = users::get(scope.db(), scope.ins(), &id).await.map_err(internal)?;
    known.map(|it| it.user.id).ok_or_else(|| ApiError::not_found("User", &id))
}

pub(crate) fn within(seconds: Option<i64>, default: i64, param: &str) -> Result<i64, ApiError> {
    let seconds = seconds.unwrap_or(default);
    if !LIFETIMES.contains(&seconds) {
        let text = format!("{param} must be between {} and {}.", LIFETIMES.start(), LIFETIMES.end());
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param).long(text));
    }
    Ok(seconds)
}

/// A ticket to be made.
pub(crate) struct New<'a> {
    pub kind: &'a str,
    pub id: &'a str,
    pub user: UserId,
    /// How long it is good, in seconds.
    pub lifetime: i64,
    pub actor: Option<String>,
    pub session_seconds: Option<i64>,
    pub redirect_url: Option<String>,
}

/// Makes a ticket, and the token that stands for it.
pub(crate) async fn issue(scope: &Scope, new: New<'_>) -> Result<(TicketRecord, String), ApiError> {
    let token = format!("dwt_{}", scope.app.rng.alphanumeric(48));
    let ticket = TicketRecord {
        id: new.id.to_owned(),
        kind: new.kind.to_owned(),
        user_id: new.user,
        token_hash: crypto::token_hash(&token),
        status: "pending".to_owned(),
        actor: new.actor,
        session_seconds: new.session_seconds,
        redirect_url: new.redirect_url,
        expire_at: scope.now + new.lifetime * 1000,
        created_at: scope.now,
        updated_at: scope.now,
    };
    tickets::insert(scope.db(), scope.ins(), &ticket).await.map_err(internal)?;
    Ok((ticket, token))
}

/// Takes a ticket back that was not used.
pub(crate) async fn revoke(scope: &Scope, kind: &str, id: &str, what: &'static str) -> Result<TicketRecord, ApiError> {
    let ticket = tickets::get(scope.db(), scope.ins(), kind, id).await.map_err(internal)?;
    let ticket = ticket.ok_or_else(|| ApiError::not_found(what, id))?;
    if !tickets::revoke(scope.db(), scope.ins(), id, scope.now).await.map_err(internal)? {
        let code = match kind {
            ACTOR => codes::ACTOR_TOKEN_CANNOT_BE_REVOKED,
            AGENT => codes::AGENT_TASK_CANNOT_BE_REVOKED,
            _ => codes::SIGN_IN_TOKEN_CANNOT_BE_REVOKED,
        };
        return Err(code.into());
    }
    Ok(TicketRecord { status: "revoked".to_owned(), updated_at: scope.now, ..ticket })
}

fn address(scope: &Scope, token: &str) -> String {
    format!("{}/v1/tickets/accept?ticket={token}", scope.instance.frontend_url())
}

fn sign_in_view(it: &TicketRecord) -> SignInToken {
    SignInToken {
        object: SIGN_IN.to_owned(),
        id: it.id.as_str().into(),
        user_id: it.user_id.clone(),
        status: it.status.clone(),
        token: None,
        url: None,
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}

fn actor_view(it: &TicketRecord) -> ActorToken {
    ActorToken {
        object: ACTOR.to_owned(),
        id: it.id.as_str().into(),
        user_id: it.user_id.clone(),
        actor: it.actor.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        status: it.status.clone(),
        token: None,
        url: None,
        created_at: it.created_at,
        updated_at: it.updated_at,
    }
}
