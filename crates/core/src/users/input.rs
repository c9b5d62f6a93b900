//! What a server says about a user, checked. Nothing in here reads or writes the database.

use crate::app::Scope;
use crate::identifiers::{self, Username};
use crate::password;
use crate::settings::{Attributes, Presence};
use doorward_base::*;

/// Text that was sent empty counts as not there, as it does in forms.
pub(super) fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Refuses what this server cannot keep yet: dropping it silently would lose it.
pub(super) fn refuse(params: &[(&str, bool)]) -> Result<(), ApiError> {
    match params.iter().find(|(_, given)| *given) {
        Some((name, _)) => Err(disallowed(name, format!("{name} is not supported by this server yet."))),
        None => Ok(()),
    }
}

pub(super) fn disallowed(param: &str, why: String) -> ApiError {
    ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param(param).long(why)
}

/// Refuses a value for a field that the instance has switched off.
pub(super) fn taken_here(param: &str, presence: Presence, given: bool) -> Result<(), ApiError> {
    if given && presence == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(param));
    }
    Ok(())
}

/// A time in RFC 3339 format that has been already.
pub(super) fn past_time(text: Option<&str>, param: &str, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let invalid = || ApiError::new(codes::FORM_PARAM_INVALID_TIME).param(param);
    let at = crate::app::parse_time(text).ok_or_else(invalid)?;
    // On the wire a time of 0 or less means "not known".
    if at <= 0 {
        return Err(invalid());
    }
    if at > now {
        return Err(ApiError::new(codes::FORM_DISALLOW_FUTURE_DATE).param(param));
    }
    Ok(Some(at))
}

/// A language tag (BCP 47), as far as its characters and length go.
pub(super) fn locale(text: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(text) = filled(text) else { return Ok(None) };
    if text.len() > 35 || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("locale"));
    }
    Ok(Some(text))
}

/// A name or an id of the app's own.
pub(super) fn name(text: Option<&str>, param: &str) -> Result<Option<String>, ApiError> {
    super::check_name(text, param)?;
    Ok(filled(text))
}

/// A user name that keeps the instance's rules.
pub(super) fn username(scope: &Scope, text: Option<&str>) -> Result<Option<Username>, ApiError> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| identifiers::parse_username(&scope.instance.settings.username, text)).transpose()
}

/// How many organizations a user may create; 0 means any number.
pub(super) fn organizations_limit(limit: Option<i64>) -> Result<Option<i64>, ApiError> {
    match limit {
        Some(limit) if !(0..=i64::from(i32::MAX)).contains(&limit) => {
            Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("create_organizations_limit"))
        }
        limit => Ok(limit),
    }
}

/// A password as it was sent: in plain, or as another system's hash of it.
#[derive(Clone, Copy)]
pub(super) struct PasswordInput<'a> {
    pub(super) plain: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
    pub(super) hasher: Option<&'a str>,
    pub(super) skip_checks: bool,
}

impl<'a> PasswordInput<'a> {
    /// Checks which of the parameters were given together. An empty text is no password: it is refused as too short.
    pub(super) fn read(
        plain: &'a Option<String>,
        digest: &'a Option<String>,
        hasher: &'a Option<String>,
        skip_checks: Option<bool>,
    ) -> Result<Self, ApiError> {
        let (digest, hasher) = (digest.as_deref().filter(|d| !d.is_empty()), hasher.as_deref().filter(|h| !h.is_empty()));
        let missing = |param: &str| Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_MISSING).param(param));
        match (plain, digest, hasher) {
            (Some(_), Some(_), _) => {
                Err(disallowed("password_digest", "password_digest cannot be used together with password.".to_owned()))
            }
            (_, Some(_), None) => missing("password_hasher"),
            (_, None, Some(_)) => missing("password_digest"),
            _ => Ok(Self { plain: plain.as_deref(), digest, hasher, skip_checks: skip_checks == Some(true) }),
        }
    }

    pub(super) fn given(&self) -> bool {
        self.plain.is_some() || self.digest.is_some()
    }

    /// Which of the two parameters was given.
    pub(super) fn param(&self) -> &'static str {
        if self.digest.is_some() { "password_digest" } else { "password" }
    }

    /// Checks it against the instance's rules. Nothing can be told of a hash.
    pub(super) async fn check(&self, scope: &Scope) -> Result<(), ApiError> {
        taken_here(self.param(), scope.instance.settings.attributes.password, self.given())?;
        match self.plain {
            Some("") => Err(ApiError::new(codes::FORM_PASSWORD_TOO_SHORT).param("password")),
            // Hashing must stay cheap, whatever rules are skipped.
            Some(text) if text.len() > password::MAX_BYTES => Err(ApiError::new(codes::FORM_PASSWORD_SIZE).param("password")),
            Some(text) if !self.skip_checks => password::accept(scope, &Secret::from(text), "password").await,
            _ => Ok(()),
        }
    }

    /// The hash to keep. Call it outside of transactions: it takes its time.
    pub(super) async fn hash(&self, scope: &Scope) -> Result<Option<String>, ApiError> {
        match (self.plain, self.digest, self.hasher) {
            (Some(text), ..) => scope.app.passwords.hash(&Secret::from(text), &scope.app.rng).await.map(Some),
            (None, Some(digest), Some(hasher)) => password::foreign::import(hasher, digest).map(Some),
            _ => Ok(None),
        }
    }
}

