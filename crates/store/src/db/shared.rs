use super::StoreError;
use doorward_base::Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What all connections to a database have in common.
pub(super) struct Shared {
    rng: Rng,
    disk_failed: AtomicBool,
}

impl Shared {
    pub(super) fn new(rng: Rng) -> Self {
        Self { rng, disk_failed: AtomicBool::new(false) }
    }

    /// How long what lost against another transaction waits before it is run again: the winner needs a moment, and those that
    /// lost together must not meet again. Between 5 and 15 ms before the second try, growing with the square of the tries.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        let part = u32::from(u16::from_le_bytes(self.rng.bytes()));
        let most_us = 15_000 * tries * tries;
        Duration::from_micros(u64::from(most_us / 3) + u64::from(most_us - most_us / 3) * u64::from(part) / u64::from(u16::MAX))
    }

    /// Takes note of what became of a write; `Ok(true)` when it changed something.
    pub(super) fn wrote(&self, done: Result<bool, &StoreError>) {
        match done {
            Ok(true) => self.disk_failed.store(false, Ordering::Relaxed),
            Err(StoreError::Disk(_)) => self.disk_failed.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    pub(super) fn refuses_writes(&self) -> bool {
        self.disk_failed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let shared = Shared::new(Rng::seeded(4));
        for tries in 1..=3 {
            let pauses: Vec<_> = (0..100).map(|_| shared.pause(tries)).collect();
            let (least, most) = (Duration::from_millis(5) * tries * tries, Duration::from_millis(15) * tries * tries);
            assert!(pauses.iter().all(|pause| (least..=most).contains(pause)), "{pauses:?}");
            let first = pauses[0];
            assert!(pauses.iter().filter(|pause| **pause == first).count() < 5, "{pauses:?}");
        }
    }
}
