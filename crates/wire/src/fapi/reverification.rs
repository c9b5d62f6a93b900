use super::{Factor, Session};
use crate::endpoint::request;
use crate::resource::{Verification, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A renewed proof of who is signed in.
    SessionReverification {
        /// `session_reverification`.
        object: String,
        /// `needs_first_factor`, `needs_second_factor` or `complete`.
        status: String,
        /// `first_factor`, `second_factor` or `multi_factor`.
        level: String,
        /// The session that it is about.
        session: Session,
        /// How far the first factor is.
        first_factor_verification: Option<Verification>,
        /// How far the second factor is.
        second_factor_verification: Option<Verification>,
        /// What this user can do first.
        supported_first_factors: Option<Vec<Factor>>,
        /// What this user can do second.
        supported_second_factors: Option<Vec<Factor>>,
    }
}

request! {
    /// Begins a reverification. It takes the place of the one before.
    StartReverification {
        /// The session.
        session_id: SessionId,
        /// `first_factor`, `second_factor` or `multi_factor`. Who has no second factor proves the first one.
        level: Option<String>,
    } => SessionReverification; Frontend POST "/v1/client/sessions/{session_id}/verify" "startSessionReverification";
    "Sessions", Client, Frontend, WithClient; "Begin to prove once more who is signed in."
}
request! {
    /// Sends a code.
    PrepareReverificationFirstFactor {
        /// The session.
        session_id: SessionId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The address to send to.
        email_address_id: Option<String>,
        /// The number to send to.
        phone_number_id: Option<String>,
    } => SessionReverification;
    Frontend POST "/v1/client/sessions/{session_id}/verify/prepare_first_factor" "prepareSessionReverificationFirstFactor";
    "Sessions", Client, Send, WithClient; "Prepare the first factor of a reverification."
}
request! {
    /// Proves the first factor.
    AttemptReverificationFirstFactor {
        /// The session.
        session_id: SessionId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The code that was sent.
        code: Option<String>,
        /// The password.
        password: Option<String>,
        /// A passkey's answer, as a JSON text.
        public_key_credential: Option<String>,
    } => SessionReverification;
    Frontend POST "/v1/client/sessions/{session_id}/verify/attempt_first_factor" "attemptSessionReverificationFirstFactor";
    "Sessions", Client, Attempt, WithClient; "Prove the first factor of a reverification."
}
request! {
    /// Sends a code for the second factor.
    PrepareReverificationSecondFactor {
        /// The session.
        session_id: SessionId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The number to send to.
        phone_number_id: Option<String>,
    } => SessionReverification;
    Frontend POST "/v1/client/sessions/{session_id}/verify/prepare_second_factor" "prepareSessionReverificationSecondFactor";
    "Sessions", Client, Send, WithClient; "Prepare the second factor of a reverification."
}
request! {
    /// Proves the second factor.
    AttemptReverificationSecondFactor {
        /// The session.
        session_id: SessionId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The code.
        code: Option<String>,
    } => SessionReverification;
    Frontend POST "/v1/client/sessions/{session_id}/verify/attempt_second_factor" "attemptSessionReverificationSecondFactor";
    "Sessions", Client, Attempt, WithClient; "Prove the second factor of a reverification."
}

/// The operations that change who gets into an account: an instance may ask for a proof of presence before each. So it may before
/// `patchUser`, where that changes the user name or a primary identifier, and `UpdatePhoneNumber`, where that makes a second factor.
pub const SENSITIVE: &[&str] = &[
    "deleteUser",
    "changePassword",
    "removePassword",
    "createEmailAddresses",
    "DeleteEmailAddress",
    "postPhoneNumbers",
    "DeletePhoneNumber",
    "postWeb3Wallets",
    "deleteWeb3Wallet",
    "postOAuthAccounts",
    "deleteExternalAccount",
    "postPasskey",
    "deletePasskey",
    "prepareTrustedDevice",
    "attemptTrustedDevice",
    "postTOTP",
    "deleteTOTP",
    "createBackupCodes",
];
