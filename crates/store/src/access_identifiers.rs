//! The allow list and the block list.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use crate::users::push_in;
use doorward_base::*;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Who may sign up.
    Allow,
    /// Who may not.
    Block,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
        }
    }
}

/// An entry as it is kept.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// Its id.
    pub id: AccessIdentifierId,
    /// `email_address`, `phone_number` or `web3_wallet`.
    pub kind: String,
    /// The identifier in the form in which it is compared, or a pattern of addresses.
    pub identifier: String,
    /// The invitation that was sent with it.
    pub invitation_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn record(row: &Row) -> Result<AccessRecord, StoreError> {
    Ok(AccessRecord {
        id: row.id("id")?,
        kind: row.text("kind")?,
        identifier: row.text("identifier")?,
        invitation_id: row.opt_text("invitation_id")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// Adds an entry. A conflict means that it is there already.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, list: List, it: &AccessRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO access_identifiers (instance_id, list, id, kind, identifier, invitation_id, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let sql = sql!(text, instance, list.name(), &it.id, &it.kind, &it.identifier, &it.invitation_id, it.created_at, it.updated_at);
    tx.exec(sql).await.map(|_| ())
}

/// A page of a list, the newest first; all of it without a limit.
pub async fn list(db: &Db, instance: &InstanceId, list: List, page: Option<(i64, i64)>) -> Result<Vec<AccessRecord>, StoreError> {
    let text = "SELECT * FROM access_identifiers WHERE instance_id = $1 AND list = $2 ORDER BY created_at DESC, id DESC";
    let mut sql = sql!(text, instance, list.name());
    if let Some((limit, offset)) = page {
        let (limit, offset) = (sql.value(limit), sql.value(offset));
        sql.push(&format!(" LIMIT ${limit} OFFSET ${offset}"));
    }
    db.all(sql).await?.iter().map(record).collect()
}

/// How long a list is.
pub async fn count(db: &Db, instance: &InstanceId, list: List) -> Result<i64, StoreError> {
    let text = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM access_identifiers WHERE instance_id = $1 AND list = $2";
    db.opt(sql!(text, instance, list.name())).await?.map_or(Ok(0), |row| row.int("n"))
}

/// Removes an entry. False when there is none of that id on that list.
pub async fn delete(db: &Db, instance: &InstanceId, list: List, id: &AccessIdentifierId) -> Result<bool, StoreError> {
    let text = "DELETE FROM access_identifiers WHERE instance_id = $1 AND id = $2 AND list = $3";
    Ok(db.exec(sql!(text, instance, id, list.name())).await? == 1)
}

/// Whether one of `candidates` is on a list.
pub async fn holds(db: &Db, instance: &InstanceId, list: List, candidates: Vec<String>) -> Result<bool, StoreError> {
    let mut sql = sql!("SELECT id FROM access_identifiers WHERE instance_id = $1 AND list = $2", instance, list.name());
    push_in(&mut sql, "identifier", "IN", candidates.into_iter());
    sql.push(" LIMIT 1");
    Ok(db.opt(sql).await?.is_some())
}
