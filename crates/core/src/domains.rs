//! The domains of an instance: its own one, and satellites, whose apps share its users.

use crate::app::{Scope, internal};
use crate::environment::derived;
use crate::instance::{Instance, Origin};
use crate::keys;
use crate::proxy_checks::read_proxy_url;
use crate::settings::Settings;
use crate::sign_in::filled;
use doorward_base::*;
use doorward_store::domains::{self, SatelliteRecord};
use doorward_store::instances::{self, HostRecord};
use doorward_store::{StoreError, Tx, sessions};
use doorward_wire::bapi::{AddDomain, CnameTarget, Domain, UpdateDomain};

/// The most satellites of an instance.
const MAX_SATELLITES: usize = 50;
/// What the SDKs put before a satellite's domain to find its Frontend API.
const LABEL: &str = "clerk.";

/// The host of a satellite's Frontend API.
fn satellite_host(name: &str) -> String {
    format!("{LABEL}{name}")
}

/// The address of a satellite's Frontend API as its apps see it.
pub fn satellite_url(instance: &Instance, it: &SatelliteRecord) -> String {
    if let Some(url) = &it.proxy_url {
        return url.clone();
    }
    match instance.hosts.first() {
        // Apps on development instances all call the one Frontend API.
        Some(own) if !instance.is_development() => format!("{}://{}", own.scheme, satellite_host(&it.name)),
        _ => instance.frontend_url(),
    }
}

/// The satellite whose Frontend API has this address.
pub fn satellite_at<'i>(instance: &'i Instance, frontend_url: &str) -> Option<&'i SatelliteRecord> {
    if instance.is_development() {
        return None;
    }
    instance.satellites.iter().find(|it| satellite_url(instance, it) == frontend_url)
}

/// The satellite whose Frontend API answers on a host.
pub fn satellite_on<'i>(instance: &'i Instance, host: &str) -> Option<&'i SatelliteRecord> {
    let name = host.strip_prefix(LABEL).filter(|_| !instance.is_development())?;
    instance.satellites.iter().find(|it| it.name == name)
}

/// Whether an app of the satellite is at `origin`.
pub fn satellite_has(instance: &Instance, it: &SatelliteRecord, origin: &Origin) -> bool {
    let scheme = instance.hosts.first().map_or("https", |own| own.scheme.as_str());
    let (text, name) = (origin.text(), it.name.as_str());
    let Some((of, host)) = text.split_once("://") else { return false };
    if instance.is_development() {
        return matches!(of, "http" | "https") && host == name;
    }
    (of == "https" || of == scheme) && (host == name || host.strip_suffix(name).is_some_and(|sub| sub.ends_with('.')))
}

/// All domains, the instance's own one first.
///
/// # Errors
/// Only failures of ours.
pub async fn list(scope: &Scope) -> Result<Vec<Domain>, ApiError> {
    let own = own_domain(scope, scope.instance.settings.proxy_url.clone());
    let satellites = domains::list(&mut scope.db(), scope.ins()).await.map_err(internal)?;
    Ok(std::iter::once(own).chain(satellites.iter().map(|it| satellite(scope, it))).collect())
}

/// The instance's own domain, behind this proxy.
fn own_domain(scope: &Scope, proxy_url: Option<String>) -> Domain {
    let instance = &scope.instance;
    let host = instance.hosts.first();
    let (name, url) = match host {
        Some(it) => (it.host.clone(), format!("{}://{}", it.scheme, it.host)),
        None => (String::new(), instance.frontend_url()),
    };
    Domain {
        object: "domain".to_owned(),
        id: derived(instance, "dmn_"),
        name: instance.settings.cookie_domain.clone().unwrap_or(name),
        is_satellite: false,
        accounts_portal_url: Some(url.clone()),
        frontend_api_url: url,
        proxy_url,
        development_origin: instance.settings.development_origin.clone().unwrap_or_default(),
        cname_targets: Some(Vec::new()),
    }
}

fn satellite(scope: &Scope, it: &SatelliteRecord) -> Domain {
    let instance = &scope.instance;
    let own = instance.hosts.first().map(|own| own.host.clone()).filter(|_| !instance.is_development() && it.proxy_url.is_none());
    let target = |value| CnameTarget { host: satellite_host(&it.name), value, required: true };
    Domain {
        object: "domain".to_owned(),
        id: it.id.as_str().to_owned(),
        name: it.name.clone(),
        is_satellite: true,
        frontend_api_url: satellite_url(instance, &SatelliteRecord { proxy_url: None, ..it.clone() }),
        accounts_portal_url: None,
        proxy_url: it.proxy_url.clone(),
        development_origin: String::new(),
        cname_targets: Some(own.map(target).into_iter().collect()),
    }
}

