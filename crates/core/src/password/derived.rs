//! Imported hashes made with a function for deriving keys: PBKDF2 (RFC 8018) and scrypt (RFC 7914).

use super::foreign::{Check, base64, number};
use crate::crypto::equal;
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use std::num::NonZeroU32;

/// The most rounds of an imported PBKDF2 hash, those of all its blocks taken together.
const MAX_PBKDF2_ROUNDS: u32 = 1_000_000;

/// How the parts of a PBKDF2 digest are written, and what is inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pbkdf2Form {
    Sha1,
    Sha256,
    Sha256Django,
    Sha512,
    Sha512Hex,
}

/// A PBKDF2 hash that was read.
pub(super) struct Pbkdf2 {
    algorithm: pbkdf2::Algorithm,
    rounds: NonZeroU32,
    blocks: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Reads `<name>$<rounds>$<salt>$<hash>`; the SHA-1 form may have the hash's length in bytes at its end.
pub(super) fn pbkdf2(form: Pbkdf2Form, text: &str) -> Option<Pbkdf2> {
    let (name, algorithm, block) = match form {
        Pbkdf2Form::Sha1 => ("pbkdf2_sha1", pbkdf2::PBKDF2_HMAC_SHA1, 20),
        Pbkdf2Form::Sha256 | Pbkdf2Form::Sha256Django => ("pbkdf2_sha256", pbkdf2::PBKDF2_HMAC_SHA256, 32),
        Pbkdf2Form::Sha512 => ("pbkdf2_sha512", pbkdf2::PBKDF2_HMAC_SHA512, 64),
        Pbkdf2Form::Sha512Hex => ("pbkdf2_sha512_hex", pbkdf2::PBKDF2_HMAC_SHA512, 64),
    };
    let parts: Vec<&str> = text.strip_prefix(name)?.strip_prefix('$')?.split('$').collect();
    let (rounds, salt, hash, length) = match parts.as_slice() {
        [rounds, salt, hash] => (rounds, salt, hash, None),
        [rounds, salt, hash, length] if form == Pbkdf2Form::Sha1 => (rounds, salt, hash, Some(number(length)?)),
        _ => return None,
    };
    let salt = match form {
        Pbkdf2Form::Sha1 => hex::decode(salt).unwrap_or_else(|_| salt.as_bytes().to_vec()),
        Pbkdf2Form::Sha256 => base64(salt)?,
        Pbkdf2Form::Sha512Hex => hex::decode(salt).ok()?,
        Pbkdf2Form::Sha256Django | Pbkdf2Form::Sha512 => salt.as_bytes().to_vec(),
    };
    let hash = match form {
        Pbkdf2Form::Sha256 | Pbkdf2Form::Sha256Django => base64(hash)?,
        _ => hex::decode(hash).ok()?,
    };
    let size = u32::try_from(hash.len()).ok().filter(|size| (16..=64).contains(size) && length.is_none_or(|length| length == *size))?;
    let blocks = size.div_ceil(block);
    let rounds = NonZeroU32::new(number(rounds)?).filter(|n| n.get() <= MAX_PBKDF2_ROUNDS / blocks)?;
    (!salt.is_empty()).then_some(Pbkdf2 { algorithm, rounds, blocks, salt, hash })
}

impl Check for Pbkdf2 {
    fn matches(&self, password: &[u8]) -> bool {
        let mut out = vec![0; self.hash.len()];
        pbkdf2::derive(self.algorithm, self.rounds, &self.salt, password, &mut out);
        equal(&out, &self.hash)
    }

    fn is_cheap(&self) -> bool {
        self.rounds.get() * self.blocks < 100_000
    }
}

/// The most memory of an imported scrypt hash, and the most that it may go through with all its lanes, in KiB.
const MAX_SCRYPT_KIB: (u64, u64) = (128 * 1024, 256 * 1024);

/// What scrypt costs.
struct ScryptCost {
    log_n: u8,
    r: u32,
    p: u32,
}

impl ScryptCost {
    fn new(log_n: u8, r: u32, p: u32) -> Option<Self> {
        let cost = Self { log_n, r, p };
        let sane = (1..=20).contains(&log_n) && (1..=64).contains(&r) && (1..=16).contains(&p);
        (sane && cost.kib() <= MAX_SCRYPT_KIB.0 && cost.kib() * u64::from(p) <= MAX_SCRYPT_KIB.1).then_some(cost)
    }

