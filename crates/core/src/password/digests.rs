//! Imported hashes that are a digest or many of them: all of them too cheap to keep longer than to the next sign-in.

use super::foreign::{Check, base64, number};
use crate::crypto::equal;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::hmac;
use md5::{Digest as _, Md5};

/// The digest function.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Md5,
    Sha1,
    Sha256,
}

impl Kind {
    fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(data).to_vec(),
            Self::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, data).as_ref().to_vec(),
            Self::Sha256 => digest(&SHA256, data).as_ref().to_vec(),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn parse_hex(self, text: &str) -> Option<Vec<u8>> {
        hex::decode(text).ok().filter(|hash| hash.len() == self.len())
    }
}

/// One digest of password and salt.
pub(super) struct Simple {
    kind: Kind,
    hash: Vec<u8>,
    salt: Vec<u8>,
    /// Whether the salt may also stand before the password.
    either_side: bool,
}

/// Reads a digest in hexadecimal, made without a salt.
pub(super) fn plain(kind: Kind, text: &str) -> Option<Simple> {
    Some(Simple { kind, hash: kind.parse_hex(text)?, salt: Vec::new(), either_side: false })
}

/// Reads `<salt>$<digest in hexadecimal>`.
pub(super) fn salted(kind: Kind, text: &str) -> Option<Simple> {
    let (salt, hash) = text.rsplit_once('$')?;
    // Nothing says on which side of the password the salt stood, and both are common.
    let read = Simple { kind, hash: kind.parse_hex(hash)?, salt: salt.as_bytes().to_vec(), either_side: true };
    (!salt.is_empty()).then_some(read)
}

/// Reads `{SSHA}` and the base64 of the SHA-1 and the salt behind it.
pub(super) fn ssha(text: &str) -> Option<Simple> {
    let raw = base64(text.strip_prefix("{SSHA}")?)?;
    let (hash, salt) = raw.split_at_checked(Kind::Sha1.len())?;
    let read = Simple { kind: Kind::Sha1, hash: hash.to_vec(), salt: salt.to_vec(), either_side: false };
    (!salt.is_empty()).then_some(read)
}

impl Check for Simple {
    fn matches(&self, password: &[u8]) -> bool {
        let after = equal(&self.kind.of(&[password, &self.salt].concat()), &self.hash);
        let before = self.either_side && equal(&self.kind.of(&[&self.salt, password].concat()), &self.hash);
        after || before
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

/// An HMAC of the password in UTF-16, little-endian, as applications on .NET made them.
pub(super) struct HmacUtf16 {
    hash: Vec<u8>,
    keys: Vec<Vec<u8>>,
}

impl HmacUtf16 {
    /// Reads `hmac_sha256_utf16_b64$<hash>$<key>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hash, key) = text.strip_prefix("hmac_sha256_utf16_b64$")?.split_once('$')?;
        let hash = base64(hash).filter(|hash| hash.len() == Kind::Sha256.len())?;
        // Nothing says how the key is written: it may be base64, or text in either encoding.
        let mut keys = vec![key.as_bytes().to_vec(), utf16(key)];
        keys.extend(base64(key));
        (!key.is_empty()).then_some(Self { hash, keys })
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Check for HmacUtf16 {
    fn matches(&self, password: &[u8]) -> bool {
        // Passwords arrive as text; anything else was never hashed so.
        let Ok(password) = std::str::from_utf8(password) else { return false };
        let message = utf16(password);
        let tag = |key: &Vec<u8>| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message);
        self.keys.iter().fold(false, |found, key| equal(tag(key).as_ref(), &self.hash) | found)
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

/// The "portable" hashes of PHP applications: MD5 some thousand times.
pub(super) struct Phpass {
    rounds: u32,
    salt: [u8; 8],
    checksum: String,
    md5_first: bool,
}

/// The digits of base 64 as Unix passwords have them.
const ITOA64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The logarithm of the rounds. WordPress has 13; 17 takes as long as some hundred milliseconds for the longest password.
const PHPASS_COSTS: std::ops::RangeInclusive<usize> = 7..=17;

impl Phpass {
    /// Reads `$P$` or `$H$`, one digit for the logarithm of the rounds, 8 characters of salt, 22 of checksum.
    pub(super) fn parse(text: &str, md5_first: bool) -> Option<Self> {
        let rest = text.strip_prefix("$P$").or_else(|| text.strip_prefix("$H$"))?.as_bytes();
        if rest.len() != 31 || !rest.iter().all(|b| ITOA64.contains(b)) {
            return None;
        }
        let cost = ITOA64.iter().position(|b| *b == rest[0]).filter(|cost| PHPASS_COSTS.contains(cost))?;
        let checksum = String::from_utf8(rest[9..].to_vec()).ok()?;
        Some(Self { rounds: 1 << cost, salt: rest[1..9].try_into().ok()?, checksum, md5_first })
    }
}

impl Check for Phpass {
    fn matches(&self, password: &[u8]) -> bool {
        let hexed = self.md5_first.then(|| hex::encode(Md5::digest(password)));
        let password = hexed.as_deref().map_or(password, str::as_bytes);
        let mut hash = Md5::new().chain_update(self.salt).chain_update(password).finalize();
        for _ in 0..self.rounds {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize();
        }
        equal(encode64(&hash).as_bytes(), self.checksum.as_bytes())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

/// Three bytes, least significant first, as four digits; what is left over as few as it takes.
fn encode64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let value = chunk.iter().rev().fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        out.extend((0..=chunk.len()).map(|place| char::from(ITOA64[value >> (6 * place) & 63])));
    }
    out
}

/// The former hasher of the Symfony framework, in its SHA-512 form.
pub(super) struct Symfony {
    rounds: u32,
    salt: String,
    hash: Vec<u8>,
}

/// Symfony's own default is 5,000; this many take about a second for the longest password.
const MAX_SYMFONY_ROUNDS: u32 = 100_000;

impl Symfony {
    /// Reads `sha512_symfony$<rounds>$<salt>$<hash in base64>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (rounds, rest) = text.strip_prefix("sha512_symfony$")?.split_once('$')?;
        let (salt, hash) = rest.rsplit_once('$')?;
        let rounds = number(rounds).filter(|n| (1..=MAX_SYMFONY_ROUNDS).contains(n))?;
        let hash = base64(hash).filter(|hash| hash.len() == 64)?;
        // Braces stand around the salt, so there are none in it.
        (!salt.is_empty() && !salt.contains(['{', '}'])).then(|| Self { rounds, salt: salt.to_owned(), hash })
    }
}

impl Check for Symfony {
    fn matches(&self, password: &[u8]) -> bool {
        let salted = [password, b"{", self.salt.as_bytes(), b"}"].concat();
        let mut hash = digest(&SHA512, &salted);
        for _ in 1..self.rounds {
            hash = digest(&SHA512, &[hash.as_ref(), &salted].concat());
        }
        equal(hash.as_ref(), &self.hash)
    }

    fn is_cheap(&self) -> bool {
        self.rounds < 50_000
    }
}
