//! The page by which SDKs of 2023 renew a session: it loads the browser SDK, lets it put its cookies right, and loads
//! the page that was asked for once more.
//!
//! App servers pass it on from their own address, so whatever it loads runs as the app. What comes from the query is
//! therefore held against the instance's settings, and reaches the page as data only, never as script.

use doorward_base::*;
use doorward_core::Instance;
use doorward_core::instance::Origin;
use doorward_core::instance_settings::is_script_version;
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::bapi::{GetInterstitial, GetPrivateInterstitial};
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value, json};

/// The version of the browser SDK that the server-side SDKs of 2023 go with.
const DEFAULT_VERSION: &str = "4";

/// Reads what it needs from the page's own data. A page without a fragment is asked for anew, so that a form is not sent
/// twice; going to the same address with a fragment would load nothing, hence `reload`.
const SCRIPT: &str = r#"(() => {
  const page = JSON.parse(document.body.dataset.page);
  const again = () => (location.hash ? location.reload() : location.replace(location.href));
  const script = document.createElement("script");
  for (const [name, value] of Object.entries(page.attributes)) script.setAttribute(name, value);
  script.async = true;
  script.crossOrigin = "anonymous";
  script.src = page.script;
  script.addEventListener("error", () => console.error("Doorward: could not load " + page.script));
  script.addEventListener("load", async () => {
    try {
      await window.Clerk.load(page.options);
      if (window.Clerk.loaded) again();
    } catch (error) {
      console.error("Doorward:", error);
    }
  });
  document.body.appendChild(script);
})();"#;

pub(crate) async fn get(cx: &mut Cx, req: GetInterstitial) -> Result<Raw, ApiError> {
    let html = render(&page(&cx.scope.instance, &req)?);
    let mut response = Response::new(html.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    cx.raw = Some(response);
    Ok(Raw {})
}

pub(crate) async fn get_private(cx: &mut Cx, _: GetPrivateInterstitial) -> Result<Raw, ApiError> {
    get(cx, GetInterstitial { proxy_url: cx.scope.instance.settings.proxy_url.clone(), ..GetInterstitial::default() }).await
}

/// What the page's script works with.
fn page(instance: &Instance, req: &GetInterstitial) -> Result<Value, ApiError> {
    let allowed = |origin: &str| instance.allows_origin(origin);
    let own = |url: &str| instance.settings.proxy_url.as_deref() == Some(url);
    let proxy = filled(&req.proxy_url).map(|url| if own(url) { Ok(url.to_owned()) } else { proxy_url(url, allowed) }).transpose()?;
    let domain = filled(&req.domain).map(|domain| satellite(domain, allowed)).transpose()?;
    let sign_in_url = filled(&req.sign_in_url).map(|url| sign_in_url(url, allowed)).transpose()?;
    let version = version(filled(&req.clerk_js_version).unwrap_or(DEFAULT_VERSION))?;
    // The key is the instance's own, however the instance was named.
    let mut attributes = Map::from_iter([("data-clerk-publishable-key".to_owned(), json!(instance.publishable_key))]);
    if let Some(url) = &proxy {
        attributes.insert("data-clerk-proxy-url".to_owned(), json!(url));
    }
    if let Some(domain) = &domain {
        attributes.insert("data-clerk-domain".to_owned(), json!(domain));
    }
    let mut options = Map::from_iter([("isInterstitial".to_owned(), json!(true))]);
    options.insert("isSatellite".to_owned(), json!(req.is_satellite == Some(true)));
    if let Some(url) = sign_in_url {
        options.insert("signInUrl".to_owned(), json!(url));
    }
    // A satellite's own host serves the script only if it is one of ours.
    let satellite = domain.filter(|_| req.use_domain_for_script == Some(true)).map(|domain| format!("clerk.{domain}"));
    let satellite = satellite.and_then(|host| instance.hosts.iter().find(|it| it.host == host));
    let base = proxy.or_else(|| satellite.map(|it| format!("{}://{}", it.scheme, it.host))).unwrap_or_else(|| instance.frontend_url());
    Ok(json!({
        "script": format!("{base}/npm/@clerk/clerk-js@{version}/dist/clerk.browser.js"),
        "attributes": attributes,
        "options": options,
    }))
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn invalid(param: &str) -> ApiError {
    ApiError::new(codes::INVALID_REDIRECT_URL).param(param)
}

/// An http or https address without credentials, on an origin that the instance allows.
fn address(text: &str, param: &str, allowed: impl Fn(&str) -> bool) -> Result<url::Url, ApiError> {
    let url = url::Url::parse(text).map_err(|_| invalid(param))?;
    if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(param));
    }
    let origin = Origin::of(&url).ok_or_else(|| invalid(param))?;
    if !allowed(&origin.text()) {
        return Err(ApiError::new(codes::REDIRECT_URL_MISMATCH).param(param));
    }
    Ok(url)
}

