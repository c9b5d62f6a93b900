//! A whole instance moves to another server or database: all of it that lasts, with the same ids.
//!
//! What travels is text, one JSON object a line: a header, a line for each row, and an end with the number of rows of each
//! table, so that a file that was cut off is known by it. Sealed values travel open, for the other server has another master
//! key: whoever has the file has the instance.

mod export;
mod import;

pub use export::export;
pub use import::{Import, Imported};

use crate::instance::{secret_key_context, signing_key_context};
use crate::jwt_templates::{id_of, key_context};
use crate::oauth;
use crate::settings::Settings;
use crate::two_factor;
use crate::webhooks;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use doorward_base::*;
use doorward_store::moving::{Column, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What the first line names itself.
const FORMAT: &str = "doorward-instance-1";

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    /// The schema of the database that it comes from.
    schema: i64,
    instance: InstanceId,
    /// Opens with the master key that it comes from: backup codes are hashed under that key.
    master_key_check: String,
    exported_at: Timestamp,
}

/// Every other line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    /// A row of a table, by its columns.
    Row { table: String, values: Map<String, Json> },
    /// The last line: the number of rows of each table.
    End { rows: BTreeMap<String, u64> },
}

/// For what the value of a column is sealed; none for a column that is not.
fn sealed_for(instance: &InstanceId, table: &str, column: &str, id: impl Fn(&str) -> String) -> Option<String> {
    match (table, column) {
        ("signing_keys", "sealed") => Some(signing_key_context(instance, &id("kid"))),
        ("secret_keys", "sealed") => Some(secret_key_context(instance, id("id"))),
        ("webhook_endpoints", "secret" | "old_secret") => Some(webhooks::secret_context(instance, id("id"))),
        ("external_accounts", "tokens") => Some(oauth::tokens_context(id("id"))),
        ("oauth_secrets", "sealed") => Some(oauth::secret_context(instance, &id("provider"))),
        ("totps", "sealed") => Some(two_factor::context(id("id"))),
        _ => None,
    }
}

/// Whether a column's values are sealed with the master key, and known to be.
pub fn is_sealed(table: &str, column: &str) -> bool {
    sealed_for(&InstanceId::default(), table, column, |_| String::new()).is_some()
}

/// The text of a column of a row.
fn text<'r>(values: &'r Map<String, Json>, column: &str) -> &'r str {
    values.get(column).and_then(Json::as_str).unwrap_or_default()
}

/// Changes the sealed values that are inside an instance's settings.
fn in_settings(instance: &InstanceId, settings: &str, change: impl Fn(&str, &str) -> Result<String, String>) -> Result<String, String> {
    let mut settings: Settings = serde_json::from_str(settings).map_err(|error| format!("settings: {error}"))?;
    for (name, template) in &mut settings.jwt_templates {
        let context = key_context(instance, &id_of(instance, name, template));
        if let Some(key) = &mut template.signing_key {
            *key = change(&context, key)?;
        }
    }
    serde_json::to_string(&settings).map_err(|error| error.to_string())
}

fn unfit(column: &Column) -> String {
    format!("{} does not hold what is expected", column.name)
}

/// A value as it travels.
fn to_json(value: doorward_store::db::Value) -> Json {
    use doorward_store::db::Value;
    match value {
        Value::Text(text) => text.into(),
        Value::Int(number) => number.into(),
        Value::Flag(flag) => flag.into(),
        Value::Bytes(bytes) => BASE64.encode(bytes).into(),
    }
}

/// A value as it is kept.
fn from_json(column: &Column, value: Json) -> Result<doorward_store::db::Value, String> {
    use doorward_store::db::Value;
    match (column.kind, value) {
        (Kind::Text, Json::String(text)) => Ok(Value::Text(Some(text))),
        (Kind::Text, Json::Null) => Ok(Value::Text(None)),
        (Kind::Int, Json::Null) => Ok(Value::Int(None)),
        (Kind::Int, Json::Number(number)) => number.as_i64().map(|n| Value::Int(Some(n))).ok_or_else(|| unfit(column)),
        (Kind::Flag, Json::Bool(flag)) => Ok(Value::Flag(flag)),
        (Kind::Bytes, Json::String(text)) => BASE64.decode(text).map(Value::Bytes).map_err(|_| unfit(column)),
        _ => Err(unfit(column)),
    }
}
