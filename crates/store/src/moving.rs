//! Whole instances, table by table: what a move to another server or database reads and writes. What the columns hold is
//! `core`'s business.

use crate::db::{Db, Dialect, Row, Sql, StoreError, Tx, Value};
use crate::sql;
use doorward_base::*;

/// A table whose rows go along when an instance moves.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The column that has the instance's id.
    pub instance: &'static str,
    /// What tells the rows of an instance apart, all of them text: pages are ordered by it.
    pub key: &'static [&'static str],
    /// Rows in a page.
    pub page: i64,
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, instance: "instance_id", key, page: 200 }
}

/// The tables that move, in the order in which they are written: as long as the last ones are missing nobody gets at the rest.
pub const MOVED: &[Table] = &[
    table("users", &["id"]),
    table("email_addresses", &["id"]),
    table("phone_numbers", &["id"]),
    table("web3_wallets", &["id"]),
    table("passkeys", &["id"]),
    table("trusted_devices", &["id"]),
    table("external_accounts", &["id"]),
    table("totps", &["user_id"]),
    table("backup_codes", &["user_id", "code_hash"]),
    Table { page: 10, ..table("images", &["id"]) },
    table("tickets", &["id"]),
    table("access_identifiers", &["id"]),
    table("invitations", &["id"]),
    table("waitlist_entries", &["id"]),
    table("redirect_urls", &["id"]),
    table("satellite_domains", &["id"]),
    table("webhook_apps", &["instance_id"]),
    table("webhook_endpoints", &["id"]),
    table("message_templates", &["channel", "slug"]),
    table("oauth_secrets", &["provider"]),
    table("signing_keys", &["kid"]),
    table("secret_keys", &["id"]),
    table("instance_hosts", &["host"]),
    Table { instance: "id", ..table("instances", &["id"]) },
];

/// The tables whose rows stay behind, each with the reason.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("schema_migrations", "of the database, not of an instance"),
    ("meta", "of the server, not of an instance"),
    ("clients", "browsers sign in anew"),
    ("sessions", "browsers sign in anew"),
    ("refresh_tokens", "they belong to sessions"),
    ("dev_browsers", "they belong to browsers"),
    ("sign_ins", "an attempt of minutes"),
    ("sign_ups", "an attempt of minutes"),
    ("verifications", "codes of minutes, hashed under the master key"),
    ("reverifications", "an attempt of minutes"),
    ("one_time_tokens", "good for minutes"),
    ("jobs", "the server that has them delivers them"),
    ("webhook_events", "the server that has them delivers them"),
    ("webhook_deliveries", "they belong to events"),
    ("webhook_attempts", "they belong to events"),
    ("inbox_messages", "mail of a development server"),
    ("user_texts", "made anew from the users"),
    ("user_terms", "made anew from the users"),
    ("user_counts", "made anew from the users"),
];

/// Whether a table makes an instance reachable.
pub fn is_last(table: &Table) -> bool {
    matches!(table.name, "secret_keys" | "instance_hosts" | "instances")
}

/// The table of a name that moves.
pub fn moved(name: &str) -> Option<&'static Table> {
    MOVED.iter().find(|table| table.name == name)
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, ids and JSON.
    Text,
    /// Counts and times.
    Int,
    /// Flags, which are never null.
    Flag,
    /// Bytes, which are never null.
    Bytes,
}

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// The columns of a table, by name.
pub async fn columns(db: &Db, table: &str) -> Result<Vec<Column>, StoreError> {
    let text = match db.dialect() {
        Dialect::Sqlite => "SELECT name, lower(type) AS kind FROM pragma_table_info($1) ORDER BY name",
        Dialect::Postgres => {
            "SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS kind FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY 1"
        }
    };
    let rows = db.all(sql!(text, table)).await?;
    let column = |row: &Row| {
        let (name, kind) = (row.text("name")?, row.text("kind")?);
        let kind = match kind.as_str() {
            "text" => Kind::Text,
            "bigint" => Kind::Int,
            "boolean" => Kind::Flag,
            "bytea" => Kind::Bytes,
            other => return Err(StoreError::Decode(format!("{table}.{name}"), format!("a column of type {other} cannot be moved"))),
        };
        Ok(Column { name, kind })
    };
    rows.iter().map(column).collect()
}

