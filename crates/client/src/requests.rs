//! How a request is written.

use crate::config::{Config, Place};
use crate::effects::Request;
use crate::text::written;
use crate::value::{Map, Value};

/// The date of the protocol that the core speaks.
const API_VERSION: &str = "2026-05-12";

/// Where an endpoint is: its method and its path.
pub(crate) type Route = (&'static str, &'static str);

/// The route of an endpoint that the wire declares, without what else it says there: a browser would load it all.
macro_rules! route {
    ($endpoint:ident) => {
        const { ($endpoint::META.method, $endpoint::META.path) }
    };
}
pub(crate) use route;

/// A request before it has a number, so that it can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) kind: Kind,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) form: String,
    /// The form is a file, base64.
    pub(crate) file: bool,
    /// How often it was sent.
    pub(crate) tries: u32,
    /// The server wants to hear of it no earlier.
    pub(crate) not_before: i64,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    DevBrowser,
    Load,
    Reload {
        call: Option<u64>,
    },
    /// What came of a captcha, which is good once.
    Captcha {
        call: u64,
    },
    Step {
        call: u64,
    },
    /// For the user of a session.
    Account {
        call: u64,
        session: String,
        deletes_user: bool,
    },
    Activate {
        call: u64,
        session: String,
    },
    SignOut {
        call: u64,
        session: Option<String>,
    },
    Token(crate::tokens::Key),
    Touch {
        call: Option<u64>,
    },
}

impl Kind {
    /// Whether asking twice does no harm, and how often it is asked at most.
    pub(crate) fn most_tries(&self) -> u32 {
        match self {
            Self::DevBrowser | Self::Load => u32::MAX,
            Self::Reload { .. } | Self::Token(_) => 4,
            _ => 1,
        }
    }
}

impl Ask {
    /// One that says no more than what it is for.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { kind, method: "GET", path: String::new(), form: String::new(), file: false, tries: 0, not_before: i64::MIN }
    }

    /// For an endpoint whose path takes `id`.
    pub(crate) fn new(kind: Kind, (method, template): Route, ids: &[&str], form: String) -> Self {
        let mut ids = ids.iter();
        let mut path = String::new();
        for part in template.split('/').skip(1) {
            path.push('/');
            if part.starts_with('{') {
                path.extend(segment(ids.next().copied().unwrap_or_default()));
            } else {
                path.push_str(part);
            }
        }
        Self { method, path, form, ..Self::of(kind) }
    }

    pub(crate) fn request(&self, id: u64, config: &Config, place: &Place, dev_browser: Option<&str>, token: Option<&str>) -> Request {
        let mut url = [&place.frontend, self.path.as_str(), "?__clerk_api_version=", API_VERSION].concat();
        let mut add = |name: &str, value: &str| {
            url.push('&');
            url.push_str(name);
            url.push('=');
            url.extend(form_urlencoded::byte_serialize(value.as_bytes()));
        };
        let reads = self.method == "GET";
        if !reads && self.method != "POST" {
            add("_method", self.method);
        }
        if let Some(token) = dev_browser {
            add("__clerk_db_jwt", token);
        }
        if let Kind::Account { session, .. } = &self.kind {
            add("_clerk_session_id", session);
        }
        let mut headers = Vec::new();
        if config.native {
            add("_is_native", "1");
            headers.extend(token.map(|token| ("authorization", token.to_owned())));
        }
        if !reads {
            let kind = if self.file { "application/octet-stream" } else { "application/x-www-form-urlencoded" };
            headers.push(("content-type", kind.to_owned()));
        }
        let body = (!reads).then(|| self.form.clone());
        Request { id, method: if reads { "GET" } else { "POST" }, url, headers, body, credentials: !config.native }
    }
}

/// A part of a path.
pub(crate) fn segment(text: &str) -> impl Iterator<Item = &str> {
    form_urlencoded::byte_serialize(text.as_bytes())
}

/// Names and values of the wire as a form.
pub(crate) fn pairs(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Parameters as a form: names in snake case, objects as JSON, a list as a name that comes several times.
pub(crate) fn form(params: &Map) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in params.iter() {
        let name = snake(name);
        for value in value.as_array().unwrap_or(std::slice::from_ref(value)) {
            out.append_pair(&name, &text(value));
        }
    }
    out.finish()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => written(other),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_has_the_wire_s_names_and_the_app_s_values() {
        let params = json!({"emailAddress": "a+b@example.com", "unsafeMetadata": {"ownName": 1}, "legalAccepted": true, "code": null, "scope": ["x", "y"]});
        let text = form(&params.as_object().unwrap().clone().into());
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let expected = [
            ("email_address", "a+b@example.com"),
            ("unsafe_metadata", "{\"ownName\":1}"),
            ("legal_accepted", "true"),
            ("code", ""),
            ("scope", "x"),
            ("scope", "y"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
