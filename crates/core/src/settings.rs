//! The settings of an instance: a versioned, validated JSON document.

pub use crate::captcha::CaptchaSettings;
use crate::oauth::{self, OAuthConnection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The version of the document that this build reads and writes.
pub const VERSION: u32 = 1;

/// The settings of an instance. Unknown keys are refused by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The version of this document.
    pub version: u32,
    /// The name that people see.
    pub application_name: String,
    /// Origins from which browsers may call, such as `https://app.example.com`. `http://localhost:*` allows every port;
    /// `https://*.example.com` every host below. A development instance allows loopback origins as well.
    pub allowed_origins: Vec<String>,
    /// The registrable domain that apps and the Frontend API share, such as `example.com`: the `Domain` of the cookies
    /// that app servers read. Null when both are on one host.
    pub cookie_domain: Option<String>,
    /// The address of the Frontend API as the SDKs see it, where it is reached through a proxy. It becomes the issuer.
    pub proxy_url: Option<String>,
    /// Whether test addresses and numbers have a fixed code. Null: on development instances. On production instances whoever
    /// knows of it can sign up without an address of their own.
    pub test_mode: Option<bool>,
    /// Where users find help.
    pub support_email: Option<String>,
    /// What sign-in pages ask for first where there are passwords. Null: the password.
    pub preferred_sign_in_strategy: Option<PreferredStrategy>,
    /// Which fields a sign-up takes, and by what a sign-in finds its user.
    pub attributes: Attributes,
    /// Sign-up.
    pub sign_up: SignUpSettings,
    /// Which identifiers may be used.
    pub restrictions: Restrictions,
    /// Sessions and their tokens.
    pub session: SessionSettings,
    /// Rules for new passwords.
    pub password: PasswordSettings,
    /// Passkeys.
    pub passkey: PasskeySettings,
    /// Web3 wallets.
    pub web3: Web3Settings,
    /// The apps on phones that belong to the instance.
    pub native: NativeSettings,
    /// The providers that people sign in with, by key: one of the table, such as `google`, or `custom_<name>`.
    pub oauth: std::collections::BTreeMap<String, OAuthConnection>,
    /// Rules for user names.
    pub username: UsernameSettings,
    /// Protection against guessing.
    pub attack_protection: AttackProtection,
    /// Captchas.
    pub captcha: CaptchaSettings,
    /// Text messages.
    pub sms: SmsSettings,
    /// Where the app's own pages are.
    pub paths: Paths,
    /// What users may do by themselves.
    pub actions: Actions,
    /// Templates of tokens for other services, by name.
    pub jwt_templates: std::collections::BTreeMap<String, JwtTemplate>,
}

/// What sign-in pages ask for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferredStrategy {
    /// The password.
    Password,
    /// A code.
    Otp,
}

/// How a field takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Not taken.
    Off,
    /// Taken.
    Optional,
    /// Taken, and a sign-up is not complete without it.
    Required,
}

/// The fields of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// E-mail address.
    pub email_address: Presence,
    /// Whether a code sent to the address signs in.
    pub email_code: bool,
    /// Whether a link sent to the address signs in, and proves it at sign-up.
    pub email_link: bool,
    /// Phone number.
    pub phone_number: Presence,
    /// Whether a code sent to the number signs in.
    pub phone_code: bool,
    /// Whether users may keep a number for second factors.
    pub phone_second_factor: bool,
    /// User name.
    pub username: Presence,
    /// Web3 wallet.
    pub web3_wallet: Presence,
    /// Password.
    pub password: Presence,
    /// First name.
    pub first_name: Presence,
    /// Last name.
    pub last_name: Presence,
    /// Whether users may enrol an authenticator app as a second factor.
    pub authenticator_app: bool,
    /// Whether those with a second factor get backup codes.
    pub backup_code: bool,
    /// Whether users may register passkeys and sign in with them.
    pub passkey: bool,
}

/// Who may sign up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignUpMode {
    /// Everybody.
    Public,
    /// Those who are invited: users are invited, or created, by the backend.
    Restricted,
    /// Those who are invited; everybody else may ask for it by joining the waitlist.
    Waitlist,
}