/// Reads the name of a domain: on production instances one of the internet, without a port.
fn read_name(instance: &Instance, text: Option<&str>) -> Result<String, ApiError> {
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("name"))?.to_ascii_lowercase();
    let url = url::Url::parse(&format!("https://{text}/")).ok();
    let plain = url.as_ref().and_then(|url| url.host_str()).is_some_and(|host| {
        let port = text.strip_prefix(host).is_some_and(|rest| rest.is_empty() || instance.is_development() && rest.starts_with(':'));
        port && (instance.is_development() || is_domain(host))
    });
    if plain { Ok(text) } else { Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("name")) }
}

/// Whether a host is a name of the internet.
fn is_domain(host: &str) -> bool {
    let label = |label: &str| {
        let inside = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (1..=63).contains(&label.len()) && inside && !label.starts_with('-') && !label.ends_with('-')
    };
    host.len() <= 253
        && host.contains('.')
        && host.split('.').all(label)
        && host.rsplit('.').next().is_some_and(|it| !it.bytes().all(|b| b.is_ascii_digit()))
}

/// Reads the proxy of a domain, which production instances alone may have. An empty one is none.
fn read_proxy(instance: &Instance, text: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(text) = filled(text) else { return Ok(None) };
    if instance.is_development() {
        return Err(codes::DOMAIN_UPDATE_FORBIDDEN.into());
    }
    read_proxy_url(text).map(Some)
}

/// Another instance answers on the host, or this one has the domain already.
fn taken(error: StoreError) -> ApiError {
    match error {
        StoreError::Conflict => ApiError::new(codes::HOME_URL_TAKEN).param("name"),
        other => internal(other),
    }
}

async fn add_host(scope: &Scope, tx: &mut Tx, name: &str) -> Result<(), ApiError> {
    let own = scope.instance.hosts.first().filter(|_| !scope.instance.is_development());
    let Some(own) = own else { return Ok(()) };
    let host = HostRecord { host: satellite_host(name), scheme: own.scheme.clone(), is_primary: false };
    instances::insert_host(tx, scope.ins(), &host).await.map_err(taken)
}

/// Adds a satellite. On production instances its Frontend API answers on `clerk.<name>` from then on.
///
/// # Errors
/// The `form_*` codes, `primary_domain_already_exists`, `domain_update_forbidden`, `home_url_taken`.
pub async fn add(scope: &Scope, req: &AddDomain) -> Result<Domain, ApiError> {
    match req.is_satellite {
        None => return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("is_satellite")),
        Some(false) => return Err(codes::PRIMARY_DOMAIN_ALREADY_EXISTS.into()),
        Some(true) => {}
    }
    let instance = &scope.instance;
    let name = read_name(instance, req.name.as_deref())?;
    let proxy_url = read_proxy(instance, req.proxy_url.as_deref())?;
    if domains::list(&mut scope.db(), scope.ins()).await.map_err(internal)?.len() >= MAX_SATELLITES {
        let text = format!("An instance has {MAX_SATELLITES} satellites at most.");
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("name").long(text));
    }
    let id = DomainId::new(scope.now, &scope.app.rng);
    let it = SatelliteRecord { id, name, proxy_url, created_at: scope.now, updated_at: scope.now };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    domains::insert(&mut tx, scope.ins(), &it).await.map_err(taken)?;
    add_host(scope, &mut tx, &it.name).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.instances.clear();
    Ok(satellite(scope, &it))
}

/// The satellite of an id.
pub(crate) async fn find(scope: &Scope, id: &str) -> Result<SatelliteRecord, ApiError> {
    let all = domains::list(&mut scope.db(), scope.ins()).await.map_err(internal)?;
    all.into_iter().find(|it| it.id.as_str() == id).ok_or_else(|| ApiError::not_found("Domain", id))
}

/// Whether it is the id of the own domain.
pub(crate) fn is_own(scope: &Scope, id: &str) -> bool {
    id == derived(&scope.instance, "dmn_")
}

