//! Hashes, keyed hashes and sealing. Everything below is aws-lc.

use aws_lc_rs::{aead, constant_time, digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::{Rng, Secret};
use std::sync::Arc;

/// SHA-256 of a token, in hex: what is kept of tokens that have more than 128 bits of randomness.
pub fn token_hash(token: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, token.as_bytes()))
}

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// The master key, and what is derived from it. It lives outside the database.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    seal: aead::LessSafeKey,
    codes: hmac::Key,
}

/// What was to be opened was not sealed with this key, or for this purpose.
#[derive(Debug, thiserror::Error)]
#[error("the sealed value was not made with this master key")]
pub struct Unsealable;

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

impl Sealer {
    /// From the 32 bytes of a master key.
    ///
    /// # Errors
    /// None in practice: the lengths are right by construction.
    pub fn new(master: &[u8; 32]) -> Result<Self, Unsealable> {
        let derive = |purpose: &'static [u8]| -> Result<[u8; 32], Unsealable> {
            let mut out = [0; 32];
            let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorward").extract(master);
            prk.expand(&[purpose], Len(32)).and_then(|okm| okm.fill(&mut out)).map_err(|_| Unsealable)?;
            Ok(out)
        };
        let seal = aead::UnboundKey::new(&aead::AES_256_GCM, &derive(b"seal")?).map_err(|_| Unsealable)?;
        let codes = hmac::Key::new(hmac::HMAC_SHA256, &derive(b"codes")?);
        Ok(Self(Arc::new(Keys { seal: aead::LessSafeKey::new(seal), codes })))
    }

    /// From the text of a master key: 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the text is anything else. The text is not repeated.
    pub fn from_hex(text: &Secret) -> Result<Self, String> {
        let bytes = hex::decode(text.expose().trim()).map_err(|_| "the master key must be 64 hexadecimal digits".to_owned())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| "the master key must be 64 hexadecimal digits".to_owned())?;
        Self::new(&bytes).map_err(|e| e.to_string())
    }

    /// Seals a value (AES-256-GCM, random nonce) for one purpose: it opens under the same `context` only.
    ///
    /// # Errors
    /// When the value is too long for the cipher: more than 64 GiB.
    pub fn seal(&self, rng: &Rng, context: &str, value: &[u8]) -> Result<String, Unsealable> {
        let nonce = rng.bytes::<12>();
        let mut buf = value.to_vec();
        self.0
            .seal
            .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(context.as_bytes()), &mut buf)
            .map_err(|_| Unsealable)?;
        let mut out = nonce.to_vec();
        out.append(&mut buf);
        Ok(B64.encode(out))
    }

    /// Opens what [`Sealer::seal`] made.
    ///
    /// # Errors
    /// When it was made with another key or for another purpose, or was changed.
    pub fn open(&self, context: &str, sealed: &str) -> Result<Vec<u8>, Unsealable> {
        let raw = B64.decode(sealed).map_err(|_| Unsealable)?;
        let (nonce, body) = raw.split_at_checked(12).ok_or(Unsealable)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut body = body.to_vec();
        let plain = self.0.seal.open_in_place(nonce, aead::Aad::from(context.as_bytes()), &mut body).map_err(|_| Unsealable)?;
        Ok(plain.to_vec())
    }

    /// The keyed hash of a short code. A plain hash of six digits could be undone by trying them all.
    pub fn code_hash(&self, context: &str, code: &str) -> String {
        hex::encode(hmac::sign(&self.0.codes, format!("{context}\0{code}").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_with_the_same_key_and_purpose_only() {
        let rng = Rng::seeded(1);
        let sealer = Sealer::new(&[7; 32]).unwrap();
        let sealed = sealer.seal(&rng, "ins_1:key", b"secret").unwrap();
        assert_eq!(sealer.open("ins_1:key", &sealed).unwrap(), b"secret");
        assert!(sealer.open("ins_2:key", &sealed).is_err());
        assert!(Sealer::new(&[8; 32]).unwrap().open("ins_1:key", &sealed).is_err());
        for cut in 0..sealed.len() {
            assert!(sealer.open("ins_1:key", &sealed[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn code_hashes_differ_by_context() {
        let sealer = Sealer::new(&[7; 32]).unwrap();
        assert_ne!(sealer.code_hash("ver_1", "424242"), sealer.code_hash("ver_2", "424242"));
    }
}
