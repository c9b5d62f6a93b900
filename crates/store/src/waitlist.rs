//! The waitlist: people who asked to be let in.

use crate::changes::Change;
use crate::db::{Db, Read, Row, Sql, StoreError, Tx};
use crate::sql;
use crate::users::pattern;
use doorward_base::*;

/// An entry as it is kept.
#[derive(Clone, Debug)]
pub struct WaitlistRecord {
    /// Its id.
    pub id: WaitlistEntryId,
    /// Who asked, as it was written.
    pub email_address: String,
    /// The same, as it is compared. Unique in an instance.
    pub email_key: String,
    /// `pending`, `invited`, `completed` or `rejected`.
    pub status: String,
    /// The invitation that was sent.
    pub invitation_id: Option<InvitationId>,
    /// When it was sent.
    pub invited_at: Option<Timestamp>,
    /// When the entry was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn entry(row: &Row) -> Result<WaitlistRecord, StoreError> {
    Ok(WaitlistRecord {
        id: row.id("id")?,
        email_address: row.text("email_address")?,
        email_key: row.text("email_key")?,
        status: row.text("status")?,
        invitation_id: row.opt_id("invitation_id")?,
        invited_at: row.opt_int("invited_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// Adds an entry. False when the address has one.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &WaitlistRecord) -> Result<bool, StoreError> {
    let text = "INSERT INTO waitlist_entries (instance_id, id, email_address, email_key, status, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let sql = sql!(text, instance, &it.id, &it.email_address, &it.email_key, &it.status, it.created_at, it.updated_at);
    let new = tx.exec(sql).await? == 1;
    if new {
        tx.note(instance, Change::WaitlistEntryCreated(it.id.clone()));
    }
    Ok(new)
}

/// The entry of an id.
pub async fn get(mut db: impl Read, instance: &InstanceId, id: &WaitlistEntryId) -> Result<Option<WaitlistRecord>, StoreError> {
    let text = "SELECT * FROM waitlist_entries WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(entry).transpose()
}

fn filtered(db: &Db, select: &str, instance: &InstanceId, status: Option<&str>, query: Option<&str>) -> Sql {
    let mut sql = sql!(format!("{select} FROM waitlist_entries WHERE instance_id = $1"), instance);
    if let Some(status) = status {
        let status = sql.value(status);
        sql.push(&format!(" AND status = ${status}"));
    }
    if let Some(text) = query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND ({} OR {})", db.dialect().like("email_address", n), db.dialect().like("id", n)));
    }
    sql
}

/// By what a list is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitlistOrder {
    /// When they asked.
    CreatedAt,
    /// When they were invited.
    InvitedAt,
    /// The address.
    EmailAddress,
}

/// A page of entries in a status and found by a text, as far as those are given.
pub async fn list(
    db: &Db,
    instance: &InstanceId,
    (status, query): (Option<&str>, Option<&str>),
    (order, descending): (WaitlistOrder, bool),
    (limit, offset): (i64, i64),
) -> Result<Vec<WaitlistRecord>, StoreError> {
    let column = match order {
        WaitlistOrder::CreatedAt => "created_at",
        WaitlistOrder::InvitedAt => "COALESCE(invited_at, 0)",
        WaitlistOrder::EmailAddress => "email_key",
    };
    let direction = if descending { "DESC" } else { "ASC" };
    let mut sql = filtered(db, "SELECT *", instance, status, query);
    let (limit, offset) = (sql.value(limit), sql.value(offset));
    sql.push(&format!(" ORDER BY {column} {direction}, id {direction} LIMIT ${limit} OFFSET ${offset}"));
    db.all(sql).await?.iter().map(entry).collect()
}

/// How many entries there are of those.
pub async fn count(db: &Db, instance: &InstanceId, (status, query): (Option<&str>, Option<&str>)) -> Result<i64, StoreError> {
    let row = db.opt(filtered(db, "SELECT CAST(COUNT(*) AS BIGINT) AS n", instance, status, query)).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

/// Moves an entry on that is still in the status `from`. False when it is not.
pub async fn set_status(tx: &mut Tx, instance: &InstanceId, it: &WaitlistRecord, from: &str) -> Result<bool, StoreError> {
    let text = "UPDATE waitlist_entries SET status = $3, invitation_id = $4, invited_at = $5, updated_at = $6
        WHERE instance_id = $1 AND id = $2 AND status = $7 RETURNING id";
    updated(tx, instance, sql!(text, instance, &it.id, &it.status, &it.invitation_id, it.invited_at, it.updated_at, from)).await
}

/// Runs a statement that changes an entry and answers its id, and notes the change. False when there is none.
async fn updated(tx: &mut Tx, instance: &InstanceId, sql: Sql) -> Result<bool, StoreError> {
    let Some(row) = tx.opt(sql).await? else { return Ok(false) };
    tx.note(instance, Change::WaitlistEntryUpdated(row.id("id")?));
    Ok(true)
}

/// Says that who was invited from the waitlist has come.
pub async fn complete(tx: &mut Tx, instance: &InstanceId, invitation: &InvitationId, now: Timestamp) -> Result<(), StoreError> {
    let text =
        "UPDATE waitlist_entries SET status = 'completed', updated_at = $3 WHERE instance_id = $1 AND invitation_id = $2 RETURNING id";
    updated(tx, instance, sql!(text, instance, invitation, now)).await.map(|_| ())
}

/// Removes an entry that waits. False when it does not.
pub async fn delete(db: &Db, instance: &InstanceId, id: &WaitlistEntryId) -> Result<bool, StoreError> {
    let text = "DELETE FROM waitlist_entries WHERE instance_id = $1 AND id = $2 AND status = 'pending'";
    Ok(db.exec(sql!(text, instance, id)).await? == 1)
}
