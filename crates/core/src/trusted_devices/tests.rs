use super::key;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::json;

#[test]
fn only_a_public_key_on_p_256_is_read() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let point = pair.public_key().as_ref().to_vec();
    let (x, y) = (B64.encode(&point[1..33]), B64.encode(&point[33..]));
    assert_eq!(key::read(&json!({"kty": "EC", "crv": "P-256", "x": x, "y": y}).to_string()), Some(point));
    for bad in [
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "d": x}),
        json!({"kty": "EC", "crv": "P-384", "x": x, "y": y}),
        json!({"kty": "RSA", "crv": "P-256", "x": x, "y": y}),
        json!({"kty": "EC", "crv": "P-256", "x": y, "y": y}),
        json!({"kty": "EC", "crv": "P-256", "x": x}),
        json!({"kty": "EC", "crv": "P-256", "x": "", "y": y}),
        json!([]),
        json!("EC"),
    ] {
        assert_eq!(key::read(&bad.to_string()), None, "{bad}");
    }
    assert_eq!(key::read("{"), None);
}

#[test]
fn signatures_are_read_in_both_forms() {
    let random = SystemRandom::new();
    for algorithm in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_FIXED_SIGNING] {
        let pair = EcdsaKeyPair::generate(algorithm).unwrap();
        let point = pair.public_key().as_ref();
        let signature = pair.sign(&random, b"a text").unwrap();
        assert!(key::verifies(point, "a text", signature.as_ref()));
        assert!(!key::verifies(point, "another text", signature.as_ref()));
        assert!(!key::verifies(point, "a text", &[0; 64]));
        assert!(!key::verifies(point, "a text", &[]));
    }
}
