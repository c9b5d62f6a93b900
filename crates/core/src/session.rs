//! Sessions: how they begin, what their tokens say, how they end.

use crate::app::{Caller, Scope, internal};
use crate::atlas::Place;
use crate::claims::Source;
use crate::jwt::{self, Category};
use crate::settings::JwtTemplate;
use crate::tasks;
use crate::user_agent;
use crate::users::{self, Audience};
use doorward_base::*;
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::UserWithEmails;
use doorward_store::{clients, users as user_store};
use doorward_wire::bapi::ServerSession;
use doorward_wire::fapi::{Session, SessionWithActivities};
use doorward_wire::resource::{SessionActivity, SessionTask, Token};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A session that begins now.
pub(crate) fn begin(scope: &Scope, caller: &Caller, client: &ClientId, user: &UserId) -> SessionRecord {
    let settings = &scope.instance.settings.session;
    SessionRecord {
        id: SessionId::new(scope.now, &scope.app.rng),
        client_id: client.clone(),
        user_id: user.clone(),
        status: "active".to_owned(),
        actor: None,
        last_active_organization_id: None,
        tasked: false,
        ip_address: caller.ip.map(|ip| ip.to_string()),
        user_agent: caller.user_agent.clone(),
        first_factor_at: Some(scope.now),
        second_factor_at: None,
        last_active_at: scope.now,
        expire_at: scope.now + settings.lifetime * 1000,
        abandon_at: abandoned_at(scope),
        created_at: scope.now,
        updated_at: scope.now,
    }
}

/// When a session that is used now is abandoned.
pub(crate) fn abandoned_at(scope: &Scope) -> Timestamp {
    scope.now + scope.instance.settings.session.inactivity * 1000
}

/// Of the time until a session is abandoned, the part that passes before minting puts it off: minting writes nothing meanwhile.
const PUT_OFF_PARTS: i64 = 16;

/// Whoever has tokens minted is there: puts off when their session is abandoned. Where that cannot be written, tokens are minted
/// all the same.
async fn put_off(scope: &Scope, session: &SessionRecord) {
    let later = abandoned_at(scope);
    if later - session.abandon_at < scope.instance.settings.session.inactivity * 1000 / PUT_OFF_PARTS {
        return;
    }
    if let Err(error) = sessions::put_off(scope.db(), scope.ins(), &session.id, later).await {
        tracing::warn!(instance = %scope.ins(), session = %session.id, %error, "a session that is used could not be kept");
    }
}

/// Minutes since each factor was checked; -1 means never.
fn factor_ages(session: &SessionRecord, now: Timestamp) -> (i64, i64) {
    let age = |at: Option<Timestamp>| at.map_or(-1, |at| ((now - at) / 60_000).max(0));
    (age(session.first_factor_at), age(session.second_factor_at))
}

/// What a token is made for, beside its session.
#[derive(Clone, Copy, Debug)]
pub struct TokenFor<'a> {
    /// The issuer: the address of the Frontend API as the caller sees it.
    pub issuer: &'a str,
    /// The origin it is used from.
    pub origin: Option<&'a str>,
    /// Lifetime in seconds; the instance's when there is none.
    pub lifetime: Option<i64>,
}

impl<'a> TokenFor<'a> {
    /// For whoever is calling the Frontend API.
    pub fn caller(caller: &'a Caller) -> Self {
        Self { issuer: &caller.frontend_url, origin: caller.origin.as_deref(), lifetime: None }
    }
}

