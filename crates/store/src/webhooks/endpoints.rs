use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// An endpoint as it is kept.
#[derive(Clone, Debug, Default)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// Its instance.
    pub instance_id: InstanceId,
    /// Where it is told.
    pub url: String,
    /// A note for people.
    pub description: String,
    /// The types of the events that it is told of, a JSON list; all when the list is empty.
    pub events: String,
    /// What deliveries are signed with, sealed.
    pub secret: String,
    /// What they were signed with before, sealed.
    pub old_secret: Option<String>,
    /// Until when they are signed with that too.
    pub old_secret_until: Option<Timestamp>,
    /// Whether an operator switched it off: then nothing is kept for it.
    pub disabled: bool,
    /// Tries at most within a second.
    pub rate_limit: Option<i64>,
    /// The date of the payloads' shape.
    pub version: String,
    /// Since when every try has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when it is left alone, because it failed for too long.
    pub paused_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl EndpointRecord {
    /// `disabled`, `paused`, `failing` or `active`, for people.
    pub fn state(&self) -> &'static str {
        match self {
            it if it.disabled => "disabled",
            it if it.paused_at.is_some() => "paused",
            it if it.failing_since.is_some() => "failing",
            _ => "active",
        }
    }
}

fn record(row: &Row) -> Result<EndpointRecord, StoreError> {
    Ok(EndpointRecord {
        id: row.id("id")?,
        instance_id: row.id("instance_id")?,
        url: row.text("url")?,
        description: row.text("description")?,
        events: row.text("events")?,
        secret: row.text("secret")?,
        old_secret: row.opt_text("old_secret")?,
        old_secret_until: row.opt_int("old_secret_until")?,
        disabled: row.flag("disabled")?,
        rate_limit: row.opt_int("rate_limit")?,
        version: row.text("version")?,
        failing_since: row.opt_int("failing_since")?,
        paused_at: row.opt_int("paused_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// Adds an endpoint, unless the instance has `most` already: then false.
pub async fn insert_endpoint(db: &Db, it: &EndpointRecord, most: i64) -> Result<bool, StoreError> {
    let text = "INSERT INTO webhook_endpoints (instance_id, id, url, description, events, secret, disabled, rate_limit, version,
        window_at, window_count, created_at, updated_at) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10, $10
        WHERE (SELECT COUNT(*) FROM webhook_endpoints WHERE instance_id = $1) < $11";
    let sql = sql!(text, &it.instance_id, &it.id, &it.url, &it.description, &it.events, &it.secret, it.disabled, it.rate_limit)
        .bind(&it.version)
        .bind(it.created_at)
        .bind(most);
    Ok(db.exec(sql).await? == 1)
}

/// The endpoint of an id.
pub async fn endpoint(db: &Db, instance: &InstanceId, id: &EndpointId) -> Result<Option<EndpointRecord>, StoreError> {
    let text = "SELECT * FROM webhook_endpoints WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(record).transpose()
}

/// The endpoints of an instance, the oldest first.
pub async fn endpoints(db: &Db, instance: &InstanceId) -> Result<Vec<EndpointRecord>, StoreError> {
    let text = "SELECT * FROM webhook_endpoints WHERE instance_id = $1 ORDER BY created_at, id";
    db.all(sql!(text, instance)).await?.iter().map(record).collect()
}

/// Writes what an operator chooses of an endpoint. False when it is gone.
pub async fn update_endpoint(db: &Db, it: &EndpointRecord) -> Result<bool, StoreError> {
    let text = "UPDATE webhook_endpoints SET url = $3, description = $4, events = $5, disabled = $6, rate_limit = $7, version = $8,
        updated_at = $9 WHERE instance_id = $1 AND id = $2";
    let sql = sql!(text, &it.instance_id, &it.id, &it.url, &it.description, &it.events, it.disabled, it.rate_limit, &it.version);
    Ok(db.exec(sql.bind(it.updated_at)).await? == 1)
}

/// Puts a secret in the place of the one that `it` has, which signs along until a time. False when it is gone, or has
/// another one by now.
pub async fn set_secret(db: &Db, it: &EndpointRecord, sealed: &str, old_until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE webhook_endpoints SET secret = $4, old_secret = $3, old_secret_until = $5, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND secret = $3";
    Ok(db.exec(sql!(text, &it.instance_id, &it.id, &it.secret, sealed, old_until, now)).await? == 1)
}

/// Lets an endpoint be told again that was left alone. What waits for it is due at once. False when it is gone.
pub async fn resume(db: &Db, instance: &InstanceId, id: &EndpointId, now: Timestamp) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    let text = "UPDATE webhook_endpoints SET paused_at = NULL, failing_since = NULL, updated_at = $3 WHERE instance_id = $1 AND id = $2";
    let there = tx.exec(sql!(text, instance, id, now)).await? == 1;
    let text = "UPDATE webhook_deliveries SET next_at = $3
        WHERE instance_id = $1 AND endpoint_id = $2 AND status = 'pending' AND next_at > $3";
    tx.exec(sql!(text, instance, id, now)).await?;
    tx.commit().await?;
    Ok(there)
}

/// Removes an endpoint with its log and all that waits for it. False when it is gone.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, id: &EndpointId) -> Result<bool, StoreError> {
    for table in ["webhook_attempts", "webhook_deliveries"] {
        tx.exec(sql!(format!("DELETE FROM {table} WHERE instance_id = $1 AND endpoint_id = $2"), instance, id)).await?;
    }
    Ok(tx.exec(sql!("DELETE FROM webhook_endpoints WHERE instance_id = $1 AND id = $2", instance, id)).await? == 1)
}

/// The endpoints of all instances for which something is due.
pub async fn due(db: &Db, now: Timestamp) -> Result<Vec<EndpointRecord>, StoreError> {
    let text = "SELECT e.* FROM webhook_endpoints e WHERE NOT e.disabled AND e.paused_at IS NULL AND EXISTS
        (SELECT 1 FROM webhook_deliveries d WHERE d.instance_id = e.instance_id AND d.endpoint_id = e.id AND d.status = 'pending'
         AND d.next_at <= $1)";
    db.all(sql!(text, now)).await?.iter().map(record).collect()
}
