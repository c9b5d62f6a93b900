use http::HeaderMap;
use http::header::COOKIE;

/// The value of a cookie. Where a name comes twice the first one counts: browsers send the more specific path first
/// (RFC 6265, section 5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'))
        .filter(|value| !value.is_empty())
}

/// All values of a cookie that were sent, in order.
pub(crate) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'))
}

/// 400 days: browsers cut longer ages to that (draft-ietf-httpbis-rfc6265bis).
pub(crate) const MAX_AGE: i64 = 400 * 86_400;

/// The cookie that stands for the client. Only the server reads it, and only on the Frontend API's own host.
pub(crate) fn client_cookie(token: Option<&str>, secure: bool) -> String {
    let (value, age) = token.map_or(("", 0), |token| (token, MAX_AGE));
    let secure = if secure { "; Secure" } else { "" };
    format!("__client={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// The cookies by which app servers see when somebody last signed in or out, under both of their names.
pub(crate) fn uat_cookies(uat: i64, suffix: &str, domain: Option<&str>, secure: bool) -> [String; 2] {
    let domain = domain.map(|d| format!("; Domain={d}")).unwrap_or_default();
    let secure = if secure { "; Secure" } else { "" };
    let one = |name: &str| format!("{name}={uat}; Path=/; Max-Age=31536000; SameSite=Lax{secure}{domain}");
    [one("__client_uat"), one(&format!("__client_uat_{suffix}"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_017_malformed_cookies_are_no_cookies() {
        for text in ["", ";", "=", "__client", "__client=", "a=b; __client =; c", "__client\u{1}=x", "__clientx=y", "=__client"] {
            let mut headers = HeaderMap::new();
            if let Ok(value) = text.parse() {
                headers.insert(COOKIE, value);
            }
            assert_eq!(cookie(&headers, "__client"), None, "{text:?}");
        }
    }

    #[test]
    fn fault_018_the_first_of_two_cookies_counts() {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "__client=first; other=1; __client=second".parse().unwrap());
        assert_eq!(cookie(&headers, "__client"), Some("first"));
        assert_eq!(cookies(&headers, "__client").collect::<Vec<_>>(), ["first", "second"]);
    }

    #[test]
    fn fault_019_no_cookie_lives_longer_than_400_days() {
        assert!(client_cookie(Some("x"), true).contains("Max-Age=34560000; HttpOnly; SameSite=Lax; Secure"));
        assert!(uat_cookies(1, "abc", None, false).iter().all(|c| c.contains("Max-Age=31536000")));
    }
}
