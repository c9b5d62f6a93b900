use crate::endpoint::Raw;
use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A record that the domain's DNS needs.
    CnameTarget {
        /// The host that is asked for.
        host: String,
        /// The host that it stands for.
        value: String,
        /// Whether nothing works without it.
        required: bool,
    }

    /// Where the Frontend API of the instance answers.
    Domain {
        /// `domain`.
        object: String,
        /// Its id.
        id: String,
        /// The domain's name; on development instances a host and its port.
        name: String,
        /// Whether it is another domain, whose apps share the users of the instance.
        is_satellite: bool,
        /// The address of the Frontend API.
        frontend_api_url: String,
        /// The address of the account pages; null for a satellite.
        accounts_portal_url: Option<String>,
        /// The address of a proxy in front of the Frontend API.
        proxy_url: Option<String>,
        /// Where the app runs on development instances; empty: anywhere on the same machine.
        development_origin: String,
        /// What a satellite's DNS needs. Nothing for the instance's own domain, whose DNS the operator keeps.
        cname_targets: Option<Vec<CnameTarget>>,
    }

    /// A list of domains.
    Domains {
        /// The domains, the instance's own one first.
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
    ListDomains {} => Domains; Backend GET "/v1/domains" "ListDomains";
    "Domains", SecretKey, Backend, Bare; "List the domains of the instance."
}
request! {
    /// Adds a satellite.
    AddDomain {
        /// The domain; on development instances with a port, if need be.
        name: Option<String>,
        /// Must be true: the instance has a domain of its own already.
        is_satellite: Option<bool>,
        /// The address of a proxy in front of its Frontend API. Production instances only.
        proxy_url: Option<String>,
    } => Domain; Backend POST "/v1/domains" "AddDomain";
    "Domains", SecretKey, Backend, Bare; "Add a satellite: another domain whose apps share the users of the instance."
}
request! {
    /// Changes a domain.
    UpdateDomain {
        /// The domain.
        domain_id: String,
        /// Its new name. That of the instance's own domain moves the instance, as `POST /v1/instance/change_domain` does.
        name: Option<String>,
        /// Whether a `www.` before the name of the instance's own domain counts; a satellite's name is taken as it is.
        is_secondary: Option<bool>,
        /// The address of a proxy in front of the Frontend API; empty or null for none. Production instances only.
        #[serde(default, deserialize_with = "crate::endpoint::present", skip_serializing_if = "Option::is_none")]
        proxy_url: Option<Option<String>>,
    } => Domain; Backend PATCH "/v1/domains/{domain_id}" "UpdateDomain";
    "Domains", SecretKey, Backend, Bare; "Change a domain of the instance."
}
request! {
    /// Removes a satellite.
    DeleteDomain {
        /// The domain.
        domain_id: String,
    } => DeletedObject; Backend DELETE "/v1/domains/{domain_id}" "DeleteDomain";
    "Domains", SecretKey, Backend, Bare; "Remove a satellite."
}
request! {
    /// Moves a production instance to another domain.
    ChangeDomain {
        /// The new address of the app.
        home_url: Option<String>,
        /// Whether a `www.` before the domain counts.
        is_secondary: Option<bool>,
    } => Raw; Backend POST "/v1/instance/change_domain" "ChangeProductionInstanceDomain";
    "Beta Features", SecretKey, Backend, Raw; "Move a production instance to another domain."
}
request! {
    /// Moves a production instance to another domain, under an older address.
    ChangeDomainBefore {
        /// The new address of the app.
        home_url: Option<String>,
        /// Whether a `www.` before the domain counts.
        is_secondary: Option<bool>,
    } => Raw; Backend PUT "/v1/beta_features/domain" "UpdateProductionInstanceDomain";
    "Beta Features", SecretKey, Backend, Raw; "Move a production instance to another domain."
}
request! {
    /// Moves a production instance to another domain, under the address that official SDKs for servers use.
    ChangeDomainOfSdks {
        /// The new address of the app.
        home_url: Option<String>,
        /// Whether a `www.` before the domain counts.
        is_secondary: Option<bool>,
    } => Raw; Backend POST "/v1/beta_features/change_domain" "ChangeDomain";
    "Beta Features", SecretKey, Backend, Raw; "Move a production instance to another domain."
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
