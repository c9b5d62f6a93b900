//! What is done to an address before any path is matched.

use axum::extract::Request;
use http::{Method, Uri};

/// `POST ..?_method=PATCH` becomes `PATCH ..`, and a trailing slash goes: before any path is matched, so that every way
/// to write an address meets the same endpoint and the same limits.
pub(crate) fn rewrite(mut req: Request) -> Request {
    if req.method() == Method::POST
        && let Some(query) = req.uri().query()
        && let Some((_, name)) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "_method")
    {
        let method = match name.to_ascii_uppercase().as_str() {
            "PATCH" => Some(Method::PATCH),
            "PUT" => Some(Method::PUT),
            "DELETE" => Some(Method::DELETE),
            _ => None,
        };
        if let Some(method) = method {
            *req.method_mut() = method;
        }
    }
    let path = req.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let trimmed = path.trim_end_matches('/');
        let trimmed = if trimmed.is_empty() { "/" } else { trimmed }.to_owned();
        set_path(&mut req, &trimmed);
    }
    req
}

fn set_path(req: &mut Request, path: &str) {
    let target = req.uri().query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    if let Ok(uri) = target.parse::<Uri>() {
        *req.uri_mut() = uri;
    }
}

/// Puts the version before a path that has none.
pub(crate) fn with_version(mut req: Request) -> Request {
    let path = req.uri().path();
    if path != "/v1" && !path.starts_with("/v1/") {
        let versioned = format!("/v1{path}");
        set_path(&mut req, &versioned);
    }
    req
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn rewritten(method: &str, uri: &str) -> (String, String) {
        let req = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
        let req = rewrite(req);
        (req.method().to_string(), req.uri().to_string())
    }

    #[test]
    fn methods_sent_as_post_and_trailing_slashes_are_undone() {
        assert_eq!(rewritten("POST", "/v1/environment?_method=PATCH").0, "PATCH");
        assert_eq!(rewritten("POST", "/v1/client?_method=delete").0, "DELETE");
        assert_eq!(rewritten("POST", "/v1/client?_method=CONNECT").0, "POST");
        assert_eq!(rewritten("GET", "/v1/client?_method=DELETE").0, "GET");
        assert_eq!(rewritten("POST", "/v1/me/email_addresses/?a=b").1, "/v1/me/email_addresses?a=b");
        assert_eq!(rewritten("GET", "/").1, "/");
        assert_eq!(rewritten("GET", "//").1, "/");
    }

    #[test]
    fn paths_without_a_version_get_one() {
        let versioned = |uri: &str| with_version(Request::builder().uri(uri).body(Body::empty()).unwrap()).uri().to_string();
        assert_eq!(versioned("/users?limit=1"), "/v1/users?limit=1");
        assert_eq!(["/v1/users", "/v1", "/v1users"].map(versioned), ["/v1/users", "/v1", "/v1/v1users"]);
    }
}
