//! Handshake: a server-side SDK whose session cookies are missing or stale sends the browser here, and gets back what
//! the cookies should be.

use crate::app::{Caller, Scope, internal};
use crate::client;
use crate::instance::Origin;
use crate::jwt::{self, Category};
use crate::session::{self, TokenFor};
use crate::{crypto, refresh, satellites};
use doorward_base::*;
use doorward_store::clients::ClientRecord;
use doorward_store::tokens;
use serde_json::json;

/// The kind of the one-time tokens that stand for a payload.
const NONCE_KIND: &str = "handshake";
/// How long a nonce is good.
const NONCE_LIFETIME_MS: i64 = 60 * 1000;
const YEAR_SECONDS: i64 = 31_536_000;

/// Where the browser goes next, and with what.
pub struct Answer {
    /// The address to redirect to.
    pub location: String,
    /// Cookies for the app's domain; production only.
    pub set_cookies: Vec<String>,
}

/// Checks where a browser wants to be sent: http or https, on an allowed origin.
///
/// # Errors
/// `form_param_missing`, `invalid_redirect_url` or `redirect_url_domain_mismatch`, naming `redirect_url`.
pub fn check_redirect(scope: &Scope, text: Option<&str>) -> Result<url::Url, ApiError> {
    let text = text.map(str::trim).filter(|t| !t.is_empty());
    let text = text.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("redirect_url"))?;
    let url = url::Url::parse(text).map_err(|_| ApiError::new(codes::INVALID_REDIRECT_URL).param("redirect_url"))?;
    check_url(scope, url, "redirect_url")
}

/// The same for a parameter that may be relative to the caller's page, as SDKs send it in production.
///
/// # Errors
/// As [`check_redirect`], naming `param`.
pub(crate) fn resolve_redirect(scope: &Scope, caller: &Caller, text: Option<&str>, param: &str) -> Result<url::Url, ApiError> {
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(param))?;
    let page = caller.origin.as_deref().and_then(|origin| url::Url::parse(origin).ok());
    let url = url::Url::options().base_url(page.as_ref()).parse(text);
    check_url(scope, url.map_err(|_| ApiError::new(codes::INVALID_REDIRECT_URL).param(param))?, param)
}

fn check_url(scope: &Scope, url: url::Url, param: &str) -> Result<url::Url, ApiError> {
    let invalid = || ApiError::new(codes::INVALID_REDIRECT_URL).param(param);
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid());
    }
    let origin = Origin::of(&url).ok_or_else(invalid)?;
    if !scope.instance.allows_origin(&origin.text()) {
        return Err(ApiError::new(codes::REDIRECT_URL_MISMATCH).param(param));
    }
    Ok(url)
}

/// The `Set-Cookie` values that put an app's cookies right.
async fn directives(
    scope: &Scope,
    caller: &Caller,
    client: Option<&ClientRecord>,
    dev_browser: Option<&str>,
    target: &url::Url,
) -> Result<Vec<String>, ApiError> {
    let suffix = &scope.instance.cookie_suffix;
    let secure = if target.scheme() == "https" { "; Secure" } else { "" };
    let domain = cookie_domain(scope, target.host_str());
    let domain = domain.map(|d| format!("; Domain={d}")).unwrap_or_default();
    let cookie =
        |name: &str, value: &str, age: i64, more: &str| format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={age}{secure}{more}");
    let mut out = Vec::new();
    if let Some(token) = dev_browser {
        out.push(cookie("__clerk_db_jwt", token, YEAR_SECONDS, ""));
        out.push(cookie(&format!("__clerk_db_jwt_{suffix}"), token, YEAR_SECONDS, ""));
    } else {
        // The SDK does not delete these; left alone they would undo the next sign-out.
        out.push(cookie("__clerk_handshake", "", 0, &domain));
        out.push(cookie("__clerk_handshake_nonce", "", 0, &domain));
    }
    let live = match client {
        Some(client) => client::live_sessions(scope, &client.id).await?,
        None => Vec::new(),
    };
    let chosen = client.and_then(|c| c.last_active_session_id.as_ref());
    let active = live.iter().find(|(s, _)| Some(&s.id) == chosen).or(live.last());
    let uat = match (active, client) {
        (Some(_), Some(client)) => client::signed_in_at(scope, client),
        _ => 0,
    };
    out.push(cookie("__client_uat", &uat.to_string(), YEAR_SECONDS, &domain));
    out.push(cookie(&format!("__client_uat_{suffix}"), &uat.to_string(), YEAR_SECONDS, &domain));
    let origin = Origin::of(target).map(|o| o.text());
    match active {
        Some((active, user)) => {
            let made = TokenFor { issuer: &caller.frontend_url, origin: origin.as_deref(), lifetime: None };
            let token = session::token(scope, active, Some(user), made)?;
            let refresh = refresh::issue(scope, &active.id).await?;
            out.push(cookie(&format!("__refresh_{suffix}"), refresh.expose(), refresh::LIFETIME_MS / 1000, "; HttpOnly"));
            out.push(cookie("__session", &token, YEAR_SECONDS, ""));
            out.push(cookie(&format!("__session_{suffix}"), &token, YEAR_SECONDS, ""));
        }
        None => {
            out.push(cookie(&format!("__refresh_{suffix}"), "", 0, "; HttpOnly"));
            out.push(cookie("__session", "", 0, ""));
            out.push(cookie(&format!("__session_{suffix}"), "", 0, ""));
        }
    }
    Ok(out)
}