/// Changes a domain: its name, and the proxy that its Frontend API is behind.
///
/// # Errors
/// `resource_not_found`, `domain_update_forbidden` on development instances, the `form_*` codes, `home_url_taken`, `conflict`.
pub async fn update(scope: &Scope, req: &UpdateDomain) -> Result<Domain, ApiError> {
    let satellite = if is_own(scope, &req.domain_id) { None } else { Some(find(scope, &req.domain_id).await?) };
    let proxy_url = req.proxy_url.as_ref().map(|url| read_proxy(&scope.instance, url.as_deref())).transpose()?;
    if let Some(before) = satellite {
        let name = req.name.as_deref().map(|name| read_name(&scope.instance, Some(name))).transpose()?;
        return update_satellite(scope, before, name, proxy_url).await;
    }
    if req.proxy_url.is_some() && scope.instance.is_development() {
        return Err(codes::DOMAIN_UPDATE_FORBIDDEN.into());
    }
    let own = own_domain(scope, scope.instance.settings.proxy_url.clone());
    let read = |name: &str| read_name(&scope.instance, Some(counted(&name.to_ascii_lowercase(), req.is_secondary == Some(true))));
    let name = req.name.as_deref().map(read).transpose()?;
    if let Some(domain) = name.filter(|name| *name != own.name) {
        let moved = move_to(scope, Move { domain: &domain, home_url: None, proxy_url }).await?;
        let url = format!("{}://{}", moved.scheme, moved.host);
        let (name, accounts_portal_url) = (domain, Some(url.clone()));
        return Ok(Domain { name, accounts_portal_url, frontend_api_url: url, proxy_url: moved.proxy_url, ..own });
    }
    let Some(proxy_url) = proxy_url else { return Ok(own) };
    crate::instance::change_settings(scope, |settings| {
        settings.proxy_url.clone_from(&proxy_url);
        Ok(())
    })
    .await?;
    Ok(Domain { proxy_url, ..own })
}

async fn update_satellite(
    scope: &Scope,
    before: SatelliteRecord,
    name: Option<String>,
    proxy_url: Option<Option<String>>,
) -> Result<Domain, ApiError> {
    let mut it = before.clone();
    it.name = name.unwrap_or(it.name);
    it.proxy_url = proxy_url.unwrap_or(it.proxy_url);
    it.updated_at = scope.now.max(before.updated_at);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !domains::update(&mut tx, scope.ins(), &it).await.map_err(taken)? {
        return Err(ApiError::not_found("Domain", &it.id));
    }
    if it.name != before.name {
        instances::delete_host(&mut tx, scope.ins(), &satellite_host(&before.name)).await.map_err(internal)?;
        add_host(scope, &mut tx, &it.name).await?;
    }
    tx.commit().await.map_err(internal)?;
    scope.app.instances.clear();
    Ok(satellite(scope, &it))
}

/// Removes a satellite.
///
/// # Errors
/// `resource_not_found`, `operation_not_allowed_on_primary_domain`.
pub async fn delete(scope: &Scope, id: &str) -> Result<(), ApiError> {
    if is_own(scope, id) {
        return Err(codes::OPERATION_NOT_ALLOWED_ON_PRIMARY_DOMAIN.into());
    }
    let it = find(scope, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !domains::delete(&mut tx, scope.ins(), &it.id).await.map_err(internal)? {
        return Err(ApiError::not_found("Domain", id));
    }
    instances::delete_host(&mut tx, scope.ins(), &satellite_host(&it.name)).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    scope.app.instances.clear();
    Ok(())
}

/// Moves a production instance to the domain of its app. Without a list of public suffixes the domain is the address's host
/// without `www.`, or with it where `secondary` says that every label counts.
///
/// # Errors
/// The `form_*` codes naming `home_url`, `domain_update_forbidden` on development instances, `home_url_taken`, `conflict`.
pub async fn change(scope: &Scope, home_url: Option<&str>, secondary: bool) -> Result<(), ApiError> {
    let text = filled(home_url).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("home_url"))?;
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty());
    let host = url.as_ref().and_then(|url| url.host_str()).filter(|host| is_domain(host));
    let host = host.ok_or_else(|| ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("home_url"))?;
    move_to(scope, Move { domain: counted(host, secondary), home_url: Some(text), proxy_url: None }).await.map(|_| ())
}

/// The part of a host that counts: a `www.` does for a secondary app only.
fn counted(host: &str, secondary: bool) -> &str {
    if secondary { host } else { host.strip_prefix("www.").filter(|rest| is_domain(rest)).unwrap_or(host) }
}

/// Where an instance moves to.
struct Move<'a> {
    domain: &'a str,
    home_url: Option<&'a str>,
    /// Its proxy there; else the one that it has, moved along.
    proxy_url: Option<Option<String>>,
}

/// Where it is then.
struct Moved {
    host: String,
    scheme: String,
    proxy_url: Option<String>,
}

