//! One-time tokens and refresh tokens. Only their hashes are kept.

use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// Adds a one-time token of a kind, with a payload for whoever redeems it.
pub async fn insert(
    db: &Db,
    instance: &InstanceId,
    kind: &str,
    token_hash: &str,
    payload: &str,
    expire_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text =
        "INSERT INTO one_time_tokens (instance_id, kind, token_hash, payload, expire_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    db.exec(sql!(text, instance, kind, token_hash, payload, expire_at, now)).await.map(|_| ())
}

/// Redeems a one-time token: its payload for exactly one of several callers.
pub async fn take(db: &Db, instance: &InstanceId, kind: &str, token_hash: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
    let text = "DELETE FROM one_time_tokens WHERE instance_id = $1 AND kind = $2 AND token_hash = $3 AND expire_at > $4 RETURNING payload";
    db.take(sql!(text, instance, kind, token_hash, now)).await?.map(|row| row.text("payload")).transpose()
}

/// Whether a token of a kind is there and good; it stays.
pub async fn check(db: &Db, instance: &InstanceId, kind: &str, token_hash: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = "SELECT payload FROM one_time_tokens WHERE instance_id = $1 AND kind = $2 AND token_hash = $3 AND expire_at > $4";
    Ok(db.opt(sql!(text, instance, kind, token_hash, now)).await?.is_some())
}

/// Adds a refresh token of a session.
pub async fn insert_refresh(
    tx: &mut Tx,
    instance: &InstanceId,
    token_hash: &str,
    session: &SessionId,
    expire_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = "INSERT INTO refresh_tokens (instance_id, token_hash, session_id, expire_at, created_at) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql!(text, instance, token_hash, session, expire_at, now)).await.map(|_| ())
}

/// Uses a refresh token: its session, if the token is good. The first use starts a grace period of `grace_ms`, in
/// which requests that were under way with the same token still pass.
pub async fn use_refresh(
    tx: &mut Tx,
    instance: &InstanceId,
    token_hash: &str,
    grace_ms: i64,
    now: Timestamp,
) -> Result<Option<SessionId>, StoreError> {
    let text = "UPDATE refresh_tokens SET rotated_at = COALESCE(rotated_at, $3)
        WHERE instance_id = $1 AND token_hash = $2 AND expire_at > $3 AND (rotated_at IS NULL OR rotated_at > $4) RETURNING session_id";
    tx.opt(sql!(text, instance, token_hash, now, now - grace_ms)).await?.map(|row| row.id("session_id")).transpose()
}
