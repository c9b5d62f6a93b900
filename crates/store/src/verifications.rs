//! Codes that were sent and not yet entered. Counters are bumped and codes are taken under a guard, in one statement.

use crate::db::{Db, Read, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A verification as it is kept.
#[derive(Clone, Debug)]
pub struct VerificationRecord {
    /// The verification's id.
    pub id: VerificationId,
    /// The attempt it belongs to.
    pub owner_id: String,
    /// The strategy's name.
    pub strategy: String,
    /// Where the code went: the address as it is compared, or the number; of a challenge, what is to answer it.
    pub target_id: String,
    /// The keyed hash of the code.
    pub code_hash: String,
    /// What belongs to the proof beside the code: the channel of a code to a phone; a challenge or where a redirect leads, sealed.
    pub payload: Option<String>,
    /// `unverified` or `verified`.
    pub status: String,
    /// Codes tried so far.
    pub attempts: i64,
    /// When it stops being open.
    pub expire_at: Timestamp,
    /// When it was sent.
    pub created_at: Timestamp,
}

fn verification(row: &Row) -> Result<VerificationRecord, StoreError> {
    Ok(VerificationRecord {
        id: row.id("id")?,
        owner_id: row.text("owner_id")?,
        strategy: row.text("strategy")?,
        target_id: row.text("target_id")?,
        code_hash: row.text("code_hash")?,
        payload: row.opt_text("payload")?,
        status: row.text("status")?,
        attempts: row.int("attempts")?,
        expire_at: row.int("expire_at")?,
        created_at: row.int("created_at")?,
    })
}

/// The verification of an id.
pub async fn get(db: &Db, instance: &InstanceId, id: &VerificationId) -> Result<Option<VerificationRecord>, StoreError> {
    let text = "SELECT * FROM verifications WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(verification).transpose()
}

/// The newest verification of an owner.
pub async fn latest_of(db: &Db, instance: &InstanceId, owner: &str) -> Result<Option<VerificationRecord>, StoreError> {
    let text = "SELECT * FROM verifications WHERE instance_id = $1 AND owner_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1";
    db.opt(sql!(text, instance, owner)).await?.as_ref().map(verification).transpose()
}

/// Adds a verification.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &VerificationRecord) -> Result<(), StoreError> {
    tx.exec(sql!(
        "INSERT INTO verifications (instance_id, id, owner_id, strategy, target_id, code_hash, status, attempts, expire_at, created_at, payload)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        instance,
        &it.id,
        &it.owner_id,
        &it.strategy,
        &it.target_id,
        &it.code_hash,
        &it.status,
        it.attempts,
        it.expire_at,
        it.created_at,
        &it.payload
    ))
    .await
    .map(|_| ())
}

/// Makes others wait who send something to this target, until the transaction ends: so that they count what it has sent.
pub async fn lock_target(tx: &mut Tx, instance: &InstanceId, target_id: &str) -> Result<(), StoreError> {
    match tx.dialect().lock() {
        Some(text) => tx.all(sql!(text, format!("verifications:{instance}:{target_id}"))).await.map(|_| ()),
        None => Ok(()),
    }
}

/// How many codes went to a target since a time.
pub async fn sent_since(mut db: impl Read, instance: &InstanceId, target_id: &str, since: Timestamp) -> Result<i64, StoreError> {
    let text = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM verifications WHERE instance_id = $1 AND target_id = $2 AND created_at > $3";
    db.opt(sql!(text, instance, target_id, since)).await?.map_or(Ok(0), |row| row.int("n"))
}

/// Takes one try of an open verification: bumps its counter and answers it, or nothing when it is used, spent or late.
/// It lasts whatever becomes of the request.
pub async fn take_try(
    db: &Db,
    instance: &InstanceId,
    id: &VerificationId,
    max_attempts: i64,
    now: Timestamp,
) -> Result<Option<VerificationRecord>, StoreError> {
    let text = "UPDATE verifications SET attempts = attempts + 1
        WHERE instance_id = $1 AND id = $2 AND status = 'unverified' AND attempts < $3 AND expire_at > $4 RETURNING *";
    db.take(sql!(text, instance, id, max_attempts, now)).await?.as_ref().map(verification).transpose()
}

/// Takes a verification whose code was right. True for exactly one of several callers.
pub async fn consume(tx: &mut Tx, instance: &InstanceId, id: &VerificationId) -> Result<bool, StoreError> {
    let text = "UPDATE verifications SET status = 'verified' WHERE instance_id = $1 AND id = $2 AND status = 'unverified'";
    Ok(tx.exec(sql!(text, instance, id)).await? == 1)
}
