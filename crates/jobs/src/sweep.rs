//! The job that nobody asks for: deleting what expired.

use doorward_base::Timestamp;
use doorward_store::attempts::{self, Kind};
use doorward_store::{Db, StoreError, jobs, tokens, verifications};

/// Rows in one go: SQLite has one writer, and a request must not wait long for it.
const BATCH: i64 = 200;

/// Batches of one kind in one sweep; the next sweep goes on.
const BATCHES: usize = 50;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Deletes what expired: attempts, verifications and tokens a day after their end, for their counters are still asked;
/// jobs and the development inbox after a week. Answers how many rows.
///
/// # Errors
/// When the database fails; what was deleted until then stays deleted.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    let (day, week) = (now - DAY, now - 7 * DAY);
    let mut total = 0;
    total += batches(|| attempts::sweep(db, Kind::SignIn, day, BATCH)).await?;
    total += batches(|| attempts::sweep(db, Kind::SignUp, day, BATCH)).await?;
    total += batches(|| verifications::sweep(db, day, BATCH)).await?;
    total += batches(|| tokens::sweep(db, now - HOUR, BATCH)).await?;
    total += batches(|| jobs::sweep(db, week, BATCH)).await?;
    total += batches(|| jobs::sweep_inbox(db, week, BATCH)).await?;
    Ok(total)
}

async fn batches<F: Future<Output = Result<u64, StoreError>>>(one: impl Fn() -> F) -> Result<u64, StoreError> {
    let mut total = 0;
    for _ in 0..BATCHES {
        let deleted = one().await?;
        total += deleted;
        if deleted < BATCH.unsigned_abs() {
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(total)
}
