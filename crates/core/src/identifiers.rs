//! Identifiers: what a person types to say who they are, and the form in which it is compared.

use crate::phone::Phone;
use crate::settings::UsernameSettings;
use doorward_base::*;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// An e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As mail is sent to it: the local part as it was written (NFC), the domain in lower-case ASCII.
    pub address: String,
    /// As it is compared: the address without the difference between upper and lower case. Unique in an instance.
    pub key: String,
}

/// A user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    /// As it was written, trimmed.
    pub username: String,
    /// As it is compared: in lower case. Unique in an instance.
    pub key: String,
}

/// Any of them, by its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// It has an `@`.
    Email(Email),
    /// It begins with a plus sign.
    Phone(Phone),
    /// It has neither: the key of a user name.
    Username(String),
}

/// The most bytes of an address (RFC 5321, section 4.5.3.1.3, without the angle brackets) and of its local part.
const MAX_ADDRESS: (usize, usize) = (254, 64);

/// Reads exactly one address: no display name, no list, no comment, no quoted local part, no address literal, no control
/// characters. Spaces around it are dropped, for keyboards add them. Anything stranger is refused rather than guessed at.
///
/// A local part that compatibility normalization (NFKC) would change, such as one in full-width letters, is refused: its
/// owner is not the owner of the address that it looks like, but mail systems disagree about that.
pub fn parse_email(text: &str) -> Option<Email> {
    let (local, domain) = text.trim_matches(' ').split_once('@')?;
    let local: String = local.nfc().collect();
    let address = format!("{local}@{}", ascii_domain(domain)?);
    let key = fold(&address);
    let fits = address.len() <= MAX_ADDRESS.0 && key.len() <= MAX_ADDRESS.0 && local.len() <= MAX_ADDRESS.1;
    (fits && is_local_part(&local)).then_some(Email { address, key })
}

/// Whether it is a `dot-atom` of RFC 5322 with the letters of RFC 6531, written in one way only.
fn is_local_part(local: &str) -> bool {
    let atext = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) } else { is_letter(c) };
    let starts_well = |atom: &str| atom.chars().next().is_some_and(|c| !is_combining_mark(c));
    local.split('.').all(|atom| starts_well(atom) && atom.chars().all(atext)) && local.nfkc().eq(local.chars()) && !mixes_alphabets(local)
}

/// Whether a character beyond ASCII is seen as a letter, digit or accent. Those that are shown as nothing would let two
/// addresses look the same.
fn is_letter(c: char) -> bool {
    let invisible = matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}');
    (c.is_alphanumeric() || is_combining_mark(c)) && !invisible
}

/// Whether letters stand side by side that are known to be taken for each other: Latin, Greek and Cyrillic.
fn mixes_alphabets(text: &str) -> bool {
    let alphabet = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(0),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(1),
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => Some(2),
        _ => None,
    };
    let mut found = text.chars().filter_map(alphabet);
    found.next().is_some_and(|first| found.any(|other| other != first))
}

/// A domain name of two labels at least, in its ASCII form (UTS #46).
fn ascii_domain(domain: &str) -> Option<String> {
    // What is no letter in ASCII would be taken for the syntax of URLs: `%2e`, `[::1]`, `:25`.
    if !domain.chars().all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
        return None;
    }
    let Ok(url::Host::Domain(ascii)) = url::Host::parse(domain) else { return None };
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    (ascii.contains('.') && ascii.split('.').all(label)).then_some(ascii)
}

/// Case folding, as far as the standard library has it: by way of the upper case, which brings the two small sigmas and
/// the sharp s together with what they stand for.
fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect()
}

fn is_username_byte(b: u8) -> bool {
    // ASCII only: two names that look alike must be the same name.
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}

/// Reads a user name: letters, digits, `_` and `-`, at least one of them no digit, as many as the settings say. Spaces
/// around it are dropped.
///
/// # Errors
/// `form_username_invalid_length`, `form_username_invalid_character` and `form_username_needs_non_number_char`, for the
/// parameter `username`.
pub fn parse_username(settings: &UsernameSettings, text: &str) -> Result<Username, ApiError> {
    let username = text.trim_matches(' ');
    let length = u32::try_from(username.chars().count()).unwrap_or(u32::MAX);
    if !(settings.min_length.max(1)..=settings.max_length).contains(&length) {
        let (min, max) = (settings.min_length, settings.max_length);
        let long = format!("Your username must be between {min} and {max} characters long.");
        return Err(ApiError::new(codes::FORM_USERNAME_LENGTH).param("username").long(long));
    }
    if !username.bytes().all(is_username_byte) {
        return Err(ApiError::new(codes::FORM_USERNAME_CHARACTER).param("username"));
    }
    if username.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ApiError::new(codes::FORM_USERNAME_NEEDS_LETTER).param("username"));
    }
    Ok(Username { username: username.to_owned(), key: username.to_ascii_lowercase() })
}

