//! Delivers events to webhook endpoints: in their order for each object, at least once, each endpoint by itself, so that one
//! that is slow or lies keeps nobody else waiting.

use crate::backoff;
use doorward_base::{AttemptId, EndpointId, InstanceId, Timestamp};
use doorward_core::outbound::{self, Method, OutboundError, OutboundRequest, OutboundResponse};
use doorward_core::{App, Scope, instance, webhooks};
use doorward_store::StoreError;
use doorward_store::webhooks::{self as store, AttemptRecord, DeliveryRecord, EndpointRecord};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, MissedTickBehavior};

/// Endpoints that are told at the same time.
const TURNS: usize = 512;
/// The most that an endpoint may answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;
/// How much of it the log keeps, in characters.
const KEPT: usize = 500;
/// How often the backlog is counted.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// How deliveries are gone about.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// How often to look for what nobody announced: another node's event, or a retry.
    pub poll: Duration,
    /// For how long a delivery is this worker's. Longer than [`WebhookOptions::timeout`], or two would do the same one.
    pub lease: Duration,
    /// How long an endpoint may take.
    pub timeout: Duration,
    /// Deliveries to one endpoint at the same time; one while it fails.
    pub concurrency: i64,
    /// For how long every try must have failed until an endpoint is left alone.
    pub pause_after: Duration,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(60),
            timeout: Duration::from_secs(15),
            concurrency: 8,
            pause_after: Duration::from_secs(5 * 24 * 60 * 60),
        }
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

/// Delivers events.
#[derive(Clone)]
pub struct WebhookWorker {
    app: Arc<App>,
    options: Arc<WebhookOptions>,
    turns: Arc<Semaphore>,
}

impl WebhookWorker {
    /// A worker for all instances.
    pub fn new(app: Arc<App>, options: WebhookOptions) -> Self {
        describe();
        Self { app, options: Arc::new(options), turns: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Works until `stop` holds true or its sender is gone. What was begun is finished.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        let mut busy: HashMap<Id, (InstanceId, EndpointId)> = HashMap::new();
        let mut poll = tokio::time::interval(self.options.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut measured: Option<Instant> = None;
        while !*stop.borrow() {
            let look = tokio::select! {
                changed = stop.changed() => if changed.is_err() { break } else { false },
                Some(ended) = running.join_next_with_id(), if !running.is_empty() => {
                    let (id, more) = match ended {
                        Ok((id, told)) => (id, told > 0),
                        // What it had taken is taken again when its lease is over.
                        Err(error) => (error.id(), false),
                    };
                    busy.remove(&id);
                    more
                }
                () = self.app.outbox.webhooks.notified() => true,
                _ = poll.tick() => true,
            };
            if !look {
                continue;
            }
            match store::due(&self.app.db, self.app.clock.now()).await {
                Ok(due) => {
                    for endpoint in due {
                        let key = (endpoint.instance_id.clone(), endpoint.id.clone());
                        if !busy.values().any(|it| *it == key) {
                            let worker = self.clone();
                            busy.insert(running.spawn(async move { worker.turn(endpoint).await }).id(), key);
                        }
                    }
                }
                Err(error) => tracing::warn!(error = %error, "the webhook deliveries that are due cannot be read"),
            }
            if measured.is_none_or(|at| at.elapsed() > MEASURE_EVERY) {
                measured = Some(Instant::now());
                self.measure().await;
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Lets each endpoint for which something is due have one turn. Answers how many deliveries were tried.
    ///
    /// # Errors
    /// When what is due cannot be read.
    pub async fn run_due(&self) -> Result<usize, StoreError> {
        let mut running = JoinSet::new();
        for endpoint in store::due(&self.app.db, self.app.clock.now()).await? {
            let worker = self.clone();
            running.spawn(async move { worker.turn(endpoint).await });
        }
        let mut total = 0;
        while let Some(ended) = running.join_next().await {
            total += ended.unwrap_or(0);
        }
        Ok(total)
    }

    /// Tries a few deliveries to one endpoint side by side. Answers how many.
    async fn turn(&self, endpoint: EndpointRecord) -> usize {
        let Ok(_permit) = self.turns.acquire().await else { return 0 };
        let now = self.app.clock.now();
        let limit = if endpoint.failing_since.is_some() { 1 } else { self.options.concurrency };
        let taken = match store::take_due(&self.app.db, &endpoint, now, now + ms(self.options.lease), limit).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(endpoint = %endpoint.id, error = %error, "webhook deliveries cannot be taken");
                return 0;
            }
        };
        let (count, endpoint) = (taken.len(), Arc::new(endpoint));
        let mut running = JoinSet::new();
        for delivery in taken {
            let (worker, endpoint) = (self.clone(), endpoint.clone());
            running.spawn(async move { worker.deliver(&endpoint, &delivery).await });
        }
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(endpoint = %endpoint.id, error = %error, "the outcome of a webhook delivery could not be written")
                }
                Err(error) => tracing::error!(endpoint = %endpoint.id, error = %error, "a webhook delivery panicked"),
            }
        }
        count
    }

