//! What a server reads and changes of its instance.

use crate::app::Scope;
use crate::identifiers;
use crate::instance::{OriginPattern, change_settings};
use crate::settings::{PreferredStrategy, Settings};
use crate::sign_in::filled;
use doorward_base::*;
use doorward_wire::bapi::{InstanceCommunication, InstanceInfo, InstanceSettings, UpdateInstance, UpdateInstanceSettings};

/// The most origins of an instance.
const MAX_ORIGINS: usize = 100;

/// ISO 3166-1, as far as there are phone numbers.
const COUNTRIES: &str = "AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD \
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN \
    GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU \
    LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM \
    PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// The instance as a server sees it.
pub fn info(scope: &Scope) -> InstanceInfo {
    InstanceInfo {
        object: "instance".to_owned(),
        id: scope.ins().clone(),
        environment_type: scope.instance.environment.as_str().to_owned(),
        allowed_origins: scope.instance.settings.allowed_origins.clone(),
        workspace_id: None,
    }
}

/// Changes settings. What was not sent stays.
///
/// # Errors
/// The `form_*` codes naming the parameter, `conflict`.
pub async fn update(scope: &Scope, req: &UpdateInstance) -> Result<(), ApiError> {
    let strategy = match req.preferred_sign_in_strategy_when_password_required.as_deref() {
        None => None,
        Some("") => Some(None),
        Some("password") => Some(Some(PreferredStrategy::Password)),
        Some("otp") => Some(Some(PreferredStrategy::Otp)),
        Some(_) => {
            return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("preferred_sign_in_strategy_when_password_required"));
        }
    };
    let support = req.support_email.as_deref().map(read_support_email).transpose()?;
    if let Some(origins) = &req.allowed_origins {
        check_origins(origins)?;
    }
    if let Some(origin) = filled(req.development_origin.as_deref()) {
        check_origin(origin, "development_origin")?;
    }
    if filled(req.clerk_js_version.as_deref()).is_some_and(|version| !is_script_version(version)) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("clerk_js_version"));
    }
    let set = |to: &mut Option<String>, sent: &Option<String>| {
        if sent.is_some() {
            *to = filled(sent.as_deref()).map(str::to_owned);
        }
    };
    change_settings(scope, |settings| {
        set(&mut settings.clerk_js_version, &req.clerk_js_version);
        set(&mut settings.development_origin, &req.development_origin);
        if let Some(origins) = &req.allowed_origins {
            settings.allowed_origins.clone_from(origins);
        }
        if let Some(on) = req.hibp {
            settings.password.refuse_breached = on;
            // What builds on it goes with it.
            settings.password.enforce_hibp_on_sign_in &= on;
            settings.password.breached_check_required &= on;
        }
        if let Some(strategy) = strategy {
            settings.preferred_sign_in_strategy = strategy;
        }
        if let Some(address) = &support {
            settings.support_email.clone_from(address);
        }
        settings.test_mode = req.test_mode.or(settings.test_mode);
        Ok(())
    })
    .await
}

fn read_support_email(text: &str) -> Result<Option<String>, ApiError> {
    let invalid = || ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("support_email");
    filled(Some(text)).map(|text| identifiers::parse_email(text).map(|it| it.address).ok_or_else(invalid)).transpose()
}

fn check_origins(origins: &[String]) -> Result<(), ApiError> {
    if origins.len() > MAX_ORIGINS {
        return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param("allowed_origins"));
    }
    origins.iter().try_for_each(|origin| check_origin(origin, "allowed_origins"))
}

fn check_origin(origin: &str, param: &str) -> Result<(), ApiError> {
    let invalid = |why| ApiError::new(codes::FORM_INVALID_ORIGIN).param(param).long(why);
    OriginPattern::parse(origin).map(|_| ()).map_err(invalid)
}

/// Whether a text may be a version of the script: a number, or a name such as `latest`.
pub fn is_script_version(text: &str) -> bool {
    let fits = text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    fits && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

/// Changes settings that may change without notice. What was not sent stays.
///
/// # Errors
/// `form_param_format_invalid`, `conflict`.
pub async fn update_beta(scope: &Scope, req: &UpdateInstanceSettings) -> Result<InstanceSettings, ApiError> {
    let from = req.from_email_address.as_deref();
    if from.is_some_and(|name| name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("from_email_address"));
    }
    change_settings(scope, |settings| {
        if from.is_some() {
            settings.from_email_address = filled(from).map(str::to_owned);
        }
        settings.test_mode = req.test_mode.or(settings.test_mode);
        let allowlist = &mut settings.restrictions.allowlist;
        *allowlist = req.restricted_to_allowlist.unwrap_or(*allowlist);
        Ok(InstanceSettings {
            object: "instance_settings".to_owned(),
            id: scope.ins().clone(),
            restricted_to_allowlist: *allowlist,
            from_email_address: settings.from_email_address.clone().unwrap_or_default(),
            progressive_sign_up: true,
            enhanced_email_deliverability: false,
        })
    })
    .await
}

/// Where text messages do not go. The settings say where they go.
pub fn communication(settings: &Settings) -> InstanceCommunication {
    let allowed = |code: &str| settings.sms.allowed_countries.iter().any(|it| it.eq_ignore_ascii_case(code));
    InstanceCommunication {
        object: "instance_communication".to_owned(),
        blocked_country_codes: COUNTRIES.split_whitespace().filter(|code| !allowed(code)).map(str::to_owned).collect(),
    }
}

/// Says where text messages do not go; they go everywhere else.
///
/// # Errors
/// `form_param_format_invalid`, `form_param_duplicate`, `conflict`.
pub async fn update_communication(scope: &Scope, blocked: Option<&[String]>) -> Result<InstanceCommunication, ApiError> {
    let Some(blocked) = blocked else { return Ok(communication(&scope.instance.settings)) };
    let error = |code| ApiError::new(code).param("blocked_country_codes");
    for (n, code) in blocked.iter().enumerate() {
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(error(codes::FORM_PARAM_FORMAT_INVALID));
        }
        if blocked[..n].contains(code) {
            return Err(error(codes::FORM_PARAM_DUPLICATE));
        }
    }
    change_settings(scope, |settings| {
        let allowed = COUNTRIES.split_whitespace().filter(|code| !blocked.iter().any(|it| it == code));
        settings.sms.allowed_countries = allowed.map(str::to_owned).collect();
        Ok(communication(settings))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blocked_is_what_is_not_allowed() {
        let codes: Vec<&str> = COUNTRIES.split_whitespace().collect();
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]) && codes.iter().all(|code| code.len() == 2));
        let blocked = communication(&Settings::default()).blocked_country_codes;
        assert_eq!(blocked.len(), codes.len() - 2);
        assert!(!blocked.contains(&"US".to_owned()) && blocked.contains(&"DE".to_owned()));
    }
}
