//! A thin driver over both databases: statements, rows and transactions of one kind.

mod dialect;
mod lanes;
mod patience;
mod row;
mod shared;
mod sql;
mod tx;

pub use dialect::Dialect;
pub use row::Row;
pub use sql::{Sql, Value};
pub use tx::Tx;

use crate::changes::Teller;
use doorward_base::Rng;
use lanes::Lanes;
use shared::Shared;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgPoolOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};
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
    /// The database cannot write: its disk is full, read-only or failing. Reads go on, as a rule.
    #[error("the database cannot write: {0}")]
    Disk(#[source] sqlx::Error),
    /// The database's address is wrong.
    #[error("the database address is not valid: {0}")]
    Address(String),
    /// A row does not hold what the code expects.
    #[error("column {0} does not hold what is expected: {1}")]
    Decode(String, String),
    /// Anything else.
    #[error("database: {0}")]
    Other(#[source] sqlx::Error),
    /// What others are to be told of a change could not be written, so that it was not made.
    #[error("nobody could be told: {0}")]
    Untold(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => Self::Conflict,
            sqlx::Error::Database(db) if matches!(db.code().as_deref(), Some("40001" | "40P01" | "5" | "261" | "517" | "773")) => {
                Self::Serialization
            }
            _ if is_stale(&error) => Self::Serialization,
            sqlx::Error::Database(db) if db.code().is_some_and(|code| is_passing(&code)) => Self::Unavailable(error),
            sqlx::Error::Database(db) if db.code().is_some_and(|code| is_disk(&code)) => Self::Disk(error),
            // A balancer without a server to lead to hangs up in the middle of a greeting.
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed => Self::Unavailable(error),
            sqlx::Error::PoolTimedOut => Self::Busy,
            _ => Self::Other(error),
        }
    }
}

/// States of PostgreSQL that pass by themselves: class 08 (connection), too many connections, a cancelled statement (also one
/// that ran into the time limit), shutdown, crash, start-up; and a server that is not the primary, or not any more. Source:
/// PostgreSQL, appendix A.
fn is_passing(code: &str) -> bool {
    code.len() == 5 && (code.starts_with("08") || matches!(code, "25006" | "53300" | "57014" | "57P01" | "57P02" | "57P03"))
}

/// PostgreSQL's `disk_full` and `io_error`; SQLite's `READONLY`, `IOERR` and `FULL`, which are the low byte of its codes.
fn is_disk(code: &str) -> bool {
    match code.len() {
        5 => matches!(code, "53100" | "58030"),
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 8 | 10 | 13)),
    }
}

/// A prepared statement whose result has another shape by now: a node of a newer build has migrated the schema. It did nothing.
fn is_stale(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|it| it.try_downcast_ref::<PgDatabaseError>());
    error.is_some_and(|it| it.code() == "0A000" && it.routine() == Some("RevalidateCachedQuery"))
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
    shared: Arc<Shared>,
    teller: Arc<OnceLock<Arc<dyn Teller>>>,
}

/// What rows are read from: the database, or a transaction, which sees what it has written.
pub trait Read: Send {
    /// All rows of a query.
    fn all(&mut self, sql: Sql) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// The first row of a query, if there is one.
    fn opt(&mut self, sql: Sql) -> impl Future<Output = Result<Option<Row>, StoreError>> + Send;
}

impl Read for &Db {
    async fn all(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        Db::all(self, sql).await
    }

    async fn opt(&mut self, sql: Sql) -> Result<Option<Row>, StoreError> {
        Db::opt(self, sql).await
    }
}

#[derive(Clone)]
enum Pool {
    Sqlite { read: Lanes<Sqlite>, write: Lanes<Sqlite> },
    Pg(Lanes<Postgres>),
}

/// A statement on a connection of its own. One that lost against another transaction has done nothing, and is run again;
/// SQLite has waited for the other one already.
macro_rules! lone {
    ($db:expr, $lanes:expr, $run:ident, $sql:expr, $tried:expr) => {{
        let mut tries = $tried;
        loop {
            let mut lease = $lanes.lease().await?;
            let done = $run(lease.connection(), $sql.clone()).await;
            lease.look_at(&done).await;
            match lease.finish(done) {
                Err(StoreError::Serialization) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep($db.shared.pause(tries)).await;
                }
                other => break other,
            }
        }
    }};
}

