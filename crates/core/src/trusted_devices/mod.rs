//! Trusted devices: native apps hold a key for their user and sign in by it, with nothing else to enter. The key is on P-256,
//! enrolled by who is signed in, and signs a text of ours each time (ECDSA with SHA-256).

mod key;
mod prove;
#[cfg(test)]
mod tests;

pub(crate) use prove::{ask, find, prove};

use crate::app::{Scope, internal};
use crate::sign_in::filled;
use crate::{users, verification};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::*;
use doorward_store::trusted_devices::{self as store, TrustedDeviceRecord};
use doorward_store::verifications;
use doorward_wire::fapi::{AttemptTrustedDevice, PrepareTrustedDevice};
use doorward_wire::resource::{TrustedDevice, TrustedDeviceChallenge};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The name on the wire.
pub(crate) const STRATEGY: &str = "trusted_device";
/// The only algorithm.
const ALGORITHM: &str = "ES256";
/// How many devices a user may have.
const MAX_DEVICES: usize = 20;
/// The most characters of a key.
const MAX_KEY: usize = 2048;

/// What is being enrolled: the answer has to be of the same.
#[derive(PartialEq, Serialize, Deserialize)]
struct Enrolment {
    platform: String,
    app_identifier: String,
    name: Option<String>,
    public_key: Vec<u8>,
}

fn needed<'a>(text: &'a Option<String>, param: &str) -> Result<&'a str, ApiError> {
    filled(text.as_deref()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(param))
}

fn refuse_when_off(scope: &Scope) -> Result<(), ApiError> {
    if scope.instance.settings.native.trusted_devices { Ok(()) } else { Err(codes::FEATURE_NOT_ENABLED.into()) }
}

impl Enrolment {
    fn read(req: &PrepareTrustedDevice) -> Result<Self, ApiError> {
        let invalid = |param: &str| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param);
        let platform = needed(&req.platform, "platform")?;
        if !matches!(platform, "ios" | "android") {
            return Err(invalid("platform"));
        }
        if needed(&req.algorithm, "algorithm")? != ALGORITHM {
            return Err(invalid("algorithm"));
        }
        let app_identifier = needed(&req.app_identifier, "app_identifier")?;
        users::check_name(Some(app_identifier), "app_identifier")?;
        let name = filled(req.name.as_deref());
        users::check_name(name, "name")?;
        let jwk = needed(&req.public_key_jwk, "public_key_jwk")?;
        let public_key = key::read(jwk).filter(|_| jwk.len() <= MAX_KEY);
        Ok(Self {
            platform: platform.to_owned(),
            app_identifier: app_identifier.to_owned(),
            name: name.map(str::to_owned),
            public_key: public_key.ok_or_else(|| ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("public_key_jwk"))?,
        })
    }
}

/// What a key is to sign: what for, by which app, and 256 random bits.
fn client_data(scope: &Scope, kind: &str, app_identifier: &str, challenge: &str) -> String {
    let issuer = scope.instance.frontend_url();
    json!({"type": kind, "challenge": challenge, "app_identifier": app_identifier, "issuer": issuer}).to_string()
}

/// The random bits in a text that a key signs.
fn challenge_in(client_data: &str) -> Option<String> {
    let said: serde_json::Value = serde_json::from_str(client_data).ok()?;
    said["challenge"].as_str().map(str::to_owned)
}

fn challenge_view(record: &verifications::VerificationRecord, device: Option<&str>, client_data: &str) -> TrustedDeviceChallenge {
    TrustedDeviceChallenge {
        object: "trusted_device_challenge".to_owned(),
        challenge: challenge_in(client_data).unwrap_or_default(),
        challenge_id: record.id.as_str().to_owned(),
        trusted_device_id: device.map(str::to_owned),
        client_data: client_data.to_owned(),
        expires_at: record.expire_at,
        algorithm: ALGORITHM.to_owned(),
    }
}

/// The challenge of a sign-in, as it shows beside its verification.
pub(crate) fn shown(record: &verifications::VerificationRecord, client_data: &str) -> TrustedDeviceChallenge {
    challenge_view(record, Some(&record.target_id), client_data)
}

