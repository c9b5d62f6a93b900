use crate::answer::{self, error_response, json};
use crate::auth::{self, Arrival};
use crate::cx::{Cx, Trace};
use crate::limits::{Call, Limits};
use crate::routes::{Entry, Routes};
use crate::upload::{self, MAX_BODY_BYTES};
use crate::version::{ApiVersion, ScriptVersion};
use crate::{cors, docs, openapi, versions};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use doorward_base::*;
use doorward_core::client::{self, Current};
use doorward_core::{App, Caller, Scope, dev_browser, enumeration, oauth, reverification, tasks, webhooks};
use doorward_wire::fapi::SENSITIVE;
use doorward_wire::{Api, Auth, EndpointMeta, Rate};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tracing::Instrument as _;

/// How many files may be on their way in at once.
const MAX_UPLOADS: usize = 8;
/// How many bodies may be on their way in at once, beside those that come with their heads.
const MAX_READING: usize = 1024;
/// How long one may take.
const READING_TIMEOUT: Duration = Duration::from_secs(10);
/// What a browser's own addresses are looked at by `HEAD` before people open them: links in mails. The others may change something
/// when they are read.
const LOOKED_AT: [&str; 2] = ["verify", "acceptTicket"];

/// How the gateway guards the server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether calls are counted. Off in load tests only.
    pub limits_enabled: bool,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// How large a body may be.
    pub max_body_bytes: usize,
    /// How many requests are worked on at once; more are refused with 503.
    pub max_in_flight: usize,
    /// How many tokens are minted at once; they do not wait behind other requests.
    pub max_mints_in_flight: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            limits_enabled: true,
            request_timeout: Duration::from_secs(30),
            max_body_bytes: 256 * 1024,
            max_in_flight: 1024,
            max_mints_in_flight: 1024,
        }
    }
}

/// Turns requests into calls. Cloning shares it.
#[derive(Clone)]
pub struct Gateway(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: Arc<App>,
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    in_flight: Semaphore,
    mints: Semaphore,
    uploads: Semaphore,
    reading: Semaphore,
}

/// A body: read, or a file that is read once it is known who sends it.
enum Sent {
    Read(Bytes),
    File(Body),
}

/// What the log line of a request says beside its status and duration; put onto the answer by whoever knows.
#[derive(Clone, Default)]
struct Logged {
    route: Option<&'static str>,
    instance: Option<InstanceId>,
    code: Option<&'static str>,
}

impl Gateway {
    /// A gateway for a server.
    pub fn new(app: Arc<App>, config: Config) -> Self {
        let limits = Limits::new(&app.clock);
        let (in_flight, mints) = (Semaphore::new(config.max_in_flight), Semaphore::new(config.max_mints_in_flight));
        let (uploads, reading) = (Semaphore::new(MAX_UPLOADS), Semaphore::new(MAX_READING));
        Self(Arc::new(Inner { app, config, limits, in_flight, mints, uploads, reading }))
    }

    /// The routes as a router, with `/openapi.json` and `/docs` of the same table.
    pub fn mount(&self, routes: Routes) -> Router {
        let api = routes.api();
        // For whoever reads them; a start does not wait for it.
        let documents = Arc::new(LazyLock::new({
            let routes = routes.clone();
            move || {
                let document = openapi::document(&routes);
                (serde_json::to_vec_pretty(&document).unwrap_or_default(), docs::page(&document))
            }
        }));
        let mut router = Router::new();
        for entry in routes.entries {
            let gateway = self.clone();
            let Ok(filter) = Method::from_bytes(entry.documented.meta.method.as_bytes())
                .map_err(|_| ())
                .and_then(|m| MethodFilter::try_from(m).map_err(|_| ()))
            else {
                continue;
            };
            let path = entry.documented.meta.path;
            router =
                router.route(path, on(filter, move |params: RawPathParams, req: Request| gateway.clone().run(entry.clone(), params, req)));
        }
        let (data, page) = (documents.clone(), documents);
        router = router
            .route("/openapi.json", axum::routing::get(move || async move { json(StatusCode::OK, data.0.clone()) }))
            .route("/docs", axum::routing::get(move || async move { html(page.1.clone()) }));
        let state = (self.clone(), api);
        let (here, there) = (self.clone(), self.clone());
        let router = router
            .method_not_allowed_fallback(move |req: Request| here.clone().refuse(api, codes::METHOD_NOT_ALLOWED, req))
            .fallback(move |req: Request| there.clone().refuse(api, codes::ROUTE_NOT_FOUND, req));
        let versioned = router.clone();
        // Clients whose address of the Backend API was to end with the version call it without.
        let router = match api {
            Api::Backend => router.fallback(move |req: Request| versioned.clone().oneshot(with_version(req))),
            Api::Frontend => router,
        };
        router.layer(axum::middleware::from_fn_with_state(state, outer))
    }

