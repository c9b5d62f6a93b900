use crate::cookies;
use crate::cx::{Cx, Trace};
use crate::versions;
use axum::body::Body;
use doorward_base::*;
use doorward_core::{client, handshake};
use doorward_wire::{Api, Auth, EndpointMeta, Envelope, Rate};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// One error as the wire has it.
#[derive(Serialize)]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
    long_message: String,
    #[serde(skip_serializing_if = "ErrorMeta::is_empty")]
    meta: &'a ErrorMeta,
}

/// An error as an answer. The cause of an internal one is logged here and goes no further.
pub fn error_response(error: &ApiError, trace: &Trace, client: Option<&[u8]>) -> Response<Body> {
    if let Some(cause) = error.cause() {
        tracing::error!(trace_id = %trace.0, cause, "a request failed");
    }
    let one = ErrorBody { code: error.code().code, message: error.message(), long_message: error.long_message(), meta: error.meta() };
    let mut body = b"{\"errors\":".to_vec();
    // Serializing texts cannot fail; were it to, an empty list is what the SDKs tolerate.
    body.extend(serde_json::to_vec(&[one]).unwrap_or_else(|_| b"[]".to_vec()));
    if let Some(client) = client {
        body.extend(b",\"meta\":{\"client\":");
        body.extend(client);
        body.push(b'}');
    }
    body.extend(format!(",\"clerk_trace_id\":\"{}\"}}", trace.0).as_bytes());
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, body);
    if let Some(seconds) = error.retry_after_seconds() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// JSON, with exactly the content type that the official SDKs compare.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The whole client, and the sign-in time that its cookies say.
struct Piggyback {
    client: Vec<u8>,
    uat: Option<i64>,
}

async fn piggyback(cx: &Cx) -> Result<Piggyback, ApiError> {
    match &cx.current.record {
        Some(record) => {
            let (view, uat) = client::view(&cx.scope, &cx.caller, record, cx.current.signed_in.as_ref()).await?;
            Ok(Piggyback { client: serde_json::to_vec(&view).map_err(ApiError::internal)?, uat: Some(uat) })
        }
        None => Ok(Piggyback { client: b"null".to_vec(), uat: cx.current.forgotten.then_some(0) }),
    }
}

fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Wraps what a handler answered, with the cookies that go with it.
pub(crate) async fn success(cx: &mut Cx, meta: &EndpointMeta, body: Vec<u8>) -> Result<Response<Body>, ApiError> {
    let mut uat = None;
    let mut response = match meta.envelope {
        Envelope::Raw => {
            // A session began on the way to another page: what that page's server reads has to say so.
            if let (Some(record), Some(_)) = (&cx.current.record, &cx.current.new_token) {
                uat = Some(uat_of(cx, record).await?);
            }
            cx.raw.take().ok_or_else(|| ApiError::internal("a raw endpoint gave no answer"))?.map(Body::from)
        }
        Envelope::Bare => json(StatusCode::OK, versions::outgoing(cx.api_version, body)),
        Envelope::Nothing => no_content(),
        Envelope::WithClient => {
            let with = piggyback(cx).await?;
            uat = with.uat;
            let whole = [b"{\"response\":", body.as_slice(), b",\"client\":", &with.client, b"}"].concat();
            json(StatusCode::OK, versions::outgoing(cx.api_version, whole))
        }
        Envelope::NullClient => {
            // The response is the client itself; whoever asks for it learns nothing that it does not say.
            uat = match (&cx.current.record, cx.current.forgotten) {
                (Some(record), _) => Some(uat_of(cx, record).await?),
                (None, forgotten) => forgotten.then_some(0),
            };
            let whole = [b"{\"response\":", body.as_slice(), b",\"client\":null}"].concat();
            json(StatusCode::OK, versions::outgoing(cx.api_version, whole))
        }
    };
    if meta.auth != Auth::SecretKey {
        set_cookies(cx, uat, &mut response);
    }
    say_country(cx, meta, &mut response);
    Ok(response)
}

async fn uat_of(cx: &Cx, record: &doorward_store::clients::ClientRecord) -> Result<i64, ApiError> {
    let live = client::live_sessions(&cx.scope, &record.id).await?;
    Ok(if live.is_empty() { 0 } else { client::signed_in_at(&cx.scope, record) })
}

/// An error, with the client beside it where the caller keeps one: a wrong password leaves an attempt that the caller
/// must learn of.
pub(crate) async fn failure(cx: &mut Cx, meta: &EndpointMeta, error: &ApiError) -> Response<Body> {
    let with = match (meta.envelope, &cx.current.record) {
        (Envelope::WithClient, Some(_)) if error.status() < 500 => piggyback(cx).await.ok(),
        _ => None,
    };
    let (client, uat) = with.map_or((None, None), |it| (Some(versions::outgoing(cx.api_version, it.client)), it.uat));
    let mut response = error_response(error, &cx.trace, client.as_deref());
    set_cookies(cx, uat, &mut response);
    say_country(cx, meta, &mut response);
    response
}

/// Where the caller is: with which prefix a form for phone numbers begins.
fn say_country(cx: &Cx, meta: &EndpointMeta, response: &mut Response<Body>) {
    if meta.api != Api::Frontend || meta.rate == Rate::Mint {
        return;
    }
    let country = cx.caller.ip.and_then(|ip| cx.scope.app.atlas.place(ip).country);
    if let Some(value) = country.and_then(|it| HeaderValue::from_str(&it).ok()) {
        response.headers_mut().insert("x-country", value);
    }
}

fn set_cookies(cx: &Cx, uat: Option<i64>, response: &mut Response<Body>) {
    let mut add = |text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    };
    match &cx.current.new_token {
        Some(token) if !cx.native() => add(cookies::client_cookie(Some(token.expose()), cx.secure())),
        None if cx.current.forgotten && !cx.native() => add(cookies::client_cookie(None, cx.secure())),
        _ => {}
    }
    if let Some(uat) = uat.filter(|_| !cx.native()) {
        let suffix = &cx.scope.instance.cookie_suffix;
        let names = ["__client_uat".to_owned(), format!("__client_uat_{suffix}")];
        let value = uat.to_string();
        let right = |name: &String| {
            let sent: Vec<&str> = cookies::cookies(&cx.headers, name).collect();
            !sent.is_empty() && sent.iter().all(|v| *v == value)
        };
        if !names.iter().all(right) {
            let host = url::Url::parse(&cx.caller.frontend_url).ok();
            let domain = handshake::cookie_domain(&cx.scope, host.as_ref().and_then(url::Url::host_str));
            cookies::uat_cookies(uat, suffix, domain, cx.secure()).into_iter().for_each(&mut add);
        }
    }
    if !cx.native() {
        return;
    }
    // Extensions take the token of a development browser for gone that is not said again.
    for (name, token) in [
        (AUTHORIZATION, cx.current.new_token.as_ref().map(|it| it.expose())),
        (HeaderName::from_static("clerk-db-jwt"), cx.dev_browser_token.as_deref()),
    ] {
        if let Some(value) = token.and_then(|token| HeaderValue::from_str(token).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
}
