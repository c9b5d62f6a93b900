//! Identifiers that one user holds: proven, or reserved.

use super::{EmailRecord, PhoneRecord, change, push_in};
use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A kind of identifiers that one user at most holds.
#[derive(Clone, Copy, Debug)]
pub enum Held {
    /// Addresses, as they are compared.
    Emails,
    /// Numbers in the form of E.164.
    Phones,
    /// Wallets.
    Wallets,
}

/// Whether somebody has proven one of these, or has it reserved. What was only named is held by nobody.
pub async fn any_held(db: &Db, instance: &InstanceId, kind: Held, values: &[String]) -> Result<bool, StoreError> {
    if values.is_empty() {
        return Ok(false);
    }
    let (table, column, held) = match kind {
        Held::Emails => ("email_addresses", "address_key", "(verified OR reserved)"),
        Held::Phones => ("phone_numbers", "number", "(verified OR reserved)"),
        Held::Wallets => ("web3_wallets", "address", "verified"),
    };
    let mut sql = sql!(format!("SELECT id FROM {table} WHERE instance_id = $1 AND {held}"), instance);
    push_in(&mut sql, column, "IN", values.iter().cloned());
    sql.push(" LIMIT 1");
    Ok(db.opt(sql).await?.is_some())
}

/// Marks an address as proven that was reserved, and makes it the primary one if it is to be. False when it is reserved no longer.
pub async fn prove_reserved_email(tx: &mut Tx, instance: &InstanceId, it: &EmailRecord, primary: bool) -> Result<bool, StoreError> {
    let text =
        "UPDATE email_addresses SET verified = TRUE, reserved = FALSE, strategy = $4, attempts = $5, verified_at = $6, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND reserved";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.strategy, it.attempts, it.verified_at);
    let done = change(tx, instance, &it.user_id, sql).await?;
    if done && primary {
        let text = "UPDATE users SET primary_email_address_id = $3, primary_email_key = $4 WHERE instance_id = $1 AND id = $2";
        change(tx, instance, &it.user_id, sql!(text, instance, &it.user_id, &it.id, &it.address_key)).await?;
    }
    Ok(done)
}

/// The same of a number.
pub async fn prove_reserved_phone(tx: &mut Tx, instance: &InstanceId, it: &PhoneRecord, primary: bool) -> Result<bool, StoreError> {
    let text = "UPDATE phone_numbers SET verified = TRUE, reserved = FALSE, strategy = $4, attempts = $5, verified_at = $6, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND reserved";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.strategy, it.attempts, it.verified_at);
    let done = change(tx, instance, &it.user_id, sql).await?;
    if done && primary {
        let text = "UPDATE users SET primary_phone_number_id = $3, primary_phone = $4 WHERE instance_id = $1 AND id = $2";
        change(tx, instance, &it.user_id, sql!(text, instance, &it.user_id, &it.id, &it.number)).await?;
    }
    Ok(done)
}
