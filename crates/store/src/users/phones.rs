//! Phone numbers of users.

use super::{UserWithEmails, change, one};
use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A phone number as it is kept.
#[derive(Clone, Debug, Default)]
pub struct PhoneRecord {
    /// The identifier's id.
    pub id: IdentificationId,
    /// Whose it is.
    pub user_id: UserId,
    /// In the form of E.164, such as `+12015550123`.
    pub number: String,
    /// Whether it was proven.
    pub verified: bool,
    /// Whether it is kept for the user by a server's word until it is proven, which ends that.
    pub reserved: bool,
    /// What proved it.
    pub strategy: Option<String>,
    /// With how many tries.
    pub attempts: Option<i64>,
    /// When.
    pub verified_at: Option<Timestamp>,
    /// Whether it is kept for second factors: then it signs nobody in by itself.
    pub second_factor: bool,
    /// Whether it is the number that is asked first as a second factor.
    pub default_second_factor: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl PhoneRecord {
    /// Whether it is the user's alone. At most one user holds a given number.
    pub fn is_held(&self) -> bool {
        self.verified || self.reserved
    }

    /// Whether it signs the user in.
    pub fn signs_in(&self) -> bool {
        self.is_held() && !self.second_factor
    }
}

pub(super) fn phone(row: &Row) -> Result<PhoneRecord, StoreError> {
    Ok(PhoneRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        number: row.text("number")?,
        verified: row.flag("verified")?,
        reserved: row.flag("reserved")?,
        strategy: row.opt_text("strategy")?,
        attempts: row.opt_int("attempts")?,
        verified_at: row.opt_int("verified_at")?,
        second_factor: row.flag("second_factor")?,
        default_second_factor: row.flag("default_second_factor")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The user who holds a number: has proven it, or has it reserved.
pub async fn by_phone(db: &Db, instance: &InstanceId, number: &str) -> Result<Option<UserWithEmails>, StoreError> {
    let text = "SELECT u.* FROM phone_numbers p JOIN users u ON u.instance_id = p.instance_id AND u.id = p.user_id
        WHERE p.instance_id = $1 AND p.number = $2 AND (p.verified OR p.reserved)";
    one(db, instance, sql!(text, instance, number)).await
}

/// The number of an id, whoever has it.
pub async fn get_phone(db: &Db, instance: &InstanceId, id: &IdentificationId) -> Result<Option<PhoneRecord>, StoreError> {
    let text = "SELECT * FROM phone_numbers WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(phone).transpose()
}

/// Adds a number.
///
/// # Errors
/// [`StoreError::Conflict`] when it is to be held and another user holds it.
pub async fn insert_phone(tx: &mut Tx, instance: &InstanceId, it: &PhoneRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO phone_numbers (instance_id, id, user_id, number, verified, strategy, attempts, verified_at, second_factor,
        default_second_factor, created_at, updated_at, reserved) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let sql = sql!(
        text,
        instance,
        &it.id,
        &it.user_id,
        &it.number,
        it.verified,
        &it.strategy,
        it.attempts,
        it.verified_at,
        it.second_factor,
        it.default_second_factor,
        it.created_at,
        it.updated_at,
        it.reserved
    );
    tx.searchable(instance, &it.user_id);
    change(tx, instance, &it.user_id, sql).await?;
    let text = "UPDATE users SET has_phone_numbers = TRUE WHERE instance_id = $1 AND id = $2 AND NOT has_phone_numbers";
    tx.exec(sql!(text, instance, &it.user_id)).await.map(|_| ())
}

/// Marks a number as proven. False when it is gone or was proven before.
///
/// # Errors
/// [`StoreError::Conflict`] when another user holds it.
pub async fn prove_phone(tx: &mut Tx, instance: &InstanceId, it: &PhoneRecord) -> Result<bool, StoreError> {
    let text = "UPDATE phone_numbers SET verified = TRUE, reserved = FALSE, strategy = $4, attempts = $5, verified_at = $6, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND NOT verified";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.strategy, it.attempts, it.verified_at);
    change(tx, instance, &it.user_id, sql).await
}

/// Marks a number as not proven, kept for the user or not. False when it is gone or was so already.
///
/// # Errors
/// [`StoreError::Conflict`] when it is to be kept and another user holds it.
pub async fn unprove_phone(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    id: &IdentificationId,
    reserved: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE phone_numbers SET verified = FALSE, reserved = $5, strategy = NULL, attempts = NULL, verified_at = NULL, second_factor = FALSE,
        default_second_factor = FALSE, updated_at = $4
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND (verified OR reserved <> $5)";
    change(tx, instance, user, sql!(text, instance, id, user, now, reserved)).await
}

/// Says whether a proven number is kept for second factors, and whether it is asked first. Only one number of a user is.
/// False when it is gone or not proven.
pub async fn set_second_factor(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    id: &IdentificationId,
    (second_factor, default): (bool, bool),
    now: Timestamp,
) -> Result<bool, StoreError> {
    if default {
        let others = "UPDATE phone_numbers SET default_second_factor = FALSE, updated_at = $4
            WHERE instance_id = $1 AND user_id = $2 AND id <> $3 AND default_second_factor";
        tx.exec(sql!(others, instance, user, id, now)).await?;
    }
    let text = "UPDATE phone_numbers SET second_factor = $4, default_second_factor = $5, updated_at = $6
        WHERE instance_id = $1 AND user_id = $2 AND id = $3 AND verified";
    change(tx, instance, user, sql!(text, instance, user, id, second_factor, default, now)).await
}

/// Keeps no number of a user for second factors any longer.
pub async fn clear_second_factors(tx: &mut Tx, instance: &InstanceId, user: &UserId, now: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE phone_numbers SET second_factor = FALSE, default_second_factor = FALSE, updated_at = $3
        WHERE instance_id = $1 AND user_id = $2 AND second_factor";
    change(tx, instance, user, sql!(text, instance, user, now)).await.map(|_| ())
}

/// Removes a number. False when it is gone already.
pub async fn delete_phone(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &IdentificationId) -> Result<bool, StoreError> {
    let text = "DELETE FROM phone_numbers WHERE instance_id = $1 AND id = $2 AND user_id = $3";
    tx.searchable(instance, user);
    change(tx, instance, user, sql!(text, instance, id, user)).await
}
