use crate::client_ip::{client_ip, is_trusted};
use crate::cookies::cookie;
use crate::gateway::{Config, Inner};
use doorward_base::*;
use doorward_core::domains;
use doorward_core::instance::{self, Origin};
use doorward_core::{Caller, Instance};
use doorward_wire::Api;
use http::header::{AUTHORIZATION, HOST, ORIGIN, REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method};
use std::net::IpAddr;
use std::sync::Arc;

/// What was found out before the endpoint is known: which instance is meant, and by whom.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub instance: Arc<Instance>,
    pub caller: Caller,
    /// The proxy's own address, when it proved itself.
    pub proxy_url: Option<String>,
    /// The origin that may read the answer.
    pub allowed_origin: Option<String>,
}

/// One value of the query, decoded.
pub(crate) fn query(parts: &Parts, name: &str) -> Option<String> {
    let query = parts.uri.query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).filter(|v| !v.is_empty())
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|v| !v.is_empty())
}

/// The longest name of a host (RFC 1035, section 2.3.4), with a port.
const MAX_HOST: usize = 255 + 6;

/// The host that the request names, lower case. None is that long: it would be remembered that nobody answers on it.
fn host(parts: &Parts) -> Option<String> {
    let named = header(&parts.headers, HOST.as_str()).map(str::to_owned);
    let named = named.or_else(|| parts.uri.authority().map(ToString::to_string)).filter(|host| host.len() <= MAX_HOST);
    named.map(|host| host.to_ascii_lowercase())
}

/// Whether a trusted proxy says that its caller came by https.
pub(crate) fn by_https(config: &Config, parts: &Parts, peer: IpAddr) -> bool {
    is_trusted(peer, &config.trusted_proxies) && header(&parts.headers, "x-forwarded-proto") == Some("https")
}

/// Finds the instance of a request to the Frontend API: by a proxy that shows the instance's secret key, by the host, or
/// by the publishable key. An unknown one is refused, never guessed.
///
/// `foreign` says that other origins send forms here; nothing is known of who does, and they may not read the answer.
pub(crate) async fn frontend(inner: &Inner, parts: &Parts, peer: IpAddr, foreign: bool) -> Result<Arrival, ApiError> {
    let app = &inner.app;
    let mut proxy_url = None;
    let instance = if let Some(url) = header(&parts.headers, "clerk-proxy-url") {
        let key = header(&parts.headers, "clerk-secret-key").ok_or(codes::PROXY_SECRET_MISSING)?;
        let found = instance::by_secret_key(app, key).await?.ok_or(codes::PROXY_SECRET_INVALID)?;
        let parsed = url::Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.query().is_none());
        parsed.ok_or_else(|| ApiError::new(codes::BAD_REQUEST).param("Clerk-Proxy-Url"))?;
        proxy_url = Some(url.trim_end_matches('/').to_owned());
        Some(found)
    } else {
        let host = host(parts).ok_or(codes::HOST_INVALID)?;
        match instance::by_host(app, &host).await? {
            Some(found) => Some(found),
            None => match query(parts, "__clerk_publishable_key") {
                Some(key) => instance::by_publishable_key(app, &key).await?,
                None => None,
            },
        }
    };
    let instance = instance.ok_or(codes::HOST_INVALID)?;
    let ip = client_ip(peer, &parts.headers, &inner.config.trusted_proxies, proxy_url.is_some())?;
    let frontend_url = proxy_url.clone().unwrap_or_else(|| seen_as(&instance, parts));
    let native = header(&parts.headers, AUTHORIZATION.as_str()).is_some() || query(parts, "_is_native").as_deref() == Some("1");
    let mut caller = caller(parts, ip, frontend_url, native);
    let allowed_origin = if foreign { None } else { check_origin(&instance, parts, &mut caller, proxy_url.as_deref())? };
    Ok(Arrival { instance, caller, proxy_url, allowed_origin })
}

fn caller(parts: &Parts, ip: IpAddr, frontend_url: String, native: bool) -> Caller {
    let user_agent = header(&parts.headers, USER_AGENT.as_str()).map(|text| text.chars().take(512).collect());
    let testing_token = query(parts, "__clerk_testing_token").map(Secret::new);
    Caller {
        ip: Some(ip),
        user_agent,
        origin: None,
        frontend_url,
        native,
        dev_browser: None,
        testing_token,
        knows_pending: false,
        knows_setup_mfa: false,
        knows_client_trust: false,
    }
}

/// The address under which this request sees the Frontend API: a satellite's, the proxy's in front of it, or the host's.
fn seen_as(instance: &Instance, parts: &Parts) -> String {
    let host = host(parts).unwrap_or_default();
    if let Some(satellite) = domains::satellite_on(instance, &host) {
        return domains::satellite_url(instance, satellite);
    }
    let known = instance.hosts.iter().find(|known| known.host == host && instance.settings.proxy_url.is_none());
    known.map_or_else(|| instance.frontend_url(), |known| format!("{}://{}", known.scheme, known.host))
}

