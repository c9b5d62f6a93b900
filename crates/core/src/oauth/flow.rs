//! The way to a provider and back. What is remembered meanwhile is sealed, works once and soon, and only in the browser that
//! set out: the state that travels with the browser is a secret of which the hash is kept.

use super::connection;
use super::identity::Identity;
use super::mine;
use super::protocol::{self, Ask, Code, Sent};
use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::sign_in::filled;
use crate::verification::{self, NewCode};
use crate::{crypto, redirect_urls, sign_in, sign_up};
use doorward_base::*;
use doorward_store::attempts::{self, Kind};
use doorward_store::verifications::{self, VerificationRecord};
use doorward_wire::fapi::OauthCallback;
use serde::{Deserialize, Serialize};
use url::Url;

/// Where popups of the SDKs come back to, of those of today and of those before: a page of ours, which tells the one that opened it.
pub const POPUP_PATHS: [&str; 2] = ["/v1/auth-popup-callback", "/popup-callback"];

/// What a visit to a provider begins with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Start<'a> {
    pub strategy: &'a str,
    /// Where the browser goes when there is something left to do.
    pub redirect_url: Option<&'a str>,
    /// Where it goes when all is done.
    pub complete_url: Option<&'a str>,
    pub prompt: Option<&'a str>,
    pub login_hint: Option<&'a str>,
    /// Asked for beside what the connection asks for.
    pub scopes: &'a [String],
}

/// What is remembered of a visit.
#[derive(Serialize, Deserialize)]
struct Visit {
    redirect_uri: String,
    nonce: String,
    verifier: String,
    scopes: Vec<String>,
    redirect_url: String,
    complete_url: Option<String>,
    /// For development browsers, which carry their token from page to page.
    dev_browser: Option<String>,
    /// Who connects an account; none for sign-in and sign-up.
    user: Option<UserId>,
    /// The page that asked: whom a popup tells how it went.
    #[serde(default)]
    origin: Option<String>,
    /// Whether an app set out. The browser that it opens has no client of ours: what comes back goes to the app, which hands it in.
    #[serde(default)]
    native: bool,
}

/// What a provider sent a browser back with.
#[derive(Serialize, Deserialize)]
struct Arrival {
    code: Option<String>,
    error: Option<String>,
    user: Option<String>,
}

/// The way to a provider, for an attempt or an account of `owner`.
///
/// # Errors
/// Those of the connection, and of the addresses to come back to.
pub(crate) async fn ask(scope: &Scope, caller: &Caller, owner: &str, user: Option<&UserId>, start: Start<'_>) -> Result<NewCode, ApiError> {
    let connection = match user {
        Some(_) => connection::require(&scope.instance, start.strategy)?,
        None => connection::require_authenticatable(&scope.instance, start.strategy)?,
    };
    let redirect_url = way_back(scope, caller, start.redirect_url, "redirect_url").await?;
    let complete_url = match filled(start.complete_url) {
        Some(url) => Some(way_back(scope, caller, Some(url), "action_complete_redirect_url").await?),
        None => None,
    };
    // Known now that it would fail, and not after somebody has signed in elsewhere.
    connection.secret(scope).await?;
    let endpoints = connection.endpoints(scope).await?;
    let secret = scope.app.rng.alphanumeric(43);
    let id = VerificationId::new(scope.now, &scope.app.rng);
    let visit = Visit {
        redirect_uri: format!("{}/v1/oauth_callback", caller.frontend_url),
        nonce: scope.app.rng.alphanumeric(43),
        verifier: scope.app.rng.alphanumeric(64),
        scopes: connection.scopes(start.scopes),
        redirect_url: redirect_url.into(),
        complete_url: complete_url.map(Into::into),
        dev_browser: caller.dev_browser.as_ref().map(|it| it.expose().to_owned()),
        user: user.cloned(),
        origin: caller.origin.clone(),
        native: caller.native,
    };
    let to = protocol::authorize_url(
        &connection,
        &endpoints,
        &Ask {
            state: &format!("{id}.{secret}"),
            nonce: &visit.nonce,
            verifier: &visit.verifier,
            redirect_uri: &visit.redirect_uri,
            scopes: &visit.scopes,
            prompt: filled(start.prompt),
            login_hint: filled(start.login_hint),
        },
    );
    verification::new_visit(scope, id, owner, start.strategy, &secret, to, visit)
}

/// Where somebody goes after a visit. What an app's browser brings back is bound to no browser, so it goes to listed addresses only.
async fn way_back(scope: &Scope, caller: &Caller, text: Option<&str>, param: &str) -> Result<Url, ApiError> {
    if caller.native {
        return redirect_urls::listed(scope, text).await?.ok_or_else(|| ApiError::new(codes::INVALID_REDIRECT_URL).param(param));
    }
    redirect_urls::resolve(scope, caller, text, param).await
}

