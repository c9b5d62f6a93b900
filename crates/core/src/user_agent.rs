//! What a `User-Agent` header tells a person about a session: enough to recognise their own devices, no more. The header
//! says what its sender likes, so nothing is decided by it.

/// A browser on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Such as `Macintosh` or `iPhone`. None when the header names none that is known here.
    pub device_type: Option<String>,
    /// Whether it is a phone or tablet.
    pub is_mobile: bool,
    /// Such as `Firefox`. None for programs that are no browsers.
    pub browser_name: Option<String>,
    /// The version as the header has it, such as `120.0.0.0`; 20 characters at most.
    pub browser_version: Option<String>,
}

impl Device {
    /// What its owner knows it by, such as `Firefox on Windows`.
    pub fn name(self) -> Option<String> {
        match (self.browser_name, self.device_type) {
            (Some(browser), Some(kind)) => Some(format!("{browser} on {kind}")),
            (browser, kind) => browser.or(kind),
        }
    }
}

/// Tokens that name a browser. The order matters: most browsers also claim to be an older one.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
];
const DEVICES: &[(&str, &str, bool)] = &[
    ("iPhone", "iPhone", true),
    ("iPad", "iPad", true),
    ("iPod", "iPod", true),
    ("Android", "Android", true),
    ("Macintosh", "Macintosh", false),
    ("Windows", "Windows", false),
    ("CrOS", "Chromebook", false),
    ("Linux", "Linux", false),
];

/// Reads a `User-Agent` header. What is not recognised stays empty.
pub fn parse(user_agent: Option<&str>) -> Device {
    let Some(text) = user_agent else { return Device::default() };
    let named = BROWSERS.iter().find_map(|(token, name)| Some((*name, version_after(text, token)?)));
    // Only Safari gives its version under that name and its own name last; Android's former browser did so, too.
    let safari = || (text.contains(" Safari/") && !text.contains("Android")).then(|| version_after(text, "Version/")).flatten();
    let (name, version) = named.or_else(|| safari().map(|version| ("Safari", version))).unzip();
    let device = DEVICES.iter().find(|(token, ..)| text.contains(token));
    Device {
        device_type: device.map(|(_, name, _)| (*name).to_owned()),
        is_mobile: device.is_some_and(|(.., mobile)| *mobile) || text.contains("Mobile"),
        browser_name: name.map(str::to_owned),
        browser_version: version.filter(|version| !version.is_empty()),
    }
}

/// The digits and dots behind a token.
fn version_after(text: &str, token: &str) -> Option<String> {
    let (_, rest) = text.split_once(token)?;
    Some(rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(20).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_browsers_are_recognised() {
        #[rustfmt::skip]
        let known = [
            ("Macintosh", "Chrome", "120.0.0.0", false,
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"),
            ("Macintosh", "Safari", "17.2", false,
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15"),
            ("Linux", "Firefox", "121.0", false, "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"),
            ("Linux", "Chrome", "120.0.6099.28", false,
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.28 Safari/537.36"),
            ("Windows", "Edge", "120.0.2210.91", false,
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91"),
            ("Windows", "Opera", "105.0.0.0", false,
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0"),
            ("Chromebook", "Chrome", "119.0.0.0", false,
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36"),
            ("iPhone", "Safari", "17.2", true,
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1"),
            ("iPhone", "Chrome", "120.0.6099.119", true,
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1"),
            ("iPad", "Firefox", "121.0", true,
                "Mozilla/5.0 (iPad; CPU OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/121.0 Mobile/15E148 Safari/605.1.15"),
            ("Android", "Samsung Browser", "23.0", true,
                "Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36"),
        ];
        for (device, browser, version, is_mobile, header) in known {
            let expected = Device {
                device_type: Some(device.to_owned()),
                is_mobile,
                browser_name: Some(browser.to_owned()),
                browser_version: Some(version.to_owned()),
            };
            assert_eq!(parse(Some(header)), expected, "{header}");
        }
    }

    #[test]
    fn what_is_not_known_stays_empty() {
        for header in ["", "curl/8.5.0", "node", "@clerk/backend@2.0.0", "Chrome", "Safari/1 Version/"] {
            assert_eq!(parse(Some(header)), Device::default(), "{header}");
        }
        assert_eq!(parse(None), Device::default());
        let android =
            parse(Some("Mozilla/5.0 (Linux; U; Android 4.0.3) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30"));
        assert_eq!((android.browser_name, android.is_mobile), (None, true));
        let long = parse(Some(&format!("Firefox/{}", "1".repeat(500))));
        assert_eq!(long.browser_version.map(|version| version.len()), Some(20));
    }
}
