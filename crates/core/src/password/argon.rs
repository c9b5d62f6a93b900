//! Argon2 (RFC 9106) in the PHC string format.

use super::foreign::{Check, base64, number};
use super::{MEMORY_KIB, PASSES};
use crate::crypto::equal;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::sync::{Mutex, PoisonError};

/// The most that an imported hash may cost: memory in KiB, passes over it, lanes.
const MAX: (u32, u32, u32) = (128 * 1024, 10, 16);

/// A hash that was read.
pub(super) struct Argon {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Memory that hashes have used and the next ones will. Given back to the allocator it would be kept once for every thread
/// that ever hashed, hundreds of megabytes; here there is as much as hashes ran side by side.
static USED: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
/// How many pieces are kept at most, and none that is larger than a hash of ours needs.
const KEPT: usize = 64;

/// Computes a hash into `out`. False when the parameters do not allow it.
fn compute(hasher: &Argon2<'_>, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
    let needed = hasher.params().block_count();
    let used = || USED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut blocks = used().pop().unwrap_or_default();
    if blocks.len() < needed {
        blocks.resize(needed, Block::default());
    }
    let done = hasher.hash_password_into_with_memory(password, salt, out, &mut blocks[..needed]).is_ok();
    if blocks.len() <= MEMORY_KIB as usize && used().len() < KEPT {
        used().push(blocks);
    }
    done
}

/// One of our own hashes as a PHC string. None when the memory could not be had.
pub(super) fn ours(password: &[u8], salt: &[u8; 16]) -> Option<String> {
    let mut out = [0; 32];
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(out.len())).ok()?;
    compute(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params), password, salt, &mut out).then_some(())?;
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(out));
    Some(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${salt}${hash}"))
}

/// Reads `$<name>$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`. The version may be 16, which is also meant when it is
/// missing. Keys and associated data are not known here.
pub(super) fn parse(name: &str, text: &str) -> Option<Argon> {
    let algorithm = if name == "argon2i" { Algorithm::Argon2i } else { Algorithm::Argon2id };
    let mut parts = text.strip_prefix('$')?.strip_prefix(name)?.strip_prefix('$')?.split('$').peekable();
    let version = match parts.next_if(|part| part.starts_with("v=")) {
        Some("v=19") => Version::V0x13,
        Some("v=16") | None => Version::V0x10,
        Some(_) => return None,
    };
    let mut costs = parts.next()?.split(',');
    let mut cost = |key: &str, most: u32| costs.next()?.strip_prefix(key).and_then(number).filter(|n| (1..=most).contains(n));
    let (memory, passes, lanes) = (cost("m=", MAX.0)?, cost("t=", MAX.1)?, cost("p=", MAX.2)?);
    let (salt, hash) = (base64(parts.next()?)?, base64(parts.next()?)?);
    let complete = costs.next().is_none() && parts.next().is_none() && (8..=64).contains(&salt.len()) && (16..=64).contains(&hash.len());
    let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
    complete.then_some(Argon { algorithm, version, params, salt, hash })
}

impl Check for Argon {
    fn matches(&self, password: &[u8]) -> bool {
        let mut out = vec![0; self.hash.len()];
        let hasher = Argon2::new(self.algorithm, self.version, self.params.clone());
        compute(&hasher, password, &self.salt, &mut out) && equal(&out, &self.hash)
    }

    fn memory_kib(&self) -> u32 {
        self.params.m_cost()
    }

    fn is_cheap(&self) -> bool {
        u64::from(self.params.m_cost()) * u64::from(self.params.t_cost()) < u64::from(MEMORY_KIB * PASSES)
    }

    fn is_ours(&self) -> bool {
        // A stronger hash is replaced as well: unknown users must take as long as known ones.
        let same_cost = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost()) == (MEMORY_KIB, PASSES, 1);
        same_cost
            && self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.salt.len() >= 16
            && self.hash.len() >= 32
    }
}
