//! Solana: addresses are Ed25519 keys, and a message is signed as it is.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;

/// The key that an address is, if it is one and is written in the one way that there is.
pub(super) fn public_key(text: &str) -> Option<[u8; 32]> {
    // Decoding takes a time that grows with the square of the length.
    if !(32..=44).contains(&text.len()) {
        return None;
    }
    let key: [u8; 32] = bs58::decode(text).into_vec().ok()?.try_into().ok()?;
    (bs58::encode(key).into_string() == text).then_some(key)
}

/// A signature of 64 bytes.
pub(super) struct Signature([u8; 64]);

impl Signature {
    /// Reads base64, as the official SDKs send it, or base58, as wallets show it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > 88 {
            return None;
        }
        let decoded = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| bytes.try_into().ok());
        decoded(B64.decode(text).ok()).or_else(|| decoded(bs58::decode(text).into_vec().ok())).map(Self)
    }

    /// Whether the key of an address signed a message.
    pub(super) fn is_by(&self, address: &str, message: &str) -> bool {
        public_key(address).is_some_and(|key| UnparsedPublicKey::new(&ED25519, key).verify(message.as_bytes(), &self.0).is_ok())
    }
}
