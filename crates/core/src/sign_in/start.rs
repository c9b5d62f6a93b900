//! How a sign-in begins.

use super::complete::{self, Parts};
use super::first::{attempted, prepared};
use super::pretended::{narrow, narrow_to_named};
use super::{
    Proof, SignInState, Stage, devices, filled, find_user, keep, missing, named_by, provider, refuse_banned, refuse_breached,
    refuse_hidden, refuse_when_signed_in, signed_in_as, wrong_password,
};
use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::strategies::{self, Attempt, FactorParams};
use crate::tickets::{self, Opened};
use crate::users::email_proves;
use crate::{agent_tasks, captcha, enumeration, oauth, passkeys, trusted_devices};
use doorward_base::*;
use doorward_store::tickets::TicketRecord;
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::fapi::{CreateSignIn, SignIn};

/// Starts a sign-in. It replaces the client's current one. With a password it goes through to the end at once.
///
/// A wrong password leaves the attempt standing, so that another factor can be tried: the outcome's error is inside.
///
/// # Errors
/// See the list of codes: `session_exists`, `form_identifier_not_found`, `user_locked` and others.
pub async fn start(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &CreateSignIn,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    refuse_when_signed_in(scope, &current).await?;
    captcha::guard_sign_in(scope, caller, &current).await?;
    if req.transfer == Some(true) {
        return provider::transfer(scope, caller, current).await.map(Outcome::fine);
    }
    let strategy = filled(req.strategy.as_deref());
    if strategy.is_some_and(oauth::is_redirect) {
        return provider::set_out(scope, caller, current, req).await.map(Outcome::fine);
    }
    if strategy.is_some_and(|name| oauth::behind_token(name).is_some()) {
        return provider::with_token(scope, caller, current, req).await.map(Outcome::fine);
    }
    if strategy == Some("ticket") || strategy.is_none() && filled(req.ticket.as_deref()).is_some() {
        return with_ticket(scope, caller, current, req.ticket.as_deref()).await;
    }
    if strategy == Some(trusted_devices::STRATEGY) {
        return devices::start(scope, current, req.trusted_device_id.as_deref()).await;
    }
    if let Some(name) = strategy
        && !strategies::FIRST_FACTORS.iter().any(|known| known.name() == name)
    {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"));
    }
    if strategy.is_none() && req.identifier == Some(None) {
        return Err(ApiError::new(codes::FORM_PARAM_NIL).param("identifier"));
    }
    let Some(identifier) = filled(named_by(req)) else {
        if strategy == Some(passkeys::STRATEGY) {
            return discover(scope, caller, current).await;
        }
        if strategy.is_some() || req.password.as_deref().is_some_and(|p| !p.is_empty()) {
            return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("identifier"));
        }
        let (value, current) = keep(scope, current, SignInState::default(), None, None, None).await?;
        return Ok(Outcome { value: Ok(value), current });
    };
    named(scope, caller, current, req, identifier).await
}

/// Somebody is named.
async fn named(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &CreateSignIn,
    identifier: &str,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let strategy = filled(req.strategy.as_deref());
    let by_password = matches!(strategy, None | Some("password"));
    let password = req.password.as_deref().filter(|p| by_password && !p.is_empty()).map(Secret::from);
    if strategy == Some("password") && password.is_none() {
        return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("password"));
    }
    refuse_hidden(scope, strategy)?;
    if req.sign_up_if_missing == Some(true) {
        missing::admit(scope, caller, &current, &req.captcha).await?;
    }
    let Some(user) = find_user(scope, identifier).await? else {
        return unknown(scope, caller, current, req, identifier, password.as_ref()).await;
    };
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    let state = SignInState {
        identifier: Some(identifier.to_owned()),
        user_id: Some(user.user.id.clone()),
        stage: Stage::NeedsFirstFactor { verification: None },
        ..SignInState::default()
    };
    match (strategy, password) {
        (_, Some(password)) => with_password(scope, caller, current, state, user, &password).await,
        (None, None) => {
            let (value, current) = keep(scope, current, state, Some(&user), None, None).await?;
            Ok(Outcome { value: Ok(value), current })
        }
        (Some(name), None) => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            let mut params = FactorParams::from(req);
            narrow(scope, identifier, Some(&user), name, &mut params)?;
            let code = prepared(scope, caller, &user, id.as_str(), identifier, &params).await?;
            let state = SignInState { stage: Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) }, ..state };
            let (value, current) = keep(scope, current, state, Some(&user), Some((id, code)), None).await?;
            Ok(Outcome { value: Ok(value), current })
        }
    }
}

/// Nobody is named: whichever passkey the person chooses says who it is.
async fn discover(scope: &Scope, caller: &Caller, current: Current) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let id = SignInId::new(scope.now, &scope.app.rng);
    let code = passkeys::ask(scope, caller, id.as_str(), None)?;
    let stage = Stage::Discoverable { verification: code.record.id.clone() };
    let (value, current) = keep(scope, current, SignInState { stage, ..SignInState::default() }, None, Some((id, code)), None).await?;
    Ok(Outcome { value: Ok(value), current })
}