    async fn deliver(&self, endpoint: &EndpointRecord, it: &DeliveryRecord) -> Result<(), StoreError> {
        let began_at = self.app.clock.now();
        let Some(scope) = self.scope(endpoint, began_at).await? else { return Ok(()) };
        let Some(request) = self.request(&scope, endpoint, it).await? else {
            tracing::error!(endpoint = %endpoint.id, event = %it.event_id, "a webhook event cannot be opened and is given up");
            return store::give_up(&self.app.db, endpoint, it, began_at).await;
        };
        let began = Instant::now();
        let answer = outbound::send(&scope, request).await;
        let (status, error, response) = outcome(answer);
        let attempt = AttemptRecord {
            id: AttemptId::new(began_at, &self.app.rng),
            status,
            error,
            response,
            duration_ms: ms(began.elapsed()),
            created_at: began_at,
        };
        self.record(endpoint, it, &attempt).await
    }

    /// Nothing when the instance is gone.
    async fn scope(&self, endpoint: &EndpointRecord, now: Timestamp) -> Result<Option<Scope>, StoreError> {
        let found = instance::by_id(&self.app, &endpoint.instance_id).await;
        let found = found.map_err(|error| StoreError::Untold(error.cause().map_or_else(|| error.to_string(), str::to_owned)))?;
        Ok(found.map(|instance| Scope { app: self.app.clone(), instance, now }))
    }

    /// Nothing when the event is gone, or was sealed with another master key.
    async fn request(&self, scope: &Scope, endpoint: &EndpointRecord, it: &DeliveryRecord) -> Result<Option<OutboundRequest>, StoreError> {
        let Some(event) = store::event(&self.app.db, &endpoint.instance_id, &it.event_id).await? else { return Ok(None) };
        let (Ok(body), Ok(url)) = (webhooks::open_event(&self.app.sealer, &endpoint.instance_id, &event), endpoint.url.parse()) else {
            return Ok(None);
        };
        let Ok(headers) = webhooks::signed_headers(&self.app, endpoint, &event.id, &body, scope.now) else { return Ok(None) };
        let mut request = OutboundRequest::new(Method::Post, url).header("content-type", "application/json");
        request.headers.extend(headers);
        request.body = body;
        request.timeout = self.options.timeout;
        request.max_bytes = ANSWER_MAX;
        request.cut = true;
        Ok(Some(request))
    }

    async fn record(&self, endpoint: &EndpointRecord, it: &DeliveryRecord, attempt: &AttemptRecord) -> Result<(), StoreError> {
        let (db, now) = (&self.app.db, self.app.clock.now());
        let Some(error) = &attempt.error else {
            metrics::counter!("doorward_webhooks_delivered_total").increment(1);
            return store::delivered(db, endpoint, it, attempt, now).await;
        };
        metrics::counter!("doorward_webhooks_failed_total").increment(1);
        let next_at = backoff::next_webhook(now, it.attempts, &self.app.rng);
        if next_at.is_none() {
            metrics::counter!("doorward_webhooks_given_up_total").increment(1);
        }
        tracing::info!(endpoint = %endpoint.id, event = %it.event_id, attempt = it.attempts, error, "a webhook delivery failed");
        if store::failed(db, endpoint, it, attempt, next_at, now - ms(self.options.pause_after), now).await? {
            metrics::counter!("doorward_webhooks_paused_total").increment(1);
            tracing::warn!(endpoint = %endpoint.id, instance = %endpoint.instance_id, "a webhook endpoint has failed for days and is left alone");
        }
        Ok(())
    }

    async fn measure(&self) {
        if let Ok(waiting) = store::backlog(&self.app.db).await {
            #[allow(clippy::cast_precision_loss, reason = "a gauge is a float, and a backlog below 2^53")]
            metrics::gauge!("doorward_webhooks_backlog").set(waiting as f64);
        }
    }
}

/// The status, what is wrong, and the beginning of the answer. A failed connection's own words name addresses, which are
/// nobody's business.
fn outcome(answer: Result<OutboundResponse, OutboundError>) -> (Option<i64>, Option<String>, String) {
    match answer {
        Ok(answer) => {
            let error = (!answer.is_success()).then(|| format!("answered with {}", answer.status));
            (Some(answer.status.into()), error, beginning(&answer.body))
        }
        Err(OutboundError::Failed(_)) => (None, Some("the connection failed".to_owned()), String::new()),
        Err(error) => (None, Some(error.to_string()), String::new()),
    }
}

fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * KEPT)]);
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(KEPT).collect()
}

fn describe() {
    metrics::describe_gauge!("doorward_webhooks_backlog", "Webhook deliveries that wait, retries included");
    metrics::describe_counter!("doorward_webhooks_delivered_total", "Webhook deliveries that an endpoint took");
    metrics::describe_counter!("doorward_webhooks_failed_total", "Tries of webhook deliveries that failed");
    metrics::describe_counter!("doorward_webhooks_given_up_total", "Webhook deliveries that were given up after the last try");
    metrics::describe_counter!("doorward_webhooks_paused_total", "Webhook endpoints that failed for days and are left alone");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_the_beginning_of_what_an_endpoint_says_and_nothing_that_a_terminal_obeys() {
        assert_eq!(beginning(b"fine\n\x1b[31mred\x00"), "fine\n[31mred");
        assert_eq!(beginning("ä".repeat(10_000).as_bytes()).chars().count(), KEPT);
        assert_eq!(beginning(&[0xff; 3]), "\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn fault_112_why_a_connection_failed_names_no_address() {
        let (status, error, _) = outcome(Err(OutboundError::Failed("tcp connect error: 10.0.0.7:80: refused".to_owned())));
        assert_eq!((status, error.as_deref()), (None, Some("the connection failed")));
    }
}
