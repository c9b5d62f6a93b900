use super::EndpointRecord;
use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// An event on its way to an endpoint.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    /// The event.
    pub event_id: EventId,
    /// What happened.
    pub kind: String,
    /// To what.
    pub object_id: String,
    /// `pending`, `delivered` or `failed`.
    pub status: String,
    /// Tries since it was last begun, the running one included.
    pub attempts: i64,
    /// While it is pending: when it is tried next.
    pub next_at: Timestamp,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
    /// When the event happened.
    pub created_at: Timestamp,
}

/// One try.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// Its id.
    pub id: AttemptId,
    /// The status of the answer, if there was one.
    pub status: Option<i64>,
    /// Why there was no answer, or none that counts.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub response: String,
    /// How long it took.
    pub duration_ms: i64,
    /// When it began.
    pub created_at: Timestamp,
}

fn delivery(row: &Row) -> Result<DeliveryRecord, StoreError> {
    Ok(DeliveryRecord {
        event_id: row.id("event_id")?,
        kind: row.text("type")?,
        object_id: row.text("object_id")?,
        status: row.text("status")?,
        attempts: row.int("attempts")?,
        next_at: row.int("next_at")?,
        ended_at: row.opt_int("ended_at")?,
        created_at: row.int("created_at")?,
    })
}

/// Takes up to `limit` due deliveries of an endpoint, within its rate: nobody else gets them before `lease_until`, when they
/// count as lost. Of one object only the first that is not over is taken.
pub async fn take_due(
    db: &Db,
    endpoint: &EndpointRecord,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    let mut tx = db.begin().await?;
    let limit = within_rate(&mut tx, endpoint, now, limit).await?;
    // Materialized: PostgreSQL may run a plain sub-select for each row, and each time it would lock others.
    let text = format!(
        "WITH due AS MATERIALIZED (SELECT d.event_id FROM webhook_deliveries d
          WHERE d.instance_id = $1 AND d.endpoint_id = $2 AND d.status = 'pending' AND d.next_at <= $3 AND NOT EXISTS
          (SELECT 1 FROM webhook_deliveries p WHERE p.instance_id = $1 AND p.endpoint_id = $2 AND p.object_id = d.object_id
           AND p.status = 'pending' AND p.seq < d.seq)
          ORDER BY d.next_at, d.seq LIMIT $5{})
         UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = $4
         WHERE instance_id = $1 AND endpoint_id = $2 AND event_id IN (SELECT event_id FROM due) RETURNING *",
        db.dialect().skip_locked()
    );
    let rows = tx.all(sql!(text, &endpoint.instance_id, &endpoint.id, now, lease_until, limit)).await?;
    if endpoint.rate_limit.is_some() && !rows.is_empty() {
        let text = "UPDATE webhook_endpoints SET window_at = $3, window_count = CASE WHEN window_at = $3 THEN window_count ELSE 0 END + $4
            WHERE instance_id = $1 AND id = $2";
        let taken = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, now / 1000, taken)).await?;
    }
    tx.commit().await?;
    rows.iter().map(delivery).collect()
}

/// How many of `limit` tries the endpoint's rate leaves in this second. It holds the endpoint's row: two nodes count as one.
async fn within_rate(tx: &mut Tx, endpoint: &EndpointRecord, now: Timestamp, limit: i64) -> Result<i64, StoreError> {
    let Some(rate) = endpoint.rate_limit else { return Ok(limit) };
    let text = "UPDATE webhook_endpoints SET window_count = CASE WHEN window_at = $3 THEN window_count ELSE 0 END, window_at = $3
        WHERE instance_id = $1 AND id = $2 RETURNING window_count";
    let used = tx.opt(sql!(text, &endpoint.instance_id, &endpoint.id, now / 1000)).await?;
    let used = used.map_or(Ok(rate), |row| row.int("window_count"))?;
    Ok(limit.min(rate - used).max(0))
}

