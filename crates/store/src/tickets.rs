//! Tickets: what a server hands out so that somebody can sign in once without any factor.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A ticket as it is kept.
#[derive(Clone, Debug)]
pub struct TicketRecord {
    /// Its id; the prefix tells the kind.
    pub id: String,
    /// `sign_in_token`, `actor_token` or `agent_task`.
    pub kind: String,
    /// Who signs in with it.
    pub user_id: UserId,
    /// The token's hash.
    pub token_hash: String,
    /// `pending`, `accepted` or `revoked`.
    pub status: String,
    /// Who acts as the user, JSON.
    pub actor: Option<String>,
    /// How long the session lasts, in seconds; the instance's setting when there is none.
    pub session_seconds: Option<i64>,
    /// Where an agent's browser goes once it is used.
    pub redirect_url: Option<String>,
    /// Until when it is good.
    pub expire_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn ticket(row: &Row) -> Result<TicketRecord, StoreError> {
    Ok(TicketRecord {
        id: row.text("id")?,
        kind: row.text("kind")?,
        user_id: row.id("user_id")?,
        token_hash: row.text("token_hash")?,
        status: row.text("status")?,
        actor: row.opt_text("actor")?,
        session_seconds: row.opt_int("session_seconds")?,
        redirect_url: row.opt_text("redirect_url")?,
        expire_at: row.int("expire_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// Adds a ticket.
pub async fn insert(db: &Db, instance: &InstanceId, it: &TicketRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO tickets (instance_id, id, kind, user_id, token_hash, status, actor, session_seconds, redirect_url, expire_at, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let sql = sql!(text, instance, &it.id, &it.kind, &it.user_id, &it.token_hash, &it.status, &it.actor, it.session_seconds);
    db.exec(sql.bind(&it.redirect_url).bind(it.expire_at).bind(it.created_at).bind(it.updated_at)).await.map(|_| ())
}

/// The ticket that a token stands for.
pub async fn by_token(db: &Db, instance: &InstanceId, token_hash: &str) -> Result<Option<TicketRecord>, StoreError> {
    let text = "SELECT * FROM tickets WHERE instance_id = $1 AND token_hash = $2";
    db.opt(sql!(text, instance, token_hash)).await?.as_ref().map(ticket).transpose()
}

/// The ticket of an id and a kind.
pub async fn get(db: &Db, instance: &InstanceId, kind: &str, id: &str) -> Result<Option<TicketRecord>, StoreError> {
    let text = "SELECT * FROM tickets WHERE instance_id = $1 AND id = $2 AND kind = $3";
    db.opt(sql!(text, instance, id, kind)).await?.as_ref().map(ticket).transpose()
}

/// Uses a ticket up. True for exactly one of several callers.
pub async fn accept(tx: &mut Tx, instance: &InstanceId, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE tickets SET status = 'accepted', updated_at = $3
        WHERE instance_id = $1 AND id = $2 AND status = 'pending' AND expire_at > $3";
    Ok(tx.exec(sql!(text, instance, id, now)).await? == 1)
}

/// Takes a ticket back. False when it was used or taken back before.
pub async fn revoke(db: &Db, instance: &InstanceId, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE tickets SET status = 'revoked', updated_at = $3 WHERE instance_id = $1 AND id = $2 AND status = 'pending'";
    Ok(db.exec(sql!(text, instance, id, now)).await? == 1)
}
