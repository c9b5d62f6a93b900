//! Clients: browsers and devices, and everybody who is signed in on them.

use crate::app::{Caller, Scope, internal};
use crate::captcha;
use crate::{crypto, session, sign_in, sign_up, tasks};
use doorward_base::*;
use doorward_store::clients::{self, ClientRecord};
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::bapi::ServerClient;
use doorward_wire::fapi::{Client, Session};

/// The client of a request. A token that was made in the course of it must reach the browser with the answer.
#[derive(Clone, Debug, Default)]
pub struct Current {
    /// The client, once it is known or made.
    pub record: Option<ClientRecord>,
    /// The token that stands for it from now on.
    pub new_token: Option<Secret>,
    /// The client was forgotten: its cookie is to be cleared.
    pub forgotten: bool,
    /// Whoever signed in with this request, as the database has it since then: an answer needn't read it again.
    pub signed_in: Option<UserWithEmails>,
}

/// Something that is current on a client, with the client as it is afterwards.
pub struct Outcome<T> {
    /// What was asked for.
    pub value: T,
    /// The client afterwards.
    pub current: Current,
}

impl<T> Outcome<T> {
    /// The same, for callers whose errors may leave something behind.
    pub(crate) fn fine<E>(self) -> Outcome<Result<T, E>> {
        Outcome { value: Ok(self.value), current: self.current }
    }
}

impl Current {
    /// The client, or `authentication_invalid`.
    ///
    /// # Errors
    /// When the request has no client.
    pub fn require(&self) -> Result<&ClientRecord, ApiError> {
        self.record.as_ref().ok_or_else(|| codes::AUTHENTICATION_INVALID.into())
    }
}

/// A fresh client token: 256 bits and more. It says nothing; the database knows its hash.
pub(crate) fn new_token(scope: &Scope) -> Secret {
    Secret::new(format!("dwc_{}", scope.app.rng.alphanumeric(48)))
}

/// The client that a token stands for.
///
/// # Errors
/// Only failures of ours.
pub async fn find(scope: &Scope, token: &Secret) -> Result<Option<ClientRecord>, ApiError> {
    clients::by_token(scope.db(), scope.ins(), &crypto::token_hash(token.expose())).await.map_err(internal)
}

/// A client that is not written yet, with its token.
pub(crate) fn fresh(scope: &Scope) -> (ClientRecord, Secret) {
    let token = new_token(scope);
    let record = ClientRecord {
        id: ClientId::new(scope.now, &scope.app.rng),
        token_hash: crypto::token_hash(token.expose()),
        sign_in_id: None,
        sign_up_id: None,
        last_active_session_id: None,
        last_authentication_strategy: None,
        captcha_passed_at: None,
        created_at: scope.now,
        updated_at: scope.now,
    };
    (record, token)
}

/// Makes a client.
///
/// # Errors
/// Only failures of ours.
pub async fn create(scope: &Scope) -> Result<Current, ApiError> {
    let (record, token) = fresh(scope);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    clients::insert(&mut tx, scope.ins(), &record).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(Current { record: Some(record), new_token: Some(token), ..Current::default() })
}

/// The sessions of a client that are live now, with their users.
///
/// # Errors
/// Only failures of ours.
pub async fn live_sessions(scope: &Scope, client: &ClientId) -> Result<Vec<(SessionRecord, UserWithEmails)>, ApiError> {
    live_with(scope, client, None).await
}

/// The same, where one of the users was read already.
async fn live_with(
    scope: &Scope,
    client: &ClientId,
    known: Option<&UserWithEmails>,
) -> Result<Vec<(SessionRecord, UserWithEmails)>, ApiError> {
    let all = sessions::of_client(scope.db(), scope.ins(), client).await.map_err(internal)?;
    with_users(scope, all, known).await
}

