//! Who uses which connection. sqlx's pool asks a connection whether it lives before and after every use; each question is a
//! message to SQLite's thread or to PostgreSQL and back, which costs more than the statement in between. So connections
//! that did their work stay here, warm, and go through the pool only when they are new, idle for long, or not to be trusted.

use super::{StoreError, patience};
use sqlx::database::HasStatementCache;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Database, Executor, Pool};
use std::io::ErrorKind;
use std::ops::DerefMut as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection that was idle for longer is asked whether it still lives.
const TRUSTED: Duration = Duration::from_secs(1);
/// And after this it goes back to the pool, which closes it when nobody wants it.
const WARM: Duration = Duration::from_secs(60);

/// The connections to one database. Cloning shares them.
pub(super) struct Lanes<DB: Database>(Arc<Inner<DB>>);

struct Inner<DB: Database> {
    pool: Pool<DB>,
    /// As many as the pool may have: whoever is let in finds one warm, or the pool may still open one.
    gate: Arc<Semaphore>,
    warm: Mutex<Vec<Warm<DB>>>,
    wait: Duration,
}

struct Warm<DB: Database> {
    connection: PoolConnection<DB>,
    since: Instant,
}

/// A connection in use. Dropped in the middle of something it goes through the pool, which looks after it.
pub(super) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    lanes: Lanes<DB>,
    distrusted: bool,
    /// Declared last, so that the connection is back before the next one is let in.
    _permit: OwnedSemaphorePermit,
}

impl<DB: Database> Clone for Lanes<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> Lanes<DB> {
    /// Over a pool of its own, in which nobody waits longer than `wait`.
    pub(super) fn new(pool: Pool<DB>, wait: Duration) -> Self {
        let most = pool.options().get_max_connections() as usize;
        Self(Arc::new(Inner { pool, gate: Arc::new(Semaphore::new(most)), warm: Mutex::new(Vec::new()), wait }))
    }

    /// A connection that lives, as far as can be known.
    pub(super) async fn lease(&self) -> Result<Lease<DB>, StoreError> {
        let permit = tokio::time::timeout(self.0.wait, Arc::clone(&self.0.gate).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Busy)?.map_err(|_| StoreError::Unavailable(sqlx::Error::PoolClosed))?;
        let connection = match self.take_warm().await {
            Some(connection) => connection,
            None => self.0.pool.acquire().await?,
        };
        Ok(Lease { connection, lanes: self.clone(), distrusted: false, _permit: permit })
    }

    async fn take_warm(&self) -> Option<PoolConnection<DB>> {
        loop {
            let Warm { mut connection, since } = self.warm().pop()?;
            if since.elapsed() < TRUSTED {
                return Some(connection);
            }
            let asked = patience::within(self.0.wait, connection.ping()).await;
            if asked.is_ok() {
                return Some(connection);
            }
            connection.close_on_drop();
            // The others have been idle for longer still. Each is asked, for only some may be lost; but if no answer comes, none
            // will from them.
            if matches!(asked, Err(sqlx::Error::Io(error)) if error.kind() == ErrorKind::TimedOut) {
                self.warm().drain(..).for_each(|mut it| it.connection.close_on_drop());
            }
        }
    }

    fn warm(&self) -> MutexGuard<'_, Vec<Warm<DB>>> {
        self.0.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes all connections; what runs is waited for.
    pub(super) async fn close(&self) {
        self.0.gate.close();
        self.warm().clear();
        self.0.pool.close().await;
    }
}

impl<DB: Database> Lease<DB> {
    /// The connection, for one statement.
    pub(super) fn connection(&mut self) -> &mut DB::Connection {
        self.connection.deref_mut()
    }

    /// Has statements prepared anew where one of them is [stale](super::is_stale).
    pub(super) async fn look_at<T>(&mut self, done: &Result<T, sqlx::Error>)
    where
        DB: HasStatementCache,
    {
        if done.as_ref().is_err_and(super::is_stale) && self.connection().clear_cached_statements().await.is_err() {
            self.distrust();
        }
    }

    /// Closes the connection after its use, although it may live: what it leads to is of no use any more.
    pub(super) fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// Ends the use. A statement that the database answered, be it with an error, leaves the connection good, unless that
    /// answer was its last, or came from a server that is not the primary any more.
    pub(super) fn finish<T>(self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let Self { mut connection, lanes, distrusted, _permit } = self;
        let answered = matches!(result, Ok(_) | Err(sqlx::Error::Database(_)));
        let result = result.map_err(StoreError::from);
        if distrusted || matches!(result, Err(StoreError::Unavailable(_))) {
            connection.close_on_drop();
        } else if answered && !lanes.0.gate.is_closed() {
            let mut warm = lanes.warm();
            warm.push(Warm { connection, since: Instant::now() });
            if warm.first().is_some_and(|it| it.since.elapsed() > WARM) {
                warm.remove(0);
            }
        }
        result
    }

    /// Ends a transaction that nobody committed. A connection that cannot say that it did is closed, which ends it as well.
    pub(super) async fn roll_back(mut self)
    where
        for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    {
        if self.distrusted {
            return self.connection.close_on_drop();
        }
        let done = patience::within(patience::ANSWER, self.connection().execute(sqlx::raw_sql("ROLLBACK"))).await;
        match done {
            Ok(_) => drop(self.finish(Ok(()))),
            Err(_) => self.connection.close_on_drop(),
        }
    }
}
