use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn with_policy(mut response: Response, policy: &'static str) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}

/// What the account pages may do: run our own script, which is WebAssembly too, and make no markup out of text.
const ACCOUNT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// An answer of the public listener. Its own requests say where they come from; links elsewhere do not.
pub(crate) fn account(response: Response) -> Response {
    let mut response = with_policy(guarded(response), ACCOUNT_POLICY);
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The same where the instance asks for captchas: their script is Cloudflare's, and puts frames of its own on the page. An address of a
/// script that is not ours, and what that script does, go against trusted types, so there are none.
const CAPTCHA_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://challenges.cloudflare.com; frame-src https://challenges.cloudflare.com; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// [`account`], for a page that may have to show a captcha.
pub(crate) fn account_with_captcha(response: Response) -> Response {
    with_policy(account(response), CAPTCHA_POLICY)
}

/// A rendered page.
pub(crate) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => guarded((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()),
        Err(error) => {
            tracing::error!(error = %error, "a page could not be rendered");
            guarded(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// What a page with forms may do: no script, and forms to ourselves.
const FORMS_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A rendered page with forms.
pub(crate) fn forms(status: StatusCode, template: &impl Template) -> Response {
    with_policy(html(status, template), FORMS_POLICY)
}

/// What a page may do that shows [`foreign`] ones.
const FRAMING_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A rendered page that shows [`foreign`] ones.
pub(crate) fn framing(template: &impl Template) -> Response {
    with_policy(html(StatusCode::OK, template), FRAMING_POLICY)
}

/// What markup of somebody else's may do: style itself.
const FOREIGN_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox";

/// Markup of somebody else's, in a frame of ours.
pub(crate) fn foreign(markup: String) -> Response {
    let response = guarded(([(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup).into_response());
    let mut response = with_policy(response, FOREIGN_POLICY);
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// Goes to another page, after a form.
pub(crate) fn see_other(to: &str) -> Response {
    guarded((StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response())
}

/// A style or a script.
pub(crate) async fn asset(content_type: &'static str, text: &'static str) -> Response {
    guarded(([(header::CONTENT_TYPE, content_type)], text).into_response())
}

/// A page that says why there is nothing else.
#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    text: &'a str,
}

pub(crate) fn notice(status: StatusCode, title: &str, text: &str) -> Response {
    html(status, &Notice { title, text })
}

/// Whether a request's Host can be trusted to have been typed by a person on this network: an address, or a name
/// without a dot. Any site can point a name of its own at 127.0.0.1 and would then be allowed to read what it gets.
pub(crate) fn typed_here(headers: &HeaderMap, uri: &http::Uri) -> bool {
    let from_header = || headers.get(header::HOST).and_then(|value| value.to_str().ok()?.parse::<Authority>().ok());
    let Some(authority) = uri.authority().cloned().or_else(from_header) else { return false };
    // Nothing but a port may follow: `[::1].evil.example` is no address.
    if !authority.as_str().strip_prefix(authority.host()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
        return false;
    }
    let host = authority.host().trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    host.parse::<std::net::IpAddr>().is_ok() || host.ends_with(".localhost") || (!host.is_empty() && !host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_anybody_can_point_here_are_not_trusted() {
        let trusted = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            typed_here(&headers, &http::Uri::from_static("/inbox"))
        };
        for good in ["localhost:4101", "127.0.0.1:4101", "[::1]:4101", "10.0.0.7", "doorward:4101", "LOCALHOST", "a.localhost:1"] {
            assert!(trusted(good), "{good}");
        }
        for bad in
            ["evil.example:4101", "127.0.0.1.evil.example", "localhost.evil.example:4101", "", "[::1].evil.example", "127.0.0.1.nip.io"]
        {
            assert!(!trusted(bad), "{bad}");
        }
        assert!(!typed_here(&HeaderMap::new(), &http::Uri::from_static("/inbox")));
    }
}
