//! Trusted devices: the public halves of keys that native apps hold for their users.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A trusted device as it is kept.
#[derive(Clone, Debug)]
pub struct TrustedDeviceRecord {
    /// Its id.
    pub id: TrustedDeviceId,
    /// Whose it is.
    pub user_id: UserId,
    /// `ios` or `android`.
    pub platform: String,
    /// The bundle or package of the app that holds the key.
    pub app_identifier: String,
    /// A name for people.
    pub name: Option<String>,
    /// The public key: a point on P-256, uncompressed.
    pub public_key: Vec<u8>,
    /// When somebody last signed in with it.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn device(row: &Row) -> Result<TrustedDeviceRecord, StoreError> {
    Ok(TrustedDeviceRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        platform: row.text("platform")?,
        app_identifier: row.text("app_identifier")?,
        name: row.opt_text("name")?,
        public_key: row.bytes("public_key")?,
        last_used_at: row.opt_int("last_used_at")?,
        revoked_at: row.opt_int("revoked_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The device of an id, revoked or not.
pub async fn get(db: &Db, instance: &InstanceId, id: &TrustedDeviceId) -> Result<Option<TrustedDeviceRecord>, StoreError> {
    let text = "SELECT * FROM trusted_devices WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(device).transpose()
}

/// The devices of a user that are not revoked, the oldest first.
pub async fn of_user(db: &Db, instance: &InstanceId, user: &UserId) -> Result<Vec<TrustedDeviceRecord>, StoreError> {
    let text = "SELECT * FROM trusted_devices WHERE instance_id = $1 AND user_id = $2 AND revoked_at IS NULL ORDER BY created_at, id";
    db.all(sql!(text, instance, user)).await?.iter().map(device).collect()
}

/// Adds a device.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &TrustedDeviceRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO trusted_devices (instance_id, id, user_id, platform, app_identifier, name, public_key, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.platform, &it.app_identifier, &it.name, it.public_key.as_slice());
    tx.exec(sql.bind(it.created_at)).await.map(|_| ())
}

/// Records a sign-in. False when the device was revoked.
pub async fn used(tx: &mut Tx, instance: &InstanceId, id: &TrustedDeviceId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE trusted_devices SET last_used_at = $3 WHERE instance_id = $1 AND id = $2 AND revoked_at IS NULL";
    Ok(tx.exec(sql!(text, instance, id, now)).await? == 1)
}

/// Revokes a device. False when the user has no such device, or it was revoked before.
pub async fn revoke(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &TrustedDeviceId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE trusted_devices SET revoked_at = $4, updated_at = $4
        WHERE instance_id = $1 AND user_id = $2 AND id = $3 AND revoked_at IS NULL";
    Ok(tx.exec(sql!(text, instance, user, id, now)).await? == 1)
}