/// Those of the sessions that are live now, with their users.
async fn with_users(
    scope: &Scope,
    all: Vec<SessionRecord>,
    known: Option<&UserWithEmails>,
) -> Result<Vec<(SessionRecord, UserWithEmails)>, ApiError> {
    let live: Vec<SessionRecord> = all.into_iter().filter(|session| session.is_live(scope.now)).collect();
    let is_known = |id: &UserId| known.is_some_and(|it| &it.user.id == id);
    let ids: Vec<UserId> = live.iter().map(|session| session.user_id.clone()).filter(|id| !is_known(id)).collect();
    let mut users = users::get_many(scope.db(), scope.ins(), &ids).await.map_err(internal)?;
    users.extend(known.cloned());
    let mut out = Vec::with_capacity(live.len());
    for session in live {
        if let Some(user) = users.iter().find(|user| user.user.id == session.user_id && !user.user.banned) {
            out.push((session, user.clone()));
        }
    }
    Ok(out)
}

/// What `__client_uat` says of a client on which somebody is signed in, in seconds. Another node's clock may be ahead, and SDKs
/// send a browser back for ever whose token, minted now, seems older than this.
pub fn signed_in_at(scope: &Scope, record: &ClientRecord) -> i64 {
    record.updated_at.min(scope.now) / 1000
}

/// A client as its browser sees it, and the value of `__client_uat` that goes with it: seconds, or 0 when nobody is
/// signed in. A user who is `known` is not read again.
///
/// # Errors
/// Only failures of ours.
pub async fn view(
    scope: &Scope,
    caller: &Caller,
    record: &ClientRecord,
    known: Option<&UserWithEmails>,
) -> Result<(Client, i64), ApiError> {
    let mut live = live_with(scope, &record.id, known).await?;
    // An SDK that does not know pending sessions would be stuck with one.
    live.retain(|(it, user)| caller.knows_pending || !tasks::is_pending(scope, it, user));
    let sign_in = sign_in::current_view(scope, record).await?;
    let sign_up = sign_up::current_view(scope, record).await?;
    let views: Vec<Session> = live.iter().map(|(s, user)| session::view(scope, caller, s, Some(user))).collect::<Result<_, _>>()?;
    let last_active = record.last_active_session_id.clone().filter(|id| live.iter().any(|(s, _)| &s.id == id));
    let uat = if live.is_empty() { 0 } else { signed_in_at(scope, record) };
    let client = Client {
        object: "client".to_owned(),
        id: record.id.clone(),
        sessions: views,
        sign_in,
        sign_up,
        last_active_session_id: last_active.or_else(|| live.last().map(|(s, _)| s.id.clone())),
        last_authentication_strategy: record.last_authentication_strategy.clone(),
        cookie_expires_at: None,
        captcha_bypass: captcha::bypasses(scope, Some(record)),
        created_at: record.created_at,
        updated_at: record.updated_at,
    };
    Ok((client, uat))
}

/// A client as a server sees it.
///
/// # Errors
/// Only failures of ours.
pub async fn server_view(scope: &Scope, record: &ClientRecord) -> Result<ServerClient, ApiError> {
    let one = server_views(scope, std::slice::from_ref(record)).await?.pop();
    one.ok_or_else(|| ApiError::internal("one client has one view"))
}

/// Clients as a server sees them. Their sessions and users are read together.
///
/// # Errors
/// Only failures of ours.
pub async fn server_views(scope: &Scope, records: &[ClientRecord]) -> Result<Vec<ServerClient>, ApiError> {
    let ids: Vec<ClientId> = records.iter().map(|it| it.id.clone()).collect();
    let all = sessions::of_clients(scope.db(), scope.ins(), &ids).await.map_err(internal)?;
    let live = with_users(scope, all, None).await?;
    let view = |record: &ClientRecord| {
        let own = || live.iter().filter(|(session, _)| session.client_id == record.id);
        ServerClient {
            object: "client".to_owned(),
            id: record.id.clone(),
            session_ids: own().map(|(session, _)| session.id.clone()).collect(),
            sessions: own().map(|(session, user)| session::server_view_of(scope, session, user)).collect(),
            sign_in_id: record.sign_in_id.clone(),
            sign_up_id: record.sign_up_id.clone(),
            last_active_session_id: record.last_active_session_id.clone().filter(|id| own().any(|(session, _)| &session.id == id)),
            last_authentication_strategy: record.last_authentication_strategy.clone(),
            updated_at: record.updated_at,
            created_at: record.created_at,
        }
    };
    Ok(records.iter().map(view).collect())
}

