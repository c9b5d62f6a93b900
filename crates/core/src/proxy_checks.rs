//! Proxies in front of the Frontend API: their addresses, and whether they work.

use crate::app::Scope;
use crate::domains::{find, is_own};
use crate::environment::derived;
use crate::outbound::{self, Method, OutboundRequest};
use crate::sign_in::filled;
use doorward_base::*;
use doorward_wire::bapi::ProxyCheck;

/// Reads the address of a proxy.
///
/// # Errors
/// `form_param_format_invalid`.
pub(crate) fn read_proxy_url(text: &str) -> Result<String, ApiError> {
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
pub async fn check(scope: &Scope, domain_id: Option<&str>, proxy_url: Option<&str>) -> Result<ProxyCheck, ApiError> {
    let id = filled(domain_id).map_or_else(|| derived(&scope.instance, "dmn_"), str::to_owned);
    if !is_own(scope, &id) {
        find(scope, &id).await?;
    }
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
    fn addresses_of_proxies_are_plain() {
        assert_eq!(read_proxy_url("https://app.example.com/__clerk/").unwrap(), "https://app.example.com/__clerk");
        for bad in ["", "app.example.com", "javascript:alert(1)", "https://a.test/?x=y", "https://u@a.test/x", "https://a.test/#x"] {
            assert!(read_proxy_url(bad).is_err(), "{bad}");
        }
    }
}