async fn with_password(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    state: SignInState,
    user: UserWithEmails,
    password: &Secret,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let params = FactorParams { password: Some(password.clone()), ..FactorParams::default() };
    let attempt = attempted("password", Attempt { scope, user: &user, owner: "", verification: None, params: &params }).await;
    let attempt = match attempt {
        Ok(proven) => refuse_breached(scope, caller, &user, password).await.map(|()| proven),
        wrong => wrong,
    };
    match attempt {
        Ok(proven) => {
            let proof = Proof::new(scope, "password", proven.attempts);
            let parts = Parts { both: proven.both, consume: proven.consume, ..Parts::new(None, state, proof) };
            let done = complete::after_first(scope, caller, current, parts, &user).await?;
            Ok(Outcome { value: Ok(done.value), current: done.current })
        }
        Err(error) if error.status() == 422 => {
            let (_, current) = keep(scope, current, state, Some(&user), None, None).await?;
            Ok(Outcome { value: Err(error), current })
        }
        Err(error) => Err(error),
    }
}

/// A ticket names its user and stands for a first factor.
async fn with_ticket(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    token: Option<&str>,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let (user, consume, actor, session_seconds) = match tickets::open_any(scope, token).await? {
        Opened::Ticket(it) => {
            let user = users::get(scope.db(), scope.ins(), &it.user_id).await.map_err(internal)?;
            let consume = strategies::Consume::Ticket { used: tickets::used(&it), id: it.id };
            (user.ok_or(codes::SIGN_IN_USER_DELETED)?, consume, it.actor, it.session_seconds)
        }
        Opened::Invitation(it) => {
            let user = users::by_email(scope.db(), scope.ins(), &it.email_key).await.map_err(internal)?;
            let entered = |user: &UserWithEmails| user.emails.iter().any(|own| own.address_key == it.email_key && email_proves(user, own));
            let user = user.filter(entered).ok_or(codes::INVITATION_ACCOUNT_NOT_EXISTS)?;
            let consume = tickets::consumed(&user, &it)?;
            (user, consume, None, None)
        }
    };
    refuse_banned(scope, &user)?;
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    let parts = Parts { consume: Some(consume), actor, session_seconds, ..by_ticket(scope, &user) };
    complete::after_first(scope, caller, current, parts, &user).await.map(Outcome::fine)
}

/// What a ticket comes to by itself.
fn by_ticket(scope: &Scope, user: &UserWithEmails) -> Parts {
    let state = SignInState {
        user_id: Some(user.user.id.clone()),
        stage: Stage::NeedsFirstFactor { verification: None },
        ..SignInState::default()
    };
    Parts::new(None, state, Proof::new(scope, "ticket", 1))
}

/// Signs an agent in as a user, by the ticket of its task.
///
/// # Errors
/// `session_exists`, `identifier_already_signed_in`, `user_banned`, and `agent_task_already_used_code` for all but one of several.
pub(crate) async fn as_agent(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    user: &UserWithEmails,
    ticket: TicketRecord,
) -> Result<Outcome<SignIn>, ApiError> {
    let single = scope.instance.settings.session.single_session;
    let live = match &current.record {
        Some(client) => client::live_sessions(scope, &client.id).await?,
        None => Vec::new(),
    };
    // Of a single session an agent's own one is replaced; a person's is not.
    if single && live.iter().any(|(session, _)| !agent_tasks::is_agents(session)) {
        return Err(codes::SESSION_EXISTS.into());
    }
    if let Some((session, _)) = live.iter().find(|(session, _)| !single && session.user_id == user.user.id) {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&session.id));
    }
    let consume = Some(strategies::Consume::Ticket { used: tickets::used(&ticket), id: ticket.id });
    let (actor, session_seconds) = (ticket.actor, ticket.session_seconds);
    let parts = Parts { consume, actor, session_seconds, ..by_ticket(scope, user) };
    complete::complete(scope, caller, current, parts, user).await
}

/// Nobody has this identifier: the same work is done as if somebody had.
async fn unknown(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &CreateSignIn,
    identifier: &str,
    password: Option<&Secret>,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let hides = enumeration::hides(scope);
    if hides {
        users::addresses_of_nobody(scope.db(), scope.ins()).await.map_err(internal)?;
    }
    if let Some(password) = password {
        if hides {
            enumeration::pretend_guess(scope).await?;
        }
        scope.app.passwords.verify(password, None).await?;
    }
    let sign_up_if_missing = req.sign_up_if_missing == Some(true) && password.is_none() && missing::may_sign_up(scope, identifier).await?;
    if !hides && !sign_up_if_missing {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_NOT_FOUND).param("identifier"));
    }
    let stage = Stage::Pretended { verification: None };
    let mut state = SignInState { identifier: Some(identifier.to_owned()), user_id: None, stage, sign_up_if_missing };
    let mut params = FactorParams::from(req);
    let strategy = params.strategy().filter(|name| *name != "password").map(str::to_owned);
    let code = match strategy.as_deref() {
        Some(name) => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            narrow_to_named(scope, identifier, None, name, &mut params)?;
            let code = missing::code(scope, caller, id.as_str(), name, &state, &params).await?;
            state.stage = Stage::Pretended { verification: Some(code.record.id.clone()) };
            Some((id, code))
        }
        None => None,
    };
    let (value, current) = keep(scope, current, state, None, code, None).await?;
    let value = if password.is_some() { Err(wrong_password(scope)) } else { Ok(value) };
    Ok(Outcome { value, current })
}
