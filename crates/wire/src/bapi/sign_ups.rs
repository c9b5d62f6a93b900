use crate::endpoint::{present, request};
use crate::fapi::SignUp;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

request! {
    /// Names a sign-up.
    GetServerSignUp {
        /// The attempt.
        id: SignUpId,
    } => SignUp; Backend GET "/v1/sign_ups/{id}" "GetSignUp";
    "Sign Ups", SecretKey, Backend, Bare; "Get a sign-up."
}

/// Changes a sign-up.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct UpdateServerSignUp {
    /// The attempt.
    pub id: SignUpId,
    /// The app's own id, which the user gets. Null removes it.
    #[serde(default, deserialize_with = "present")]
    pub external_id: Option<Option<String>>,
    /// Kept, and shown to the app's own pages.
    pub custom_action: Option<bool>,
}
crate::endpoint::endpoint!(UpdateServerSignUp => SignUp; Backend PATCH "/v1/sign_ups/{id}" "UpdateSignUp";
    "Sign Ups", SecretKey, Backend, Bare; "Change a sign-up.");
