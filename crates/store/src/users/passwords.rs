//! Hashes of passwords.

use super::{change, changed_at};
use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// Replaces a password's hash with a better one of the same password, unless it changed in the meantime.
pub async fn rehash(db: &Db, instance: &InstanceId, id: &UserId, old_hash: &str, new_hash: &str) -> Result<bool, StoreError> {
    let text = "UPDATE users SET password_hash = $4 WHERE instance_id = $1 AND id = $2 AND password_hash = $3";
    Ok(db.exec(sql!(text, instance, id, old_hash, new_hash)).await? == 1)
}

/// Sets a new password's hash.
pub async fn set_password(tx: &mut Tx, instance: &InstanceId, id: &UserId, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE users SET password_hash = $3, password_updated_at = $4, password_compromised = FALSE, {} WHERE instance_id = $1 AND id = $2",
        changed_at(4)
    );
    change(tx, instance, id, sql!(text, instance, id, hash, now)).await
}

/// Forgets a password.
pub async fn drop_password(tx: &mut Tx, instance: &InstanceId, id: &UserId, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE users SET password_hash = NULL, password_updated_at = NULL, password_compromised = FALSE, {}
         WHERE instance_id = $1 AND id = $2 AND password_hash IS NOT NULL",
        changed_at(3)
    );
    change(tx, instance, id, sql!(text, instance, id, now)).await
}

/// Says whether a password is known to others. False when the user has none, or is gone.
pub async fn set_password_compromised(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    compromised: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE users SET password_compromised = $3, {} WHERE instance_id = $1 AND id = $2 AND password_hash IS NOT NULL",
        changed_at(4)
    );
    change(tx, instance, id, sql!(text, instance, id, compromised, now)).await
}

/// Replaces or removes a password's hash, if it is still the one that was read.
pub async fn replace_password(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    old: Option<&str>,
    new: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE users SET password_hash = $3, password_updated_at = $4, password_compromised = FALSE, {}
         WHERE instance_id = $1 AND id = $2 AND COALESCE(password_hash, '') = $5",
        changed_at(6)
    );
    let (new, old) = (new.map(str::to_owned), old.unwrap_or_default());
    let updated_at = new.as_ref().map(|_| now);
    change(tx, instance, id, sql!(text, instance, id, &new, updated_at, old, now)).await
}
