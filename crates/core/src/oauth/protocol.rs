//! What is said to a provider: where the browser is sent, how a code becomes tokens, and tokens an identity (RFC 6749,
//! RFC 7636, OpenID Connect Core).

use super::connection::{At, Connection, Endpoints};
use super::identity::{self, Identity, Tokens};
use super::providers::{ClientAuth, IdTokens};
use super::{documents, id_token};
use crate::app::Scope;
use crate::outbound::{self, Method, OutboundRequest};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use doorward_base::*;
use serde_json::{Map, Value, json};
use url::Url;

/// The most bytes of a provider's answer.
const MAX_BYTES: usize = 256 * 1024;

/// What a browser is sent to a provider with.
pub(super) struct Ask<'a> {
    pub state: &'a str,
    pub nonce: &'a str,
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub scopes: &'a [String],
    pub prompt: Option<&'a str>,
    pub login_hint: Option<&'a str>,
}

/// What becomes tokens.
pub(super) struct Code<'a> {
    pub code: &'a str,
    /// What the browser set out with; none where an app got the code by itself.
    pub by: Option<Sent<'a>>,
}

/// What a browser set out with.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub verifier: &'a str,
    pub redirect_uri: &'a str,
    pub nonce: &'a str,
}

fn exchange_failed(key: &str, why: impl std::fmt::Display) -> ApiError {
    tracing::warn!(provider = key, %why, "a provider gave no tokens");
    codes::OAUTH_TOKEN_EXCHANGE_ERROR.into()
}

fn fetch_failed(key: &str, why: impl std::fmt::Display) -> ApiError {
    tracing::warn!(provider = key, %why, "a provider did not say whose account it is");
    codes::OAUTH_FETCH_USER_ERROR.into()
}

/// Where the browser goes.
pub(super) fn authorize_url(connection: &Connection<'_>, endpoints: &Endpoints, ask: &Ask<'_>) -> String {
    let (row, settings) = (connection.row, connection.settings);
    let mut url = endpoints.authorize.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair(row.client_param, connection.client_id);
        query.append_pair("redirect_uri", ask.redirect_uri).append_pair("state", ask.state);
        if !ask.scopes.is_empty() {
            query.append_pair("scope", &ask.scopes.join(row.separator));
        }
        if row.pkce {
            let challenge = B64.encode(digest::digest(&digest::SHA256, ask.verifier.as_bytes()));
            query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        }
        if connection.id_tokens(endpoints).is_some_and(|it| it.nonce) {
            query.append_pair("nonce", ask.nonce);
        }
        for (name, value) in row.extra.iter().filter(|(name, _)| *name != "prompt" || ask.prompt.is_none()) {
            query.append_pair(name, value);
        }
        for (name, value) in [("prompt", ask.prompt), ("login_hint", ask.login_hint), ("hd", settings.hosted_domain.as_deref())] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
    }
    url.into()
}

/// Calls the token endpoint.
async fn call_token(
    scope: &Scope,
    connection: &Connection<'_>,
    endpoints: &Endpoints,
    mut fields: Vec<(&str, &str)>,
) -> Result<(Value, Option<Secret>), ApiError> {
    let secret = connection.secret(scope).await?;
    let (id, shown) = (connection.client_id, secret.as_ref().map(Secret::expose));
    let mut request = OutboundRequest { max_bytes: MAX_BYTES, ..OutboundRequest::new(Method::Post, endpoints.token.clone()) };
    request = request.header("accept", "application/json");
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let auth = connection.auth();
    match (auth, shown) {
        (ClientAuth::Basic | ClientAuth::BasicJson, Some(secret)) => {
            let pair = STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
            request = request.header("authorization", format!("Basic {pair}"));
        }
        (_, secret) => {
            fields.push((connection.row.client_param, id));
            fields.extend(secret.map(|secret| ("client_secret", secret)));
        }
    }
    let request = if auth == ClientAuth::BasicJson {
        request.json(&Value::Object(fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()))
    } else {
        request.form(fields)
    };
    let answer = outbound::send(scope, request).await.map_err(|error| exchange_failed(connection.key, error))?;
    let mut json: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // Some say with status 200 that it did not work.
    if !answer.is_success() || json.get("error").is_some_and(|error| !error.is_null() && error != "") || json["ok"] == Value::Bool(false) {
        let error: String = json["error"].as_str().unwrap_or_default().chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
        return Err(exchange_failed(connection.key, format!("status {} {error}", answer.status)));
    }
    // Instagram's documents have the answer in a list.
    let listed = json.pointer_mut("/data/0").filter(|it| it.is_object()).map(Value::take);
    Ok((listed.unwrap_or(json), secret))
}

