//! The environment: what an app may know of its instance before anybody signs in. The official SDKs read the same shape
//! in every generation, so there is one of it.

use crate::instance::Instance;
use crate::settings::{PreferredStrategy, Presence, SignUpMode};
use crate::{captcha, oauth};
use doorward_wire::fapi::Environment;
use serde_json::{Value, json};

/// The environment of an instance whose Frontend API is seen at `frontend_url`.
pub fn environment(instance: &Instance, frontend_url: &str) -> Environment {
    let all = json!({
        "object": "environment",
        "id": derived(instance, "env_"),
        "auth_config": auth_config(instance),
        "display_config": display_config(instance, frontend_url),
        "user_settings": user_settings(instance),
        "organization_settings": organization_settings(),
        "fraud_settings": {"object": "fraud_settings", "native": {"device_attestation_mode": "disabled"}},
        "commerce_settings": {"billing": {
            "stripe_publishable_key": null,
            "free_trial_requires_payment_method": false,
            "user": {"enabled": false, "has_paid_plans": false},
            "organization": {"enabled": false, "has_paid_plans": false},
        }},
        "api_keys_settings": {"enabled": false, "user_api_keys_enabled": false, "orgs_api_keys_enabled": false},
        "protect_config": {"object": "protect_config", "id": "", "loaders": []},
        "client_debug_mode": false,
        "partitioned_cookies": false,
        "maintenance_mode": false,
    });
    match all {
        Value::Object(fields) => Environment(fields),
        _ => Environment(doorward_wire::Object::new()),
    }
}

/// The instance's id under another prefix: the same at every call.
pub(crate) fn derived(instance: &Instance, prefix: &str) -> String {
    instance.id.as_str().replacen("ins_", prefix, 1)
}

fn on(presence: Presence) -> &'static str {
    match presence {
        Presence::Off => "off",
        Presence::Optional => "on",
        Presence::Required => "required",
    }
}

fn auth_config(instance: &Instance) -> Value {
    let attributes = &instance.settings.attributes;
    let all = [
        ("email_address", attributes.email_address),
        ("phone_number", attributes.phone_number),
        ("username", attributes.username),
        ("web3_wallet", attributes.web3_wallet),
    ];
    let identifiers: Vec<&str> = all.into_iter().filter(|(_, presence)| *presence != Presence::Off).map(|(name, _)| name).collect();
    let required: Vec<Vec<&str>> = identifiers.iter().map(|name| vec![*name]).collect();
    let mut factors = Vec::new();
    if attributes.email_code && attributes.email_address != Presence::Off {
        factors.push("email_code");
    }
    if attributes.email_link && attributes.email_address != Presence::Off {
        factors.push("email_link");
    }
    if attributes.phone_code && attributes.phone_number != Presence::Off {
        factors.push("phone_code");
    }
    if attributes.password != Presence::Off {
        factors.push("password");
    }
    if attributes.passkey {
        factors.push("passkey");
    }
    factors.extend(web3_strategies(instance));
    json!({
        "object": "auth_config",
        "id": derived(instance, "aconf_"),
        "first_name": on(attributes.first_name),
        "last_name": on(attributes.last_name),
        "email_address": on(attributes.email_address),
        "phone_number": on(attributes.phone_number),
        "username": on(attributes.username),
        "password": on(attributes.password),
        "identification_requirements": required,
        "identification_strategies": identifiers,
        "first_factors": factors,
        "second_factors": second_factors(instance),
        "email_address_verification_strategies": if attributes.email_link { vec!["email_code", "email_link"] } else { vec!["email_code"] },
        "single_session_mode": instance.settings.session.single_session,
        "enhanced_email_deliverability": false,
        "test_mode": instance.takes_test_identifiers(),
        "cookieless_dev": false,
        "url_based_session_syncing": instance.is_development(),
        "claimed_at": null,
        "reverification": instance.settings.session.reverify_sensitive,
        "preferred_channels": null,
        "session_minter": false,
        "native_settings": {
            "object": "native_settings",
            "api_enabled": true,
            "trusted_device_sign_in_enabled": instance.settings.native.trusted_devices,
            "trusted_device_enrollment_prompt_after_sign_in_enabled": false,
            "trusted_device_enrollment_prompt_after_sign_up_enabled": false,
        },
    })
}

