use crate::endpoint::request;
use crate::resource::resource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// Settings of organizations. They are kept; there are no organizations yet.
    OrganizationSettings {
        /// `organization_settings`.
        object: String,
        /// Whether there are to be any.
        enabled: bool,
        /// How many members one has at most; 0 for any number.
        max_allowed_memberships: i64,
        /// How many roles there are at most.
        max_allowed_roles: i64,
        /// How many sets of roles there are at most.
        max_role_sets_allowed: i64,
        /// How many domains one has at most.
        max_allowed_domains: i64,
        /// How many permissions there are at most. It bounds nothing.
        max_allowed_permissions: i64,
        /// The role of whoever creates one.
        creator_role: String,
        /// Whether its admins may delete one.
        admin_delete_enabled: bool,
        /// Whether one has domains.
        domains_enabled: bool,
        /// Whether one has no slug.
        slug_disabled: bool,
        /// How those of a domain become members.
        domains_enrollment_modes: Vec<String>,
        /// Their role.
        domains_default_role: String,
        /// The set of roles of a new one.
        initial_role_set_key: Option<String>,
    }

    /// Settings of OAuth applications. They are kept; the instance is no provider yet.
    OAuthApplicationSettings {
        /// `oauth_application_settings`.
        object: String,
        /// Whether clients may register themselves (RFC 7591).
        dynamic_oauth_client_registration: bool,
        /// The scopes of a client that names none; null: those that the server has for it.
        default_scopes: Option<Vec<String>>,
        /// Whether access tokens are JWTs.
        oauth_jwt_access_tokens: bool,
        /// Whether documents of client metadata are announced.
        client_id_metadata_documents_advertised: bool,
        /// Whether clients with such a document are refused when they are new.
        client_id_metadata_documents_only_allow_pre_registered_clients: bool,
        /// Whether such clients are refused that were let in without being asked for.
        client_id_metadata_documents_block_implicitly_allowed_clients: bool,
    }

    /// Settings of a protection that the hosted service has. They are kept and change nothing here.
    InstanceProtect {
        /// `instance_protect`.
        object: String,
        /// Whether its rules are on.
        rules_enabled: bool,
        /// Whether its other part is on.
        specter_enabled: bool,
        /// Always false.
        checks_bypassed: bool,
    }
}

request! {
    /// No parameters.
    GetOrganizationSettings {} => OrganizationSettings; Backend GET "/v1/instance/organization_settings" "GetInstanceOrganizationSettings";
    "Instance Settings", SecretKey, Backend, Bare; "Settings of organizations."
}
request! {
    /// Changes settings of organizations. What is left out stays.
    UpdateOrganizationSettings {
        /// Whether there are to be any.
        enabled: Option<bool>,
        /// How many members one has at most; 0 for any number.
        max_allowed_memberships: Option<i64>,
        /// Whether its admins may delete one.
        admin_delete_enabled: Option<bool>,
        /// Whether one has domains.
        domains_enabled: Option<bool>,
        /// Whether one has no slug.
        slug_disabled: Option<bool>,
        /// How those of a domain become members: `manual_invitation`, `automatic_invitation`, `automatic_suggestion`.
        domains_enrollment_modes: Option<Vec<String>>,
        /// The role of who makes one. There are no roles of an id, so only an empty one is taken.
        creator_role_id: Option<String>,
        /// The role of those of a domain. There are no roles of an id, so only an empty one is taken.
        domains_default_role_id: Option<String>,
    } => OrganizationSettings; Backend PATCH "/v1/instance/organization_settings" "UpdateInstanceOrganizationSettings";
    "Instance Settings", SecretKey, Backend, Bare; "Change settings of organizations."
}
request! {
    /// No parameters.
    GetOAuthApplicationSettings {} => OAuthApplicationSettings; Backend GET "/v1/instance/oauth_application_settings" "GetInstanceOAuthApplicationSettings";
    "Instance Settings", SecretKey, Backend, Bare; "Settings of OAuth applications."
}
request! {
    /// Changes settings of OAuth applications. What is left out stays.
    UpdateOAuthApplicationSettings {
        /// Whether clients may register themselves (RFC 7591).
        dynamic_oauth_client_registration: Option<bool>,
        /// The scopes of a client that names none; null for those that the server has for it.
        #[serde(default, deserialize_with = "crate::endpoint::present", skip_serializing_if = "Option::is_none")]
        default_scopes: Option<Option<Vec<String>>>,
        /// Whether access tokens are JWTs.
        oauth_jwt_access_tokens: Option<bool>,
        /// Whether documents of client metadata are announced.
        client_id_metadata_documents_advertised: Option<bool>,
        /// Whether clients with such a document are refused when they are new.
        client_id_metadata_documents_only_allow_pre_registered_clients: Option<bool>,
        /// Whether such clients are refused that were let in without being asked for.
        client_id_metadata_documents_block_implicitly_allowed_clients: Option<bool>,
    } => OAuthApplicationSettings; Backend PATCH "/v1/instance/oauth_application_settings" "UpdateInstanceOAuthApplicationSettings";
    "Instance Settings", SecretKey, Backend, Bare; "Change settings of OAuth applications."
}
request! {
    /// No parameters.
    GetInstanceProtect {} => InstanceProtect; Backend GET "/v1/instance/protect" "GetInstanceProtect";
    "Instance Settings", SecretKey, Backend, Bare; "Settings of the hosted service's protection."
}
request! {
    /// Changes settings of that protection. What is left out stays.
    UpdateInstanceProtect {
        /// Whether its rules are on.
        rules_enabled: Option<bool>,
        /// Whether its other part is on.
        specter_enabled: Option<bool>,
    } => InstanceProtect; Backend PATCH "/v1/instance/protect" "UpdateInstanceProtect";
    "Instance Settings", SecretKey, Backend, Bare; "Change settings of the hosted service's protection."
}
