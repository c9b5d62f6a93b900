//! Testing tokens: whoever has an instance's secret key lets its own tests past the captchas.

use crate::app::{Caller, Scope, internal};
use crate::crypto::token_hash;
use doorward_base::*;
use doorward_store::tokens;

/// The kind under which they are kept.
const KIND: &str = "testing";
/// How long one is good: an hour.
const LIFETIME_MS: i64 = 60 * 60 * 1000;

/// Makes one: the token, and when it ends.
///
/// # Errors
/// Only failures of ours.
pub async fn create(scope: &Scope) -> Result<(String, Timestamp), ApiError> {
    let token = format!("dwt_{}", scope.app.rng.alphanumeric(48));
    let until = scope.now + LIFETIME_MS;
    tokens::insert(scope.db(), scope.ins(), KIND, &token_hash(&token), "", until, scope.now).await.map_err(internal)?;
    Ok((token, until))
}

/// Whether a request carries one that is good.
pub(crate) async fn is_with(scope: &Scope, caller: &Caller) -> Result<bool, ApiError> {
    let Some(token) = &caller.testing_token else { return Ok(false) };
    tokens::check(scope.db(), scope.ins(), KIND, &token_hash(token.expose()), scope.now).await.map_err(internal)
}
