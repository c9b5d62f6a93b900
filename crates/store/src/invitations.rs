//! Invitations: tickets for people who have no account yet.

use crate::db::{Db, Read, Row, Sql, StoreError, Tx};
use crate::sql;
use crate::users::{pattern, push_in};
use doorward_base::*;

/// An invitation as it is kept. One that is pending past its end is expired.
#[derive(Clone, Debug, Default)]
pub struct InvitationRecord {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited, as it was written.
    pub email_address: String,
    /// The same, as it is compared.
    pub email_key: String,
    /// The token's hash.
    pub token_hash: String,
    /// `pending`, `accepted` or `revoked`.
    pub status: String,
    /// What the user gets, JSON.
    pub public_metadata: String,
    /// Where the link leads, when not to the sign-up page.
    pub redirect_url: Option<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl InvitationRecord {
    /// The status at `now`: `pending`, `accepted`, `revoked` or `expired`.
    pub fn status_at(&self, now: Timestamp) -> &str {
        if self.status == "pending" && self.expires_at <= now { "expired" } else { &self.status }
    }
}

/// Which invitations.
#[derive(Clone, Debug, Default)]
pub struct InvitationFilter {
    /// In this status, expired ones apart from pending ones; all but the revoked ones when none is named.
    pub status: Option<String>,
    /// Found in the address or the id.
    pub query: Option<String>,
}

fn invitation(row: &Row) -> Result<InvitationRecord, StoreError> {
    Ok(InvitationRecord {
        id: row.id("id")?,
        email_address: row.text("email_address")?,
        email_key: row.text("email_key")?,
        token_hash: row.text("token_hash")?,
        status: row.text("status")?,
        public_metadata: row.text("public_metadata")?,
        redirect_url: row.opt_text("redirect_url")?,
        expires_at: row.int("expires_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// Adds an invitation.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &InvitationRecord) -> Result<(), StoreError> {
    let text =
        "INSERT INTO invitations (instance_id, id, email_address, email_key, token_hash, status, public_metadata, redirect_url, expires_at,
        created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let sql = sql!(text, instance, &it.id, &it.email_address, &it.email_key, &it.token_hash, &it.status, &it.public_metadata);
    tx.exec(sql.bind(&it.redirect_url).bind(it.expires_at).bind(it.created_at).bind(it.updated_at)).await.map(|_| ())
}

/// The invitation of an id.
pub async fn get(mut db: impl Read, instance: &InstanceId, id: &InvitationId) -> Result<Option<InvitationRecord>, StoreError> {
    let text = "SELECT * FROM invitations WHERE instance_id = $1 AND id = $2";
    db.opt(sql!(text, instance, id)).await?.as_ref().map(invitation).transpose()
}

/// Those of these ids that there are.
pub async fn get_many(db: &Db, instance: &InstanceId, ids: &[InvitationId]) -> Result<Vec<InvitationRecord>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = sql!("SELECT * FROM invitations WHERE instance_id = $1", instance);
    push_in(&mut sql, "id", "IN", ids.iter().map(|id| id.as_str().to_owned()));
    db.all(sql).await?.iter().map(invitation).collect()
}

/// The invitation that a token stands for.
pub async fn by_token(db: &Db, instance: &InstanceId, token_hash: &str) -> Result<Option<InvitationRecord>, StoreError> {
    let text = "SELECT * FROM invitations WHERE instance_id = $1 AND token_hash = $2";
    db.opt(sql!(text, instance, token_hash)).await?.as_ref().map(invitation).transpose()
}

/// Whether an address has an invitation that is good.
pub async fn is_pending(db: &Db, instance: &InstanceId, email_key: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = "SELECT id FROM invitations WHERE instance_id = $1 AND email_key = $2 AND status = 'pending' AND expires_at > $3 LIMIT 1";
    Ok(db.opt(sql!(text, instance, email_key, now)).await?.is_some())
}

fn filtered(db: &Db, select: &str, instance: &InstanceId, filter: &InvitationFilter, now: Timestamp) -> Sql {
    let mut sql = sql!(format!("{select} FROM invitations WHERE instance_id = $1"), instance);
    match filter.status.as_deref() {
        None => sql.push(" AND status <> 'revoked'"),
        Some(status @ ("pending" | "expired")) => {
            let (now, operator) = (sql.value(now), if status == "pending" { ">" } else { "<=" });
            sql.push(&format!(" AND status = 'pending' AND expires_at {operator} ${now}"));
        }
        Some(status) => {
            let status = sql.value(status);
            sql.push(&format!(" AND status = ${status}"));
        }
    }
    if let Some(text) = &filter.query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND ({} OR {})", db.dialect().like("email_address", n), db.dialect().like("id", n)));
    }
    sql
}

/// By what a list is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationOrder {
    /// When they were made.
    CreatedAt,
    /// Until when they are good.
    ExpiresAt,
    /// The address.
    EmailAddress,
}

/// A page of invitations.
pub async fn list(
    db: &Db,
    instance: &InstanceId,
    filter: &InvitationFilter,
    (order, descending): (InvitationOrder, bool),
    now: Timestamp,
    (limit, offset): (i64, i64),
) -> Result<Vec<InvitationRecord>, StoreError> {
    let column = match order {
        InvitationOrder::CreatedAt => "created_at",
        InvitationOrder::ExpiresAt => "expires_at",
        InvitationOrder::EmailAddress => "email_key",
    };
    let direction = if descending { "DESC" } else { "ASC" };
    let mut sql = filtered(db, "SELECT *", instance, filter, now);
    let (limit, offset) = (sql.value(limit), sql.value(offset));
    sql.push(&format!(" ORDER BY {column} {direction}, id {direction} LIMIT ${limit} OFFSET ${offset}"));
    db.all(sql).await?.iter().map(invitation).collect()
}

/// How many invitations a filter lets through.
pub async fn count(db: &Db, instance: &InstanceId, filter: &InvitationFilter, now: Timestamp) -> Result<i64, StoreError> {
    let row = db.opt(filtered(db, "SELECT CAST(COUNT(*) AS BIGINT) AS n", instance, filter, now)).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

/// Uses an invitation up. True for exactly one of several callers.
pub async fn accept(tx: &mut Tx, instance: &InstanceId, id: &InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE invitations SET status = 'accepted', updated_at = $3
        WHERE instance_id = $1 AND id = $2 AND status = 'pending' AND expires_at > $3";
    Ok(tx.exec(sql!(text, instance, id, now)).await? == 1)
}

/// Takes an invitation back. False when it was accepted or taken back before.
pub async fn revoke(db: &Db, instance: &InstanceId, id: &InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE invitations SET status = 'revoked', updated_at = $3 WHERE instance_id = $1 AND id = $2 AND status = 'pending'";
    Ok(db.exec(sql!(text, instance, id, now)).await? == 1)
}
