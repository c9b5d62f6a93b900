use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use ciborium::Value;
use coset::iana::{self, EnumI64};
use coset::{Algorithm, AsCborValue, CoseKey, KeyType, Label};

/// The algorithms that are asked for, the best one first (IANA COSE Algorithms).
pub(super) const ALGORITHMS: &[iana::Algorithm] = &[iana::Algorithm::ES256, iana::Algorithm::EdDSA, iana::Algorithm::RS256];

/// The least and the most bits of an RSA modulus.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A credential's public key, understood: nothing that is not one of [`ALGORITHMS`] gets this far.
#[derive(Debug)]
pub(super) enum PublicKey {
    Parsed(ParsedPublicKey),
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl PublicKey {
    /// Reads a COSE key (RFC 9052, section 7) as WebAuthn has it (section 5.8.5): with its algorithm, points uncompressed.
    /// None for anything else, and for keys that are weak or lie on no curve.
    pub(super) fn parse(cose: &[u8]) -> Option<Self> {
        let mut rest = cose;
        let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, 8).ok()?;
        let key = CoseKey::from_cbor_value(value).ok().filter(|_| rest.is_empty())?;
        let Some(Algorithm::Assigned(algorithm)) = key.alg else { return None };
        let KeyType::Assigned(kind) = key.kty else { return None };
        match (algorithm, kind) {
            (iana::Algorithm::ES256, iana::KeyType::EC2) => {
                use iana::Ec2KeyParameter::{Crv, X, Y};
                is_curve(&key, Crv.to_i64(), iana::EllipticCurve::P_256)?;
                let (x, y) = (bytes(&key, X.to_i64())?, bytes(&key, Y.to_i64())?);
                let point = [&[4], x, y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok().filter(|_| x.len() == 32 && y.len() == 32).map(Self::Parsed)
            }
            (iana::Algorithm::EdDSA, iana::KeyType::OKP) => {
                use iana::OkpKeyParameter::{Crv, X};
                is_curve(&key, Crv.to_i64(), iana::EllipticCurve::Ed25519)?;
                ParsedPublicKey::new(&ED25519, bytes(&key, X.to_i64())?).ok().map(Self::Parsed)
            }
            (iana::Algorithm::RS256, iana::KeyType::RSA) => {
                use iana::RsaKeyParameter::{E, N};
                let (n, e) = (number(&key, N.to_i64())?, number(&key, E.to_i64())?);
                let sound = RSA_BITS.contains(&bits(n)) && e.len() <= 8 && bits(e) > 1 && e.last()? % 2 == 1;
                sound.then(|| Self::Rsa { n: n.to_vec(), e: e.to_vec() })
            }
            _ => None,
        }
    }

    /// Whether a signature of a message was made with the key.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Parsed(key) => key.verify_sig(message, signature).is_ok(),
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }
}

fn find(key: &CoseKey, label: i64) -> Option<&Value> {
    key.params.iter().find(|(name, _)| *name == Label::Int(label)).map(|(_, value)| value)
}

fn bytes(key: &CoseKey, label: i64) -> Option<&[u8]> {
    find(key, label)?.as_bytes().map(Vec::as_slice)
}

fn is_curve(key: &CoseKey, label: i64, curve: iana::EllipticCurve) -> Option<()> {
    let named: i64 = find(key, label)?.as_integer()?.try_into().ok()?;
    (named == curve.to_i64()).then_some(())
}

/// A number's bytes without leading zeros, most significant first.
fn number(key: &CoseKey, label: i64) -> Option<&[u8]> {
    let all = bytes(key, label)?;
    let start = all.iter().position(|byte| *byte != 0)?;
    all.get(start..)
}

fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}
