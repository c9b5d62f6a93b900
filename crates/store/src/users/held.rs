//! Whether somebody holds one of several identifiers.

use super::push_in;
use crate::db::{Db, StoreError};
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
