//! Passwords: argon2id for everything that is hashed here, on a pool that bounds time and memory; hashes from elsewhere
//! are verified as they are and then replaced.
//!
//! What is hashed is the password's UTF-8 as it was sent, without normalization: the hashes that are imported were made
//! so, and a person whose keyboard composes characters differently gets the same bytes from the same keyboard.

mod accept;
mod argon;
pub mod breached;
mod derived;
mod digests;
pub mod foreign;
pub mod policy;
mod strength;

pub use accept::accept;
pub(crate) use accept::refuse_breached_at_sign_in;

use doorward_base::*;
use foreign::Check;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory of one hash, in KiB (OWASP Password Storage Cheat Sheet: 19 MiB with two passes).
pub const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const PASSES: u32 = 2;
/// The most bytes that a password may have: more cannot be typed, and hashing them costs.
pub const MAX_BYTES: usize = 4096;

/// The hashing pool. Cloning shares it.
///
/// Its memory is at most `workers` times 19 MiB, or that of one imported hash (128 MiB) where this is more: a hash that
/// needs several times the memory takes as many places.
#[derive(Clone)]
pub struct Passwords {
    places: Arc<Semaphore>,
    room: Arc<Semaphore>,
    workers: u32,
    breached: Option<Arc<breached::Source>>,
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the password.
    pub matched: bool,
    /// It is, and its hash came from elsewhere or has other parameters than ours: it should be replaced.
    pub needs_rehash: bool,
}

const NO: Verdict = Verdict { matched: false, needs_rehash: false };

impl Passwords {
    /// A pool that hashes `workers` passwords at once (1 at least, 1024 at most) while `queue` others wait.
    pub fn new(workers: usize, queue: usize) -> Self {
        let workers = u32::try_from(workers.clamp(1, 1024)).unwrap_or(1);
        let room = (workers as usize).saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(workers as usize)), room: Arc::new(Semaphore::new(room)), workers, breached: None }
    }

    /// A pool for a machine: one worker a core, and a queue that takes about two seconds to drain.
    pub fn default_for(cores: usize) -> Self {
        Self::new(cores, cores.max(1).saturating_mul(80))
    }

    /// Looks breached passwords up there.
    #[must_use]
    pub fn with_breached(self, source: breached::Source) -> Self {
        Self { breached: Some(Arc::new(source)), ..self }
    }

    /// Where breached passwords are looked up.
    fn breached(&self) -> Option<&breached::Source> {
        self.breached.as_deref()
    }

    /// Estimates how hard a password is to guess, for who knows the application's name.
    async fn strength(&self, password: &Secret, application: &str) -> Result<strength::Strength, ApiError> {
        let (password, application) = (password.clone(), application.to_owned());
        self.run(0, move || strength::estimate(password.expose(), &[&application])).await
    }

    /// Hashes a password with argon2id and gives the PHC string, `$argon2id$v=19$m=..,t=..,p=1$<salt>$<hash>`.
    ///
    /// # Errors
    /// `form_password_length_too_short` for the empty password, `form_password_size_in_bytes_exceeded` for more than
    /// [`MAX_BYTES`], `server_busy` with the time to wait when the queue is full.
    pub async fn hash(&self, password: &Secret, rng: &Rng) -> Result<String, ApiError> {
        if password.is_empty() {
            return Err(ApiError::new(codes::FORM_PASSWORD_TOO_SHORT).param("password"));
        }
        refuse_huge(password)?;
        let (password, salt) = (password.clone(), rng.bytes::<16>());
        let done = self.run(MEMORY_KIB, move || argon::ours(password.expose().as_bytes(), &salt)).await?;
        done.ok_or_else(|| ApiError::internal("argon2id failed"))
    }

    /// Checks a password against a kept hash: one of ours, or one that [`foreign::import`] accepted.
    ///
    /// Without a hash (no such user, or a user without a password) the work of one hash of ours is done and nothing
    /// matches, so that the time does not tell. The same goes for a hash that cannot be read. A wrong password for an
    /// imported hash that is cheaper than ours costs a hash of ours on top, so that only the difference of the cheap one
    /// shows; an imported hash that is slower than ours does show by its own time, until the first sign-in replaces it.
    ///
    /// # Errors
    /// `form_password_size_in_bytes_exceeded` for more than [`MAX_BYTES`], whoever the user is; `server_busy` with the
    /// time to wait when the queue is full.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<Verdict, ApiError> {
        refuse_huge(password)?;
        if password.is_empty() {
            return Ok(NO);
        }
        let kept = hash.and_then(foreign::read);
        if hash.is_some() && kept.is_none() {
            tracing::error!("a kept password hash cannot be read, or costs more than is allowed: its user needs a new password");
        }
        let memory = kept.as_ref().map_or(0, |kept| kept.memory_kib()).max(MEMORY_KIB);
        let password = password.clone();
        self.run(memory, move || judge(password.expose().as_bytes(), kept.as_deref())).await
    }

    /// Does `work` that needs `memory_kib` on a blocking thread, when there is a place for it.
    async fn run<T: Send + 'static>(&self, memory_kib: u32, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            return Err(ApiError::new(codes::SERVER_BUSY).retry_after(1));
        };
        let places = memory_kib.div_ceil(MEMORY_KIB).clamp(1, self.workers);
        let permit = self.places.clone().acquire_many_owned(places).await.map_err(ApiError::internal)?;
        // The permits go along: a caller that hangs up does not make room while its hash still holds memory.
        let held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (room, permit);
        let done = tokio::task::spawn_blocking(move || {
            let _held = held;
            work()
        });
        done.await.map_err(ApiError::internal)
    }
}