/// The `Domain` of cookies that app and Frontend API share, where a host lies in it: the instance's own, or a satellite.
pub fn cookie_domain<'a>(scope: &'a Scope, host: Option<&str>) -> Option<&'a str> {
    let host = host?;
    let satellites = scope.instance.satellites.iter().filter(|_| !scope.instance.is_development()).map(|it| it.name.as_str());
    let mut all = scope.instance.settings.cookie_domain.as_deref().into_iter().chain(satellites);
    all.find(|domain| host == *domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.')))
}

/// Answers a handshake. A bad or unknown client is a signed-out one: the browser always gets back to its page.
///
/// # Errors
/// The `redirect_url` is missing or not allowed.
pub async fn answer(
    scope: &Scope,
    caller: &Caller,
    client: Option<&ClientRecord>,
    dev_browser: Option<&str>,
    redirect_url: Option<&str>,
    nonce: bool,
) -> Result<Answer, ApiError> {
    let mut target = check_redirect(scope, redirect_url)?;
    if satellites::here(scope, caller).is_some() {
        satellites::mark(&mut target);
    }
    let directives = directives(scope, caller, client, dev_browser, &target).await?;
    let (name, value) = if nonce {
        ("__clerk_handshake_nonce", store_nonce(scope, &directives).await?)
    } else {
        let key = scope.instance.signing_key()?;
        let payload = json!({ "handshake": directives });
        ("__clerk_handshake", jwt::sign(key, Category::Handshake, &payload).map_err(ApiError::internal)?)
    };
    if scope.instance.is_development() {
        target.query_pairs_mut().append_pair(name, &value);
        return Ok(Answer { location: target.into(), set_cookies: Vec::new() });
    }
    let domain = cookie_domain(scope, target.host_str()).map(|d| format!("; Domain={d}")).unwrap_or_default();
    let secure = if target.scheme() == "https" { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; SameSite=Lax; Max-Age=60{secure}{domain}");
    Ok(Answer { location: target.into(), set_cookies: vec![cookie] })
}

async fn store_nonce(scope: &Scope, directives: &[String]) -> Result<String, ApiError> {
    let nonce = scope.app.rng.alphanumeric(43);
    let hash = crypto::token_hash(&nonce);
    let payload = serde_json::to_vec(directives).map_err(ApiError::internal)?;
    let sealed = scope.app.sealer.seal(&scope.app.rng, &format!("{}:nonce:{hash}", scope.ins()), &payload).map_err(ApiError::internal)?;
    let until = scope.now + NONCE_LIFETIME_MS;
    tokens::insert(scope.db(), scope.ins(), NONCE_KIND, &hash, &sealed, until, scope.now).await.map_err(internal)?;
    Ok(nonce)
}

/// Redeems a nonce. It works once.
///
/// # Errors
/// `resource_not_found` when it is unknown, used or late.
pub async fn redeem(scope: &Scope, nonce: Option<&str>) -> Result<Vec<String>, ApiError> {
    let nonce = nonce.filter(|n| !n.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("nonce"))?;
    let hash = crypto::token_hash(nonce);
    let sealed = tokens::take(scope.db(), scope.ins(), NONCE_KIND, &hash, scope.now).await.map_err(internal)?;
    let sealed =
        sealed.ok_or_else(|| ApiError::new(codes::RESOURCE_NOT_FOUND).long("The nonce is unknown, was used before or has expired."))?;
    let plain = scope.app.sealer.open(&format!("{}:nonce:{hash}", scope.ins()), &sealed).map_err(ApiError::internal)?;
    serde_json::from_slice(&plain).map_err(ApiError::internal)
}
