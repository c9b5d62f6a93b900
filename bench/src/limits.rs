//! What the cryptography alone costs, on this machine, in this run.

use anyhow::Context as _;
use doorward_base::{Rng, Secret};
use doorward_core::keys::{SigningKey, generate_signing_key};
use doorward_core::password::Passwords;

/// Processor time of one operation, in microseconds.
pub(crate) struct Raw {
    pub(crate) signature_us: f64,
    pub(crate) argon2id_us: f64,
}

/// Processor time of this process so far, in microseconds.
fn cpu_us() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds: f64 = text.split_whitespace().next().and_then(|n| n.parse().ok()).context("/proc/self/schedstat")?;
    Ok(nanoseconds / 1000.0)
}

/// Measures while nothing else runs in this process.
pub(crate) fn measure() -> anyhow::Result<Raw> {
    let key = SigningKey::from_pkcs8("bench".to_owned(), &generate_signing_key().context("a signing key")?).context("a signing key")?;
    let message = vec![b'x'; 500];
    let signature_us = each(2_000, || key.sign(&message).is_ok())?;
    let pool = Passwords::new(1, 8);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let (password, rng) = (Secret::from("a password for measuring"), Rng::system());
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                let before = crate::process::cpu_us("self")?;
                let hashed = (0..60).all(|_| runtime.block_on(pool.hash(&password, &rng)).is_ok());
                anyhow::ensure!(hashed, "argon2id failed");
                Ok(Raw { signature_us, argon2id_us: (crate::process::cpu_us("self")? - before) / 60.0 })
            })
            .join()
            .map_err(|_| anyhow::anyhow!("the measuring thread panicked"))?
    })
}

fn each(count: u32, work: impl Fn() -> bool) -> anyhow::Result<f64> {
    anyhow::ensure!((0..count / 10).all(|_| work()), "a signature failed");
    let before = cpu_us()?;
    anyhow::ensure!((0..count).all(|_| work()), "a signature failed");
    Ok((cpu_us()? - before) / f64::from(count))
}
