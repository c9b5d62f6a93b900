use super::EVENTS;
use crate::app::{App, Scope, internal};
use crate::crypto::Unsealable;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_base::*;
use doorward_store::webhooks::{self, EndpointRecord};
use url::Url;

/// Endpoints of one instance at most.
const MOST: i64 = 50;
/// How long the secret from before signs along after a new one was made.
const OVERLAP_MS: i64 = 24 * 60 * 60 * 1000;
const URL_MAX_CHARS: usize = 2048;
const DESCRIPTION_MAX_CHARS: usize = 500;
const RATE_MAX: i64 = 10_000;

/// What an operator chooses of an endpoint; what is not said stays as it is, or as it is by default.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Where it is told: `https`, or also `http` on development instances.
    pub url: Option<String>,
    /// A note for people.
    pub description: Option<String>,
    /// The types of the events that it is told of; all when there are none.
    pub events: Option<Vec<String>>,
    /// Whether it is switched off.
    pub disabled: Option<bool>,
    /// Tries at most within a second; the inner none for as many as come.
    pub rate_limit: Option<Option<i64>>,
}

/// For what an endpoint's secret is sealed.
pub(crate) fn secret_context(instance: &InstanceId, id: impl std::fmt::Display) -> String {
    format!("{instance}:webhook_secret:{id}")
}

pub(super) fn open_secret(app: &App, endpoint: &EndpointRecord, sealed: &str) -> Result<Secret, Unsealable> {
    let plain = app.sealer.open(&secret_context(&endpoint.instance_id, &endpoint.id), sealed)?;
    String::from_utf8(plain).map(Secret::new).map_err(|_| Unsealable)
}

/// A fresh secret, and how it is kept.
fn new_secret(scope: &Scope, endpoint: &EndpointRecord) -> Result<(Secret, String), ApiError> {
    let secret = Secret::new(format!("whsec_{}", STANDARD.encode(scope.app.rng.bytes::<24>())));
    let sealed = scope.app.sealer.seal(&scope.app.rng, &secret_context(&endpoint.instance_id, &endpoint.id), secret.expose().as_bytes());
    Ok((secret, sealed.map_err(ApiError::internal)?))
}

fn apply(scope: &Scope, change: EndpointChange, it: &mut EndpointRecord) -> Result<(), ApiError> {
    let invalid = |param: &str, why: String| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param).long(why);
    if let Some(url) = change.url {
        it.url = address(scope, &url).ok_or_else(|| {
            let scheme = if scope.instance.is_development() { "http or https" } else { "https" };
            invalid("url", format!("url must be an address with {scheme}, without user name, password and fragment."))
        })?;
    }
    if let Some(text) = change.description {
        if text.chars().count() > DESCRIPTION_MAX_CHARS || text.chars().any(char::is_control) {
            return Err(invalid("description", format!("description must be one line of {DESCRIPTION_MAX_CHARS} characters at most.")));
        }
        it.description = text;
    }
    if let Some(mut kinds) = change.events {
        if let Some(unknown) = kinds.iter().find(|kind| !EVENTS.contains(&kind.as_str())) {
            return Err(invalid("events", format!("There is no event {unknown:?}.")));
        }
        kinds.sort();
        kinds.dedup();
        it.events = serde_json::to_string(&kinds).map_err(ApiError::internal)?;
    }
    if let Some(rate) = change.rate_limit {
        if rate.is_some_and(|rate| !(1..=RATE_MAX).contains(&rate)) {
            return Err(invalid("rate_limit", format!("rate_limit must be between 1 and {RATE_MAX}.")));
        }
        it.rate_limit = rate;
    }
    it.disabled = change.disabled.unwrap_or(it.disabled);
    it.updated_at = scope.now;
    Ok(())
}

/// An address that may be called, as far as that shows. What it leads to is looked at when it is called.
fn address(scope: &Scope, text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && scope.instance.is_development());
    let plain = url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (scheme && plain && url.as_str().len() <= URL_MAX_CHARS).then(|| url.into())
}