/// The pages of an app that a user is led to: those of the settings, else our own.
pub struct Places {
    /// The app.
    pub home: String,
    /// The sign-in page.
    pub sign_in: String,
    /// The sign-up page.
    pub sign_up: String,
    /// The page of the waitlist.
    pub waitlist: String,
    /// The account page.
    pub user: String,
    /// Where a sign-in leads.
    pub after_sign_in: String,
    /// Where a sign-up leads.
    pub after_sign_up: String,
    /// Where a sign-out leads.
    pub after_sign_out: String,
}

impl Places {
    /// Those of an instance whose Frontend API is seen at `frontend_url`.
    pub fn of(instance: &Instance, frontend_url: &str) -> Self {
        let paths = &instance.settings.paths;
        let own = |path: &str| format!("{frontend_url}{path}");
        let or = |set: &Option<String>, else_: &str| set.clone().unwrap_or_else(|| else_.to_owned());
        let (home, sign_in) = (or(&paths.home_url, &own("/")), or(&paths.sign_in_url, &own("/sign-in")));
        Self {
            sign_up: or(&paths.sign_up_url, &own("/sign-up")),
            waitlist: or(&paths.waitlist_url, &own("/waitlist")),
            user: own("/user"),
            after_sign_in: or(&paths.after_sign_in_url, &home),
            after_sign_up: or(&paths.after_sign_up_url, &home),
            after_sign_out: or(&paths.after_sign_out_url, &sign_in),
            home,
            sign_in,
        }
    }
}

fn display_config(instance: &Instance, frontend_url: &str) -> Value {
    let own = |path: &str| format!("{frontend_url}{path}");
    let Places { home, sign_in, sign_up, waitlist, user, after_sign_in, after_sign_up, after_sign_out } =
        Places::of(instance, frontend_url);
    let otp = instance.settings.attributes.password == Presence::Off
        || instance.settings.preferred_sign_in_strategy == Some(PreferredStrategy::Otp);
    let strategy = if otp { "otp" } else { "password" };
    let captcha = captcha::shown(instance);
    json!({
        "object": "display_config",
        "id": derived(instance, "dconf_"),
        "instance_environment_type": instance.environment.as_str(),
        "application_name": instance.settings.application_name,
        "theme": {
            "buttons": {"font_color": "#ffffff", "font_family": "sans-serif", "font_weight": "600"},
            "general": {
                "color": "#2f4fd0", "padding": "1em", "box_shadow": "0 2px 8px rgba(0, 0, 0, 0.2)", "font_color": "#151515",
                "font_family": "sans-serif", "border_radius": "0.5em", "background_color": "#ffffff", "label_font_weight": "600",
            },
            "accounts": {"background_color": "#ffffff"},
        },
        "preferred_sign_in_strategy": strategy,
        "logo_image_url": null, "favicon_image_url": null, "logo_url": null, "favicon_url": null, "logo_image": null, "favicon_image": null,
        "home_url": home,
        "sign_in_url": sign_in,
        "sign_up_url": sign_up,
        "user_profile_url": user,
        "waitlist_url": waitlist,
        "oauth_consent_url": own("/oauth-consent"),
        "after_sign_in_url": after_sign_in,
        "after_sign_up_url": after_sign_up,
        "after_sign_out_one_url": own("/sign-in/choose"),
        "after_sign_out_all_url": after_sign_out,
        "after_switch_session_url": home,
        "after_join_waitlist_url": home,
        "organization_profile_url": own("/organization"),
        "create_organization_url": own("/create-organization"),
        "after_leave_organization_url": home,
        "after_create_organization_url": home,
        "logo_link_url": home,
        "support_email": instance.settings.support_email,
        "branded": false,
        "experimental_force_oauth_first": false,
        "clerk_js_version": instance.settings.clerk_js_version,
        "show_devmode_warning": false,
        "google_one_tap_client_id": one_tap_client(instance),
        "help_url": null, "privacy_policy_url": null, "terms_url": null,
        "captcha_public_key": captcha.and_then(|it| it.site_key.as_deref()),
        "captcha_widget_type": instance.settings.captcha.widget.as_str(),
        "captcha_public_key_invisible": captcha.and_then(|it| it.invisible_site_key.as_deref()),
        "captcha_provider": "turnstile",
        "captcha_oauth_bypass": captcha.map(|it| &it.oauth_bypass[..]).unwrap_or_default(),
        "captcha_heartbeat": false,
    })
}

