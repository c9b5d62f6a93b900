//! Sign-up: fields are gathered and proven until there is enough to make a user and a session of.

mod fields;
mod proofs;
mod provider;
mod settle;
mod state;
mod view;

pub use proofs::{attempt, prepare};
pub(crate) use provider::{come_back, transferable};

use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::sign_in::{self, filled};
use crate::{captcha, email_link, users, verification};
use doorward_base::*;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::{self, ClientRecord};
use doorward_store::users as user_store;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::{SignUp, SignUpFields};
use fields::{fill, take_over};
use provider::Asked;
use settle::settle;
use state::{Proof, SignUpState};
use view::view;

const ABANDON_MS: i64 = 24 * 60 * 60 * 1000;

struct Loaded {
    record: AttemptRecord,
    state: SignUpState,
}

/// Starts a sign-up. It replaces the client's current one.
///
/// # Errors
/// `session_exists`, those of [`access::admit`], `form_identifier_exists`, the form's codes.
pub async fn start(scope: &Scope, caller: &Caller, current: Current, fields: &SignUpFields) -> Result<Outcome<SignUp>, ApiError> {
    sign_in::refuse_when_signed_in(scope, &current).await?;
    let mut state = SignUpState::default();
    let missing = if fields.transfer == Some(true) { sign_in::carried_over(scope, &current).await? } else { None };
    let spared = fields.transfer == Some(true) || filled(fields.strategy.as_deref()).is_some_and(|it| captcha::spares(&scope.instance, it));
    state.human = missing.is_some() || captcha::check_sign_up(scope, caller, &current, &fields.captcha, spared).await?;
    let id = SignUpId::new(scope.now, &scope.app.rng);
    let asked = match missing {
        Some(missing) => {
            take_over(scope, &mut state, &missing).await?;
            fill(scope, &mut state, fields).await?;
            Asked::Nothing
        }
        None => {
            fill(scope, &mut state, fields).await?;
            provider::ask(scope, caller, &current, id.as_str(), &mut state, fields).await?
        }
    };
    if !matches!(asked, Asked::Away(_)) {
        state.require_human(&scope.instance, state.provider.strategy().unwrap_or_default())?;
    }
    let (mut client, is_new, new_token) = match current.record.clone() {
        Some(record) => (record, false, current.new_token.clone()),
        None => {
            let (record, token) = client::fresh(scope);
            (record, true, Some(token))
        }
    };
    client.sign_up_id = Some(id.clone());
    let record = AttemptRecord {
        id: id.as_str().to_owned(),
        client_id: client.id.clone(),
        state: serde_json::to_string(&state).map_err(ApiError::internal)?,
        version: 0,
        abandon_at: scope.now + ABANDON_MS,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if is_new {
        clients::insert(&mut tx, scope.ins(), &client).await.map_err(internal)?;
    } else {
        clients::set_sign_up(&mut tx, scope.ins(), &client.id, &client.sign_up_id).await.map_err(internal)?;
    }
    attempts::insert(&mut tx, Kind::SignUp, scope.ins(), &record).await.map_err(internal)?;
    if let Asked::Away(code) = &asked {
        code.write(scope, &mut tx).await?;
    }
    tx.commit().await.map_err(internal)?;
    let current = Current { record: Some(client), new_token, ..Current::default() };
    settle(scope, caller, current, Loaded { record, state }, None).await
}

/// Adds fields to a sign-up; without an id, to the client's current one.
///
/// # Errors
/// As [`start`], and `resource_forbidden` for a sign-up that is not current.
pub async fn update(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: Option<&SignUpId>,
    fields: &SignUpFields,
) -> Result<Outcome<SignUp>, ApiError> {
    let id = id.or_else(|| current.record.as_ref()?.sign_up_id.as_ref()).cloned();
    let mut loaded = load_current(scope, &current, &id.ok_or_else(|| ApiError::not_found("Sign up", "current"))?).await?;
    if !loaded.state.human {
        loaded.state.human = captcha::check_sign_up(scope, caller, &current, &fields.captcha, true).await?;
    }
    fill(scope, &mut loaded.state, fields).await?;
    let owner = loaded.record.id.clone();
    let asked = provider::ask(scope, caller, &current, &owner, &mut loaded.state, fields).await?;
    if let Asked::Away(code) = asked {
        return Ok(Outcome { value: provider::set_out(scope, loaded, &code).await?, current });
    }
    loaded.state.require_human(&scope.instance, loaded.state.provider.strategy().unwrap_or_default())?;
    settle(scope, caller, current, loaded, None).await
}

/// Reads a sign-up of this client. One whose link was opened elsewhere goes on now.
///
/// # Errors
/// `resource_not_found` for one that this client never had.
pub async fn get(scope: &Scope, caller: &Caller, current: Current, id: &SignUpId) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load(scope, &current, id).await?;
    if let Proof::Sent { verification } = &loaded.state.email_proof
        && current.require()?.sign_up_id.as_ref() == Some(id)
        && verification::load(scope, verification).await?.is_some_and(|it| email_link::was_opened(&it))
    {
        loaded.state.email_proof = by_link(scope);
        match settle(scope, caller, current.clone(), loaded, None).await {
            // Another tab asked at the same time.
            Err(error) if error.code() == codes::CLIENT_STATE_INVALID => loaded = load(scope, &current, id).await?,
            done => return done,
        }
    }
    Ok(Outcome { value: view(scope, &loaded).await?, current })
}

