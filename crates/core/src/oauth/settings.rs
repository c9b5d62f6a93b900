//! As what client an instance signs people in at a provider: the public part. The secret is kept apart, sealed.

use super::providers::{self, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A provider that people sign in with. Its key is the provider's, such as `google`, or `custom_<name>` for any provider of
/// OpenID Connect or OAuth 2.0; its strategy is `oauth_<key>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OAuthConnection {
    /// Whether it is used. What was proven by a provider that is switched off signs nobody in any more.
    pub enabled: bool,
    /// The id under which the instance is registered at the provider.
    pub client_id: String,
    /// Further client ids, those of native apps, whose ID tokens are accepted.
    pub more_client_ids: Vec<String>,
    /// Asked for beside what the provider's row in the table asks for.
    pub scopes: Vec<String>,
    /// Whether people sign in and up with it; else they only connect it to an account that they have.
    pub authenticatable: bool,
    /// Whether addresses with a tag, such as `ada+shop@example.com`, make no new account.
    pub block_email_subaddresses: bool,
    /// What people call it; null for the provider's name.
    pub name: Option<String>,
    /// Where its logo is.
    pub logo_url: Option<String>,
    /// The domain of Google Workspace whose accounts alone are taken (the claim `hd`).
    pub hosted_domain: Option<String>,
    /// The Microsoft tenant whose accounts alone are taken: its id, or `common`, `organizations`, `consumers` for many.
    pub tenant: Option<String>,
    /// The team at Apple that the key belongs to.
    pub team_id: Option<String>,
    /// The id of that key.
    pub key_id: Option<String>,
    /// For a provider of one's own: the issuer, whose discovery document says the rest.
    pub issuer: Option<String>,
    /// Where the browser goes, without an issuer.
    pub authorize_url: Option<String>,
    /// Where codes become tokens, without an issuer.
    pub token_url: Option<String>,
    /// Where the account is described, without an issuer.
    pub userinfo_url: Option<String>,
    /// How the client shows who it is.
    pub client_auth: OAuthClientAuth,
    /// For a provider of one's own: where its description has `subject`, `email`, `email_verified`, `name`, `first_name`,
    /// `last_name`, `username` and `picture`, with dots between names, where it is not as in OpenID Connect.
    pub attributes: BTreeMap<String, String>,
}

/// How a client shows the token endpoint of a provider of one's own who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OAuthClientAuth {
    /// HTTP Basic (`client_secret_basic`).
    #[default]
    Basic,
    /// In the form (`client_secret_post`).
    Post,
    /// It has no secret.
    None,
}

impl Default for OAuthConnection {
    fn default() -> Self {
        Self {
            enabled: true,
            client_id: String::new(),
            more_client_ids: Vec::new(),
            scopes: Vec::new(),
            authenticatable: true,
            block_email_subaddresses: false,
            name: None,
            logo_url: None,
            hosted_domain: None,
            tenant: None,
            team_id: None,
            key_id: None,
            issuer: None,
            authorize_url: None,
            token_url: None,
            userinfo_url: None,
            client_auth: OAuthClientAuth::Basic,
            attributes: BTreeMap::new(),
        }
    }
}

/// What a description can be mapped to.
const ATTRIBUTES: [&str; 8] = ["subject", "email", "email_verified", "name", "first_name", "last_name", "username", "picture"];

