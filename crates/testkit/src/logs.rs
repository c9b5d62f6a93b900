//! Everything that a test's server logs is kept, so that a test can look for what must never be in it.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Keep;

impl Write for Keep {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The noisiest level that an operator can set: what leaks at any level leaks here.
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).with_writer(|| Keep);
        let _ = subscriber.try_init();
    });
}

/// Fails when any of the secrets was logged, at any level; and when nothing was logged at all.
#[track_caller]
pub fn canary(secrets: &[&str]) {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let text = String::from_utf8_lossy(&lines);
    assert!(text.contains("doorward::request"), "requests are logged");
    for secret in secrets {
        assert!(secret.len() >= 6, "{secret:?} is too short to look for");
        assert!(!text.contains(secret), "{secret:?} was logged");
    }
}
