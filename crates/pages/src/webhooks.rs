//! The page where the webhook endpoints of an instance are managed. Who may see it, `core::webhooks` decides: the private
//! listener by itself is no proof of anything, and endpoints say where people's data goes.

use crate::inbox::age;
use crate::{Pages, page};
use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use doorward_base::{ApiError, EndpointId, InstanceId, Secret};
use doorward_core::webhooks::{self, EVENTS, EndpointChange, Range, SESSION_SECONDS};
use doorward_core::{Scope, instance};
use doorward_store::webhooks::{self as store, AttemptRecord, DeliveryRecord, EndpointRecord};
use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

const COOKIE: &str = "doorward_webhooks";
/// Deliveries on the page.
const SHOWN: i64 = 20;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(crate) fn router() -> Router<Pages> {
    Router::new()
        .route("/webhooks", get(list).post(create))
        .route("/webhooks/enter", get(ask).post(enter))
        .route("/webhooks/leave", post(leave))
        .route("/webhooks/{endpoint}", get(show).post(act))
}

/// Somebody who may be here.
struct Visitor {
    scope: Scope,
    token: String,
    form_token: String,
}

/// The fields of a form, or of anything else that was sent.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// What the form for an endpoint chose.
    fn change(&self) -> EndpointChange {
        let events = self.0.iter().filter(|(name, _)| name == "event").map(|(_, value)| value.clone()).collect();
        // What is no number is out of range.
        let rate = Some(self.get("rate_limit")).filter(|text| !text.is_empty()).map(|text| text.parse().unwrap_or(0));
        EndpointChange {
            url: Some(self.get("url").to_owned()),
            description: Some(self.get("description").to_owned()),
            events: Some(events),
            disabled: None,
            rate_limit: Some(rate),
        }
    }
}

struct Kind {
    name: &'static str,
    chosen: bool,
}

struct Form {
    url: String,
    description: String,
    rate_limit: String,
    chose: bool,
    kinds: Vec<Kind>,
}

impl Form {
    fn of(it: &EndpointRecord) -> Self {
        let events: Vec<String> = serde_json::from_str(&it.events).unwrap_or_default();
        Self {
            url: it.url.clone(),
            description: it.description.clone(),
            rate_limit: it.rate_limit.map_or_else(String::new, |rate| rate.to_string()),
            chose: !events.is_empty(),
            kinds: EVENTS.iter().map(|name| Kind { name, chosen: events.iter().any(|it| it == name) }).collect(),
        }
    }
}

struct Shown {
    id: String,
    url: String,
    description: String,
    state: &'static str,
}

impl Shown {
    fn of(it: &EndpointRecord) -> Self {
        let (id, url, description) = (it.id.to_string(), it.url.clone(), it.description.clone());
        Self { id, url, description, state: it.state() }
    }
}

struct Sent {
    id: String,
    kind: String,
    age: String,
    status: String,
    attempts: i64,
    last: String,
    response: String,
}

impl Sent {
    fn of(it: DeliveryRecord, last: Option<AttemptRecord>, now: i64) -> Self {
        let outcome = |it: &AttemptRecord| it.error.clone().unwrap_or_else(|| format!("answered with {}", it.status.unwrap_or_default()));
        Self {
            id: it.event_id.to_string(),
            kind: it.kind,
            age: age(now - it.created_at),
            status: it.status,
            attempts: it.attempts,
            last: last
                .as_ref()
                .map_or_else(String::new, |it| format!("{}, {} ms, {}", outcome(it), it.duration_ms, age(now - it.created_at))),
            response: last.map_or_else(String::new, |it| it.response),
        }
    }
}

