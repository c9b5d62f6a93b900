//! E-mail addresses of users.

use super::record::email;
use super::{EmailRecord, UserWithEmails, change, one};
use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// The user who holds an address (has proven it, or has it reserved), by the address as it is compared.
pub async fn by_email(db: &Db, instance: &InstanceId, address_key: &str) -> Result<Option<UserWithEmails>, StoreError> {
    let text = "SELECT u.* FROM email_addresses e JOIN users u ON u.instance_id = e.instance_id AND u.id = e.user_id
        WHERE e.instance_id = $1 AND e.address_key = $2 AND (e.verified OR e.reserved)";
    one(db, instance, sql!(text, instance, address_key)).await
}

/// The address of an id, whoever has it.
pub async fn get_email(db: &Db, instance: &InstanceId, id: &IdentificationId) -> Result<Option<EmailRecord>, StoreError> {
    let text = "SELECT * FROM email_addresses WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(email).transpose()
}

/// Adds an address.
pub async fn insert_email(tx: &mut Tx, instance: &InstanceId, it: &EmailRecord) -> Result<(), StoreError> {
    let sql = sql!(
        "INSERT INTO email_addresses (instance_id, id, user_id, address, address_key, verified, strategy, attempts, verified_at, created_at, updated_at, reserved)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        instance,
        &it.id,
        &it.user_id,
        &it.address,
        &it.address_key,
        it.verified,
        &it.strategy,
        it.attempts,
        it.verified_at,
        it.created_at,
        it.updated_at,
        it.reserved
    );
    tx.searchable(instance, &it.user_id);
    change(tx, instance, &it.user_id, sql).await.map(|_| ())
}

/// Marks an address as proven. False when it is gone or was proven before.
///
/// # Errors
/// [`StoreError::Conflict`] when another user holds it.
pub async fn prove_email(tx: &mut Tx, instance: &InstanceId, it: &EmailRecord) -> Result<bool, StoreError> {
    let text =
        "UPDATE email_addresses SET verified = TRUE, reserved = FALSE, strategy = $4, attempts = $5, verified_at = $6, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND NOT verified";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.strategy, it.attempts, it.verified_at);
    change(tx, instance, &it.user_id, sql).await
}

/// Marks an address as not proven, kept for the user or not. False when it is gone or was so already.
///
/// # Errors
/// [`StoreError::Conflict`] when it is to be kept and another user holds it.
pub async fn unprove_email(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    id: &IdentificationId,
    reserved: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text =
        "UPDATE email_addresses SET verified = FALSE, reserved = $5, strategy = NULL, attempts = NULL, verified_at = NULL, updated_at = $4
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND (verified OR reserved <> $5)";
    change(tx, instance, user, sql!(text, instance, id, user, now, reserved)).await
}

/// Removes an address. False when it is gone already.
pub async fn delete_email(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &IdentificationId) -> Result<bool, StoreError> {
    let text = "DELETE FROM email_addresses WHERE instance_id = $1 AND id = $2 AND user_id = $3";
    tx.searchable(instance, user);
    change(tx, instance, user, sql!(text, instance, id, user)).await
}
