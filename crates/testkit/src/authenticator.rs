use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ciborium::Value as Cbor;
use serde_json::{Value, json};
use std::sync::Arc;

/// A browser's half of WebAuthn and an authenticator, in software. What it says can be bent by its fields.
#[derive(Clone)]
pub struct Authenticator {
    /// The page's origin, as the browser says it.
    pub origin: String,
    /// The site, when it is not the one of the options.
    pub rp_id: Option<String>,
    /// What the browser says the ceremony is, when it does not tell the truth.
    pub ceremony: Option<&'static str>,
    /// Added to what the browser says of the page.
    pub client_data: Value,
    /// Whether somebody touches it.
    pub user_present: bool,
    /// Whether it checks who does.
    pub user_verified: bool,
    /// Whether its keys are copied elsewhere.
    pub synced: bool,
    /// Which keys it makes.
    pub algorithm: Algorithm,
    /// The number of the next signature; 0 for one that does not count.
    pub sign_count: u32,
    /// What it made; it signs with the last one.
    pub credentials: Vec<Arc<Credential>>,
}

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with SHA-256.
    Rs256,
    /// ECDSA on P-256, called something that nobody asked for.
    Es384,
}

/// A key for one user of one site.
pub struct Credential {
    id: Vec<u8>,
    user: Vec<u8>,
    key: Key,
}

enum Key {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            origin: crate::ORIGIN.to_owned(),
            rp_id: None,
            ceremony: None,
            client_data: json!({}),
            user_present: true,
            user_verified: true,
            synced: false,
            algorithm: Algorithm::Es256,
            sign_count: 1,
            credentials: Vec::new(),
        }
    }
}

impl Key {
    fn make(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => Self::Ec(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Algorithm::EdDsa => Self::Ed(Ed25519KeyPair::generate().unwrap()),
            Algorithm::Rs256 => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        }
    }

    fn cose(&self, algorithm: Algorithm) -> Vec<u8> {
        let number = |n: i64| Cbor::Integer(n.into());
        let bytes = |b: &[u8]| Cbor::Bytes(b.to_vec());
        let fields = match self {
            Self::Ec(key) => {
                let point = key.public_key().as_ref();
                let named = if algorithm == Algorithm::Es384 { -35 } else { -7 };
                vec![(1, number(2)), (3, number(named)), (-1, number(1)), (-2, bytes(&point[1..33])), (-3, bytes(&point[33..]))]
            }
            Self::Ed(key) => vec![(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, bytes(key.public_key().as_ref()))],
            Self::Rsa(key) => {
                let public = key.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                let e = public.exponent().big_endian_without_leading_zero();
                vec![(1, number(3)), (3, number(-257)), (-1, bytes(n)), (-2, bytes(e))]
            }
        };
        encode(&Cbor::Map(fields.into_iter().map(|(label, value)| (number(label), value)).collect()))
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let rng = SystemRandom::new();
        match self {
            Self::Ec(key) => key.sign(&rng, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut out = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &rng, message, &mut out).unwrap();
                out
            }
        }
    }
}

fn encode(value: &Cbor) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

impl Authenticator {
    /// Makes a credential for the options of a verification's `nonce`; the answer as the official SDKs send it.
    pub fn create(&mut self, nonce: &Value) -> String {
        let options = options(nonce);
        let key = Key::make(self.algorithm);
        let id = digest(&SHA256, &key.cose(self.algorithm)).as_ref().to_vec();
        let user = B64.decode(options["user"]["id"].as_str().unwrap()).unwrap();
        let mut data = self.authenticator_data(options["rp"]["id"].as_str().unwrap(), 0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap().to_be_bytes());
        data.extend(&id);
        data.extend(key.cose(self.algorithm));
        let text = |text: &str| Cbor::Text(text.to_owned());
        let object =
            Cbor::Map(vec![(text("fmt"), text("none")), (text("attStmt"), Cbor::Map(Vec::new())), (text("authData"), Cbor::Bytes(data))]);
        let response = json!({
            "clientDataJSON": B64.encode(self.client_data("webauthn.create", &options)),
            "attestationObject": B64.encode(encode(&object)),
            "transports": ["internal", "hybrid"],
        });
        let answer = answer(&id, &response);
        self.credentials.push(Arc::new(Credential { id, user, key }));
        answer
    }

    /// Signs the challenge of a verification's `nonce` with one of its credentials.
    pub fn get(&mut self, nonce: &Value) -> String {
        let options = options(nonce);
        let data = self.authenticator_data(options["rpId"].as_str().unwrap(), 0);
        let client_data = self.client_data("webauthn.get", &options);
        let credential = self.credentials.last().unwrap();
        let signature = credential.key.sign(&[data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat());
        let response = json!({
            "clientDataJSON": B64.encode(client_data),
            "authenticatorData": B64.encode(data),
            "signature": B64.encode(signature),
            "userHandle": B64.encode(&credential.user),
        });
        answer(&credential.id, &response)
    }

    fn authenticator_data(&mut self, rp_id: &str, mut flags: u8) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().unwrap_or(rp_id);
        for (on, flag) in [(self.user_present, 0x01), (self.user_verified, 0x04), (self.synced, 0x18)] {
            flags |= if on { flag } else { 0 };
        }
        let mut out = digest(&SHA256, rp_id.as_bytes()).as_ref().to_vec();
        out.push(flags);
        out.extend(self.sign_count.to_be_bytes());
        self.sign_count += u32::from(self.sign_count > 0);
        out
    }

    fn client_data(&self, ceremony: &str, options: &Value) -> Vec<u8> {
        let mut data = json!({
            "type": self.ceremony.unwrap_or(ceremony),
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        for (name, value) in self.client_data.as_object().unwrap() {
            data[name] = value.clone();
        }
        data.to_string().into_bytes()
    }
}

fn options(nonce: &Value) -> Value {
    serde_json::from_str(nonce.as_str().unwrap_or_else(|| panic!("no nonce: {nonce}"))).unwrap()
}

fn answer(id: &[u8], response: &Value) -> String {
    let id = B64.encode(id);
    json!({"id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform", "response": response}).to_string()
}