#[derive(Template)]
#[template(path = "webhooks_enter.html")]
struct Enter {
    instance: String,
    token: String,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct List {
    name: String,
    form_token: String,
    endpoints: Vec<Shown>,
    form: Form,
}

#[derive(Template)]
#[template(path = "webhooks_endpoint.html")]
struct One {
    name: String,
    form_token: String,
    it: Shown,
    form: Form,
    secret: Option<String>,
    deliveries: Vec<Sent>,
}

fn refused(error: &ApiError) -> Response {
    if let Some(cause) = error.cause() {
        tracing::error!(cause, "the page of webhooks cannot be shown");
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    page::notice(status, error.message(), &error.long_message())
}

fn stranger() -> Response {
    let text = "To manage webhook endpoints, run \"doorward webhook page\" on the server and open the address that it prints, or ask the Backend API for one.";
    page::notice(StatusCode::FORBIDDEN, "Not signed in", text)
}

/// Who is here, by the cookie.
async fn visitor(pages: &Pages, headers: &HeaderMap) -> Result<Visitor, Response> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let ours = cookies.flat_map(|text| text.split("; ")).find_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='));
    let (id, token) = ours.and_then(|value| value.split_once('.')).ok_or_else(stranger)?;
    let (app, id) = (&pages.app, InstanceId::from(id));
    if !webhooks::authorized(app, &id, token).await.map_err(|e| refused(&e))? {
        return Err(stranger());
    }
    let instance = instance::by_id(app, &id).await.map_err(|e| refused(&e))?.ok_or_else(stranger)?;
    let scope = Scope { now: app.clock.now(), app: app.clone(), instance };
    Ok(Visitor { scope, form_token: webhooks::form_token(app, token), token: token.to_owned() })
}

/// Who sent a form, if the form is one of ours.
async fn sender(pages: &Pages, headers: &HeaderMap, body: &[u8]) -> Result<(Visitor, Fields), Response> {
    let (visitor, fields) = (visitor(pages, headers).await?, Fields::of(body));
    if !webhooks::is_form_token(&pages.app, &visitor.token, fields.get("form_token")) {
        return Err(page::notice(
            StatusCode::FORBIDDEN,
            "Not from here",
            "The form did not come from this page. Load the page and try again.",
        ));
    }
    Ok((visitor, fields))
}

fn cookie(value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{COOKIE}={value}; Path=/webhooks; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    instance: String,
    #[serde(default)]
    token: String,
}

/// Uses nothing up: programs that look at addresses before people do send no forms.
async fn ask(Query(asked): Query<Asked>) -> Response {
    page::forms(StatusCode::OK, &Enter { instance: asked.instance, token: asked.token })
}

async fn enter(State(pages): State<Pages>, body: Bytes) -> Response {
    let fields = Fields::of(&body);
    let id = InstanceId::from(fields.get("instance"));
    match webhooks::enter(&pages.app, &id, fields.get("token")).await {
        Ok(Some(token)) => {
            let mut response = page::see_other("/webhooks");
            response.headers_mut().insert(header::SET_COOKIE, cookie(&format!("{id}.{}", token.expose()), SESSION_SECONDS));
            response
        }
        Ok(None) => page::notice(StatusCode::FORBIDDEN, "Not any more", "This address was used before, or is too old. Ask for a new one."),
        Err(error) => refused(&error),
    }
}

async fn leave(State(pages): State<Pages>, headers: HeaderMap, body: Bytes) -> Response {
    let (visitor, _) = match sender(&pages, &headers, &body).await {
        Ok(it) => it,
        Err(response) => return response,
    };
    if let Err(error) = webhooks::leave(&pages.app, &visitor.scope.instance.id, &visitor.token).await {
        return refused(&error);
    }
    let mut response = page::see_other("/");
    response.headers_mut().insert(header::SET_COOKIE, cookie("", 0));
    response
}

async fn list(State(pages): State<Pages>, headers: HeaderMap) -> Response {
    let visitor = match visitor(&pages, &headers).await {
        Ok(it) => it,
        Err(response) => return response,
    };
    match webhooks::list(&visitor.scope).await {
        Ok(all) => {
            let endpoints = all.iter().map(Shown::of).collect();
            let name = visitor.scope.instance.name.clone();
            let form = Form::of(&EndpointRecord::default());
            page::forms(StatusCode::OK, &List { name, form_token: visitor.form_token, endpoints, form })
        }
        Err(error) => refused(&error),
    }
}

async fn create(State(pages): State<Pages>, headers: HeaderMap, body: Bytes) -> Response {
    let (visitor, fields) = match sender(&pages, &headers, &body).await {
        Ok(it) => it,
        Err(response) => return response,
    };
    match webhooks::create(&visitor.scope, fields.change()).await {
        Ok((made, secret)) => one(&visitor, &made.id, Some(secret)).await,
        Err(error) => refused(&error),
    }
}

async fn show(State(pages): State<Pages>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match visitor(&pages, &headers).await {
        Ok(visitor) => one(&visitor, &id.into(), None).await,
        Err(response) => response,
    }
}

async fn one(visitor: &Visitor, id: &EndpointId, secret: Option<Secret>) -> Response {
    match load(visitor, id, secret).await {
        Ok(it) => page::forms(StatusCode::OK, &it),
        Err(error) => refused(&error),
    }
}

async fn load(visitor: &Visitor, id: &EndpointId, secret: Option<Secret>) -> Result<One, ApiError> {
    let scope = &visitor.scope;
    let (db, ins) = (&scope.app.db, &scope.instance.id);
    let it = webhooks::find(scope, id).await?;
    let mut deliveries = Vec::new();
    for delivery in store::deliveries(db, ins, id, None, SHOWN).await.map_err(doorward_core::internal)? {
        let last = store::attempts(db, ins, id, &delivery.event_id, 1).await.map_err(doorward_core::internal)?.pop();
        deliveries.push(Sent::of(delivery, last, scope.now));
    }
    Ok(One {
        name: scope.instance.name.clone(),
        form_token: visitor.form_token.clone(),
        form: Form::of(&it),
        it: Shown::of(&it),
        secret: secret.map(|secret| secret.expose().to_owned()),
        deliveries,
    })
}

async fn act(State(pages): State<Pages>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (visitor, fields) = match sender(&pages, &headers, &body).await {
        Ok(it) => it,
        Err(response) => return response,
    };
    let id = EndpointId::from(id);
    match perform(&visitor.scope, &id, &fields).await {
        Ok(Done::Secret(secret)) => one(&visitor, &id, Some(secret)).await,
        Ok(Done::Changed) => page::see_other(&format!("/webhooks/{id}")),
        Ok(Done::Gone) => page::see_other("/webhooks"),
        Err(error) => refused(&error),
    }
}

enum Done {
    Changed,
    Secret(Secret),
    Gone,
}

async fn perform(scope: &Scope, id: &EndpointId, fields: &Fields) -> Result<Done, ApiError> {
    let it = webhooks::find(scope, id).await?;
    let switch = |disabled| EndpointChange { disabled: Some(disabled), ..fields.change() };
    match fields.get("action") {
        "update" => webhooks::update(scope, id, fields.change()).await.map(|_| Done::Changed),
        "enable" => webhooks::update(scope, id, switch(false)).await.map(|_| Done::Changed),
        "disable" => webhooks::update(scope, id, switch(true)).await.map(|_| Done::Changed),
        "test" => webhooks::test_event(scope, &it).await.map(|_| Done::Changed),
        "replay" => webhooks::replay(scope, &it, &fields.get("event_id").into()).await.map(|()| Done::Changed),
        "recover" => {
            let range = Range { since: scope.now - DAY_MS, until: scope.now + 1, all: false };
            webhooks::replay_range(scope, &it, range).await.map(|_| Done::Changed)
        }
        "reveal" => webhooks::reveal_secret(scope, id).await.map(Done::Secret),
        "rotate" => webhooks::rotate_secret(scope, id).await.map(Done::Secret),
        "delete" if fields.get("sure") == "yes" => webhooks::delete(scope, id).await.map(|()| Done::Gone),
        _ => Err(ApiError::new(doorward_base::codes::BAD_REQUEST)),
    }
}