/// Whether an origin is that of an app which runs in a browser, or is made of one.
fn is_of_app(origin: &str) -> bool {
    Origin::parse(origin).is_some_and(|it| !it.is_of_the_web())
}

/// The origin rules: pages say where they are, native apps show a token instead, and only apps that run in a browser do both.
fn check_origin(instance: &Instance, parts: &Parts, caller: &mut Caller, proxy_url: Option<&str>) -> Result<Option<String>, ApiError> {
    let origins: Vec<_> = parts.headers.get_all(ORIGIN).iter().collect();
    if origins.len() > 1 {
        return Err(codes::MULTIPLE_ORIGINS.into());
    }
    let proxy_origin = proxy_url.and_then(|u| url::Url::parse(u).ok()).and_then(|u| Origin::of(&u)).map(|o| o.text());
    let Some(origin) = origins.first() else {
        let referer = header(&parts.headers, REFERER.as_str()).and_then(|r| url::Url::parse(r).ok()).and_then(|u| Origin::of(&u));
        caller.origin = referer.map(|o| o.text()).filter(|o| instance.allows_origin(o)).or(proxy_origin);
        // A page elsewhere cannot make a browser leave the header out of a request that changes something.
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if changes && !caller.native && cookie(&parts.headers, "__client").is_some() {
            return Err(codes::ORIGIN_MISSING.into());
        }
        return Ok(None);
    };
    let origin = origin.to_str().map_err(|_| codes::ORIGIN_INVALID)?;
    // An extension of a browser says where it is, too, and keeps its token itself.
    let is_app = is_of_app(origin);
    if header(&parts.headers, AUTHORIZATION.as_str()).is_some() && !is_app {
        return Err(codes::ORIGIN_AND_AUTHORIZATION.into());
    }
    if !instance.allows_origin(origin) && proxy_origin.as_deref() != Some(origin) {
        return Err(codes::ORIGIN_INVALID.into());
    }
    caller.native |= is_app;
    caller.origin = Some(origin.to_owned());
    Ok(Some(origin.to_owned()))
}

/// Finds the instance of a request to the Backend API by its secret key. Endpoints that need none name the publishable
/// key in their query.
pub(crate) async fn backend(inner: &Inner, parts: &Parts, peer: IpAddr, needs_key: bool) -> Result<Arrival, ApiError> {
    let app = &inner.app;
    let found = if needs_key {
        let sent = header(&parts.headers, AUTHORIZATION.as_str()).ok_or(codes::AUTHENTICATION_INVALID)?;
        let (scheme, key) = sent.split_once(' ').ok_or(codes::AUTHORIZATION_FORMAT_INVALID)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(codes::AUTHORIZATION_FORMAT_INVALID.into());
        }
        instance::by_secret_key(app, key.trim()).await?.ok_or(codes::SECRET_KEY_INVALID)?
    } else {
        let by_key = match query(parts, "publishable_key") {
            Some(key) => instance::by_publishable_key(app, &key).await?,
            None => None,
        };
        let by_host = match (by_key, query(parts, "frontend_api").or_else(|| query(parts, "frontendApi"))) {
            (Some(found), _) => Some(found),
            (None, Some(host)) => instance::by_host(app, &host.to_ascii_lowercase()).await?,
            (None, None) => None,
        };
        by_host.ok_or(codes::HOST_INVALID)?
    };
    let ip = client_ip(peer, &parts.headers, &inner.config.trusted_proxies, false)?;
    let caller = caller(parts, ip, found.frontend_url(), false);
    Ok(Arrival { instance: found, caller, proxy_url: None, allowed_origin: None })
}

/// The client token of a request: native apps send it in a header, with or without a scheme; browsers in a cookie.
pub(crate) fn client_token(parts: &Parts, api: Api) -> Option<Secret> {
    if api == Api::Backend {
        return None;
    }
    let token = match header(&parts.headers, AUTHORIZATION.as_str()) {
        Some(sent) => sent.strip_prefix("Bearer ").unwrap_or(sent),
        // Its browser's cookies are those of pages.
        None if header(&parts.headers, ORIGIN.as_str()).is_some_and(is_of_app) => return None,
        None => cookie(&parts.headers, "__client")?,
    };
    Some(Secret::from(token))
}

/// The token of the development browser: `__clerk_db_jwt` today, `__dev_session` in 2023.
pub(crate) fn dev_browser_token(parts: &Parts) -> Option<String> {
    query(parts, "__clerk_db_jwt").or_else(|| query(parts, "__dev_session"))
}