    /// What an address that nobody serves answers, and a method that an address does not take. The page may read it.
    async fn refuse(self, api: Api, code: &'static doorward_base::Code, req: Request) -> Response<Body> {
        let (parts, _) = req.into_parts();
        let trace = parts.extensions.get::<Trace>().cloned().unwrap_or_else(|| Trace(String::new()));
        let mut response = error_response(&ApiError::new(code), &trace, None);
        if api == Api::Frontend {
            let arrival = auth::frontend(&self.0, &parts, peer(&parts), false).await.ok();
            cors::allow(response.headers_mut(), arrival.and_then(|it| it.allowed_origin).as_deref());
        }
        response
    }

    /// Puts before a router what must happen before its paths are matched: other methods sent as POST with `_method`,
    /// and trailing slashes.
    pub fn wrap(&self, router: Router) -> Router {
        Router::new().fallback_service(tower::util::MapRequest::new(router, rewrite))
    }

    async fn run(self, entry: Arc<Entry>, params: RawPathParams, req: Request) -> Response<Body> {
        let meta = entry.documented.meta;
        let (parts, body) = req.into_parts();
        let trace = parts.extensions.get::<Trace>().cloned().unwrap_or_else(|| Trace(String::new()));
        let mut logged = Logged { route: Some(meta.id), ..Logged::default() };
        let mut origin = None;
        let gate = if meta.rate == Rate::Mint { &self.0.mints } else { &self.0.in_flight };
        // Before the call takes a place: whoever sends slowly keeps nobody's.
        let body = if entry.shape.takes_file() { Ok(Sent::File(body)) } else { self.read(body).await.map(Sent::Read) };
        let result = match (body, gate.try_acquire()) {
            (Err(error), _) => Err(error),
            (Ok(_), Err(_)) => Err(busy()),
            (Ok(body), Ok(_permit)) => {
                let timeout = self.0.config.request_timeout;
                // Pinned where it is: it is large, and handed on by value it would be copied.
                let work = std::pin::pin!(self.handle(&entry, &params, parts, body, &trace, &mut logged, &mut origin));
                tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| Err(codes::REQUEST_TIMEOUT.into()))
            }
        };
        let mut response = result.unwrap_or_else(|error| {
            logged.code = Some(error.code().code);
            error_response(&error, &trace, None)
        });
        if meta.api == Api::Frontend {
            cors::allow(response.headers_mut(), origin.as_deref());
        }
        response.extensions_mut().insert(logged);
        response
    }

    /// Reads a body that is no file. Most come with their heads; for the others there are places of their own.
    async fn read(&self, body: Body) -> Result<Bytes, ApiError> {
        let mut reading = std::pin::pin!(collect(body, self.0.config.max_body_bytes));
        if let Poll::Ready(read) = std::future::poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await {
            return read;
        }
        let _place = self.0.reading.try_acquire().map_err(|_| busy())?;
        let timeout = READING_TIMEOUT.min(self.0.config.request_timeout);
        tokio::time::timeout(timeout, reading).await.unwrap_or_else(|_| Err(codes::REQUEST_TIMEOUT.into()))
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one request, and what its log line needs")]
    async fn handle(
        &self,
        entry: &Entry,
        params: &RawPathParams,
        mut parts: Parts,
        body: Sent,
        trace: &Trace,
        logged: &mut Logged,
        origin: &mut Option<String>,
    ) -> Result<Response<Body>, ApiError> {
        let meta = &entry.documented.meta;
        let began = Instant::now();
        let looks = parts.method == Method::HEAD && matches!(meta.auth, Auth::Client | Auth::Session | Auth::AnySession);
        if looks && !LOOKED_AT.contains(&meta.id) {
            return Err(codes::METHOD_NOT_ALLOWED.into());
        }
        let arrival = self.arrive(meta, &parts).await?;
        logged.instance = Some(arrival.instance.id.clone());
        *origin = arrival.allowed_origin.clone();
        if self.0.config.limits_enabled {
            let object = params.iter().next().map(|(_, id)| id);
            self.0.limits.check(Call { rate: meta.rate, operation: meta.id, object, ip: arrival.caller.ip }, &arrival.instance)?;
        }
        let path: Vec<(String, String)> = params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let mut cx = self.context(meta, &mut parts, arrival, trace).await?;
        // Files are large: few of them at once, and only from those who may send one.
        let _uploading;
        let mut body = match body {
            Sent::Read(body) => body,
            Sent::File(body) => {
                _uploading = self.0.uploads.try_acquire().map_err(|_| busy())?;
                collect(body, MAX_BODY_BYTES).await?
            }
        };
        if entry.shape.takes_file() {
            cx.upload = upload::read(&cx.headers, &body).await?;
            if cx.upload.is_some() || upload::is_form(&cx.headers) {
                body = Bytes::new();
            }
        }
        let input = entry.shape.read(&path, parts.uri.query(), &cx.headers, &body)?;
        drop(body);
        versions::accept(cx.api_version, meta.id, &input)?;
        let handled = match meta.api {
            Api::Frontend => {
                let caller = cx.caller.clone();
                webhooks::asked_by(&caller, entry.handler.call(&mut cx, input)).await
            }
            Api::Backend => entry.handler.call(&mut cx, input).await,
        };
        let answer = match handled {
            Ok(body) => answer::success(&mut cx, meta, body).await,
            Err(error) => {
                logged.code = Some(error.code().code);
                Ok(answer::failure(&mut cx, meta, &error).await)
            }
        };
        if let Some(it) = &cx.dev_browser {
            dev_browser::bind(&cx.scope, it, &cx.current).await?;
        }
        if meta.rate.may_tell_of_accounts() {
            enumeration::even_out(&cx.scope, began).await;
        }
        answer
    }

    async fn arrive(&self, meta: &EndpointMeta, parts: &Parts) -> Result<Arrival, ApiError> {
        match meta.api {
            Api::Frontend => auth::frontend(&self.0, parts, peer(parts), meta.auth == Auth::Foreign).await,
            Api::Backend => auth::backend(&self.0, parts, peer(parts), meta.auth == Auth::SecretKey).await,
        }
    }

    /// Finds out who is calling. The headers move on into the result.
    async fn context(&self, meta: &EndpointMeta, parts: &mut Parts, arrival: Arrival, trace: &Trace) -> Result<Cx, ApiError> {
        let header = auth::header(&parts.headers, "clerk-api-version");
        let api_version = ApiVersion::choose(header, auth::query(parts, "__clerk_api_version").as_deref())?;
        let script = ScriptVersion::parse(auth::query(parts, "_clerk_js_version").as_deref());
        let scope = Scope { app: self.0.app.clone(), instance: arrival.instance, now: self.0.app.clock.now() };
        let mut cx = Cx {
            scope,
            caller: Caller {
                knows_pending: api_version.knows_pending(),
                knows_setup_mfa: api_version.knows_setup_mfa(script),
                knows_client_trust: api_version.knows_client_trust(script),
                ..arrival.caller
            },
            api_version,
            current: Current::default(),
            client_token: auth::client_token(parts, meta.api),
            dev_browser: None,
            dev_browser_token: None,
            session: None,
            only_looks: parts.method == Method::HEAD,
            by_https: auth::by_https(&self.0.config, parts, peer(parts)),
            headers: HeaderMap::new(),
            proxy_url: arrival.proxy_url,
            upload: None,
            raw: None,
            trace: trace.clone(),
        };
        if matches!(meta.auth, Auth::Client | Auth::Session | Auth::AnySession) {
            self.find_client(&mut cx, meta, parts).await?;
            hand_in(&mut cx, meta, parts).await?;
        }
        if matches!(meta.auth, Auth::Session | Auth::AnySession) {
            find_session(&mut cx, meta, parts).await?;
        }
        cx.headers = std::mem::take(&mut parts.headers);
        Ok(cx)
    }

    /// The client of a request. Minting looks it up by itself, together with the session.
    async fn find_client(&self, cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
        if cx.scope.instance.is_development()
            && let Some(token) = auth::dev_browser_token(parts)
        {
            cx.dev_browser = dev_browser::find(&cx.scope, &token).await?;
            cx.caller.dev_browser = cx.dev_browser.is_some().then(|| Secret::from(token.as_str()));
            cx.dev_browser_token = cx.dev_browser.is_some().then_some(token);
        }
        if meta.rate == Rate::Mint && (cx.client_token.is_some() || cx.dev_browser.is_none()) {
            return Ok(());
        }
        if let Some(token) = &cx.client_token {
            cx.current.record = client::find(&cx.scope, token).await?;
        }
        if cx.current.record.is_none()
            && let Some(it) = &cx.dev_browser
        {
            cx.current.record = dev_browser::client_of(&cx.scope, it).await?;
        }
        Ok(())
    }
}

