//! A provider as an instance uses it: its row in the table, the instance's settings and its secret, put together.

use super::identity::CONSUMERS;
use super::providers::{self, ClientAuth, IdTokens, Issuer, Provider, Source};
use super::settings::{OAuthClientAuth, OAuthConnection};
use super::{documents, providers::key_of};
use crate::app::Scope;
use crate::instance::Instance;
use crate::settings::Settings;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use doorward_base::*;
use serde_json::{Map, Value, json};
use url::Url;

/// The tenants of Microsoft that are many.
const MANY_TENANTS: [&str; 3] = ["common", "organizations", "consumers"];

/// A provider as an instance uses it.
#[derive(Clone, Copy)]
pub(crate) struct Connection<'a> {
    /// What it is called in settings and in the table.
    pub key: &'a str,
    pub row: &'static Provider,
    pub settings: &'a OAuthConnection,
    /// As which client.
    pub client_id: &'a str,
}

/// Where a connection's calls go.
pub(super) struct Endpoints {
    pub authorize: Url,
    pub token: Url,
    pub source: At,
    /// The keys of its ID tokens.
    pub keys: Option<Url>,
    /// Who issues its ID tokens, where the row does not say.
    pub issuer: Option<String>,
}

/// Where the account is described, with the address understood.
pub(super) enum At {
    IdToken,
    TokenAnswer,
    Get(Url),
    Post(Url),
    Graphql(Url, &'static str),
    Introspect(Url),
}

/// The connection of a strategy, if the instance uses it.
pub(crate) fn find<'a>(instance: &'a Instance, strategy: &'a str) -> Option<Connection<'a>> {
    let key = key_of(strategy)?;
    let settings = instance.settings.oauth.get(key).filter(|it| it.enabled)?;
    Some(Connection { key, row: providers::provider(key)?, settings, client_id: &settings.client_id })
}

/// The same, for one that must be there.
///
/// # Errors
/// `oauth_provider_not_enabled`, `oauth_unsupported_provider`.
pub(crate) fn require<'a>(instance: &'a Instance, strategy: &'a str) -> Result<Connection<'a>, ApiError> {
    find(instance, strategy).ok_or_else(|| {
        let known = key_of(strategy).and_then(providers::provider).is_some();
        ApiError::new(if known { codes::OAUTH_PROVIDER_NOT_ENABLED } else { codes::OAUTH_UNSUPPORTED_PROVIDER })
    })
}

/// The same, for one that people sign in with.
///
/// # Errors
/// As [`require`], and `oauth_non_authenticatable_provider`.
pub(crate) fn require_authenticatable<'a>(instance: &'a Instance, strategy: &'a str) -> Result<Connection<'a>, ApiError> {
    let found = require(instance, strategy)?;
    if !found.settings.authenticatable {
        return Err(ApiError::new(codes::OAUTH_NON_AUTHENTICATABLE_PROVIDER).param("strategy"));
    }
    Ok(found)
}

pub(crate) fn secret_context(instance: &InstanceId, key: &str) -> String {
    format!("{instance}:oauth_secret:{key}")
}

fn misconfigured(key: &str, why: impl std::fmt::Display) -> ApiError {
    tracing::warn!(provider = key, %why, "the provider is not set up right");
    codes::MISCONFIGURED_OAUTH_PROVIDER.into()
}

/// By what the subjects of a strategy are told apart that nobody has come with yet, as [`Connection::issuer`] says it when they
/// come: by what is known of the provider, else by what whoever brings them says, else by the settings. None where nobody
/// knows, as of a provider of one's own that is not set up, or of Microsoft with many tenants.
pub(crate) fn issuer(settings: &Settings, strategy: &str, said: Option<&str>) -> Option<String> {
    let key = key_of(strategy)?;
    let row = providers::provider(key)?;
    let settings = settings.oauth.get(key);
    let host = |url: &str| Some(Url::parse(url).ok()?.host_str()?.to_owned());
    let said = said.filter(|it| !it.is_empty()).map(str::to_owned);
    if !row.discovery.is_empty() {
        return Some(row.discovery.to_owned());
    }
    match row.id_tokens.map(|it| it.issuer) {
        Some(Issuer::OneOf(all)) => all.first().map(|&it| it.to_owned()),
        Some(Issuer::MicrosoftTenant) => said.or_else(|| {
            let tenant = settings?.tenant.as_deref()?;
            let tenant = if tenant == "consumers" { CONSUMERS } else { tenant };
            (!MANY_TENANTS.contains(&tenant)).then(|| microsoft(tenant))
        }),
        None if row.source == Source::Discovered => said.or_else(|| {
            let settings = settings?;
            settings.issuer.clone().or_else(|| host(settings.token_url.as_deref()?))
        }),
        None => host(row.token),
    }
}

/// The issuer of a tenant's ID tokens.
fn microsoft(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

impl<'a> Connection<'a> {
    /// The same as the client that the provider knows the app by, where it gives apps codes of their own: Apple, which calls
    /// an app by its bundle. That is the first of the further client ids.
    pub(super) fn of_app(&self) -> Option<Connection<'a>> {
        let own = self.settings.more_client_ids.first().unwrap_or(&self.settings.client_id);
        (self.row.auth == ClientAuth::SignedSecret).then_some(Connection { client_id: own, ..*self })
    }
}

impl Connection<'_> {
    /// What people call it.
    pub(crate) fn name(&self) -> String {
        let own = self.key.strip_prefix("custom_").unwrap_or(self.row.name);
        self.settings.name.clone().unwrap_or_else(|| own.to_owned())
    }

