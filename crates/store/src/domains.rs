//! Satellites: other domains whose apps share the users of an instance.

use crate::db::{Read, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A satellite as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SatelliteRecord {
    /// Its id.
    pub id: DomainId,
    /// The domain, lower case; on development instances with a port.
    pub name: String,
    /// The address of a proxy in front of its Frontend API.
    pub proxy_url: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn record(row: &Row) -> Result<SatelliteRecord, StoreError> {
    Ok(SatelliteRecord {
        id: row.id("id")?,
        name: row.text("name")?,
        proxy_url: row.opt_text("proxy_url")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The satellites of an instance, the oldest first.
pub async fn list(db: &mut impl Read, instance: &InstanceId) -> Result<Vec<SatelliteRecord>, StoreError> {
    let text = "SELECT * FROM satellite_domains WHERE instance_id = $1 ORDER BY created_at, id";
    db.all(sql!(text, instance)).await?.iter().map(record).collect()
}

/// Adds a satellite.
///
/// # Errors
/// [`StoreError::Conflict`] when the instance has it already.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &SatelliteRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO satellite_domains (instance_id, id, name, proxy_url, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.exec(sql!(text, instance, &it.id, &it.name, &it.proxy_url, it.created_at, it.updated_at)).await.map(|_| ())
}

/// Changes a satellite. False when it is gone.
///
/// # Errors
/// [`StoreError::Conflict`] when the instance has another of the name.
pub async fn update(tx: &mut Tx, instance: &InstanceId, it: &SatelliteRecord) -> Result<bool, StoreError> {
    let text = "UPDATE satellite_domains SET name = $3, proxy_url = $4, updated_at = $5 WHERE instance_id = $1 AND id = $2";
    Ok(tx.exec(sql!(text, instance, &it.id, &it.name, &it.proxy_url, it.updated_at)).await? == 1)
}

/// Removes a satellite. False when it is gone already.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, id: &DomainId) -> Result<bool, StoreError> {
    Ok(tx.exec(sql!("DELETE FROM satellite_domains WHERE instance_id = $1 AND id = $2", instance, id)).await? == 1)
}
