//! Hashes from other systems. They are kept as `<hasher>:<digest>`, verified as they are, and replaced by one of ours at
//! the first sign-in. What a hash may cost is bounded when it is imported and again when it is verified.

use super::derived::{self, Pbkdf2Form};
use super::{argon, digests};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use doorward_base::*;

/// What a bcrypt hash may cost: the logarithm of its rounds.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=14;
/// The most bytes of a digest with all that belongs to it.
const MAX_DIGEST_BYTES: usize = 1024;

/// A hash that was read and found affordable.
pub(super) trait Check: Send {
    /// Whether the password is the one that was hashed.
    fn matches(&self, password: &[u8]) -> bool;

    /// The memory that it takes to find out, in KiB; 0 for next to none.
    fn memory_kib(&self) -> u32 {
        0
    }

    /// Whether finding out is clearly less work than one hash of ours (about 21 ms on one core).
    fn is_cheap(&self) -> bool;

    /// Whether we would make it just so.
    fn is_ours(&self) -> bool {
        false
    }
}

/// How a digest was made, by the names of the Backend API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hasher {
    /// `$argon2i$v=19$m=..,t=..,p=..$<salt>$<hash>`.
    Argon2i,
    /// `$argon2id$v=19$m=..,t=..,p=..$<salt>$<hash>`.
    Argon2id,
    /// `$2b$<cost>$<salt and hash>`; also `2a` and `2y`.
    Bcrypt,
    /// A bcrypt digest, `$` and a pepper that was appended to the password.
    BcryptPeppered,
    /// `bcrypt_sha256$` and a bcrypt digest of the password's SHA-256 in hexadecimal.
    BcryptSha256Django,
    /// `hmac_sha256_utf16_b64$<hash in base64>$<key>`, of the password in UTF-16.
    HmacSha256Utf16,
    /// `{SSHA}` and the base64 of a SHA-1 and its salt.
    LdapSsha,
    /// 32 hexadecimal digits.
    Md5,
    /// `<salt>$<32 hexadecimal digits>`.
    Md5Salted,
    /// As `Phpass`, of the password's MD5 in hexadecimal.
    Md5Phpass,
    /// `$P$<rounds><salt><checksum>`; also `$H$`.
    Phpass,
    /// `pbkdf2_sha1$<rounds>$<salt>$<hash>[$<length>]`; the hash in hexadecimal, the salt too if it can be.
    Pbkdf2Sha1,
    /// `pbkdf2_sha256$<rounds>$<salt>$<hash>`, both in base64.
    Pbkdf2Sha256,
    /// `pbkdf2_sha256$<rounds>$<salt>$<hash>`, the salt as it is, the hash in base64.
    Pbkdf2Sha256Django,
    /// `pbkdf2_sha512$<rounds>$<salt>$<hash>`, the salt as it is, the hash in hexadecimal.
    Pbkdf2Sha512,
    /// `pbkdf2_sha512_hex$<rounds>$<salt>$<hash>`, both in hexadecimal.
    Pbkdf2Sha512Hex,
    /// `<hash>$<salt>$<signer key>$<salt separator>$<rounds>$<memory cost>`, the first four in base64.
    ScryptFirebase,
    /// `scrypt:<N>:<r>:<p>$<salt>$<hash>`, the hash in hexadecimal or base64.
    ScryptWerkzeug,
    /// 64 hexadecimal digits.
    Sha256,
    /// `<salt>$<64 hexadecimal digits>`.
    Sha256Salted,
    /// `sha512_symfony$<rounds>$<salt>$<hash>`, the hash in base64.
    Sha512Symfony,
}

/// Not among them: `awscognito`, which is no hash: it asks Amazon at the first sign-in.
const NAMES: &[(&str, Hasher)] = &[
    ("argon2i", Hasher::Argon2i),
    ("argon2id", Hasher::Argon2id),
    ("bcrypt", Hasher::Bcrypt),
    ("bcrypt_peppered", Hasher::BcryptPeppered),
    ("bcrypt_sha256_django", Hasher::BcryptSha256Django),
    ("hmac_sha256_utf16_b64", Hasher::HmacSha256Utf16),
    ("ldap_ssha", Hasher::LdapSsha),
    ("md5", Hasher::Md5),
    ("md5_phpass", Hasher::Md5Phpass),
    ("md5_salted", Hasher::Md5Salted),
    ("pbkdf2_sha1", Hasher::Pbkdf2Sha1),
    ("pbkdf2_sha256", Hasher::Pbkdf2Sha256),
    ("pbkdf2_sha256_django", Hasher::Pbkdf2Sha256Django),
    ("pbkdf2_sha512", Hasher::Pbkdf2Sha512),
    ("pbkdf2_sha512_hex", Hasher::Pbkdf2Sha512Hex),
    ("phpass", Hasher::Phpass),
    ("scrypt_firebase", Hasher::ScryptFirebase),
    ("scrypt_werkzeug", Hasher::ScryptWerkzeug),
    ("sha256", Hasher::Sha256),
    ("sha256_salted", Hasher::Sha256Salted),
    ("sha512_symfony", Hasher::Sha512Symfony),
];

