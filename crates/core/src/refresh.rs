//! Refresh: a server-side SDK renews an expired session token without sending the browser anywhere.

use crate::app::{Scope, internal};
use crate::crypto;
use crate::jwt::{self, Category, JwtError};
use crate::session::{self, TokenFor};
use doorward_base::*;
use doorward_store::{sessions, tokens, users};
use doorward_wire::bapi::{Cookies, RefreshSession, Refreshed};
use doorward_wire::resource::Token;

/// How long a refresh token is good: as long as a session of the default settings.
pub const LIFETIME_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// How long a token that was used once still works, for requests that were under way with it.
const GRACE_MS: i64 = 30 * 1000;
/// How long after its end a session token may still be exchanged.
const MAX_AGE_SECONDS: i64 = 7 * 24 * 60 * 60;
const YEAR_SECONDS: i64 = 31_536_000;

/// Makes a refresh token for a session.
pub(crate) async fn issue(scope: &Scope, session: &SessionId) -> Result<Secret, ApiError> {
    let token = format!("dwr_{}", scope.app.rng.alphanumeric(48));
    let hash = crypto::token_hash(&token);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    tokens::insert_refresh(&mut tx, scope.ins(), &hash, session, scope.now + LIFETIME_MS, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(Secret::new(token))
}

fn required<'a>(value: Option<&'a str>, name: &str) -> Result<&'a str, ApiError> {
    value.filter(|v| !v.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(name))
}

/// Exchanges an expired session token and a refresh token for new ones.
///
/// # Errors
/// The `refresh_*`, `session_refresh_*` and `expired_session_token_*` codes, all 401.
pub async fn refresh(scope: &Scope, req: &RefreshSession) -> Result<Refreshed, ApiError> {
    let expired = required(req.expired_token.as_deref(), "expired_token")?;
    let refresh = required(req.refresh_token.as_deref(), "refresh_token")?;
    let origin = required(req.request_origin.as_deref(), "request_origin")?;
    let as_cookies = match req.format.as_deref().filter(|f| !f.is_empty()) {
        None | Some("token") => false,
        Some("cookie") => true,
        Some(_) => return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("format")),
    };
    let token = jwt::verify(&scope.instance.signing_keys, Category::Session, expired, scope.now_seconds(), MAX_AGE_SECONDS);
    let token = token.map_err(|error| match error {
        JwtError::Expired => codes::REFRESH_TOKEN_TOO_OLD,
        JwtError::Invalid => codes::EXPIRED_TOKEN_INVALID,
    })?;
    if token.text("sid") != Some(req.session_id.as_str()) {
        return Err(codes::REFRESH_SID_MISMATCH.into());
    }
    if token.text("azp").is_some_and(|azp| azp != origin) {
        return Err(codes::REFRESH_ORIGIN_MISMATCH.into());
    }
    let session = sessions::get(scope.db(), scope.ins(), &req.session_id).await.map_err(internal)?;
    let session = session.ok_or(codes::REFRESH_SESSION_NOT_FOUND)?;
    let user = users::get(scope.db(), scope.ins(), &session.user_id).await.map_err(internal)?;
    let user = user.filter(|it| !it.user.banned).ok_or(codes::REFRESH_SESSION_INACTIVE)?;
    if !session.is_live(scope.now) {
        return Err(codes::REFRESH_SESSION_INACTIVE.into());
    }
    let next = rotate(scope, refresh, &session.id).await?;
    let issuer = token.text("iss").unwrap_or_default();
    let jwt = session::token(scope, &session, Some(&user), TokenFor { issuer, origin: Some(origin), lifetime: None })?;
    if !as_cookies {
        return Ok(Refreshed::Token(Token::new(jwt)));
    }
    let suffix = &scope.instance.cookie_suffix;
    let secure = if origin.starts_with("https:") { "; Secure" } else { "" };
    let cookie =
        |name: &str, value: &str, age: i64, more: &str| format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={age}{secure}{more}");
    Ok(Refreshed::Cookies(Cookies {
        object: "cookies".to_owned(),
        cookies: vec![
            cookie(&format!("__refresh_{suffix}"), next.expose(), LIFETIME_MS / 1000, "; HttpOnly"),
            cookie("__session", &jwt, YEAR_SECONDS, ""),
            cookie(&format!("__session_{suffix}"), &jwt, YEAR_SECONDS, ""),
        ],
    }))
}

async fn rotate(scope: &Scope, token: &str, session: &SessionId) -> Result<Secret, ApiError> {
    let next = Secret::new(format!("dwr_{}", scope.app.rng.alphanumeric(48)));
    let mut tx = scope.db().begin().await.map_err(internal)?;
    let used = tokens::use_refresh(&mut tx, scope.ins(), &crypto::token_hash(token), GRACE_MS, scope.now).await.map_err(internal)?;
    if used.as_ref() != Some(session) {
        return Err(codes::REFRESH_TOKEN_NOT_FOUND.into());
    }
    let hash = crypto::token_hash(next.expose());
    tokens::insert_refresh(&mut tx, scope.ins(), &hash, session, scope.now + LIFETIME_MS, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(next)
}