/// Signs a session token: version 2 of the claims, which readers of version 1 read as well as long as there is no
/// organization in it.
///
/// # Errors
/// Only failures of ours.
pub fn token(scope: &Scope, session: &SessionRecord, user: Option<&UserWithEmails>, made: TokenFor<'_>) -> Result<String, ApiError> {
    let settings = &scope.instance.settings.session;
    let now = scope.now_seconds();
    let (first, second) = factor_ages(session, scope.now);
    let source = user.map(|user| Source::new(scope, user, session));
    let of_user = |source: &'_ Source<'_>| settings.claims.iter().map(|(name, value)| (name.as_str(), source.fill(value))).collect();
    let claims = Claims {
        act: session.actor.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        azp: made.origin,
        exp: now + made.lifetime.unwrap_or(settings.token_lifetime),
        fva: [first, second],
        iat: now,
        iss: made.issuer,
        jti: scope.app.rng.alphanumeric(20),
        nbf: now - 10,
        sid: session.id.as_str(),
        // Without its user nobody knows that the tasks are done.
        sts: if session.tasked && user.is_none_or(|user| tasks::is_pending(scope, session, user)) { "pending" } else { "active" },
        sub: session.user_id.as_str(),
        v: 2,
        of_user: source.as_ref().map(of_user).unwrap_or_default(),
    };
    jwt::sign(scope.instance.signing_key()?, Category::Session, &claims).map_err(ApiError::internal)
}

/// The claims of a session token. Written out, because one is made for each user every minute.
#[derive(Serialize)]
struct Claims<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    azp: Option<&'a str>,
    exp: i64,
    fva: [i64; 2],
    iat: i64,
    iss: &'a str,
    jti: String,
    nbf: i64,
    sid: &'a str,
    sts: &'static str,
    sub: &'a str,
    v: u8,
    /// What the instance adds. The settings allow none of the names above.
    #[serde(flatten)]
    of_user: BTreeMap<&'a str, Value>,
}

/// Whether the session token of this instance needs to know more of the user than their id.
pub fn token_needs_user(scope: &Scope) -> bool {
    !scope.instance.settings.session.claims.is_empty()
}

/// Mints a session token for a session of the client that `client_token` stands for: one read and one signature, and now and then a write.
///
/// # Errors
/// `authentication_invalid` when no such client is known, `resource_not_found` when it has no such live session.
pub async fn mint(scope: &Scope, caller: &Caller, client_token: Option<&Secret>, id: &SessionId) -> Result<Token, ApiError> {
    let session = live_on_client(scope, client_token, id).await?;
    let user = if token_needs_user(scope) || session.tasked { Some(owner(scope, &session).await?) } else { None };
    token(scope, &session, user.as_ref(), TokenFor::caller(caller)).map(Token::new)
}

/// Mints a token from a template.
///
/// # Errors
/// As [`mint`], and `resource_not_found` when there is no such template.
pub async fn mint_template(
    scope: &Scope,
    caller: &Caller,
    client_token: Option<&Secret>,
    id: &SessionId,
    name: &str,
) -> Result<Token, ApiError> {
    let session = live_on_client(scope, client_token, id).await?;
    template_token(scope, &session, name, TokenFor::caller(caller)).await
}

async fn live_on_client(scope: &Scope, client_token: Option<&Secret>, id: &SessionId) -> Result<SessionRecord, ApiError> {
    let token = client_token.ok_or(codes::AUTHENTICATION_INVALID)?;
    let hash = crate::crypto::token_hash(token.expose());
    let found = sessions::for_mint(scope.db(), scope.ins(), &hash, id).await.map_err(internal)?;
    let live = found.filter(|it| it.session.is_live(scope.now) && !it.banned).map(|it| it.session);
    let session = live.ok_or_else(|| ApiError::not_found("Session", id))?;
    put_off(scope, &session).await;
    Ok(session)
}

/// The session, if a session token is its own and it is live (`VerifySession` until 2025-03-12).
///
/// # Errors
/// `invalid_session_token`.
pub async fn verified(scope: &Scope, session: SessionRecord, token: &str) -> Result<SessionRecord, ApiError> {
    let refused = || ApiError::new(codes::SESSION_TOKEN_INVALID).param("token");
    let token = jwt::verify(&scope.instance.signing_keys, Category::Session, token, scope.now_seconds(), 0).map_err(|_| refused())?;
    let fits = token.text("sid") == Some(session.id.as_str()) && token.sub == session.user_id.as_str() && session.is_live(scope.now);
    if !fits || owner(scope, &session).await?.user.banned {
        return Err(refused());
    }
    Ok(session)
}

async fn owner(scope: &Scope, session: &SessionRecord) -> Result<UserWithEmails, ApiError> {
    let user = user_store::get(scope.db(), scope.ins(), &session.user_id).await.map_err(internal)?;
    user.ok_or_else(|| ApiError::not_found("Session", &session.id))
}