/// Begins an enrolment. Several may be under way: each answer has its challenge in it.
///
/// # Errors
/// `feature_not_enabled`, the `form_*` codes naming the parameter, `quota_exceeded`.
pub async fn prepare(scope: &Scope, user: &UserId, req: &PrepareTrustedDevice) -> Result<TrustedDeviceChallenge, ApiError> {
    refuse_when_off(scope)?;
    let enrolment = Enrolment::read(req)?;
    if store::of_user(scope.db(), scope.ins(), user).await.map_err(internal)?.len() >= MAX_DEVICES {
        return Err(codes::QUOTA_EXCEEDED.into());
    }
    let challenge = B64.encode(scope.app.rng.bytes::<32>());
    let text = client_data(scope, "trusted_device.enroll", &enrolment.app_identifier, &challenge);
    let code = verification::new_challenge(scope, &challenge, STRATEGY, user.as_str(), text.clone(), enrolment)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    Ok(challenge_view(&code.record, None, &text))
}

/// Enrols a device.
///
/// # Errors
/// As [`prepare`], `verification_missing`, `verification_failed`, `verification_expired`, `form_incorrect_signature`.
pub async fn attempt(scope: &Scope, user: &UserId, req: &AttemptTrustedDevice) -> Result<TrustedDevice, ApiError> {
    refuse_when_off(scope)?;
    let enrolment = Enrolment::read(&PrepareTrustedDevice {
        platform: req.platform.clone(),
        app_identifier: req.app_identifier.clone(),
        name: req.name.clone(),
        algorithm: req.algorithm.clone(),
        public_key_jwk: req.public_key_jwk.clone(),
    })?;
    let client_data = needed(&req.client_data, "client_data")?;
    let signature = prove::signature(req.signature.as_deref())?;
    let challenge = challenge_in(client_data).ok_or_else(|| ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("client_data"))?;
    let begun = verifications::latest_of(scope.db(), scope.ins(), &challenge).await.map_err(internal)?;
    let begun = begun.filter(|it| it.target_id == user.as_str()).ok_or(codes::VERIFICATION_MISSING)?;
    let (taken, asked) = verification::take_challenge::<Enrolment>(scope, &begun.id, &challenge, STRATEGY).await?;
    let same = Enrolment { name: asked.expects.name.clone(), ..enrolment } == asked.expects && asked.shown == client_data;
    if !same || !key::verifies(&asked.expects.public_key, client_data, &signature) {
        return Err(ApiError::new(codes::FORM_INCORRECT_SIGNATURE).param("signature").long("The signature is not one of this key."));
    }
    let record = TrustedDeviceRecord {
        id: TrustedDeviceId::new(scope.now, &scope.app.rng),
        user_id: user.clone(),
        platform: asked.expects.platform,
        app_identifier: asked.expects.app_identifier,
        name: asked.expects.name,
        public_key: asked.expects.public_key,
        last_used_at: None,
        revoked_at: None,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    verification::consume(scope, &mut tx, &taken.id).await?;
    store::insert(&mut tx, scope.ins(), &record).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(view(&record))
}

/// A user's devices that are not revoked.
///
/// # Errors
/// Only failures of ours.
pub async fn list(scope: &Scope, user: &UserId) -> Result<Vec<TrustedDevice>, ApiError> {
    Ok(store::of_user(scope.db(), scope.ins(), user).await.map_err(internal)?.iter().map(view).collect())
}

/// Revokes a device: it signs nobody in any more.
///
/// # Errors
/// `resource_not_found`.
pub async fn revoke(scope: &Scope, user: &UserId, id: &TrustedDeviceId) -> Result<TrustedDevice, ApiError> {
    let missing = || ApiError::not_found("Trusted device", id);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::revoke(&mut tx, scope.ins(), user, id, scope.now).await.map_err(internal)? {
        return Err(missing());
    }
    tx.commit().await.map_err(internal)?;
    store::get(scope.db(), scope.ins(), id).await.map_err(internal)?.as_ref().map(view).ok_or_else(missing)
}

/// Whether a device can be used to sign in.
///
/// # Errors
/// `form_param_missing`.
pub async fn is_valid(scope: &Scope, id: Option<&str>) -> Result<bool, ApiError> {
    let id = filled(id).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("trusted_device_id"))?;
    let found = store::get(scope.db(), scope.ins(), &id.into()).await.map_err(internal)?;
    Ok(scope.instance.settings.native.trusted_devices && found.is_some_and(|it| it.revoked_at.is_none()))
}

fn view(record: &TrustedDeviceRecord) -> TrustedDevice {
    TrustedDevice {
        object: "trusted_device".to_owned(),
        id: record.id.clone(),
        platform: record.platform.clone(),
        app_identifier: record.app_identifier.clone(),
        name: record.name.clone(),
        algorithm: ALGORITHM.to_owned(),
        status: if record.revoked_at.is_some() { "revoked" } else { "active" }.to_owned(),
        created_at: record.created_at,
        updated_at: record.updated_at,
        last_used_at: record.last_used_at,
        revoked_at: record.revoked_at,
    }
}