fn attribute(presence: Presence, first: &[&str], verifications: &[&str]) -> Value {
    json!({
        "enabled": presence != Presence::Off,
        "required": presence == Presence::Required,
        "used_for_first_factor": presence != Presence::Off && !first.is_empty(),
        "first_factors": first,
        "used_for_second_factor": false,
        "second_factors": [],
        "verifications": verifications,
        "verify_at_sign_up": !verifications.is_empty(),
        "immutable": false,
    })
}

/// What proves a wallet, where there are wallets.
fn web3_strategies(instance: &Instance) -> Vec<&str> {
    let settings = &instance.settings;
    let on = settings.attributes.web3_wallet != Presence::Off;
    settings.web3.strategies.iter().filter(|_| on).map(String::as_str).collect()
}

/// What users may enrol as second factors.
fn second_factors(instance: &Instance) -> Vec<&'static str> {
    let set = &instance.settings.attributes;
    let any = set.authenticator_app || set.phone_second_factor;
    let offered = [("totp", set.authenticator_app), ("phone_code", set.phone_second_factor), ("backup_code", set.backup_code && any)];
    offered.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect()
}

fn second_factor(enabled: bool, name: &str, verifications: &[&str]) -> Value {
    let mut out = attribute(if enabled { Presence::Optional } else { Presence::Off }, &[], verifications);
    out["used_for_second_factor"] = json!(enabled);
    out["second_factors"] = if enabled { json!([name]) } else { json!([]) };
    out["verify_at_sign_up"] = json!(false);
    out
}

fn passkey(enabled: bool) -> Value {
    let names: &[&str] = if enabled { &["passkey"] } else { &[] };
    let mut out = attribute(if enabled { Presence::Optional } else { Presence::Off }, names, names);
    out["verify_at_sign_up"] = json!(false);
    out
}

fn attributes(instance: &Instance) -> Value {
    let set = &instance.settings.attributes;
    let email = set.email_address != Presence::Off;
    let email_ways = |code: bool| {
        let all = [("email_code", email && code), ("email_link", email && set.email_link)];
        all.into_iter().filter(|(_, on)| *on).map(|(name, _)| name).collect::<Vec<_>>()
    };
    let mut username = attribute(set.username, &[], &[]);
    // A user name names the user; what proves it is the password.
    username["used_for_first_factor"] = json!(set.username != Presence::Off);
    let mut email_address = attribute(set.email_address, &email_ways(set.email_code), &email_ways(true));
    email_address["used_for_first_factor"] = json!(email);
    let phone = set.phone_number != Presence::Off;
    let phone_factors: &[&str] = if set.phone_code && phone { &["phone_code"] } else { &[] };
    let phone_proofs: &[&str] = if phone || set.phone_second_factor { &["phone_code"] } else { &[] };
    let mut phone_number = attribute(set.phone_number, phone_factors, phone_proofs);
    if instance.settings.sms.whatsapp {
        phone_number["channels"] = json!(["sms", "whatsapp"]);
    }
    phone_number["used_for_first_factor"] = json!(phone);
    phone_number["verify_at_sign_up"] = json!(phone);
    if set.phone_second_factor {
        phone_number["used_for_second_factor"] = json!(true);
        phone_number["second_factors"] = json!(["phone_code"]);
    }
    let off = || attribute(Presence::Off, &[], &[]);
    json!({
        "email_address": email_address,
        "phone_number": phone_number,
        "username": username,
        "web3_wallet": attribute(set.web3_wallet, &web3_strategies(instance), &web3_strategies(instance)),
        "first_name": attribute(set.first_name, &[], &[]),
        "last_name": attribute(set.last_name, &[], &[]),
        "password": attribute(set.password, &[], &[]),
        "authenticator_app": second_factor(set.authenticator_app, "totp", &["totp"]),
        "ticket": off(),
        "backup_code": second_factor(set.backup_code, "backup_code", &[]),
        "passkey": passkey(set.passkey),
    })
}

