//! Sessions: one user's stay on one client.

use crate::changes::Change;
use crate::db::{Db, Read, Row, Sql, StoreError, Tx};
use crate::sql;
use crate::users::push_in;
use doorward_base::*;

/// A session as it is kept. Whether an `active` one has run out, [`SessionRecord::status_at`] tells.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// The session's id.
    pub id: SessionId,
    /// The client.
    pub client_id: ClientId,
    /// The user.
    pub user_id: UserId,
    /// The status as it was last written.
    pub status: String,
    /// Who acts as the user, JSON.
    pub actor: Option<String>,
    /// The organization that was chosen last.
    pub last_active_organization_id: Option<String>,
    /// Whether it waits for what its user has to do first.
    pub tasked: bool,
    /// The address it was last used from.
    pub ip_address: Option<String>,
    /// The browser it was last used with.
    pub user_agent: Option<String>,
    /// When the first factor was checked.
    pub first_factor_at: Option<Timestamp>,
    /// When the second factor was checked.
    pub second_factor_at: Option<Timestamp>,
    /// When it was last used.
    pub last_active_at: Timestamp,
    /// When it ends at the latest.
    pub expire_at: Timestamp,
    /// When it is given up if nobody comes back.
    pub abandon_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl SessionRecord {
    /// The status at `now`: an active session past its end is `expired` or `abandoned`.
    pub fn status_at(&self, now: Timestamp) -> &str {
        match self.status.as_str() {
            "active" if now >= self.expire_at => "expired",
            "active" if now >= self.abandon_at => "abandoned",
            status => status,
        }
    }

    /// Whether it is active at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status_at(now) == "active"
    }
}

fn session(row: &Row) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        id: row.id("id")?,
        client_id: row.id("client_id")?,
        user_id: row.id("user_id")?,
        status: row.text("status")?,
        actor: row.opt_text("actor")?,
        last_active_organization_id: row.opt_text("last_active_organization_id")?,
        tasked: row.flag("tasked")?,
        ip_address: row.opt_text("ip_address")?,
        user_agent: row.opt_text("user_agent")?,
        first_factor_at: row.opt_int("first_factor_at")?,
        second_factor_at: row.opt_int("second_factor_at")?,
        last_active_at: row.int("last_active_at")?,
        expire_at: row.int("expire_at")?,
        abandon_at: row.int("abandon_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// What minting a token needs to know, read in one go.
#[derive(Clone, Debug)]
pub struct MintRecord {
    /// The session.
    pub session: SessionRecord,
    /// Whether its user is banned.
    pub banned: bool,
}

/// The session of an id on the client of a token, with what minting needs of its user: one read.
pub async fn for_mint(db: &Db, instance: &InstanceId, token_hash: &str, id: &SessionId) -> Result<Option<MintRecord>, StoreError> {
    let text = "SELECT s.*, u.banned FROM clients c
        JOIN sessions s ON s.instance_id = c.instance_id AND s.client_id = c.id
        JOIN users u ON u.instance_id = s.instance_id AND u.id = s.user_id
        WHERE c.instance_id = $1 AND c.token_hash = $2 AND s.id = $3";
    let row = db.opt(sql!(text, instance, token_hash, id)).await?;
    row.map(|row| Ok(MintRecord { session: session(&row)?, banned: row.flag("banned")? })).transpose()
}

/// The session of an id.
pub async fn get(mut db: impl Read, instance: &InstanceId, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
    db.opt(sql!("SELECT * FROM sessions WHERE instance_id = $1 AND id = $2", instance, id)).await?.as_ref().map(session).transpose()
}

/// All sessions of a client that were not signed out, the oldest first.
pub async fn of_client(db: &Db, instance: &InstanceId, client: &ClientId) -> Result<Vec<SessionRecord>, StoreError> {
    let text = "SELECT * FROM sessions WHERE instance_id = $1 AND client_id = $2 AND status = 'active' ORDER BY created_at, id";
    db.all(sql!(text, instance, client)).await?.iter().map(session).collect()
}

/// All sessions of these clients that were not signed out, the oldest first.
pub async fn of_clients(db: &Db, instance: &InstanceId, clients: &[ClientId]) -> Result<Vec<SessionRecord>, StoreError> {
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = sql!("SELECT * FROM sessions WHERE instance_id = $1 AND status = 'active'", instance);
    push_in(&mut sql, "client_id", "IN", clients.iter().map(|id| id.as_str().to_owned()));
    sql.push(" ORDER BY created_at, id");
    db.all(sql).await?.iter().map(session).collect()
}

/// All sessions of a user that were not signed out, the newest first.
pub async fn of_user(db: &Db, instance: &InstanceId, user: &UserId) -> Result<Vec<SessionRecord>, StoreError> {
    let text = "SELECT * FROM sessions WHERE instance_id = $1 AND user_id = $2 AND status = 'active' ORDER BY created_at DESC, id";
    db.all(sql!(text, instance, user)).await?.iter().map(session).collect()
}

/// Whether a user ever had a session on a client, as far as sessions are kept.
pub async fn was_on_client(db: &Db, instance: &InstanceId, client: &ClientId, user: &UserId) -> Result<bool, StoreError> {
    let text = "SELECT id FROM sessions WHERE instance_id = $1 AND client_id = $2 AND user_id = $3 AND actor IS NULL LIMIT 1";
    Ok(db.opt(sql!(text, instance, client, user)).await?.is_some())
}

/// Which sessions to list. The status is the one at `now`; one that waits for tasks is `pending`.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Of this client.
    pub client_id: Option<String>,
    /// Of this user.
    pub user_id: Option<String>,
    /// In this status.
    pub status: Option<String>,
}

