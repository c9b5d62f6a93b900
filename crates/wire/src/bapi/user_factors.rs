use crate::endpoint::request;
use crate::resource::{User, resource};
use doorward_base::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// What a code of a second factor was.
    VerifiedFactor {
        /// It was right.
        verified: bool,
        /// `totp` or `backup_code`.
        code_type: String,
    }

    /// Whose factors were removed.
    UserFactorsRemoved {
        /// The user.
        user_id: UserId,
    }
}

request! {
    /// Takes a user's password away.
    RemoveUserPassword {
        /// The user.
        user_id: UserId,
        /// Whether that ends the user's sessions.
        sign_out_of_other_sessions: Option<bool>,
    } => User; Backend POST "/v1/users/{user_id}/remove_password" "RemoveUserPassword";
    "Users", SecretKey, Backend, Bare; "Remove a user's password, even when it is the only way in."
}
request! {
    /// Checks a second factor without a sign-in.
    VerifyUserTotp {
        /// The user.
        user_id: UserId,
        /// A code of the authenticator app, or a backup code, which is used up by it.
        code: Option<String>,
    } => VerifiedFactor; Backend POST "/v1/users/{user_id}/verify_totp" "VerifyTOTP";
    "Users", SecretKey, Backend, Bare; "Check a code of a user's authenticator app, or a backup code."
}
request! {
    /// Names a user.
    DisableUserMfa {
        /// The user.
        user_id: UserId,
    } => UserFactorsRemoved; Backend DELETE "/v1/users/{user_id}/mfa" "DisableMFA";
    "Users", SecretKey, Backend, Bare; "Remove all second factors of a user."
}
request! {
    /// Names a user.
    DeleteUserBackupCodes {
        /// The user.
        user_id: UserId,
    } => UserFactorsRemoved; Backend DELETE "/v1/users/{user_id}/backup_code" "DeleteBackupCode";
    "Users", SecretKey, Backend, Bare; "Remove a user's backup codes."
}
request! {
    /// Names a user.
    DeleteUserTotp {
        /// The user.
        user_id: UserId,
    } => UserFactorsRemoved; Backend DELETE "/v1/users/{user_id}/totp" "DeleteTOTP";
    "Users", SecretKey, Backend, Bare; "Remove a user's authenticator app."
}
