//! Authenticator apps and backup codes. What the user's own row says of them is written with them.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use crate::users::change;
use doorward_base::*;

/// An authenticator app's shared secret (RFC 6238).
#[derive(Clone, Debug)]
pub struct TotpRecord {
    /// Its id.
    pub id: TotpId,
    /// Whose it is.
    pub user_id: UserId,
    /// The secret, sealed.
    pub sealed: String,
    /// Whether a code of it was seen.
    pub verified: bool,
    /// Codes tried before the first right one.
    pub attempts: i64,
    /// The newest time step whose code was used; each is good once.
    pub last_step: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn totp(row: &Row) -> Result<TotpRecord, StoreError> {
    Ok(TotpRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        sealed: row.text("sealed")?,
        verified: row.flag("verified")?,
        attempts: row.int("attempts")?,
        last_step: row.int("last_step")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The authenticator app of a user, proven or not.
pub async fn get_totp(db: &Db, instance: &InstanceId, user: &UserId) -> Result<Option<TotpRecord>, StoreError> {
    let text = "SELECT * FROM totps WHERE instance_id = $1 AND user_id = $2";
    db.opt(sql!(text, instance, user)).await?.as_ref().map(totp).transpose()
}

/// Puts an unproven secret in the place of the one before. False when the one before is proven.
pub async fn replace_totp(tx: &mut Tx, instance: &InstanceId, it: &TotpRecord) -> Result<bool, StoreError> {
    let gone = "DELETE FROM totps WHERE instance_id = $1 AND user_id = $2 AND NOT verified";
    tx.exec(sql!(gone, instance, &it.user_id)).await?;
    let text = "INSERT INTO totps (instance_id, user_id, id, sealed, verified, attempts, last_step, created_at, updated_at)
        VALUES ($1, $2, $3, $4, FALSE, 0, 0, $5, $5) ON CONFLICT DO NOTHING";
    Ok(tx.exec(sql!(text, instance, &it.user_id, &it.id, &it.sealed, it.created_at)).await? == 1)
}

/// Puts a proven secret in the place of whatever was there.
pub async fn set_totp(tx: &mut Tx, instance: &InstanceId, it: &TotpRecord) -> Result<(), StoreError> {
    tx.exec(sql!("DELETE FROM totps WHERE instance_id = $1 AND user_id = $2", instance, &it.user_id)).await?;
    let text = "INSERT INTO totps (instance_id, user_id, id, sealed, verified, attempts, last_step, created_at, updated_at)
        VALUES ($1, $2, $3, $4, TRUE, 0, 0, $5, $5)";
    tx.exec(sql!(text, instance, &it.user_id, &it.id, &it.sealed, it.created_at)).await.map(|_| ())
}

/// Takes one try at the code of an unproven secret. False when it is proven, gone, or tried too often. It lasts whatever
/// becomes of the request.
pub async fn take_totp_try(db: &Db, instance: &InstanceId, id: &TotpId, user: &UserId, max: i64) -> Result<bool, StoreError> {
    let text = "UPDATE totps SET attempts = attempts + 1
        WHERE instance_id = $1 AND user_id = $2 AND id = $3 AND NOT verified AND attempts < $4 RETURNING id";
    Ok(db.take(sql!(text, instance, user, id, max)).await?.is_some())
}

/// Uses a time step up. True for exactly one of several callers; steps before it are of no use afterwards.
pub async fn use_totp_step(tx: &mut Tx, instance: &InstanceId, user: &UserId, step: i64, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE totps SET last_step = $3, verified = TRUE, updated_at = $4
        WHERE instance_id = $1 AND user_id = $2 AND last_step < $3";
    Ok(tx.exec(sql!(text, instance, user, step, now)).await? == 1)
}

/// Removes the authenticator app. Answers it, when there was one.
pub async fn delete_totp(tx: &mut Tx, instance: &InstanceId, user: &UserId) -> Result<Option<TotpRecord>, StoreError> {
    let text = "DELETE FROM totps WHERE instance_id = $1 AND user_id = $2 RETURNING *";
    tx.opt(sql!(text, instance, user)).await?.as_ref().map(totp).transpose()
}

/// Replaces all backup codes of a user by their hashes; none removes them.
pub async fn replace_backup_codes(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    hashes: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(sql!("DELETE FROM backup_codes WHERE instance_id = $1 AND user_id = $2", instance, user)).await?;
    for hash in hashes {
        let text = "INSERT INTO backup_codes (instance_id, user_id, code_hash, created_at) VALUES ($1, $2, $3, $4)";
        tx.exec(sql!(text, instance, user, hash, now)).await?;
    }
    let text = "UPDATE users SET backup_codes_enabled = $3 WHERE instance_id = $1 AND id = $2";
    change(tx, instance, user, sql!(text, instance, user, !hashes.is_empty())).await.map(|_| ())
}

/// Whether a user has an unused backup code of this hash.
pub async fn has_backup_code(db: &Db, instance: &InstanceId, user: &UserId, hash: &str) -> Result<bool, StoreError> {
    let text = "SELECT code_hash FROM backup_codes WHERE instance_id = $1 AND user_id = $2 AND code_hash = $3";
    Ok(db.opt(sql!(text, instance, user, hash)).await?.is_some())
}

/// The unused backup codes of a user that came as hashes of another system.
pub async fn foreign_backup_codes(db: &Db, instance: &InstanceId, user: &UserId) -> Result<Vec<String>, StoreError> {
    let text = "SELECT code_hash FROM backup_codes WHERE instance_id = $1 AND user_id = $2 AND code_hash LIKE 'bcrypt:%'";
    db.all(sql!(text, instance, user)).await?.iter().map(|row| row.text("code_hash")).collect()
}

/// Uses a backup code up. True for exactly one of several callers.
pub async fn use_backup_code(tx: &mut Tx, instance: &InstanceId, user: &UserId, hash: &str) -> Result<bool, StoreError> {
    let text = "DELETE FROM backup_codes WHERE instance_id = $1 AND user_id = $2 AND code_hash = $3";
    if tx.exec(sql!(text, instance, user, hash)).await? != 1 {
        return Ok(false);
    }
    let left = "UPDATE users SET backup_codes_enabled = EXISTS
        (SELECT 1 FROM backup_codes b WHERE b.instance_id = $1 AND b.user_id = $2) WHERE instance_id = $1 AND id = $2";
    change(tx, instance, user, sql!(left, instance, user)).await
}

/// Writes on the user whether an authenticator app is enrolled.
pub async fn set_totp_enabled(tx: &mut Tx, instance: &InstanceId, user: &UserId, enabled: bool) -> Result<(), StoreError> {
    let text = "UPDATE users SET totp_enabled = $3 WHERE instance_id = $1 AND id = $2";
    change(tx, instance, user, sql!(text, instance, user, enabled)).await.map(|_| ())
}

/// Writes on the user when second factors began or ended: whether there are `any` now.
pub async fn set_enrolled(tx: &mut Tx, instance: &InstanceId, user: &UserId, any: bool, now: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE users SET
        mfa_enabled_at = CASE WHEN $3 THEN COALESCE(mfa_enabled_at, $4) ELSE NULL END,
        mfa_disabled_at = CASE WHEN $3 THEN NULL ELSE CAST($4 AS BIGINT) END,
        updated_at = CASE WHEN updated_at < $4 THEN $4 ELSE updated_at + 1 END WHERE instance_id = $1 AND id = $2";
    change(tx, instance, user, sql!(text, instance, user, any, now)).await.map(|_| ())
}
