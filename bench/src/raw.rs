//! What the cryptography alone costs, on this machine, in this run: measured again beside every figure that it is
//! compared with, because a shared machine is not equally fast all the time; and on all cores at once, because that is
//! how the server works and cores share caches, memory and heat.

use anyhow::{Context as _, ensure};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use doorward_core::keys::{SigningKey, generate_signing_key};
use doorward_core::password::{MEMORY_KIB, PASSES};

/// The bytes of a session token's header and claims, about.
const MESSAGE: usize = 500;

/// Signing and hashing with nothing around them.
pub(crate) struct Raw {
    key: SigningKey,
    argon: Argon2<'static>,
}

impl Raw {
    /// With a key of its own and the server's parameters.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let key = SigningKey::from_pkcs8("bench".to_owned(), &generate_signing_key()?)?;
        let params = Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|e| anyhow::anyhow!("{e}"))?;
        Ok(Self { key, argon: Argon2::new(Algorithm::Argon2id, Version::V0x13, params) })
    }

    /// Processor time of one RSA-2048 PKCS #1 v1.5 signature with SHA-256 (aws-lc), in microseconds.
    pub(crate) fn signature_us(&self) -> anyhow::Result<f64> {
        let message = [b'x'; MESSAGE];
        on_all_cores(|| each(100, 1_500, || self.key.sign(&message).is_ok()))
    }

    /// Processor time of one argon2id hash (m=19456, t=2, p=1) in memory that is there already, in microseconds.
    pub(crate) fn argon2id_us(&self) -> anyhow::Result<f64> {
        on_all_cores(|| {
            let (mut out, mut memory) = ([0; 32], vec![Block::default(); self.argon.params().block_count()]);
            let password = b"a password for measuring";
            each(2, 25, || self.argon.hash_password_into_with_memory(password, &[7; 16], &mut out, &mut memory).is_ok())
        })
    }
}

/// The mean of what `work` finds on as many threads as there are cores, at the same time.
fn on_all_cores(work: impl Fn() -> anyhow::Result<f64> + Sync) -> anyhow::Result<f64> {
    let cores = std::thread::available_parallelism()?.get();
    let found: Vec<anyhow::Result<f64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(&work)).collect();
        threads.into_iter().map(|it| it.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread failed")))).collect()
    });
    let found = found.into_iter().collect::<anyhow::Result<Vec<f64>>>()?;
    Ok(found.iter().sum::<f64>() / cores as f64)
}

/// Processor time of one call on this thread, in microseconds.
fn each(warm_up: u32, count: u32, mut work: impl FnMut() -> bool) -> anyhow::Result<f64> {
    ensure!((0..warm_up).all(|_| work()), "the raw operation failed");
    let before = thread_cpu_us()?;
    ensure!((0..count).all(|_| work()), "the raw operation failed");
    Ok((thread_cpu_us()? - before) / f64::from(count))
}

/// Processor time of this thread so far, to the nanosecond.
fn thread_cpu_us() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().and_then(|n| n.parse().ok()).context("/proc/thread-self/schedstat")?;
    Ok(nanoseconds / 1000.0)
}
