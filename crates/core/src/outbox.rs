//! What is on its way: written together with what causes it, sealed, for it may hold a code.

use crate::app::{Scope, internal};
use crate::crypto::{Sealer, Unsealable};
use doorward_base::*;
use doorward_store::{Tx, jobs};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn context(id: &JobId) -> String {
    format!("job:{id}")
}

/// Puts something into the outbox, for the job of its kind, and answers that job's id.
pub(crate) async fn enqueue(scope: &Scope, tx: &mut Tx, kind: &str, what: &impl Serialize) -> Result<JobId, ApiError> {
    let id = JobId::new(scope.now, &scope.app.rng);
    let text = serde_json::to_vec(what).map_err(ApiError::internal)?;
    let sealed = scope.app.sealer.seal(&scope.app.rng, &context(&id), &text).map_err(ApiError::internal)?;
    jobs::insert(tx, scope.ins(), &id, kind, &sealed, scope.now).await.map_err(internal)?;
    Ok(id)
}

/// Opens what is in the outbox.
pub(crate) fn open<T: DeserializeOwned>(sealer: &Sealer, id: &JobId, sealed: &str) -> Result<T, Unsealable> {
    let plain = sealer.open(&context(id), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| Unsealable)
}

/// The id under which others are told of a message: that of its job, with another prefix.
pub(crate) fn told_id(job: &JobId, prefix: &str) -> String {
    format!("{prefix}{}", job.as_str().strip_prefix(JobId::PREFIX).unwrap_or(job.as_str()))
}