impl OAuthConnection {
    /// Checks what types alone do not.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub(crate) fn validate(&self, key: &str) -> Result<(), String> {
        let at = |what: &str| format!("oauth.{key}.{what}");
        let row = providers::provider(key).ok_or_else(|| format!("oauth.{key}: no such provider, and not of the form custom_<name>"))?;
        if self.client_id.trim().is_empty() && self.enabled {
            return Err(format!("{}: is needed", at("client_id")));
        }
        if self.client_id.len() > 512 || self.scopes.iter().any(|scope| scope.is_empty() || scope.contains(char::is_whitespace)) {
            return Err(format!("{}: must be single words", at("scopes")));
        }
        for (name, url) in [
            ("issuer", &self.issuer),
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
            ("userinfo_url", &self.userinfo_url),
            ("logo_url", &self.logo_url),
        ] {
            let Some(url) = url else { continue };
            let parsed = url::Url::parse(url).map_err(|error| format!("{}: {error}", at(name)))?;
            if !matches!(parsed.scheme(), "http" | "https") || !parsed.username().is_empty() || parsed.fragment().is_some() {
                return Err(format!("{}: must be an http or https address", at(name)));
            }
        }
        // Addresses of one's own belong to a provider of one's own: nothing may stand in for Google but Google.
        let own = self.issuer.is_some() || self.authorize_url.is_some() || self.token_url.is_some() || self.userinfo_url.is_some();
        let takes_own = row.source == Source::Discovered && row.discovery.is_empty();
        if own && !takes_own {
            return Err(format!("oauth.{key}: its addresses are known and cannot be set"));
        }
        let whole = self.issuer.is_some() || (self.authorize_url.is_some() && self.token_url.is_some() && self.userinfo_url.is_some());
        if takes_own && self.enabled && !whole {
            return Err(format!("oauth.{key}: needs an issuer, or authorize_url, token_url and userinfo_url"));
        }
        if key == "apple" && self.enabled && (self.team_id.is_none() || self.key_id.is_none()) {
            return Err(format!("oauth.{key}: needs team_id and key_id"));
        }
        if self.tenant.as_ref().is_some_and(|it| it.is_empty() || !it.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))) {
            return Err(format!("{}: is not a tenant", at("tenant")));
        }
        match self.attributes.keys().find(|name| !ATTRIBUTES.contains(&name.as_str())) {
            Some(name) => Err(format!("{}: {name} is not one of {}", at("attributes"), ATTRIBUTES.join(", "))),
            None if !self.attributes.is_empty() && !takes_own => Err(format!("{}: only for providers of one's own", at("attributes"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(key: &str, change: impl FnOnce(&mut OAuthConnection)) -> String {
        let mut it = OAuthConnection { client_id: "c".to_owned(), ..OAuthConnection::default() };
        change(&mut it);
        it.validate(key).err().unwrap_or_default()
    }

    #[test]
    fn fault_060_nothing_may_stand_in_for_a_known_provider() {
        let elsewhere = || Some("https://evil.example".to_owned());
        assert_eq!(refused("google", |_| {}), "");
        assert!(refused("google", |it| it.issuer = elsewhere()).contains("oauth.google"));
        assert!(refused("github", |it| it.userinfo_url = elsewhere()).contains("cannot be set"));
        assert!(refused("huggingface", |it| it.issuer = elsewhere()).contains("cannot be set"));
        assert!(refused("google", |it| _ = it.attributes.insert("email".to_owned(), "x".to_owned())).contains("attributes"));
    }

    #[test]
    fn what_is_missing_or_malformed_is_named() {
        assert!(refused("nobody", |_| {}).contains("oauth.nobody"));
        assert!(refused("google", |it| it.client_id.clear()).contains("client_id"));
        assert_eq!(refused("google", |it| (it.enabled, it.client_id) = (false, String::new())), "");
        assert!(refused("custom_acme", |_| {}).contains("needs an issuer"));
        assert_eq!(refused("custom_acme", |it| it.issuer = Some("https://id.acme.example".to_owned())), "");
        assert!(refused("custom_acme", |it| it.issuer = Some("javascript:alert(1)".to_owned())).contains("issuer"));
        assert!(refused("apple", |_| {}).contains("team_id"));
        assert!(refused("google", |it| it.scopes = vec!["a b".to_owned()]).contains("scopes"));
        assert!(refused("microsoft", |it| it.tenant = Some("../x".to_owned())).contains("tenant"));
    }
}
