//! The keys of an instance: publishable, secret and signing.

use aws_lc_rs::rsa::{KeyPair, KeySize, PrivateDecryptingKey};
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::{digest, signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use doorward_base::{Rng, Secret};
use doorward_wire::resource::Jwk;

/// Whether an instance is for building or for real users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// `pk_test_`: test addresses, development browsers, loopback origins.
    Development,
    /// `pk_live_`.
    Production,
}

impl Environment {
    /// As it is kept and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }

    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        }
    }

    fn infix(self) -> &'static str {
        match self {
            Self::Development => "test",
            Self::Production => "live",
        }
    }
}

/// `pk_test_` or `pk_live_` and the base64 of `<host>$`. The official SDKs want a dot in the host.
///
/// # Errors
/// When the host has no dot or holds a `$`.
pub fn publishable_key(environment: Environment, host: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    if !host.contains('.') || !host.chars().all(plain) {
        return Err(format!("{host:?} cannot stand in a publishable key: it must be a host with a dot in it, and a port at most"));
    }
    Ok(format!("pk_{}_{}", environment.infix(), STANDARD_NO_PAD.encode(format!("{host}$"))))
}

/// What the official SDKs append to cookie names: 8 characters of the publishable key's SHA-1.
pub fn cookie_suffix(publishable_key: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, publishable_key.as_bytes());
    URL_SAFE.encode(hash).chars().take(8).collect()
}

/// A fresh secret key: 45 random characters.
pub fn secret_key(environment: Environment, rng: &Rng) -> Secret {
    Secret::new(format!("sk_{}_{}", environment.infix(), rng.alphanumeric(45)))
}

/// A signing key that is ready to sign.
pub struct SigningKey {
    /// The key's id.
    pub kid: String,
    pair: KeyPair,
}

/// A key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[error("the signing key is not usable")]
pub struct KeyError;

/// A fresh RSA key of 2048 bits with exponent 65537: what every official SDK can verify. PKCS#8, DER.
///
/// # Errors
/// When the library cannot make one.
pub fn generate_signing_key() -> Result<Vec<u8>, KeyError> {
    let key = PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|_| KeyError)?;
    let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).map_err(|_| KeyError)?;
    Ok(der.as_ref().to_vec())
}

impl SigningKey {
    /// Reads a key that [`generate_signing_key`] made. Parsing costs far more than a signature: do it once.
    ///
    /// # Errors
    /// When the bytes are not such a key.
    pub fn from_pkcs8(kid: String, der: &[u8]) -> Result<Self, KeyError> {
        Ok(Self { kid, pair: KeyPair::from_pkcs8(der).map_err(|_| KeyError)? })
    }

    /// An RSASSA-PKCS1-v1_5 signature with SHA-256 (RFC 7518, section 3.3).
    ///
    /// # Errors
    /// When the library cannot sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut out = vec![0; self.pair.public_modulus_len()];
        let rng = aws_lc_rs::rand::SystemRandom::new();
        self.pair.sign(&signature::RSA_PKCS1_SHA256, &rng, message, &mut out).map_err(|_| KeyError)?;
        Ok(out)
    }

    /// Whether a signature of this key fits a message.
    pub fn verify(&self, message: &[u8], signature_bytes: &[u8]) -> bool {
        let public = self.pair.public_key();
        signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public.as_ref()).verify(message, signature_bytes).is_ok()
    }

    /// The public half (RFC 7517).
    pub fn jwk(&self) -> Jwk {
        let public = self.pair.public_key();
        Jwk {
            r#use: "sig".to_owned(),
            kty: "RSA".to_owned(),
            kid: self.kid.clone(),
            alg: "RS256".to_owned(),
            n: URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            e: URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
        }
    }

    /// The public half as a PEM block (RFC 7468), for verification without a network.
    pub fn public_pem(&self) -> Result<String, KeyError> {
        let public = self.pair.public_key();
        let der = aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(public).map_err(|_| KeyError)?;
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_one_that_the_sdks_compute() {
        // Seen in a browser: pk_live_ + base64("doorward.test$").
        let key = publishable_key(Environment::Production, "clerk.doorward.test").unwrap();
        assert_eq!(cookie_suffix(&key).len(), 8);
        assert!(publishable_key(Environment::Production, "localhost:4000").is_err());
        assert!(publishable_key(Environment::Development, "127.0.0.1:4100").is_ok());
    }

    #[test]
    fn a_signature_fits_its_message_only() {
        let key = SigningKey::from_pkcs8("k".to_owned(), &generate_signing_key().unwrap()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(key.verify(b"message", &signature));
        assert!(!key.verify(b"massage", &signature));
        assert_eq!(key.jwk().e, "AQAB");
        assert!(key.public_pem().unwrap().starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"));
    }
}
