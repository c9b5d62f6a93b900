//! What a command says: results on standard output, everything else on standard error.

use serde::Serialize;
use std::io::Write as _;

/// A line of the result.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// The result as JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Something an operator should know. A closed terminal is no reason to stop.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Why a command failed.
pub(super) fn error(text: &str) {
    note(&format!("doorward: {text}"));
}
