use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::json;

/// The key that a native app holds for its user.
pub struct DeviceKey(EcdsaKeyPair);

impl Default for DeviceKey {
    fn default() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }
}

impl DeviceKey {
    /// The public half, as a JWK.
    pub fn jwk(&self) -> String {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "x": B64.encode(&point[1..33]), "y": B64.encode(&point[33..])}).to_string()
    }

    /// Signs a text.
    pub fn sign(&self, text: &str) -> String {
        B64.encode(self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap())
    }
}
