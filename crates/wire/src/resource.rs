//! The resources that both interfaces answer with. Times are milliseconds since the epoch; `null` means "not known".

use crate::Object;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The shapes that are plain data: `object` first, then the fields.
macro_rules! resource {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
    )*};
}
pub(crate) use resource;

resource! {
    /// How far a proof of an identifier or a factor has come.
    #[derive(Default)]
    Verification {
        /// `verification_otp`, `verification_password`, `verification_admin`, ...
        object: String,
        /// `unverified`, `verified`, `failed`, `expired` or `transferable`.
        status: String,
        /// The strategy's name, such as `email_code`.
        strategy: String,
        /// Attempts so far; null where they are not counted.
        attempts: Option<i64>,
        /// When it stops being open.
        expire_at: Option<Timestamp>,
        /// Why it failed, for redirect flows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<Value>,
        /// What is to be signed: for a passkey, the options as a JSON text (WebAuthn, section 5.4 and 5.5); for a wallet, the text
        /// of `message`, where the SDKs of 2023 look for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// The text that a wallet signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// Where the browser goes to prove it at another provider.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_verification_redirect_url: Option<String>,
        /// `sms` or `whatsapp`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// What a trusted device signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trusted_device_challenge: Option<TrustedDeviceChallenge>,
    }

    /// What the key of a device signs.
    TrustedDeviceChallenge {
        /// `trusted_device_challenge`.
        object: String,
        /// 256 random bits, base64url.
        challenge: String,
        /// The challenge's id.
        challenge_id: String,
        /// The device, when it signs somebody in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trusted_device_id: Option<String>,
        /// The text to sign, as it is.
        client_data: String,
        /// When it stops being open.
        expires_at: Timestamp,
        /// `ES256`.
        algorithm: String,
    }

    /// A device whose app holds a key for its user.
    TrustedDevice {
        /// `trusted_device`.
        object: String,
        /// Its id.
        id: TrustedDeviceId,
        /// `ios` or `android`.
        platform: String,
        /// The bundle or package of the app.
        app_identifier: String,
        /// A name for people.
        name: Option<String>,
        /// `ES256`.
        algorithm: String,
        /// `active` or `revoked`.
        status: String,
        /// When it was enrolled.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
        /// When somebody last signed in with it.
        last_used_at: Option<Timestamp>,
        /// When it was revoked.
        revoked_at: Option<Timestamp>,
    }

    /// A link from one identifier to another that was proven by the same act.
    IdentificationLink {
        /// `oauth_google`, `saml`, ...
        r#type: String,
        /// The other identifier.
        id: IdentificationId,
    }

    /// An e-mail address of a user.
    EmailAddress {
        /// `email_address`.
        object: String,
        /// The identifier's id.
        id: IdentificationId,
        /// The address as the user wrote it.
        email_address: String,
        /// Held for a sign-up that is not finished.
        reserved: bool,
        /// The proof, or null when it never began.
        verification: Option<Verification>,
        /// Other identifiers that vouch for this one.
        linked_to: Vec<IdentificationLink>,
        /// Whether an enterprise connection owns its domain.
        matches_sso_connection: bool,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A phone number of a user.
    PhoneNumber {
        /// `phone_number`.
        object: String,
        /// The identifier's id.
        id: IdentificationId,
        /// The number, in the form of E.164.
        phone_number: String,
        /// Whether it is kept for second factors.
        reserved_for_second_factor: bool,
        /// Whether it is the second factor that is offered first.
        default_second_factor: bool,
        /// Held for a sign-up that is not finished.
        reserved: bool,
        /// The proof, or null when it never began.
        verification: Option<Verification>,
        /// Other identifiers that vouch for this one.
        linked_to: Vec<IdentificationLink>,
        /// A first set of backup codes, only where this number has just become the first second factor.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backup_codes: Option<Vec<String>>,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A web3 wallet of a user.
    Web3Wallet {
        /// `web3_wallet`.
        object: String,
        /// The identifier's id.
        id: IdentificationId,
        /// The address: `0x` and lower-case hexadecimal digits, or base58.
        web3_wallet: String,
        /// The proof, or null when it never began.
        verification: Option<Verification>,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A passkey of a user.
    Passkey {
        /// `passkey`.
        object: String,
        /// Its id.
        id: PasskeyId,
        /// A name for people.
        name: String,
        /// The proof. Until it is there, `nonce` holds what the browser makes the passkey with (WebAuthn, section 5.4) as JSON.
        verification: Option<Verification>,
        /// When somebody last signed in with it.
        last_used_at: Option<Timestamp>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// An account of a user at another provider.
    ExternalAccount {
        /// `external_account`.
        object: String,
        /// Its id.
        id: ExternalAccountId,
        /// The strategy, such as `oauth_google`.
        provider: String,
        /// The id under which identifiers refer to it.
        identification_id: IdentificationId,
        /// The provider's own id of the account.
        provider_user_id: String,
        /// The scopes that were granted, with spaces between them.
        approved_scopes: String,
        /// The address that the provider names; empty for none.
        email_address: String,
        /// Whether the provider vouches for the address; null where it does not say.
        email_address_verified: Option<bool>,
        /// First name; empty for none.
        first_name: String,
        /// Last name; empty for none.
        last_name: String,
        /// Where the picture is.
        image_url: Option<String>,
        /// The older name of `image_url`.
        avatar_url: String,
        /// The user name there.
        username: Option<String>,
        /// Always null.
        phone_number: Option<String>,
        /// What it came with from another server; else empty.
        public_metadata: Object,
        /// Always null.
        label: Option<String>,
        /// The proof. While it is open, it says where the browser goes.
        verification: Option<Verification>,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A user. `private_metadata` is there on the Backend API only.
    User {
        /// `user`.
        object: String,
        /// The user's id.
        id: UserId,
        /// The app's own id.
        external_id: Option<String>,
        /// The address that is shown and written to.
        primary_email_address_id: Option<IdentificationId>,
        /// The number that is shown and written to.
        primary_phone_number_id: Option<IdentificationId>,
        /// The wallet that is shown.
        primary_web3_wallet_id: Option<IdentificationId>,
        /// The user name.
        username: Option<String>,
        /// First name.
        first_name: Option<String>,
        /// Last name.
        last_name: Option<String>,
        /// BCP 47 tag of the user's language.
        locale: Option<String>,
        /// The older name of `image_url`.
        profile_image_url: String,
        /// Where the picture is; empty when there is none.
        image_url: String,
        /// Whether the user chose a picture.
        has_image: bool,
        /// Readable by the browser, writable by the backend.
        public_metadata: Object,
        /// Readable and writable by the backend only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        private_metadata: Option<Object>,
        /// Readable and writable by the browser.
        unsafe_metadata: Object,
        /// All addresses.
        email_addresses: Vec<EmailAddress>,
        /// All numbers.
        phone_numbers: Vec<PhoneNumber>,
        /// All wallets.
        web3_wallets: Vec<Web3Wallet>,
        /// All passkeys.
        passkeys: Vec<Passkey>,
        /// All accounts at other providers.
        external_accounts: Vec<ExternalAccount>,
        /// All SAML accounts (older name of `enterprise_accounts`).
        saml_accounts: Vec<Value>,
        /// All enterprise accounts.
        enterprise_accounts: Vec<Value>,
        /// Memberships with their organizations.
        organization_memberships: Vec<Value>,
        /// Whether a password is set.
        password_enabled: bool,
        /// Whether a second factor is asked for.
        two_factor_enabled: bool,
        /// Whether an authenticator app is enrolled.
        totp_enabled: bool,
        /// Whether backup codes are left.
        backup_code_enabled: bool,
        /// When the first second factor was enrolled.
        mfa_enabled_at: Option<Timestamp>,
        /// When the last second factor was removed.
        mfa_disabled_at: Option<Timestamp>,
        /// When the password last changed.
        password_last_updated_at: Option<Timestamp>,
        /// When the user last signed in.
        last_sign_in_at: Option<Timestamp>,
        /// Whether the user is kept out.
        banned: bool,
        /// Whether too many wrong guesses closed the account for a while.
        locked: bool,
        /// Whether an enterprise directory removed the user.
        deprovisioned: bool,
        /// Seconds until a locked account opens.
        lockout_expires_in_seconds: Option<i64>,
        /// Wrong guesses that are left; null when lock-out is off.
        verification_attempts_remaining: Option<i64>,
        /// Whether the user may delete the account.
        delete_self_enabled: bool,
        /// Whether the user may create organizations.
        create_organization_enabled: bool,
        /// How many; without it the instance's setting counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        create_organizations_limit: Option<i64>,
        /// When the user was last seen.
        last_active_at: Option<Timestamp>,
        /// When the legal terms were accepted.
        legal_accepted_at: Option<Timestamp>,
        /// Whether a new device is trusted without a further proof.
        bypass_client_trust: bool,
        /// When the user was created.
        created_at: Timestamp,
        /// When the user last changed.
        updated_at: Timestamp,
    }

    /// What others may see of a user.
    PublicUserData {
        /// First name.
        first_name: Option<String>,
        /// Last name.
        last_name: Option<String>,
        /// Where the picture is.
        image_url: String,
        /// Whether the user chose a picture.
        has_image: bool,
        /// The older name of `image_url`.
        profile_image_url: String,
        /// The identifier that is shown.
        identifier: String,
        /// The user's id; null before the user is known.
        user_id: Option<UserId>,
        /// The user name.
        username: Option<String>,
    }

    /// A picture that somebody uploaded.
    Image {
        /// `image`.
        object: String,
        /// Its id.
        id: ImageId,
        /// The name of the file.
        name: String,
        /// Where everybody sees it.
        public_url: String,
    }

    /// A signed token.
    Token {
        /// `token`.
        object: String,
        /// The token, in JWS compact form (RFC 7515).
        jwt: String,
    }

    /// What is left of a deleted object.
    DeletedObject {
        /// What it was.
        object: String,
        /// Its id.
        id: String,
        /// Its slug, where it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        slug: Option<String>,
        /// Always true.
        deleted: bool,
        /// The app's own id, where it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    }

    /// A public key (RFC 7517).
    Jwk {
        /// `sig`.
        r#use: String,
        /// `RSA`.
        kty: String,
        /// The key's id.
        kid: String,
        /// `RS256`.
        alg: String,
        /// The modulus, base64url.
        n: String,
        /// The exponent, base64url.
        e: String,
    }

    /// The public keys of an instance (RFC 7517, section 5).
    Jwks {
        /// The keys: the one that signs first, then those that are on their way out.
        keys: Vec<Jwk>,
    }

    /// What has to be done before a session is active.
    SessionTask {
        /// `reset-password` or `setup-mfa`.
        key: String,
    }

    /// Where and on what a session was last used.
    SessionActivity {
        /// `session_activity`.
        object: String,
        /// The session's id with another prefix.
        id: String,
        /// Such as `Macintosh` or `iPhone`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_type: Option<String>,
        /// Whether it is a phone or tablet.
        is_mobile: bool,
        /// Such as `Firefox`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser_name: Option<String>,
        /// The version, as far as the browser tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        browser_version: Option<String>,
        /// The address the last request came from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ip_address: Option<String>,
        /// The city of that address, in English, where the server knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        city: Option<String>,
        /// The country of that address, two letters (ISO 3166-1), where the server knows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<String>,
    }
}

/// `{"object": .., "id": .., "deleted": true}`.
impl DeletedObject {
    /// The remains of `object` with `id`.
    pub fn new(object: &str, id: impl std::fmt::Display) -> Self {
        Self { object: object.to_owned(), id: id.to_string(), slug: None, deleted: true, external_id: None }
    }
}

impl Token {
    /// Wraps a signed token.
    pub fn new(jwt: String) -> Self {
        Self { object: "token".to_owned(), jwt }
    }
}