/// Which identifiers may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Restrictions {
    /// Whether only what is on the allow list may sign up. An empty list then keeps everybody out.
    pub allowlist: bool,
    /// Whether nothing that is on the block list may sign up. It outweighs the allow list.
    pub blocklist: bool,
    /// Whether both lists are for sign-up alone: else they are asked at sign-in, too.
    pub allowlist_blocklist_disabled_on_sign_in: bool,
    /// Whether new addresses may have a `+`, `=` or `#` before the `@`.
    pub block_email_subaddresses: bool,
    /// Whether new addresses may lie on domains that give them away for minutes.
    pub block_disposable_email_domains: bool,
}

/// Sign-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SignUpSettings {
    /// Who may sign up.
    pub mode: SignUpMode,
    /// Whether the legal terms must be accepted.
    pub legal_consent: bool,
}

/// Sessions and their tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSettings {
    /// Whether a client has one session at most.
    pub single_session: bool,
    /// Whether a session is active only when its user has a second factor.
    pub require_second_factor: bool,
    /// Whether what matters of an account is changed only by who proved to be its user within the last ten minutes.
    pub reverify_sensitive: bool,
    /// Lifetime of a session, in seconds.
    pub lifetime: i64,
    /// After how many seconds without use a session is given up.
    pub inactivity: i64,
    /// Lifetime of a session token, in seconds.
    pub token_lifetime: i64,
    /// Claims added to every session token. Reserved names are refused. Strings may hold `{{user.id}}` and the like.
    pub claims: doorward_wire::Object,
}

/// Rules for new passwords.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSettings {
    /// Fewest characters; 8 at least (NIST SP 800-63B).
    pub min_length: u32,
    /// Most characters.
    pub max_length: u32,
    /// A lower-case letter must be in it.
    pub require_lowercase: bool,
    /// An upper-case letter must be in it.
    pub require_uppercase: bool,
    /// A digit must be in it.
    pub require_numbers: bool,
    /// A special character must be in it.
    pub require_special_char: bool,
    /// Whether forms show how strong a password is.
    pub show_zxcvbn: bool,
    /// The least strength, by zxcvbn's scale of 0 to 4; 0 takes any.
    pub min_zxcvbn_strength: u8,
    /// Whether passwords that are known from breaches are refused when they are set.
    pub refuse_breached: bool,
    /// Whether a new password is refused too when nobody can say whether it is known; else it is let through.
    pub breached_check_required: bool,
    /// Whether a known password is refused at sign-in too, so that its owner has to reset it. Needs `refuse_breached`.
    pub enforce_hibp_on_sign_in: bool,
}

/// Passkeys, where `attributes.passkey` is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PasskeySettings {
    /// Whether browsers offer them in the field for the identifier.
    pub allow_autofill: bool,
    /// Whether sign-in pages have a button for them.
    pub show_sign_in_button: bool,
    /// Whether one whose authenticator checked its user stands for the second factor, too.
    pub satisfies_second_factor: bool,
}

/// Web3 wallets, where `attributes.web3_wallet` is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Web3Settings {
    /// What people may prove a wallet by: `web3_metamask_signature`, `web3_base_signature`, `web3_coinbase_wallet_signature`,
    /// `web3_okx_wallet_signature`, `web3_solana_signature`.
    pub strategies: Vec<String>,
}

/// The apps on phones that belong to the instance: their systems ask for them under `/.well-known`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NativeSettings {
    /// Whether apps may hold keys by which their users sign in.
    pub trusted_devices: bool,
    /// Ids of apps for Apple's systems: team, a dot and the bundle, such as `A1B2C3D4E5.com.example.app`.
    pub apple_apps: Vec<String>,
    /// Android apps.
    pub android_apps: Vec<AndroidApp>,
}

/// An Android app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AndroidApp {
    /// The package.
    pub package_name: String,
    /// Of the certificates that sign it: pairs of hexadecimal digits with colons between them.
    pub sha256_cert_fingerprints: Vec<String>,
}

/// Rules for user names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UsernameSettings {
    /// Fewest characters.
    pub min_length: u32,
    /// Most characters.
    pub max_length: u32,
}

/// Text messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SmsSettings {
    /// The countries whose numbers are taken and sent to: two letters each (ISO 3166-1).
    pub allowed_countries: Vec<String>,
    /// Whether codes may travel over WhatsApp too.
    pub whatsapp: bool,
}

