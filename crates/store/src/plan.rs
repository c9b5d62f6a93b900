//! How SQLite goes about a statement, for tests.

use crate::db::{Db, DbOptions, Sql};
use doorward_base::Rng;
use std::time::Duration;
use tempfile::TempDir;

/// An empty database with our schema, and the directory that it lives in.
pub(crate) async fn database() -> (TempDir, Db) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", directory.path().join("plan.db").display());
    let db = Db::connect(&DbOptions { url, max_connections: 2, acquire_timeout: Duration::from_secs(5) }, &Rng::seeded(1)).await.unwrap();
    crate::migrate(&db, 1).await.unwrap();
    (directory, db)
}

/// The steps of a statement's plan.
pub(crate) async fn steps(db: &Db, sql: Sql) -> Vec<String> {
    db.all(sql.explained()).await.unwrap().iter().map(|row| row.text("detail").unwrap()).collect()
}