/// Reads whatever a person typed to say who they are. None for what cannot be anybody's identifier. The rules for new user
/// names are not asked: they may have changed since a name was given.
pub fn parse_identifier(text: &str) -> Option<Identifier> {
    let text = text.trim_matches(' ');
    if text.contains('@') {
        return parse_email(text).map(Identifier::Email);
    }
    if text.starts_with('+') {
        return Phone::parse(text).map(Identifier::Phone);
    }
    let possible = (1..=256).contains(&text.len()) && text.bytes().all(is_username_byte);
    possible.then(|| Identifier::Username(text.to_ascii_lowercase()))
}

/// An address of which only its owner can tell that it is theirs: `a**@example.com`.
pub fn mask_email(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}**@{domain}", local.chars().next().map(String::from).unwrap_or_default()),
        None => "**".to_owned(),
    }
}

/// Whether nothing is ever sent to an address on a development instance: its local part has the tag `clerk_test`, as in
/// `jane+clerk_test@example.com`. The caller knows which kind of instance it is.
pub fn is_test_email(email: &Email) -> bool {
    email.key.split_once('@').is_some_and(|(local, _)| local.split('+').skip(1).any(|tag| tag == "clerk_test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<String> {
        parse_email(text).map(|email| email.key)
    }

    #[test]
    fn fault_043_only_exactly_one_plain_address_is_an_address() {
        #[rustfmt::skip]
        let bad = [
            "", " ", "@", "a", "a@", "@b.co", "a@b", "a@@b.co", "a@b@c.co", "a@b.co,c@d.co", "a@b.co c@d.co", "a@b.co;c@d.co", "a@b.co, ",
            "A <a@b.co>", "<a@b.co>", "\"a b\"@c.co", "\"a\"@c.co", "a(c)@d.co", "a@d.co(c)", "mailto:a@b.co", "a@b.co?cc=x@y.co", "a\\b@c.co",
            "a..b@c.co", ".a@c.co", "a.@c.co", "a b@c.co", "a\tb@c.co", "a@b.co\r\nBcc: x@y.co", "a@b.co\n", "\r\na@b.co", "a@b.co\0", "a\0@b.co",
            "a\u{7f}@b.co", "a\u{85}@b.co", "a@\u{2028}b.co", "a\u{a0}@b.co", "a@b.co\u{3000}",
            "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1", "a@0x7f.1", "a@1.2.3", "a@b.co:25", "a@b.co/x", "a@%62.co", "a@b%2eco", "a@b_c.co",
            "a@-b.co", "a@b-.co", "a@.co", "a@b..co", "a@b.co.", "a@localhost", "a@xn--.co", "a@xn--a.co", "a@\u{ad}.co",
            "a\u{ff20}b.co", "a\u{ff20}b@c.co", "a\u{fe6b}b@c.co", "a@b\u{ff20}c.co", "a@b\u{2100}.co", "a@b\u{2024}\u{2024}co",
            "a\u{200b}b@c.co", "a\u{200d}b@c.co", "a\u{ad}b@c.co", "a\u{202e}b@c.co", "a\u{feff}b@c.co", "a\u{fe0f}@c.co", "a\u{3164}@c.co",
            "a\u{e0041}@c.co", "\u{301}a@c.co", "a.\u{301}b@c.co", "👤@c.co", "a\u{fffd}@c.co",
            "p\u{430}ypal@c.co", "\u{3b1}bc@c.co", "\u{456}\u{3bf}@c.co",
        ];
        for bad in bad {
            assert_eq!(parse_email(bad), None, "{bad:?}");
        }
        for (local, domain) in [(65, 10), (64, 190), (10, 250)] {
            assert_eq!(parse_email(&format!("{}@{}.co", "a".repeat(local), vec!["b"; domain / 2].join("."))), None, "{local} {domain}");
        }
        assert_eq!(parse_email(&format!("a@{}.co", "b".repeat(64))), None);
    }

    #[test]
    fn plain_addresses_are_taken_as_they_are() {
        for good in [
            "a@b.co",
            "first.last+tag@sub.example.com",
            "o'neil@example.ie",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "müller@example.de",
            "ελένη@example.gr",
            "пример@example.ru",
            "用户@example.cn",
            "देवनागरी@example.in",
            "1@2.com",
            "a@b-c.d1.co",
        ] {
            assert_eq!(parse_email(good).map(|email| email.address).as_deref(), Some(good));
        }
        let longest = format!("{}@{}.{}.{}.co", "a".repeat(64), "b".repeat(63), "c".repeat(63), "d".repeat(58));
        assert_eq!((longest.len(), parse_email(&longest).is_some()), (254, true));
        let written = parse_email(" Ada.Lovelace@B\u{fc}cher.Example ").unwrap();
        assert_eq!(
            (written.address.as_str(), written.key.as_str()),
            ("Ada.Lovelace@xn--bcher-kva.example", "ada.lovelace@xn--bcher-kva.example")
        );
    }

    #[test]
    fn fault_044_spellings_of_one_address_share_a_key_or_are_refused() {
        for (one, other) in [
            ("Foo@X.example", "foo@x.example"),
            (" foo@x.example ", "foo@x.example"),
            ("foo@\u{ff38}.example", "foo@x.example"),
            ("foo@x\u{3002}example", "foo@x.example"),
            ("foo@x\u{ad}y.example", "foo@xy.example"),
            ("a@B\u{dc}CHER.example", "a@xn--bcher-kva.example"),
            ("a@bu\u{308}cher.example", "a@bücher.example"),
            ("mu\u{308}ller@x.example", "müller@x.example"),
            ("M\u{dc}LLER@x.example", "müller@x.example"),
            ("\u{212a}ate@x.example", "kate@x.example"),
            ("straße@x.example", "STRASSE@x.example"),
            ("ΟΔΟΣ@x.example", "οδος@x.example"),
            ("οδος@x.example", "οδοσ@x.example"),
        ] {
            assert!(key(one).is_some(), "{one}");
            assert_eq!(key(one), key(other), "{one} {other}");
        }
        // The sign for kelvins is canonically the letter: mail goes to the letter as well.
        assert_eq!(parse_email("\u{212a}ate@x.example").map(|email| email.address).as_deref(), Some("Kate@x.example"));
        for refused in ["\u{ff26}oo@x.example", "\u{fb01}sh@x.example", "a\u{b2}@x.example", "\u{1d41a}@x.example"] {
            assert_eq!(key(refused), None, "{refused}");
        }
        for (one, other) in [("a.b@x.example", "ab@x.example"), ("a+b@x.example", "a@x.example"), ("a@x.example", "a@p\u{430}ypal.example")]
        {
            assert_ne!(key(one), key(other));
        }
    }

    #[test]
    fn a_key_reads_as_itself() {
        for text in ["Foo@X.example", "STRASSE@x.example", "straße@x.example", "ΟΔΟΣ@bücher.example", "İ@x.example", "ı@x.example"]
        {
            let key = key(text).unwrap();
            assert_eq!(parse_email(&key), Some(Email { address: key.clone(), key }), "{text}");
        }
    }

    #[test]
    fn fault_044_spellings_of_one_user_name_share_a_key_or_are_refused() {
        let rules = UsernameSettings { min_length: 4, max_length: 8 };
        let code = |text: &str| parse_username(&rules, text).err().map(|e| (e.code().code, e.meta().param_name.clone()));
        let given = parse_username(&rules, " Ada_L-1 ").unwrap();
        assert_eq!((given.username.as_str(), given.key.as_str()), ("Ada_L-1", "ada_l-1"));
        assert_eq!(parse_identifier("ADA_l-1"), Some(Identifier::Username("ada_l-1".to_owned())));
        for (text, expected) in [
            ("", "form_username_invalid_length"),
            ("abc", "form_username_invalid_length"),
            ("abcdefghi", "form_username_invalid_length"),
            ("1234", "form_username_needs_non_number_char"),
            ("ada l", "form_username_invalid_character"),
            ("ada@x", "form_username_invalid_character"),
            ("ada.l", "form_username_invalid_character"),
            ("\u{430}da_l", "form_username_invalid_character"),
            ("\u{ff41}da_l", "form_username_invalid_character"),
            ("ada\u{200b}l", "form_username_invalid_character"),
            ("ada\0l", "form_username_invalid_character"),
        ] {
            assert_eq!(code(text), Some((expected, Some("username".to_owned()))), "{text:?}");
        }
    }

    #[test]
    fn an_identifier_is_an_address_a_number_or_the_key_of_a_user_name() {
        assert_eq!(parse_identifier(" +1 (202) 456-0143"), Phone::parse("+12024560143").map(Identifier::Phone));
        assert_eq!(
            parse_identifier(" Foo@x.example "),
            parse_email("foo@x.example").map(|e| Identifier::Email(Email { address: "Foo@x.example".to_owned(), ..e }))
        );
        assert_eq!(parse_identifier("1234"), Some(Identifier::Username("1234".to_owned())));
        for nobody in ["", " ", "a@", "ada lovelace", "ada\n", "a\u{ff20}b.co", "+1555555010", "++15555550100", &"a".repeat(257)] {
            assert_eq!(parse_identifier(nobody), None, "{nobody:?}");
        }
    }

    #[test]
    fn masks_and_test_addresses() {
        for (address, mask) in [("ada@example.com", "a**@example.com"), ("a@b.co", "a**@b.co"), ("élan@b.co", "é**@b.co"), ("x", "**")] {
            assert_eq!(mask_email(address), mask);
        }
        let test = |text: &str| is_test_email(&parse_email(text).unwrap());
        assert!(test("jane+clerk_test@example.com") && test("Jane+CLERK_test@example.com") && test("jane+clerk_test+2@example.com"));
        assert!(!test("clerk_test@example.com") && !test("jane+clerk_tester@example.com") && !test("jane@clerk-test.example"));
    }
}
