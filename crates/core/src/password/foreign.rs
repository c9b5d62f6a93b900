//! Hashes from other systems. They are kept as `<hasher>:<digest>`, verified as they are, and replaced by one of ours at
//! the first sign-in. What a hash may cost to verify is bounded when it is imported and again when it is verified.

use super::{MEMORY_KIB, PASSES, Verdict, same};
use aws_lc_rs::pbkdf2;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use doorward_base::*;
use std::num::NonZeroU32;

/// The most memory that an imported argon2 hash may ask for, in KiB.
const MAX_ARGON2_MEMORY_KIB: u32 = 128 * 1024;
const MAX_ARGON2_PASSES: u32 = 10;
const MAX_ARGON2_LANES: u32 = 16;
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
const MAX_PBKDF2_ROUNDS: u32 = 1_000_000;

/// The hashers whose digests can be imported, by their names on the wire.
const HASHERS: &[&str] = &["argon2i", "argon2id", "bcrypt", "pbkdf2_sha1", "pbkdf2_sha256", "pbkdf2_sha256_django", "pbkdf2_sha512", "sha256", "sha256_salted"];

/// A digest that was read.
enum Digest {
    Argon2 { algorithm: argon2::Algorithm, memory: u32, passes: u32, lanes: u32, salt: Vec<u8>, hash: Vec<u8> },
    Bcrypt(String),
    Pbkdf2 { algorithm: pbkdf2::Algorithm, rounds: NonZeroU32, salt: Vec<u8>, hash: Vec<u8> },
    Sha256 { salt: Vec<u8>, hash: Vec<u8> },
}

/// Checks a digest from another system and gives the form in which it is kept.
///
/// # Errors
/// `form_param_value_invalid` for a hasher that is not known here, `form_password_digest_invalid_code` for a digest that is
/// not one of that hasher, has no salt where there must be one, or costs too much to verify.
pub fn import(hasher: &str, digest: &str) -> Result<String, ApiError> {
    if !HASHERS.contains(&hasher) {
        let long = format!("password_hasher must be one of {}.", HASHERS.join(", "));
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("password_hasher").long(long));
    }
    parse(hasher, digest).ok_or_else(|| ApiError::new(codes::FORM_PASSWORD_DIGEST_INVALID).param("password_digest"))?;
    Ok(format!("{hasher}:{digest}"))
}

fn parse(hasher: &str, digest: &str) -> Option<Digest> {
    let read = match hasher {
        "argon2i" | "argon2id" => parse_argon2(hasher, digest)?,
        "bcrypt" => {
            let parts: bcrypt::HashParts = digest.parse().ok()?;
            BCRYPT_COSTS.contains(&parts.get_cost()).then(|| Digest::Bcrypt(digest.to_owned()))?
        }
        "pbkdf2_sha1" => parse_pbkdf2(digest, pbkdf2::PBKDF2_HMAC_SHA1)?,
        "pbkdf2_sha256" => parse_pbkdf2(digest, pbkdf2::PBKDF2_HMAC_SHA256)?,
        "pbkdf2_sha512" => parse_pbkdf2(digest, pbkdf2::PBKDF2_HMAC_SHA512)?,
        "pbkdf2_sha256_django" => {
            let mut parts = digest.split('$');
            let (name, rounds, salt, hash) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            if name != "pbkdf2_sha256" || parts.next().is_some() {
                return None;
            }
            pbkdf2_of(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt.as_bytes().to_vec(), STANDARD.decode(hash).ok()?)?
        }
        "sha256" => Digest::Sha256 { salt: Vec::new(), hash: hex::decode(digest).ok()? },
        "sha256_salted" => {
            let (hash, salt) = digest.split_once('$')?;
            (!salt.is_empty()).then_some(())?;
            Digest::Sha256 { salt: salt.as_bytes().to_vec(), hash: hex::decode(hash).ok()? }
        }
        _ => return None,
    };
    let complete = match &read {
        Digest::Argon2 { salt, hash, .. } => salt.len() >= 8 && hash.len() >= 16,
        Digest::Pbkdf2 { salt, hash, .. } => !salt.is_empty() && hash.len() >= 16,
        Digest::Sha256 { hash, .. } => hash.len() == 32,
        Digest::Bcrypt(_) => true,
    };
    complete.then_some(read)
}

/// `$argon2id$v=19$m=..,t=..,p=..$salt$hash`.
fn parse_argon2(name: &str, digest: &str) -> Option<Digest> {
    let mut parts = digest.strip_prefix('$')?.split('$');
    if parts.next()? != name || parts.next()? != "v=19" {
        return None;
    }
    let mut costs = parts.next()?.split(',');
    let mut cost = |key: &str| costs.next()?.strip_prefix(key)?.parse::<u32>().ok();
    let (memory, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
    let (salt, hash) = (STANDARD_NO_PAD.decode(parts.next()?).ok()?, STANDARD_NO_PAD.decode(parts.next()?).ok()?);
    let bounded = memory <= MAX_ARGON2_MEMORY_KIB && passes <= MAX_ARGON2_PASSES && lanes <= MAX_ARGON2_LANES && hash.len() <= 64;
    let algorithm = if name == "argon2i" { argon2::Algorithm::Argon2i } else { argon2::Algorithm::Argon2id };
    (bounded && parts.next().is_none()).then_some(Digest::Argon2 { algorithm, memory, passes, lanes, salt, hash })
}

/// `pbkdf2_<hash>$<rounds>$<salt>$<hash>` with salt and hash in hexadecimal or base64.
fn parse_pbkdf2(digest: &str, algorithm: pbkdf2::Algorithm) -> Option<Digest> {
    let parts: Vec<&str> = digest.trim_start_matches('$').split('$').collect();
    let [.., rounds, salt, hash] = parts.as_slice() else { return None };
    let decode = |text: &str| hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok()).or_else(|| STANDARD_NO_PAD.decode(text).ok());
    let rounds = rounds.trim_start_matches("i=").split(',').next()?;
    pbkdf2_of(algorithm, rounds, decode(salt)?, decode(hash)?)
}

