//! The outbox: work that is written together with what causes it, and done afterwards; and the development inbox.

use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A job that a worker has taken.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// The job's id.
    pub id: JobId,
    /// The instance it belongs to.
    pub instance_id: InstanceId,
    /// What kind of work it is.
    pub kind: String,
    /// What the work needs, sealed with the master key.
    pub sealed: String,
    /// How often it was taken, this time included.
    pub attempts: i64,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Adds a job that is due at once.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, id: &JobId, kind: &str, sealed: &str, now: Timestamp) -> Result<(), StoreError> {
    let text = "INSERT INTO jobs (id, instance_id, kind, sealed, attempts, run_at, created_at) VALUES ($1, $2, $3, $4, 0, $5, $5)";
    tx.exec(sql!(text, id, instance, kind, sealed, now)).await.map(|_| ())
}

/// Takes up to `limit` due jobs: nobody else gets them before `lease_until`, when they count as lost.
pub async fn take_due(db: &Db, now: Timestamp, lease_until: Timestamp, limit: i64) -> Result<Vec<JobRecord>, StoreError> {
    // Materialized: PostgreSQL may run a plain sub-select for each row, and each time it would lock others.
    let text = format!(
        "WITH due AS MATERIALIZED
         (SELECT id FROM jobs WHERE run_at <= $1 AND done_at IS NULL AND failed_at IS NULL ORDER BY run_at LIMIT $3{})
         UPDATE jobs SET attempts = attempts + 1, run_at = $2 WHERE id IN (SELECT id FROM due) RETURNING *",
        db.dialect().skip_locked()
    );
    let mut tx = db.begin().await?;
    let rows = tx.all(sql!(text, now, lease_until, limit)).await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(JobRecord {
                id: row.id("id")?,
                instance_id: row.id("instance_id")?,
                kind: row.text("kind")?,
                sealed: row.text("sealed")?,
                attempts: row.int("attempts")?,
                created_at: row.int("created_at")?,
            })
        })
        .collect()
}

/// Whether anything is due: a read, so that an idle worker does not take the write lock.
pub async fn any_due(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    let text = "SELECT id FROM jobs WHERE run_at <= $1 AND done_at IS NULL AND failed_at IS NULL LIMIT 1";
    Ok(db.opt(sql!(text, now)).await?.is_some())
}

/// How many jobs wait.
pub async fn backlog(db: &Db) -> Result<i64, StoreError> {
    let text = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM jobs WHERE done_at IS NULL AND failed_at IS NULL";
    db.opt(sql!(text)).await?.map_or(Ok(0), |row| row.int("n"))
}

/// A job is done. Its payload is wiped.
pub async fn done(db: &Db, id: &JobId, now: Timestamp) -> Result<(), StoreError> {
    db.exec(sql!("UPDATE jobs SET done_at = $2, sealed = '' WHERE id = $1", id, now)).await.map(|_| ())
}

/// A job did not work and is tried again at `run_at`.
pub async fn retry(db: &Db, id: &JobId, error: &str, run_at: Timestamp) -> Result<(), StoreError> {
    db.exec(sql!("UPDATE jobs SET run_at = $3, last_error = $2 WHERE id = $1", id, error, run_at)).await.map(|_| ())
}

/// A job is given up. Its payload is wiped.
pub async fn failed(db: &Db, id: &JobId, error: &str, now: Timestamp) -> Result<(), StoreError> {
    db.exec(sql!("UPDATE jobs SET failed_at = $3, last_error = $2, sealed = '' WHERE id = $1", id, error, now)).await.map(|_| ())
}

/// A message that was kept for a developer to read instead of being sent.
#[derive(Clone, Debug)]
pub struct InboxRecord {
    /// The message's id.
    pub id: MessageId,
    /// To whom it would have gone.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Puts a message into the development inbox; once, however often it is tried.
pub async fn insert_inbox(db: &Db, instance: &InstanceId, it: &InboxRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO inbox_messages (id, instance_id, recipient, subject, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO NOTHING";
    db.exec(sql!(text, &it.id, instance, &it.recipient, &it.subject, &it.body, it.created_at)).await.map(|_| ())
}

/// The newest messages of the development inbox.
pub async fn inbox(db: &Db, instance: &InstanceId, limit: i64) -> Result<Vec<InboxRecord>, StoreError> {
    let text = "SELECT * FROM inbox_messages WHERE instance_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2";
    db.all(sql!(text, instance, limit))
        .await?
        .iter()
        .map(|row| {
            Ok(InboxRecord {
                id: row.id("id")?,
                recipient: row.text("recipient")?,
                subject: row.text("subject")?,
                body: row.text("body")?,
                created_at: row.int("created_at")?,
            })
        })
        .collect()
}