/// Signs a token from a template of the settings.
///
/// # Errors
/// `resource_not_found` when there is no such template, `invalid_action_for_session` of a pending session.
pub async fn template_token(scope: &Scope, session: &SessionRecord, name: &str, made: TokenFor<'_>) -> Result<Token, ApiError> {
    let template: &JwtTemplate =
        scope.instance.settings.jwt_templates.get(name).ok_or_else(|| ApiError::not_found("JWT template", name))?;
    let user = owner(scope, session).await?;
    // Such a token says nothing of tasks to whom it is shown.
    if tasks::is_pending(scope, session, &user) {
        return Err(codes::INVALID_ACTION_FOR_SESSION.into());
    }
    let now = scope.now_seconds();
    let mut claims = Source::new(scope, &user, session).fill_all(&template.claims);
    let own = json!({
        "exp": now + made.lifetime.unwrap_or(template.lifetime),
        "iat": now,
        "iss": made.issuer,
        "jti": scope.app.rng.alphanumeric(20),
        "nbf": now - template.allowed_clock_skew,
        "sub": session.user_id,
    });
    if let Some(origin) = made.origin {
        claims.insert("azp".to_owned(), origin.into());
    }
    if let Value::Object(own) = own {
        claims.extend(own);
    }
    let signed = match (scope.instance.template_keys.get(name), &template.signing_key) {
        (Some(key), _) => jwt::sign_template(key, &claims),
        (None, Some(_)) => return Err(ApiError::internal(format!("the signing key of the JWT template {name} is not usable"))),
        (None, None) => jwt::sign(scope.instance.signing_key()?, Category::Template, &claims),
    };
    signed.map(Token::new).map_err(ApiError::internal)
}

/// A session as a browser sees it.
///
/// # Errors
/// Only failures of ours.
pub fn view(scope: &Scope, caller: &Caller, session: &SessionRecord, user: Option<&UserWithEmails>) -> Result<Session, ApiError> {
    let live = session.is_live(scope.now);
    let last_active_token = match (live, user) {
        (true, Some(_)) => Some(Token::new(token(scope, session, user, TokenFor::caller(caller))?)),
        _ => None,
    };
    let open = user.map(|user| tasks::open(scope, session, user)).unwrap_or_default();
    Ok(Session {
        object: "session".to_owned(),
        id: session.id.clone(),
        status: shown_status(scope, session, &open).to_owned(),
        expire_at: session.expire_at,
        abandon_at: session.abandon_at,
        last_active_at: session.last_active_at,
        last_active_organization_id: session.last_active_organization_id.clone(),
        actor: actor(session),
        tasks: task_list(&open),
        factor_verification_age: Some(factor_ages(session, scope.now)),
        public_user_data: users::public_view(scope, user.unwrap_or(&UserWithEmails::default())),
        user: user.map(|user| users::view(scope, user, Audience::Frontend)),
        last_active_token,
        created_at: session.created_at,
        updated_at: session.updated_at,
    })
}

/// The status, which is `pending` while tasks are open.
fn shown_status<'a>(scope: &Scope, session: &'a SessionRecord, open: &[&str]) -> &'a str {
    if session.is_live(scope.now) && !open.is_empty() { "pending" } else { session.status_at(scope.now) }
}

fn task_list(open: &[&str]) -> Option<Vec<SessionTask>> {
    (!open.is_empty()).then(|| open.iter().map(|key| SessionTask { key: (*key).to_owned() }).collect())
}

