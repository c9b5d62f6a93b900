use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::sync::{Arc, Mutex, PoisonError};

/// The source of randomness. Cloning shares the source.
#[derive(Clone)]
pub struct Rng(Source);

#[derive(Clone)]
enum Source {
    #[cfg(feature = "os")]
    System,
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Rng {
    /// The operating system's generator.
    #[cfg(feature = "os")]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A generator that repeats itself for the same `seed`: for tests only.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))))
    }

    /// Fills `buf`. A system that cannot give randomness cannot run an identity server: that is a panic.
    #[cfg_attr(feature = "os", allow(clippy::disallowed_methods, clippy::expect_used, reason = "the one place that may ask the system"))]
    pub fn fill(&self, buf: &mut [u8]) {
        match &self.0 {
            #[cfg(feature = "os")]
            Source::System => getrandom::fill(buf).expect("the operating system gives randomness"),
            Source::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buf),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut buf = [0; N];
        self.fill(&mut buf);
        buf
    }

    /// `len` characters of the 62 letters and digits: 5.95 bits each.
    pub fn alphanumeric(&self, len: usize) -> String {
        const SET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        self.pick(SET, len)
    }

    /// `len` decimal digits, evenly distributed.
    pub fn digits(&self, len: usize) -> String {
        self.pick(b"0123456789", len)
    }

    fn pick(&self, set: &[u8], len: usize) -> String {
        // Bytes past the largest multiple of the set's size would favour its first members.
        let limit = 256 - 256 % set.len();
        let mut out = String::with_capacity(len);
        while out.len() < len {
            for b in self.bytes::<32>() {
                if usize::from(b) < limit && out.len() < len {
                    out.push(char::from(set[usize::from(b) % set.len()]));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn a_seed_repeats_itself_and_digits_are_digits() {
        assert_eq!(Rng::seeded(7).alphanumeric(40), Rng::seeded(7).alphanumeric(40));
        assert_ne!(Rng::seeded(7).alphanumeric(40), Rng::seeded(8).alphanumeric(40));
        let digits = Rng::seeded(1).digits(6);
        assert_eq!(digits.len(), 6);
        assert!(digits.bytes().all(|b| b.is_ascii_digit()));
    }
}