/// A try succeeded. Nothing more happens when the delivery was taken again or ended meanwhile.
pub async fn delivered(
    db: &Db,
    endpoint: &EndpointRecord,
    it: &DeliveryRecord,
    attempt: &AttemptRecord,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    let text = "UPDATE webhook_deliveries SET status = 'delivered', ended_at = $5
        WHERE instance_id = $1 AND endpoint_id = $2 AND event_id = $3 AND status = 'pending' AND attempts = $4";
    tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, &it.event_id, it.attempts, now)).await?;
    insert_attempt(&mut tx, endpoint, it, attempt).await?;
    let text = "UPDATE webhook_endpoints SET failing_since = NULL WHERE instance_id = $1 AND id = $2 AND failing_since IS NOT NULL";
    tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id)).await?;
    tx.commit().await
}

/// A try failed. The next one is at `next_at`; without one the delivery is given up. The endpoint is left alone from now on
/// when every try has failed since `pause_before`: then true.
pub async fn failed(
    db: &Db,
    endpoint: &EndpointRecord,
    it: &DeliveryRecord,
    attempt: &AttemptRecord,
    next_at: Option<Timestamp>,
    pause_before: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = db.begin().await?;
    match next_at {
        Some(at) => {
            let text = "UPDATE webhook_deliveries SET next_at = $5
                WHERE instance_id = $1 AND endpoint_id = $2 AND event_id = $3 AND status = 'pending' AND attempts = $4";
            tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, &it.event_id, it.attempts, at)).await?;
        }
        None => give_up_in(&mut tx, endpoint, it, now).await?,
    }
    insert_attempt(&mut tx, endpoint, it, attempt).await?;
    let text = "UPDATE webhook_endpoints SET failing_since = $3 WHERE instance_id = $1 AND id = $2 AND failing_since IS NULL";
    tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, now)).await?;
    let text = "UPDATE webhook_endpoints SET paused_at = $3
        WHERE instance_id = $1 AND id = $2 AND paused_at IS NULL AND failing_since <= $4";
    let paused = tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, now, pause_before)).await? == 1;
    if next_at.is_none() {
        // Nothing waits any more: the next failure is the first of its own days.
        let text = "UPDATE webhook_endpoints SET failing_since = NULL WHERE instance_id = $1 AND id = $2 AND NOT EXISTS
            (SELECT 1 FROM webhook_deliveries WHERE instance_id = $1 AND endpoint_id = $2 AND status = 'pending')";
        tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id)).await?;
    }
    tx.commit().await?;
    Ok(paused)
}

/// Gives a delivery up that cannot be tried.
pub async fn give_up(db: &Db, endpoint: &EndpointRecord, it: &DeliveryRecord, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    give_up_in(&mut tx, endpoint, it, now).await?;
    tx.commit().await
}

async fn give_up_in(tx: &mut Tx, endpoint: &EndpointRecord, it: &DeliveryRecord, now: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE webhook_deliveries SET status = 'failed', ended_at = $5
        WHERE instance_id = $1 AND endpoint_id = $2 AND event_id = $3 AND status = 'pending' AND attempts = $4";
    tx.exec(sql!(text, &endpoint.instance_id, &endpoint.id, &it.event_id, it.attempts, now)).await.map(|_| ())
}

/// Writes a try down, unless its endpoint was deleted meanwhile.
async fn insert_attempt(tx: &mut Tx, endpoint: &EndpointRecord, it: &DeliveryRecord, attempt: &AttemptRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO webhook_attempts (instance_id, id, endpoint_id, event_id, status, error, response, duration_ms, created_at)
        SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS TEXT), $7, $8, $9
        WHERE EXISTS (SELECT 1 FROM webhook_endpoints WHERE instance_id = $1 AND id = $3)";
    let sql = sql!(text, &endpoint.instance_id, &attempt.id, &endpoint.id, &it.event_id, attempt.status, &attempt.error)
        .bind(&attempt.response)
        .bind(attempt.duration_ms)
        .bind(attempt.created_at);
    tx.exec(sql).await.map(|_| ())
}

