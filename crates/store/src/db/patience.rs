//! How long an answer of the database is waited for. PostgreSQL ends by itself what takes too long; when nothing came a while
//! after that, nobody is there. A network that swallows packets would else keep a connection, and whoever waits for it, for
//! as long as TCP goes on trying, which is hours.

use std::future::Future;
use std::io::ErrorKind;
use std::time::Duration;

/// After which PostgreSQL ends a statement (`statement_timeout`).
pub(super) const STATEMENT: Duration = Duration::from_secs(10);
/// After which a statement has no answer to come.
pub(super) const ANSWER: Duration = Duration::from_secs(13);

/// What `work` comes to, or the error of a connection that timed out.
pub(super) async fn within<T>(most: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(most, work).await.unwrap_or_else(|_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into())))
}
