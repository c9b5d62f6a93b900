use crate::endpoint::request;
use crate::resource::{TrustedDevice, TrustedDeviceChallenge, resource};
use doorward_base::TrustedDeviceId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// Whether a device can be used.
    TrustedDeviceValidation {
        /// `trusted_device_validation`.
        object: String,
        /// It can.
        valid: bool,
    }
}

request! {
    /// Names a device that an app holds the key of.
    ValidateTrustedDevice {
        /// The device.
        trusted_device_id: Option<String>,
    } => TrustedDeviceValidation; Frontend POST "/v1/client/trusted_devices/validate" "validateTrustedDevice";
    "Trusted Devices", Client, Attempt, WithClient; "Whether an app's key still signs its user in."
}
request! {
    /// No parameters.
    ListTrustedDevices {} => Vec<TrustedDevice>; Frontend GET "/v1/me/trusted_devices" "listTrustedDevices";
    "Trusted Devices", Session, Frontend, WithClient; "List the signed-in user's trusted devices."
}
request! {
    /// Begins an enrolment.
    PrepareTrustedDevice {
        /// `ios` or `android`.
        platform: Option<String>,
        /// The bundle or package of the app.
        app_identifier: Option<String>,
        /// A name for people.
        name: Option<String>,
        /// `ES256`.
        algorithm: Option<String>,
        /// The public key, a JWK (RFC 7517) on P-256, as a JSON text.
        public_key_jwk: Option<String>,
    } => TrustedDeviceChallenge; Frontend POST "/v1/me/trusted_devices/prepare" "prepareTrustedDevice";
    "Trusted Devices", Session, Attempt, WithClient; "Get what an app's key signs to be enrolled."
}
request! {
    /// Enrols a device. All but the last two are as they were when it began.
    AttemptTrustedDevice {
        /// `ios` or `android`.
        platform: Option<String>,
        /// The bundle or package of the app.
        app_identifier: Option<String>,
        /// A name for people.
        name: Option<String>,
        /// `ES256`.
        algorithm: Option<String>,
        /// The public key.
        public_key_jwk: Option<String>,
        /// What was signed.
        client_data: Option<String>,
        /// The signature (ECDSA on P-256 with SHA-256), base64 or base64url.
        signature: Option<String>,
    } => TrustedDevice; Frontend POST "/v1/me/trusted_devices/attempt" "attemptTrustedDevice";
    "Trusted Devices", Session, Attempt, WithClient; "Enrol an app's key by its signature."
}
request! {
    /// Names a device of the signed-in user.
    RevokeTrustedDevice {
        /// The device.
        trusted_device_id: TrustedDeviceId,
    } => TrustedDevice; Frontend DELETE "/v1/me/trusted_devices/{trusted_device_id}" "revokeTrustedDevice";
    "Trusted Devices", Session, Frontend, WithClient; "Revoke a trusted device."
}
