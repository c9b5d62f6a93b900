use crate::ApiVersion;
use bytes::Bytes;
use doorward_base::*;
use doorward_core::client::{self, Current};
use doorward_core::images::Upload;
use doorward_core::{Caller, Scope};
use doorward_store::clients::ClientRecord;
use doorward_store::dev_browsers::DevBrowserRecord;
use doorward_store::sessions::SessionRecord;
use doorward_store::users::UserWithEmails;
use http::{HeaderMap, Response};

/// A request on its way through an endpoint: what was found out about it, and what the answer needs beside its body.
pub struct Cx {
    /// Server, instance and time.
    pub scope: Scope,
    /// Who is calling.
    pub caller: Caller,
    /// The version of the protocol that the caller speaks.
    pub api_version: ApiVersion,
    /// The client, as far as it is known.
    pub current: Current,
    /// The client token that was sent, looked up or not.
    pub client_token: Option<Secret>,
    /// The development browser that was named.
    pub dev_browser: Option<DevBrowserRecord>,
    /// The token of that development browser, as it was sent.
    pub dev_browser_token: Option<String>,
    /// For endpoints that need a signed-in user: the session and its user.
    pub session: Option<(SessionRecord, UserWithEmails)>,
    /// Whether it is a `HEAD`, which must change nothing (RFC 9110, section 9.2.1).
    pub only_looks: bool,
    /// The request's headers.
    pub headers: HeaderMap,
    /// Whether the caller came by https, as a trusted proxy in front of us says.
    pub by_https: bool,
    /// The proxy's own address, when a request came through a proxy that proved itself.
    pub proxy_url: Option<String>,
    /// The file, for endpoints that take one.
    pub upload: Option<Upload<Bytes>>,
    /// The answer, for endpoints that do not answer JSON.
    pub raw: Option<Response<Bytes>>,
    /// The request's id, under which it is logged.
    pub trace: Trace,
}

/// A request's id.
#[derive(Clone, Debug)]
pub struct Trace(pub String);

impl Cx {
    /// The session of an endpoint that needs one, with its user.
    ///
    /// # Errors
    /// `authentication_invalid` when nobody is signed in.
    pub fn session(&self) -> Result<&(SessionRecord, UserWithEmails), ApiError> {
        self.session.as_ref().ok_or_else(|| codes::AUTHENTICATION_INVALID.into())
    }

    /// The client, to be changed.
    ///
    /// # Errors
    /// `authentication_invalid` when the request has no client.
    pub fn client(&mut self) -> Result<&mut ClientRecord, ApiError> {
        self.current.record.as_mut().ok_or_else(|| codes::AUTHENTICATION_INVALID.into())
    }

    /// Makes a client when the request has none.
    ///
    /// # Errors
    /// Only failures of ours.
    pub async fn client_or_new(&mut self) -> Result<(), ApiError> {
        if self.current.record.is_none() {
            self.current = client::create(&self.scope).await?;
        }
        Ok(())
    }

    /// Takes over what a transition made of the client.
    pub fn keep<T>(&mut self, outcome: client::Outcome<T>) -> T {
        self.current = outcome.current;
        outcome.value
    }

    /// Whether cookies may travel over TLS only: the caller sees the Frontend API under https.
    pub fn secure(&self) -> bool {
        self.caller.frontend_url.starts_with("https:")
    }

    /// Whether the caller keeps the client token itself instead of in a cookie.
    pub fn native(&self) -> bool {
        self.caller.native
    }
}
