use crate::app::{Scope, internal};
use doorward_base::*;
use doorward_store::webhooks::{self, EndpointRecord};

/// Which events to tell of again.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// From when on they happened.
    pub since: Timestamp,
    /// Before when.
    pub until: Timestamp,
    /// Those that were delivered too, not only those that were missed.
    pub all: bool,
}

/// Tells an endpoint of an event again, with the same id.
///
/// # Errors
/// `resource_not_found`.
pub async fn replay(scope: &Scope, endpoint: &EndpointRecord, event: &EventId) -> Result<(), ApiError> {
    if !webhooks::replay(scope.db(), scope.ins(), &endpoint.id, event, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("Webhook event", event));
    }
    scope.app.outbox.webhooks.notify_one();
    Ok(())
}

/// Tells an endpoint again of the events of a time that are of its types, and answers how many.
///
/// # Errors
/// Only failures of ours.
pub async fn replay_range(scope: &Scope, endpoint: &EndpointRecord, range: Range) -> Result<u64, ApiError> {
    let kinds: Vec<String> = serde_json::from_str(&endpoint.events).map_err(ApiError::internal)?;
    let times = (range.since, range.until);
    let count =
        webhooks::replay_range(scope.db(), scope.ins(), &endpoint.id, times, &kinds, range.all, scope.now).await.map_err(internal)?;
    scope.app.outbox.webhooks.notify_one();
    Ok(count)
}
