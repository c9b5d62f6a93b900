use crate::address::{rewrite, with_version};
use crate::answer::{self, error_response, json};
use crate::auth::{self, Arrival};
use crate::body::{Bodies, Sent, busy};
use crate::cx::Trace;
use crate::limits::{Call, Limits};
use crate::routes::{Entry, Routes};
use crate::{cors, docs, openapi, upload, versions};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use doorward_base::*;
use doorward_core::{App, dev_browser, enumeration, webhooks};
use doorward_wire::{Api, Auth, EndpointMeta, Rate};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tracing::Instrument as _;

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
    bodies: Bodies,
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
        Self(Arc::new(Inner { app, config, limits, in_flight, mints, bodies: Bodies::new() }))
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
        let body =
            if entry.shape.takes_file() { Ok(Sent::File(body)) } else { self.0.bodies.read(body, &self.0.config).await.map(Sent::Read) };
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
        // Files are read from those only who may send one.
        let (mut body, _place) = self.0.bodies.whole(body).await?;
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
