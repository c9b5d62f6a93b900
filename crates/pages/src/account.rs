//! The account pages of the public listener: `/sign-in`, `/sign-up`, `/waitlist`, `/user`, and `/`, which leads on. They are the forms of
//! `packages/react`, so that an app has working screens before it has any of its own. The server says which instance it is
//! and where to go afterwards; everything else goes through the Frontend API, as from any other page.

use crate::built::{BUILT, Built};
use crate::{page, popup};
use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use doorward_base::ApiError;
use doorward_core::captcha;
use doorward_core::environment::Places;
use doorward_core::handshake::check_redirect;
use doorward_core::oauth::POPUP_PATHS;
use doorward_core::settings::SignUpMode;
use doorward_gateway::{Gateway, Visit};
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

/// Under which the scripts are.
const FILES: &str = "/account-files";

/// Addresses that a visitor may bring along, in the SDKs' names: those for a sign-in, those for both, those for a sign-up.
/// The first that is there counts.
const AFTER_SIGN_IN: [&str; 4] = ["sign_in_force_redirect_url", "redirect_url", "after_sign_in_url", "sign_in_fallback_redirect_url"];
const AFTER_SIGN_UP: [&str; 4] = ["sign_up_force_redirect_url", "redirect_url", "after_sign_up_url", "sign_up_fallback_redirect_url"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    SignIn,
    SignUp,
    Waitlist,
    User,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Page {
    title: &'static str,
    app: String,
    /// What stands before our paths, where a proxy serves us below one of its own.
    base: String,
    files: String,
    page: &'static str,
    publishable_key: String,
    sign_in: String,
    sign_up: String,
    after: String,
    after_sign_out: String,
    single_session: bool,
    passkeys: bool,
}

/// The account pages of every instance, each on its own host.
pub fn public(gateway: Gateway) -> Router {
    let show = |which: Which| get(move |State(gateway): State<Gateway>, request: Request| show(which, gateway, request));
    let popup = POPUP_PATHS.into_iter().fold(Router::new(), |router, path| router.route(path, get(popup::show)));
    popup
        .route("/", get(home))
        .route("/sign-in", show(Which::SignIn))
        .route("/sign-in/choose", show(Which::SignIn))
        .route("/sign-up", show(Which::SignUp))
        .route("/waitlist", show(Which::Waitlist))
        .route("/user", show(Which::User))
        .route("/account-files/{version}/{file}", get(file))
        .route("/account-files/popup.js", get(|| page::asset("text/javascript; charset=utf-8", include_str!("../assets/popup.js"))))
        .route("/account-files/notice.css", get(|| page::asset("text/css; charset=utf-8", include_str!("../assets/style.css"))))
        .with_state(gateway)
}

async fn home(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match gateway.visit(&parts).await {
        Ok(visit) => visit,
        Err(error) => return refused(&error),
    };
    let Places { home, user, .. } = Places::of(&visit.scope.instance, &visit.frontend_url);
    let ours = home.trim_end_matches('/') == visit.frontend_url;
    let to = if ours { format!("{}/user", base(&visit)) } else { home };
    let location = HeaderValue::from_str(&to).or_else(|_| HeaderValue::from_str(&user));
    let mut response = page::account(StatusCode::TEMPORARY_REDIRECT.into_response());
    response.headers_mut().extend(location.ok().map(|value| (header::LOCATION, value)));
    response
}

async fn show(which: Which, gateway: Gateway, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match gateway.visit(&parts).await {
        Ok(visit) => visit,
        Err(error) => return refused(&error),
    };
    let base = base(&visit);
    let asked = match asked(&visit, &parts) {
        Ok(asked) => asked,
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let text = "The page that you came from asks to be returned to an address that does not belong to this app.";
            return notice(status, &base, "This link does not work", text);
        }
    };
    let settings = &visit.scope.instance.settings;
    let invited = parts.uri.query().is_some_and(|query| query.contains("__clerk_ticket="));
    let waits = settings.sign_up.mode == SignUpMode::Waitlist;
    if which == Which::SignUp && waits && !invited {
        return to_waitlist(&visit, &asked);
    }
    if which == Which::Waitlist && !waits {
        let text = "This app has no waitlist at the moment.";
        return notice(StatusCode::NOT_FOUND, &base, "No waitlist here", text);
    }
    if which == Which::SignUp && settings.sign_up.mode != SignUpMode::Public && !invited {
        let text = "Accounts are made by those who run this app. Ask them for one.";
        return notice(StatusCode::FORBIDDEN, &base, "No sign-ups here", text);
    }
    let Some(built) = BUILT else {
        let text = "This build of Doorward has no account pages in it. Run `make pages`, and then build it again.";
        return notice(StatusCode::NOT_IMPLEMENTED, &base, "Not built", text);
    };
    let page = page::html(StatusCode::OK, &page_of(which, &visit, &asked, &base, built.version));
    if captcha::shown(&visit.scope.instance).is_some() { page::account_with_captcha(page) } else { page::account(page) }
}

/// Whoever would sign up asks to be let in.
fn to_waitlist(visit: &Visit, asked: &Asked) -> Response {
    let to = with(&Places::of(&visit.scope.instance, &visit.frontend_url).waitlist, asked);
    let mut response = page::account(StatusCode::TEMPORARY_REDIRECT.into_response());
    response.headers_mut().extend(HeaderValue::from_str(&to).ok().map(|value| (header::LOCATION, value)));
    response
}

