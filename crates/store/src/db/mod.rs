//! A thin driver over both databases: statements, rows and transactions of one kind.

mod dialect;
mod lanes;
mod row;
mod sql;
mod tx;

pub use dialect::Dialect;
pub use row::Row;
pub use sql::{Sql, Value};
pub use tx::Tx;

use lanes::Lanes;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr as _;
use std::time::Duration;

/// What can go wrong below SQL.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique index refused the row.
    #[error("a row with this key exists already")]
    Conflict,
    /// The transaction lost against another one and may be run again.
    #[error("the transaction lost against another one")]
    Serialization,
    /// No connection came free in time.
    #[error("no database connection came free in time")]
    Busy,
    /// The database cannot be reached now, is shutting down or starting, or ended a statement that took too long.
    #[error("the database did not answer: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database's address is wrong.
    #[error("the database address is not valid: {0}")]
    Address(String),
    /// A row does not hold what the code expects.
    #[error("column {0} does not hold what is expected: {1}")]
    Decode(String, String),
    /// Anything else.
    #[error("database: {0}")]
    Other(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => Self::Conflict,
            sqlx::Error::Database(db) if matches!(db.code().as_deref(), Some("40001" | "40P01" | "5" | "261" | "517" | "773")) => {
                Self::Serialization
            }
            sqlx::Error::Database(db) if db.code().is_some_and(|code| is_passing(&code)) => Self::Unavailable(error),
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed => Self::Unavailable(error),
            sqlx::Error::PoolTimedOut => Self::Busy,
            _ => Self::Other(error),
        }
    }
}

/// States of PostgreSQL that pass by themselves: class 08 (connection), too many connections, a cancelled statement (also one
/// that ran into the time limit), shutdown, crash, start-up. Source: PostgreSQL, appendix A.
fn is_passing(code: &str) -> bool {
    code.len() == 5 && (code.starts_with("08") || matches!(code, "53300" | "57014" | "57P01" | "57P02" | "57P03"))
}

/// How a database is reached.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// `sqlite://<file>` or `postgres://..`.
    pub url: String,
    /// Connections at most. SQLite keeps one of them for writing; with 1 it reads and writes over the same one.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
}

/// A pool of connections to either database. Cloning shares the pool.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

#[derive(Clone)]
enum Pool {
    Sqlite { read: Lanes<Sqlite>, write: Lanes<Sqlite> },
    Pg(Lanes<Postgres>),
}

/// A statement on a connection of its own. One that lost against another transaction has done nothing, and is run again;
/// SQLite has waited for the other one already.
macro_rules! lone {
    ($lanes:expr, $run:ident, $sql:expr, $tried:expr) => {{
        let mut tries = $tried;
        loop {
            let mut lease = $lanes.lease().await?;
            let done = $run(lease.connection(), $sql.clone()).await;
            match lease.finish(done) {
                Err(StoreError::Serialization) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(pause(tries)).await;
                }
                other => break other,
            }
        }
    }};
}

/// How often what lost against another transaction is run again.
const TRIES: u32 = 3;

/// How long it waits before that: the winner needs a moment.
fn pause(tries: u32) -> Duration {
    Duration::from_millis(10) * tries * tries
}

/// The first connection to an SQLite file. Turning the write-ahead log on takes the whole file, and SQLite refuses that
/// at once, without its busy timeout, when another process does the same at that moment.
async fn first(pool: &SqlitePoolOptions, connect: &SqliteConnectOptions, patience: Duration) -> Result<sqlx::Pool<Sqlite>, StoreError> {
    let started = tokio::time::Instant::now();
    loop {
        match pool.clone().connect_with(connect.clone()).await.map_err(StoreError::from) {
            Err(StoreError::Serialization) if started.elapsed() < patience => tokio::time::sleep(pause(1)).await,
            other => return other,
        }
    }
}

