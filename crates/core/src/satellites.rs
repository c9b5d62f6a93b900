//! How a browser that is signed in on an instance's own domain becomes known on a satellite: the satellite's Frontend API
//! sends it to the instance's own, which sends it back with a token that stands for its client. Production instances only;
//! on development instances the apps see to it among themselves.

use crate::app::{Caller, Scope, internal};
use crate::domains::{satellite_at, satellite_has, satellite_url};
use crate::instance::Origin;
use crate::{client, crypto};
use doorward_base::*;
use doorward_store::clients::ClientRecord;
use doorward_store::domains::SatelliteRecord;
use doorward_store::tokens;
use serde::{Deserialize, Serialize};

/// The kind of the one-time tokens.
const KIND: &str = "sync";
/// How long a browser may take from one domain to the other.
const LIFETIME_MS: i64 = 60 * 1000;
/// The cookie by which a satellite knows the browser that it has sent off: a link from somewhere else must not sign it in.
pub const COOKIE: &str = "__clerk_sync";
/// What a page is told that need not ask again.
const SYNCED: &str = "__clerk_synced";

/// Where a browser goes next, and the cookies that go along.
pub struct Step {
    /// The address.
    pub location: String,
    /// `Set-Cookie` values.
    pub set_cookies: Vec<String>,
}

/// What a token stands for, sealed.
#[derive(Serialize, Deserialize)]
struct Payload {
    /// The token of the browser's client; none when nobody ever signed in on it.
    client: Option<String>,
    satellite: DomainId,
    /// The hash of the satellite's cookie.
    state: String,
    redirect_url: String,
}

/// The satellite whose Frontend API this request sees.
pub fn here<'s>(scope: &'s Scope, caller: &Caller) -> Option<&'s SatelliteRecord> {
    satellite_at(&scope.instance, &caller.frontend_url)
}

/// An address with the mark that tells a page not to ask again.
pub fn mark(url: &mut url::Url) {
    if !url.query_pairs().any(|(name, _)| name == SYNCED) {
        url.query_pairs_mut().append_pair(SYNCED, "true");
    }
}

/// On a production instance's own domain: the address by which a browser comes to a satellite's page with its client.
pub fn way_to(scope: &Scope, page: &url::Url) -> Option<String> {
    let origin = Origin::of(page).filter(|_| !scope.instance.is_development())?;
    let satellite = scope.instance.satellites.iter().find(|it| satellite_has(&scope.instance, it, &origin))?;
    let handshake = format!("{}/v1/client/handshake", satellite_url(&scope.instance, satellite));
    url::Url::parse_with_params(&handshake, [("redirect_url", page.as_str())]).ok().map(String::from)
}

/// Sends a browser from a satellite to the instance's own Frontend API.
pub fn begin(scope: &Scope, caller: &Caller, satellite: &SatelliteRecord, redirect_url: &str) -> Result<Step, ApiError> {
    let nonce = scope.app.rng.alphanumeric(43);
    let mut to = url::Url::parse(&format!("{}/v1/client/sync", scope.instance.frontend_url())).map_err(ApiError::internal)?;
    to.query_pairs_mut()
        .append_pair("link_domain", &satellite.name)
        .append_pair("redirect_url", redirect_url)
        .append_pair("state", &crypto::token_hash(&nonce));
    let age = LIFETIME_MS / 1000;
    Ok(Step { location: to.into(), set_cookies: vec![cookie(caller, &nonce, age)] })
}

fn cookie(caller: &Caller, value: &str, age: i64) -> String {
    let secure = if caller.frontend_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
}