fn actor(session: &SessionRecord) -> Option<Value> {
    session.actor.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

fn activity(scope: &Scope, session: &SessionRecord) -> SessionActivity {
    let ip = session.ip_address.as_deref().and_then(|ip| ip.parse().ok());
    let Place { city, country } = ip.map(|ip| scope.app.atlas.place(ip)).unwrap_or_default();
    let device = user_agent::parse(session.user_agent.as_deref());
    SessionActivity {
        object: "session_activity".to_owned(),
        id: session.id.as_str().replacen(SessionId::PREFIX, "sess_activity_", 1),
        device_type: device.device_type,
        is_mobile: device.is_mobile,
        browser_name: device.browser_name,
        browser_version: device.browser_version,
        ip_address: session.ip_address.clone(),
        city,
        country,
    }
}

/// A session with where it was last used.
pub fn activity_view(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> SessionWithActivities {
    SessionWithActivities {
        object: "session".to_owned(),
        id: session.id.clone(),
        status: shown_status(scope, session, &tasks::open(scope, session, user)).to_owned(),
        expire_at: session.expire_at,
        abandon_at: session.abandon_at,
        last_active_at: session.last_active_at,
        last_active_organization_id: session.last_active_organization_id.clone(),
        actor: actor(session),
        factor_verification_age: factor_ages(session, scope.now),
        public_user_data: users::public_view(scope, user),
        latest_activity: activity(scope, session),
        created_at: session.created_at,
        updated_at: session.updated_at,
    }
}

/// Sessions as a server sees them.
///
/// # Errors
/// Only failures of ours.
pub async fn server_views(scope: &Scope, sessions: &[SessionRecord]) -> Result<Vec<ServerSession>, ApiError> {
    let waiting: Vec<UserId> = sessions.iter().filter(|it| it.tasked).map(|it| it.user_id.clone()).collect();
    let users = user_store::get_many(scope.db(), scope.ins(), &waiting).await.map_err(internal)?;
    let open = |it: &SessionRecord| users.iter().find(|user| user.user.id == it.user_id).map(|user| tasks::open(scope, it, user));
    Ok(sessions.iter().map(|it| server_view_with(scope, it, &open(it).unwrap_or_default())).collect())
}

/// A session as a server sees it.
///
/// # Errors
/// Only failures of ours.
pub async fn server_view(scope: &Scope, session: &SessionRecord) -> Result<ServerSession, ApiError> {
    let one = server_views(scope, std::slice::from_ref(session)).await?.pop();
    one.ok_or_else(|| ApiError::internal("one session has one view"))
}

/// A session as a server sees it, with its user at hand.
pub(crate) fn server_view_of(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> ServerSession {
    server_view_with(scope, session, &tasks::open(scope, session, user))
}

fn server_view_with(scope: &Scope, session: &SessionRecord, open: &[&str]) -> ServerSession {
    ServerSession {
        object: "session".to_owned(),
        id: session.id.clone(),
        user_id: session.user_id.clone(),
        client_id: session.client_id.clone(),
        actor: actor(session),
        status: shown_status(scope, session, open).to_owned(),
        last_active_organization_id: session.last_active_organization_id.clone(),
        last_active_at: session.last_active_at,
        latest_activity: activity(scope, session),
        expire_at: session.expire_at,
        abandon_at: session.abandon_at,
        tasks: task_list(open),
        updated_at: session.updated_at,
        created_at: session.created_at,
    }
}

/// Ends a session from the server or from another client: `revoked`.
///
/// # Errors
/// `resource_not_found`, and `invalid_action_for_session` when it is over already.
pub async fn revoke(scope: &Scope, id: &SessionId) -> Result<SessionRecord, ApiError> {
    let session = sessions::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    let session = session.ok_or_else(|| ApiError::not_found("Session", id))?;
    let next = next_active(scope, &session.client_id, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !sessions::close(&mut tx, scope.ins(), id, "revoked", scope.now).await.map_err(internal)? {
        return Err(codes::INVALID_ACTION_FOR_SESSION.into());
    }
    clients::signed_out(&mut tx, scope.ins(), &session.client_id, &next, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(SessionRecord { status: "revoked".to_owned(), updated_at: scope.now, ..session })
}

/// The session that becomes active when `without` ends.
pub(crate) async fn next_active(scope: &Scope, client: &ClientId, without: &SessionId) -> Result<Option<SessionId>, ApiError> {
    let others = sessions::of_client(scope.db(), scope.ins(), client).await.map_err(internal)?;
    Ok(others.into_iter().rev().find(|s| &s.id != without && s.is_live(scope.now)).map(|s| s.id))
}