/// A session of this client with its user, live or not.
///
/// # Errors
/// `resource_not_found` when the client has no such session.
pub async fn session_of(scope: &Scope, client: &ClientRecord, id: &SessionId) -> Result<(SessionRecord, UserWithEmails), ApiError> {
    let missing = || ApiError::not_found("Session", id);
    let session = sessions::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    let session = session.filter(|s| s.client_id == client.id).ok_or_else(missing)?;
    let user = users::get(scope.db(), scope.ins(), &session.user_id).await.map_err(internal)?.ok_or_else(missing)?;
    Ok((session, user))
}

/// Chooses a session and marks it and its user seen.
///
/// # Errors
/// `resource_not_found` when the client has no such live session.
pub async fn touch(scope: &Scope, caller: &Caller, client: &mut ClientRecord, id: &SessionId) -> Result<Session, ApiError> {
    let (mut session, user) = session_of(scope, client, id).await?;
    if !session.is_live(scope.now) || user.user.banned {
        return Err(ApiError::not_found("Session", id));
    }
    session.last_active_at = scope.now;
    session.updated_at = scope.now;
    session.ip_address = caller.ip.map(|ip| ip.to_string());
    session.user_agent.clone_from(&caller.user_agent);
    session.abandon_at = self::session::abandoned_at(scope);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !sessions::touch(&mut tx, scope.ins(), &session).await.map_err(internal)? {
        return Err(ApiError::not_found("Session", id));
    }
    if client.last_active_session_id.as_ref() != Some(id) {
        clients::set_active(&mut tx, scope.ins(), &client.id, &Some(id.clone())).await.map_err(internal)?;
        client.last_active_session_id = Some(id.clone());
    }
    users::seen(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    self::session::view(scope, caller, &session, Some(&user))
}

/// Closes one session of a client: `ended` or `removed`.
///
/// # Errors
/// `resource_not_found` when the client has no such session.
pub async fn close_session(
    scope: &Scope,
    caller: &Caller,
    client: &mut ClientRecord,
    id: &SessionId,
    status: &str,
) -> Result<Session, ApiError> {
    let (mut session, user) = session_of(scope, client, id).await?;
    let next = session::next_active(scope, &client.id, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if sessions::close(&mut tx, scope.ins(), id, status, scope.now).await.map_err(internal)? {
        clients::signed_out(&mut tx, scope.ins(), &client.id, &next, scope.now).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
        client.last_active_session_id = next;
        client.updated_at = scope.now;
        session.status = status.to_owned();
        session.updated_at = scope.now;
    }
    session::view(scope, caller, &session, Some(&user))
}

/// Signs everybody out on a client and keeps the client.
///
/// # Errors
/// Only failures of ours.
pub async fn sign_out(scope: &Scope, client: &mut ClientRecord) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    sessions::close_of_client(&mut tx, scope.ins(), &client.id, "removed", scope.now).await.map_err(internal)?;
    clients::signed_out(&mut tx, scope.ins(), &client.id, &None, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    client.last_active_session_id = None;
    client.updated_at = scope.now;
    Ok(())
}

/// Chooses another session on a client after a user of it is gone.
///
/// # Errors
/// Only failures of ours.
pub async fn forget_user(scope: &Scope, client: &mut ClientRecord) -> Result<(), ApiError> {
    let left = live_sessions(scope, &client.id).await?;
    let next = left.last().map(|(session, _)| session.id.clone());
    let mut tx = scope.db().begin().await.map_err(internal)?;
    clients::signed_out(&mut tx, scope.ins(), &client.id, &next, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    client.last_active_session_id = next;
    client.updated_at = scope.now;
    Ok(())
}

/// Signs everybody out on a client and forgets the client.
///
/// # Errors
/// Only failures of ours.
pub async fn delete(scope: &Scope, client: &ClientRecord) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    sessions::close_of_client(&mut tx, scope.ins(), &client.id, "removed", scope.now).await.map_err(internal)?;
    clients::delete(&mut tx, scope.ins(), &client.id).await.map_err(internal)?;
    tx.commit().await.map_err(internal)
}