/// A browser is back from a provider. Answers where it goes next: with an app's browser, back to the app with a
/// `rotating_token_nonce` for [`redeem`].
///
/// # Errors
/// `oauth_callback_invalid` when this browser did not set out with that state: then nobody knows where to send it.
pub async fn callback(scope: &Scope, caller: &Caller, current: Current, req: &OauthCallback) -> Result<Outcome<String>, ApiError> {
    let record = find(scope, req.state.as_deref()).await?;
    let visit: Visit = verification::remembered(scope, &record)?;
    let arrival = Arrival { code: req.code.clone(), error: req.error.clone(), user: req.user.clone() };
    if visit.native {
        let nonce = hand_over(scope, &record.id, &arrival)?;
        return Ok(Outcome { value: with_param(&visit.redirect_url, "rotating_token_nonce", &nonce)?, current });
    }
    if !is_here(scope, &current, &record.owner_id, visit.user.as_ref()).await? {
        return Err(codes::OAUTH_CALLBACK_INVALID.into());
    }
    let Outcome { value: complete, current } = finish(scope, caller, current, &record, &visit, &arrival).await?;
    let to = visit.complete_url.as_ref().filter(|_| complete).unwrap_or(&visit.redirect_url);
    let session = current.record.as_ref().and_then(|it| it.last_active_session_id.as_ref()).filter(|_| complete);
    let to = for_popup(to, visit.origin.as_deref(), session)?;
    Ok(Outcome { value: with_dev_browser(scope, &to, visit.dev_browser.as_deref())?, current })
}