fn filtered(select: &str, instance: &InstanceId, filter: &SessionFilter, now: Timestamp) -> Sql {
    let mut sql = sql!(format!("{select} FROM sessions WHERE instance_id = $1"), instance);
    if let Some(id) = &filter.client_id {
        let n = sql.value(id);
        sql.push(&format!(" AND client_id = ${n}"));
    }
    if let Some(id) = &filter.user_id {
        let n = sql.value(id);
        sql.push(&format!(" AND user_id = ${n}"));
    }
    if let Some(status) = &filter.status {
        let at = sql.value(now);
        let n = sql.value(status);
        sql.push(&format!(
            " AND CASE WHEN status = 'active' AND expire_at <= ${at} THEN 'expired' WHEN status = 'active' AND abandon_at <= ${at} THEN 'abandoned'
             WHEN status = 'active' AND tasked THEN 'pending' ELSE status END = ${n}"
        ));
    }
    sql
}

/// A page of sessions, the newest first.
pub async fn list(
    db: &Db,
    instance: &InstanceId,
    filter: &SessionFilter,
    now: Timestamp,
    limit: i64,
    offset: i64,
) -> Result<Vec<SessionRecord>, StoreError> {
    let mut sql = filtered("SELECT *", instance, filter, now);
    let (limit, offset) = (sql.value(limit), sql.value(offset));
    sql.push(&format!(" ORDER BY created_at DESC, id DESC LIMIT ${limit} OFFSET ${offset}"));
    db.all(sql).await?.iter().map(session).collect()
}

/// How many sessions a filter lets through.
pub async fn count(db: &Db, instance: &InstanceId, filter: &SessionFilter, now: Timestamp) -> Result<i64, StoreError> {
    let row = db.opt(filtered("SELECT CAST(COUNT(*) AS BIGINT) AS n", instance, filter, now)).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

/// Adds a session.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &SessionRecord) -> Result<(), StoreError> {
    let sql = sql!(
        "INSERT INTO sessions (instance_id, id, client_id, user_id, status, actor, last_active_organization_id, ip_address, user_agent,
         first_factor_at, second_factor_at, last_active_at, expire_at, abandon_at, created_at, updated_at, tasked)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        instance,
        &it.id,
        &it.client_id,
        &it.user_id,
        &it.status,
        &it.actor,
        &it.last_active_organization_id,
        &it.ip_address,
        &it.user_agent,
        it.first_factor_at,
        it.second_factor_at,
        it.last_active_at,
        it.expire_at,
        it.abandon_at,
        it.created_at,
        it.updated_at,
        it.tasked
    );
    tx.exec(sql).await?;
    tx.note(instance, Change::SessionBegan(it.id.clone()));
    Ok(())
}

/// Whether sessions of a user wait for tasks.
pub async fn wait_for_tasks(tx: &mut Tx, instance: &InstanceId, user: &UserId) -> Result<bool, StoreError> {
    let text = "SELECT id FROM sessions WHERE instance_id = $1 AND user_id = $2 AND status = 'active' AND tasked LIMIT 1";
    Ok(tx.opt(sql!(text, instance, user)).await?.is_some())
}

/// Has the sessions of a user wait for tasks no more, and answers which did.
pub async fn settle_tasks(tx: &mut Tx, instance: &InstanceId, user: &UserId, now: Timestamp) -> Result<Vec<SessionId>, StoreError> {
    let text = "UPDATE sessions SET tasked = FALSE, updated_at = $3
        WHERE instance_id = $1 AND user_id = $2 AND status = 'active' AND tasked RETURNING id";
    tx.all(sql!(text, instance, user, now)).await?.iter().map(|row| row.id("id")).collect()
}

