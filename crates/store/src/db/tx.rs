//! Transactions. PostgreSQL ends one that lost against another (40001, 40P01) and says: run it again. That is done here, for
//! every transaction alike, by repeating its statements; and only as long as each of them is answered as it was the first
//! time, for what was decided from the answers must still be right.

use super::lanes::Lease;
use super::shared::Shared;
use super::{Dialect, Read, Row, Sql, StoreError, TRIES, patience};
use super::{pg_all, pg_exec, pg_opt, sqlite_all, sqlite_exec, sqlite_opt};
use crate::changes::{Change, Teller};
use crate::users::search;
use doorward_base::{InstanceId, UserId};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, Executor as _, Row as _, ValueRef as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A transaction, rolled back unless it is committed.
pub struct Tx {
    lease: Option<Either>,
    /// What was done so far and what came of it; nothing on SQLite, where a transaction that began has won.
    done: Vec<(Sql, How, Seen)>,
    tries: u32,
    repeatable: bool,
    /// Whether it changed anything.
    changed: bool,
    shared: Arc<Shared>,
    /// What it changed that others may want to hear of, and who writes that down.
    changes: Vec<(InstanceId, Change)>,
    teller: Option<Arc<dyn Teller>>,
    /// Users who may be found by another text now.
    searchable: BTreeSet<(InstanceId, UserId)>,
}

enum Either {
    Sqlite(Lease<Sqlite>),
    Pg(Lease<Postgres>),
}

#[derive(Clone, Copy)]
enum How {
    All,
    Opt,
    Exec,
}

enum Answer {
    Rows(Vec<Row>),
    Count(u64),
}

/// An answer in a form that can be compared: the rows' bytes, or their number.
#[derive(PartialEq)]
enum Seen {
    Rows(Vec<Vec<Option<Vec<u8>>>>),
    Count(u64),
}

fn bytes(row: &PgRow) -> Vec<Option<Vec<u8>>> {
    let value = |n| row.try_get_raw(n).ok().filter(|it| !it.is_null()).and_then(|it| it.as_bytes().ok().map(<[u8]>::to_vec));
    (0..row.len()).map(value).collect()
}

impl Answer {
    fn seen(&self) -> Seen {
        match self {
            Self::Count(n) => Seen::Count(*n),
            Self::Rows(rows) => {
                let bytes = |row: &Row| if let Row::Pg(row) = row { bytes(row) } else { Vec::new() };
                Seen::Rows(rows.iter().map(bytes).collect())
            }
        }
    }

    fn rows(self) -> Vec<Row> {
        if let Self::Rows(rows) = self { rows } else { Vec::new() }
    }
}

impl Tx {
    pub(super) async fn on_sqlite(lease: Lease<Sqlite>, shared: Arc<Shared>) -> Result<Self, StoreError> {
        Self::begin(Either::Sqlite(lease), Dialect::Sqlite, shared).await
    }

    pub(super) async fn on_postgres(lease: Lease<Postgres>, shared: Arc<Shared>) -> Result<Self, StoreError> {
        Self::begin(Either::Pg(lease), Dialect::Postgres, shared).await
    }

    async fn begin(lease: Either, dialect: Dialect, shared: Arc<Shared>) -> Result<Self, StoreError> {
        // A transaction from before it begins: dropped while it does, it is rolled back.
        let repeatable = dialect == Dialect::Postgres;
        let mut tx = Self {
            lease: Some(lease),
            done: Vec::new(),
            tries: 0,
            repeatable,
            changed: false,
            shared,
            changes: Vec::new(),
            teller: None,
            searchable: BTreeSet::new(),
        };
        tx.simple(dialect.begin()).await?;
        Ok(tx)
    }

    /// The same transaction, of which `teller` hears.
    pub(super) fn heard_by(mut self, teller: Option<Arc<dyn Teller>>) -> Self {
        self.teller = teller;
        self
    }

    /// Notes a change that others may want to hear of.
    pub(crate) fn note(&mut self, instance: &InstanceId, change: Change) {
        if self.teller.is_some() {
            self.changes.push((instance.clone(), change));
        }
    }

    /// Notes that a user came to be, is gone, or may be found by another text.
    pub(crate) fn searchable(&mut self, instance: &InstanceId, user: &UserId) {
        self.searchable.insert((instance.clone(), user.clone()));
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.lease {
            Some(Either::Pg(_)) => Dialect::Postgres,
            _ => Dialect::Sqlite,
        }
    }

    /// All rows of a query.
    pub async fn all(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        self.run(sql, How::All).await.map(Answer::rows)
    }

    /// The first row of a query, if there is one. Also for writes with `RETURNING`.
    pub async fn opt(&mut self, sql: Sql) -> Result<Option<Row>, StoreError> {
        self.run(sql, How::Opt).await.map(|answer| answer.rows().pop())
    }

    /// A write: the number of rows it touched.
    pub async fn exec(&mut self, sql: Sql) -> Result<u64, StoreError> {
        self.run(sql, How::Exec).await.map(|answer| if let Answer::Count(n) = answer { n } else { 0 })
    }