fn pbkdf2_of(algorithm: pbkdf2::Algorithm, rounds: &str, salt: Vec<u8>, hash: Vec<u8>) -> Option<Digest> {
    let rounds = rounds.parse::<u32>().ok().filter(|n| *n <= MAX_PBKDF2_ROUNDS).and_then(NonZeroU32::new)?;
    (hash.len() <= 64).then_some(Digest::Pbkdf2 { algorithm, rounds, salt, hash })
}

/// Checks a password against a kept hash: one of ours, or an imported one.
pub(super) fn verify(password: &[u8], kept: &str) -> Verdict {
    let (hasher, digest) = if kept.starts_with("$argon2id$") { ("argon2id", kept) } else { kept.split_once(':').unwrap_or_default() };
    let Some(read) = parse(hasher, digest) else { return Verdict { matched: false, needs_rehash: false } };
    let current = matches!(&read, Digest::Argon2 { algorithm: argon2::Algorithm::Argon2id, memory: MEMORY_KIB, passes: PASSES, lanes: 1, .. });
    Verdict { matched: matches(password, &read), needs_rehash: !current }
}

fn matches(password: &[u8], read: &Digest) -> bool {
    match read {
        Digest::Argon2 { algorithm, memory, passes, lanes, salt, hash } => {
            let Ok(params) = argon2::Params::new(*memory, *passes, *lanes, Some(hash.len())) else { return false };
            let mut out = vec![0; hash.len()];
            let done = argon2::Argon2::new(*algorithm, argon2::Version::V0x13, params).hash_password_into(password, salt, &mut out);
            done.is_ok() && same(&out, hash)
        }
        Digest::Bcrypt(digest) => bcrypt::verify(password, digest).unwrap_or(false),
        Digest::Pbkdf2 { algorithm, rounds, salt, hash } => {
            let mut out = vec![0; hash.len()];
            pbkdf2::derive(*algorithm, *rounds, salt, password, &mut out);
            same(&out, hash)
        }
        Digest::Sha256 { salt, hash } => same(digest::digest(&digest::SHA256, &[salt.as_slice(), password].concat()).as_ref(), hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hasher: &str, digest: &str, password: &str) -> bool {
        let kept = import(hasher, digest).unwrap();
        assert!(!verify(b"something else", &kept).matched);
        let verdict = verify(password.as_bytes(), &kept);
        assert!(verdict.needs_rehash);
        verdict.matched
    }

    #[test]
    fn known_digests_fit_their_passwords() {
        // RFC 6070 and RFC 7914 give the PBKDF2 answers, the bcrypt one is from the crate's own documents.
        assert!(check("pbkdf2_sha1", "pbkdf2_sha1$4096$73616c74$4b007901b765489abead49d926f721d065a429c1", "password"));
        assert!(check("sha256", "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8", "password"));
        assert!(check("bcrypt", &bcrypt::hash("password", 4).unwrap(), "password"));
    }

    #[test]
    fn fault_127_a_digest_that_costs_too_much_is_refused() {
        let salt = "c29tZXNhbHRzb21l";
        let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        for (hasher, digest) in [
            ("argon2id", format!("$argon2id$v=19$m=4194304,t=2,p=1${salt}${hash}")),
            ("argon2id", format!("$argon2id$v=19$m=19456,t=1000,p=1${salt}${hash}")),
            ("bcrypt", "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuabcdefghijklm".to_owned()),
            ("pbkdf2_sha256", format!("pbkdf2_sha256$1000000000$73616c74${}", "00".repeat(32))),
        ] {
            assert_eq!(import(hasher, &digest).unwrap_err().code().code, "form_password_digest_invalid_code", "{digest}");
            assert!(!verify(b"x", &format!("{hasher}:{digest}")).matched);
        }
    }

    #[test]
    fn fault_129_empty_digests_and_salts_are_refused() {
        for (hasher, digest) in [
            ("argon2id", ""), ("bcrypt", ""), ("sha256", ""), ("sha256_salted", "$"), ("pbkdf2_sha256", "$$$"),
            ("pbkdf2_sha256_django", "pbkdf2_sha256$1000$$AAAA"),
        ] {
            assert!(import(hasher, digest).is_err(), "{hasher} {digest:?}");
        }
        assert_eq!(import("rot13", "x").unwrap_err().meta().param_name.as_deref(), Some("password_hasher"));
    }
}
