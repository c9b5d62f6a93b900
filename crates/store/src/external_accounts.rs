//! Accounts of users at other providers, and what instances prove themselves by to those providers.

use crate::db::{Db, Row, Sql, StoreError, Tx};
use crate::sql;
use crate::users::touch;
use doorward_base::*;

/// An account at another provider as it is kept.
#[derive(Clone, Debug, Default)]
pub struct ExternalAccountRecord {
    /// Its id.
    pub id: ExternalAccountId,
    /// Whose it is.
    pub user_id: UserId,
    /// The id under which identifiers refer to it.
    pub identification_id: IdentificationId,
    /// The strategy, such as `oauth_google`.
    pub strategy: String,
    /// Who vouches for the subject. A subject means nothing without it.
    pub issuer: String,
    /// The provider's own id of the account; empty until it is known.
    pub subject: String,
    /// `unverified`, `verified` or `failed`. One instance has a verified subject once.
    pub status: String,
    /// Why it failed, JSON.
    pub error: Option<String>,
    /// The scopes that were granted, with spaces between them.
    pub approved_scopes: String,
    /// The address that the provider names; empty for none.
    pub email_address: String,
    /// Whether the provider vouches for the address: 1 or 0; none where it does not say.
    pub email_verified: Option<i64>,
    /// First name; empty for none.
    pub first_name: String,
    /// Last name; empty for none.
    pub last_name: String,
    /// The user name there.
    pub username: Option<String>,
    /// Where the picture is; empty for none.
    pub image_url: String,
    /// What it came with from another server, JSON; none for nothing.
    pub public_metadata: Option<String>,
    /// The provider's tokens, sealed.
    pub tokens: Option<String>,
    /// When the proof was given, or stops being open.
    pub expire_at: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

pub(crate) fn account(row: &Row) -> Result<ExternalAccountRecord, StoreError> {
    Ok(ExternalAccountRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        identification_id: row.id("identification_id")?,
        strategy: row.text("strategy")?,
        issuer: row.text("issuer")?,
        subject: row.text("subject")?,
        status: row.text("status")?,
        error: row.opt_text("error")?,
        approved_scopes: row.text("approved_scopes")?,
        email_address: row.text("email_address")?,
        email_verified: row.opt_int("email_verified")?,
        first_name: row.text("first_name")?,
        last_name: row.text("last_name")?,
        username: row.opt_text("username")?,
        image_url: row.text("image_url")?,
        public_metadata: row.opt_text("public_metadata")?,
        tokens: row.opt_text("tokens")?,
        expire_at: row.int("expire_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The verified account of a subject.
pub async fn by_subject(
    db: &Db,
    instance: &InstanceId,
    strategy: &str,
    issuer: &str,
    subject: &str,
) -> Result<Option<ExternalAccountRecord>, StoreError> {
    let text = "SELECT * FROM external_accounts
        WHERE instance_id = $1 AND strategy = $2 AND issuer = $3 AND subject = $4 AND status = 'verified'";
    db.opt(sql!(text, instance, strategy, issuer, subject)).await?.as_ref().map(account).transpose()
}

/// Adds an account. False when its user is gone.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody has that subject already.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &ExternalAccountRecord) -> Result<bool, StoreError> {
    if !touch(tx, instance, &it.user_id, it.created_at).await? {
        return Ok(false);
    }
    let has = "UPDATE users SET has_external_accounts = TRUE WHERE instance_id = $1 AND id = $2 AND NOT has_external_accounts";
    tx.exec(sql!(has, instance, &it.user_id)).await?;
    let text = "INSERT INTO external_accounts (instance_id, id, user_id, identification_id, strategy, issuer, subject, status, error,
        approved_scopes, email_address, email_verified, first_name, last_name, username, image_url, tokens, expire_at, created_at, updated_at,
        public_metadata) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.identification_id, &it.strategy, &it.issuer, &it.subject, &it.status)
        .bind(&it.error)
        .bind(&it.approved_scopes);
    let sql = bind_said(sql, it).bind(it.created_at).bind(it.updated_at).bind(&it.public_metadata);
    tx.exec(sql).await.map(|_| true)
}

/// What the provider says of an account, from its address to the end of its tokens, in the order of the columns.
fn bind_said(sql: Sql, it: &ExternalAccountRecord) -> Sql {
    sql.bind(&it.email_address)
        .bind(it.email_verified)
        .bind(&it.first_name)
        .bind(&it.last_name)
        .bind(&it.username)
        .bind(&it.image_url)
        .bind(&it.tokens)
        .bind(it.expire_at)
}

/// Writes what the provider says of an account now. False when the user has no such account any more.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else has the subject.
pub async fn update(tx: &mut Tx, instance: &InstanceId, it: &ExternalAccountRecord, now: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE external_accounts SET issuer = $4, subject = $5, status = $6, error = $7, approved_scopes = $8, email_address = $9,
        email_verified = $10, first_name = $11, last_name = $12, username = $13, image_url = $14, tokens = $15, expire_at = $16, updated_at = $17
        WHERE instance_id = $1 AND user_id = $2 AND id = $3";
    let sql = sql!(text, instance, &it.user_id, &it.id, &it.issuer, &it.subject, &it.status, &it.error, &it.approved_scopes);
    let sql = bind_said(sql, it).bind(now);
    Ok(tx.exec(sql).await? == 1 && touch(tx, instance, &it.user_id, now).await?)
}

/// Claims the renewal of an account's tokens until a time. False when somebody else has it, has done it, or the account is gone.
pub async fn claim_renewal(
    db: &Db,
    instance: &InstanceId,
    it: &ExternalAccountRecord,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE external_accounts SET renewing_until = $4
        WHERE instance_id = $1 AND id = $2 AND renewing_until <= $5 AND COALESCE(tokens, '') = $3";
    let before = it.tokens.as_deref().unwrap_or_default();
    db.exec(sql!(text, instance, &it.id, before, until, now)).await.map(|rows| rows == 1)
}

/// Gives a claimed renewal up, so that whoever waits for it needn't.
pub async fn release_renewal(db: &Db, instance: &InstanceId, id: &ExternalAccountId) -> Result<(), StoreError> {
    let text = "UPDATE external_accounts SET renewing_until = 0 WHERE instance_id = $1 AND id = $2";
    db.exec(sql!(text, instance, id)).await.map(|_| ())
}

/// The tokens of an account as they are now, sealed, and whether somebody renews them. None when the account is gone.
pub async fn renewal(
    db: &Db,
    instance: &InstanceId,
    id: &ExternalAccountId,
    now: Timestamp,
) -> Result<Option<(Option<String>, bool)>, StoreError> {
    let text = "SELECT tokens, renewing_until FROM external_accounts WHERE instance_id = $1 AND id = $2";
    let row = db.opt(sql!(text, instance, id)).await?;
    row.map(|row| Ok((row.opt_text("tokens")?, row.int("renewing_until")? > now))).transpose()
}

/// Replaces the tokens that were read by others, or takes them away. False when somebody else was faster, or it is gone.
pub async fn set_tokens(
    tx: &mut Tx,
    instance: &InstanceId,
    it: &ExternalAccountRecord,
    tokens: &Option<String>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE external_accounts SET tokens = $4, renewing_until = 0, updated_at = $5
        WHERE instance_id = $1 AND user_id = $2 AND id = $3 AND COALESCE(tokens, '') = $6";
    let before = it.tokens.as_deref().unwrap_or_default();
    Ok(tx.exec(sql!(text, instance, &it.user_id, &it.id, tokens, now, before)).await? == 1)
}

/// Forgets what a user began to connect and never finished.
pub async fn delete_unfinished(tx: &mut Tx, instance: &InstanceId, user: &UserId, strategy: &str) -> Result<(), StoreError> {
    let text = "DELETE FROM external_accounts WHERE instance_id = $1 AND user_id = $2 AND strategy = $3 AND status <> 'verified'";
    tx.exec(sql!(text, instance, user, strategy)).await.map(|_| ())
}

/// Removes an account. False when the user has no such account.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, user: &UserId, id: &ExternalAccountId, now: Timestamp) -> Result<bool, StoreError> {
    let text = "DELETE FROM external_accounts WHERE instance_id = $1 AND user_id = $2 AND id = $3";
    Ok(tx.exec(sql!(text, instance, user, id)).await? == 1 && touch(tx, instance, user, now).await?)
}

/// What an instance proves itself by to a provider, sealed.
pub async fn secret(db: &Db, instance: &InstanceId, provider: &str) -> Result<Option<String>, StoreError> {
    let text = "SELECT sealed FROM oauth_secrets WHERE instance_id = $1 AND provider = $2";
    db.opt(sql!(text, instance, provider)).await?.map(|row| row.text("sealed")).transpose()
}

/// Replaces it.
pub async fn set_secret(tx: &mut Tx, instance: &InstanceId, provider: &str, sealed: &str, now: Timestamp) -> Result<(), StoreError> {
    let text = "INSERT INTO oauth_secrets (instance_id, provider, sealed, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (instance_id, provider) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at";
    tx.exec(sql!(text, instance, provider, sealed, now)).await.map(|_| ())
}

/// Forgets it. False when there was none.
pub async fn delete_secret(tx: &mut Tx, instance: &InstanceId, provider: &str) -> Result<bool, StoreError> {
    let text = "DELETE FROM oauth_secrets WHERE instance_id = $1 AND provider = $2";
    Ok(tx.exec(sql!(text, instance, provider)).await? == 1)
}
