//! Clients: browsers and devices.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A client as it is kept.
#[derive(Clone, Debug)]
pub struct ClientRecord {
    /// The client's id.
    pub id: ClientId,
    /// The hash of the token that stands for it.
    pub token_hash: String,
    /// The sign-in in progress.
    pub sign_in_id: Option<SignInId>,
    /// The sign-up in progress.
    pub sign_up_id: Option<SignUpId>,
    /// The session that was chosen last.
    pub last_active_session_id: Option<SessionId>,
    /// The strategy of the last sign-in.
    pub last_authentication_strategy: Option<String>,
    /// When it last passed a captcha.
    pub captcha_passed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last signed in or out on it: what `__client_uat` says.
    pub updated_at: Timestamp,
}

fn client(row: &Row) -> Result<ClientRecord, StoreError> {
    Ok(ClientRecord {
        id: row.id("id")?,
        token_hash: row.text("token_hash")?,
        sign_in_id: row.opt_id("sign_in_id")?,
        sign_up_id: row.opt_id("sign_up_id")?,
        last_active_session_id: row.opt_id("last_active_session_id")?,
        last_authentication_strategy: row.opt_text("last_authentication_strategy")?,
        captcha_passed_at: row.opt_int("captcha_passed_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The client of a token, by the token's hash.
pub async fn by_token(db: &Db, instance: &InstanceId, token_hash: &str) -> Result<Option<ClientRecord>, StoreError> {
    let text = "SELECT * FROM clients WHERE instance_id = $1 AND token_hash = $2";
    db.opt(sql!(text, instance, token_hash)).await?.as_ref().map(client).transpose()
}

/// The client of an id.
pub async fn get(db: &Db, instance: &InstanceId, id: &ClientId) -> Result<Option<ClientRecord>, StoreError> {
    db.opt(sql!("SELECT * FROM clients WHERE instance_id = $1 AND id = $2", instance, id)).await?.as_ref().map(client).transpose()
}

/// A page of clients, the newest first.
pub async fn list(db: &Db, instance: &InstanceId, limit: i64, offset: i64) -> Result<Vec<ClientRecord>, StoreError> {
    let text = "SELECT * FROM clients WHERE instance_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
    db.all(sql!(text, instance, limit, offset)).await?.iter().map(client).collect()
}

/// How many clients there are.
pub async fn count(db: &Db, instance: &InstanceId) -> Result<i64, StoreError> {
    let row = db.opt(sql!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM clients WHERE instance_id = $1", instance)).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

/// Adds a client.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &ClientRecord) -> Result<(), StoreError> {
    tx.exec(sql!(
        "INSERT INTO clients (instance_id, id, token_hash, sign_in_id, sign_up_id, last_active_session_id, last_authentication_strategy, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        instance,
        &it.id,
        &it.token_hash,
        &it.sign_in_id,
        &it.sign_up_id,
        &it.last_active_session_id,
        &it.last_authentication_strategy,
        it.created_at,
        it.updated_at
    ))
    .await
    .map(|_| ())
}

/// Records that it passed a captcha.
pub async fn passed_captcha(db: &Db, instance: &InstanceId, id: &ClientId, now: Timestamp) -> Result<(), StoreError> {
    db.exec(sql!("UPDATE clients SET captcha_passed_at = $3 WHERE instance_id = $1 AND id = $2", instance, id, now)).await.map(|_| ())
}

/// Points the client at a new sign-in. The one before it is no longer current.
pub async fn set_sign_in(tx: &mut Tx, instance: &InstanceId, id: &ClientId, sign_in: &Option<SignInId>) -> Result<(), StoreError> {
    tx.exec(sql!("UPDATE clients SET sign_in_id = $3 WHERE instance_id = $1 AND id = $2", instance, id, sign_in)).await.map(|_| ())
}

/// Points the client at a new sign-up. The one before it is no longer current.
pub async fn set_sign_up(tx: &mut Tx, instance: &InstanceId, id: &ClientId, sign_up: &Option<SignUpId>) -> Result<(), StoreError> {
    tx.exec(sql!("UPDATE clients SET sign_up_id = $3 WHERE instance_id = $1 AND id = $2", instance, id, sign_up)).await.map(|_| ())
}

/// Records that somebody signed in: a new token, the new session active, no attempt in progress. False when the token
/// was replaced in the meantime.
pub async fn signed_in(
    tx: &mut Tx,
    instance: &InstanceId,
    before: &ClientRecord,
    token_hash: &str,
    session: &SessionId,
    strategy: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE clients SET token_hash = $4, last_active_session_id = $5, last_authentication_strategy = $6, updated_at = $7,
        sign_in_id = NULL, sign_up_id = NULL WHERE instance_id = $1 AND id = $2 AND token_hash = $3";
    Ok(tx.exec(sql!(text, instance, &before.id, &before.token_hash, token_hash, session, strategy, now)).await? == 1)
}

/// Chooses the active session.
pub async fn set_active(tx: &mut Tx, instance: &InstanceId, id: &ClientId, session: &Option<SessionId>) -> Result<(), StoreError> {
    tx.exec(sql!("UPDATE clients SET last_active_session_id = $3 WHERE instance_id = $1 AND id = $2", instance, id, session))
        .await
        .map(|_| ())
}

/// Records that somebody signed out: the next active session, and the time.
pub async fn signed_out(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &ClientId,
    next: &Option<SessionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = "UPDATE clients SET last_active_session_id = $3, updated_at = $4 WHERE instance_id = $1 AND id = $2";
    tx.exec(sql!(text, instance, id, next, now)).await.map(|_| ())
}

/// Forgets a client.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, id: &ClientId) -> Result<(), StoreError> {
    tx.exec(sql!("DELETE FROM clients WHERE instance_id = $1 AND id = $2", instance, id)).await.map(|_| ())
}
