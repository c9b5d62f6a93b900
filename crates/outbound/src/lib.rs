//! Calls to others over HTTP: rustls with the system's certificates, no redirects, no cookies, no proxies, and no address
//! inside the operator's own network unless that is allowed.

mod address;

pub use address::is_public;

use doorward_core::outbound::{Answering, Method, Outbound, OutboundError, OutboundRequest, OutboundResponse};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, redirect};
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Calls others with reqwest.
pub struct HttpOutbound {
    guarded: Client,
    open: Client,
    allow_private: bool,
}

impl HttpOutbound {
    /// With `allow_private`, every request may go to loopback and private addresses and over plain `http`; else only those
    /// that say so.
    ///
    /// # Errors
    /// When the system's certificates cannot be used.
    pub fn new(allow_private: bool) -> Result<Self, String> {
        let build = |builder: ClientBuilder| {
            builder
                .redirect(redirect::Policy::none())
                // A proxy would look names up itself, past the guard.
                .no_proxy()
                .connect_timeout(CONNECT_TIMEOUT)
                .user_agent(concat!("doorward/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| chain(&error))
        };
        let guarded = build(Client::builder().https_only(true).dns_resolver(Guarded))?;
        Ok(Self { guarded, open: build(Client::builder())?, allow_private })
    }

    async fn call(&self, request: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        let private = self.allow_private || request.allow_private;
        if !private && !may_call(&request.url) {
            return Err(OutboundError::Forbidden);
        }
        let method = match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
            Method::Delete => http::Method::DELETE,
        };
        let client = if private { &self.open } else { &self.guarded };
        let mut call = client.request(method, request.url);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        if !request.body.is_empty() {
            call = call.body(request.body);
        }
        let answer = read(call, request.max_bytes, request.cut);
        tokio::time::timeout(request.timeout, answer).await.unwrap_or(Err(OutboundError::TimedOut))
    }
}

impl Outbound for HttpOutbound {
    fn send(&self, request: OutboundRequest) -> Answering<'_> {
        Box::pin(self.call(request))
    }
}

async fn read(call: reqwest::RequestBuilder, max_bytes: usize, cut: bool) -> Result<OutboundResponse, OutboundError> {
    let mut answer = call.send().await.map_err(failed)?;
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = answer.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > max_bytes {
            if cut {
                body.extend_from_slice(&chunk[..max_bytes - body.len()]);
                break;
            }
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(OutboundResponse { status: answer.status().as_u16(), headers, body })
}

/// Names are held against the guard when they are looked up; addresses are not looked up.
fn may_call(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    url.scheme() == "https" && address.is_none_or(is_public)
}

/// Why a call failed, without its address.
fn failed(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(at) = cause {
        if at.is::<Private>() {
            return OutboundError::Forbidden;
        }
        cause = at.source();
    }
    match error {
        error if error.is_timeout() => OutboundError::TimedOut,
        error if error.is_builder() => OutboundError::Malformed,
        error => OutboundError::Failed(chain(&error)),
    }
}

/// An error with its causes.
fn chain(error: &reqwest::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(at) = cause {
        text = format!("{text}: {at}");
        cause = at.source();
    }
    text
}

/// A name that leads inside.
#[derive(Debug)]
struct Private;

impl std::fmt::Display for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name has no public address")
    }
}

impl std::error::Error for Private {}

/// Looks names up and leaves out what is not public. What it answers is what is connected to, so that a name cannot change
/// between the check and the call.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|at| is_public(at.ip())).collect();
            if public.is_empty() {
                return Err(Private.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What calls others, or why it cannot be had.
///
/// # Errors
/// As [`HttpOutbound::new`].
pub fn shared(allow_private: bool) -> Result<Arc<dyn Outbound>, String> {
    Ok(Arc::new(HttpOutbound::new(allow_private)?))
}
