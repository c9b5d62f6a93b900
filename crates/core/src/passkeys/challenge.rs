use super::STRATEGY;
use super::ceremony::Expected;
use crate::app::{Caller, Scope};
use crate::verification::{self, LIFETIME_MS, NewCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::*;
use doorward_store::passkeys::PasskeyRecord;
use doorward_store::verifications::VerificationRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who asks, as browsers and the systems of phones see it.
pub(super) struct RelyingParty {
    /// What is asked: the page, by its origin, or one of the instance's apps.
    pub origins: Vec<String>,
    /// What passkeys are bound to: the domain that all the app's hosts share, else the page's own host.
    pub id: String,
}

impl RelyingParty {
    /// The gateway let through no origin that the instance does not allow.
    ///
    /// # Errors
    /// `origin_missing` where the instance has no apps that ask without one; `origin_invalid` for a page that is on no domain, for browsers have no passkeys there.
    pub(super) fn of(scope: &Scope, caller: &Caller) -> Result<Self, ApiError> {
        let Some(origin) = caller.origin.clone() else { return Self::of_apps(scope) };
        let parsed = url::Url::parse(&origin).map_err(|_| codes::ORIGIN_INVALID)?;
        let Some(url::Host::Domain(host)) = parsed.host() else {
            return Err(ApiError::new(codes::ORIGIN_INVALID).long("Passkeys work on pages of a domain name only."));
        };
        let shared = scope.instance.settings.cookie_domain.as_deref().map(str::to_ascii_lowercase);
        let id = shared.filter(|domain| is_within(host, domain)).unwrap_or_else(|| host.to_owned());
        Ok(Self { origins: vec![origin], id })
    }

    /// Apps are let use the passkeys of the site that names them under `/.well-known`. Apple's systems name that site as the origin,
    /// Android the certificate that signs the app.
    fn of_apps(scope: &Scope) -> Result<Self, ApiError> {
        let settings = &scope.instance.settings;
        let native = &settings.native;
        if native.apple_apps.is_empty() && native.android_apps.is_empty() {
            return Err(codes::ORIGIN_MISSING.into());
        }
        let frontend = url::Url::parse(&scope.instance.frontend_url()).map_err(ApiError::internal)?;
        let id = settings.cookie_domain.as_deref().or(frontend.host_str()).unwrap_or_default().to_ascii_lowercase();
        let apple = (!native.apple_apps.is_empty()).then(|| format!("https://{id}"));
        let android = native.android_apps.iter().flat_map(|app| &app.sha256_cert_fingerprints).filter_map(|text| key_hash(text));
        Ok(Self { origins: apple.into_iter().chain(android).collect(), id })
    }
}

/// How Android names an app whose certificate has this fingerprint
/// (<https://developer.android.com/identity/credential-manager/prerequisites>).
fn key_hash(fingerprint: &str) -> Option<String> {
    let bytes = data_encoding::HEXUPPER_PERMISSIVE.decode(fingerprint.replace(':', "").as_bytes()).ok()?;
    Some(format!("android:apk-key-hash:{}", B64.encode(bytes)))
}

pub(super) fn is_within(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|sub| sub.ends_with('.'))
}

/// What an answer has to fit to. It is kept sealed, for the page must not be able to choose it.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    challenge: String,
    origins: Vec<String>,
    rp_id: String,
}

impl Asked {
    pub(super) fn expected(&self) -> Expected<'_> {
        Expected { challenge: &self.challenge, origins: &self.origins, rp_id: &self.rp_id }
    }

    pub(super) fn rp_id(&self) -> &str {
        &self.rp_id
    }
}

/// Makes a challenge. `owner` is what it belongs to, `target` whose it is, as far as that is known; `options` are those of the
/// browser's call, without what they all have.
pub(super) fn issue(scope: &Scope, rp: RelyingParty, owner: &str, target: &str, mut options: Value) -> Result<NewCode, ApiError> {
    let challenge = B64.encode(scope.app.rng.bytes::<32>());
    options["challenge"] = json!(challenge);
    options["timeout"] = json!(LIFETIME_MS);
    let asked = Asked { challenge, origins: rp.origins, rp_id: rp.id };
    verification::new_challenge(scope, owner, STRATEGY, target, options.to_string(), asked)
}

/// Takes the only try of a challenge.
pub(super) async fn take(scope: &Scope, id: &VerificationId, owner: &str) -> Result<(VerificationRecord, Asked), ApiError> {
    verification::take_challenge(scope, id, owner, STRATEGY).await.map(|(record, challenge)| (record, challenge.expects))
}

/// A credential as browsers are told of it (WebAuthn, section 5.8.3).
pub(super) fn descriptor(it: &PasskeyRecord) -> Value {
    let transports: Vec<String> = serde_json::from_str(&it.transports).unwrap_or_default();
    json!({"type": "public-key", "id": it.credential_id, "transports": transports})
}