/// The proxy's address as the SDKs write it: without query, fragment or a slash at the end.
fn proxy_url(text: &str, allowed: impl Fn(&str) -> bool) -> Result<String, ApiError> {
    let url = address(text, "proxy_url", allowed)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("proxy_url"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A path on the app's own host, or a whole address.
fn sign_in_url(text: &str, allowed: impl Fn(&str) -> bool) -> Result<String, ApiError> {
    // Browsers read `//` and `/\` as the beginning of a host.
    let path = text.starts_with('/') && !text[1..].starts_with(['/', '\\']);
    if path && !text.chars().any(|c| c.is_control() || c == '\\') {
        return Ok(text.to_owned());
    }
    address(text, "sign_in_url", allowed).map(String::from)
}

/// A satellite's domain: the bare host of an allowed origin.
fn satellite(text: &str, allowed: impl Fn(&str) -> bool) -> Result<String, ApiError> {
    let host = text.to_ascii_lowercase();
    let origin = format!("https://{host}");
    let bare = Origin::parse(&origin).is_some_and(|parsed| parsed.text() == origin);
    if !bare {
        return Err(invalid("domain"));
    }
    if !allowed(&origin) {
        return Err(ApiError::new(codes::REDIRECT_URL_MISMATCH).param("domain"));
    }
    Ok(host)
}

fn version(text: &str) -> Result<&str, ApiError> {
    if !is_script_version(text) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("clerk_js_version"));
    }
    Ok(text)
}

fn render(page: &Value) -> String {
    let data = escape(&page.to_string());
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title></title>\n</head>\n<body data-page=\"{data}\">\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

/// Text inside of a quoted attribute.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app_only(origin: &str) -> bool {
        origin == "https://app.example.com"
    }

    #[test]
    fn fault_115_only_allowed_addresses_get_onto_the_page() {
        assert_eq!(proxy_url("https://app.example.com/__clerk/", app_only).unwrap(), "https://app.example.com/__clerk");
        for bad in [
            "javascript:alert(1)",
            "https://evil.example/__clerk",
            "https://app.example.com.evil.example",
            "https://app.example.com@evil.example",
            "https://u:p@app.example.com",
            "https://app.example.com/?x",
            "https://app.example.com/#x",
            "//app.example.com",
            "/__clerk",
            "data:text/javascript,alert(1)",
        ] {
            assert!(proxy_url(bad, app_only).is_err(), "{bad}");
        }
        for good in ["/sign-in", "/sign-in?a=b#c", "https://app.example.com/in"] {
            assert_eq!(sign_in_url(good, app_only).unwrap(), good);
        }
        for bad in ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example", "sign-in", "/a\nb"] {
            assert!(sign_in_url(bad, app_only).is_err(), "{bad}");
        }
        assert_eq!(satellite("App.example.com", app_only).unwrap(), "app.example.com");
        for bad in ["evil.example", "app.example.com/x", "app.example.com:8443", "u@app.example.com", "\"><script>"] {
            assert!(satellite(bad, app_only).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_are_tags_and_not_paths() {
        for good in ["4", "latest", "4.60.0", "5.0.0-beta.1"] {
            assert_eq!(version(good).unwrap(), good);
        }
        for bad in ["", "../x", "4/../..", "@evil", "4\"", ".4", &"4".repeat(41)] {
            assert!(version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fault_114_data_cannot_leave_its_attribute() {
        let html = render(&json!({ "options": { "signInUrl": "/a\"><script>alert(1)</script><!--'&" } }));
        assert_eq!(html.matches("<script>").count(), 1);
        assert_eq!(html.matches("</script>").count(), 1);
        assert!(!html.contains("<!--"));
        let data = html.split("data-page=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(!data.contains(['<', '>', '\'']));
    }
}