/// Protection against guessing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AttackProtection {
    /// Whether wrong guesses close an account for a while.
    pub lockout: bool,
    /// After how many.
    pub max_attempts: i64,
    /// For how many minutes.
    pub duration_minutes: i64,
    /// Whether sign-in, sign-up and the user's account hide which accounts exist (the hosted service's strict protection; its
    /// bulk protection is `rate_limits`).
    pub enumeration_protection: bool,
    /// Whether a link by mail works in the browser only that asked for it. Otherwise whoever opens a link that somebody else
    /// asked for signs that one in.
    pub email_link_same_client: bool,
    /// Whether a password on a device that is new to its user is followed by a code to an address or number of theirs.
    pub client_trust: bool,
    /// Whether calls are counted and too many of them are refused.
    pub rate_limits: RateLimits,
}

/// Whether calls to an instance are counted. The counters of wrong guesses hold in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateLimits {
    /// On production instances: tests of apps call faster than people do.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Where the app's own pages are. Null: on the Frontend API's own host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// The app.
    pub home_url: Option<String>,
    /// The sign-in page.
    pub sign_in_url: Option<String>,
    /// The sign-up page.
    pub sign_up_url: Option<String>,
    /// The page where people join the waitlist.
    pub waitlist_url: Option<String>,
    /// Where a sign-in leads.
    pub after_sign_in_url: Option<String>,
    /// Where a sign-up leads.
    pub after_sign_up_url: Option<String>,
    /// Where a sign-out leads.
    pub after_sign_out_url: Option<String>,
}

/// What users may do by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Actions {
    /// Delete the account.
    pub delete_self: bool,
    /// Create organizations, once there are any.
    pub create_organization: bool,
}

/// A template of tokens for another service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JwtTemplate {
    /// Claims. Strings may hold `{{user.id}}` and the like.
    pub claims: doorward_wire::Object,
    /// Lifetime in seconds.
    pub lifetime: i64,
    /// How far clocks may be apart, in seconds.
    pub allowed_clock_skew: i64,
    /// Its id. Null: one that comes of the name.
    pub id: Option<String>,
    /// The algorithm of the key that its tokens are signed with, such as `HS256`. Null: the instance's own key.
    pub signing_algorithm: Option<String>,
    /// That key, sealed with the master key. The Backend API takes it as it is.
    pub signing_key: Option<String>,
    /// When it was made.
    pub created_at: Option<doorward_base::Timestamp>,
    /// When it last changed.
    pub updated_at: Option<doorward_base::Timestamp>,
}

impl Default for JwtTemplate {
    fn default() -> Self {
        Self {
            claims: doorward_wire::Object::new(),
            lifetime: 60,
            allowed_clock_skew: 5,
            id: None,
            signing_algorithm: None,
            signing_key: None,
            created_at: None,
            updated_at: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            application_name: "Doorward".to_owned(),
            allowed_origins: Vec::new(),
            cookie_domain: None,
            proxy_url: None,
            test_mode: None,
            support_email: None,
            preferred_sign_in_strategy: None,
            attributes: Attributes::default(),
            sign_up: SignUpSettings { mode: SignUpMode::Public, legal_consent: false },
            restrictions: Restrictions::default(),
            session: SessionSettings::default(),
            password: PasswordSettings::default(),
            passkey: PasskeySettings::default(),
            web3: Web3Settings::default(),
            native: NativeSettings::default(),
            oauth: std::collections::BTreeMap::new(),
            username: UsernameSettings { min_length: 4, max_length: 64 },
            attack_protection: AttackProtection::default(),
            captcha: CaptchaSettings::default(),
            sms: SmsSettings::default(),
            paths: Paths::default(),
            actions: Actions { delete_self: true, create_organization: true },
            jwt_templates: std::collections::BTreeMap::new(),
        }
    }
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            email_address: Presence::Required,
            email_code: true,
            email_link: false,
            phone_number: Presence::Off,
            phone_code: true,
            phone_second_factor: false,
            username: Presence::Optional,
            web3_wallet: Presence::Off,
            password: Presence::Required,
            first_name: Presence::Optional,
            last_name: Presence::Optional,
            authenticator_app: true,
            backup_code: true,
            passkey: false,
        }
    }
}

