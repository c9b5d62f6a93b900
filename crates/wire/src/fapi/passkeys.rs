use crate::endpoint::request;
use crate::resource::{DeletedObject, Passkey};
use doorward_base::PasskeyId;

request! {
    /// No parameters.
    CreateMyPasskey {} => Passkey; Frontend POST "/v1/me/passkeys" "postPasskey";
    "Passkeys", Session, Frontend, WithClient; "Begin to register a passkey."
}
request! {
    /// Proves that the passkey was made.
    AttemptMyPasskey {
        /// The passkey.
        passkey_id: PasskeyId,
        /// `passkey`.
        strategy: Option<String>,
        /// The browser's `PublicKeyCredential`, as a JSON text (WebAuthn, section 5.1).
        public_key_credential: Option<String>,
    } => Passkey; Frontend POST "/v1/me/passkeys/{passkey_id}/attempt_verification" "attemptPasskeyVerification";
    "Passkeys", Session, Attempt, WithClient; "Register the passkey that the browser made."
}
request! {
    /// Names a passkey of the signed-in user.
    GetMyPasskey {
        /// The passkey.
        passkey_id: PasskeyId,
    } => Passkey; Frontend GET "/v1/me/passkeys/{passkey_id}" "readPasskey";
    "Passkeys", Session, Frontend, WithClient; "Get a passkey."
}
request! {
    /// Changes a passkey.
    UpdateMyPasskey {
        /// The passkey.
        passkey_id: PasskeyId,
        /// A name for people.
        name: Option<String>,
    } => Passkey; Frontend PATCH "/v1/me/passkeys/{passkey_id}" "patchPasskey";
    "Passkeys", Session, Frontend, WithClient; "Give a passkey another name."
}
request! {
    /// Names a passkey of the signed-in user.
    DeleteMyPasskey {
        /// The passkey.
        passkey_id: PasskeyId,
    } => DeletedObject; Frontend DELETE "/v1/me/passkeys/{passkey_id}" "deletePasskey";
    "Passkeys", Session, Frontend, WithClient; "Remove a passkey."
}
