use crate::db::{Db, StoreError};
use crate::sql;
use crate::users::search;

/// The migrations, oldest first. One that was released is never changed: a change is a new one.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_foundation.sql"),
    include_str!("migrations/0002_sweep.sql"),
    include_str!("migrations/0003_second_factors.sql"),
    include_str!("migrations/0009_tickets.sql"),
    include_str!("migrations/0010_images.sql"),
    include_str!("migrations/0011_phone_numbers.sql"),
    include_str!("migrations/0013_passkeys.sql"),
    include_str!("migrations/0036_primary_phone.sql"),
    include_str!("migrations/0024_web3_wallets.sql"),
    include_str!("migrations/0037_secret_keys.sql"),
    include_str!("migrations/0025_session_tasks.sql"),
    include_str!("migrations/0028_access_identifiers.sql"),
    include_str!("migrations/0029_invitations.sql"),
    include_str!("migrations/0030_waitlist.sql"),
    include_str!("migrations/0031_redirect_urls.sql"),
    include_str!("migrations/0032_webhooks.sql"),
    include_str!("migrations/0038_message_templates.sql"),
    include_str!("migrations/0026_trusted_devices.sql"),
    include_str!("migrations/0020_external_accounts.sql"),
    include_str!("migrations/0043_user_search.sql"),
    include_str!("migrations/0039_captcha.sql"),
    include_str!("migrations/0044_domains.sql"),
    include_str!("migrations/0045_token_renewal.sql"),
    include_str!("migrations/0046_template_senders.sql"),
    include_str!("migrations/0047_reserved.sql"),
    include_str!("migrations/0048_user_orders.sql"),
    include_str!("migrations/0049_secret_keys.sql"),
    include_str!("migrations/0050_account_metadata.sql"),
    include_str!("migrations/0051_unused_clients.sql"),
    include_str!("migrations/0052_agent_tasks.sql"),
];

/// The schema that this build reads and writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the schema up to date: each migration in a transaction of its own, under a lock, so that nodes which start
/// together do it once, and one that was cut off is done again. Answers how many were applied.
///
/// Then users are made searchable who are not yet: those from before there was the index, and those whom a node of an older
/// build has added since. It takes a second for some thousand users.
///
/// A schema from a newer build is left alone: a rolling upgrade has both builds at work.
pub async fn migrate(db: &Db, now: doorward_base::Timestamp) -> Result<i64, StoreError> {
    let create = sql!("CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)");
    if let Err(e) = db.exec(create.clone()).await {
        // PostgreSQL may refuse one of two simultaneous CREATE .. IF NOT EXISTS; the table is there then.
        tracing::debug!(error = %e, "creating the table of migrations again");
        db.exec(create).await?;
    }
    let mut applied = 0;
    for (index, text) in MIGRATIONS.iter().enumerate() {
        let version = index as i64 + 1;
        let mut tx = db.begin().await?;
        for lock in db.dialect().migration_lock() {
            tx.exec(sql!(*lock)).await?;
        }
        if tx.opt(sql!("SELECT version FROM schema_migrations WHERE version = $1", version)).await?.is_some() {
            continue;
        }
        Db::script(&mut tx, &db.dialect().migration(text)).await?;
        tx.exec(sql!("INSERT INTO schema_migrations (version, applied_at) VALUES ($1, $2)", version, now)).await?;
        tx.commit().await?;
        applied += 1;
    }
    search::complete(db).await?;
    Ok(applied)
}

/// The newest migration that the database has; 0 for an empty one.
pub async fn schema_version(db: &Db) -> Result<i64, StoreError> {
    let row = db.opt(sql!("SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) AS version FROM schema_migrations")).await?;
    row.map_or(Ok(0), |row| row.int("version"))
}
