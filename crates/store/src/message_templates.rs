//! Templates of messages that instances put in the place of the server's own.

use crate::db::{Db, Row, StoreError, Tx};
use crate::sql;
use doorward_base::*;

/// A template as it is kept. What is null is the server's own.
#[derive(Clone, Debug, Default)]
pub struct TemplateRecord {
    /// `email` or `sms`.
    pub channel: String,
    /// Which message.
    pub slug: String,
    /// A name for people.
    pub name: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The markup of a mail, or the text of a text message.
    pub body: Option<String>,
    /// What the body was made from, in an editor.
    pub markup: Option<String>,
    /// What stands before the `@` of the sender's address.
    pub from_email_name: Option<String>,
    /// What stands before the `@` of the address that answers go to.
    pub reply_to_email_name: Option<String>,
    /// Whether the server delivers it.
    pub delivered: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

fn template(row: &Row) -> Result<TemplateRecord, StoreError> {
    Ok(TemplateRecord {
        channel: row.text("channel")?,
        slug: row.text("slug")?,
        name: row.opt_text("name")?,
        subject: row.opt_text("subject")?,
        body: row.opt_text("body")?,
        markup: row.opt_text("markup")?,
        from_email_name: row.opt_text("from_email_name")?,
        reply_to_email_name: row.opt_text("reply_to_email_name")?,
        delivered: row.flag("delivered")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

/// The template of a message, if the instance has one of its own.
pub async fn get(db: &Db, instance: &InstanceId, channel: &str, slug: &str) -> Result<Option<TemplateRecord>, StoreError> {
    let text = "SELECT * FROM message_templates WHERE instance_id = $1 AND channel = $2 AND slug = $3";
    db.opt(sql!(text, instance, channel, slug)).await?.as_ref().map(template).transpose()
}

/// All templates of an instance's own, for one way to travel.
pub async fn list(db: &Db, instance: &InstanceId, channel: &str) -> Result<Vec<TemplateRecord>, StoreError> {
    let text = "SELECT * FROM message_templates WHERE instance_id = $1 AND channel = $2";
    db.all(sql!(text, instance, channel)).await?.iter().map(template).collect()
}

/// Puts a template in the place of the one before.
pub async fn put(tx: &mut Tx, instance: &InstanceId, it: &TemplateRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO message_templates (instance_id, channel, slug, name, subject, body, delivered, created_at, updated_at, markup,
        from_email_name, reply_to_email_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (instance_id, channel, slug) DO UPDATE SET name = excluded.name, subject = excluded.subject, body = excluded.body,
        delivered = excluded.delivered, updated_at = excluded.updated_at, markup = excluded.markup,
        from_email_name = excluded.from_email_name, reply_to_email_name = excluded.reply_to_email_name";
    let sql = sql!(text, instance, &it.channel, &it.slug, &it.name, &it.subject, &it.body, it.delivered, it.created_at, it.updated_at);
    tx.exec(sql.bind(&it.markup).bind(&it.from_email_name).bind(&it.reply_to_email_name)).await.map(|_| ())
}
