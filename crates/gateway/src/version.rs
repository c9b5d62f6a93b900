use doorward_base::{ApiError, codes};

/// A dated version of the wire protocol. The code knows the newest one; an older caller is told apart where that
/// matters to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion(u32);

macro_rules! versions {
    ($($name:ident = $text:literal, $number:literal;)*) => {
        impl ApiVersion {
            $(
                #[doc = concat!("`", $text, "`.")]
                pub const $name: Self = Self($number);
            )*
            const ALL: &[(&str, Self)] = &[$(($text, Self::$name)),*];
        }
    };
}

versions! {
    V2021_02_05 = "2021-02-05", 20210205;
    V2024_10_01 = "2024-10-01", 20241001;
    V2025_03_12 = "2025-03-12", 20250312;
    V2025_04_10 = "2025-04-10", 20250410;
    V2025_11_10 = "2025-11-10", 20251110;
    V2026_05_12 = "2026-05-12", 20260512;
}

impl ApiVersion {
    /// The version that a caller asks for: by header or by query, not by both. Callers from before there were versions
    /// name none and get the oldest. A date that is newer than all we know, or between two, means the newest before it:
    /// SDKs are published with dates that no document describes yet.
    ///
    /// # Errors
    /// `api_version_invalid`.
    pub fn choose(header: Option<&str>, query: Option<&str>) -> Result<Self, ApiError> {
        let text = match (header, query) {
            (Some(_), Some(_)) => return Err(codes::API_VERSION_INVALID.into()),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => return Ok(Self::V2021_02_05),
        };
        let asked = Self::parse(text).ok_or(codes::API_VERSION_INVALID)?;
        Self::ALL
            .iter()
            .rev()
            .map(|(_, version)| *version)
            .find(|version| *version <= asked)
            .ok_or_else(|| codes::API_VERSION_INVALID.into())
    }

    /// Whether SDKs that name this date know sessions that wait for something to be done.
    pub(crate) fn knows_pending(self) -> bool {
        self >= Self::V2025_11_10
    }

    /// Whether they know the task of setting up a second factor. The scripts of browsers named the date before they did.
    pub(crate) fn knows_setup_mfa(self, script: Option<ScriptVersion>) -> bool {
        self.knows_pending() && script.is_none_or(|script| script >= ScriptVersion(5, 124))
    }

    /// Whether they know sign-ins on new devices by a status of their own: of the scripts of browsers all of the sixth generation, and
    /// none of the fifth, whatever date they name.
    pub(crate) fn knows_client_trust(self, script: Option<ScriptVersion>) -> bool {
        match script {
            Some(script) => script >= ScriptVersion(6, 0),
            None => self >= Self::V2026_05_12,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some((_, known)) = Self::ALL.iter().find(|(name, _)| *name == text) {
            return Some(*known);
        }
        let digits: String = text.split('-').collect();
        let shaped = text.len() == 10 && text.split('-').map(str::len).eq([4, 2, 2]) && digits.bytes().all(|b| b.is_ascii_digit());
        shaped.then(|| digits.parse().ok().map(Self)).flatten()
    }
}

/// The version of the script that a browser runs: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScriptVersion(u32, u32);

impl ScriptVersion {
    /// From what the script says of itself, such as `5.124.0`. None for one that says nothing, or nothing that can be read.
    pub(crate) fn parse(text: Option<&str>) -> Option<Self> {
        let mut numbers = text?.split('.').map(str::parse);
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_get_the_newest_version_that_is_not_newer_than_theirs() {
        let choose = |h, q| ApiVersion::choose(h, q);
        assert_eq!(choose(None, None).unwrap(), ApiVersion::V2021_02_05);
        assert_eq!(choose(Some("2025-11-10"), None).unwrap(), ApiVersion::V2025_11_10);
        assert_eq!(choose(None, Some("2026-08-20")).unwrap(), ApiVersion::V2026_05_12);
        assert_eq!(choose(None, Some("2024-12-01")).unwrap(), ApiVersion::V2024_10_01);
        for bad in ["", "latest", "2025-1-1", "1999-01-01", "2025-11-1x"] {
            assert!(choose(Some(bad), None).is_err(), "{bad}");
        }
        assert!(choose(Some("2025-11-10"), Some("2025-11-10")).is_err());
    }
}
