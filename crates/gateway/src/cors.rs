use http::header::*;
use http::{HeaderMap, HeaderValue};

/// Lets the page at `origin` read the answer (Fetch standard, section 3.2). Never a wildcard: cookies are involved.
pub(crate) fn allow(headers: &mut HeaderMap, origin: Option<&str>) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin.and_then(|o| HeaderValue::from_str(o).ok()) else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    let exposed = HeaderValue::from_static("Authorization, Clerk-Db-Jwt, Clerk-Cookie, Retry-After, X-Country");
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// Answers a preflight.
pub(crate) fn preflight(headers: &mut HeaderMap, asked: Option<&HeaderValue>) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(asked) = asked {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
}