impl Db {
    /// Opens the database; SQLite's file is made when it is missing, readable by its owner only.
    pub async fn connect(options: &DbOptions) -> Result<Self, StoreError> {
        let address = |e: sqlx::Error| StoreError::Address(e.to_string());
        let pool = if options.url.starts_with("sqlite:") {
            let connect = SqliteConnectOptions::from_str(&options.url)
                .map_err(address)?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(options.acquire_timeout)
                .foreign_keys(true)
                .pragma("cache_size", "-8000")
                .statement_cache_capacity(256)
                .disable_statement_logging();
            let pool = |max: u32| SqlitePoolOptions::new().max_connections(max).acquire_timeout(options.acquire_timeout);
            let write = Lanes::new(first(&pool(1), &connect, options.acquire_timeout).await?, options.acquire_timeout);
            let read = match options.max_connections {
                0 | 1 => write.clone(),
                more => Lanes::new(pool(more - 1).connect_lazy_with(connect), options.acquire_timeout),
            };
            Pool::Sqlite { read, write }
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            let connect = PgConnectOptions::from_str(&options.url)
                .map_err(address)?
                .application_name("doorward")
                .options([("statement_timeout", "10000"), ("idle_in_transaction_session_timeout", "10000")])
                .statement_cache_capacity(256)
                .disable_statement_logging();
            let pool = PgPoolOptions::new().max_connections(options.max_connections).acquire_timeout(options.acquire_timeout);
            Pool::Pg(Lanes::new(pool.connect_with(connect).await?, options.acquire_timeout))
        } else {
            return Err(StoreError::Address("it must begin with sqlite: or postgres:".to_owned()));
        };
        Ok(Self { pool })
    }

    /// What the two databases say differently.
    pub fn dialect(&self) -> Dialect {
        match self.pool {
            Pool::Sqlite { .. } => Dialect::Sqlite,
            Pool::Pg(_) => Dialect::Postgres,
        }
    }

    /// All rows of a query.
    pub async fn all(&self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { read, .. } => lone!(read, sqlite_all, sql, TRIES),
            Pool::Pg(pool) => lone!(pool, pg_all, sql, 0),
        }
    }

    /// The first row of a query, if there is one.
    pub async fn opt(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { read, .. } => lone!(read, sqlite_opt, sql, TRIES),
            Pool::Pg(pool) => lone!(pool, pg_opt, sql, 0),
        }
    }

    /// One write that needs no transaction of its own: the number of rows it touched.
    pub async fn exec(&self, sql: Sql) -> Result<u64, StoreError> {
        match &self.pool {
            Pool::Sqlite { write, .. } => lone!(write, sqlite_exec, sql, TRIES),
            Pool::Pg(pool) => lone!(pool, pg_exec, sql, 0),
        }
    }

    /// One write that answers a row (`RETURNING`), if it touched one.
    pub async fn take(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { write, .. } => lone!(write, sqlite_opt, sql, TRIES),
            Pool::Pg(pool) => lone!(pool, pg_opt, sql, 0),
        }
    }

    /// Begins a write transaction. On SQLite it holds the one write lock at once, so that it cannot fail half-way.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        match &self.pool {
            Pool::Sqlite { write, .. } => Tx::on_sqlite(write.lease().await?).await,
            Pool::Pg(pool) => Tx::on_postgres(pool.lease().await?).await,
        }
    }

    /// Runs several statements of a migration, which come without parameters.
    pub(crate) async fn script(tx: &mut Tx, text: &str) -> Result<(), StoreError> {
        tx.script(text).await
    }

    /// Closes all connections; what runs is waited for.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Pool::Pg(pool) => pool.close().await,
        }
    }
}

macro_rules! backend {
    ($all:ident, $opt:ident, $exec:ident, $db:ty, $row:path) => {
        async fn $all<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<Vec<Row>, sqlx::Error> {
            let rows = sql.query::<$db>().fetch_all(on).await?;
            Ok(rows.into_iter().map($row).collect())
        }

        async fn $opt<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<Option<Row>, sqlx::Error> {
            Ok(sql.query::<$db>().fetch_optional(on).await?.map($row))
        }

        async fn $exec<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<u64, sqlx::Error> {
            Ok(sql.query::<$db>().execute(on).await?.rows_affected())
        }
    };
}
backend!(sqlite_all, sqlite_opt, sqlite_exec, Sqlite, Row::Sqlite);
backend!(pg_all, pg_opt, pg_exec, Postgres, Row::Pg);

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection as _;

    /// Another process has the write lock of a file that is not in write-ahead mode yet.
    #[tokio::test]
    async fn fault_147_a_file_that_is_being_written_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new.db");
        let file = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut other = sqlx::SqliteConnection::connect_with(&file).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();

        let (pool, ours) = (SqlitePoolOptions::new().max_connections(1), file.journal_mode(SqliteJournalMode::Wal));
        let at_once = || first(&pool, &ours, Duration::ZERO);
        let refused = at_once().await.map(drop);
        assert!(matches!(refused, Err(StoreError::Serialization)), "{refused:?}");

        let opened = first(&pool, &ours, Duration::from_secs(30));
        let released = async {
            for _ in 0..5 {
                assert!(at_once().await.is_err());
            }
            sqlx::query("COMMIT").execute(&mut other).await.unwrap();
        };
        let (opened, ()) = tokio::join!(opened, released);
        opened.unwrap().close().await;
    }
}
