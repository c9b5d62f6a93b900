//! An instance's keys: those that sign its tokens, and those of its servers.

use super::Instance;
use crate::app::App;
use crate::keys;
use doorward_base::*;
use doorward_store::instances::{self, SecretKeyRecord, SigningKeyRecord};

pub(crate) fn signing_key_context(id: &InstanceId, kid: &str) -> String {
    format!("{id}:signing_key:{kid}")
}

pub(crate) fn secret_key_context(id: &InstanceId, key: impl std::fmt::Display) -> String {
    format!("{id}:secret_key:{key}")
}

pub(super) fn new_signing_key(app: &App, id: &InstanceId, now: Timestamp) -> Result<SigningKeyRecord, String> {
    let kid = format!("{id}_{}", app.rng.alphanumeric(8));
    let der = keys::generate_signing_key().map_err(|e| e.to_string())?;
    let sealed = app.sealer.seal(&app.rng, &signing_key_context(id, &kid), &der).map_err(|e| e.to_string())?;
    Ok(SigningKeyRecord { kid, sealed, created_at: now, retires_at: None })
}

/// How long a signing key that was replaced is still published: longer than any SDK keeps its copy of the keys.
pub const SIGNING_KEY_GRACE_MS: i64 = 24 * 60 * 60 * 1000;

/// Makes a new signing key. Tokens of the one before it are good for [`SIGNING_KEY_GRACE_MS`] more.
///
/// # Errors
/// A sentence for the operator.
pub async fn rotate_signing_key(app: &App, id: &InstanceId) -> Result<String, String> {
    let now = app.clock.now();
    let key = new_signing_key(app, id, now)?;
    let text = |e: doorward_store::StoreError| e.to_string();
    let mut tx = app.db.begin().await.map_err(text)?;
    instances::rotate_signing_key(&mut tx, id, &key, now + SIGNING_KEY_GRACE_MS).await.map_err(text)?;
    tx.commit().await.map_err(text)?;
    app.instances.clear();
    Ok(key.kid)
}

/// A secret key as it is kept: by its hash, beside it. The keys that development instances begin with are kept themselves as well,
/// sealed: whoever works with one sees them at each start.
pub(super) fn secret_key_record(
    app: &App,
    instance: &InstanceId,
    name: &str,
    secret: &Secret,
    sealed: bool,
) -> Result<SecretKeyRecord, String> {
    let now = app.clock.now();
    let id = SecretKeyId::new(now, &app.rng);
    let context = secret_key_context(instance, &id);
    let seal = || app.sealer.seal(&app.rng, &context, secret.expose().as_bytes()).map_err(|e| e.to_string());
    let hint = secret.expose().get(secret.expose().len().saturating_sub(4)..).unwrap_or_default().to_owned();
    let sealed = if sealed { seal()? } else { String::new() };
    Ok(SecretKeyRecord { id, name: name.to_owned(), hint, sealed, created_at: now, last_used_at: None, revoked_at: None })
}

/// Makes a new secret key and withdraws all others.
///
/// # Errors
/// A sentence for the operator.
pub async fn rotate_secret_key(app: &App, instance: &Instance) -> Result<Secret, String> {
    let secret = keys::secret_key(instance.environment, &app.rng);
    let key = secret_key_record(app, &instance.id, "rotated", &secret, instance.is_development())?;
    let text = |e: doorward_store::StoreError| e.to_string();
    let mut tx = app.db.begin().await.map_err(text)?;
    instances::insert_secret_key(&mut tx, &instance.id, &key, &crate::crypto::token_hash(secret.expose())).await.map_err(text)?;
    instances::revoke_other_secret_keys(&mut tx, &instance.id, &key.id, key.created_at).await.map_err(text)?;
    tx.commit().await.map_err(text)?;
    app.instances.clear();
    Ok(secret)
}

/// Makes one more secret key, which works beside the others. Only its hash is kept: it is shown this once.
///
/// # Errors
/// A sentence for the operator.
pub async fn create_secret_key(app: &App, instance: &Instance, name: &str) -> Result<(SecretKeyId, Secret), String> {
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err("the name of a key has 1 to 100 characters".to_owned());
    }
    let secret = keys::secret_key(instance.environment, &app.rng);
    let key = secret_key_record(app, &instance.id, name, &secret, false)?;
    let text = |e: doorward_store::StoreError| e.to_string();
    let mut tx = app.db.begin().await.map_err(text)?;
    instances::insert_secret_key(&mut tx, &instance.id, &key, &crate::crypto::token_hash(secret.expose())).await.map_err(text)?;
    tx.commit().await.map_err(text)?;
    Ok((key.id, secret))
}

/// Withdraws one secret key; another must be left. Other nodes take it for [`super::FRESH_FOR`] more.
///
/// # Errors
/// A sentence for the operator.
pub async fn revoke_secret_key(app: &App, instance: &InstanceId, key: &SecretKeyId) -> Result<(), String> {
    let text = |e: doorward_store::StoreError| e.to_string();
    let mut tx = app.db.begin().await.map_err(text)?;
    if !instances::revoke_secret_key(&mut tx, instance, key, app.clock.now()).await.map_err(text)? {
        return Err(format!("{key} is no secret key of this instance that could be withdrawn, or it is the only one: make another first"));
    }
    tx.commit().await.map_err(text)?;
    app.instances.clear();
    Ok(())
}

/// The newest secret key of an instance that was not withdrawn and is not kept as a hash only, opened: for the operator's own eyes.
///
/// # Errors
/// A sentence for the operator.
pub async fn reveal_secret_key(app: &App, id: &InstanceId) -> Result<Option<Secret>, String> {
    let keys = instances::secret_keys(&app.db, id).await.map_err(|e| e.to_string())?;
    let Some(key) = keys.into_iter().find(|key| key.revoked_at.is_none() && !key.sealed.is_empty()) else { return Ok(None) };
    let plain = app.sealer.open(&secret_key_context(id, &key.id), &key.sealed).map_err(|e| e.to_string())?;
    String::from_utf8(plain).map(|text| Some(Secret::new(text))).map_err(|e| e.to_string())
}
