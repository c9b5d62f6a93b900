//! What a `User-Agent` header tells a person about a session: enough to recognise their own devices, no more.

/// A browser on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Such as `Macintosh` or `iPhone`.
    pub device_type: Option<String>,
    /// Whether it is a phone or tablet.
    pub is_mobile: bool,
    /// Such as `Firefox`.
    pub browser_name: Option<String>,
    /// The version, as far as the header tells.
    pub browser_version: Option<String>,
}

/// Tokens that name a browser. The order matters: most browsers also claim to be an older one.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Browser"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];
const DEVICES: &[(&str, &str)] =
    &[("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Macintosh", "Macintosh"), ("Windows", "Windows"), ("CrOS", "Chromebook"), ("Linux", "Linux")];

/// Reads a `User-Agent` header.
pub fn parse(user_agent: Option<&str>) -> Device {
    let Some(text) = user_agent else { return Device::default() };
    let browser = BROWSERS.iter().find_map(|(token, name)| {
        let at = text.find(token)?;
        let version: String = text[at + token.len()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        Some(((*name).to_owned(), Some(version).filter(|v| !v.is_empty())))
    });
    let device = DEVICES.iter().find(|(token, _)| text.contains(token)).map(|(_, name)| (*name).to_owned());
    let is_mobile = text.contains("Mobile") || matches!(device.as_deref(), Some("iPhone" | "iPad" | "Android"));
    let (browser_name, browser_version) = browser.map_or((None, None), |(name, version)| (Some(name), version));
    Device { device_type: device, is_mobile, browser_name, browser_version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_recognised() {
        let of = |text: &str| {
            let d = parse(Some(text));
            (d.device_type.unwrap_or_default(), d.browser_name.unwrap_or_default(), d.is_mobile)
        };
        let is = |a: &str, b: &str, m| (a.to_owned(), b.to_owned(), m);
        assert_eq!(of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"), is("Linux", "Chrome", false));
        assert_eq!(of("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0"), is("Windows", "Edge", false));
        assert_eq!(of("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605.1 Version/17.0 Mobile/15E148 Safari/604.1"), is("iPhone", "Safari", true));
        assert_eq!(of("curl/8.0"), is("", "", false));
        assert_eq!(parse(None), Device::default());
    }
}
