//! What a server reads and changes of its instance.

use crate::app::Scope;
use crate::environment::derived;
use crate::identifiers;
use crate::instance::{OriginPattern, change_settings};
use crate::outbound::{self, Method, OutboundRequest};
use crate::settings::{PreferredStrategy, Settings};
use crate::sign_in::filled;
use doorward_base::*;
use doorward_wire::bapi::{Domain, InstanceCommunication, InstanceInfo, ProxyCheck, UpdateInstance};

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
    change_settings(scope, |settings| {
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
    for origin in origins {
        OriginPattern::parse(origin).map_err(|why| ApiError::new(codes::FORM_INVALID_ORIGIN).param("allowed_origins").long(why))?;
    }
    Ok(())
}

/// Says whether test addresses and numbers have a fixed code.
///
/// # Errors
/// `conflict`.
pub async fn set_test_mode(scope: &Scope, on: Option<bool>) -> Result<(), ApiError> {
    change_settings(scope, |settings| {
        settings.test_mode = on.or(settings.test_mode);
        Ok(())
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

/// The only domain of the instance, behind this proxy.
pub fn domain(scope: &Scope, proxy_url: Option<String>) -> Domain {
    let instance = &scope.instance;
    let host = instance.hosts.first();
    let (name, url) = match host {
        Some(it) => (it.host.clone(), format!("{}://{}", it.scheme, it.host)),
        None => (String::new(), instance.frontend_url()),
    };
    let shared = instance.settings.cookie_domain.clone();
    Domain {
        object: "domain".to_owned(),
        id: derived(instance, "dmn_"),
        name: shared.unwrap_or(name),
        is_satellite: false,
        accounts_portal_url: Some(url.clone()),
        frontend_api_url: url,
        proxy_url,
        development_origin: String::new(),
    }
}

fn check_domain(scope: &Scope, id: &str) -> Result<(), ApiError> {
    if id == derived(&scope.instance, "dmn_") { Ok(()) } else { Err(ApiError::not_found("Domain", id)) }
}

/// Puts the Frontend API behind a proxy, or before it again.
///
/// # Errors
/// `resource_not_found`, `domain_update_forbidden` on development instances, `form_param_format_invalid`, `conflict`.
pub async fn update_domain(scope: &Scope, id: &str, proxy_url: Option<Option<String>>) -> Result<Domain, ApiError> {
    check_domain(scope, id)?;
    let Some(proxy_url) = proxy_url else { return Ok(domain(scope, scope.instance.settings.proxy_url.clone())) };
    if scope.instance.is_development() {
        return Err(codes::DOMAIN_UPDATE_FORBIDDEN.into());
    }
    let proxy_url = proxy_url.as_deref().filter(|url| !url.is_empty()).map(read_proxy_url).transpose()?;
    change_settings(scope, |settings| {
        settings.proxy_url.clone_from(&proxy_url);
        Ok(())
    })
    .await?;
    Ok(domain(scope, proxy_url))
}

fn read_proxy_url(text: &str) -> Result<String, ApiError> {
    let text = text.trim_end_matches('/');
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let plain = url.filter(|url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
    plain.map(|_| text.to_owned()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("proxy_url"))
}

/// Asks a proxy whether it reaches the Frontend API of this instance and says its own address rightly.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `resource_not_found`, `invalid_proxy_configuration` when the answer is
/// not the one of a proxy that works.
pub async fn check_proxy(scope: &Scope, domain_id: Option<&str>, proxy_url: Option<&str>) -> Result<ProxyCheck, ApiError> {
    let id = filled(domain_id).map_or_else(|| derived(&scope.instance, "dmn_"), str::to_owned);
    check_domain(scope, &id)?;
    let text = filled(proxy_url).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("proxy_url"))?;
    let proxy_url = read_proxy_url(text)?;
    let at = url::Url::parse(&format!("{proxy_url}/v1/proxy-health?domain_id={id}")).map_err(ApiError::internal)?;
    let answer = outbound::send(scope, OutboundRequest::new(Method::Get, at)).await;
    let answer = answer.ok().filter(|it| it.is_success()).and_then(|it| serde_json::from_slice::<serde_json::Value>(&it.body).ok());
    let right = answer.is_some_and(|it| it["status"] == "healthy" && it["proxy_url"].as_str() == Some(&proxy_url));
    if !right {
        return Err(ApiError::new(codes::INVALID_PROXY_CONFIGURATION).param("proxy_url"));
    }
    Ok(ProxyCheck {
        object: "proxy_check".to_owned(),
        id: format!("proxchk_{}", scope.app.rng.alphanumeric(27)),
        domain_id: id,
        last_run_at: Some(scope.now),
        proxy_url,
        successful: true,
        created_at: scope.now,
        updated_at: scope.now,
    })
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

    #[test]
    fn addresses_of_proxies_are_plain() {
        assert_eq!(read_proxy_url("https://app.example.com/__clerk/").unwrap(), "https://app.example.com/__clerk");
        for bad in ["", "app.example.com", "javascript:alert(1)", "https://a.test/?x=y", "https://u@a.test/x", "https://a.test/#x"] {
            assert!(read_proxy_url(bad).is_err(), "{bad}");
        }
    }
}
