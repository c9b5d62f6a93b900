//! Origins, and which of them an instance allows.

/// An origin (RFC 6454): scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads `scheme://host[:port]` and nothing more.
    pub fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        let exact = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        if !exact || !matches!(url.path(), "" | "/") || text.ends_with('/') {
            return None;
        }
        Self::of(&url)
    }

    /// The origin of an address.
    pub fn of(url: &url::Url) -> Option<Self> {
        let port = url.port_or_known_default().unwrap_or(0);
        Some(Self { scheme: url.scheme().to_owned(), host: url.host_str()?.to_ascii_lowercase(), port })
    }

    /// As text; the scheme's own port is left out.
    pub fn text(&self) -> String {
        match (self.scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) | (_, 0) => format!("{}://{}", self.scheme, self.host),
            (scheme, port) => format!("{scheme}://{}:{port}", self.host),
        }
    }

    /// Whether it is of a page. Extensions of browsers and programs that are made of pages have schemes of their own.
    pub fn is_of_the_web(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https")
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.is_of_the_web() && matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}

/// One entry of the allowed origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    scheme: String,
    host: String,
    any_subdomain: bool,
    port: Option<u16>,
}

impl OriginPattern {
    /// Reads an origin whose host may begin with `*.` and whose port may be `*`.
    ///
    /// # Errors
    /// A few words on what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("must have the form scheme://host[:port]")?;
        let any_subdomain = rest.starts_with("*.");
        let rest = rest.strip_prefix("*.").unwrap_or(rest);
        let any_port = rest.ends_with(":*");
        let rest = rest.strip_suffix(":*").unwrap_or(rest);
        let origin = Origin::parse(&format!("{scheme}://{rest}")).ok_or("must have the form scheme://host[:port], without a path")?;
        if rest.contains('*') || (any_subdomain && !rest.contains('.')) {
            return Err("`*` may stand for the leftmost labels of a domain or for the port only".to_owned());
        }
        let port = if any_port { None } else { Some(origin.port) };
        Ok(Self { scheme: origin.scheme, host: origin.host, any_subdomain, port })
    }

    /// Whether an origin is meant.
    pub fn matches(&self, origin: &Origin) -> bool {
        let host = if self.any_subdomain {
            origin.host.strip_suffix(&self.host).is_some_and(|sub| sub.ends_with('.') && sub.len() > 1)
        } else {
            origin.host == self.host
        };
        host && origin.scheme == self.scheme && self.port.is_none_or(|port| port == origin.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_match_exactly_or_by_the_pattern_that_was_written() {
        let matches = |pattern: &str, origin: &str| OriginPattern::parse(pattern).unwrap().matches(&Origin::parse(origin).unwrap());
        assert!(matches("https://app.example.com", "https://app.example.com"));
        assert!(matches("https://app.example.com", "https://app.example.com:443"));
        assert!(!matches("https://app.example.com", "http://app.example.com"));
        assert!(!matches("https://example.com", "https://badexample.com"));
        assert!(matches("https://*.example.com", "https://a.b.example.com"));
        assert!(!matches("https://*.example.com", "https://example.com"));
        assert!(!matches("https://*.example.com", "https://badexample.com"));
        assert!(!matches("https://*.example.com", "https://x.example.com.evil.test"));
        assert!(matches("http://localhost:*", "http://localhost:3000"));
        assert!(matches("chrome-extension://abcdef", "chrome-extension://abcdef"));
        assert!(!matches("chrome-extension://abcdef", "chrome-extension://abcdeg"));
        assert!(!matches("chrome-extension://abcdef", "https://abcdef"));
        let extension = Origin::parse("chrome-extension://abcdef").unwrap();
        assert_eq!((extension.text().as_str(), extension.is_of_the_web()), ("chrome-extension://abcdef", false));
        for bad in
            ["example.com", "https://*", "https://a.*.com", "https://example.com/path", "https://user@example.com", "https://*.com:x"]
        {
            assert!(OriginPattern::parse(bad).is_err(), "{bad}");
        }
        for bad in ["https://example.com/", "https://example.com/a", "null", "https://u@example.com", "https://example.com?x"] {
            assert!(Origin::parse(bad).is_none(), "{bad}");
        }
    }
}