fn busy() -> ApiError {
    ApiError::new(codes::SERVER_BUSY).retry_after(1)
}

async fn collect(body: Body, most: usize) -> Result<Bytes, ApiError> {
    let read = http_body_util::Limited::new(body, most).collect().await;
    let read = read.map_err(|e| match e.downcast_ref::<http_body_util::LengthLimitError>() {
        Some(_) => ApiError::new(codes::REQUEST_TOO_LARGE),
        None => ApiError::new(codes::BAD_REQUEST),
    })?;
    Ok(read.to_bytes())
}

/// An app that asks for anything of its client may hand in what its browser came back from a provider with.
async fn hand_in(cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
    let asks = meta.method == "GET" && cx.native() && cx.current.record.is_some();
    if let Some(nonce) = auth::query(parts, "rotating_token_nonce").filter(|_| asks) {
        cx.current = oauth::redeem(&cx.scope, &cx.caller, cx.current.clone(), &nonce).await?;
    }
    Ok(())
}

async fn find_session(cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
    let invalid = || ApiError::new(codes::AUTHENTICATION_INVALID);
    let client = cx.current.record.as_ref().ok_or_else(invalid)?;
    let live = client::live_sessions(&cx.scope, &client.id).await?;
    let wanted = auth::query(parts, "_clerk_session_id").map(SessionId::from).or_else(|| client.last_active_session_id.clone());
    let found = match wanted {
        Some(id) => live.into_iter().find(|(session, _)| session.id == id),
        None => live.into_iter().next_back(),
    };
    let (session, user) = found.ok_or_else(invalid)?;
    if meta.auth != Auth::AnySession && tasks::is_pending(&cx.scope, &session, &user) {
        return Err(invalid());
    }
    if SENSITIVE.contains(&meta.id) {
        reverification::require(&cx.scope, &session, &user)?;
    }
    cx.session = Some((session, user));
    Ok(())
}