fn tokens_of(scope: &Scope, connection: &Connection<'_>, answer: &Value) -> Result<Tokens, ApiError> {
    let text = |name: &str| answer[name].as_str().filter(|it| !it.is_empty() && it.len() <= 16 * 1024).map(str::to_owned);
    let access = text("access_token").ok_or_else(|| exchange_failed(connection.key, "no access token in the answer"))?;
    let seconds = answer["expires_in"].as_i64().or_else(|| answer["expires_in"].as_str()?.parse().ok());
    let expire_at = seconds.filter(|seconds| (1..=10 * 365 * 86_400).contains(seconds)).map(|seconds| scope.now + seconds * 1000);
    Ok(Tokens { access: Some(access), refresh: text("refresh_token"), id: text("id_token"), expire_at })
}

/// The scopes of an answer, or those that were asked for (RFC 6749, section 5.1), with spaces between.
fn scopes_of(answer: &Value, asked: &[String]) -> String {
    let text = match (&answer["scope"], &answer["scopes"]) {
        (Value::String(text), _) => text.replace(',', " "),
        // Some list them.
        (Value::Array(all), _) | (_, Value::Array(all)) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => asked.join(" "),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(2048).collect()
}

/// Makes an identity of a code.
///
/// # Errors
/// `oauth_token_exchange_error`, `oauth_fetch_user_error`, `misconfigured_oauth_provider`, `oauth_config_missing`.
pub(super) async fn exchange(
    scope: &Scope,
    connection: &Connection<'_>,
    strategy: &str,
    code: &Code<'_>,
    asked: &[String],
) -> Result<Identity, ApiError> {
    let endpoints = connection.endpoints(scope).await?;
    let mut fields = vec![("grant_type", "authorization_code"), ("code", code.code)];
    if let Some(sent) = code.by {
        fields.push(("redirect_uri", sent.redirect_uri));
        fields.extend(connection.row.pkce.then_some(("code_verifier", sent.verifier)));
    }
    let (answer, secret) = call_token(scope, connection, &endpoints, fields).await?;
    let tokens = tokens_of(scope, connection, &answer)?;
    let claims = match (connection.id_tokens(&endpoints), &tokens.id) {
        (Some(rule), Some(token)) => {
            let nonce = code.by.map(|sent| sent.nonce).filter(|_| rule.nonce);
            let by_secret = secret.as_ref().filter(|_| rule.by_secret).map(Secret::expose);
            check(scope, connection, &endpoints, token, nonce, by_secret).await?
        }
        (Some(_), None) => return Err(exchange_failed(connection.key, "no ID token in the answer")),
        (None, _) => Map::new(),
    };
    let description = describe(scope, connection, &endpoints, &tokens, (&answer, secret.as_ref())).await?;
    if let (Some(by_token), Some(described)) = (claims.get("sub"), &description)
        && described.get("sub") != Some(by_token)
    {
        return Err(fetch_failed(connection.key, "the description is of another subject than the ID token"));
    }
    let mut found = identify(connection, strategy, &endpoints, claims, description)?;
    if let (Some(rule), Some(access)) = (&connection.row.emails, &tokens.access) {
        let url = Url::parse(rule.url).map_err(|error| fetch_failed(connection.key, error))?;
        let answer = ask(scope, connection, OutboundRequest::new(Method::Get, url), access).await?;
        (found.email, found.email_verified) = identity::primary_email(rule, &answer).map_or((None, None), |(email, ok)| (Some(email), ok));
    }
    found.scopes = scopes_of(&answer, asked);
    found.tokens = tokens;
    Ok(found)
}

/// Makes an identity of an ID token that an app brings (One Tap, native sign-in).
///
/// # Errors
/// `oauth_fetch_user_error`, `misconfigured_oauth_provider`, `oauth_unsupported_provider` for one without ID tokens.
pub(super) async fn from_id_token(scope: &Scope, connection: &Connection<'_>, strategy: &str, token: &str) -> Result<Identity, ApiError> {
    let endpoints = connection.endpoints(scope).await?;
    let claims = check(scope, connection, &endpoints, token, None, None).await?;
    let mut found = identify(connection, strategy, &endpoints, claims, None)?;
    found.tokens.id = Some(token.to_owned());
    Ok(found)
}

/// Makes an identity of a code that the provider gave to an app itself.
///
/// # Errors
/// `form_param_missing` for `token` where the provider gives apps no codes; those of [`exchange`].
pub(super) async fn from_app_code(scope: &Scope, connection: &Connection<'_>, strategy: &str, code: &str) -> Result<Identity, ApiError> {
    let app = connection.of_app().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("token"))?;
    exchange(scope, &app, strategy, &Code { code, by: None }, &[]).await
}

fn identify(
    connection: &Connection<'_>,
    strategy: &str,
    endpoints: &Endpoints,
    claims: Map<String, Value>,
    description: Option<Value>,
) -> Result<Identity, ApiError> {
    let issuer = connection.issuer(endpoints, &claims);
    // What was signed decides; a description adds to it.
    let domain = claims.get("hd").cloned();
    let description = if claims.is_empty() { description.unwrap_or_default() } else { identity::merged(claims, description) };
    if let Some(wanted) = &connection.settings.hosted_domain
        && !domain.as_ref().and_then(Value::as_str).is_some_and(|it| it.eq_ignore_ascii_case(wanted))
    {
        return Err(codes::OAUTH_ACCESS_DENIED.into());
    }
    identity::read(connection, strategy, issuer, &description).ok_or_else(|| fetch_failed(connection.key, "the account has no id"))
}

