//! The job that nobody asks for: deleting what expired.

use doorward_base::Timestamp;
use doorward_store::sweep::{RULES, Rule};
use doorward_store::{Db, StoreError};

/// Rows in one go: SQLite has one writer, and a request must not wait long for it.
const BATCH: i64 = 200;

/// Batches of one kind in one sweep; the next sweep goes on.
const BATCHES: usize = 50;

/// Deletes what expired, as the store's rules say. Answers how many rows.
///
/// # Errors
/// When the database fails; what was deleted until then stays deleted.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let mut total = 0;
    for rule in RULES {
        total += batches(rule, db, now).await?;
    }
    Ok(total)
}

async fn batches(rule: &Rule, db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let mut total = 0;
    for _ in 0..BATCHES {
        let deleted = rule.apply(db, now, BATCH).await?;
        total += deleted;
        if deleted < BATCH.unsigned_abs() {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(total)
}
