use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds since the Unix epoch: the unit of every time on the wire and in the database, but for the claims of a
/// token, which are seconds (RFC 7519, section 2).
pub type Timestamp = i64;

/// The source of "now". Cloning shares the source.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "os")]
    System,
    Frozen(Arc<AtomicI64>),
}

impl Clock {
    /// The operating system's clock.
    #[cfg(feature = "os")]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `at` until [`Clock::advance`] or [`Clock::set`] moves it.
    pub fn frozen(at: Timestamp) -> Self {
        Self(Source::Frozen(Arc::new(AtomicI64::new(at))))
    }

    /// The present, in milliseconds since the epoch.
    #[cfg_attr(feature = "os", allow(clippy::disallowed_methods, reason = "the one place that may ask the system"))]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            #[cfg(feature = "os")]
            Source::System => std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
            Source::Frozen(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Whether the clock stands still unless it is moved.
    pub fn is_frozen(&self) -> bool {
        matches!(self.0, Source::Frozen(_))
    }

    /// Moves a frozen clock by `ms`; a system clock stays as it is.
    pub fn advance(&self, ms: i64) {
        match &self.0 {
            #[cfg(feature = "os")]
            Source::System => {}
            Source::Frozen(at) => {
                at.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Sets a frozen clock; a system clock stays as it is.
    pub fn set(&self, at_ms: Timestamp) {
        match &self.0 {
            #[cfg(feature = "os")]
            Source::System => {}
            Source::Frozen(at) => at.store(at_ms, Ordering::SeqCst),
        }
    }
}
