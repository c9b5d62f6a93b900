//! Pictures that users chose, as they are served.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A picture as it is kept.
#[derive(Clone, Debug)]
pub struct ImageRecord {
    /// Its id, which is its public address too.
    pub id: ImageId,
    /// Whose it is.
    pub user_id: UserId,
    /// The name of the file that was uploaded.
    pub name: String,
    /// What `bytes` are.
    pub content_type: String,
    /// The picture.
    pub bytes: Vec<u8>,
    /// When it was uploaded.
    pub created_at: Timestamp,
}

fn image(row: &Row) -> Result<ImageRecord, StoreError> {
    Ok(ImageRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        name: row.text("name")?,
        content_type: row.text("content_type")?,
        bytes: row.bytes("bytes")?,
        created_at: row.int("created_at")?,
    })
}

/// The picture of an id.
pub async fn get(db: &Db, instance: &InstanceId, id: &ImageId) -> Result<Option<ImageRecord>, StoreError> {
    db.opt(sql!("SELECT * FROM images WHERE instance_id = $1 AND id = $2", instance, id)).await?.as_ref().map(image).transpose()
}

/// Makes a picture its user's only one. False when the user is gone.
///
/// The user's row comes first: it lets one of several uploads pass at a time, so that none is left that nobody shows.
pub async fn replace(tx: &mut Tx, instance: &InstanceId, it: &ImageRecord) -> Result<bool, StoreError> {
    if !crate::users::set_image(tx, instance, &it.user_id, Some(&it.id), it.created_at).await? {
        return Ok(false);
    }
    delete_of(tx, instance, &it.user_id).await?;
    let text = "INSERT INTO images (instance_id, id, user_id, name, content_type, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let sql = sql!(text, instance, &it.id, &it.user_id, &it.name, &it.content_type, it.bytes.as_slice(), it.created_at);
    tx.exec(sql).await.map(|_| true)
}

/// Takes a user's picture away. False when there is none.
pub async fn remove(tx: &mut Tx, instance: &InstanceId, user: &UserId, now: Timestamp) -> Result<bool, StoreError> {
    if !crate::users::set_image(tx, instance, user, None, now).await? {
        return Ok(false);
    }
    delete_of(tx, instance, user).await
}

async fn delete_of(tx: &mut Tx, instance: &InstanceId, user: &UserId) -> Result<bool, StoreError> {
    Ok(tx.exec(sql!("DELETE FROM images WHERE instance_id = $1 AND user_id = $2", instance, user)).await? > 0)
}