fn html(page: String) -> Response<Body> {
    let mut response = Response::new(Body::from(page));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'");
    response.headers_mut().insert(http::header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Whoever is at the other end of the connection.
pub(crate) fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |it| it.0.ip())
}

/// What happens to every request of an interface: an id, a log line, metrics, a preflight's answer.
async fn outer(State((gateway, api)): State<(Gateway, Api)>, mut req: Request, next: Next) -> Response<Body> {
    let started = Instant::now();
    let id: [u8; 16] = gateway.0.app.rng.bytes();
    let trace = Trace(format!("{:032x}", u128::from_be_bytes(id)));
    req.extensions_mut().insert(trace.clone());
    let method = req.method().clone();
    let preflight = method == Method::OPTIONS && api == Api::Frontend;
    // Its own target: for traces, which are switched on apart from the log.
    let span = tracing::debug_span!(
        target: "doorward::trace", "request", otel.kind = "server", method = %method, trace_id = %trace.0,
        route = tracing::field::Empty, status = tracing::field::Empty
    );
    let answering = async { if preflight { answer_preflight(&gateway, req, &trace).await } else { next.run(req).await } };
    let mut response = answering.instrument(span.clone()).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !response.headers().contains_key(CACHE_CONTROL) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    let logged = response.extensions_mut().remove::<Logged>().unwrap_or_default();
    let (route, status, took) = (logged.route.unwrap_or("none"), response.status().as_u16(), started.elapsed());
    let api = if api == Api::Frontend { "frontend" } else { "backend" };
    span.record("route", route).record("status", status);
    metrics::counter!("doorward_requests_total", "api" => api, "route" => route, "status" => status_text(status)).increment(1);
    metrics::histogram!("doorward_request_seconds", "api" => api, "route" => route).record(took.as_secs_f64());
    tracing::info!(
        target: "doorward::request",
        trace_id = %trace.0,
        instance = logged.instance.as_ref().map(InstanceId::as_str),
        api,
        route,
        method = %method,
        status,
        code = logged.code,
        duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
    );
    response
}

fn status_text(status: u16) -> &'static str {
    match status {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

async fn answer_preflight(gateway: &Gateway, req: Request, trace: &Trace) -> Response<Body> {
    let (parts, _) = req.into_parts();
    match auth::frontend(&gateway.0, &parts, peer(&parts), false).await {
        Err(error) => error_response(&error, trace, None),
        Ok(arrival) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            cors::allow(response.headers_mut(), arrival.allowed_origin.as_deref());
            cors::preflight(response.headers_mut(), parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS));
            response
        }
    }
}

/// `POST ..?_method=PATCH` becomes `PATCH ..`, and a trailing slash goes: before any path is matched, so that every way
/// to write an address meets the same endpoint and the same limits.
fn rewrite(mut req: Request) -> Request {
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
fn with_version(mut req: Request) -> Request {
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