    /// Makes it last.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let changes = std::mem::take(&mut self.changes);
        let teller = self.teller.take().filter(|_| !changes.is_empty());
        let heard = match &teller {
            Some(teller) => teller.tell(&mut self, changes).await?,
            None => false,
        };
        let searchable = std::mem::take(&mut self.searchable);
        if !searchable.is_empty() {
            search::keep(&mut self, searchable).await?;
        }
        self.end().await?;
        if let Some(teller) = teller.filter(|_| heard) {
            teller.told();
        }
        Ok(())
    }

    async fn end(mut self) -> Result<(), StoreError> {
        loop {
            match self.simple("COMMIT").await {
                Err(StoreError::Serialization) if self.may_repeat() => self.repeat().await?,
                other => break other?,
            }
        }
        self.shared.wrote(Ok(self.changed));
        match self.lease.take() {
            Some(Either::Sqlite(lease)) => lease.finish(Ok(())),
            Some(Either::Pg(lease)) => lease.finish(Ok(())),
            None => Ok(()),
        }
    }

    /// Statements without values or rows, which cannot be repeated.
    pub(super) async fn script(&mut self, text: &str) -> Result<(), StoreError> {
        self.repeatable = false;
        self.text(text, Duration::MAX).await
    }

    fn may_repeat(&self) -> bool {
        self.repeatable && self.tries < TRIES
    }

    async fn run(&mut self, sql: Sql, how: How) -> Result<Answer, StoreError> {
        if !self.repeatable {
            return self.once(sql, how).await;
        }
        loop {
            match self.once(sql.clone(), how).await {
                Err(StoreError::Serialization) if self.may_repeat() => self.repeat().await?,
                Ok(answer) => {
                    self.done.push((sql, how, answer.seen()));
                    return Ok(answer);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Begins anew and does again what was done.
    async fn repeat(&mut self) -> Result<(), StoreError> {
        'again: while self.may_repeat() {
            self.tries += 1;
            self.simple("ROLLBACK").await?;
            tokio::time::sleep(self.shared.pause(self.tries)).await;
            self.simple(Dialect::Postgres.begin()).await?;
            for n in 0..self.done.len() {
                let (sql, how, _) = &self.done[n];
                match self.once(sql.clone(), *how).await {
                    Ok(answer) if answer.seen() == self.done[n].2 => {}
                    Err(StoreError::Serialization) => continue 'again,
                    // The world has changed: whoever asked has to decide anew.
                    Ok(_) => return Err(StoreError::Serialization),
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        }
        Err(StoreError::Serialization)
    }

    async fn once(&mut self, sql: Sql, how: How) -> Result<Answer, StoreError> {
        let done = match (self.lease()?, how) {
            (Either::Sqlite(lease), How::All) => sqlite_all(lease.connection(), sql).await.map(Answer::Rows),
            (Either::Sqlite(lease), How::Opt) => {
                sqlite_opt(lease.connection(), sql).await.map(|row| Answer::Rows(row.into_iter().collect()))
            }
            (Either::Sqlite(lease), How::Exec) => sqlite_exec(lease.connection(), sql).await.map(Answer::Count),
            (Either::Pg(lease), How::All) => pg_all(lease.connection(), sql).await.map(Answer::Rows),
            (Either::Pg(lease), How::Opt) => pg_opt(lease.connection(), sql).await.map(|row| Answer::Rows(row.into_iter().collect())),
            (Either::Pg(lease), How::Exec) => pg_exec(lease.connection(), sql).await.map(Answer::Count),
        };
        match self.lease()? {
            Either::Sqlite(lease) => lease.look_at(&done).await,
            Either::Pg(lease) => lease.look_at(&done).await,
        }
        self.changed |= matches!(done, Ok(Answer::Count(count)) if count > 0);
        self.noted(done)
    }

    /// Tells those who ask for the database's health of a disk that failed, and the connection of a server that left.
    fn noted<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let done = done.map_err(StoreError::from);
        self.shared.wrote(done.as_ref().map(|_| false));
        match (&done, &mut self.lease) {
            (Err(StoreError::Unavailable(_)), Some(Either::Sqlite(lease))) => lease.distrust(),
            (Err(StoreError::Unavailable(_)), Some(Either::Pg(lease))) => lease.distrust(),
            _ => {}
        }
        done
    }

    fn lease(&mut self) -> Result<&mut Either, StoreError> {
        self.lease.as_mut().ok_or(StoreError::Other(sqlx::Error::PoolClosed))
    }

    async fn simple(&mut self, text: &str) -> Result<(), StoreError> {
        self.text(text, patience::ANSWER).await
    }

    async fn text(&mut self, text: &str, patience: Duration) -> Result<(), StoreError> {
        let sql = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
        let done = match self.lease()? {
            Either::Sqlite(lease) => lease.connection().execute(sql).await.map(drop),
            Either::Pg(lease) => patience::within(patience, lease.connection().execute(sql)).await.map(drop),
        };
        self.noted(done)
    }
}

impl Read for &mut Tx {
    async fn all(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        Tx::all(self, sql).await
    }

    async fn opt(&mut self, sql: Sql) -> Result<Option<Row>, StoreError> {
        Tx::opt(self, sql).await
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        match self.lease.take() {
            Some(Either::Sqlite(lease)) => drop(tokio::spawn(lease.roll_back())),
            Some(Either::Pg(lease)) => drop(tokio::spawn(lease.roll_back())),
            None => {}
        }
    }
}
