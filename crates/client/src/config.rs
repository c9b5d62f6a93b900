//! What a client must be told before it can begin.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha1::{Digest as _, Sha1};

/// How a client is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `pk_test_..` or `pk_live_..`.
    pub publishable_key: String,
    /// The Frontend API's address where it is not `https://` and the key's host: absolute, without a slash at the end.
    pub proxy_url: Option<String>,
    /// A satellite's own domain.
    pub domain: Option<String>,
    /// The page's origin; empty for a native program.
    pub origin: String,
    /// The page's address.
    pub href: String,
    /// The page's cookies, as `document.cookie` gives them.
    pub cookies: String,
    /// Whether nobody sees the page.
    pub hidden: bool,
    /// Whether this is a native program: it has no cookies, the client token travels in a header.
    pub native: bool,
    /// The client token that a native program kept.
    pub client_token: Option<String>,
    /// Where waiting times get their spread from. Nothing secret is made of it.
    pub seed: u64,
}

/// What follows from a configuration.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The Frontend API, without a slash at the end.
    pub(crate) frontend: String,
    pub(crate) development: bool,
    /// What the cookies' names end with, beside the plain ones.
    pub(crate) suffix: String,
    /// Whether the page has to keep the time of the last sign-in itself, because the server's cookie is not sent along.
    pub(crate) keeps_uat: bool,
    pub(crate) secure: bool,
}

/// The host in a publishable key.
fn host(key: &str) -> Option<String> {
    let encoded = key.strip_prefix("pk_test_").or_else(|| key.strip_prefix("pk_live_"))?;
    // One alphabet for keys and tokens: a second decoder would be loaded for nothing else.
    let encoded = encoded.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let bytes = Base64UrlUnpadded::decode_vec(&encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let host = text.strip_suffix('$')?;
    (!host.is_empty() && !host.contains(['$', '/', '@', ' '])).then(|| host.to_owned())
}

impl Place {
    /// # Errors
    /// What is wrong with the configuration.
    pub(crate) fn of(config: &Config) -> Result<Self, String> {
        let host = host(&config.publishable_key).ok_or("the publishable key is not valid: it begins with pk_test_ or pk_live_")?;
        let frontend = match (&config.proxy_url, &config.domain) {
            (Some(url), _) => {
                let url = url.trim_end_matches('/');
                if !url.starts_with("https://") && !url.starts_with("http://") {
                    return Err("the proxyUrl must begin with https:// or http://".to_owned());
                }
                url.to_owned()
            }
            (None, Some(domain)) => ["https://clerk.", domain].concat(),
            (None, None) => ["https://", &host].concat(),
        };
        let development = config.publishable_key.starts_with("pk_test_");
        let page = config.origin.rsplit('/').next().unwrap_or_default();
        let own = page.ends_with(host.strip_prefix("clerk.").unwrap_or(&host));
        let suffix: String = Base64UrlUnpadded::encode_string(&Sha1::digest(config.publishable_key.as_bytes())).chars().take(8).collect();
        Ok(Self { frontend, development, suffix, keeps_uat: development && !own, secure: config.origin.starts_with("https:") })
    }
}

/// The value of a cookie in `document.cookie`.
pub(crate) fn cookie<'a>(cookies: &'a str, name: &str) -> Option<&'a str> {
    cookies.split(';').find_map(|pair| pair.trim_start().strip_prefix(name)?.strip_prefix('=')).filter(|value| !value.is_empty())
}

/// A parameter of an address.
pub(crate) fn query<'a>(href: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = href.split('#').next()?.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key: &str, origin: &str) -> Config {
        Config { publishable_key: key.to_owned(), origin: origin.to_owned(), ..Config::default() }
    }

    #[test]
    fn the_key_says_where_the_frontend_api_is() {
        // clerk.example.com$ and 127.0.0.1:4100$
        let live = Place::of(&config("pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "https://app.example.com")).unwrap();
        assert_eq!(live.frontend, "https://clerk.example.com");
        assert!(!live.development && !live.keeps_uat && live.secure);
        let test = Place::of(&config("pk_test_MTI3LjAuMC4xOjQxMDAk", "http://localhost:3000")).unwrap();
        assert_eq!(test.frontend, "https://127.0.0.1:4100");
        assert!(test.development && test.keeps_uat && !test.secure);
        assert_eq!(test.suffix.len(), 8);
        for bad in ["", "pk_test_", "sk_test_MTI3LjAuMC4xOjQxMDAk", "pk_live_%%%", "pk_live_YWJj", "pk_live_YUBiJA"] {
            assert!(Place::of(&config(bad, "")).is_err(), "{bad}");
        }
        let proxied = Config { proxy_url: Some("javascript:alert(1)".to_owned()), ..config("pk_test_MTI3LjAuMC4xOjQxMDAk", "") };
        assert!(Place::of(&proxied).is_err());
    }

    #[test]
    fn cookies_and_parameters_are_found_by_their_whole_name() {
        assert_eq!(cookie("a__session=1; __session=2; __session_x=3", "__session"), Some("2"));
        assert_eq!(cookie("__session=", "__session"), None);
        assert_eq!(query("http://h/p?x=1&__clerk_db_jwt=dvb_1#__clerk_db_jwt=no", "__clerk_db_jwt"), Some("dvb_1"));
        assert_eq!(query("http://h/p", "x"), None);
    }
}