/// Marks a session used, from where `it` says, and puts off when it is abandoned. Nothing happens to one that is over.
pub async fn touch(tx: &mut Tx, instance: &InstanceId, it: &SessionRecord) -> Result<bool, StoreError> {
    let text = "UPDATE sessions SET last_active_at = $3, updated_at = $3, ip_address = $4, user_agent = $5, abandon_at = $6
        WHERE instance_id = $1 AND id = $2 AND status = 'active'";
    Ok(tx.exec(sql!(text, instance, &it.id, it.last_active_at, &it.ip_address, &it.user_agent, it.abandon_at)).await? == 1)
}

/// Puts off when a session is abandoned.
pub async fn put_off(db: &Db, instance: &InstanceId, id: &SessionId, abandon_at: Timestamp) -> Result<(), StoreError> {
    let text = "UPDATE sessions SET abandon_at = $3 WHERE instance_id = $1 AND id = $2 AND status = 'active' AND abandon_at < $3";
    db.exec(sql!(text, instance, id, abandon_at)).await.map(|_| ())
}

/// Records which factors of a session's user were checked just now. False when the session is over.
pub async fn factors_checked(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &SessionId,
    first: bool,
    second: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE sessions SET first_factor_at = CASE WHEN $3 THEN CAST($5 AS BIGINT) ELSE first_factor_at END,
        second_factor_at = CASE WHEN $4 THEN CAST($5 AS BIGINT) ELSE second_factor_at END, updated_at = $5
        WHERE instance_id = $1 AND id = $2 AND status = 'active'";
    Ok(tx.exec(sql!(text, instance, id, first, second, now)).await? == 1)
}

/// Gives an active session its last status. False when it was over already.
pub async fn close(tx: &mut Tx, instance: &InstanceId, id: &SessionId, status: &str, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE sessions SET status = $3, updated_at = $4 WHERE instance_id = $1 AND id = $2 AND status = 'active'";
    Ok(closed(tx, instance, sql!(text, instance, id, status, now)).await? == 1)
}

/// Runs a statement that closes sessions and answers their ids, and notes each of them.
async fn closed(tx: &mut Tx, instance: &InstanceId, mut sql: Sql) -> Result<u64, StoreError> {
    sql.push(" RETURNING id");
    let rows = tx.all(sql).await?;
    for row in &rows {
        tx.note(instance, Change::SessionClosed(row.id("id")?));
    }
    Ok(rows.len() as u64)
}

/// Closes every active session of a client.
pub async fn close_of_client(
    tx: &mut Tx,
    instance: &InstanceId,
    client: &ClientId,
    status: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let text = "UPDATE sessions SET status = $3, updated_at = $4 WHERE instance_id = $1 AND client_id = $2 AND status = 'active'";
    closed(tx, instance, sql!(text, instance, client, status, now)).await
}

/// Closes every active session of an instance, and marks their clients changed.
pub async fn close_all(tx: &mut Tx, instance: &InstanceId, status: &str, now: Timestamp) -> Result<u64, StoreError> {
    let clients = "UPDATE clients SET updated_at = $2, last_active_session_id = NULL WHERE instance_id = $1 AND id IN
        (SELECT client_id FROM sessions WHERE instance_id = $1 AND status = 'active')";
    tx.exec(sql!(clients, instance, now)).await?;
    closed(
        tx,
        instance,
        sql!("UPDATE sessions SET status = $2, updated_at = $3 WHERE instance_id = $1 AND status = 'active'", instance, status, now),
    )
    .await
}

/// Closes every active session of a user but `keep`, and marks their clients changed.
pub async fn close_of_user(
    tx: &mut Tx,
    instance: &InstanceId,
    user: &UserId,
    keep: Option<&SessionId>,
    status: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let keep = keep.map_or("", SessionId::as_str);
    let clients = "UPDATE clients SET updated_at = $4 WHERE instance_id = $1 AND id IN
        (SELECT client_id FROM sessions WHERE instance_id = $1 AND user_id = $2 AND status = 'active' AND id <> $3)";
    tx.exec(sql!(clients, instance, user, keep, now)).await?;
    let text =
        "UPDATE sessions SET status = $4, updated_at = $5 WHERE instance_id = $1 AND user_id = $2 AND id <> $3 AND status = 'active'";
    closed(tx, instance, sql!(text, instance, user, keep, status, now)).await
}