/// The next rows of an instance, each with its values in the order of `columns`. `after` is the key of the last row of the
/// page before.
pub async fn page(
    db: &Db,
    table: &Table,
    columns: &[Column],
    instance: &InstanceId,
    after: Option<&[String]>,
) -> Result<Vec<Vec<Value>>, StoreError> {
    let mut sql = sql!(format!("SELECT * FROM {} WHERE {} = $1", table.name, table.instance), instance);
    let key = table.key.join(", ");
    if let Some(after) = after {
        let numbers: Vec<String> = after.iter().map(|value| format!("${}", sql.value(value))).collect();
        sql.push(&format!(" AND ({key}) > ({})", numbers.join(", ")));
    }
    let limit = sql.value(table.page);
    sql.push(&format!(" ORDER BY {key} LIMIT ${limit}"));
    let value = |row: &Row, column: &Column| {
        let name = column.name.as_str();
        Ok(match column.kind {
            Kind::Text => Value::Text(row.opt_text(name)?),
            Kind::Int => Value::Int(row.opt_int(name)?),
            Kind::Flag => Value::Flag(row.flag(name)?),
            Kind::Bytes => Value::Bytes(row.bytes(name)?),
        })
    };
    db.all(sql).await?.iter().map(|row| columns.iter().map(|column| value(row, column)).collect()).collect()
}

/// Adds rows, their values in the order of `columns`. A statement takes 32,766 values at most on SQLite: a hundred rows fit.
///
/// # Errors
/// [`StoreError::Conflict`] when one is there already.
pub async fn insert(tx: &mut Tx, table: &Table, columns: &[Column], rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut sql = Sql::new(format!("INSERT INTO {} ({}) VALUES ", table.name, names.join(", ")));
    for (n, row) in rows.into_iter().enumerate() {
        let numbers: Vec<String> = row.into_iter().map(|value| format!("${}", sql.value(value))).collect();
        sql.push(&format!("{}({})", if n == 0 { "" } else { ", " }, numbers.join(", ")));
    }
    tx.exec(sql).await.map(|_| ())
}

/// Notes that a user's backup codes did not come along.
pub async fn without_backup_codes(tx: &mut Tx, instance: &InstanceId, user: &str) -> Result<(), StoreError> {
    let text = "UPDATE users SET backup_codes_enabled = FALSE WHERE instance_id = $1 AND id = $2";
    tx.exec(sql!(text, instance, user)).await.map(|_| ())
}

/// Removes some rows that a move which came to no end has left. Answers how many; none are left after 0.
pub async fn remove_some(db: &Db, table: &Table, instance: &InstanceId) -> Result<u64, StoreError> {
    let (name, own, key) = (table.name, table.instance, table.key.join(", "));
    let text = format!("DELETE FROM {name} WHERE {own} = $1 AND ({key}) IN (SELECT {key} FROM {name} WHERE {own} = $1 LIMIT 1000)");
    db.exec(sql!(text, instance)).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::DbOptions;
    use std::collections::BTreeSet;
    use std::time::Duration;

    /// Whoever adds a table decides whether it moves along. One that has sealed columns needs their contexts in
    /// `core::moving`, where another test asks for them.
    #[tokio::test]
    async fn every_table_moves_or_has_a_reason_to_stay() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("moving.db").display());
        let options = DbOptions { url, max_connections: 2, acquire_timeout: Duration::from_secs(30) };
        let db = Db::connect(&options, &Rng::seeded(1)).await.unwrap();
        crate::migrate(&db, 1).await.unwrap();
        let rows = db.all(sql!("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")).await.unwrap();
        let there: BTreeSet<String> = rows.iter().map(|row| row.text("name").unwrap()).collect();
        let named: Vec<String> = MOVED.iter().map(|it| it.name.to_owned()).chain(LEFT_OUT.iter().map(|it| it.0.to_owned())).collect();
        assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), there);
        assert_eq!(named.len(), there.len(), "none is named twice");
        assert!(LEFT_OUT.iter().all(|(_, reason)| !reason.is_empty()));
        for table in MOVED {
            let columns = columns(&db, table.name).await.unwrap();
            let kind = |name: &str| columns.iter().find(|it| it.name == name).map(|it| it.kind);
            assert!(table.key.iter().chain([&table.instance]).all(|name| kind(name) == Some(Kind::Text)), "{table:?}");
            assert!(columns.len() * 100 <= 32_766, "{table:?}");
        }
        assert!(MOVED.iter().skip_while(|it| !is_last(it)).all(is_last), "what makes an instance reachable comes last");
    }
}
