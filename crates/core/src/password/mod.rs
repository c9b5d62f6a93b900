//! Passwords: argon2id for everything that is hashed here, on a pool that bounds both time and memory; hashes from
//! elsewhere are verified and then replaced.

pub mod foreign;
pub mod policy;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as B64;
use doorward_base::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Memory of one hash, in KiB (OWASP Password Storage Cheat Sheet: 19 MiB with two passes).
pub const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// The most bytes that a password may have: more cannot be typed, and hashing them costs.
pub const MAX_BYTES: usize = 4096;

/// The hashing pool. Its memory is at most `workers` times 19 MiB. Cloning shares it.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the password.
    pub matched: bool,
    /// Its hash came from elsewhere or has older parameters: it should be replaced by one of ours.
    pub needs_rehash: bool,
}

/// Leaves the queue however the wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Passwords {
    /// A pool that hashes `workers` passwords at once while at most `queue` others wait.
    pub fn new(workers: usize, queue: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(workers.max(1))), waiting: Arc::default(), queue }
    }

    /// A pool for a machine: one worker a core, and a queue that takes about two seconds to drain.
    pub fn default_for(cores: usize) -> Self {
        Self::new(cores, cores * 80)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.queue + self.permits.available_permits() {
            drop(Waiting(&self.waiting));
            return Err(ApiError::new(codes::SERVER_BUSY).retry_after(1));
        }
        let waiting = Waiting(&self.waiting);
        let permit = self.permits.clone().acquire_owned().await.map_err(ApiError::internal)?;
        drop(waiting);
        // The permit goes along: a caller that hangs up does not make room while its hash still holds memory.
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(ApiError::internal)
    }

    /// Hashes a password, as a PHC string.
    ///
    /// # Errors
    /// `form_password_size_in_bytes_exceeded`, `server_busy` when the queue is full.
    pub async fn hash(&self, password: &Secret, rng: &Rng) -> Result<String, ApiError> {
        if password.expose().len() > MAX_BYTES {
            return Err(ApiError::new(codes::FORM_PASSWORD_SIZE).param("password"));
        }
        let (password, salt) = (password.clone(), rng.bytes::<16>());
        self.run(move || argon2id(password.expose().as_bytes(), &salt)).await?.ok_or_else(|| ApiError::internal("argon2id failed"))
    }

    /// Checks a password against a hash. Without a hash the same work is done and nothing matches, so that the time
    /// does not tell whether there is one. An imported hash takes its own time, until the first sign-in replaces it.
    ///
    /// # Errors
    /// `server_busy` when the queue is full.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verdict, ApiError> {
        const NO: Verdict = Verdict { matched: false, needs_rehash: false };
        let too_long = password.expose().len() > MAX_BYTES;
        let password = if too_long { Secret::default() } else { password.clone() };
        let hash = hash.filter(|_| !too_long && !password.is_empty()).map(str::to_owned);
        self.run(move || match hash {
            None => {
                let _ = argon2id(password.expose().as_bytes(), &[0; 16]);
                NO
            }
            Some(hash) => foreign::verify(password.expose().as_bytes(), &hash),
        })
        .await
    }
}

fn argon2id(password: &[u8], salt: &[u8; 16]) -> Option<String> {
    let params = argon2::Params::new(MEMORY_KIB, PASSES, 1, Some(32)).ok()?;
    let mut out = [0; 32];
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params).hash_password_into(password, salt, &mut out).ok()?;
    Some(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}", B64.encode(salt), B64.encode(out)))
}

/// Compares two digests in constant time.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let pool = Passwords::new(2, 8);
        let hash = pool.hash(&"correct horse".into(), &Rng::seeded(1)).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verdict = pool.verify(&"correct horse".into(), Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict { matched: true, needs_rehash: false });
        assert!(!pool.verify(&"correct horsf".into(), Some(&hash)).await.unwrap().matched);
        assert!(!pool.verify(&"correct horse".into(), None).await.unwrap().matched);
    }

    #[tokio::test]
    async fn fault_128_long_passwords_are_neither_cut_nor_hashed() {
        let pool = Passwords::new(2, 8);
        let (a, b) = ("x".repeat(80), format!("{}y", "x".repeat(79)));
        let hash = pool.hash(&a.as_str().into(), &Rng::seeded(1)).await.unwrap();
        assert!(!pool.verify(&b.as_str().into(), Some(&hash)).await.unwrap().matched);
        let huge = "x".repeat(MAX_BYTES + 1);
        assert_eq!(pool.hash(&huge.as_str().into(), &Rng::seeded(1)).await.unwrap_err().status(), 422);
        assert!(!pool.verify(&huge.as_str().into(), Some(&hash)).await.unwrap().matched);
    }

    #[tokio::test]
    async fn fault_131_more_hashes_than_the_pool_holds_are_refused_and_the_rest_wait() {
        let pool = Passwords::new(1, 3);
        let tasks: Vec<_> = (0..20).map(|_| { let pool = pool.clone(); tokio::spawn(async move { pool.verify(&"x".into(), None).await }) }).collect();
        let mut refused = 0;
        for task in tasks {
            refused += usize::from(task.await.unwrap().is_err());
        }
        assert!((16..20).contains(&refused), "one works, three wait, {refused} were refused");
        assert!(pool.verify(&"x".into(), None).await.is_ok(), "and there is room again");
    }
}
