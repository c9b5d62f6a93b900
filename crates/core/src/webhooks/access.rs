//! Who may see and change the endpoints of an instance in a browser: whoever a server with a secret key, or an operator at the
//! command line, handed an address to. It is good once and for a short time, and leads to a cookie.

use crate::app::{App, Scope, internal};
use crate::crypto;
use doorward_base::*;
use doorward_store::{tokens, webhooks};

const LINK: &str = "webhooks_link";
const SESSION: &str = "webhooks_session";
/// How long an address that was handed out is good.
const ENTER_SECONDS: i64 = 600;
/// How long whoever opened it may go on.
pub const SESSION_SECONDS: i64 = 3600;

async fn issue(app: &App, instance: &InstanceId, kind: &str, seconds: i64) -> Result<Secret, ApiError> {
    let token = Secret::new(app.rng.alphanumeric(48));
    let (hash, now) = (crypto::token_hash(token.expose()), app.clock.now());
    tokens::insert(&app.db, instance, kind, &hash, "", now + seconds * 1000, now).await.map_err(internal)?;
    Ok(token)
}

/// The path and query of an address under which the page can be opened, once.
///
/// # Errors
/// Only failures of ours.
pub async fn link(scope: &Scope) -> Result<String, ApiError> {
    let token = issue(&scope.app, scope.ins(), LINK, ENTER_SECONDS).await?;
    Ok(format!("/webhooks/enter?instance={}&token={}", scope.ins(), token.expose()))
}

/// Redeems the token of such an address for the cookie's. None when it was redeemed before, or is late.
///
/// # Errors
/// Only failures of ours.
pub async fn enter(app: &App, instance: &InstanceId, token: &str) -> Result<Option<Secret>, ApiError> {
    let taken = tokens::take(&app.db, instance, LINK, &crypto::token_hash(token), app.clock.now()).await.map_err(internal)?;
    match taken {
        Some(_) => issue(app, instance, SESSION, SESSION_SECONDS).await.map(Some),
        None => Ok(None),
    }
}

/// Whether a cookie's token is good for an instance.
///
/// # Errors
/// Only failures of ours.
pub async fn authorized(app: &App, instance: &InstanceId, token: &str) -> Result<bool, ApiError> {
    tokens::check(&app.db, instance, SESSION, &crypto::token_hash(token), app.clock.now()).await.map_err(internal)
}

/// What a form must bring along, so that no other site can send it: made from the cookie's token, which no other site knows.
pub fn form_token(app: &App, token: &str) -> String {
    app.sealer.code_hash("webhooks_form", token)
}

/// Whether a form brought it along.
pub fn is_form_token(app: &App, token: &str, sent: &str) -> bool {
    crypto::equal(form_token(app, token).as_bytes(), sent.as_bytes())
}

/// Makes a cookie's token worthless.
///
/// # Errors
/// Only failures of ours.
pub async fn leave(app: &App, instance: &InstanceId, token: &str) -> Result<(), ApiError> {
    tokens::take(&app.db, instance, SESSION, &crypto::token_hash(token), app.clock.now()).await.map(|_| ()).map_err(internal)
}

/// Remembers that the instance's server uses webhooks, however often it says so.
///
/// # Errors
/// Only failures of ours.
pub async fn create_app(scope: &Scope) -> Result<(), ApiError> {
    webhooks::insert_app(scope.db(), scope.ins(), scope.now).await.map_err(internal)
}

/// Refuses what needs an instance that uses webhooks.
///
/// # Errors
/// `svix_app_missing`.
pub async fn app_of(scope: &Scope) -> Result<(), ApiError> {
    if webhooks::has_app(scope.db(), scope.ins()).await.map_err(internal)? { Ok(()) } else { Err(codes::SVIX_APP_MISSING.into()) }
}

/// Removes every endpoint of the instance with all that waits for it.
///
/// # Errors
/// `svix_app_missing`.
pub async fn delete_app(scope: &Scope) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !webhooks::delete_app(&mut tx, scope.ins()).await.map_err(internal)? {
        return Err(codes::SVIX_APP_MISSING.into());
    }
    tx.commit().await.map_err(internal)
}