/// Checks an ID token with the provider's keys. A key that is not there may be a new one.
async fn check(
    scope: &Scope,
    connection: &Connection<'_>,
    endpoints: &Endpoints,
    token: &str,
    nonce: Option<&str>,
    secret: Option<&str>,
) -> Result<Map<String, Value>, ApiError> {
    let (Some(IdTokens { .. }), Some(at)) = (connection.id_tokens(endpoints), &endpoints.keys) else {
        return Err(ApiError::new(codes::OAUTH_UNSUPPORTED_PROVIDER));
    };
    let settings = connection.settings;
    let clients: Vec<&str> = std::iter::once(&settings.client_id).chain(&settings.more_client_ids).map(String::as_str).collect();
    let issuer = |issuer: &str, claims: &Map<String, Value>| connection.trusts(endpoints, issuer, claims);
    let expected = id_token::Expected { issuer: &issuer, clients: &clients, nonce, secret, now: scope.now_seconds() };
    let failed = |why: String| fetch_failed(connection.key, why);
    let keys = documents::get(scope, at, false).await.map_err(|error| failed(error.to_string()))?;
    match id_token::verify(token, &keys, &expected) {
        Err(id_token::Refused::UnknownKey) => {
            let keys = documents::get(scope, at, true).await.map_err(|error| failed(error.to_string()))?;
            id_token::verify(token, &keys, &expected)
        }
        known => known,
    }
    .map_err(|refused| failed(refused.to_string()))
}

/// The description of an account, where there is one beside the ID token.
async fn describe(
    scope: &Scope,
    connection: &Connection<'_>,
    endpoints: &Endpoints,
    tokens: &Tokens,
    (answer, secret): (&Value, Option<&Secret>),
) -> Result<Option<Value>, ApiError> {
    let access = tokens.access.as_deref().unwrap_or_default();
    let request = match &endpoints.source {
        At::IdToken => return Ok(None),
        At::TokenAnswer => return Ok(Some(answer.clone())),
        At::Get(url) => OutboundRequest::new(Method::Get, url.clone()),
        At::Post(url) => OutboundRequest::new(Method::Post, url.clone()),
        At::Introspect(url) => {
            let mut fields = vec![("token", access), ("token_type_hint", "access_token"), ("client_id", connection.client_id)];
            fields.extend(secret.map(|secret| ("client_secret", secret.expose())));
            OutboundRequest::new(Method::Post, url.clone()).form(fields)
        }
        At::Graphql(url, query) => OutboundRequest::new(Method::Post, url.clone()).json(&json!({"query": query})),
    };
    ask(scope, connection, request, access).await.map(Some)
}

async fn ask(scope: &Scope, connection: &Connection<'_>, request: OutboundRequest, access: &str) -> Result<Value, ApiError> {
    let request = OutboundRequest { max_bytes: MAX_BYTES, ..request };
    let request = request.header("accept", "application/json").header("authorization", format!("Bearer {access}"));
    let answer = outbound::send(scope, request).await.map_err(|error| fetch_failed(connection.key, error))?;
    if !answer.is_success() {
        return Err(fetch_failed(connection.key, format!("status {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| fetch_failed(connection.key, "the description is not JSON"))
}

/// Makes new tokens of a refresh token. What is not in the answer stays as it was.
///
/// # Errors
/// `oauth_token_exchange_error`, `misconfigured_oauth_provider`, `oauth_config_missing`.
pub(super) async fn refresh(scope: &Scope, connection: &Connection<'_>, before: &Tokens, refresh: &str) -> Result<Tokens, ApiError> {
    let endpoints = connection.endpoints(scope).await?;
    let fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (answer, _) = call_token(scope, connection, &endpoints, fields).await?;
    let new = tokens_of(scope, connection, &answer)?;
    Ok(Tokens { refresh: new.refresh.or_else(|| before.refresh.clone()), id: new.id.or_else(|| before.id.clone()), ..new })
}

/// Tells a provider that a token is given up, where it wants to know (RFC 7009). Whether it listens changes nothing here.
pub(super) async fn revoke(scope: &Scope, connection: &Connection<'_>, token: &str) {
    let Ok(url) = Url::parse(connection.row.revoke) else { return };
    let Ok(secret) = connection.secret(scope).await else { return };
    let mut fields = vec![("token", token), (connection.row.client_param, connection.client_id)];
    fields.extend(secret.as_ref().map(|secret| ("client_secret", secret.expose())));
    let sent = outbound::send(scope, OutboundRequest::new(Method::Post, url).form(fields)).await;
    if let Err(error) = sent {
        tracing::debug!(provider = connection.key, %error, "a provider did not take a token back");
    }
}
