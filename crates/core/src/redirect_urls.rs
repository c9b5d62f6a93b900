//! Where people may be sent back to: pages of the allowed origins, and addresses that a server has listed, such as a native
//! app's own.

use crate::app::{Caller, Scope, internal};
use crate::handshake;
use crate::users::Page;
use doorward_base::*;
use doorward_store::StoreError;
use doorward_store::redirect_urls::{self, RedirectRecord};

/// Schemes that run something, or read something, in place of opening an app.
const NEVER: [&str; 9] = ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws"];
/// The longest address.
const MAX_LENGTH: usize = 2048;

/// Checks where an attempt wants its person to be sent back. Every strategy that sends people away asks here: a page of an
/// allowed origin, or exactly an address that is listed.
///
/// # Errors
/// Those of [`handshake::check_redirect`].
pub(crate) async fn check(scope: &Scope, text: Option<&str>) -> Result<url::Url, ApiError> {
    or_listed(scope, text, handshake::check_redirect(scope, text)).await
}

/// The same for a parameter that may be relative to the page that asks.
///
/// # Errors
/// Those of [`handshake::resolve_redirect`].
pub(crate) async fn resolve(scope: &Scope, caller: &Caller, text: Option<&str>, param: &str) -> Result<url::Url, ApiError> {
    or_listed(scope, text, handshake::resolve_redirect(scope, caller, text, param)).await
}

async fn or_listed(scope: &Scope, text: Option<&str>, page: Result<url::Url, ApiError>) -> Result<url::Url, ApiError> {
    let refused = match page {
        Ok(url) => return Ok(url),
        Err(error) => error,
    };
    listed(scope, text).await?.ok_or(refused)
}

/// The address, if exactly that one is listed.
pub(crate) async fn listed(scope: &Scope, text: Option<&str>) -> Result<Option<url::Url>, ApiError> {
    let text = text.map(str::trim).unwrap_or_default();
    let listed = !text.is_empty() && redirect_urls::holds(scope.db(), scope.ins(), text).await.map_err(internal)?;
    Ok(parse(text).ok().filter(|_| listed))
}

/// Reads an address that may be listed: https, http of this machine, or an app's own scheme.
fn parse(text: &str) -> Result<url::Url, ApiError> {
    let format = || ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("url").long("url must be an absolute URL.");
    let url = url::Url::parse(text).map_err(|_| format())?;
    let userinfo = !url.username().is_empty() || url.password().is_some();
    if text.len() > MAX_LENGTH || text.chars().any(|c| c.is_control() || c.is_whitespace()) || userinfo {
        return Err(format());
    }
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = url.scheme();
    if NEVER.contains(&scheme) || scheme == "http" && !loopback || !text.contains("://") {
        return Err(ApiError::new(codes::INVALID_URL_SCHEME).param("url"));
    }
    Ok(url)
}

/// Adds an address.
///
/// # Errors
/// `form_param_missing`, `form_param_format_invalid`, `invalid_url_scheme`, `duplicate_record`.
pub async fn add(scope: &Scope, text: Option<&str>) -> Result<RedirectRecord, ApiError> {
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("url"))?;
    parse(text)?;
    let id = RedirectUrlId::new(scope.now, &scope.app.rng);
    let record = RedirectRecord { id, url: text.to_owned(), created_at: scope.now, updated_at: scope.now };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    redirect_urls::insert(&mut tx, scope.ins(), &record).await.map_err(|error| match error {
        StoreError::Conflict => ApiError::new(codes::DUPLICATE_RECORD).param("url"),
        other => internal(other),
    })?;
    tx.commit().await.map_err(internal)?;
    Ok(record)
}

/// A page of the addresses, the newest first, and how many there are.
///
/// # Errors
/// Only failures of ours.
pub async fn list(scope: &Scope, page: Option<Page>) -> Result<(Vec<RedirectRecord>, i64), ApiError> {
    let found = redirect_urls::list(scope.db(), scope.ins(), page.map(|page| (page.limit, page.offset))).await.map_err(internal)?;
    Ok((found, redirect_urls::count(scope.db(), scope.ins()).await.map_err(internal)?))
}

/// The address of an id.
///
/// # Errors
/// `resource_not_found`.
pub async fn get(scope: &Scope, id: &RedirectUrlId) -> Result<RedirectRecord, ApiError> {
    let found = redirect_urls::get(scope.db(), scope.ins(), id).await.map_err(internal)?;
    found.ok_or_else(|| ApiError::not_found("Redirect url", id))
}

/// Removes an address.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove(scope: &Scope, id: &RedirectUrlId) -> Result<(), ApiError> {
    let done = redirect_urls::delete(scope.db(), scope.ins(), id).await.map_err(internal)?;
    if done { Ok(()) } else { Err(ApiError::not_found("Redirect url", id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_115_only_addresses_that_open_a_page_or_an_app_are_listed() {
        for good in ["https://example.com/back", "my-app://callback", "com.example.app://oauth/back?x=1", "http://localhost:3000/back"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, code) in [
            ("javascript://example.com/%0aalert(1)", "invalid_url_scheme"),
            ("JavaScript:alert(1)", "invalid_url_scheme"),
            ("data:text/html,x", "invalid_url_scheme"),
            ("file:///etc/passwd", "invalid_url_scheme"),
            ("http://example.com/", "invalid_url_scheme"),
            ("mailto:ada@example.com", "invalid_url_scheme"),
            ("/relative", "form_param_format_invalid"),
            ("https://", "form_param_format_invalid"),
            ("https://user@example.com/", "form_param_format_invalid"),
            ("my-app://a b", "form_param_format_invalid"),
            ("java\nscript://x", "form_param_format_invalid"),
        ] {
            assert_eq!(parse(bad).unwrap_err().code().code, code, "{bad:?}");
        }
    }
}
