//! Transactions that wait for each other, and statements that the database ends.

use doorward_store::db::Dialect;
use doorward_store::{Db, StoreError, sql};
use doorward_testkit::TestServer;
use std::time::Duration;
use tokio::sync::Barrier;

/// Counts up on one user and then on the other. `reads` makes it depend on what it found on the first.
async fn both(db: &Db, first: &str, second: &str, met: &Barrier, reads: bool) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    let text = "UPDATE users SET failed_attempts = failed_attempts + 1 WHERE id = $1";
    if reads {
        tx.opt(sql!(format!("{text} RETURNING failed_attempts"), first)).await?;
    } else {
        tx.exec(sql!(text, first)).await?;
    }
    // SQLite does not let the second one begin before the first has ended.
    if db.dialect() == Dialect::Postgres {
        met.wait().await;
    }
    tx.exec(sql!(text, second)).await?;
    tx.commit().await
}

async fn counts(db: &Db) -> Vec<i64> {
    let rows = db.all(sql!("SELECT failed_attempts FROM users ORDER BY id")).await.unwrap();
    rows.iter().map(|row| row.int("failed_attempts").unwrap()).collect()
}

async fn crossing(reads: bool) -> (Vec<Result<(), StoreError>>, Vec<i64>, Dialect) {
    let server = TestServer::start().await;
    let (ada, bob) = (server.user("ada@example.com", "correct horse").await, server.user("bob@example.com", "correct horse").await);
    let (db, met) = (&server.app.db, Barrier::new(2));
    let pair = async { tokio::join!(both(db, &ada, &bob, &met, reads), both(db, &bob, &ada, &met, reads)) };
    let (one, two) = tokio::time::timeout(Duration::from_secs(30), pair).await.unwrap();
    (vec![one, two], counts(db).await, db.dialect())
}

#[tokio::test]
async fn of_two_transactions_that_wait_for_each_other_both_are_done_in_the_end() {
    let (results, counts, _) = crossing(false).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(counts, [2, 2], "and each of them once");
}

#[tokio::test]
async fn what_was_decided_from_an_answer_that_no_longer_holds_is_not_repeated() {
    let (results, counts, dialect) = crossing(true).await;
    let lost = results.iter().filter(|it| matches!(it, Err(StoreError::Serialization))).count();
    match dialect {
        Dialect::Postgres => assert_eq!((lost, counts), (1, vec![1, 1]), "{results:?}"),
        Dialect::Sqlite => assert_eq!((lost, counts), (0, vec![2, 2]), "{results:?}"),
    }
}

/// The administrator's two ways of ending somebody else's statement; a statement that takes too long ends as by the first.
#[tokio::test]
async fn fault_142_a_statement_that_the_database_ends_is_answered_with_try_again() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", "correct horse").await;
    let path = format!("/v1/users/{user}");
    for end in ["pg_cancel_backend", "pg_terminate_backend"] {
        let mut holder = server.app.db.begin().await.unwrap();
        if server.app.db.dialect() == Dialect::Sqlite {
            // The only connection there is would be the writer's.
            if std::env::var("DOORWARD_TEST_CONNECTIONS").as_deref() != Ok("1") {
                assert_eq!(server.backend("GET", &path, None).await.status, 200, "a writer keeps no reader waiting");
            }
            continue;
        }
        holder.exec(sql!("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        let me = holder.opt(sql!("SELECT CAST(pg_backend_pid() AS BIGINT) AS pid")).await.unwrap().unwrap().int("pid").unwrap();
        let ended = async {
            let text = format!(
                "SELECT {end}(pid) FROM pg_stat_activity WHERE CAST($1 AS INTEGER) = ANY(pg_blocking_pids(pid)) AND datname = current_database()"
            );
            while server.app.db.all(sql!(text.clone(), me)).await.unwrap().is_empty() {}
        };
        let pair = async { tokio::join!(server.backend("GET", &path, None), ended) };
        let (answer, ()) = tokio::time::timeout(Duration::from_secs(30), pair).await.unwrap();
        assert_eq!(answer.status, 503, "{end}: {}", answer.json);
        assert_eq!(answer.headers["retry-after"], "1", "{end}");
        drop(holder);
        assert_eq!(server.backend("GET", &path, None).await.status, 200, "{end}: and then it works again");
    }
}