    pub(super) fn auth(&self) -> ClientAuth {
        match self.settings.client_auth {
            OAuthClientAuth::Post if self.is_own() => ClientAuth::Form,
            _ => self.row.auth,
        }
    }

    /// Whether its addresses are in the settings.
    fn is_own(&self) -> bool {
        self.row.source == Source::Discovered && self.row.discovery.is_empty()
    }

    /// Whether it shows the token endpoint no secret.
    pub(super) fn is_public(&self) -> bool {
        self.is_own() && self.settings.client_auth == OAuthClientAuth::None
    }

    /// What is asked for, by default and by the settings.
    pub(super) fn scopes(&self, additional: &[String]) -> Vec<String> {
        let plain = self.is_own() && self.settings.issuer.is_none();
        let default = self.row.scopes.iter().filter(|_| !plain).map(|it| (*it).to_owned());
        let mut out: Vec<String> = Vec::new();
        for scope in default.chain(self.settings.scopes.iter().cloned()).chain(additional.iter().cloned()) {
            if !out.contains(&scope) {
                out.push(scope);
            }
        }
        out
    }

    /// Where a description has a claim: as the settings say, else as the row does.
    pub(super) fn path(&self, name: &str, row: &'static str) -> String {
        self.settings.attributes.get(name).cloned().unwrap_or_else(|| row.to_owned())
    }

