//! Sign-in and sign-up attempts: a state that `core` understands, replaced under a version so that two requests cannot
//! both move the same attempt on.

use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// Which kind of attempt: each has a table of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A sign-in.
    SignIn,
    /// A sign-up.
    SignUp,
    /// A proof that who is signed in is still there.
    Reverification,
}

impl Kind {
    fn table(self) -> &'static str {
        match self {
            Self::SignIn => "sign_ins",
            Self::SignUp => "sign_ups",
            Self::Reverification => "reverifications",
        }
    }
}

/// An attempt as it is kept.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// The attempt's id.
    pub id: String,
    /// The client it was made on.
    pub client_id: ClientId,
    /// The state, JSON.
    pub state: String,
    /// Grows by one with each change.
    pub version: i64,
    /// When it is given up.
    pub abandon_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// The attempt of an id.
pub async fn get(db: &Db, kind: Kind, instance: &InstanceId, id: &str) -> Result<Option<AttemptRecord>, StoreError> {
    let text = format!("SELECT * FROM {} WHERE instance_id = $1 AND id = $2", kind.table());
    let row = db.opt(sql!(text, instance, id)).await?;
    row.map(|row| {
        Ok(AttemptRecord {
            id: row.text("id")?,
            client_id: row.id("client_id")?,
            state: row.text("state")?,
            version: row.int("version")?,
            abandon_at: row.int("abandon_at")?,
            created_at: row.int("created_at")?,
            updated_at: row.int("updated_at")?,
        })
    })
    .transpose()
}

/// Adds an attempt.
pub async fn insert(tx: &mut Tx, kind: Kind, instance: &InstanceId, it: &AttemptRecord) -> Result<(), StoreError> {
    let text = format!(
        "INSERT INTO {} (instance_id, id, client_id, state, version, abandon_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        kind.table()
    );
    let sql = sql!(text, instance, &it.id, &it.client_id, &it.state, it.version, it.abandon_at, it.created_at, it.updated_at);
    tx.exec(sql).await.map(|_| ())
}

/// Forgets an attempt.
pub async fn delete(tx: &mut Tx, kind: Kind, instance: &InstanceId, id: &str) -> Result<(), StoreError> {
    let text = format!("DELETE FROM {} WHERE instance_id = $1 AND id = $2", kind.table());
    tx.exec(sql!(text, instance, id)).await.map(|_| ())
}

/// Replaces the state of an attempt that is still at `it.version`. False when somebody else moved it on.
pub async fn advance(tx: &mut Tx, kind: Kind, instance: &InstanceId, it: &AttemptRecord, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!(
        "UPDATE {} SET state = $3, version = version + 1, updated_at = $5 WHERE instance_id = $1 AND id = $2 AND version = $4",
        kind.table()
    );
    Ok(tx.exec(sql!(text, instance, &it.id, &it.state, it.version, now)).await? == 1)
}