impl Hasher {
    /// By its name. None for a hasher that is not known here.
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, hasher)| *hasher)
    }

    fn read(self, text: &str) -> Option<Box<dyn Check>> {
        fn boxed(read: Option<impl Check + 'static>) -> Option<Box<dyn Check>> {
            Some(Box::new(read?))
        }
        if text.len() > MAX_DIGEST_BYTES {
            return None;
        }
        match self {
            Self::Argon2i => boxed(argon::parse("argon2i", text)),
            Self::Argon2id => boxed(argon::parse("argon2id", text)),
            Self::Bcrypt => boxed(Bcrypt::parse(text, Preparation::None)),
            Self::BcryptPeppered => boxed(Bcrypt::parse_peppered(text)),
            Self::BcryptSha256Django => boxed(Bcrypt::parse(text.strip_prefix("bcrypt_sha256$")?, Preparation::Sha256)),
            Self::HmacSha256Utf16 => boxed(digests::HmacUtf16::parse(text)),
            Self::LdapSsha => boxed(digests::ssha(text)),
            Self::Md5 => boxed(digests::plain(digests::Kind::Md5, text)),
            Self::Md5Salted => boxed(digests::salted(digests::Kind::Md5, text)),
            Self::Md5Phpass => boxed(digests::Phpass::parse(text, true)),
            Self::Phpass => boxed(digests::Phpass::parse(text, false)),
            Self::Pbkdf2Sha1 => boxed(derived::pbkdf2(Pbkdf2Form::Sha1, text)),
            Self::Pbkdf2Sha256 => boxed(derived::pbkdf2(Pbkdf2Form::Sha256, text)),
            Self::Pbkdf2Sha256Django => boxed(derived::pbkdf2(Pbkdf2Form::Sha256Django, text)),
            Self::Pbkdf2Sha512 => boxed(derived::pbkdf2(Pbkdf2Form::Sha512, text)),
            Self::Pbkdf2Sha512Hex => boxed(derived::pbkdf2(Pbkdf2Form::Sha512Hex, text)),
            Self::ScryptFirebase => boxed(derived::firebase(text)),
            Self::ScryptWerkzeug => boxed(derived::werkzeug(text)),
            Self::Sha256 => boxed(digests::plain(digests::Kind::Sha256, text)),
            Self::Sha256Salted => boxed(digests::salted(digests::Kind::Sha256, text)),
            Self::Sha512Symfony => boxed(digests::Symfony::parse(text)),
        }
    }
}

/// Checks a digest from another system and gives the form in which it is kept: the PHC string of argon2id as it is,
/// everything else as `<hasher>:<digest>`.
///
/// # Errors
/// `form_param_value_invalid` (of `password_hasher`) for a hasher that is not known here,
/// `form_password_digest_invalid_code` (of `password_digest`) for a digest that is not one of that hasher, has no salt
/// where there must be one, or costs too much to verify.
pub fn import(hasher: &str, digest: &str) -> Result<String, ApiError> {
    let Some(known) = Hasher::parse(hasher) else {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        let long = format!("password_hasher must be one of {}.", names.join(", "));
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("password_hasher").long(long));
    };
    if known.read(digest).is_none() {
        return Err(ApiError::new(codes::FORM_PASSWORD_DIGEST_INVALID).param("password_digest"));
    }
    Ok(if known == Hasher::Argon2id { digest.to_owned() } else { format!("{hasher}:{digest}") })
}

/// A kept hash as [`import`] took it: the hasher's name and the digest.
pub fn export(kept: &str) -> Option<(&str, &str)> {
    if kept.starts_with("$argon2id$") { Some(("argon2id", kept)) } else { kept.split_once(':') }
}

/// Reads a kept hash.
pub(super) fn read(kept: &str) -> Option<Box<dyn Check>> {
    if kept.starts_with("$argon2id$") {
        return Hasher::Argon2id.read(kept);
    }
    let (hasher, digest) = kept.split_once(':')?;
    Hasher::parse(hasher)?.read(digest)
}

/// Base64 in the standard alphabet; exports differ in whether they pad it.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    const ANY: GeneralPurpose =
        GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));
    ANY.decode(text).ok()
}

/// A number in decimal digits and nothing else.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// What is done to a password before bcrypt sees it.
enum Preparation {
    None,
    Pepper(String),
    Sha256,
}

struct Bcrypt {
    digest: String,
    cost: u32,
    preparation: Preparation,
}

impl Bcrypt {
    fn parse(digest: &str, preparation: Preparation) -> Option<Self> {
        // `2x` marks the hashes of an implementation that was wrong about non-ASCII characters.
        let right = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| digest.starts_with(prefix));
        let cost = digest.parse::<bcrypt::HashParts>().ok()?.get_cost();
        (right && BCRYPT_COSTS.contains(&cost)).then(|| Self { digest: digest.to_owned(), cost, preparation })
    }

    fn parse_peppered(text: &str) -> Option<Self> {
        let (digest, pepper) = text.split_at_checked(60)?;
        let pepper = pepper.strip_prefix('$').filter(|pepper| !pepper.is_empty())?;
        Self::parse(digest, Preparation::Pepper(pepper.to_owned()))
    }
}

impl Check for Bcrypt {
    /// A password of more than 72 bytes, or with a NUL in it, never matches, unless it was hashed before: bcrypt looks at
    /// 72 bytes only and at nothing behind a NUL, so several passwords would fit.
    fn matches(&self, password: &[u8]) -> bool {
        let whole = password.len() <= 72 && !password.contains(&0);
        let input = match &self.preparation {
            Preparation::None => whole.then(|| password.to_vec()),
            Preparation::Pepper(pepper) => whole.then(|| [password, pepper.as_bytes()].concat()),
            Preparation::Sha256 => Some(hex::encode(digest(&SHA256, password)).into_bytes()),
        };
        // The work is done either way: how long a password is must not show whether there is an account.
        bcrypt::verify(input.as_deref().unwrap_or_default(), &self.digest).unwrap_or(false) && input.is_some()
    }

    fn is_cheap(&self) -> bool {
        self.cost < 9
    }
}

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
