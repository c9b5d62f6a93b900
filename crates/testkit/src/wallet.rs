use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use k256::ecdsa::SigningKey;
use sha3::{Digest as _, Keccak256};

/// A program with the key of a wallet in it.
pub enum Wallet {
    /// One of Ethereum.
    Ethereum(Box<SigningKey>),
    /// One of Solana.
    Solana(Box<Ed25519KeyPair>),
}

impl Wallet {
    /// The wallet of Ethereum whose key's bytes are all `byte`.
    pub fn ethereum(byte: u8) -> Self {
        Self::Ethereum(Box::new(SigningKey::from_slice(&[byte; 32]).unwrap()))
    }

    /// The wallet of Solana whose seed's bytes are all `byte`.
    pub fn solana(byte: u8) -> Self {
        Self::Solana(Box::new(Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).unwrap()))
    }

    /// The address, in lower case or in base58.
    pub fn address(&self) -> String {
        match self {
            Self::Ethereum(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                format!("0x{}", hex::encode(&Keccak256::digest(&point.as_bytes()[1..])[12..]))
            }
            Self::Solana(key) => bs58::encode(key.public_key().as_ref()).into_string(),
        }
    }

    /// Signs a text: `personal_sign` (ERC-191), or `signMessage` as the official SDKs send it.
    pub fn sign(&self, text: &str) -> String {
        match self {
            Self::Ethereum(key) => {
                let hash = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{text}", text.len()));
                let (signature, recovery) = key.sign_prehash_recoverable(&hash);
                format!("0x{}{:02x}", hex::encode(signature.to_bytes()), recovery.to_byte() + 27)
            }
            Self::Solana(key) => B64.encode(key.sign(text.as_bytes())),
        }
    }
}
