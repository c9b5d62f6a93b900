//! Development browsers: tokens that stand for a client where cookies cannot.

use crate::db::{Db, StoreError};
use crate::sql;
use doorward_base::*;

/// A development browser as it is kept.
#[derive(Clone, Debug)]
pub struct DevBrowserRecord {
    /// Its id.
    pub id: DevBrowserId,
    /// The client it stands for, once there is one.
    pub client_id: Option<ClientId>,
}

/// The development browser of a token, by the token's hash.
pub async fn by_token(db: &Db, instance: &InstanceId, token_hash: &str) -> Result<Option<DevBrowserRecord>, StoreError> {
    let text = "SELECT id, client_id FROM dev_browsers WHERE instance_id = $1 AND token_hash = $2";
    let row = db.opt(sql!(text, instance, token_hash)).await?;
    row.map(|row| Ok(DevBrowserRecord { id: row.id("id")?, client_id: row.opt_id("client_id")? })).transpose()
}

/// Adds a development browser.
pub async fn insert(
    db: &Db,
    instance: &InstanceId,
    id: &DevBrowserId,
    token_hash: &str,
    client: &Option<ClientId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = "INSERT INTO dev_browsers (instance_id, id, token_hash, client_id, created_at) VALUES ($1, $2, $3, $4, $5)";
    db.exec(sql!(text, instance, id, token_hash, client, now)).await.map(|_| ())
}

/// Lets a development browser stand for a client.
pub async fn bind(db: &Db, instance: &InstanceId, id: &DevBrowserId, client: &ClientId) -> Result<(), StoreError> {
    let text = "UPDATE dev_browsers SET client_id = $3 WHERE instance_id = $1 AND id = $2";
    db.exec(sql!(text, instance, id, client)).await.map(|_| ())
}