/// Goes on with a sign-up whose link was opened on its own client, and uses the link up.
///
/// # Errors
/// `client_state_invalid` when the sign-up has left the link behind, and those of the end of a sign-up.
pub(crate) async fn finish_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: &SignUpId,
    link: &VerificationRecord,
) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load_current(scope, &current, id).await?;
    match &loaded.state.email_proof {
        Proof::Sent { verification } if verification == &link.id => {}
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    }
    loaded.state.email_proof = by_link(scope);
    settle(scope, caller, current, loaded, Some(link.clone())).await
}

fn by_link(scope: &Scope) -> Proof {
    Proof::Proven { attempts: 1, at: scope.now, by: Some(email_link::STRATEGY.to_owned()) }
}

/// A sign-up as the app's server sees it.
///
/// # Errors
/// `resource_not_found`.
pub async fn server_get(scope: &Scope, id: &SignUpId) -> Result<SignUp, ApiError> {
    view(scope, &load_any(scope, id).await?).await
}

/// Sets what the app's server says about a sign-up.
///
/// # Errors
/// `resource_not_found`; `sign_up_cannot_be_updated` for one that is complete or was given up; `form_identifier_exists` for
/// an `external_id` of another user.
pub async fn server_update(
    scope: &Scope,
    id: &SignUpId,
    external_id: Option<Option<&str>>,
    custom_action: Option<bool>,
) -> Result<SignUp, ApiError> {
    let mut loaded = load_any(scope, id).await?;
    if loaded.state.done.is_some() || loaded.record.abandon_at <= scope.now {
        return Err(codes::SIGN_UP_CANNOT_BE_UPDATED.into());
    }
    if let Some(id) = external_id {
        users::check_name(id, "external_id")?;
        let id = filled(id);
        if let Some(id) = id
            && user_store::by_external_id(scope.db(), scope.ins(), id).await.map_err(internal)?.is_some()
        {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("external_id"));
        }
        loaded.state.external_id = id.map(str::to_owned);
    }
    loaded.state.custom_action = custom_action.unwrap_or(loaded.state.custom_action);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    tx.commit().await.map_err(internal)?;
    view(scope, &loaded).await
}

async fn load_any(scope: &Scope, id: &SignUpId) -> Result<Loaded, ApiError> {
    let record = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.ok_or_else(|| ApiError::not_found("Sign up", id))?;
    Ok(Loaded { state: serde_json::from_str(&record.state).map_err(ApiError::internal)?, record })
}

async fn advance(scope: &Scope, tx: &mut doorward_store::Tx, loaded: &mut Loaded) -> Result<(), ApiError> {
    loaded.record.state = serde_json::to_string(&loaded.state).map_err(ApiError::internal)?;
    if !attempts::advance(tx, Kind::SignUp, scope.ins(), &loaded.record, scope.now).await.map_err(internal)? {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    loaded.record.version += 1;
    Ok(())
}

async fn load(scope: &Scope, current: &Current, id: &SignUpId) -> Result<Loaded, ApiError> {
    let missing = || ApiError::not_found("Sign up", id);
    let client = current.record.as_ref().ok_or_else(missing)?;
    let record = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.filter(|r| r.client_id == client.id && r.abandon_at > scope.now).ok_or_else(missing)?;
    Ok(Loaded { state: serde_json::from_str(&record.state).map_err(ApiError::internal)?, record })
}

async fn load_current(scope: &Scope, current: &Current, id: &SignUpId) -> Result<Loaded, ApiError> {
    let loaded = load(scope, current, id).await?;
    if current.require()?.sign_up_id.as_ref() != Some(id) {
        return Err(codes::RESOURCE_FORBIDDEN.into());
    }
    if loaded.state.done.is_some() {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    Ok(loaded)
}

/// The sign-up that is current on a client.
pub(crate) async fn current_view(scope: &Scope, client: &ClientRecord) -> Result<Option<SignUp>, ApiError> {
    let Some(id) = &client.sign_up_id else { return Ok(None) };
    let Some(record) = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)? else { return Ok(None) };
    if record.abandon_at <= scope.now {
        return Ok(None);
    }
    let state = serde_json::from_str(&record.state).map_err(ApiError::internal)?;
    view(scope, &Loaded { record, state }).await.map(Some)
}
