//! Fills a database with users, many rows to a statement.

use doorward_base::{Clock, IdentificationId, InstanceId, Rng, Timestamp, UserId};
use doorward_store::users::search;
use doorward_store::{Db, Sql};

/// Rows of one statement: SQLite takes 32,766 values.
const ROWS: usize = 500;
/// Rows of one transaction.
const BATCH: usize = 10_000;
/// Ids that are kept, to be read later.
const KEPT: usize = 1_000;

/// A user with an address, as far as they differ from others.
struct One {
    id: UserId,
    email_id: IdentificationId,
    email: String,
    name: String,
    at: Timestamp,
}

/// Users whose id and address are known, spread over all.
pub(crate) struct Known {
    pub(crate) ids: Vec<String>,
    pub(crate) emails: Vec<String>,
    /// When the newest user was made.
    pub(crate) newest: Timestamp,
}

/// Adds so many users, one a second until now, and makes them searchable.
pub(crate) async fn fill(db: &Db, instance: &InstanceId, count: usize) -> anyhow::Result<Known> {
    let (rng, now) = (Rng::system(), Clock::system().now());
    let mut known = Known { ids: Vec::new(), emails: Vec::new(), newest: now };
    let mut done = 0;
    while done < count {
        let mut tx = db.begin().await?;
        let end = count.min(done + BATCH);
        while done < end {
            let rows: Vec<One> = (done..end.min(done + ROWS)).map(|n| one(&rng, now - ((count - n) as i64) * 1000)).collect();
            done += rows.len();
            if known.ids.len() * count < done * KEPT
                && let Some(row) = rows.get(rng.bytes::<1>().map(usize::from)[0] % rows.len())
            {
                known.ids.push(row.id.as_str().to_owned());
                known.emails.push(row.email.clone());
            }
            tx.exec(users(instance, &rows)).await?;
            tx.exec(emails(instance, &rows)).await?;
        }
        tx.commit().await?;
    }
    search::fill(db, instance).await?;
    Ok(known)
}

fn one(rng: &Rng, at: Timestamp) -> One {
    let name = rng.alphanumeric(12).to_ascii_lowercase();
    One { id: UserId::new(at, rng), email_id: IdentificationId::new(at, rng), email: format!("{name}@example.com"), name, at }
}

fn users(instance: &InstanceId, rows: &[One]) -> Sql {
    let text =
        "INSERT INTO users (instance_id, id, primary_email_address_id, primary_email_key, first_name, last_name, created_at, updated_at,
        public_metadata, private_metadata, unsafe_metadata, banned, failed_attempts, delete_self_enabled, create_organization_enabled,
        bypass_client_trust) VALUES ";
    let mut sql = Sql::new(text).bind(instance);
    for (n, row) in rows.iter().enumerate() {
        let id = sql.value(&row.id);
        let (email_id, email) = (sql.value(&row.email_id), sql.value(row.email.as_str()));
        let (name, at) = (sql.value(row.name.as_str()), sql.value(row.at));
        let comma = if n == 0 { "" } else { ", " };
        let rest = "'{}', '{}', '{}', FALSE, 0, TRUE, TRUE, FALSE";
        sql.push(&format!("{comma}($1, ${id}, ${email_id}, ${email}, ${name}, ${name}, ${at}, ${at}, {rest})"));
    }
    sql
}

fn emails(instance: &InstanceId, rows: &[One]) -> Sql {
    let text = "INSERT INTO email_addresses (instance_id, id, user_id, address, address_key, created_at, updated_at, verified_at, verified, strategy) VALUES ";
    let mut sql = Sql::new(text).bind(instance);
    for (n, row) in rows.iter().enumerate() {
        let (id, user_id) = (sql.value(&row.email_id), sql.value(&row.id));
        let (email, at) = (sql.value(row.email.as_str()), sql.value(row.at));
        let comma = if n == 0 { "" } else { ", " };
        sql.push(&format!("{comma}($1, ${id}, ${user_id}, ${email}, ${email}, ${at}, ${at}, ${at}, TRUE, 'admin')"));
    }
    sql
}