/// How often what lost against another transaction is run again.
const TRIES: u32 = 3;

/// The first connection to an SQLite file. Turning the write-ahead log on takes the whole file, and SQLite refuses that
/// at once, without its busy timeout, when another process does the same at that moment.
async fn first(
    pool: &SqlitePoolOptions,
    connect: &SqliteConnectOptions,
    patience: Duration,
    shared: &Shared,
) -> Result<sqlx::Pool<Sqlite>, StoreError> {
    let started = tokio::time::Instant::now();
    loop {
        match pool.clone().connect_with(connect.clone()).await.map_err(StoreError::from) {
            Err(StoreError::Serialization) if started.elapsed() < patience => tokio::time::sleep(shared.pause(1)).await,
            other => return other,
        }
    }
}

impl Db {
    /// Opens the database; SQLite's file is made when it is missing, readable by its owner only. `rng` says how long what lost
    /// against another transaction waits.
    pub async fn connect(options: &DbOptions, rng: &Rng) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(rng.clone()));
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
            let write = Lanes::new(first(&pool(1), &connect, options.acquire_timeout, &shared).await?, options.acquire_timeout);
            let read = match options.max_connections {
                0 | 1 => write.clone(),
                more => Lanes::new(pool(more - 1).connect_lazy_with(connect), options.acquire_timeout),
            };
            Pool::Sqlite { read, write }
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            let connect = PgConnectOptions::from_str(&options.url)
                .map_err(address)?
                .application_name("doorward")
                .options(
                    ["statement_timeout", "idle_in_transaction_session_timeout"]
                        .map(|it| (it, patience::STATEMENT.as_millis().to_string())),
                )
                .statement_cache_capacity(256)
                .disable_statement_logging();
            let pool = PgPoolOptions::new().max_connections(options.max_connections).acquire_timeout(options.acquire_timeout);
            Pool::Pg(Lanes::new(pool.connect_with(connect).await?, options.acquire_timeout))
        } else {
            return Err(StoreError::Address("it must begin with sqlite: or postgres:".to_owned()));
        };
        Ok(Self { pool, shared, teller: Arc::default() })
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
            Pool::Sqlite { read, .. } => lone!(self, read, sqlite_all, sql, TRIES),
            Pool::Pg(pool) => lone!(self, pool, pg_all, sql, 0),
        }
    }

    /// The first row of a query, if there is one.
    pub async fn opt(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { read, .. } => lone!(self, read, sqlite_opt, sql, TRIES),
            Pool::Pg(pool) => lone!(self, pool, pg_opt, sql, 0),
        }
    }

    /// One write that needs no transaction of its own: the number of rows it touched.
    pub async fn exec(&self, sql: Sql) -> Result<u64, StoreError> {
        let done = match &self.pool {
            Pool::Sqlite { write, .. } => lone!(self, write, sqlite_exec, sql, TRIES),
            Pool::Pg(pool) => lone!(self, pool, pg_exec, sql, 0),
        };
        self.shared.wrote(done.as_ref().map(|count| *count > 0));
        done
    }

    /// One write that answers a row (`RETURNING`), if it touched one.
    pub async fn take(&self, sql: Sql) -> Result<Option<Row>, StoreError> {
        let done = match &self.pool {
            Pool::Sqlite { write, .. } => lone!(self, write, sqlite_opt, sql, TRIES),
            Pool::Pg(pool) => lone!(self, pool, pg_opt, sql, 0),
        };
        self.shared.wrote(done.as_ref().map(Option::is_some));
        done
    }

    /// Begins a write transaction. On SQLite it holds the one write lock at once, so that it cannot fail half-way.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let tx = match &self.pool {
            Pool::Sqlite { write, .. } => Tx::on_sqlite(write.lease().await?, self.shared.clone()).await,
            Pool::Pg(pool) => Tx::on_postgres(pool.lease().await?, self.shared.clone()).await,
        };
        Ok(tx?.heard_by(self.teller.get().cloned()))
    }

    /// Lets `teller` hear of every change from now on. The first one stays.
    pub fn set_teller(&self, teller: Arc<dyn Teller>) {
        let _ = self.teller.set(teller);
    }

    /// Whether the last write failed for the disk's sake ([`StoreError::Disk`]). Asks the database nothing.
    pub fn refuses_writes(&self) -> bool {
        self.shared.refuses_writes()
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
    ($all:ident, $opt:ident, $exec:ident, $db:ty, $row:path, $patience:expr) => {
        async fn $all<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<Vec<Row>, sqlx::Error> {
            let rows = patience::within($patience, sql.query::<$db>().fetch_all(on)).await?;
            Ok(rows.into_iter().map($row).collect())
        }

        async fn $opt<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<Option<Row>, sqlx::Error> {
            Ok(patience::within($patience, sql.query::<$db>().fetch_optional(on)).await?.map($row))
        }

        async fn $exec<'e>(on: impl sqlx::Executor<'e, Database = $db>, sql: Sql) -> Result<u64, sqlx::Error> {
            Ok(patience::within($patience, sql.query::<$db>().execute(on)).await?.rows_affected())
        }
    };
}
// SQLite is a thread of this process, which always answers.
backend!(sqlite_all, sqlite_opt, sqlite_exec, Sqlite, Row::Sqlite, Duration::MAX);
backend!(pg_all, pg_opt, pg_exec, Postgres, Row::Pg, patience::ANSWER);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;
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
        let shared = Shared::new(Rng::seeded(147));
        let at_once = || first(&pool, &ours, Duration::ZERO, &shared);
        let refused = at_once().await.map(drop);
        assert!(matches!(refused, Err(StoreError::Serialization)), "{refused:?}");

        let opened = first(&pool, &ours, Duration::from_secs(30), &shared);
        let released = async {
            for _ in 0..5 {
                assert!(at_once().await.is_err());
            }
            sqlx::query("COMMIT").execute(&mut other).await.unwrap();
        };
        let (opened, ()) = tokio::join!(opened, released);
        opened.unwrap().close().await;
    }

    #[test]
    fn fault_141_what_a_disk_can_do_to_a_write_is_known() {
        let known = ["53100", "58030", "8", "10", "13", "778", "1034", "4874"];
        assert!(known.iter().all(|code| is_disk(code) && !is_passing(code)));
        assert!(["5", "14", "1555", "23505", "40001", "53200", ""].iter().all(|code| !is_disk(code)));
    }

    #[tokio::test]
    async fn fault_141_a_full_disk_is_remembered_until_a_write_succeeds() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("full.db").display());
        let options = DbOptions { url, max_connections: 1, acquire_timeout: Duration::from_secs(5) };
        let db = Db::connect(&options, &Rng::seeded(141)).await.unwrap();
        let write = || sql!("INSERT INTO filled (bytes) VALUES ($1)", "x".repeat(50_000));
        db.exec(sql!("CREATE TABLE filled (bytes TEXT NOT NULL)")).await.unwrap();
        db.exec(write()).await.unwrap();
        for in_transaction in [false, true] {
            db.opt(sql!("PRAGMA max_page_count = 20")).await.unwrap();
            let refused = if in_transaction { db.begin().await.unwrap().exec(write()).await } else { db.exec(write()).await };
            assert!(matches!(refused, Err(StoreError::Disk(_))), "{refused:?}");
            assert_eq!(db.all(sql!("SELECT bytes FROM filled")).await.unwrap().len(), if in_transaction { 2 } else { 1 });
            assert_eq!(db.exec(sql!("DELETE FROM filled WHERE bytes = ''")).await.unwrap(), 0);
            assert!(db.refuses_writes(), "a read and a write of nothing say nothing about the disk");
            db.opt(sql!("PRAGMA max_page_count = 2000")).await.unwrap();
            let mut tx = db.begin().await.unwrap();
            tx.exec(write()).await.unwrap();
            assert!(db.refuses_writes(), "until it is committed");
            tx.commit().await.unwrap();
            assert!(!db.refuses_writes());
        }
    }
}
