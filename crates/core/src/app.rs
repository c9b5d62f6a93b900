use crate::atlas::Atlas;
use crate::crypto::Sealer;
use crate::instance::{Instance, Instances};
use crate::oauth::Documents;
use crate::outbound::Outbound;
use crate::password::Passwords;
use doorward_base::*;
use doorward_store::{Db, StoreError};
use std::net::IpAddr;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Notify;

/// What the whole server shares.
pub struct App {
    /// The database.
    pub db: Db,
    /// Now.
    pub clock: Clock,
    /// Randomness.
    pub rng: Rng,
    /// The master key.
    pub sealer: Sealer,
    /// The hashing pool.
    pub passwords: Passwords,
    /// The instances, as far as they are in memory.
    pub instances: Instances,
    /// Calls others.
    pub outbound: Arc<dyn Outbound>,
    /// What providers publish, as far as it was fetched.
    pub provider_documents: Documents,
    /// Where addresses are.
    pub atlas: Atlas,
    /// Wakes the workers when there is something for them.
    pub outbox: Arc<Wakers>,
}

/// Who is woken when something was written that a worker has to do.
#[derive(Debug, Default)]
pub struct Wakers {
    jobs: Notify,
    /// Wakes the worker that delivers webhooks.
    pub webhooks: Notify,
}

impl Wakers {
    /// Wakes the worker that sends messages.
    pub fn notify_one(&self) {
        self.jobs.notify_one();
    }

    /// Waits to be woken, as that worker.
    pub async fn notified(&self) {
        self.jobs.notified().await;
    }
}

/// A request's place in the world: the server, the instance, and one reading of the clock for all that it does.
#[derive(Clone)]
pub struct Scope {
    /// The server.
    pub app: Arc<App>,
    /// The instance.
    pub instance: Arc<Instance>,
    /// Now, the same for the whole request.
    pub now: Timestamp,
}

/// Who is calling, as far as the connection tells.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The address, with trusted proxies peeled off.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, cut to 512 bytes.
    pub user_agent: Option<String>,
    /// The `Origin` header, or what stands for it.
    pub origin: Option<String>,
    /// The address of the Frontend API as the caller sees it: what tokens name as their issuer.
    pub frontend_url: String,
    /// Whether the caller is a native app, which has no cookies.
    pub native: bool,
    /// Whether the caller's SDK knows sessions that wait for something to be done.
    pub knows_pending: bool,
    /// Whether it knows the task of setting up a second factor.
    pub knows_setup_mfa: bool,
    /// Whether it knows sign-ins on new devices by a status of their own.
    pub knows_client_trust: bool,
    /// The token of its development browser, once it was found.
    pub dev_browser: Option<Secret>,
    /// The testing token that it named, whether or not it is good.
    pub testing_token: Option<Secret>,
}

impl Scope {
    /// The instance's id.
    pub fn ins(&self) -> &InstanceId {
        &self.instance.id
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.app.db
    }

    /// Now in seconds, as tokens count.
    pub fn now_seconds(&self) -> i64 {
        self.now / 1000
    }
}

/// A point in time as text (RFC 3339), to the second.
pub(crate) fn rfc3339(at: Timestamp) -> Result<String, ApiError> {
    let at = OffsetDateTime::from_unix_timestamp(at / 1000).map_err(ApiError::internal)?;
    at.format(&Rfc3339).map_err(ApiError::internal)
}

/// Reads a point in time (RFC 3339), in Unix milliseconds.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(parsed.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

/// Turns a failure below SQL into the error that a caller may see.
pub fn internal(error: StoreError) -> ApiError {
    match error {
        StoreError::Busy => ApiError::new(codes::SERVER_BUSY).retry_after(1),
        StoreError::Serialization => ApiError::new(codes::SERVER_BUSY).retry_after(1),
        StoreError::Unavailable(cause) => {
            tracing::warn!(%cause, "the database did not answer");
            ApiError::new(codes::SERVER_BUSY).retry_after(1)
        }
        StoreError::Disk(cause) => {
            tracing::error!(%cause, "the database cannot write");
            ApiError::new(codes::SERVER_BUSY).retry_after(10)
        }
        other => ApiError::internal(other),
    }
}
