//! Tasks of agents: a server lets a program act as one of its users, in a browser that the program drives, for a while and
//! without any factor. What the session's tokens name as `act` says so (RFC 8693, section 4.1).

use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::identifiers::{self, Identifier};
use crate::sign_in::{self, filled};
use crate::tickets::{self, AGENT, New};
use crate::{crypto, handshake};
use doorward_base::*;
use doorward_store::sessions::SessionRecord;
use doorward_store::tickets::TicketRecord;
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::bapi::{AgentTask, CreateAgentTask, OnBehalfOf};
use serde_json::{Value, json};

/// How long a task may wait for its agent, in seconds.
const LIFETIME: i64 = 3600;
/// How long the session lasts when nothing else is said, in seconds.
const SESSION: i64 = 1800;
/// The most characters of a name and of a description.
const MAX_CHARS: usize = 1024;
/// The most bytes of an address: it travels in a header.
const MAX_URL: usize = 2048;

/// Lets an agent act as a user. What it is called and is about to do goes to the log.
///
/// # Errors
/// What is missing, too long or not allowed, by its name; `resource_not_found` for somebody unknown.
pub async fn create(scope: &Scope, req: &CreateAgentTask) -> Result<AgentTask, ApiError> {
    let user = user(scope, req.on_behalf_of.as_ref()).await?;
    if text(req.permissions.as_deref(), "permissions")? != "*" {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("permissions").long("permissions must be \"*\"."));
    }
    let agent_name = text(req.agent_name.as_deref(), "agent_name")?;
    let task_description = text(req.task_description.as_deref(), "task_description")?;
    let redirect_url = page(scope, req.redirect_url.as_deref())?;
    let session = tickets::within(req.session_max_duration_in_seconds, SESSION, "session_max_duration_in_seconds")?;
    let agent_id = format!("agent_{}", sign_in::pretended_ksuid(&crypto::token_hash(&format!("{}:{agent_name}", scope.ins()))));
    let id = AgentTaskId::new(scope.now, &scope.app.rng);
    let new = New {
        kind: AGENT,
        id: id.as_str(),
        user: user.clone(),
        lifetime: LIFETIME,
        actor: Some(json!({"type": "agent", "sub": agent_id}).to_string()),
        session_seconds: Some(session),
        redirect_url: Some(redirect_url),
    };
    let (ticket, token) = tickets::issue(scope, new).await?;
    tracing::info!(%agent_id, agent_task_id = %id, agent_name, task_description, user_id = %user, "an agent may act as a user");
    let url = format!("{}/v1/agents/tasks?ticket={token}", scope.instance.frontend_url());
    Ok(AgentTask { url: Some(url), ..view(&ticket) })
}

/// Takes a task back. A session that began with it goes on.
///
/// # Errors
/// `resource_not_found`; `agent_task_cannot_be_revoked_code` when it was used or taken back before.
pub async fn revoke(scope: &Scope, id: &AgentTaskId) -> Result<AgentTask, ApiError> {
    tickets::revoke(scope, AGENT, id.as_str(), "Agent task").await.map(|ticket| view(&ticket))
}

/// Signs the agent in whose browser comes with a ticket. Answers the task's page.
///
/// # Errors
/// `form_param_missing`, `ticket_invalid_code`, `ticket_expired_code`, `agent_task_already_used_code`, `agent_task_revoked_code`;
/// `redirect_url_domain_mismatch`, which uses nothing up; those of a user who is banned or gone, or signed in here already.
pub async fn open(scope: &Scope, caller: &Caller, current: Current, token: Option<&str>) -> Result<Outcome<url::Url>, ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let ticket = tickets::open(scope, token, true).await?;
    let page = handshake::check_redirect(scope, ticket.redirect_url.as_deref())?;
    let user = users::get(scope.db(), scope.ins(), &ticket.user_id).await.map_err(internal)?;
    let id = ticket.id.clone();
    let done = sign_in::as_agent(scope, caller, current, &user.ok_or(codes::SIGN_IN_USER_DELETED)?, ticket).await?;
    tracing::info!(
        agent_task_id = id,
        session_id = done.value.created_session_id.as_ref().map(SessionId::as_str),
        "an agent acts as a user"
    );
    Ok(Outcome { value: page, current: done.current })
}

/// Whether a session is an agent's.
pub(crate) fn is_agents(session: &SessionRecord) -> bool {
    actor(session.actor.as_deref())["type"] == "agent"
}

fn actor(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

async fn user(scope: &Scope, named: Option<&OnBehalfOf>) -> Result<UserId, ApiError> {
    let named = named.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("on_behalf_of"))?;
    let Some(identifier) = filled(named.identifier.as_deref()) else {
        return tickets::known_user(scope, named.user_id.as_deref(), "on_behalf_of.user_id").await;
    };
    if filled(named.user_id.as_deref()).is_some() {
        return Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("on_behalf_of.identifier"));
    }
    let found = sign_in::find_user(scope, identifier).await?.filter(|it| has_proven(it, identifier));
    found.map(|it| it.user.id).ok_or_else(|| ApiError::not_found("User", identifier))
}

fn has_proven(user: &UserWithEmails, identifier: &str) -> bool {
    match identifiers::parse_identifier(identifier) {
        Some(Identifier::Email(email)) => user.emails.iter().any(|it| it.address_key == email.key && it.verified),
        Some(Identifier::Phone(phone)) => user.phones.iter().any(|it| it.number == phone.as_str() && it.verified),
        _ => true,
    }
}

fn text<'a>(text: Option<&'a str>, param: &str) -> Result<&'a str, ApiError> {
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(param))?;
    if text.chars().count() > MAX_CHARS {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param(param));
    }
    Ok(text)
}

/// Where the agent's browser is to go. Whether the instance allows it is seen when it goes.
fn page(scope: &Scope, text: Option<&str>) -> Result<String, ApiError> {
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("redirect_url"))?;
    let invalid = || ApiError::new(codes::INVALID_REDIRECT_URL).param("redirect_url");
    let url = url::Url::parse(text).map_err(|_| invalid())?;
    if url.as_str().len() > MAX_URL {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param("redirect_url"));
    }
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => Err(invalid()),
        "https" => Ok(url.into()),
        "http" if scope.instance.is_development() => Ok(url.into()),
        _ => Err(invalid()),
    }
}

fn view(it: &TicketRecord) -> AgentTask {
    AgentTask {
        object: AGENT.to_owned(),
        agent_id: actor(it.actor.as_deref())["sub"].as_str().unwrap_or_default().to_owned(),
        agent_task_id: it.id.as_str().into(),
        task_id: it.id.as_str().into(),
        url: None,
    }
}
