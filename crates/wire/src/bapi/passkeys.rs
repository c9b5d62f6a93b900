use crate::endpoint::request;
use crate::resource::DeletedObject;
use doorward_base::{PasskeyId, UserId};

request! {
    /// Names a passkey of a user.
    DeleteUserPasskey {
        /// The user.
        user_id: UserId,
        /// The passkey.
        passkey_identification_id: PasskeyId,
    } => DeletedObject; Backend DELETE "/v1/users/{user_id}/passkeys/{passkey_identification_id}" "UserPasskeyDelete";
    "Users", SecretKey, Backend, Bare; "Remove a user's passkey."
}
