//! The two ceremonies of WebAuthn: what a browser answers is read, and checked step by step against what was asked.
//! Nothing here knows users, requests or the database.

use super::authenticator_data::AuthenticatorData;
use super::key::PublicKey;
use crate::crypto;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ciborium::Value;
use serde::Deserialize;

/// Why an answer is of no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It could not be read.
    Malformed(&'static str),
    /// It could be read and is not what was asked for.
    Failed(&'static str),
}

/// What was asked.
pub(super) struct Expected<'a> {
    /// The challenge, base64url.
    pub challenge: &'a str,
    /// The origin of the page, or those of the apps that may have been asked.
    pub origins: &'a [String],
    /// The relying party's id.
    pub rp_id: &'a str,
}

/// A credential that was made for us.
#[derive(Debug)]
pub(super) struct Registered {
    /// Base64url.
    pub credential_id: String,
    /// COSE.
    pub public_key: Vec<u8>,
    pub sign_count: u32,
    pub backup_eligible: bool,
    pub backed_up: bool,
    pub transports: Vec<String>,
}

/// What is known of the credential that signs.
pub(super) struct Known<'a> {
    pub public_key: &'a [u8],
    pub sign_count: u32,
    pub backup_eligible: bool,
}

/// A signature that was right.
#[derive(Debug)]
pub(super) struct Asserted {
    pub sign_count: u32,
    pub user_verified: bool,
    pub backed_up: bool,
}

/// `PublicKeyCredential` as JSON (WebAuthn, section 5.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential<R> {
    id: String,
    raw_id: String,
    r#type: String,
    response: R,
}

/// The answer to a request for a new credential.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attestation {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// The answer to a request for a signature.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    user_handle: Option<String>,
}

/// What the browser says of the page (WebAuthn, section 5.8.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    cross_origin: Option<bool>,
    top_origin: Option<String>,
}

fn read<R: for<'de> Deserialize<'de>>(json: &str) -> Result<Credential<R>, Refused> {
    let read: Credential<R> = serde_json::from_str(json).map_err(|_| Refused::Malformed("it must be a PublicKeyCredential as JSON"))?;
    if read.r#type != "public-key" || read.id != read.raw_id {
        return Err(Refused::Malformed("its type must be public-key, and id the same as rawId"));
    }
    Ok(read)
}

fn decode(text: &str) -> Result<Vec<u8>, Refused> {
    B64.decode(text).map_err(|_| Refused::Malformed("its fields must be base64url without padding"))
}

/// Checks the page. Answers the hash that the authenticator signs.
fn client_data(text: &str, kind: &str, expected: &Expected<'_>) -> Result<Vec<u8>, Refused> {
    let bytes = decode(text)?;
    let data: ClientData = serde_json::from_slice(&bytes).map_err(|_| Refused::Malformed("clientDataJSON must be JSON"))?;
    if data.r#type != kind {
        return Err(Refused::Failed("The passkey was used for something else than what was asked."));
    }
    if !crypto::equal(data.challenge.as_bytes(), expected.challenge.as_bytes()) {
        return Err(Refused::Failed("The passkey answered another challenge."));
    }
    if !expected.origins.contains(&data.origin) || data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(Refused::Failed("The passkey was used on another page."));
    }
    Ok(digest::digest(&digest::SHA256, &bytes).as_ref().to_vec())
}

/// The checks on the authenticator that both ceremonies have in common.
fn authenticator<'a>(bytes: &'a [u8], expected: &Expected<'_>) -> Result<AuthenticatorData<'a>, Refused> {
    let data = AuthenticatorData::parse(bytes).ok_or(Refused::Malformed("the authenticator data has the wrong form"))?;
    if data.rp_id_hash != digest::digest(&digest::SHA256, expected.rp_id.as_bytes()).as_ref() {
        return Err(Refused::Failed("The passkey belongs to another site."));
    }
    if !data.user_present() {
        return Err(Refused::Failed("Nobody touched the authenticator."));
    }
    if data.backed_up() && !data.backup_eligible() {
        return Err(Refused::Failed("The authenticator contradicts itself on backups."));
    }
    Ok(data)
}

/// Checks a new credential (WebAuthn, section 7.1). No attestation is asked for; what comes of it unasked is not looked at.
pub(super) fn registration(expected: &Expected<'_>, json: &str) -> Result<Registered, Refused> {
    let credential: Credential<Attestation> = read(json)?;
    client_data(&credential.response.client_data, "webauthn.create", expected)?;
    let object = decode(&credential.response.attestation_object)?;
    let bytes = auth_data(&object).ok_or(Refused::Malformed("the attestation object has the wrong form"))?;
    let data = authenticator(&bytes, expected)?;
    let made = data.attested.as_ref().ok_or(Refused::Malformed("the attestation object holds no credential"))?;
    if B64.encode(made.credential_id) != credential.raw_id {
        return Err(Refused::Failed("The authenticator made another credential than the browser says."));
    }
    if PublicKey::parse(made.public_key).is_none() {
        return Err(Refused::Failed("The passkey's key is none of the kinds that were asked for."));
    }
    let mut transports = credential.response.transports;
    transports
        .retain(|name| (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'0'..=b'9')));
    transports.truncate(8);
    Ok(Registered {
        credential_id: credential.raw_id,
        public_key: made.public_key.to_vec(),
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        transports,
    })
}

/// The authenticator data inside an attestation object (WebAuthn, section 6.5.4).
fn auth_data(object: &[u8]) -> Option<Vec<u8>> {
    let mut rest = object;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, 8).ok()?;
    let fields = value.into_map().ok().filter(|_| rest.is_empty())?;
    let mut found = fields.into_iter().filter(|(name, _)| name.as_text() == Some("authData"));
    let only = found.next()?.1.into_bytes().ok()?;
    found.next().is_none().then_some(only)
}

/// A signature that was read and not yet checked.
pub(super) struct Assertion {
    /// Which credential it says it is of, base64url.
    pub credential_id: String,
    /// The user that the authenticator knows the credential by.
    pub user_handle: Option<Vec<u8>>,
    response: Signature,
}

impl Assertion {
    /// Reads it.
    pub(super) fn read(json: &str) -> Result<Self, Refused> {
        let credential: Credential<Signature> = read(json)?;
        let handle = credential.response.user_handle.as_deref().filter(|text| !text.is_empty());
        Ok(Self { credential_id: credential.raw_id, user_handle: handle.map(decode).transpose()?, response: credential.response })
    }

    /// Checks it (WebAuthn, section 7.2, from the client data on).
    pub(super) fn check(&self, expected: &Expected<'_>, known: &Known<'_>) -> Result<Asserted, Refused> {
        let hash = client_data(&self.response.client_data, "webauthn.get", expected)?;
        let bytes = decode(&self.response.authenticator_data)?;
        let data = authenticator(&bytes, expected)?;
        if data.backup_eligible() != known.backup_eligible {
            return Err(Refused::Failed("The passkey is not the one that was registered."));
        }
        let signature = decode(&self.response.signature)?;
        let key = PublicKey::parse(known.public_key).ok_or(Refused::Failed("The passkey's key is of no use any more."))?;
        if !key.verifies(&[bytes.as_slice(), &hash].concat(), &signature) {
            return Err(Refused::Failed("The passkey's signature is wrong."));
        }
        if (data.sign_count, known.sign_count) != (0, 0) && data.sign_count <= known.sign_count {
            return Err(Refused::Failed("The passkey's counter went back: there may be a copy of it."));
        }
        Ok(Asserted { sign_count: data.sign_count, user_verified: data.user_verified(), backed_up: data.backed_up() })
    }
}
