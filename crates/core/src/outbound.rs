//! Calls that the server makes to others: breached passwords, identity providers, message gateways. Core says what it
//! wants; the server brings what does it.

use crate::app::Scope;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use url::Url;

/// How long a call may take unless a request says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer's body may be unless a request says otherwise, in bytes.
pub const DEFAULT_MAX_BYTES: usize = 1024 * 1024;

/// What is done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read it.
    Get,
    /// Send to it.
    Post,
    /// Replace it.
    Put,
    /// Remove it.
    Delete,
}

/// A call. It may hold secrets, so it cannot be printed.
#[derive(Clone)]
pub struct OutboundRequest {
    /// What is done.
    pub method: Method,
    /// To what. Without private networks it must be `https`.
    pub url: Url,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// From the first look-up to the last byte of the answer.
    pub timeout: Duration,
    /// The most bytes that the answer's body may have.
    pub max_bytes: usize,
    /// Whether a longer body is cut off there, where the status says all, and not refused.
    pub cut: bool,
    /// Whether loopback and private addresses may be called, and plain `http` used. [`send`] sets it on development instances.
    pub allow_private: bool,
}

impl OutboundRequest {
    /// A call without headers and body, to public addresses only.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            max_bytes: DEFAULT_MAX_BYTES,
            cut: false,
            allow_private: false,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends fields as a form.
    #[must_use]
    pub fn form<K: AsRef<str>, V: AsRef<str>>(mut self, fields: impl IntoIterator<Item = (K, V)>) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Sends a JSON value.
    #[must_use]
    pub fn json(mut self, value: &serde_json::Value) -> Self {
        self.body = value.to_string().into_bytes();
        self.header("content-type", "application/json")
    }
}

/// What was answered. A redirect is an answer like any other; nobody follows it.
#[derive(Clone)]
pub struct OutboundResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values. Values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl OutboundResponse {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of the 200s.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer. None of them holds the address, for it may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// A private address, or no `https`.
    #[error("the address is not one that may be called")]
    Forbidden,
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// The answer is longer than it may be.
    #[error("the answer is too long")]
    TooLarge,
    /// The request is not one that can be sent.
    #[error("the request cannot be sent")]
    Malformed,
    /// Nobody there, or the connection broke.
    #[error("the connection failed: {0}")]
    Failed(String),
}

/// An answer on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<OutboundResponse, OutboundError>> + Send + 'a>>;

/// Calls others. Implementations follow no redirects, keep no cookies and never log what is sent.
pub trait Outbound: Send + Sync {
    /// Sends a request and reads the whole answer.
    fn send(&self, request: OutboundRequest) -> Answering<'_>;
}

impl fmt::Debug for dyn Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

/// Calls nobody: for commands and tests that have nothing to do outside.
#[derive(Debug)]
pub struct Nowhere;

impl Outbound for Nowhere {
    fn send(&self, _: OutboundRequest) -> Answering<'_> {
        Box::pin(async { Err(OutboundError::Forbidden) })
    }
}

/// Sends a request for an instance. A development instance may call private addresses. Never call it inside a transaction.
///
/// # Errors
/// Why there is no answer.
pub async fn send(scope: &Scope, mut request: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
    request.allow_private |= scope.instance.is_development();
    scope.app.outbound.send(request).await
}
