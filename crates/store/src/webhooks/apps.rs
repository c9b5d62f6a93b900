//! Whether an instance's server said that it uses webhooks, as the protocol has it do before it asks for anything else.

use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// Remembers it; nothing happens when it is known.
pub async fn insert_app(db: &Db, instance: &InstanceId, now: Timestamp) -> Result<(), StoreError> {
    let text = "INSERT INTO webhook_apps (instance_id, created_at) VALUES ($1, $2) ON CONFLICT (instance_id) DO NOTHING";
    db.exec(sql!(text, instance, now)).await.map(|_| ())
}

/// Whether it did.
pub async fn has_app(db: &Db, instance: &InstanceId) -> Result<bool, StoreError> {
    Ok(db.opt(sql!("SELECT instance_id FROM webhook_apps WHERE instance_id = $1", instance)).await?.is_some())
}

/// Forgets it, with every endpoint of the instance, its log and all that waits for it. False when it did not.
pub async fn delete_app(tx: &mut Tx, instance: &InstanceId) -> Result<bool, StoreError> {
    for table in ["webhook_attempts", "webhook_deliveries", "webhook_endpoints"] {
        tx.exec(sql!(format!("DELETE FROM {table} WHERE instance_id = $1"), instance)).await?;
    }
    Ok(tx.exec(sql!("DELETE FROM webhook_apps WHERE instance_id = $1", instance)).await? == 1)
}
