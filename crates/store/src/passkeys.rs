//! Passkeys: the public halves of credentials that users' authenticators hold.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use crate::users::touch;
use doorward_base::*;

/// A passkey as it is kept.
#[derive(Clone, Debug)]
pub struct PasskeyRecord {
    /// Its id.
    pub id: PasskeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// The authenticator's own id of it, base64url. One instance has it once.
    pub credential_id: String,
    /// The site that it works on.
    pub rp_id: String,
    /// The public key (COSE, RFC 9052).
    pub public_key: Vec<u8>,
    /// The counter of its last signature; 0 where the authenticator does not count.
    pub sign_count: i64,
    /// Whether it may be copied to other devices; it never changes.
    pub backup_eligible: bool,
    /// Whether it was, at last sight.
    pub backed_up: bool,
    /// How browsers reach the authenticator, a JSON list.
    pub transports: String,
    /// A name for people.
    pub name: String,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A signature that was right.
#[derive(Clone, Debug)]
pub struct Use {
    /// The passkey.
    pub id: PasskeyId,
    /// The counter that was signed.
    pub sign_count: i64,
    /// Whether the passkey was copied to other devices.
    pub backed_up: bool,
}

pub(crate) fn passkey(row: &Row) -> Result<PasskeyRecord, StoreError> {
    Ok(PasskeyRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        credential_id: row.text("credential_id")?,
        rp_id: row.text("rp_id")?,
        public_key: row.bytes("public_key")?,
        sign_count: row.int("sign_count")?,
        backup_eligible: row.flag("backup_eligible")?,
        backed_up: row.flag("backed_up")?,
        transports: row.text("transports")?,
        name: row.text("name")?,
        last_used_at: row.opt_int("last_used_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The passkey of an authenticator's id.
pub async fn by_credential(db: &Db, instance: &InstanceId, credential_id: &str) -> Result<Option<PasskeyRecord>, StoreError> {
    let text = "SELECT * FROM passkeys WHERE instance_id = $1 AND credential_id = $2";
    db.opt(sql!(text, instance, credential_id)).await?.as_ref().map(passkey).transpose()
}

/// Adds a passkey. False when its user is gone.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody has it already.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &PasskeyRecord) -> Result<bool, StoreError> {
    if !touch(tx, instance, &it.user_id, it.created_at).await? {
        return Ok(false);
    }
    let has = "UPDATE users SET has_passkeys = TRUE WHERE instance_id = $1 AND id = $2 AND NOT has_passkeys";
    tx.exec(sql!(has, instance, &it.user_id)).await?;
    let text = "INSERT INTO passkeys (instance_id, id, user_id, credential_id, rp_id, public_key, sign_count, backup_eligible, backed_up,
        transports, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.credential_id, &it.rp_id, it.public_key.as_slice(), it.sign_count)
        .bind(it.backup_eligible)
        .bind(it.backed_up)
        .bind(&it.transports)
        .bind(&it.name)
        .bind(it.created_at);
    tx.exec(sql).await.map(|_| true)
}

/// Records a signature, if its counter is later than the last one's or neither side counts. True for one of several callers
/// with the same counter; false too when the passkey is gone.
pub async fn used(tx: &mut Tx, instance: &InstanceId, user: &UserId, it: &Use, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE passkeys SET sign_count = $4, backed_up = $5, last_used_at = $6
        WHERE instance_id = $1 AND user_id = $2 AND id = $3 AND (sign_count < $4 OR (sign_count = 0 AND $4 = 0))";
    Ok(tx.exec(sql!(text, instance, user, &it.id, it.sign_count, it.backed_up, now)).await? == 1)
}

/// Gives a passkey another name. False when the user has no such passkey.
pub async fn rename(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    id: &PasskeyId,
    name: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE passkeys SET name = $4, updated_at = $5 WHERE instance_id = $1 AND user_id = $2 AND id = $3";
    Ok(tx.exec(sql!(text, instance, user, id, name, now)).await? == 1 && touch(tx, instance, user, now).await?)
}

/// Removes a passkey. False when the user has no such passkey.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &PasskeyId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "DELETE FROM passkeys WHERE instance_id = $1 AND user_id = $2 AND id = $3";
    Ok(tx.exec(sql!(text, instance, user, id)).await? == 1 && touch(tx, instance, user, now).await?)
}
