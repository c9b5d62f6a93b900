use crate::changes::Change;
use crate::db::{Db, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// An event as it is kept.
#[derive(Clone, Debug)]
pub struct EventRecord {
    /// Its id: the same for every endpoint and every try.
    pub id: EventId,
    /// What happened, such as `user.created`.
    pub kind: String,
    /// To what it happened. Events of one object are told in their order.
    pub object_id: String,
    /// What is told, sealed.
    pub sealed: String,
    /// When it happened.
    pub created_at: Timestamp,
}

/// An endpoint, as far as whoever writes an event has to know it.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// The endpoint.
    pub id: EndpointId,
    /// The types of the events that it is told of, a JSON list; all when the list is empty.
    pub events: String,
    /// Whether it is left alone at present.
    pub paused: bool,
}

/// The endpoints of an instance that are not switched off.
pub async fn subscribers(tx: &mut Tx, instance: &InstanceId) -> Result<Vec<Subscriber>, StoreError> {
    let text = "SELECT id, events, paused_at FROM webhook_endpoints WHERE instance_id = $1 AND NOT disabled";
    let rows = tx.all(sql!(text, instance)).await?;
    let read =
        |row: &crate::Row| Ok(Subscriber { id: row.id("id")?, events: row.text("events")?, paused: row.opt_int("paused_at")?.is_some() });
    rows.iter().map(read).collect()
}

/// Adds an event after all others of its object, and answers its place among them. Whoever changed the object in the same
/// transaction holds its row, so that places are given in the order of the changes.
pub async fn insert_event(tx: &mut Tx, instance: &InstanceId, it: &EventRecord) -> Result<i64, StoreError> {
    let text = "INSERT INTO webhook_events (instance_id, id, type, object_id, seq, sealed, created_at)
        SELECT $1, $2, $3, $4, COALESCE(MAX(seq), 0) + 1, $5, $6 FROM webhook_events WHERE instance_id = $1 AND object_id = $4 RETURNING seq";
    let row = tx.opt(sql!(text, instance, &it.id, &it.kind, &it.object_id, &it.sealed, it.created_at)).await?;
    tx.note(instance, Change::EventWritten);
    row.ok_or_else(|| StoreError::Untold("the event was not written".to_owned()))?.int("seq")
}

/// Lets an event be told to an endpoint, at once. Nothing happens when it is on its way there already.
pub async fn insert_delivery(
    tx: &mut Tx,
    instance: &InstanceId,
    endpoint: &EndpointId,
    event: &EventRecord,
    seq: i64,
) -> Result<(), StoreError> {
    let text =
        "INSERT INTO webhook_deliveries (instance_id, endpoint_id, event_id, type, object_id, seq, status, attempts, next_at, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', 0, $7, $7)";
    tx.exec(sql!(text, instance, endpoint, &event.id, &event.kind, &event.object_id, seq, event.created_at)).await.map(|_| ())
}

/// The event of an id.
pub async fn event(db: &Db, instance: &InstanceId, id: &EventId) -> Result<Option<EventRecord>, StoreError> {
    let row = db.opt(sql!("SELECT * FROM webhook_events WHERE instance_id = $1 AND id = $2", instance, id)).await?;
    row.map(|row| {
        Ok(EventRecord {
            id: row.id("id")?,
            kind: row.text("type")?,
            object_id: row.text("object_id")?,
            sealed: row.text("sealed")?,
            created_at: row.int("created_at")?,
        })
    })
    .transpose()
}
