//! Ethereum: addresses (ERC-55) and signed messages (ERC-191, version 0x45).

use k256::ecdsa::{RecoveryId, Signature as Ecdsa, VerifyingKey};
use sha3::{Digest as _, Keccak256};

/// The address in lower case, if it is one.
pub(super) fn canonical(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let mixed = digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
    (!mixed || checksummed(&lower) == text).then_some(lower)
}

/// An address in lower case with its checksum, which is in the case of the letters.
pub(super) fn checksummed(address: &str) -> String {
    let digits = address.trim_start_matches("0x");
    let hash = hex::encode(Keccak256::digest(digits.as_bytes()));
    let cased = digits.chars().zip(hash.chars()).map(|(digit, h)| if h >= '8' { digit.to_ascii_uppercase() } else { digit });
    format!("0x{}", cased.collect::<String>())
}

/// A signature of 65 bytes: `r`, `s` and which of the possible keys signed.
pub(super) struct Signature {
    signature: Ecdsa,
    recovery: RecoveryId,
}

impl Signature {
    /// Reads hexadecimal digits, with or without `0x`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes: [u8; 65] = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?.try_into().ok()?;
        // Wallets count from 27; hardware wallets from 0.
        let recovery = RecoveryId::from_byte(if bytes[64] >= 27 { bytes[64] - 27 } else { bytes[64] })?;
        Some(Self { signature: Ecdsa::from_slice(&bytes[..64]).ok()?, recovery })
    }

    /// The address whose key signed a message; none when no key can have.
    pub(super) fn signer(&self, message: &str) -> Option<String> {
        let prefixed = format!("\x19Ethereum Signed Message:\n{}{message}", message.len());
        let hash = Keccak256::digest(prefixed.as_bytes());
        let key = VerifyingKey::recover_from_prehash(&hash, &self.signature, self.recovery).ok()?;
        let point = key.to_sec1_point(false);
        let hash = Keccak256::digest(point.as_bytes().get(1..)?);
        Some(format!("0x{}", hex::encode(hash.get(12..)?)))
    }
}
