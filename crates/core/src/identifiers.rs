//! Identifiers: what a person types to say who they are, and the form in which it is compared.

use crate::settings::UsernameSettings;
use doorward_base::*;
use unicode_normalization::UnicodeNormalization as _;

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As it was written, trimmed.
    pub address: String,
    /// As it is compared: compatibility-normalized, lower case, the domain in its ASCII form. Unique in an instance.
    pub key: String,
}

/// A user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As it was written, trimmed.
    pub username: String,
    /// As it is compared. Unique in an instance.
    pub key: String,
}

/// Either, by its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// It has an `@`.
    Email(Email),
    /// It has none: a user name, as it is compared.
    Username(String),
}

/// Whether a character may stand in an unquoted local part: an `atext` of RFC 5322 or a letter of RFC 6531.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
}

/// Reads exactly one address (RFC 5321, section 4.1.2, without quoting): no display name, no list, no comment, no
/// address literal. Anything stranger is refused rather than guessed at.
pub fn parse_email(text: &str) -> Option<Email> {
    let address = text.trim();
    let folded: String = address.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    // What normalization turns into another shape was written to look like something else.
    let same_shape = folded.matches('@').count() == 1 && address.matches('@').count() == 1;
    let (local, domain) = folded.split_once('@')?;
    if !same_shape || address.len() > 254 || local.is_empty() || local.len() > 64 {
        return None;
    }
    if local.split('.').any(|atom| atom.is_empty() || !atom.chars().all(is_atext)) {
        return None;
    }
    if address.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    Some(Email { address: address.to_owned(), key: format!("{local}@{}", ascii_domain(domain)?) })
}

/// A domain name in its ASCII form (RFC 5891).
fn ascii_domain(domain: &str) -> Option<String> {
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else { return None };
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let fits = ascii.len() <= 253 && ascii.contains('.') && ascii.split('.').all(label);
    fits.then_some(ascii)
}

/// Reads a user name: letters, digits, `_` and `-`, at least one of them no digit.
///
/// # Errors
/// The `form_username_*` codes, for the parameter `username`.
pub fn parse_username(settings: &UsernameSettings, text: &str) -> Result<Username, ApiError> {
    let username = text.trim();
    let length = u32::try_from(username.chars().count()).unwrap_or(u32::MAX);
    if !(settings.min_length..=settings.max_length).contains(&length) {
        let (min, max) = (settings.min_length, settings.max_length);
        let long = format!("Your username must be between {min} and {max} characters long.");
        return Err(ApiError::new(codes::FORM_USERNAME_LENGTH).param("username").long(long));
    }
    // ASCII only: two names that look alike must be the same name.
    if !username.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        return Err(ApiError::new(codes::FORM_USERNAME_CHARACTER).param("username"));
    }
    if username.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ApiError::new(codes::FORM_USERNAME_NEEDS_LETTER).param("username"));
    }
    Ok(Username { username: username.to_owned(), key: username.to_ascii_lowercase() })
}

/// Reads whatever a person typed to say who they are.
pub fn parse_identifier(text: &str) -> Option<Identifier> {
    let text = text.trim();
    if text.contains(['@', '\u{ff20}', '\u{fe6b}']) {
        return parse_email(text).map(Identifier::Email);
    }
    let plain = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
    plain.then(|| Identifier::Username(text.to_ascii_lowercase()))
}

/// An address of which only its owner can tell that it is theirs: `a**@example.com`.
pub fn mask_email(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}**@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => "**".to_owned(),
    }
}

/// Whether nothing is ever sent to an address on a development instance: its local part has the tag `clerk_test`.
pub fn is_test_email(email: &Email) -> bool {
    email.key.split_once('@').is_some_and(|(local, _)| local.split('+').skip(1).any(|tag| tag == "clerk_test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_043_only_exactly_one_plain_address_is_an_address() {
        for bad in [
            "", "a", "a@", "@b.co", "a@b", "a@b.co,c@d.co", "a@b.co c@d.co", "A <a@b.co>", "\"a b\"@c.co", "a@b.co\r\nBcc: x@y.co", "a@b.co\0",
            "a@@b.co", "a..b@c.co", ".a@c.co", "a.@c.co", "a(c)@d.co", "a@[127.0.0.1]", "a@127.0.0.1", "a@-b.co", "a@b_.co", "a\u{ff20}b@c.co",
            "a@b.co;c@d.co", "a\u{200b}b@c.co", "a@b\u{2024}co@x.y",
        ] {
            assert_eq!(parse_email(bad), None, "{bad:?}");
        }
        assert!(parse_email(&format!("{}@b.co", "a".repeat(65))).is_none());
        assert!(parse_email(&format!("a@{}.co", "b".repeat(250))).is_none());
        for good in ["a@b.co", "first.last+tag@sub.example.com", "o'neil@example.ie", "müller@example.de", "a@bücher.example"] {
            assert!(parse_email(good).is_some(), "{good}");
        }
    }

    #[test]
    fn fault_044_spellings_of_one_address_share_a_key() {
        let key = |text: &str| parse_email(text).map(|e| e.key);
        assert_eq!(key("Foo@X.example"), key("foo@x.example"));
        assert_eq!(key("\u{ff26}oo@x.example"), key("foo@x.example"));
        assert_eq!(key(" foo@x.example "), key("foo@x.example"));
        assert_eq!(key("a@bücher.example"), key("a@xn--bcher-kva.example"));
        assert_eq!(key("mu\u{308}ller@x.example"), key("müller@x.example"));
        let rules = UsernameSettings { min_length: 4, max_length: 64 };
        assert_eq!(parse_username(&rules, "Ada_L").unwrap().key, "ada_l");
        for bad in ["abc", "1234", "ada lovelace", "\u{430}da_l", "ada@x"] {
            assert!(parse_username(&rules, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn masks_and_test_addresses() {
        assert_eq!(mask_email("ada@example.com"), "a**@example.com");
        assert!(is_test_email(&parse_email("jane+clerk_test@example.com").unwrap()));
        assert!(is_test_email(&parse_email("jane+clerk_test+2@example.com").unwrap()));
        assert!(!is_test_email(&parse_email("clerk_test@example.com").unwrap()));
        assert!(!is_test_email(&parse_email("jane+clerk_tester@example.com").unwrap()));
    }
}
