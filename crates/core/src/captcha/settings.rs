use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Where tokens are verified unless the settings say otherwise: Cloudflare Turnstile.
pub(super) const VERIFY_URL: &str = "https://challenges.cloudflare.com/turnstile/v0/siteverify";

/// Whether a person has to be at the browser: captchas of Cloudflare Turnstile, or of a service that verifies tokens as it does.
/// On production instances only, for the official SDKs show none on others; apps without a browser cannot show any. Its
/// secrets are kept apart: `doorward instance provider-secret set --provider captcha`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaptchaSettings {
    /// Whether sign-ups need one.
    pub sign_up: bool,
    /// Whether sign-ins need one, once an hour from each client. SDKs from before 2025 cannot answer that.
    pub sign_in: bool,
    /// The key of the widget that may ask the person something.
    pub site_key: Option<String>,
    /// The key of the widget that shows nothing. The SDKs need both, and take this one where the other cannot be shown; both
    /// may be the same.
    pub invisible_site_key: Option<String>,
    /// Which of them is shown first.
    pub widget: CaptchaWidget,
    /// Where tokens are verified. Null: at Cloudflare.
    pub verify_url: Option<String>,
    /// Whether nobody passes while tokens cannot be verified. Else everybody does who brings one.
    pub required: bool,
    /// Strategies of providers with which people sign up without one, such as `oauth_google`.
    pub oauth_bypass: Vec<String>,
}

/// A kind of widget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptchaWidget {
    /// It asks the person something when it has doubts.
    #[default]
    Smart,
    /// It never shows.
    Invisible,
}

impl CaptchaWidget {
    /// The name on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Smart => "smart",
            Self::Invisible => "invisible",
        }
    }
}

impl Default for CaptchaSettings {
    fn default() -> Self {
        Self {
            sign_up: false,
            sign_in: false,
            site_key: None,
            invisible_site_key: None,
            widget: CaptchaWidget::Smart,
            verify_url: None,
            required: true,
            oauth_bypass: Vec::new(),
        }
    }
}

impl CaptchaSettings {
    /// Checks them.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if (self.sign_up || self.sign_in) && (self.site_key.is_none() || self.invisible_site_key.is_none()) {
            return Err("captcha: sign_up and sign_in need site_key and invisible_site_key".to_owned());
        }
        if self.sign_in && !self.sign_up {
            return Err("captcha.sign_in: needs captcha.sign_up, without which the SDKs show none".to_owned());
        }
        if let Some(bad) = self.oauth_bypass.iter().find(|name| !crate::oauth::is_redirect(name)) {
            return Err(format!("captcha.oauth_bypass: {bad:?} is not a strategy such as oauth_google"));
        }
        self.verify_url().map(|_| ())
    }

    pub(super) fn verify_url(&self) -> Result<Url, String> {
        let url: Result<Url, _> = self.verify_url.as_deref().unwrap_or(VERIFY_URL).parse();
        let plain = url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none());
        plain.ok_or_else(|| "captcha.verify_url: must be an http or https address without a query".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_which_every_sign_up_would_fail_are_refused() {
        let refused = |change: fn(&mut CaptchaSettings)| {
            let keys = (Some("0x1".to_owned()), Some("0x2".to_owned()));
            let mut it = CaptchaSettings { sign_up: true, site_key: keys.0, invisible_site_key: keys.1, ..CaptchaSettings::default() };
            change(&mut it);
            it.validate().err().unwrap_or_default()
        };
        assert_eq!(refused(|_| {}), "");
        assert!(refused(|it| it.site_key = None).contains("site_key"));
        assert!(refused(|it| it.invisible_site_key = None).contains("invisible_site_key"));
        assert!(refused(|it| (it.sign_up, it.sign_in) = (false, true)).contains("captcha.sign_in"));
        assert!(refused(|it| it.oauth_bypass = vec!["email_code".to_owned()]).contains("email_code"));
        assert!(refused(|it| it.verify_url = Some("ftp://captcha.example".to_owned())).contains("verify_url"));
    }
}