    /// 128 bytes times N times r.
    fn kib(&self) -> u64 {
        ((u64::from(self.r) << self.log_n) / 8).max(1)
    }

    fn derive(&self, password: &[u8], salt: &[u8], out: &mut [u8]) -> bool {
        scrypt::Params::new(self.log_n, self.r, self.p).is_ok_and(|params| scrypt::scrypt(password, salt, &params, out).is_ok())
    }

    fn memory_kib(&self) -> u32 {
        u32::try_from(self.kib()).unwrap_or(u32::MAX)
    }

    fn is_cheap(&self) -> bool {
        self.kib() * u64::from(self.p) < 8 * 1024
    }
}

/// A hash of Python's Werkzeug.
pub(super) struct Werkzeug {
    cost: ScryptCost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Reads `scrypt:<N>:<r>:<p>$<salt>$<hash>`, with a `$` before it or not.
pub(super) fn werkzeug(text: &str) -> Option<Werkzeug> {
    let parts: Vec<&str> = text.strip_prefix('$').unwrap_or(text).split('$').collect();
    let [method, salt, hash] = parts.as_slice() else { return None };
    let mut costs = method.strip_prefix("scrypt:")?.split(':').map(number);
    let (n, r, p) = (costs.next()??, costs.next()??, costs.next()??);
    // All 64 bytes in hexadecimal are 128 characters, which base64 would read as well.
    let hash = hex::decode(hash).ok().or_else(|| base64(hash))?;
    let complete = costs.next().is_none() && n.is_power_of_two() && !salt.is_empty() && (16..=64).contains(&hash.len());
    let cost = ScryptCost::new(u8::try_from(n.trailing_zeros()).ok()?, r, p)?;
    complete.then(|| Werkzeug { cost, salt: salt.as_bytes().to_vec(), hash })
}

impl Check for Werkzeug {
    fn matches(&self, password: &[u8]) -> bool {
        let mut out = vec![0; self.hash.len()];
        self.cost.derive(password, &self.salt, &mut out) && equal(&out, &self.hash)
    }

    fn memory_kib(&self) -> u32 {
        self.cost.memory_kib()
    }

    fn is_cheap(&self) -> bool {
        self.cost.is_cheap()
    }
}

/// A hash of Firebase: the key that scrypt gives encrypts the project's signer key.
pub(super) struct Firebase {
    cost: ScryptCost,
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    hash: Vec<u8>,
}

/// Reads `<hash>$<salt>$<signer key>$<salt separator>$<rounds>$<memory cost>`.
pub(super) fn firebase(text: &str) -> Option<Firebase> {
    let parts: Vec<&str> = text.split('$').collect();
    let [hash, salt, signer_key, separator, rounds, memory] = parts.as_slice() else { return None };
    let (hash, mut salt, signer_key) = (base64(hash)?, base64(salt)?, base64(signer_key)?);
    let complete = !salt.is_empty() && hash.len() >= 16 && hash.len() == signer_key.len();
    salt.extend(base64(separator)?);
    let cost = ScryptCost::new(u8::try_from(number(memory)?).ok()?, number(rounds)?, 1)?;
    complete.then_some(Firebase { cost, salt, signer_key, hash })
}

impl Firebase {
    fn compute(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut key = [0; 32];
        self.cost.derive(password, &self.salt, &mut key).then_some(())?;
        let mut out = self.signer_key.clone();
        // The counter starts at zero for every user; each has another key.
        let start = EncryptionContext::Iv128(FixedLength::from([0; 16]));
        let cipher = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, &key).ok()?).ok()?;
        cipher.less_safe_encrypt(&mut out, start).ok()?;
        Some(out)
    }
}

impl Check for Firebase {
    fn matches(&self, password: &[u8]) -> bool {
        self.compute(password).is_some_and(|out| equal(&out, &self.hash))
    }

    fn memory_kib(&self) -> u32 {
        self.cost.memory_kib()
    }

    fn is_cheap(&self) -> bool {
        self.cost.is_cheap()
    }
}