impl Default for SignUpSettings {
    fn default() -> Self {
        Self { mode: SignUpMode::Public, legal_consent: false }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            single_session: true,
            require_second_factor: false,
            reverify_sensitive: false,
            lifetime: 7 * 86_400,
            inactivity: 30 * 86_400,
            token_lifetime: 60,
            claims: doorward_wire::Object::new(),
        }
    }
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            min_length: 8,
            max_length: 128,
            require_lowercase: false,
            require_uppercase: false,
            require_numbers: false,
            require_special_char: false,
            show_zxcvbn: false,
            min_zxcvbn_strength: 0,
            refuse_breached: false,
            breached_check_required: false,
            enforce_hibp_on_sign_in: false,
        }
    }
}

impl Default for PasskeySettings {
    fn default() -> Self {
        Self { allow_autofill: true, show_sign_in_button: true, satisfies_second_factor: true }
    }
}

impl Default for Web3Settings {
    fn default() -> Self {
        Self { strategies: crate::web3::STRATEGIES.iter().map(|(name, _)| (*name).to_owned()).collect() }
    }
}

impl Default for UsernameSettings {
    fn default() -> Self {
        Self { min_length: 4, max_length: 64 }
    }
}

impl Default for SmsSettings {
    fn default() -> Self {
        Self { allowed_countries: vec!["US".to_owned(), "CA".to_owned()], whatsapp: false }
    }
}

impl Default for AttackProtection {
    fn default() -> Self {
        Self {
            lockout: true,
            max_attempts: 100,
            duration_minutes: 60,
            enumeration_protection: false,
            email_link_same_client: true,
            client_trust: false,
            rate_limits: RateLimits::Auto,
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self { delete_self: true, create_organization: true }
    }
}

/// Claims that no setting may override.
pub const RESERVED_CLAIMS: &[&str] = &[
    "azp",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "sid",
    "sub",
    "sts",
    "v",
    "fva",
    "act",
    "o",
    "org_id",
    "org_slug",
    "org_role",
    "org_permissions",
    "pla",
    "fea",
    "aud",
];

/// How long a template's tokens may live, in seconds.
pub const TEMPLATE_LIFETIMES: RangeInclusive<i64> = 30..=315_360_000;
/// How far clocks may be apart for a template's tokens, in seconds.
pub const TEMPLATE_SKEWS: RangeInclusive<i64> = 0..=300;

/// Whether a template may not set a claim. It may address another service; it still cannot speak as somebody else.
pub fn is_reserved_in_templates(name: &str) -> bool {
    RESERVED_CLAIMS.contains(&name) && name != "aud"
}

impl Settings {
    /// Reads a document and checks it.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        settings.validate()?;
        Ok(settings)
    }

