//! What of a user could not be taken along: it is counted, so that nothing is lost without a word.

use super::import::ImportedUser;
use doorward_store::users::UserWithEmails;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of a user that say what other fields make of them, or what passes by itself.
const DERIVED: [&str; 6] =
    ["object", "image_url", "profile_image_url", "two_factor_enabled", "lockout_expires_in_seconds", "verification_attempts_remaining"];

/// How many of what could not be taken along, by the names of the wire where there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PassedOver(BTreeMap<String, u64>);

impl PassedOver {
    /// Counts some more of something.
    pub fn add(&mut self, what: &str, more: u64) {
        if more > 0 {
            *self.0.entry(what.to_owned()).or_default() += more;
        }
    }

    /// Counts a field that nobody reads, unless it is empty. A name that is none goes no further: it is shown on terminals.
    pub fn field(&mut self, name: &str, value: &Value) {
        let plain = name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        self.add(if plain { name } else { "other" }, amount(value));
    }

    /// Counts what somebody else counted.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, more)| self.add(what, *more));
    }

    /// What it counts, in words; none when there is nothing.
    pub fn words(&self) -> Option<String> {
        let parts: Vec<String> = self.0.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

fn amount(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(false) => 0,
        Value::Array(all) => all.len() as u64,
        Value::Object(all) => u64::from(!all.is_empty()),
        Value::String(text) => u64::from(!text.is_empty()),
        Value::Bool(true) | Value::Number(_) => 1,
    }
}

/// What a row says the user has and does not bring, or brings and nobody here can keep.
pub(super) fn of_row(row: &ImportedUser) -> PassedOver {
    let mut out = PassedOver::default();
    let none = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    let codes = row.backup_codes.as_deref().unwrap_or_default();
    for (what, has, lost) in [
        ("passwords", row.password_enabled, none(&row.password_digest)),
        ("totp_secrets", row.totp_enabled, none(&row.totp_secret)),
        ("backup_codes", row.backup_code_enabled, codes.is_empty()),
        ("pictures", row.has_image, true),
    ] {
        out.add(what, u64::from(has == Some(true) && lost));
    }
    row.other.iter().filter(|(name, _)| !DERIVED.contains(&name.as_str())).for_each(|(name, value)| out.field(name, value));
    out
}

/// What a user has that no export of users brings along.
pub(super) fn of_user(it: &UserWithEmails) -> PassedOver {
    let mut out = PassedOver::default();
    out.add("pictures", u64::from(it.user.image_id.is_some()));
    out.add("passkeys", it.passkeys.len() as u64);
    out.add("provider_tokens", it.external_accounts.iter().filter(|it| it.tokens.is_some()).count() as u64);
    out
}
