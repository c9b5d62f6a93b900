//! Settings of features that come later, or are the hosted service's own. They are kept and checked, and obeyed by nothing yet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Organizations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OrganizationsSettings {
    /// Whether there are to be any.
    pub enabled: bool,
    /// How many members one has at most; 0 for any number.
    pub max_allowed_memberships: i64,
    /// Whether its admins may delete one.
    pub admin_delete: bool,
    /// Whether one has domains.
    pub domains: bool,
    /// Whether one has no slug.
    pub slug_disabled: bool,
    /// How those of a domain become members.
    pub domains_enrollment_modes: Vec<EnrollmentMode>,
}

/// How those of an organization's domain become members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentMode {
    /// Somebody invites them.
    ManualInvitation,
    /// They are invited.
    AutomaticInvitation,
    /// It is suggested to them.
    AutomaticSuggestion,
}

impl EnrollmentMode {
    /// As it travels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ManualInvitation => "manual_invitation",
            Self::AutomaticInvitation => "automatic_invitation",
            Self::AutomaticSuggestion => "automatic_suggestion",
        }
    }

    /// Reads it.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::ManualInvitation, Self::AutomaticInvitation, Self::AutomaticSuggestion].into_iter().find(|it| it.as_str() == text)
    }
}

impl Default for OrganizationsSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            max_allowed_memberships: 5,
            admin_delete: true,
            domains: false,
            slug_disabled: false,
            domains_enrollment_modes: Vec::new(),
        }
    }
}

/// OAuth applications: apps of others that sign in with this instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OAuthApplicationsSettings {
    /// Whether clients may register themselves (RFC 7591).
    pub dynamic_client_registration: bool,
    /// The scopes of a client that names none. Null: those that the server has for it.
    pub default_scopes: Option<Vec<String>>,
    /// Whether access tokens are JWTs.
    pub jwt_access_tokens: bool,
    /// Clients that are a document on the web.
    pub client_id_metadata_documents: ClientDocuments,
}

/// Clients that are a document on the web.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClientDocuments {
    /// Whether it is announced that there may be such.
    pub advertised: bool,
    /// Whether new ones are refused.
    pub pre_registered_only: bool,
    /// Whether those are refused that were let in without being asked for.
    pub block_implicitly_allowed: bool,
}

/// The most default scopes.
const MAX_SCOPES: usize = 50;

impl OAuthApplicationsSettings {
    /// Checks what types alone do not.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn check(&self) -> Result<(), String> {
        let scopes = self.default_scopes.as_deref().unwrap_or_default();
        // RFC 6749, 3.3.
        let is_scope =
            |text: &String| (1..=100).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if let Some(bad) = scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(format!("oauth_applications.default_scopes: {bad:?} is no scope"));
        }
        if scopes.len() > MAX_SCOPES || (1..scopes.len()).any(|n| scopes[..n].contains(&scopes[n])) {
            return Err(format!("oauth_applications.default_scopes: at most {MAX_SCOPES}, each once"));
        }
        Ok(())
    }
}

/// A protection that the hosted service has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProtectSettings {
    /// Whether its rules are on.
    pub rules: bool,
    /// Whether its other part is on.
    pub specter: bool,
}
