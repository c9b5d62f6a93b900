//! How attempts are read and written. Every write is guarded by the version that was read.

use super::Loaded;
use super::state::{self, SignInState, Stage};
use crate::app::{Scope, internal};
use crate::client::{self, Current};
use crate::{strategies, verification};
use doorward_base::*;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::{self, ClientRecord};
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::fapi::SignIn;

/// How long an attempt is kept: a day.
const ABANDON_MS: i64 = 24 * 60 * 60 * 1000;

/// The sign-in that is current on a client.
pub(crate) async fn current_view(scope: &Scope, client: &ClientRecord) -> Result<Option<SignIn>, ApiError> {
    let Some(id) = &client.sign_in_id else { return Ok(None) };
    let Some(record) = attempts::get(scope.db(), Kind::SignIn, scope.ins(), id.as_str()).await.map_err(internal)? else { return Ok(None) };
    if record.abandon_at <= scope.now {
        return Ok(None);
    }
    let loaded = understand(scope, record).await?;
    state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await.map(Some)
}

async fn understand(scope: &Scope, record: AttemptRecord) -> Result<Loaded, ApiError> {
    let state: SignInState = serde_json::from_str(&record.state).map_err(ApiError::internal)?;
    let user = match &state.user_id {
        Some(id) => users::get(scope.db(), scope.ins(), id).await.map_err(internal)?,
        None if matches!(state.stage, Stage::Pretended { .. }) => {
            users::get_nobody(scope.db(), scope.ins()).await.map_err(internal)?;
            None
        }
        None => None,
    };
    Ok(Loaded { record, state, user })
}

pub(super) async fn load(scope: &Scope, current: &Current, id: &SignInId) -> Result<Loaded, ApiError> {
    let missing = || ApiError::not_found("Sign in", id);
    let client = current.record.as_ref().ok_or_else(missing)?;
    let record = attempts::get(scope.db(), Kind::SignIn, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.filter(|r| r.client_id == client.id && r.abandon_at > scope.now).ok_or_else(missing)?;
    understand(scope, record).await
}

pub(super) async fn load_current(scope: &Scope, current: &Current, id: &SignInId) -> Result<Loaded, ApiError> {
    let loaded = load(scope, current, id).await?;
    if current.require()?.sign_in_id.as_ref() != Some(id) {
        return Err(codes::RESOURCE_FORBIDDEN.into());
    }
    Ok(loaded)
}

/// A right first factor that a new attempt begins with.
pub(super) struct Right<'a> {
    pub user: &'a UserWithEmails,
    pub consume: Option<&'a strategies::Consume>,
    /// Whether it took a guess, which is given back.
    pub guessed: bool,
}

/// Writes a new attempt, and the client when it is new, in one transaction.
pub(super) async fn keep(
    scope: &Scope,
    current: Current,
    state: SignInState,
    user: Option<&UserWithEmails>,
    code: Option<(SignInId, verification::NewCode)>,
    right: Option<Right<'_>>,
) -> Result<(SignIn, Current), ApiError> {
    let (id, code) = match code {
        Some((id, code)) => (id, Some(code)),
        None => (SignInId::new(scope.now, &scope.app.rng), None),
    };
    write_new(scope, current, (id, state), user, code, right).await
}

/// The same of nobody, under an id that its state was made for.
pub(super) async fn keep_as(scope: &Scope, current: Current, id: SignInId, state: SignInState) -> Result<(SignIn, Current), ApiError> {
    write_new(scope, current, (id, state), None, None, None).await
}

async fn write_new(
    scope: &Scope,
    current: Current,
    (id, state): (SignInId, SignInState),
    user: Option<&UserWithEmails>,
    code: Option<verification::NewCode>,
    right: Option<Right<'_>>,
) -> Result<(SignIn, Current), ApiError> {
    let (mut client, new_token, is_new) = match current.record {
        Some(record) => (record, current.new_token, false),
        None => {
            let (record, token) = client::fresh(scope);
            (record, Some(token), true)
        }
    };
    client.sign_in_id = Some(id.clone());
    let record = new_record(scope, &id, &client.id, &state)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if is_new {
        clients::insert(&mut tx, scope.ins(), &client).await.map_err(internal)?;
    } else {
        clients::set_sign_in(&mut tx, scope.ins(), &client.id, &client.sign_in_id).await.map_err(internal)?;
    }
    attempts::insert(&mut tx, Kind::SignIn, scope.ins(), &record).await.map_err(internal)?;
    if let Some(code) = &code {
        code.write(scope, &mut tx).await?;
    }
    if let Some(right) = right {
        if let Some(what) = right.consume {
            strategies::consume(scope, &mut tx, &right.user.user.id, what).await?;
        }
        if right.guessed {
            users::give_back_guess(&mut tx, scope.ins(), &right.user.user.id).await.map_err(internal)?;
        }
    }
    tx.commit().await.map_err(internal)?;
    if code.is_some() {
        scope.app.outbox.notify_one();
    }
    let view = state::view(scope, &record, &state, user).await?;
    Ok((view, Current { record: Some(client), new_token, ..Current::default() }))
}

pub(super) fn new_record(scope: &Scope, id: &SignInId, client: &ClientId, state: &SignInState) -> Result<AttemptRecord, ApiError> {
    Ok(AttemptRecord {
        id: id.as_str().to_owned(),
        client_id: client.clone(),
        state: serde_json::to_string(state).map_err(ApiError::internal)?,
        version: 0,
        abandon_at: scope.now + ABANDON_MS,
        created_at: scope.now,
        updated_at: scope.now,
    })
}

pub(super) async fn advance(
    scope: &Scope,
    tx: &mut doorward_store::Tx,
    record: &mut AttemptRecord,
    state: &SignInState,
) -> Result<(), ApiError> {
    record.state = serde_json::to_string(state).map_err(ApiError::internal)?;
    if !attempts::advance(tx, Kind::SignIn, scope.ins(), record, scope.now).await.map_err(internal)? {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    record.version += 1;
    Ok(())
}

pub(super) async fn write(scope: &Scope, mut loaded: Loaded, code: Option<verification::NewCode>) -> Result<SignIn, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    if let Some(code) = &code {
        code.write(scope, &mut tx).await?;
    }
    tx.commit().await.map_err(internal)?;
    if code.is_some() {
        scope.app.outbox.notify_one();
    }
    state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await
}
