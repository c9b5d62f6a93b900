//! What providers publish: their keys and their discovery documents. Fetched when asked for, kept for a while.

use crate::app::Scope;
use crate::outbound::{self, Method, OutboundRequest};
use doorward_base::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// How long a document is good, in milliseconds: an hour.
const GOOD_MS: i64 = 60 * 60 * 1000;
/// How soon it is fetched again for a key that is not in it, in milliseconds: a minute. Else anybody who makes up key ids
/// could have us call the provider without end.
const AGAIN_MS: i64 = 60 * 1000;
/// The most bytes of one.
const MAX_BYTES: usize = 256 * 1024;

/// The documents that were fetched, by instance and address: what a development instance may reach is not for others.
#[derive(Clone)]
pub struct Documents(moka::future::Cache<(String, String), (Timestamp, Arc<Value>)>);

impl Default for Documents {
    fn default() -> Self {
        Self(moka::future::Cache::new(1_000))
    }
}

/// A document could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unavailable(String);

/// The document of an address. `stale` says that the kept one does not do.
pub(super) async fn get(scope: &Scope, url: &Url, stale: bool) -> Result<Arc<Value>, Unavailable> {
    let documents = &scope.app.provider_documents.0;
    let place = (scope.ins().to_string(), url.to_string());
    if let Some((at, kept)) = documents.get(&place).await
        && scope.now - at < if stale { AGAIN_MS } else { GOOD_MS }
    {
        return Ok(kept);
    }
    let request = OutboundRequest { max_bytes: MAX_BYTES, ..OutboundRequest::new(Method::Get, url.clone()) };
    let answer = outbound::send(scope, request.header("accept", "application/json")).await;
    let answer = answer.map_err(|error| Unavailable(format!("a document of the provider: {error}")))?;
    if !answer.is_success() {
        return Err(Unavailable(format!("a document of the provider: status {}", answer.status)));
    }
    let document: Value =
        serde_json::from_slice(&answer.body).map_err(|_| Unavailable("a document of the provider is not JSON".to_owned()))?;
    let document = Arc::new(document);
    documents.insert(place, (scope.now, document.clone())).await;
    Ok(document)
}
