use crate::endpoint::{Raw, request};
use crate::resource::resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// Where webhook endpoints are managed.
    SvixUrl {
        /// The address; good once, for ten minutes.
        svix_url: String,
    }
}

request! {
    /// Nothing.
    CreateSvixApp {} => SvixUrl; Backend POST "/v1/webhooks/svix" "CreateSvixApp";
    "Webhooks", SecretKey, Backend, Bare; "Say that the instance uses webhooks."
}
request! {
    /// Nothing.
    DeleteSvixApp {} => Raw; Backend DELETE "/v1/webhooks/svix" "DeleteSvixApp";
    "Webhooks", SecretKey, Backend, Raw; "Remove every webhook endpoint of the instance."
}
request! {
    /// Nothing.
    GenerateSvixAuthUrl {} => SvixUrl; Backend POST "/v1/webhooks/svix_url" "GenerateSvixAuthURL";
    "Webhooks", SecretKey, Backend, Bare; "Make an address under which the endpoints are managed."
}
