//! Instances, the hosts they answer on, their secret keys and their signing keys.

use crate::db::{Db, Read, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// An instance as it is kept. What the settings mean, `core` knows.
#[derive(Clone, Debug)]
pub struct InstanceRecord {
    /// The instance's id.
    pub id: InstanceId,
    /// `development` or `production`.
    pub environment: String,
    /// A name for people.
    pub name: String,
    /// The publishable key.
    pub publishable_key: String,
    /// The settings, a JSON document.
    pub settings: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A host on which the Frontend API of an instance answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRecord {
    /// The value of the Host header, lower case, with the port where it is not the scheme's own.
    pub host: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Whether addresses are built with it when no request says otherwise.
    pub is_primary: bool,
}

/// A signing key, sealed.
#[derive(Clone, Debug)]
pub struct SigningKeyRecord {
    /// The key's id.
    pub kid: String,
    /// The private key, sealed with the master key.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when tokens signed with it are still taken; null for the key that signs.
    pub retires_at: Option<Timestamp>,
}

/// A secret key, sealed.
#[derive(Clone, Debug)]
pub struct SecretKeyRecord {
    /// The key's public handle.
    pub id: SecretKeyId,
    /// A name for people.
    pub name: String,
    /// Its last characters, by which people tell keys apart.
    pub hint: String,
    /// The key, sealed with the master key; empty for one of which only the hash is kept.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, give or take an hour.
    pub last_used_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub revoked_at: Option<Timestamp>,
}

fn instance(row: &Row) -> Result<InstanceRecord, StoreError> {
    Ok(InstanceRecord {
        id: row.id("id")?,
        environment: row.text("environment")?,
        name: row.text("name")?,
        publishable_key: row.text("publishable_key")?,
        settings: row.text("settings")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// All instances, the oldest first.
pub async fn list(db: &Db) -> Result<Vec<InstanceRecord>, StoreError> {
    db.all(sql!("SELECT * FROM instances ORDER BY created_at, id")).await?.iter().map(instance).collect()
}

/// The instance of an id.
pub async fn get(mut db: impl Read, id: &InstanceId) -> Result<Option<InstanceRecord>, StoreError> {
    db.opt(sql!("SELECT * FROM instances WHERE id = $1", id)).await?.as_ref().map(instance).transpose()
}

/// The instance that answers on a host.
pub async fn id_by_host(db: &Db, host: &str) -> Result<Option<InstanceId>, StoreError> {
    db.opt(sql!("SELECT instance_id FROM instance_hosts WHERE host = $1", host)).await?.map(|row| row.id("instance_id")).transpose()
}

/// The instance of a publishable key.
pub async fn id_by_publishable_key(db: &Db, key: &str) -> Result<Option<InstanceId>, StoreError> {
    db.opt(sql!("SELECT id FROM instances WHERE publishable_key = $1", key)).await?.map(|row| row.id("id")).transpose()
}

/// The instance of a secret key that was not withdrawn, by the key's hash, and when the key was last used.
pub async fn by_secret_key(db: &Db, key_hash: &str) -> Result<Option<(InstanceId, Option<Timestamp>)>, StoreError> {
    let text = "SELECT instance_id, last_used_at FROM secret_keys WHERE key_hash = $1 AND revoked_at IS NULL";
    db.opt(sql!(text, key_hash)).await?.map(|row| Ok((row.id("instance_id")?, row.opt_int("last_used_at")?))).transpose()
}

/// Records that a secret key was used.
pub async fn secret_key_used(db: &Db, key_hash: &str, now: Timestamp) -> Result<(), StoreError> {
    db.exec(sql!("UPDATE secret_keys SET last_used_at = $2 WHERE key_hash = $1", key_hash, now)).await.map(|_| ())
}

/// The hosts of an instance, the primary one first.
pub async fn hosts(db: &mut impl Read, id: &InstanceId) -> Result<Vec<HostRecord>, StoreError> {
    db.all(sql!("SELECT * FROM instance_hosts WHERE instance_id = $1 ORDER BY is_primary DESC, host", id))
        .await?
        .iter()
        .map(|row| Ok(HostRecord { host: row.text("host")?, scheme: row.text("scheme")?, is_primary: row.flag("is_primary")? }))
        .collect()
}

/// The signing keys that are still good at `now`, the one that signs first.
pub async fn signing_keys(db: &mut impl Read, id: &InstanceId, now: Timestamp) -> Result<Vec<SigningKeyRecord>, StoreError> {
    let text = "SELECT * FROM signing_keys WHERE instance_id = $1 AND (retires_at IS NULL OR retires_at > $2)
        ORDER BY CASE WHEN retires_at IS NULL THEN 0 ELSE 1 END, created_at DESC, kid";
    db.all(sql!(text, id, now))
        .await?
        .iter()
        .map(|row| {
            Ok(SigningKeyRecord {
                kid: row.text("kid")?,
                sealed: row.text("sealed")?,
                created_at: row.int("created_at")?,
                retires_at: row.opt_int("retires_at")?,
            })
        })
        .collect()
}

/// The secret keys of an instance, the newest first.
pub async fn secret_keys(db: &Db, id: &InstanceId) -> Result<Vec<SecretKeyRecord>, StoreError> {
    db.all(sql!("SELECT * FROM secret_keys WHERE instance_id = $1 ORDER BY created_at DESC, id", id))
        .await?
        .iter()
        .map(|row| {
            Ok(SecretKeyRecord {
                id: row.id("id")?,
                name: row.text("name")?,
                hint: row.text("hint")?,
                sealed: row.text("sealed")?,
                created_at: row.int("created_at")?,
                last_used_at: row.opt_int("last_used_at")?,
                revoked_at: row.opt_int("revoked_at")?,
            })
        })
        .collect()
}

/// Adds an instance.
pub async fn insert(tx: &mut Tx, it: &InstanceRecord) -> Result<(), StoreError> {
    tx.exec(sql!(
        "INSERT INTO instances (id, environment, name, publishable_key, settings, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)",
        &it.id,
        &it.environment,
        &it.name,
        &it.publishable_key,
        &it.settings,
        it.created_at
    ))
    .await
    .map(|_| ())
}

/// Adds a host to an instance.
pub async fn insert_host(tx: &mut Tx, id: &InstanceId, host: &HostRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO instance_hosts (host, instance_id, scheme, is_primary) VALUES ($1, $2, $3, $4)";
    tx.exec(sql!(text, &host.host, id, &host.scheme, host.is_primary)).await.map(|_| ())
}

/// Takes a host from an instance.
pub async fn delete_host(tx: &mut Tx, id: &InstanceId, host: &str) -> Result<(), StoreError> {
    tx.exec(sql!("DELETE FROM instance_hosts WHERE instance_id = $1 AND host = $2", id, host)).await.map(|_| ())
}

/// Gives an instance another publishable key.
///
/// # Errors
/// [`StoreError::Conflict`] when another instance has it.
pub async fn set_publishable_key(tx: &mut Tx, id: &InstanceId, key: &str) -> Result<(), StoreError> {
    tx.exec(sql!("UPDATE instances SET publishable_key = $2 WHERE id = $1", id, key)).await.map(|_| ())
}

/// Adds a secret key.
pub async fn insert_secret_key(tx: &mut Tx, id: &InstanceId, key: &SecretKeyRecord, key_hash: &str) -> Result<(), StoreError> {
    let text = "INSERT INTO secret_keys (key_hash, instance_id, id, name, hint, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.exec(sql!(text, key_hash, id, &key.id, &key.name, &key.hint, &key.sealed, key.created_at)).await.map(|_| ())
}

/// Withdraws a secret key, unless it is the only one left. False when there is no such key, or no other.
pub async fn revoke_secret_key(tx: &mut Tx, id: &InstanceId, key: &SecretKeyId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE secret_keys SET revoked_at = $3 WHERE instance_id = $1 AND id = $2 AND revoked_at IS NULL
        AND EXISTS (SELECT 1 FROM secret_keys other WHERE other.instance_id = $1 AND other.id <> $2 AND other.revoked_at IS NULL)";
    Ok(tx.exec(sql!(text, id, key, now)).await? == 1)
}

/// Withdraws every secret key of an instance but `keep`.
pub async fn revoke_other_secret_keys(tx: &mut Tx, id: &InstanceId, keep: &SecretKeyId, now: Timestamp) -> Result<u64, StoreError> {
    tx.exec(sql!("UPDATE secret_keys SET revoked_at = $3 WHERE instance_id = $1 AND id <> $2 AND revoked_at IS NULL", id, keep, now)).await
}

/// Adds a signing key that signs from now on; those before it retire at `retire_at`.
pub async fn rotate_signing_key(tx: &mut Tx, id: &InstanceId, key: &SigningKeyRecord, retire_at: Timestamp) -> Result<(), StoreError> {
    tx.exec(sql!("UPDATE signing_keys SET retires_at = $2 WHERE instance_id = $1 AND retires_at IS NULL", id, retire_at)).await?;
    let text = "INSERT INTO signing_keys (instance_id, kid, sealed, created_at) VALUES ($1, $2, $3, $4)";
    tx.exec(sql!(text, id, &key.kid, &key.sealed, key.created_at)).await.map(|_| ())
}

/// Replaces the settings, if they are still those of `expected_updated_at`.
pub async fn update_settings(
    tx: &mut Tx,
    id: &InstanceId,
    settings: &str,
    expected_updated_at: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE instances SET settings = $2, updated_at = $4 WHERE id = $1 AND updated_at = $3";
    Ok(tx.exec(sql!(text, id, settings, expected_updated_at, now.max(expected_updated_at + 1))).await? == 1)
}

/// A value of the server as a whole.
pub async fn meta(db: &Db, key: &str) -> Result<Option<String>, StoreError> {
    db.opt(sql!("SELECT value FROM meta WHERE key = $1", key)).await?.map(|row| row.text("value")).transpose()
}

/// Sets a value of the server as a whole unless it is there; answers the value that is there then.
pub async fn meta_or_insert(db: &Db, key: &str, value: &str) -> Result<String, StoreError> {
    db.exec(sql!("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING", key, value)).await?;
    Ok(meta(db, key).await?.unwrap_or_else(|| value.to_owned()))
}