/// The newest deliveries of an endpoint, all or those of a status.
pub async fn deliveries(
    db: &Db,
    instance: &InstanceId,
    endpoint: &EndpointId,
    status: Option<&str>,
    limit: i64,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    let mut sql = sql!("SELECT * FROM webhook_deliveries WHERE instance_id = $1 AND endpoint_id = $2", instance, endpoint);
    if let Some(status) = status {
        let n = sql.value(status);
        sql.push(&format!(" AND status = ${n}"));
    }
    let n = sql.value(limit);
    sql.push(&format!(" ORDER BY created_at DESC, event_id DESC LIMIT ${n}"));
    db.all(sql).await?.iter().map(delivery).collect()
}

/// The newest tries of a delivery.
pub async fn attempts(
    db: &Db,
    instance: &InstanceId,
    endpoint: &EndpointId,
    event: &EventId,
    limit: i64,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let text = "SELECT * FROM webhook_attempts WHERE instance_id = $1 AND endpoint_id = $2 AND event_id = $3
        ORDER BY created_at DESC, id DESC LIMIT $4";
    let read = |row: &Row| {
        Ok(AttemptRecord {
            id: row.id("id")?,
            status: row.opt_int("status")?,
            error: row.opt_text("error")?,
            response: row.text("response")?,
            duration_ms: row.int("duration_ms")?,
            created_at: row.int("created_at")?,
        })
    };
    db.all(sql!(text, instance, endpoint, event, limit)).await?.iter().map(read).collect()
}

/// How many deliveries wait, of all instances.
pub async fn backlog(db: &Db) -> Result<i64, StoreError> {
    let row = db.opt(sql!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM webhook_deliveries WHERE status = 'pending'")).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

const ANEW: &str = "status = 'pending', attempts = 0, ended_at = NULL";

/// Tells an endpoint of an event again, or for the first time. False when there is no such event.
pub async fn replay(db: &Db, instance: &InstanceId, endpoint: &EndpointId, event: &EventId, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!(
        "INSERT INTO webhook_deliveries (instance_id, endpoint_id, event_id, type, object_id, seq, status, attempts, next_at, created_at)
         SELECT instance_id, $2, id, type, object_id, seq, 'pending', 0, $4, created_at FROM webhook_events
         WHERE instance_id = $1 AND id = $3
         ON CONFLICT (instance_id, endpoint_id, event_id) DO UPDATE SET {ANEW}, next_at = $4"
    );
    Ok(db.exec(sql!(text, instance, endpoint, event, now)).await? == 1)
}

/// Tells an endpoint again of the events of a time, from its beginning to before its end: of those that it missed, for they
/// failed or it was not told of them, and with `all` also of those that it got. `kinds` are the types that it is told of; all
/// when there are none. Answers how many.
pub async fn replay_range(
    db: &Db,
    instance: &InstanceId,
    endpoint: &EndpointId,
    (since, until): (Timestamp, Timestamp),
    kinds: &[String],
    all: bool,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut sql = sql!(
        "INSERT INTO webhook_deliveries (instance_id, endpoint_id, event_id, type, object_id, seq, status, attempts, next_at, created_at)
         SELECT e.instance_id, $2, e.id, e.type, e.object_id, e.seq, 'pending', 0, $5, e.created_at FROM webhook_events e
         WHERE e.instance_id = $1 AND e.created_at >= $3 AND e.created_at < $4",
        instance,
        endpoint,
        since,
        until,
        now
    );
    if !kinds.is_empty() {
        crate::users::push_in(&mut sql, "e.type", "IN", kinds.iter().cloned());
    }
    let again = if all { "<> 'pending'" } else { "= 'failed'" };
    sql.push(&format!(
        " ON CONFLICT (instance_id, endpoint_id, event_id) DO UPDATE SET {ANEW}, next_at = $5 WHERE webhook_deliveries.status {again}"
    ));
    db.exec(sql).await
}