/// What our page for popups is told: whom to tell, and of which session.
fn for_popup(to: &str, opener: Option<&str>, session: Option<&SessionId>) -> Result<String, ApiError> {
    let mut url = Url::parse(to).map_err(ApiError::internal)?;
    if POPUP_PATHS.iter().any(|path| url.path().ends_with(path)) {
        let told = [("opener", opener), ("__clerk_created_session", session.map(SessionId::as_str))];
        url.query_pairs_mut().extend_pairs(told.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }
    Ok(url.into())
}

fn arrival_context(id: &VerificationId) -> String {
    format!("{id}:arrival")
}

/// What an app gets of its browser's way back: sealed, and of use to nobody but the client that set out.
fn hand_over(scope: &Scope, id: &VerificationId, arrival: &Arrival) -> Result<String, ApiError> {
    let plain = serde_json::to_vec(arrival).map_err(ApiError::internal)?;
    let sealed = scope.app.sealer.seal(&scope.app.rng, &arrival_context(id), &plain).map_err(ApiError::internal)?;
    Ok(format!("{id}.{sealed}"))
}

/// An app hands in what its browser came back with. Handed in before, or late, it changes nothing.
///
/// # Errors
/// `oauth_callback_invalid` when this client did not set out with it.
pub async fn redeem(scope: &Scope, caller: &Caller, current: Current, nonce: &str) -> Result<Current, ApiError> {
    let invalid = || ApiError::new(codes::OAUTH_CALLBACK_INVALID);
    let (id, sealed) = nonce.split_once('.').ok_or_else(invalid)?;
    let id = VerificationId::from(id);
    let plain = scope.app.sealer.open(&arrival_context(&id), sealed).map_err(|_| invalid())?;
    let arrival: Arrival = serde_json::from_slice(&plain).map_err(ApiError::internal)?;
    let record = verifications::get(scope.db(), scope.ins(), &id).await.map_err(internal)?.ok_or_else(invalid)?;
    let visit: Visit = verification::remembered(scope, &record)?;
    if !is_here(scope, &current, &record.owner_id, visit.user.as_ref()).await? {
        return Err(invalid());
    }
    finish(scope, caller, current, &record, &visit, &arrival).await.map(|done| done.current)
}

/// Goes on with what was begun. True when nothing is left to do; what does not work stands in the attempt.
async fn finish(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    record: &VerificationRecord,
    visit: &Visit,
    arrival: &Arrival,
) -> Result<Outcome<bool>, ApiError> {
    let before = current.clone();
    let done = match verification::take_challenge::<Visit>(scope, &record.id, &record.owner_id, &record.strategy).await {
        // Used before, or late: the page finds out how things stand, and nothing changes.
        Err(error) => Err(error),
        Ok((record, _)) => {
            let found = arrive(scope, &record.strategy, visit, arrival).await;
            conclude(scope, caller, current, &record, visit, found).await
        }
    };
    match done {
        Err(error) if error.status() < 500 => {
            tracing::debug!(code = error.code().code, "a visit to a provider led to nothing");
            Ok(Outcome { value: false, current: before })
        }
        other => other,
    }
}

fn with_param(to: &str, name: &str, value: &str) -> Result<String, ApiError> {
    let mut url = Url::parse(to).map_err(ApiError::internal)?;
    url.query_pairs_mut().append_pair(name, value);
    Ok(url.into())
}

fn with_dev_browser(scope: &Scope, to: &str, token: Option<&str>) -> Result<String, ApiError> {
    match token.filter(|_| scope.instance.is_development() && !to.contains("__clerk_db_jwt=")) {
        Some(token) => with_param(to, "__clerk_db_jwt", token),
        None => Ok(to.to_owned()),
    }
}

async fn find(scope: &Scope, state: Option<&str>) -> Result<VerificationRecord, ApiError> {
    let invalid = || ApiError::new(codes::OAUTH_CALLBACK_INVALID);
    let (id, secret) = filled(state).and_then(|it| it.split_once('.')).ok_or_else(invalid)?;
    let id = VerificationId::from(id);
    let record = verifications::get(scope.db(), scope.ins(), &id).await.map_err(internal)?;
    let record = record.filter(|it| super::is_redirect(&it.strategy)).ok_or_else(invalid)?;
    if !crypto::equal(record.code_hash.as_bytes(), scope.app.sealer.code_hash(id.as_str(), secret).as_bytes()) {
        return Err(invalid());
    }
    Ok(record)
}

fn kind(owner: &str) -> Option<Kind> {
    match owner {
        _ if owner.starts_with(SignInId::PREFIX) => Some(Kind::SignIn),
        _ if owner.starts_with(SignUpId::PREFIX) => Some(Kind::SignUp),
        _ => None,
    }
}

/// Whether this browser is the one that set out, and who connects an account is still signed in on it.
async fn is_here(scope: &Scope, current: &Current, owner: &str, user: Option<&UserId>) -> Result<bool, ApiError> {
    let Some(client) = &current.record else { return Ok(false) };
    match (kind(owner), user) {
        (Some(kind), _) => {
            let attempt = attempts::get(scope.db(), kind, scope.ins(), owner).await.map_err(internal)?;
            Ok(attempt.is_some_and(|it| it.client_id == client.id))
        }
        (None, Some(user)) => Ok(client::live_sessions(scope, &client.id).await?.iter().any(|(session, _)| &session.user_id == user)),
        (None, None) => Ok(false),
    }
}

/// Who it is that the provider sent back.
async fn arrive(scope: &Scope, strategy: &str, visit: &Visit, arrival: &Arrival) -> Result<Identity, ApiError> {
    let connection = match &visit.user {
        Some(_) => connection::require(&scope.instance, strategy)?,
        None => connection::require_authenticatable(&scope.instance, strategy)?,
    };
    if let Some(error) = filled(arrival.error.as_deref()) {
        let denied = matches!(error, "access_denied" | "user_cancelled_login" | "user_cancelled_authorize" | "user_denied");
        return Err(if denied { codes::OAUTH_ACCESS_DENIED } else { codes::OAUTH_TOKEN_EXCHANGE_ERROR }.into());
    }
    let code = filled(arrival.code.as_deref()).ok_or(codes::OAUTH_TOKEN_EXCHANGE_ERROR)?;
    let by = Some(Sent { verifier: &visit.verifier, redirect_uri: &visit.redirect_uri, nonce: &visit.nonce });
    let code = Code { code, by };
    let mut found = protocol::exchange(scope, &connection, strategy, &code, &visit.scopes).await?;
    if connection.row.form_post {
        found.read_names(arrival.user.as_deref());
    }
    Ok(found)
}

/// Hands who came back to what was begun. True when nothing is left to do.
async fn conclude(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    record: &VerificationRecord,
    visit: &Visit,
    found: Result<Identity, ApiError>,
) -> Result<Outcome<bool>, ApiError> {
    if let Err(error) = &found
        && error.status() >= 500
    {
        return Err(error.clone());
    }
    match (kind(&record.owner_id), &visit.user) {
        (Some(Kind::SignUp), _) => {
            let done = sign_up::come_back(scope, caller, current, record, found).await?;
            Ok(Outcome { value: done.value.status == "complete", current: done.current })
        }
        (Some(_), _) => {
            let done = sign_in::come_back(scope, caller, current, record, found).await?;
            Ok(Outcome { value: done.value.status == "complete", current: done.current })
        }
        (None, Some(user)) => {
            mine::come_back(scope, user, record, found).await?;
            Ok(Outcome { value: true, current })
        }
        (None, None) => Err(codes::OAUTH_CALLBACK_INVALID.into()),
    }
}
