//! What goes in beside commands, and what comes out.

use crate::value::Value;

/// A request to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// By which its answer is told.
    pub id: u64,
    /// `GET` or `POST`; other methods travel as `_method`, which spares browsers a second request that asks for leave.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Headers beside the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// A form.
    pub body: Option<String>,
    /// Whether cookies go along.
    pub credentials: bool,
}

/// A cookie of the page to be written, or to be deleted when it has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// `Lax` or `Strict`.
    pub same_site: &'static str,
    /// Whether it travels over TLS only.
    pub secure: bool,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The first error's code; `network_error` when nobody answered.
    pub code: String,
    /// The first error's text.
    pub message: String,
    /// The answer's status; 0 without an answer.
    pub status: u16,
    /// `errors` as the server sent it: objects with `code`, `message`, `long_message`, `meta`.
    pub errors: Vec<Value>,
    /// Under which the server logged the request.
    pub trace_id: Option<String>,
    /// Seconds to wait before it makes sense again.
    pub retry_after: Option<i64>,
}

impl Failure {
    /// A failure that the core found by itself.
    pub(crate) fn new(code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Self { code, message, status: 0, errors: Vec::new(), trace_id: None, retry_after: None }
    }

    /// Nobody is there any more to perform a command.
    pub fn ended() -> Self {
        Self::new("client_ended", "The client has ended.")
    }

    pub(crate) fn signed_out() -> Self {
        Self::new("signed_out", "Nobody is signed in.")
    }

    /// What the server said.
    pub(crate) fn answered(status: u16, body: &Value, retry_after: Option<i64>) -> Self {
        let errors = body["errors"].as_array().unwrap_or_default().to_vec();
        let text = |key: &str| errors.first().and_then(|error| error[key].as_str()).map(str::to_owned);
        Self {
            code: text("code").unwrap_or_else(|| "unexpected_error".to_owned()),
            message: text("long_message").or_else(|| text("message")).unwrap_or_else(|| "The server refused the request.".to_owned()),
            status,
            trace_id: body["clerk_trace_id"].as_str().map(str::to_owned),
            retry_after,
            errors,
        }
    }
}

/// What became of a command: the resource that came of it, or nothing in particular (`null`).
pub type Outcome = Result<Value, Failure>;

/// Something for the binding to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request.
    Request(Request),
    /// Write a cookie of the page.
    Cookie(Cookie),
    /// Keep this client token in place of the last one (native programs).
    ClientToken(Option<String>),
    /// Read the snapshot again: it changed.
    Changed,
    /// Answer a command. Each is answered once.
    Settle {
        /// The number it was given with.
        call: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// Tell the other tabs.
    Broadcast(Value),
    /// Send [`Event::Timer`] at this time (Unix milliseconds), and not at the one that was named before.
    Timer(Option<i64>),
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A request was answered.
    Response {
        /// Its number.
        id: u64,
        /// The status.
        status: u16,
        /// Headers, their names in lower case.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// A request was not answered.
    Failed {
        /// Its number.
        id: u64,
    },
    /// The time that was asked for has come.
    Timer,
    /// The page is seen.
    Visible,
    /// Nobody sees the page any more.
    Hidden,
    /// There is a network.
    Online,
    /// There is none.
    Offline,
    /// Another tab told something.
    Message(Value),
    /// The page's cookies, as they are now.
    Cookies(String),
}
