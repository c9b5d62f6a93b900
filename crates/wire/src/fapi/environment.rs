use crate::endpoint::request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an app may know of its instance before anybody signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Environment(pub crate::Object);

request! {
    /// No parameters.
    GetEnvironment {} => Environment; Frontend GET "/v1/environment" "getEnvironment";
    "Environment", Client, Frontend, Bare; "What an app may know of its instance."
}
request! {
    /// No parameters.
    UpdateEnvironment {} => Environment; Frontend PATCH "/v1/environment" "updateEnvironment";
    "Environment", Client, Frontend, Bare; "The same: development SDKs ask in this form."
}