/// What a new user has, for the check against what the instance requires.
pub(super) struct Given {
    pub(super) email: bool,
    pub(super) phone: bool,
    pub(super) wallet: bool,
    pub(super) username: bool,
    pub(super) first_name: bool,
    pub(super) last_name: bool,
    pub(super) password: bool,
}

/// The names of what is required and missing. `skip_user` leaves out all but one identifier, `skip_password` the password.
pub(super) fn missing(attributes: &Attributes, given: &Given, skip_user: bool, skip_password: bool) -> Vec<&'static str> {
    let all = [
        ("email_address", attributes.email_address, given.email, skip_user),
        ("phone_number", attributes.phone_number, given.phone, skip_user),
        ("username", attributes.username, given.username, skip_user),
        ("web3_wallet", attributes.web3_wallet, given.wallet, skip_user),
        ("first_name", attributes.first_name, given.first_name, skip_user),
        ("last_name", attributes.last_name, given.last_name, skip_user),
        ("password", attributes.password, given.password, skip_password),
    ];
    let mut names: Vec<_> =
        all.iter().filter(|(_, presence, given, skip)| *presence == Presence::Required && !given && !skip).map(|it| it.0).collect();
    // Nobody could ever sign in as a user without any identifier.
    let identifiers = &all[..4];
    if identifiers.iter().all(|(name, _, given, _)| !given && !names.contains(name)) {
        names.extend(identifiers.iter().filter(|it| it.1 != Presence::Off).map(|it| it.0));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_700_000_000_000;

    #[test]
    fn times_are_rfc_3339_and_not_in_the_future() {
        let read = |text| past_time(Some(text), "created_at", NOW);
        assert_eq!(read("2012-10-20T07:15:20.902Z").unwrap(), Some(1_350_717_320_902));
        assert_eq!(read("2012-10-20T09:15:20.902+02:00").unwrap(), Some(1_350_717_320_902));
        assert_eq!(read("").unwrap(), None);
        assert_eq!(read("2023-11-14T22:13:20Z").unwrap(), Some(NOW));
        let future = read("2023-11-14T22:13:20.001Z").unwrap_err();
        assert_eq!((future.code().code, future.meta().param_name.as_deref()), ("form_disallow_future_date", Some("created_at")));
        for bad in [
            "yesterday",
            "2012-10-20",
            "2012-10-20 07:15",
            "1350717320902",
            "2012-13-20T07:15:20Z",
            "0001-01-01T00:00:00Z",
            "9999999-01-01T00:00:00Z",
        ] {
            assert_eq!(read(bad).unwrap_err().code().code, "form_param_invalid_time", "{bad}");
        }
    }

    #[test]
    fn passwords_and_hashes_exclude_each_other() {
        let some = |text: &str| Some(text.to_owned());
        let read = |plain: &Option<String>, digest: &Option<String>, hasher: &Option<String>| {
            let read = PasswordInput::read(plain, digest, hasher, None);
            read.map(|it| it.given()).map_err(|e| (e.code().code, e.meta().param_name.clone().unwrap()))
        };
        assert_eq!(read(&some("secret"), &None, &None), Ok(true));
        assert_eq!(read(&None, &some("$2a$.."), &some("bcrypt")), Ok(true));
        assert_eq!(read(&None, &None, &None), Ok(false));
        assert_eq!(read(&some("a"), &some("b"), &some("bcrypt")), Err(("form_conditional_param_disallowed", "password_digest".to_owned())));
        assert_eq!(read(&None, &some("b"), &None), Err(("form_conditional_param_missing", "password_hasher".to_owned())));
        assert_eq!(read(&None, &None, &some("bcrypt")), Err(("form_conditional_param_missing", "password_digest".to_owned())));
    }

    #[test]
    fn what_the_instance_requires_is_named() {
        let attributes = Attributes::default();
        let given = |email, username, password| {
            let (phone, wallet, first_name, last_name) = (false, false, false, false);
            Given { email, phone, wallet, username, first_name, last_name, password }
        };
        assert_eq!(missing(&attributes, &given(true, false, true), false, false), Vec::<&str>::new());
        assert_eq!(missing(&attributes, &given(false, true, false), false, false), ["email_address", "password"]);
        assert_eq!(missing(&attributes, &given(false, true, false), true, true), Vec::<&str>::new());
        assert_eq!(missing(&attributes, &given(false, false, true), true, false), ["email_address", "username"]);
        let names_only = Attributes { email_address: Presence::Off, username: Presence::Optional, ..attributes };
        assert_eq!(missing(&names_only, &given(false, false, true), false, false), ["username"]);
    }

    #[test]
    fn locales_and_limits_are_checked() {
        assert_eq!(locale(Some("de-CH")).unwrap().as_deref(), Some("de-CH"));
        assert_eq!(locale(Some("")).unwrap(), None);
        assert!(locale(Some("<script>")).is_err());
        assert_eq!(organizations_limit(Some(0)).unwrap(), Some(0));
        assert!(organizations_limit(Some(-1)).is_err());
        assert_eq!(name(Some(""), "first_name").unwrap(), None);
        assert!(name(Some(&"x".repeat(257)), "first_name").is_err());
        assert!(name(Some("a\nb"), "first_name").is_err());
    }
}
