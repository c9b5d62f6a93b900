use super::wants;
use crate::app::{App, Caller, Scope, internal};
use crate::crypto::{Sealer, Unsealable};
use crate::signed_webhook;
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::webhooks::{self, EndpointRecord, EventRecord};
use serde::Serialize;
use serde_json::{Value, json};
use std::future::Future;

fn context(instance: &InstanceId, id: &EventId) -> String {
    format!("{instance}:webhook_event:{id}")
}

/// Tells the instance's endpoints that something happened to an object, once `tx` is committed. `kind` is one of
/// [`EVENTS`](super::EVENTS) and `data` what its schema says. `object_id` is what events are kept in order by.
///
/// # Errors
/// Only failures of ours.
pub async fn raise(scope: &Scope, tx: &mut Tx, kind: &str, object_id: &str, data: &impl Serialize) -> Result<(), ApiError> {
    raise_from(scope, tx, kind, object_id, data, Request::default()).await
}

/// Who asked for something at the Frontend API.
#[derive(Clone, Debug, Default)]
struct Cause {
    ip: Option<String>,
    user_agent: Option<String>,
}

tokio::task_local! {
    /// What is under way now, so that whoever raises an event needs not be handed its cause.
    static CAUSE: Cause;
}

/// Does something that a browser asked for: its events name that request.
pub async fn asked_by<T>(caller: &Caller, work: impl Future<Output = T>) -> T {
    let cause = Cause { ip: caller.ip.map(|ip| ip.to_string()), user_agent: caller.user_agent.clone() };
    CAUSE.scope(cause, work).await
}

/// The request that caused an event, as far as it is known.
#[derive(Default)]
pub(super) struct Request<'a> {
    pub(super) ip: Option<&'a str>,
    pub(super) user_agent: Option<&'a str>,
}

pub(super) async fn raise_from(
    scope: &Scope,
    tx: &mut Tx,
    kind: &str,
    object_id: &str,
    data: &impl Serialize,
    request: Request<'_>,
) -> Result<(), ApiError> {
    let subscribers = webhooks::subscribers(tx, scope.ins()).await.map_err(internal)?;
    let told: Vec<_> = subscribers.into_iter().filter(|it| wants(&it.events, kind)).collect();
    if told.is_empty() {
        return Ok(());
    }
    let cause = CAUSE.try_with(Clone::clone).unwrap_or_default();
    let request = Request { ip: request.ip.or(cause.ip.as_deref()), user_agent: request.user_agent.or(cause.user_agent.as_deref()) };
    let event = event(scope, kind, object_id, data, &request)?;
    let seq = webhooks::insert_event(tx, scope.ins(), &event).await.map_err(internal)?;
    // For an endpoint that is left alone the event is kept: it can be replayed.
    for endpoint in told.iter().filter(|it| !it.paused) {
        webhooks::insert_delivery(tx, scope.ins(), &endpoint.id, &event, seq).await.map_err(internal)?;
    }
    Ok(())
}

fn event(scope: &Scope, kind: &str, object_id: &str, data: &impl Serialize, request: &Request<'_>) -> Result<EventRecord, ApiError> {
    let id = EventId::new(scope.now, &scope.app.rng);
    let http_request = json!({"client_ip": request.ip.unwrap_or_default(), "user_agent": request.user_agent.unwrap_or_default()});
    let told = json!({
        "data": data,
        "event_attributes": {"http_request": http_request},
        "instance_id": scope.ins(),
        "object": "event",
        "timestamp": scope.now,
        "type": kind,
    });
    let sealed = scope.app.sealer.seal(&scope.app.rng, &context(scope.ins(), &id), told.to_string().as_bytes());
    Ok(EventRecord {
        kind: kind.to_owned(),
        object_id: object_id.to_owned(),
        sealed: sealed.map_err(ApiError::internal)?,
        created_at: scope.now,
        id,
    })
}

/// Sends one endpoint an event of type `test`, whatever types it chose, and answers its id.
///
/// # Errors
/// `resource_not_found`.
pub async fn test_event(scope: &Scope, endpoint: &EndpointRecord) -> Result<EventId, ApiError> {
    let data: Value = json!({"object": "test", "endpoint_id": endpoint.id});
    let mut tx = scope.db().begin().await.map_err(internal)?;
    let event = event(scope, "test", endpoint.id.as_str(), &data, &Request::default())?;
    let seq = webhooks::insert_event(&mut tx, scope.ins(), &event).await.map_err(internal)?;
    webhooks::insert_delivery(&mut tx, scope.ins(), &endpoint.id, &event, seq).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(event.id)
}

/// Opens what an event tells: the bytes that are signed and sent, the same for each try.
///
/// # Errors
/// When it was sealed with another master key.
pub fn open_event(sealer: &Sealer, instance: &InstanceId, event: &EventRecord) -> Result<Vec<u8>, Unsealable> {
    sealer.open(&context(instance, &event.id), &event.sealed)
}

/// The headers of a delivery, under both of their names (Standard Webhooks 1.0.0, and what it was made from). While a secret
/// is being replaced there are two signatures.
///
/// # Errors
/// When a secret was sealed with another master key.
pub fn signed_headers(
    app: &App,
    endpoint: &EndpointRecord,
    id: &EventId,
    body: &[u8],
    now: Timestamp,
) -> Result<Vec<(String, String)>, Unsealable> {
    let old = endpoint.old_secret.as_ref().filter(|_| endpoint.old_secret_until.is_some_and(|until| now < until));
    let mut signatures = Vec::new();
    for sealed in [Some(&endpoint.secret), old].into_iter().flatten() {
        let secret = super::endpoints::open_secret(app, endpoint, sealed)?;
        signatures.push(signed_webhook::signature(&signed_webhook::key(&secret), id.as_str(), now / 1000, body));
    }
    let values = [("id", id.to_string()), ("timestamp", (now / 1000).to_string()), ("signature", signatures.join(" "))];
    let named = |prefix: &'static str| values.clone().into_iter().map(move |(name, value)| (format!("{prefix}-{name}"), value));
    Ok(named("svix").chain(named("webhook")).collect())
}
