//! What settings must be beside their types.

use super::*;
use crate::oauth;
use std::ops::RangeInclusive;

impl Settings {
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
        if let Some(origin) = &self.development_origin {
            crate::instance::OriginPattern::parse(origin).map_err(|e| format!("development_origin: {origin}: {e}"))?;
        }
        if self.from_email_address.as_deref().is_some_and(|name| !crate::messages::is_local_part(name)) {
            return Err("from_email_address: must be what stands before the @ of an address".to_owned());
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
        between("attack_protection.rate_limit_factor", i64::from(self.attack_protection.rate_limit_factor), 1, 1000)?;
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
        if self.organizations.max_allowed_memberships < 0 {
            return Err("organizations.max_allowed_memberships: must not be negative".to_owned());
        }
        self.oauth_applications.check()
    }
}
