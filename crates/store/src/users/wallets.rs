//! Web3 wallets of users.

use super::{UserWithEmails, change, one};
use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A wallet as it is kept.
#[derive(Clone, Debug, Default)]
pub struct WalletRecord {
    /// The identifier's id.
    pub id: IdentificationId,
    /// Whose it is.
    pub user_id: UserId,
    /// The address, in the one form in which it is written.
    pub address: String,
    /// Whether it was proven. At most one user has a given proven wallet.
    pub verified: bool,
    /// What proved it.
    pub strategy: Option<String>,
    /// When.
    pub verified_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

pub(super) fn wallet(row: &Row) -> Result<WalletRecord, StoreError> {
    Ok(WalletRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        address: row.text("address")?,
        verified: row.flag("verified")?,
        strategy: row.opt_text("strategy")?,
        verified_at: row.opt_int("verified_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The user who has proven a wallet.
pub async fn by_wallet(db: &Db, instance: &InstanceId, address: &str) -> Result<Option<UserWithEmails>, StoreError> {
    let text = "SELECT u.* FROM web3_wallets w JOIN users u ON u.instance_id = w.instance_id AND u.id = w.user_id
        WHERE w.instance_id = $1 AND w.address = $2 AND w.verified";
    one(db, instance, sql!(text, instance, address)).await
}

/// Adds a wallet.
///
/// # Errors
/// [`StoreError::Conflict`] when it is proven and another user has proven it.
pub async fn insert_wallet(tx: &mut Tx, instance: &InstanceId, it: &WalletRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO web3_wallets (instance_id, id, user_id, address, verified, strategy, verified_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.address, it.verified, &it.strategy, it.verified_at);
    tx.searchable(instance, &it.user_id);
    change(tx, instance, &it.user_id, sql.bind(it.created_at).bind(it.updated_at)).await?;
    let text = "UPDATE users SET has_web3_wallets = TRUE WHERE instance_id = $1 AND id = $2 AND NOT has_web3_wallets";
    tx.exec(sql!(text, instance, &it.user_id)).await.map(|_| ())
}

/// Marks a wallet as proven. False when it is gone or was proven before.
///
/// # Errors
/// [`StoreError::Conflict`] when another user has proven it.
pub async fn prove_wallet(tx: &mut Tx, instance: &InstanceId, it: &WalletRecord) -> Result<bool, StoreError> {
    let text = "UPDATE web3_wallets SET verified = TRUE, strategy = $4, verified_at = $5, updated_at = $5
        WHERE instance_id = $1 AND id = $2 AND user_id = $3 AND NOT verified";
    change(tx, instance, &it.user_id, sql!(text, instance, &it.id, &it.user_id, &it.strategy, it.verified_at)).await
}

/// Removes a wallet. False when it is gone already.
pub async fn delete_wallet(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &IdentificationId) -> Result<bool, StoreError> {
    let text = "DELETE FROM web3_wallets WHERE instance_id = $1 AND id = $2 AND user_id = $3";
    tx.searchable(instance, user);
    change(tx, instance, user, sql!(text, instance, id, user)).await
}
