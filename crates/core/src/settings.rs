//! The settings of an instance: a versioned, validated JSON document.

mod check;
mod claims;
mod defaults;
mod features;
pub use crate::captcha::CaptchaSettings;
pub use claims::{RESERVED_CLAIMS, TEMPLATE_LIFETIMES, TEMPLATE_SKEWS, is_reserved_in_templates};
pub use features::{ClientDocuments, EnrollmentMode, OAuthApplicationsSettings, OrganizationsSettings, ProtectSettings};

use crate::oauth::OAuthConnection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Which version of the script apps are told to load. Which one is served, the operator chooses.
    pub clerk_js_version: Option<String>,
    /// Where the app is while it is developed, if not on the developer's own machine: on development instances browsers may call
    /// from there, too.
    pub development_origin: Option<String>,
    /// What stands before the `@` of the sender's address of mails. Null: what the operator chose.
    pub from_email_address: Option<String>,
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
    /// Organizations. They come later: this is kept only.
    pub organizations: OrganizationsSettings,
    /// OAuth applications. They come later: this is kept only.
    pub oauth_applications: OAuthApplicationsSettings,
    /// A protection that the hosted service has: this is kept only.
    pub protect: ProtectSettings,
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
    /// Whether users are told by mail of a sign-in on a device that is new to them. A browser that forgets its client with the
    /// session, as the SDKs of 2023 have it do, is a new one each time.
    pub new_device_notice: bool,
    /// Whether calls are counted and too many of them are refused.
    pub rate_limits: RateLimits,
    /// How many times as many calls as elsewhere are let through, where they are counted: 1 to 1000.
    pub rate_limit_factor: u32,
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
        for name in RESERVED_CLAIMS {
            let mut settings = Settings::default();
            settings.session.claims.insert((*name).to_owned(), "x".into());
            assert!(settings.validate().unwrap_err().contains(name));
        }
    }
}
