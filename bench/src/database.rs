//! The databases under measurement. On PostgreSQL each measurement has a database of its own, dropped afterwards.

use crate::process;
use anyhow::Context as _;
use doorward_base::Rng;
use doorward_store::db::DbOptions;
use doorward_store::{Db, Sql};
use std::path::Path;
use std::time::Duration;

/// Which database.
#[derive(Clone)]
pub(crate) enum Kind {
    Sqlite,
    /// The server's address, with a user who may make databases.
    Postgres(String),
}

impl Kind {
    /// What it is called in the results.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// A database that exists as long as it is measured.
pub(crate) struct Database {
    /// Its address.
    pub(crate) url: String,
    made: Option<Made>,
}

struct Made {
    server: Db,
    name: String,
}

async fn connect(url: &str, max_connections: u32) -> anyhow::Result<Db> {
    let options = DbOptions { url: url.to_owned(), max_connections, acquire_timeout: Duration::from_secs(30) };
    Ok(Db::connect(&options, &Rng::system()).await?)
}

impl Database {
    /// Makes an empty one.
    pub(crate) async fn make(kind: &Kind, dir: &Path) -> anyhow::Result<Self> {
        let Kind::Postgres(server_url) = kind else {
            return Ok(Self { url: format!("sqlite://{}", dir.join("bench.db").display()), made: None });
        };
        let name = format!("doorward_bench_{}", Rng::system().digits(10));
        let server = connect(server_url, 1).await?;
        server.exec(Sql::new(format!("CREATE DATABASE {name}"))).await?;
        let (address, query) = server_url.split_once('?').map_or((server_url.as_str(), None), |(a, q)| (a, Some(q)));
        let (base, _) = address.rsplit_once('/').context("a PostgreSQL address names a database: postgres://user@host/database")?;
        let query = query.map(|q| format!("?{q}")).unwrap_or_default();
        Ok(Self { url: format!("{base}/{name}{query}"), made: Some(Made { server, name }) })
    }

    /// A connection beside the server's for filling it: without a limit of time, with memory for all indexes.
    pub(crate) async fn open(&self) -> anyhow::Result<Db> {
        let db = connect(&self.url, 1).await?;
        if self.made.is_some() {
            db.exec(Sql::new("SET statement_timeout = 0")).await?;
        } else {
            for pragma in ["PRAGMA cache_size = -1500000", "PRAGMA synchronous = OFF", "PRAGMA wal_autocheckpoint = 100000"] {
                db.take(Sql::new(pragma)).await?;
            }
        }
        Ok(db)
    }

    /// Processor time of the PostgreSQL processes that serve this database, in microseconds; none for SQLite, whose work
    /// is done in the server's process.
    pub(crate) async fn cpu_us(&self) -> anyhow::Result<Option<f64>> {
        let Some(made) = &self.made else { return Ok(None) };
        let text = "SELECT CAST(pid AS BIGINT) AS pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
        let mut sum = 0.0;
        for row in made.server.all(Sql::new(text).bind(made.name.as_str())).await? {
            // It may run on another machine, or have ended since.
            sum += u32::try_from(row.int("pid")?).ok().and_then(|pid| process::cpu_us(pid).ok()).unwrap_or_default();
        }
        Ok(Some(sum))
    }

    /// What it says about itself.
    pub(crate) async fn version(&self) -> anyhow::Result<String> {
        let text = if self.made.is_some() { "SHOW server_version" } else { "SELECT sqlite_version() AS server_version" };
        let db = self.open().await?;
        let version = db.opt(Sql::new(text)).await?.context("a version")?.text("server_version")?;
        db.close().await;
        Ok(version)
    }

    /// How much it takes on the disk, in bytes.
    pub(crate) async fn bytes(&self) -> anyhow::Result<f64> {
        let db = self.open().await?;
        let text = if self.made.is_some() {
            "SELECT CAST(pg_database_size(current_database()) AS BIGINT) AS bytes"
        } else {
            "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
        };
        let bytes = db.opt(Sql::new(text)).await?.context("a size")?.int("bytes")?;
        db.close().await;
        Ok(bytes as f64)
    }

    /// Brings a database that was just filled to where it would be some time later.
    pub(crate) async fn settle(&self, db: &Db) -> anyhow::Result<()> {
        if self.made.is_some() {
            db.exec(Sql::new("VACUUM ANALYZE")).await?;
            db.exec(Sql::new("CHECKPOINT")).await?;
        } else {
            db.take(Sql::new("PRAGMA wal_checkpoint(TRUNCATE)")).await?;
        }
        Ok(())
    }

    /// Removes it.
    pub(crate) async fn drop(self) -> anyhow::Result<()> {
        if let Some(made) = self.made {
            made.server.exec(Sql::new(format!("DROP DATABASE {} WITH (FORCE)", made.name))).await?;
            made.server.close().await;
        }
        Ok(())
    }
}
