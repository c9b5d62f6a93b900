use crate::endpoint::request;
use crate::resource::resource;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// The instance of a secret key.
    InstanceInfo {
        /// `instance`.
        object: String,
        /// Its id.
        id: InstanceId,
        /// `development` or `production`.
        environment_type: String,
        /// Origins from which browsers may call.
        allowed_origins: Vec<String>,
        /// There are none: always null.
        workspace_id: Option<String>,
    }

    /// Where text messages do not go.
    InstanceCommunication {
        /// `instance_communication`.
        object: String,
        /// The countries whose numbers are refused: two letters each (ISO 3166-1).
        blocked_country_codes: Vec<String>,
    }

    /// Settings of the instance that may change without notice.
    InstanceSettings {
        /// `instance_settings`.
        object: String,
        /// The instance's id.
        id: InstanceId,
        /// Whether only what is on the allow list may sign up.
        restricted_to_allowlist: bool,
        /// What stands before the `@` of the sender's address of mails; empty for what the operator chose.
        from_email_address: String,
        /// Always true: a sign-up goes step by step.
        progressive_sign_up: bool,
        /// Never: mail goes the operator's way.
        enhanced_email_deliverability: bool,
    }
}

request! {
    /// No parameters.
    GetInstance {} => InstanceInfo; Backend GET "/v1/instance" "GetInstance";
    "Instance Settings", SecretKey, Backend, Bare; "Get the instance."
}
request! {
    /// Changes settings. What is left out stays.
    UpdateInstance {
        /// Whether test addresses and numbers have a fixed code; on development instances they do unless it is false.
        test_mode: Option<bool>,
        /// Whether passwords that are known from breaches are refused.
        hibp: Option<bool>,
        /// Where users find help; empty for nowhere.
        support_email: Option<String>,
        /// Which version of the script apps are told to load; empty for the one that is served, which the operator chooses.
        clerk_js_version: Option<String>,
        /// Where the app is while it is developed: on development instances browsers may call from there, too. Empty for nowhere.
        development_origin: Option<String>,
        /// Taken without effect: on development instances sessions are always kept by addresses, which works in every browser.
        url_based_session_syncing: Option<bool>,
        /// Taken without effect, like `url_based_session_syncing`, whose older name it is.
        cookieless_dev: Option<bool>,
        /// Taken without effect: how mails reach people is up to the server that sends them, as the answer says.
        enhanced_email_deliverability: Option<bool>,
        /// Origins from which browsers may call, all of them.
        allowed_origins: Option<Vec<String>>,
        /// What sign-in pages ask for first where there are passwords: `password`, `otp`, or empty for the default.
        preferred_sign_in_strategy_when_password_required: Option<String>,
    } => (); Backend PATCH "/v1/instance" "UpdateInstance";
    "Instance Settings", SecretKey, Backend, Nothing; "Change settings of the instance."
}
request! {
    /// No parameters.
    GetInstanceCommunication {} => InstanceCommunication; Backend GET "/v1/instance/communication" "GetInstanceCommunication";
    "Instance Settings", SecretKey, Backend, Bare; "Where text messages do not go."
}
request! {
    /// Says where text messages do not go.
    UpdateInstanceCommunication {
        /// The countries, all of them: two capital letters each (ISO 3166-1). Those that are no countries are passed over.
        blocked_country_codes: Option<Vec<String>>,
    } => InstanceCommunication; Backend PATCH "/v1/instance/communication" "UpdateInstanceCommunication";
    "Instance Settings", SecretKey, Backend, Bare; "Say where text messages do not go."
}
request! {
    /// Changes settings that may change without notice.
    UpdateInstanceSettings {
        /// Whether only what is on the allow list may sign up.
        restricted_to_allowlist: Option<bool>,
        /// Whether test addresses and numbers have a fixed code.
        test_mode: Option<bool>,
        /// What stands before the `@` of the sender's address of mails, letters and digits; empty for what the operator chose.
        from_email_address: Option<String>,
        /// Taken without effect: a sign-up always goes step by step, as the answer says.
        progressive_sign_up: Option<bool>,
        /// Taken without effect: how mails reach people is up to the server that sends them, as the answer says.
        enhanced_email_deliverability: Option<bool>,
    } => InstanceSettings; Backend PATCH "/v1/beta_features/instance_settings" "UpdateInstanceAuthConfig";
    "Beta Features", SecretKey, Backend, Bare; "Change settings of the instance that may change without notice."
}