/// Refused for everybody alike and before any work, so it tells nothing about the user.
fn refuse_huge(password: &Secret) -> Result<(), ApiError> {
    if password.expose().len() > MAX_BYTES { Err(ApiError::new(codes::FORM_PASSWORD_SIZE).param("password")) } else { Ok(()) }
}

fn judge(password: &[u8], kept: Option<&dyn Check>) -> Verdict {
    let matched = kept.is_some_and(|kept| kept.matches(password));
    if !matched && kept.is_none_or(Check::is_cheap) {
        // The outcome does not matter, the time does.
        let _ = std::hint::black_box(argon::ours(password, &[0; 16]));
    }
    Verdict { matched, needs_rehash: matched && kept.is_some_and(|kept| !kept.is_ours()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    async fn check(pool: &Passwords, password: &str, hash: &str) -> Verdict {
        pool.verify(&password.into(), Some(hash)).await.unwrap()
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let pool = Passwords::new(2, 8);
        let hash = pool.hash(&"correct horse".into(), &Rng::seeded(1)).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(check(&pool, "correct horse", &hash).await, Verdict { matched: true, needs_rehash: false });
        assert_eq!(check(&pool, "correct horsf", &hash).await, NO);
        assert_eq!(pool.verify(&"correct horse".into(), None).await.unwrap(), NO);
        assert_eq!(check(&pool, "correct horse", "no hash at all").await, NO);
    }

    #[tokio::test]
    async fn the_salt_comes_from_the_rng() {
        let pool = Passwords::new(2, 8);
        let rng = Rng::seeded(1);
        let first = pool.hash(&"correct horse".into(), &rng).await.unwrap();
        assert_ne!(first, pool.hash(&"correct horse".into(), &rng).await.unwrap());
        assert_eq!(first, pool.hash(&"correct horse".into(), &Rng::seeded(1)).await.unwrap());
    }

    #[tokio::test]
    async fn hashes_with_other_parameters_and_imported_ones_are_to_be_replaced() {
        let pool = Passwords::new(2, 8);
        let weaker = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let replaced = Verdict { matched: true, needs_rehash: true };
        assert_eq!(check(&pool, "password", weaker).await, replaced);
        let imported = foreign::import("sha256", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8").unwrap();
        assert_eq!(check(&pool, "password", &imported).await, replaced);
        assert_eq!(check(&pool, "passwort", &imported).await, NO);
    }

    #[tokio::test]
    async fn fault_128_long_passwords_are_neither_cut_nor_hashed() {
        let pool = Passwords::new(2, 8);
        let (a, b) = ("x".repeat(80), format!("{}y", "x".repeat(79)));
        let hash = pool.hash(&a.as_str().into(), &Rng::seeded(1)).await.unwrap();
        assert!(!check(&pool, &b, &hash).await.matched);
        let nul = pool.hash(&"abc\0def".into(), &Rng::seeded(1)).await.unwrap();
        assert!(check(&pool, "abc\0def", &nul).await.matched);
        assert!(!check(&pool, "abc", &nul).await.matched && !check(&pool, "abc\0xyz", &nul).await.matched);
        let huge = Secret::new("x".repeat(MAX_BYTES + 1));
        for refused in [
            pool.hash(&huge, &Rng::seeded(1)).await.err(),
            pool.verify(&huge, Some(&hash)).await.err(),
            pool.verify(&huge, None).await.err(),
        ] {
            assert_eq!(refused.unwrap().code().code, "form_password_size_in_bytes_exceeded");
        }
        let most = Secret::new("x".repeat(MAX_BYTES));
        let hash = pool.hash(&most, &Rng::seeded(1)).await.unwrap();
        assert!(pool.verify(&most, Some(&hash)).await.unwrap().matched);
    }

    #[tokio::test]
    async fn fault_129_the_empty_password_is_never_taken() {
        let pool = Passwords::new(1, 8);
        assert_eq!(pool.hash(&"".into(), &Rng::seeded(1)).await.unwrap_err().code().code, "form_password_length_too_short");
        let of_nothing = foreign::import("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert_eq!(check(&pool, "", &of_nothing).await, NO);
        assert_eq!(pool.verify(&"".into(), None).await.unwrap(), NO);
    }

    #[tokio::test]
    async fn fault_131_at_most_so_many_hashes_run_and_wait_at_once() {
        let pool = Passwords::new(3, 5);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut gates = Vec::new();
        let mut tasks = Vec::new();
        for _ in 0..200 {
            let (gate, wait) = mpsc::channel::<()>();
            let (pool, running, most) = (pool.clone(), running.clone(), most.clone());
            gates.push(gate);
            tasks.push(tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let _ = wait.recv();
                    running.fetch_sub(1, Ordering::SeqCst);
                };
                pool.run(MEMORY_KIB, work).await
            }));
        }
        while tasks.iter().filter(|task| task.is_finished()).count() < 192 || running.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
        drop(gates);
        let mut refused = 0;
        for task in tasks {
            if let Err(error) = task.await.unwrap() {
                assert_eq!((error.code().code, error.retry_after_seconds()), ("server_busy", Some(1)));
                refused += 1;
            }
        }
        assert_eq!((refused, most.load(Ordering::SeqCst)), (192, 3));
        assert_eq!((pool.places.available_permits(), pool.room.available_permits()), (3, 8));
    }

    #[tokio::test]
    async fn fault_131_a_hash_that_needs_more_memory_takes_more_places() {
        let pool = Passwords::new(4, 5);
        let free = |pool: &Passwords, memory| {
            let (pool, places) = (pool.clone(), pool.places.clone());
            async move { pool.run(memory, move || places.available_permits()).await.unwrap() }
        };
        assert_eq!(free(&pool, 0).await, 3);
        assert_eq!(free(&pool, MEMORY_KIB).await, 3);
        assert_eq!(free(&pool, 2 * MEMORY_KIB).await, 2);
        assert_eq!(free(&pool, 128 * 1024).await, 0);
        assert_eq!(free(&Passwords::new(1, 0), 128 * 1024).await, 0);
    }

    #[tokio::test]
    async fn fault_131_a_caller_that_hangs_up_does_not_free_the_place_of_its_hash() {
        let pool = Passwords::new(1, 0);
        let (gate, wait) = mpsc::channel::<()>();
        let (began, begun) = tokio::sync::oneshot::channel();
        let work = move || {
            let _ = began.send(());
            let _ = wait.recv();
        };
        let task = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(MEMORY_KIB, work).await }
        });
        begun.await.unwrap();
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(pool.verify(&"x".into(), None).await.unwrap_err().status(), 503);
        drop(gate);
        while pool.room.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(pool.verify(&"x".into(), None).await.is_ok());
    }
}
