use super::{Config, ConfigError};
use serde::Deserialize as _;
use toml::{Table, Value};

/// What the text of a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Itself.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Texts with commas between them.
    List,
}

/// Every key: section, name, kind. A test holds it against the types.
pub const KEYS: &[(&str, &str, Kind)] = &[
    ("server", "listen", Kind::Text),
    ("server", "backend_listen", Kind::Text),
    ("server", "backend_path", Kind::Text),
    ("server", "trusted_proxies", Kind::List),
    ("server", "max_in_flight", Kind::Number),
    ("server", "max_connections", Kind::Number),
    ("server", "request_timeout_seconds", Kind::Number),
    ("server", "shutdown_grace_seconds", Kind::Number),
    ("server", "geoip_database", Kind::Text),
    ("database", "url", Kind::Text),
    ("database", "max_connections", Kind::Number),
    ("secrets", "master_key_file", Kind::Text),
    ("mail", "transport", Kind::Text),
    ("mail", "host", Kind::Text),
    ("mail", "port", Kind::Number),
    ("mail", "tls", Kind::Text),
    ("mail", "username", Kind::Text),
    ("mail", "password_file", Kind::Text),
    ("mail", "from", Kind::Text),
    ("sms", "transport", Kind::Text),
    ("sms", "url", Kind::Text),
    ("sms", "account_sid", Kind::Text),
    ("sms", "from", Kind::Text),
    ("sms", "whatsapp_from", Kind::Text),
    ("sms", "secret_file", Kind::Text),
    ("limits", "enabled", Kind::Flag),
    ("log", "format", Kind::Text),
    ("log", "level", Kind::Text),
    ("telemetry", "otlp_endpoint", Kind::Text),
    ("passwords", "workers", Kind::Number),
    ("passwords", "queue", Kind::Number),
    ("passwords", "breached_url", Kind::Text),
    ("passwords", "breached_timeout_ms", Kind::Number),
    ("passwords", "breached_list", Kind::Text),
    ("outbound", "allow_private_networks", Kind::Flag),
    ("sdk", "dir", Kind::Text),
];

/// Variables that are no keys of the file.
pub(crate) const MASTER_KEY: &str = "DOORWARD_MASTER_KEY";
pub(crate) const MAIL_PASSWORD: &str = "DOORWARD_MAIL_PASSWORD";
pub(crate) const SMS_SECRET: &str = "DOORWARD_SMS_SECRET";

const PREFIX: &str = "DOORWARD_";

/// The variable of a key: `DOORWARD_SERVER__LISTEN`.
pub fn variable(section: &str, key: &str) -> String {
    format!("{PREFIX}{}__{}", section.to_ascii_uppercase(), key.to_ascii_uppercase())
}

/// Puts the variables over a table. Answers warnings: names that begin like ours and are not.
pub(super) fn overlay(table: &mut Table, environment: &[(String, String)]) -> Result<Vec<String>, ConfigError> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for (name, text) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        match KEYS.iter().find(|(section, key, _)| variable(section, key) == *name) {
            Some((section, key, kind)) => match read(*kind, text).and_then(|value| fits(section, key, value)) {
                Ok(value) => put(table, section, key, value),
                Err(error) => errors.push(format!("{name}: {error}")),
            },
            None if name.contains("__") => errors.push(unknown(name)),
            None if name == MASTER_KEY || name == MAIL_PASSWORD => {}
            None => warnings.push(unknown(name)),
        }
    }
    if errors.is_empty() { Ok(warnings) } else { Err(ConfigError(errors)) }
}

fn unknown(name: &str) -> String {
    let plain = |text: &str| text.replace('_', "");
    let close = KEYS.iter().map(|(section, key, _)| variable(section, key)).find(|known| plain(known) == plain(name));
    match close {
        Some(known) => format!("{name}: no such variable; did you mean {known}?"),
        None => format!("{name}: no such variable"),
    }
}

fn read(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Text => Ok(Value::String(text.to_owned())),
        Kind::Number => text.trim().parse().map(Value::Integer).map_err(|_| "must be a whole number".to_owned()),
        Kind::Flag => text.trim().parse().map(Value::Boolean).map_err(|_| "must be true or false".to_owned()),
        Kind::List => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
        }
    }
}

/// Tries a value alone, so that an error can name its variable.
fn fits(section: &str, key: &str, value: Value) -> Result<Value, String> {
    let mut alone = Table::new();
    put(&mut alone, section, key, value.clone());
    Config::deserialize(Value::Table(alone)).map(|_| value).map_err(|e| e.message().to_owned())
}

fn put(table: &mut Table, section: &str, key: &str, value: Value) {
    let entry = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = entry {
        section.insert(key.to_owned(), value);
    }
}
