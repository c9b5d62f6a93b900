//! Addresses to which people may be sent back beside those of the allowed origins.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// An address as it is kept.
#[derive(Clone, Debug)]
pub struct RedirectRecord {
    /// Its id.
    pub id: RedirectUrlId,
    /// The address as it was written, which has to be met exactly.
    pub url: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn record(row: &Row) -> Result<RedirectRecord, StoreError> {
    Ok(RedirectRecord { id: row.id("id")?, url: row.text("url")?, created_at: row.int("created_at")?, updated_at: row.int("updated_at")? })
}

/// Adds an address. A conflict means that it is there already.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &RedirectRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO redirect_urls (instance_id, id, url, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)";
    tx.exec(sql!(text, instance, &it.id, &it.url, it.created_at, it.updated_at)).await.map(|_| ())
}

/// The address of an id.
pub async fn get(db: &Db, instance: &InstanceId, id: &RedirectUrlId) -> Result<Option<RedirectRecord>, StoreError> {
    let text = "SELECT * FROM redirect_urls WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(record).transpose()
}

/// A page of the addresses, the newest first; all of them without a limit.
pub async fn list(db: &Db, instance: &InstanceId, page: Option<(i64, i64)>) -> Result<Vec<RedirectRecord>, StoreError> {
    let mut sql = sql!("SELECT * FROM redirect_urls WHERE instance_id = $1 ORDER BY created_at DESC, id DESC", instance);
    if let Some((limit, offset)) = page {
        let (limit, offset) = (sql.value(limit), sql.value(offset));
        sql.push(&format!(" LIMIT ${limit} OFFSET ${offset}"));
    }
    db.all(sql).await?.iter().map(record).collect()
}

/// How many there are.
pub async fn count(db: &Db, instance: &InstanceId) -> Result<i64, StoreError> {
    let text = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM redirect_urls WHERE instance_id = $1";
    db.opt(sql!(text, instance)).await?.map_or(Ok(0), |row| row.int("n"))
}

/// Whether exactly this address was added.
pub async fn holds(db: &Db, instance: &InstanceId, url: &str) -> Result<bool, StoreError> {
    Ok(db.opt(sql!("SELECT id FROM redirect_urls WHERE instance_id = $1 AND url = $2", instance, url)).await?.is_some())
}

/// Removes an address. False when there is none of that id.
pub async fn delete(db: &Db, instance: &InstanceId, id: &RedirectUrlId) -> Result<bool, StoreError> {
    Ok(db.exec(sql!("DELETE FROM redirect_urls WHERE instance_id = $1 AND id = $2", instance, id)).await? == 1)
}