    /// Checks what types alone do not.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn validate(&self) -> Result<(), String> {
        if self.version != VERSION {
            return Err(format!("version: this build reads version {VERSION}, not {}", self.version));
        }
        for origin in &self.allowed_origins {
            crate::instance::OriginPattern::parse(origin).map_err(|e| format!("allowed_origins: {origin}: {e}"))?;
        }
        if let Some(url) = &self.proxy_url {
            let parsed = url::Url::parse(url).map_err(|e| format!("proxy_url: {e}"))?;
            if !matches!(parsed.scheme(), "http" | "https") || url.ends_with('/') || parsed.query().is_some() {
                return Err("proxy_url: must be an http or https address without a trailing slash".to_owned());
            }
        }
        if let Some(domain) = &self.cookie_domain
            && (domain.starts_with('.') || !domain.contains('.') || domain.contains([':', '/', ';', ' ']))
        {
            return Err("cookie_domain: must be a bare domain such as example.com".to_owned());
        }
        let between = |name: &str, value: i64, low: i64, high: i64| {
            if (low..=high).contains(&value) { Ok(()) } else { Err(format!("{name}: must be between {low} and {high}")) }
        };
        between("session.lifetime", self.session.lifetime, 60, 10 * 365 * 86_400)?;
        between("session.inactivity", self.session.inactivity, 60, 10 * 365 * 86_400)?;
        // Below half a minute the official SDKs would renew without pause.
        between("session.token_lifetime", self.session.token_lifetime, 30, 86_400)?;
        between("password.min_length", i64::from(self.password.min_length), 8, 72)?;
        between("password.max_length", i64::from(self.password.max_length), i64::from(self.password.min_length), 1024)?;
        between("password.min_zxcvbn_strength", i64::from(self.password.min_zxcvbn_strength), 0, 4)?;
        if !self.password.refuse_breached && (self.password.enforce_hibp_on_sign_in || self.password.breached_check_required) {
            return Err("password.refuse_breached: must be true for enforce_hibp_on_sign_in and breached_check_required".to_owned());
        }
        between("username.min_length", i64::from(self.username.min_length), 1, 256)?;
        between("username.max_length", i64::from(self.username.max_length), i64::from(self.username.min_length), 256)?;
        between("attack_protection.max_attempts", self.attack_protection.max_attempts, 1, 1000)?;
        between("attack_protection.duration_minutes", self.attack_protection.duration_minutes, 1, 60 * 24 * 365)?;
        for (what, claims) in
            std::iter::once(("session", &self.session.claims)).chain(self.jwt_templates.iter().map(|(n, t)| (n.as_str(), &t.claims)))
        {
            let reserved = |name: &str| if what == "session" { RESERVED_CLAIMS.contains(&name) } else { is_reserved_in_templates(name) };
            if let Some(name) = claims.keys().find(|name| reserved(name)) {
                return Err(format!("claims of {what}: {name} is reserved"));
            }
        }
        if serde_json::to_string(&self.session.claims).map_or(0, |s| s.len()) > 1228 {
            return Err("session.claims: must stay below 1.2 kB, for a cookie has to hold the token".to_owned());
        }
        for (name, template) in &self.jwt_templates {
            let within = |field: &str, value: i64, range: RangeInclusive<i64>| {
                between(&format!("jwt_templates.{name}.{field}"), value, *range.start(), *range.end())
            };
            within("lifetime", template.lifetime, TEMPLATE_LIFETIMES)?;
            within("allowed_clock_skew", template.allowed_clock_skew, TEMPLATE_SKEWS)?;
            if template.signing_key.is_some() != template.signing_algorithm.is_some() {
                return Err(format!("jwt_templates.{name}: signing_key and signing_algorithm belong together"));
            }
        }
        if let Some(bad) = self.sms.allowed_countries.iter().find(|it| it.len() != 2 || !it.bytes().all(|b| b.is_ascii_alphabetic())) {
            return Err(format!("sms.allowed_countries: {bad:?} is not the two letters of a country"));
        }
        oauth::validate(self)?;
        self.captcha.validate()?;
        let attributes = &self.attributes;
        if self.sign_up.mode == SignUpMode::Waitlist && attributes.email_address == Presence::Off {
            return Err("sign_up.mode: a waitlist needs attributes.email_address".to_owned());
        }
        let identifiers = [attributes.email_address, attributes.username, attributes.phone_number, attributes.web3_wallet];
        if identifiers.iter().all(|it| *it == Presence::Off) {
            return Err("attributes: a user needs an email_address, a phone_number, a web3_wallet or a username".to_owned());
        }
        let is_fingerprint = |text: &String| {
            let pairs: Vec<&str> = text.split(':').collect();
            pairs.len() == 32 && pairs.iter().all(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))
        };
        if let Some(bad) = self.native.android_apps.iter().flat_map(|app| &app.sha256_cert_fingerprints).find(|it| !is_fingerprint(it)) {
            return Err(format!("native.android_apps: {bad:?} is not the SHA-256 fingerprint of a certificate"));
        }
        if let Some(bad) = self.native.apple_apps.iter().find(|id| id.split_once('.').is_none_or(|(team, _)| team.len() != 10)) {
            return Err(format!("native.apple_apps: {bad:?} is not a team, a dot and a bundle"));
        }
        if self.session.require_second_factor && !attributes.authenticator_app && !attributes.phone_second_factor {
            return Err("session.require_second_factor: needs attributes.authenticator_app or attributes.phone_second_factor".to_owned());
        }
        if let Some(bad) = self.web3.strategies.iter().find(|name| crate::web3::chain_of(name).is_none()) {
            return Err(format!("web3.strategies: there is no {bad:?}"));
        }
        if attributes.web3_wallet != Presence::Off && self.web3.strategies.is_empty() {
            return Err("web3.strategies: attributes.web3_wallet needs one at least".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = Settings::parse(r#"{"version":1,"passwrod":{}}"#).unwrap_err();
        assert!(error.contains("passwrod"), "{error}");
    }

    #[test]
    fn fault_010_claims_that_would_speak_for_the_server_are_refused() {
        for name in ["sub", "iss", "exp", "sid", "azp"] {
            let mut settings = Settings::default();
            settings.session.claims.insert(name.to_owned(), "x".into());
            assert!(settings.validate().unwrap_err().contains(name));
        }
    }
}
