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
    }

    /// Where the Frontend API of the instance answers.
    Domain {
        /// `domain`.
        object: String,
        /// Its id.
        id: String,
        /// The domain's name; on development instances a host and its port.
        name: String,
        /// Always false: an instance has one domain.
        is_satellite: bool,
        /// The address of the Frontend API.
        frontend_api_url: String,
        /// The address of the account pages.
        accounts_portal_url: Option<String>,
        /// The address of a proxy in front of the Frontend API.
        proxy_url: Option<String>,
        /// Where the app runs on development instances; empty: anywhere on the same machine.
        development_origin: String,
    }

    /// A list of domains.
    Domains {
        /// The domains.
        data: Vec<Domain>,
        /// How many there are.
        total_count: i64,
    }

    /// What a proxy answered.
    ProxyCheck {
        /// `proxy_check`.
        object: String,
        /// The check's id.
        id: String,
        /// The domain.
        domain_id: String,
        /// When it was asked.
        last_run_at: Option<Timestamp>,
        /// The proxy's address.
        proxy_url: String,
        /// Whether the Frontend API was reached through it.
        successful: bool,
        /// When it was asked.
        created_at: Timestamp,
        /// When it was asked.
        updated_at: Timestamp,
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
        /// Whether test addresses and numbers have a fixed code.
        test_mode: Option<bool>,
    } => InstanceSettings; Backend PATCH "/v1/beta_features/instance_settings" "UpdateInstanceAuthConfig";
    "Beta Features", SecretKey, Backend, Bare; "Change settings of the instance that may change without notice."
}
request! {
    /// No parameters.
    ListDomains {} => Domains; Backend GET "/v1/domains" "ListDomains";
    "Domains", SecretKey, Backend, Bare; "List the domains of the instance."
}
request! {
    /// Changes a domain.
    UpdateDomain {
        /// The domain.
        domain_id: String,
        /// The address of a proxy in front of the Frontend API; empty or null for none. Production instances only.
        #[serde(default, deserialize_with = "crate::endpoint::present", skip_serializing_if = "Option::is_none")]
        proxy_url: Option<Option<String>>,
    } => Domain; Backend PATCH "/v1/domains/{domain_id}" "UpdateDomain";
    "Domains", SecretKey, Backend, Bare; "Change a domain of the instance."
}
request! {
    /// Asks a proxy whether it reaches the Frontend API.
    CheckProxy {
        /// The domain; the instance's own by default.
        domain_id: Option<String>,
        /// The proxy's address.
        proxy_url: Option<String>,
    } => ProxyCheck; Backend POST "/v1/proxy_checks" "VerifyDomainProxy";
    "Proxy Checks", SecretKey, Backend, Bare; "Check a proxy in front of the Frontend API."
}