/// On the instance's own Frontend API: sends the browser on to the satellite's, with a token for its client.
///
/// # Errors
/// `form_param_missing`, `resource_not_found` for a domain that is no satellite, `redirect_url_domain_mismatch`.
pub async fn sync(
    scope: &Scope,
    client: Option<&Secret>,
    link_domain: Option<&str>,
    redirect_url: Option<&str>,
    state: Option<&str>,
) -> Result<Step, ApiError> {
    let given = |text: Option<&str>, param: &str| {
        let text = text.map(str::to_owned).filter(|text| !text.is_empty());
        text.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(param))
    };
    let (name, redirect_url, state) = (given(link_domain, "link_domain")?, given(redirect_url, "redirect_url")?, given(state, "state")?);
    let all = &scope.instance.satellites;
    let satellite = all.iter().find(|it| it.name == name).ok_or_else(|| ApiError::not_found("Domain", &name))?;
    check(scope, satellite, &redirect_url)?;
    let token = scope.app.rng.alphanumeric(43);
    let hash = crypto::token_hash(&token);
    let client = client.map(|token| token.expose().to_owned());
    let payload = Payload { client, satellite: satellite.id.clone(), state, redirect_url };
    let payload = serde_json::to_vec(&payload).map_err(ApiError::internal)?;
    let sealed = scope.app.sealer.seal(&scope.app.rng, &context(scope, &hash), &payload).map_err(ApiError::internal)?;
    tokens::insert(scope.db(), scope.ins(), KIND, &hash, &sealed, scope.now + LIFETIME_MS, scope.now).await.map_err(internal)?;
    let location = format!("{}/v1/client/link?__clerk_token={token}", satellite_url(&scope.instance, satellite));
    Ok(Step { location, set_cookies: Vec::new() })
}

fn context(scope: &Scope, hash: &str) -> String {
    format!("{}:{KIND}:{hash}", scope.ins())
}

/// Whether an address is an app of the satellite, or its Frontend API.
fn check(scope: &Scope, satellite: &SatelliteRecord, text: &str) -> Result<url::Url, ApiError> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    let url = url.ok_or_else(|| ApiError::new(codes::INVALID_REDIRECT_URL).param("redirect_url"))?;
    let api = url::Url::parse(&satellite_url(&scope.instance, satellite)).ok().and_then(|api| Origin::of(&api));
    let fits = Origin::of(&url).is_some_and(|origin| api.as_ref() == Some(&origin) || satellite_has(&scope.instance, satellite, &origin));
    if fits { Ok(url) } else { Err(ApiError::new(codes::REDIRECT_URL_MISMATCH).param("redirect_url")) }
}

/// On the satellite's Frontend API: redeems the token, once, in the browser that asked for it. Answers the client's token,
/// if it has a client, and the way on.
///
/// # Errors
/// `sync_nonce_already_consumed` when the token is unknown, used, late, or another browser's.
pub async fn link(
    scope: &Scope,
    caller: &Caller,
    token: Option<&str>,
    state: Option<&str>,
) -> Result<(Option<(ClientRecord, Secret)>, Step), ApiError> {
    let token = token.filter(|it| !it.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("__clerk_token"))?;
    let satellite = here(scope, caller).ok_or(codes::SYNC_NONCE_ALREADY_CONSUMED)?;
    let hash = crypto::token_hash(token);
    let sealed = tokens::take(scope.db(), scope.ins(), KIND, &hash, scope.now).await.map_err(internal)?;
    let sealed = sealed.ok_or(codes::SYNC_NONCE_ALREADY_CONSUMED)?;
    let plain = scope.app.sealer.open(&context(scope, &hash), &sealed).map_err(ApiError::internal)?;
    let payload: Payload = serde_json::from_slice(&plain).map_err(ApiError::internal)?;
    if payload.satellite != satellite.id || state.map(crypto::token_hash).as_deref() != Some(payload.state.as_str()) {
        return Err(codes::SYNC_NONCE_ALREADY_CONSUMED.into());
    }
    let mut to = check(scope, satellite, &payload.redirect_url)?;
    mark(&mut to);
    let token = payload.client.map(Secret::new);
    let client = match token {
        Some(token) => client::find(scope, &token).await?.map(|record| (record, token)),
        None => None,
    };
    Ok((client, Step { location: to.into(), set_cookies: vec![cookie(caller, "", 0)] }))
}