/// Makes an endpoint. Answers it with its secret.
///
/// # Errors
/// What is not valid, naming the parameter; `quota_exceeded` when there are fifty.
pub async fn create(scope: &Scope, change: EndpointChange) -> Result<(EndpointRecord, Secret), ApiError> {
    if change.url.is_none() {
        return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("url"));
    }
    let mut it = EndpointRecord {
        id: EndpointId::new(scope.now, &scope.app.rng),
        instance_id: scope.ins().clone(),
        events: "[]".to_owned(),
        version: super::VERSION.to_owned(),
        created_at: scope.now,
        ..EndpointRecord::default()
    };
    apply(scope, change, &mut it)?;
    let (secret, sealed) = new_secret(scope, &it)?;
    it.secret = sealed;
    if !webhooks::insert_endpoint(scope.db(), &it, MOST).await.map_err(internal)? {
        let text = format!("An instance can have {MOST} webhook endpoints.");
        return Err(ApiError::new(codes::QUOTA_EXCEEDED).long(text));
    }
    Ok((it, secret))
}

/// The endpoints of the instance, the oldest first.
///
/// # Errors
/// Only failures of ours.
pub async fn list(scope: &Scope) -> Result<Vec<EndpointRecord>, ApiError> {
    webhooks::endpoints(scope.db(), scope.ins()).await.map_err(internal)
}

/// The endpoint of an id.
///
/// # Errors
/// `resource_not_found`.
pub async fn find(scope: &Scope, id: &EndpointId) -> Result<EndpointRecord, ApiError> {
    let found = webhooks::endpoint(scope.db(), scope.ins(), id).await.map_err(internal)?;
    found.ok_or_else(|| ApiError::not_found("Webhook endpoint", id))
}

/// Changes an endpoint. One that was switched off, or left alone because it failed, is told again when it is switched on, and how
/// often it failed before is forgotten.
///
/// # Errors
/// `resource_not_found`; what is not valid, naming the parameter.
pub async fn update(scope: &Scope, id: &EndpointId, change: EndpointChange) -> Result<EndpointRecord, ApiError> {
    let mut it = find(scope, id).await?;
    let resumes = change.disabled == Some(false) && (it.disabled || it.paused_at.is_some());
    apply(scope, change, &mut it)?;
    let mut there = webhooks::update_endpoint(scope.db(), &it).await.map_err(internal)?;
    if there && resumes {
        there = webhooks::resume(scope.db(), scope.ins(), id, scope.now).await.map_err(internal)?;
        scope.app.outbox.webhooks.notify_one();
    }
    if there { find(scope, id).await } else { Err(ApiError::not_found("Webhook endpoint", id)) }
}

/// Removes an endpoint with its log and all that waits for it.
///
/// # Errors
/// `resource_not_found`.
pub async fn delete(scope: &Scope, id: &EndpointId) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !webhooks::delete(&mut tx, scope.ins(), id).await.map_err(internal)? {
        return Err(ApiError::not_found("Webhook endpoint", id));
    }
    tx.commit().await.map_err(internal)
}

/// Makes a new secret. The one from before signs along for a day.
///
/// # Errors
/// `resource_not_found`; `conflict` when somebody else makes one at the same time.
pub async fn rotate_secret(scope: &Scope, id: &EndpointId) -> Result<Secret, ApiError> {
    let it = find(scope, id).await?;
    let (secret, sealed) = new_secret(scope, &it)?;
    let done = webhooks::set_secret(scope.db(), &it, &sealed, scope.now + OVERLAP_MS, scope.now).await.map_err(internal)?;
    if done { Ok(secret) } else { Err(codes::CONFLICT.into()) }
}

/// The secret of an endpoint, for whoever sets up the other side.
///
/// # Errors
/// `resource_not_found`.
pub async fn reveal_secret(scope: &Scope, id: &EndpointId) -> Result<Secret, ApiError> {
    let it = find(scope, id).await?;
    open_secret(&scope.app, &it, &it.secret).map_err(ApiError::internal)
}
