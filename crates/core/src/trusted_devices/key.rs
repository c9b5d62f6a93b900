use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::Value;

/// Reads a public key on P-256 from its JWK (RFC 7518, section 6.2): the point, uncompressed. None for anything else, and for
/// points that lie on no curve.
pub(super) fn read(jwk: &str) -> Option<Vec<u8>> {
    let jwk: Value = serde_json::from_str(jwk).ok()?;
    if jwk["kty"] != "EC" || jwk["crv"] != "P-256" || jwk.get("d").is_some() {
        return None;
    }
    let coordinate = |name: &str| B64.decode(jwk[name].as_str()?).ok().filter(|bytes| bytes.len() == 32);
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point).ok().map(|_| point)
}

/// Whether a key signed a text: in DER, as phones do, or in 64 bytes, as JOSE has it.
pub(super) fn verifies(point: &[u8], text: &str, signature: &[u8]) -> bool {
    let fixed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let der = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    der.verify(text.as_bytes(), signature).is_ok() || signature.len() == 64 && fixed.verify(text.as_bytes(), signature).is_ok()
}