/// Moves the instance to another domain: the host of its Frontend API, its publishable key, and the addresses among its
/// settings that lie on the old domain. Browsers keep their sessions to the old host; all of them end.
async fn move_to(scope: &Scope, to: Move<'_>) -> Result<Moved, ApiError> {
    let Move { domain, home_url, proxy_url } = to;
    let instance = &scope.instance;
    if instance.is_development() {
        return Err(codes::DOMAIN_UPDATE_FORBIDDEN.into());
    }
    let record = instances::get(scope.db(), scope.ins()).await.map_err(internal)?;
    let record = record.ok_or_else(|| ApiError::not_found("Instance", scope.ins()))?;
    let mut settings = Settings::parse(&record.settings).map_err(ApiError::internal)?;
    let own = instance.hosts.first().ok_or_else(|| ApiError::internal("the instance has no host"))?;
    let old = settings.cookie_domain.clone().unwrap_or_else(|| own.host.clone());
    let host = moved_host(&own.host, &old, domain).unwrap_or_else(|| satellite_host(domain));
    relocate(&mut settings, &old, domain);
    if let Some(url) = home_url {
        settings.paths.home_url = Some(url.to_owned());
    }
    settings.proxy_url = proxy_url.unwrap_or(settings.proxy_url);
    settings.validate().map_err(|why| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).long(why))?;
    let text = serde_json::to_string(&settings).map_err(ApiError::internal)?;
    let key = keys::publishable_key(instance.environment, &host).map_err(ApiError::internal)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !instances::update_settings(&mut tx, scope.ins(), &text, record.updated_at, scope.now).await.map_err(internal)? {
        return Err(codes::CONFLICT.into());
    }
    let to = HostRecord { host: host.clone(), scheme: own.scheme.clone(), is_primary: true };
    let taken = |error| match error {
        StoreError::Conflict => ApiError::new(codes::HOME_URL_TAKEN).param(if home_url.is_some() { "home_url" } else { "name" }),
        other => internal(other),
    };
    instances::delete_host(&mut tx, scope.ins(), &own.host).await.map_err(internal)?;
    instances::insert_host(&mut tx, scope.ins(), &to).await.map_err(taken)?;
    instances::set_publishable_key(&mut tx, scope.ins(), &key).await.map_err(taken)?;
    sessions::close_all(&mut tx, scope.ins(), "revoked", scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    scope.app.instances.clear();
    Ok(Moved { host, scheme: to.scheme, proxy_url: settings.proxy_url })
}

/// A host on or below `old`, on `new`.
fn moved_host(host: &str, old: &str, new: &str) -> Option<String> {
    if host == old {
        return Some(new.to_owned());
    }
    host.strip_suffix(old).filter(|sub| sub.ends_with('.')).map(|sub| format!("{sub}{new}"))
}

/// Moves the addresses of settings from one domain to another.
fn relocate(settings: &mut Settings, old: &str, new: &str) {
    let moved = |text: &mut String| {
        let Some((scheme, rest)) = text.split_once("://") else { return };
        let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
        if let Some(host) = moved_host(&rest[..end], old, new) {
            *text = format!("{scheme}://{host}{}", &rest[end..]);
        }
    };
    settings.allowed_origins.iter_mut().for_each(moved);
    let paths = &mut settings.paths;
    for url in [
        &mut settings.proxy_url,
        &mut paths.home_url,
        &mut paths.sign_in_url,
        &mut paths.sign_up_url,
        &mut paths.waitlist_url,
        &mut paths.after_sign_in_url,
        &mut paths.after_sign_up_url,
        &mut paths.after_sign_out_url,
    ] {
        url.iter_mut().for_each(moved);
    }
    if settings.cookie_domain.is_some() {
        settings.cookie_domain = Some(new.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_a_name_of_the_internet() {
        assert!(["example.com", "a-b.example.co.uk", "xn--bcher-kva.example"].iter().all(|host| is_domain(host)));
        for bad in ["localhost", "example", "127.0.0.1", "-a.example", "a..example", "exa mple.com", "example.com.", "a_b.example", "[::1]"]
        {
            assert!(!is_domain(bad), "{bad}");
        }
    }

    #[test]
    fn what_lies_on_the_old_domain_goes_along() {
        let mut settings = Settings { cookie_domain: Some("old.test".to_owned()), ..Settings::default() };
        settings.allowed_origins =
            ["https://app.old.test", "https://*.old.test:*", "https://notold.test", "http://localhost:*"].map(str::to_owned).into();
        settings.paths.sign_in_url = Some("https://old.test/in?x=https://old.test".to_owned());
        relocate(&mut settings, "old.test", "new.test");
        assert_eq!(settings.allowed_origins, ["https://app.new.test", "https://*.new.test:*", "https://notold.test", "http://localhost:*"]);
        assert_eq!(settings.paths.sign_in_url.as_deref(), Some("https://new.test/in?x=https://old.test"));
        assert_eq!(settings.cookie_domain.as_deref(), Some("new.test"));
        assert_eq!(moved_host("clerk.old.test", "old.test", "new.test").as_deref(), Some("clerk.new.test"));
        assert_eq!(moved_host("elsewhere.test", "old.test", "new.test"), None);
    }
}