fn user_settings(instance: &Instance) -> Value {
    let settings = &instance.settings;
    let protection = &settings.attack_protection;
    let mode = match settings.sign_up.mode {
        SignUpMode::Public => "public",
        SignUpMode::Restricted => "restricted",
        SignUpMode::Waitlist => "waitlist",
    };
    let restrictions = &settings.restrictions;
    let enabled = |on: bool| json!({"enabled": on});
    json!({
        "attributes": attributes(instance),
        "social": social(instance),
        "saml": enabled(false),
        "enterprise_sso": {"enabled": false, "self_serve_sso": false},
        "sign_in": {"second_factor": {"required": settings.session.require_second_factor, "enabled": !second_factors(instance).is_empty()}},
        "sign_up": {
            "captcha_enabled": captcha::shown(instance).is_some(), "captcha_widget_type": settings.captcha.widget.as_str(),
            "custom_action_required": false, "progressive": true, "mode": mode,
            "legal_consent_enabled": settings.sign_up.legal_consent, "allowlist_only": settings.restrictions.allowlist, "mfa": {"required": settings.session.require_second_factor},
        },
        "restrictions": {
            "allowlist": enabled(restrictions.allowlist),
            "blocklist": enabled(restrictions.blocklist),
            "allowlist_blocklist_disabled_on_sign_in": enabled(restrictions.allowlist_blocklist_disabled_on_sign_in),
            "block_email_subaddresses": enabled(restrictions.block_email_subaddresses),
            "block_disposable_email_domains": enabled(restrictions.block_disposable_email_domains),
        },
        "password_settings": {
            "disable_hibp": !settings.password.refuse_breached,
            "disable_password_reverification": false,
            "min_length": settings.password.min_length,
            "max_length": settings.password.max_length,
            "require_special_char": settings.password.require_special_char,
            "require_numbers": settings.password.require_numbers,
            "require_uppercase": settings.password.require_uppercase,
            "require_lowercase": settings.password.require_lowercase,
            "show_zxcvbn": settings.password.show_zxcvbn,
            "min_zxcvbn_strength": settings.password.min_zxcvbn_strength,
            "enforce_hibp_on_sign_in": settings.password.enforce_hibp_on_sign_in,
            "allowed_special_characters": "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~",
        },
        "username_settings": {
            "min_length": settings.username.min_length, "max_length": settings.username.max_length,
            "allow_extended_special_characters": false, "allow_numeric_usernames": false,
        },
        "actions": {
            "delete_self": settings.actions.delete_self, "create_organization": settings.actions.create_organization,
            "create_organizations_limit": null,
        },
        "attack_protection": {
            "user_lockout": {
                "enabled": protection.lockout, "max_attempts": protection.max_attempts, "duration_in_minutes": protection.duration_minutes,
            },
            "pii": {"enabled": true},
            "email_link": {"require_same_client": protection.email_link_same_client},
            "enumeration_protection": {"enabled": protection.enumeration_protection},
        },
        "passkey_settings": {
            "allow_autofill": settings.attributes.passkey && settings.passkey.allow_autofill,
            "show_sign_in_button": settings.attributes.passkey && settings.passkey.show_sign_in_button,
            "satisfies_second_factor": settings.passkey.satisfies_second_factor,
        },
    })
}

/// The providers that are switched on, by strategy.
fn social(instance: &Instance) -> Value {
    let strategies = instance.settings.oauth.keys().map(|key| format!("oauth_{key}"));
    let shown = strategies.filter_map(|strategy| {
        let connection = oauth::find(instance, &strategy)?;
        let value = json!({
            "enabled": true,
            "required": false,
            "authenticatable": connection.settings.authenticatable,
            "block_email_subaddresses": connection.settings.block_email_subaddresses,
            "strategy": strategy,
            "not_selectable": false,
            "deprecated": false,
            "name": connection.name(),
            "logo_url": connection.settings.logo_url.as_deref().unwrap_or_default(),
        });
        Some((strategy, value))
    });
    Value::Object(shown.collect())
}

/// The client of Google's One Tap, which is the one that signs people in.
fn one_tap_client(instance: &Instance) -> Option<&str> {
    let connection = oauth::find(instance, "oauth_google").filter(|it| it.settings.authenticatable)?;
    Some(connection.settings.client_id.as_str())
}