    /// Its addresses. A provider's own document is believed only where it names itself as the settings do.
    ///
    /// # Errors
    /// `misconfigured_oauth_provider`.
    pub(super) async fn endpoints(&self, scope: &Scope) -> Result<Endpoints, ApiError> {
        let parse = |text: &str| Url::parse(text).map_err(|error| misconfigured(self.key, error));
        if self.row.source != Source::Discovered {
            let tenant = self.settings.tenant.as_deref().unwrap_or("common");
            let filled = |text: &str| parse(&text.replace("{tenant}", tenant));
            let source = match self.row.source {
                Source::Get(url) => At::Get(parse(url)?),
                Source::Post(url) => At::Post(parse(url)?),
                Source::Introspect(url) => At::Introspect(parse(url)?),
                Source::Graphql(url, query) => At::Graphql(parse(url)?, query),
                Source::TokenAnswer => At::TokenAnswer,
                Source::IdToken | Source::Discovered => At::IdToken,
            };
            let keys = self.row.id_tokens.map(|it| filled(it.keys)).transpose()?;
            return Ok(Endpoints { authorize: filled(self.row.authorize)?, token: filled(self.row.token)?, source, keys, issuer: None });
        }
        let known = Some(self.row.discovery).filter(|it| !it.is_empty());
        let Some(issuer) = known.or(self.settings.issuer.as_deref()) else {
            let own = |url: &Option<String>| url.clone().ok_or_else(|| misconfigured(self.key, "an address is missing"));
            let (authorize, token) = (parse(&own(&self.settings.authorize_url)?)?, parse(&own(&self.settings.token_url)?)?);
            let source = At::Get(parse(&own(&self.settings.userinfo_url)?)?);
            return Ok(Endpoints { authorize, token, source, keys: None, issuer: None });
        };
        let at = parse(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
        let document = documents::get(scope, &at, false).await.map_err(|error| misconfigured(self.key, error))?;
        if document["issuer"].as_str() != Some(issuer) {
            return Err(misconfigured(self.key, "the discovery document is another issuer's"));
        }
        let named =
            |name: &str| document[name].as_str().ok_or_else(|| misconfigured(self.key, format!("the discovery document has no {name}")));
        let source = document["userinfo_endpoint"].as_str().map(parse).transpose()?.map_or(At::IdToken, At::Get);
        Ok(Endpoints {
            authorize: parse(named("authorization_endpoint")?)?,
            token: parse(named("token_endpoint")?)?,
            source,
            keys: Some(parse(named("jwks_uri")?)?),
            issuer: Some(issuer.to_owned()),
        })
    }

    /// What its ID tokens are like; those of discovery repeat the nonce.
    pub(super) fn id_tokens(&self, endpoints: &Endpoints) -> Option<IdTokens> {
        let discovered = IdTokens { issuer: Issuer::OneOf(&[]), keys: "", nonce: true, by_secret: false };
        self.row.id_tokens.or_else(|| endpoints.issuer.as_ref().map(|_| discovered))
    }

    /// Whether an issuer is the one that this connection trusts.
    pub(super) fn trusts(&self, endpoints: &Endpoints, issuer: &str, claims: &Map<String, Value>) -> bool {
        if let Some(own) = &endpoints.issuer {
            return own == issuer;
        }
        match self.row.id_tokens.map(|it| it.issuer) {
            Some(Issuer::OneOf(all)) => all.contains(&issuer),
            Some(Issuer::MicrosoftTenant) => {
                let tenant = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
                let wanted = self.settings.tenant.as_deref().filter(|it| !MANY_TENANTS.contains(it));
                let shaped = tenant.len() == 36 && tenant.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
                shaped && issuer == microsoft(tenant) && wanted.is_none_or(|it| it == tenant)
            }
            None => false,
        }
    }

    /// By what subjects are told apart: a subject of one issuer says nothing about one of another.
    pub(super) fn issuer(&self, endpoints: &Endpoints, claims: &Map<String, Value>) -> String {
        match (&endpoints.issuer, self.row.id_tokens.map(|it| it.issuer)) {
            (Some(own), _) => own.clone(),
            (None, Some(Issuer::MicrosoftTenant)) => claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned(),
            (None, Some(Issuer::OneOf(all))) => all.first().copied().unwrap_or_default().to_owned(),
            (None, None) => endpoints.token.host_str().unwrap_or_default().to_owned(),
        }
    }

    /// What the token endpoint is shown.
    ///
    /// # Errors
    /// `oauth_config_missing` when no secret was set.
    pub(super) async fn secret(&self, scope: &Scope) -> Result<Option<Secret>, ApiError> {
        if self.is_public() {
            return Ok(None);
        }
        let plain = super::open_secret(scope, self.key).await?.ok_or(codes::OAUTH_CONFIG_MISSING)?;
        match self.auth() {
            ClientAuth::SignedSecret => self.sign_secret(scope, &plain).map(Some),
            _ => Ok(Some(plain)),
        }
    }

    /// Apple's client secret: a token that the client's key signs, good for five minutes.
    fn sign_secret(&self, scope: &Scope, pem: &Secret) -> Result<Secret, ApiError> {
        let broken = || misconfigured(self.key, "the secret must be the private key that Apple gives out, in PEM form");
        let body: String = pem.expose().lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(body).map_err(|_| broken())?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).map_err(|_| broken())?;
        let now = scope.now_seconds();
        let header = json!({"alg": "ES256", "kid": self.settings.key_id});
        let claims = json!({
            "iss": self.settings.team_id, "sub": self.client_id, "aud": "https://appleid.apple.com", "iat": now, "exp": now + 300,
        });
        let message = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        let signature = key.sign(&SystemRandom::new(), message.as_bytes()).map_err(|_| broken())?;
        Ok(Secret::new(format!("{message}.{}", B64.encode(signature))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, change: impl FnOnce(&mut OAuthConnection)) -> Settings {
        let mut connection = OAuthConnection::default();
        change(&mut connection);
        Settings { oauth: [(key.to_owned(), connection)].into(), ..Settings::default() }
    }

    #[test]
    fn whoever_brings_a_subject_says_whose_it_is_only_where_nobody_knows() {
        let none = Settings::default();
        let of = |strategy: &str, said: Option<&str>| issuer(&none, strategy, said);
        assert_eq!(of("oauth_google", Some("https://evil.example")).unwrap(), "https://accounts.google.com");
        assert_eq!(of("oauth_github", Some("https://evil.example")).unwrap(), "github.com");
        assert_eq!(of("oauth_huggingface", None).as_deref(), providers::provider("huggingface").map(|it| it.discovery));
        assert_eq!(of("oauth_microsoft", Some("https://login.microsoftonline.com/t/v2.0")).unwrap(), microsoft("t"));
        assert_eq!(of("oauth_custom_acme", Some("https://id.acme.example")).unwrap(), "https://id.acme.example");
        for nobody in ["oauth_microsoft", "oauth_custom_acme", "oauth_nobody", "oauth_", "saml", "oauth_token_google"] {
            assert_eq!(of(nobody, Some("")), None, "{nobody}");
        }
    }

    #[test]
    fn else_the_settings_say_whose_a_subject_is() {
        let tenant = |tenant: &str| with("microsoft", |it| it.tenant = Some(tenant.to_owned()));
        assert_eq!(issuer(&tenant("t"), "oauth_microsoft", None).unwrap(), microsoft("t"));
        assert_eq!(issuer(&tenant("consumers"), "oauth_microsoft", None).unwrap(), microsoft(CONSUMERS));
        assert_eq!(issuer(&tenant("common"), "oauth_microsoft", None), None);
        let own = with("custom_acme", |it| it.issuer = Some("https://id.acme.example".to_owned()));
        assert_eq!(issuer(&own, "oauth_custom_acme", None).unwrap(), "https://id.acme.example");
        let plain = with("custom_acme", |it| it.token_url = Some("https://acme.example/token".to_owned()));
        assert_eq!(issuer(&plain, "oauth_custom_acme", None).unwrap(), "acme.example");
    }
}
