//! What an instance proves itself by to a provider: set by an operator, sealed, never shown again.

use super::connection::secret_context;
use crate::app::{App, Scope, internal};
use crate::instance::Instance;
use doorward_base::{ApiError, Secret};
use doorward_store::external_accounts as store;

/// Keeps the secret of a provider.
///
/// # Errors
/// A sentence for the operator.
pub async fn set_secret(app: &App, instance: &Instance, key: &str, secret: &Secret) -> Result<(), String> {
    if secret.expose().trim().is_empty() {
        return Err("the secret is empty".to_owned());
    }
    let context = secret_context(&instance.id, key);
    let sealed = app.sealer.seal(&app.rng, &context, secret.expose().trim().as_bytes()).map_err(|error| error.to_string())?;
    let mut tx = app.db.begin().await.map_err(|error| error.to_string())?;
    store::set_secret(&mut tx, &instance.id, key, &sealed, app.clock.now()).await.map_err(|error| error.to_string())?;
    tx.commit().await.map_err(|error| error.to_string())
}

/// Forgets the secret of a provider. False when there was none.
///
/// # Errors
/// A sentence for the operator.
pub async fn forget_secret(app: &App, instance: &Instance, key: &str) -> Result<bool, String> {
    let mut tx = app.db.begin().await.map_err(|error| error.to_string())?;
    let was = store::delete_secret(&mut tx, &instance.id, key).await.map_err(|error| error.to_string())?;
    tx.commit().await.map_err(|error| error.to_string())?;
    Ok(was)
}

/// The secret that is kept under a key.
///
/// # Errors
/// Only failures of ours.
pub(crate) async fn open_secret(scope: &Scope, key: &str) -> Result<Option<Secret>, ApiError> {
    let Some(sealed) = store::secret(scope.db(), scope.ins(), key).await.map_err(internal)? else { return Ok(None) };
    let plain = scope.app.sealer.open(&secret_context(scope.ins(), key), &sealed).map_err(ApiError::internal)?;
    Ok(Some(Secret::new(String::from_utf8(plain).map_err(ApiError::internal)?)))
}

/// Whether a provider has a secret.
///
/// # Errors
/// A sentence for the operator.
pub async fn has_secret(app: &App, instance: &Instance, key: &str) -> Result<bool, String> {
    store::secret(&app.db, &instance.id, key).await.map(|it| it.is_some()).map_err(|error| error.to_string())
}