fn organization_settings() -> Value {
    json!({
        "enabled": false,
        "max_allowed_memberships": 5,
        "actions": {"admin_delete": true},
        "domains": {"enabled": false, "enrollment_modes": [], "default_role": "org:member"},
        "slug": {"disabled": false},
        "organization_creation_defaults": {"enabled": false},
        "creator_role": "org:admin",
        "force_organization_selection": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Environment as Kind;
    use crate::settings::Settings;

    fn instance() -> Instance {
        Instance {
            id: "ins_1".into(),
            environment: Kind::Development,
            name: "x".to_owned(),
            publishable_key: "pk_test_x".to_owned(),
            cookie_suffix: "x".to_owned(),
            settings: Settings::default(),
            hosts: Vec::new(),
            satellites: Vec::new(),
            template_keys: Default::default(),
            signing_keys: Vec::new(),
            origins: Vec::new(),
            created_at: 0,
            updated_at: 0,
        }
    }

    fn missing(ours: &Value, theirs: &Value, at: &str, out: &mut Vec<String>) {
        let (Value::Object(ours), Value::Object(theirs)) = (ours, theirs) else { return };
        for (key, value) in theirs.iter().filter(|(key, _)| !key.starts_with("oauth_")) {
            match ours.get(key) {
                Some(found) => missing(found, value, &format!("{at}.{key}"), out),
                None => out.push(format!("{at}.{key}")),
            }
        }
    }

    #[test]
    fn it_has_every_key_that_some_sdk_reads() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("skipped: the reference samples are not beside this checkout");
            return;
        };
        let samples: Value = serde_json::from_str(&text).unwrap();
        let ours = serde_json::to_value(environment(&instance(), "http://localhost:4100")).unwrap();
        let mut out = Vec::new();
        missing(&ours, &samples["environment"], "environment", &mut out);
        missing(&samples["environment"], &ours, "not in the sample: environment", &mut out);
        assert_eq!(out, Vec::<String>::new());
    }

    #[test]
    fn it_follows_the_settings() {
        let mut one = instance();
        one.environment = Kind::Production;
        one.settings.session.single_session = false;
        one.settings.sign_up.mode = SignUpMode::Restricted;
        one.settings.attributes.password = Presence::Off;
        one.settings.attributes.username = Presence::Required;
        one.settings.paths.sign_in_url = Some("https://app.example.com/in".to_owned());
        (one.settings.password.refuse_breached, one.settings.password.enforce_hibp_on_sign_in) = (true, true);
        (one.settings.password.show_zxcvbn, one.settings.password.min_zxcvbn_strength) = (true, 3);
        let of = |instance: &Instance| serde_json::to_value(environment(instance, "https://clerk.example.com")).unwrap();
        let shown = of(&one);
        assert_eq!(shown, of(&one), "the same at every call");
        for (pointer, expected) in [
            ("/id", json!("env_1")),
            ("/auth_config/test_mode", json!(false)),
            ("/auth_config/single_session_mode", json!(false)),
            ("/auth_config/identification_strategies", json!(["email_address", "username"])),
            ("/auth_config/first_factors", json!(["email_code"])),
            ("/display_config/instance_environment_type", json!("production")),
            ("/display_config/preferred_sign_in_strategy", json!("otp")),
            ("/display_config/sign_in_url", json!("https://app.example.com/in")),
            ("/display_config/after_sign_out_all_url", json!("https://app.example.com/in")),
            ("/display_config/sign_up_url", json!("https://clerk.example.com/sign-up")),
            ("/display_config/home_url", json!("https://clerk.example.com/")),
            ("/user_settings/sign_up/mode", json!("restricted")),
            ("/user_settings/attributes/password/enabled", json!(false)),
            ("/user_settings/attributes/username/required", json!(true)),
            ("/user_settings/password_settings/disable_hibp", json!(false)),
            ("/user_settings/password_settings/enforce_hibp_on_sign_in", json!(true)),
            ("/user_settings/password_settings/show_zxcvbn", json!(true)),
            ("/user_settings/password_settings/min_zxcvbn_strength", json!(3)),
            ("/user_settings/attributes/username/used_for_first_factor", json!(true)),
        ] {
            assert_eq!(shown.pointer(pointer), Some(&expected), "{pointer}");
        }
        assert_eq!(of(&instance()).pointer("/auth_config/test_mode"), Some(&json!(true)));
    }
}
