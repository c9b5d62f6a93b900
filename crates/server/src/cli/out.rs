//! What a command says: results on standard output, everything else on standard error.

use serde::Serialize;
use std::io::Write as _;

/// A line of the result. Whoever closed the other end, as `head` does, has read enough.
pub(super) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
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
