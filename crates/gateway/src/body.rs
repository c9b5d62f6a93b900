//! How bodies come in: whoever sends one slowly keeps nobody else from theirs.

use crate::gateway::Config;
use crate::upload::MAX_BODY_BYTES;
use axum::body::Body;
use bytes::Bytes;
use doorward_base::*;
use http_body_util::BodyExt as _;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many files may be on their way in at once.
const MAX_UPLOADS: usize = 8;
/// How many bodies may be on their way in at once, beside those that come with their heads.
const MAX_READING: usize = 1024;
/// How long one may take.
const READING_TIMEOUT: Duration = Duration::from_secs(10);

/// A body: read, or a file that is read once it is known who sends it.
pub(crate) enum Sent {
    Read(Bytes),
    File(Body),
}

/// The places for bodies on their way in.
pub(crate) struct Bodies {
    uploads: Semaphore,
    reading: Semaphore,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        Self { uploads: Semaphore::new(MAX_UPLOADS), reading: Semaphore::new(MAX_READING) }
    }

    /// Reads a body that is no file. Most come with their heads; for the others there are places of their own.
    pub(crate) async fn read(&self, body: Body, config: &Config) -> Result<Bytes, ApiError> {
        let mut reading = std::pin::pin!(collect(body, config.max_body_bytes));
        if let Poll::Ready(read) = std::future::poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
            return read;
        }
        let _place = self.reading.try_acquire().map_err(|_| busy())?;
        let timeout = READING_TIMEOUT.min(config.request_timeout);
        tokio::time::timeout(timeout, reading).await.unwrap_or_else(|_| Err(codes::REQUEST_TIMEOUT.into()))
    }

    /// The body of a call, and the place that it keeps until the call is done. Files are large: there are few of them at once.
    pub(crate) async fn whole(&self, body: Sent) -> Result<(Bytes, Option<SemaphorePermit<'_>>), ApiError> {
        match body {
            Sent::Read(body) => Ok((body, None)),
            Sent::File(body) => {
                let place = self.uploads.try_acquire().map_err(|_| busy())?;
                Ok((collect(body, MAX_BODY_BYTES).await?, Some(place)))
            }
        }
    }
}

pub(crate) fn busy() -> ApiError {
    ApiError::new(codes::SERVER_BUSY).retry_after(1)
}

async fn collect(body: Body, most: usize) -> Result<Bytes, ApiError> {
    let read = http_body_util::Limited::new(body, most).collect().await;
    let read = read.map_err(|e| match e.downcast_ref::<http_body_util::LengthLimitError>() {
        Some(_) => ApiError::new(codes::REQUEST_TOO_LARGE),
        None => ApiError::new(codes::BAD_REQUEST),
    })?;
    Ok(read.to_bytes())
}
