//! What settings are where nobody has said anything.

use super::*;

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
            clerk_js_version: None,
            development_origin: None,
            from_email_address: None,
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
            organizations: OrganizationsSettings::default(),
            oauth_applications: OAuthApplicationsSettings::default(),
            protect: ProtectSettings::default(),
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
            new_device_notice: false,
            rate_limits: RateLimits::Auto,
            rate_limit_factor: 1,
        }
    }
}

impl Default for Actions {
    fn default() -> Self {
        Self { delete_self: true, create_organization: true }
    }
}
