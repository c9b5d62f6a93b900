//! Keys of others, with which tokens of a template are signed.

use crate::keys::KeyError;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use aws_lc_rs::{hmac, rand::SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;

/// The algorithms by their names (RFC 7518, RFC 8037).
pub const ALGORITHMS: [&str; 10] = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"];

/// The longest text of a key.
const MAX_TEXT: usize = 16 * 1024;

/// A key that is ready to sign.
pub struct TemplateKey {
    algorithm: &'static str,
    signer: Signer,
}

enum Signer {
    Hmac(Box<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn signature::RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl TemplateKey {
    /// Reads a key: for `HS…` the secret itself, which must be as long as the hash (RFC 7518, section 3.2); else a private
    /// key in PEM, as PKCS#8, PKCS#1 or SEC1. None when it is no such key.
    pub fn read(algorithm: &str, text: &str) -> Option<Self> {
        let algorithm = ALGORITHMS.into_iter().find(|it| *it == algorithm)?;
        if text.len() > MAX_TEXT {
            return None;
        }
        let secret = |algorithm, bytes| (text.len() >= bytes).then(|| Signer::Hmac(Box::new(hmac::Key::new(algorithm, text.as_bytes()))));
        let rsa = |encoding| {
            let der = pem(text)?;
            let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok()?;
            Some(Signer::Rsa(pair, encoding))
        };
        let ecdsa = |curve| EcdsaKeyPair::from_private_key_der(curve, &pem(text)?).ok().map(Signer::Ecdsa);
        let signer = match algorithm {
            "HS256" => secret(hmac::HMAC_SHA256, 32),
            "HS384" => secret(hmac::HMAC_SHA384, 48),
            "HS512" => secret(hmac::HMAC_SHA512, 64),
            "RS256" => rsa(&signature::RSA_PKCS1_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" => ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            _ => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pem(text)?).ok().map(Signer::Ed25519),
        };
        Some(Self { algorithm, signer: signer? })
    }

    /// The name of its algorithm.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let rng = SystemRandom::new();
        match &self.signer {
            Signer::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Signer::Rsa(pair, encoding) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &rng, message, &mut out).map_err(|_| KeyError)?;
                Ok(out)
            }
            Signer::Ecdsa(pair) => Ok(pair.sign(&rng, message).map_err(|_| KeyError)?.as_ref().to_vec()),
            Signer::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

/// The bytes of the first private key in a PEM text (RFC 7468). Parameters of a curve may stand before it.
fn pem(text: &str) -> Option<Vec<u8>> {
    const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    LABELS.iter().find_map(|label| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        B64.decode(body).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der, Pkcs8V1Der};
    use aws_lc_rs::signature::{KeyPair as _, UnparsedPublicKey, VerificationAlgorithm};

    fn wrap(label: &str, der: &[u8]) -> String {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", B64.encode(der))
    }

    fn holds(key: &TemplateKey, algorithm: &'static dyn VerificationAlgorithm, public: &[u8]) {
        let signed = key.sign(b"message").unwrap();
        let public = UnparsedPublicKey::new(algorithm, public);
        public.verify(b"message", &signed).unwrap();
        assert!(public.verify(b"massage", &signed).is_err());
    }

    #[test]
    fn secrets_sign_and_must_be_as_long_as_the_hash() {
        // RFC 4231, test case 6, cut: the algorithms are told apart by what they give.
        for (name, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
            let key = TemplateKey::read(name, &"k".repeat(bytes)).unwrap();
            assert_eq!((key.algorithm(), key.sign(b"m").unwrap().len()), (name, bytes));
            assert!(TemplateKey::read(name, &"k".repeat(bytes - 1)).is_none(), "{name}");
        }
    }

    #[test]
    fn rsa_keys_sign_in_either_form() {
        let der = crate::keys::generate_signing_key().unwrap();
        let public = RsaKeyPair::from_pkcs8(&der).unwrap();
        let public = public.public_key().as_ref();
        for (name, algorithm) in [
            ("RS256", &signature::RSA_PKCS1_2048_8192_SHA256),
            ("RS384", &signature::RSA_PKCS1_2048_8192_SHA384),
            ("RS512", &signature::RSA_PKCS1_2048_8192_SHA512),
        ] {
            holds(&TemplateKey::read(name, &wrap("PRIVATE KEY", &der)).unwrap(), algorithm, public);
        }
    }

    #[test]
    fn keys_of_curves_sign_with_their_own_curve_only() {
        for (name, signing, verifying) in [
            ("ES256", &signature::ECDSA_P256_SHA256_FIXED_SIGNING, &signature::ECDSA_P256_SHA256_FIXED),
            ("ES384", &signature::ECDSA_P384_SHA384_FIXED_SIGNING, &signature::ECDSA_P384_SHA384_FIXED),
            ("ES512", &signature::ECDSA_P521_SHA512_FIXED_SIGNING, &signature::ECDSA_P521_SHA512_FIXED),
        ] {
            let pair = EcdsaKeyPair::generate(signing).unwrap();
            let sec1 = pair.private_key().as_der().unwrap();
            let sec1: &EcPrivateKeyRfc5915Der<'_> = &sec1;
            let pkcs8 = pair.to_pkcs8v1().unwrap();
            for text in [wrap("EC PRIVATE KEY", sec1.as_ref()), wrap("PRIVATE KEY", pkcs8.as_ref())] {
                holds(&TemplateKey::read(name, &text).unwrap(), verifying, pair.public_key().as_ref());
                let others = ALGORITHMS.into_iter().filter(|other| other != &name && !other.starts_with("HS"));
                others.for_each(|other| assert!(TemplateKey::read(other, &text).is_none(), "{name} as {other}"));
            }
        }
        let pair = Ed25519KeyPair::generate().unwrap();
        let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
        let key = TemplateKey::read("EdDSA", &wrap("PRIVATE KEY", der.as_ref())).unwrap();
        holds(&key, &signature::ED25519, pair.public_key().as_ref());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for name in ALGORITHMS {
            assert!(TemplateKey::read(name, "").is_none());
            assert!(TemplateKey::read(name, &"k".repeat(MAX_TEXT + 1)).is_none());
        }
        for text in
            ["-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----", &wrap("PRIVATE KEY", b"x")]
        {
            assert!(TemplateKey::read("RS256", text).is_none() && TemplateKey::read("EdDSA", text).is_none(), "{text}");
        }
        for name in ["none", "hs256", "PS256", ""] {
            assert!(TemplateKey::read(name, &"k".repeat(64)).is_none(), "{name}");
        }
    }
}