fn page_of(which: Which, visit: &Visit, asked: &Asked, base: &str, version: &str) -> Page {
    let settings = &visit.scope.instance.settings;
    let places = Places::of(&visit.scope.instance, &visit.frontend_url);
    let (names, default) = match which {
        Which::SignUp => (AFTER_SIGN_UP, &places.after_sign_up),
        Which::SignIn | Which::Waitlist | Which::User => (AFTER_SIGN_IN, &places.after_sign_in),
    };
    let after = names.iter().find_map(|name| asked.iter().find(|(key, _)| key == name)).map_or(default, |(_, url)| url).clone();
    let (name, title) = match which {
        Which::SignIn => ("sign-in", "Sign in"),
        Which::SignUp => ("sign-up", "Sign up"),
        Which::Waitlist => ("waitlist", "Waitlist"),
        Which::User => ("user", "Your account"),
    };
    let sign_up = match settings.sign_up.mode {
        SignUpMode::Public => with(&places.sign_up, asked),
        SignUpMode::Waitlist => with(&places.waitlist, asked),
        SignUpMode::Restricted => String::new(),
    };
    Page {
        title,
        app: settings.application_name.clone(),
        base: base.to_owned(),
        files: format!("{base}{FILES}/{version}"),
        page: name,
        publishable_key: visit.scope.instance.publishable_key.clone(),
        sign_in: with(&places.sign_in, asked),
        sign_up,
        after,
        after_sign_out: places.after_sign_out,
        single_session: settings.session.single_session,
        passkeys: settings.attributes.passkey,
    }
}

type Asked = Vec<(&'static str, String)>;

/// Where the visitor wants to go afterwards: each such parameter is checked, used or not, for all are handed on.
fn asked(visit: &Visit, parts: &Parts) -> Result<Asked, ApiError> {
    let mut out = Asked::new();
    let query = parts.uri.query().unwrap_or_default();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(name) = AFTER_SIGN_IN.iter().chain(&AFTER_SIGN_UP).find(|name| **name == key) {
            out.push((*name, check_redirect(&visit.scope, Some(&value))?.into()));
        }
    }
    Ok(out)
}

/// The address of a page with what the visitor brought along.
fn with(page: &str, asked: &Asked) -> String {
    if asked.is_empty() {
        return page.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(asked).finish();
    format!("{page}{}{query}", if page.contains('?') { '&' } else { '?' })
}

/// The path of the Frontend API's address, without a slash at its end.
pub(crate) fn base(visit: &Visit) -> String {
    let after_scheme = visit.frontend_url.split_once("://").map_or("", |(_, rest)| rest);
    after_scheme.find('/').map_or("", |at| &after_scheme[at..]).trim_end_matches('/').to_owned()
}

pub(crate) fn refused(error: &ApiError) -> Response {
    let status = if error.status() == 400 { StatusCode::NOT_FOUND } else { StatusCode::from_u16(error.status()).unwrap_or_default() };
    let (title, text) = match status {
        StatusCode::NOT_FOUND => ("Nothing here", "No app has its accounts under this address."),
        StatusCode::TOO_MANY_REQUESTS => ("Too many requests", "Wait a moment, and try again."),
        _ => ("Not now", "This page cannot be shown. Try again in a moment."),
    };
    let mut response = notice(status, "", title, text);
    let seconds = error.retry_after_seconds().map(HeaderValue::from);
    response.headers_mut().extend(seconds.map(|value| (header::RETRY_AFTER, value)));
    response
}

#[derive(Template)]
#[template(path = "account_notice.html")]
struct Notice<'a> {
    base: &'a str,
    title: &'a str,
    text: &'a str,
}

fn notice(status: StatusCode, base: &str, title: &str, text: &str) -> Response {
    page::account(page::html(status, &Notice { base, title, text }))
}

async fn file(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = BUILT.as_ref().and_then(|it: &Built| it.file(&version, &name)) else {
        return page::account(StatusCode::NOT_FOUND.into_response());
    };
    let coding = |value: &HeaderValue| value.to_str().is_ok_and(takes_gzip);
    let packed = headers.get_all(header::ACCEPT_ENCODING).iter().any(coding);
    let mut response = page::account(([(header::CONTENT_TYPE, file.kind)], if packed { file.packed } else { file.plain }).into_response());
    let out = response.headers_mut();
    if packed {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

/// Whether `Accept-Encoding` names gzip and does not give it the weight 0 (RFC 9110, 12.5.3).
fn takes_gzip(value: &str) -> bool {
    value.split(',').any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && !parts.any(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_by_who_names_it() {
        for yes in ["gzip", "deflate, gzip;q=0.5, br", "GZIP"] {
            assert!(takes_gzip(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"] {
            assert!(!takes_gzip(no), "{no}");
        }
    }

    #[test]
    fn texts_of_an_instance_are_texts_on_the_page() {
        let hostile = || "\"><script>alert(1)</script>".to_owned();
        let page = Page {
            title: "Sign in",
            app: hostile(),
            base: hostile(),
            files: hostile(),
            page: "sign-in",
            publishable_key: hostile(),
            sign_in: hostile(),
            sign_up: hostile(),
            after: hostile(),
            after_sign_out: hostile(),
            single_session: true,
            passkeys: true,
        };
        let text = page.render().unwrap();
        assert_eq!((text.matches("<script").count(), text.matches("alert(1)").count()), (1, 11), "{text}");
        assert!(!text.contains("\">\"") && !text.contains("<script>"), "{text}");
    }

    #[test]
    fn what_a_visitor_brought_goes_along() {
        let asked = vec![("redirect_url", "https://app.example.com/a?b=c".to_owned())];
        assert_eq!(with("https://x.example/sign-up", &Vec::new()), "https://x.example/sign-up");
        assert_eq!(with("/sign-up", &asked), "/sign-up?redirect_url=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc");
        assert_eq!(with("/sign-up?x=1", &asked), "/sign-up?x=1&redirect_url=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc");
    }
}
