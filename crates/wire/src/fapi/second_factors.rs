use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// An authenticator app (RFC 6238). The secret is there once, when it is made.
    Totp {
        /// `totp`.
        object: String,
        /// Its id.
        id: TotpId,
        /// The shared secret, base32.
        secret: Option<String>,
        /// The same as an `otpauth:` address.
        uri: Option<String>,
        /// Whether a code of it was seen.
        verified: bool,
        /// The first backup codes, when they were made with it.
        backup_codes: Option<Vec<String>>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A set of backup codes, shown once.
    BackupCodes {
        /// `backup_code`.
        object: String,
        /// The set's id.
        id: BackupCodesId,
        /// The codes; each works once.
        codes: Vec<String>,
        /// When they were made.
        created_at: Timestamp,
        /// The same time.
        updated_at: Timestamp,
    }
}

request! {
    /// No parameters.
    CreateTotp {} => Totp; Frontend POST "/v1/me/totp" "postTOTP";
    "TOTP", AnySession, Frontend, WithClient; "Begin to enrol an authenticator app."
}
request! {
    /// Proves the enrolment.
    VerifyTotp {
        /// The code that the app shows.
        code: Option<String>,
    } => Totp; Frontend POST "/v1/me/totp/attempt_verification" "verifyTOTP";
    "TOTP", AnySession, Attempt, WithClient; "Prove that an authenticator app is enrolled."
}
request! {
    /// No parameters.
    DeleteTotp {} => DeletedObject; Frontend DELETE "/v1/me/totp" "deleteTOTP";
    "TOTP", Session, Frontend, WithClient; "Remove the authenticator app."
}
request! {
    /// No parameters.
    CreateBackupCodes {} => BackupCodes; Frontend POST "/v1/me/backup_codes" "createBackupCodes";
    "Backup Codes", AnySession, Frontend, WithClient; "Make a new set of backup codes."
}
