//! Identifiers as the lists know them.

use crate::identifiers::{is_test_email, parse_email};
use crate::phone::Phone;
use crate::web3::Address;
use std::collections::HashSet;
use std::sync::LazyLock;

/// What the entry of a list may be, and what is held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identifier<'a> {
    /// An address by its key ([`crate::identifiers::Email::key`]).
    Email(&'a str),
    /// A number, in the form of E.164.
    Phone(&'a str),
    /// A wallet's address ([`crate::web3::Address`]).
    Wallet(&'a str),
}

/// The domains whose addresses are for minutes.
static DISPOSABLE: LazyLock<HashSet<&str>> = LazyLock::new(|| mailchecker::blacklist().into_iter().collect());

impl Identifier<'_> {
    /// The name of the parameter that it comes in.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => EMAIL,
            Self::Phone(_) => PHONE,
            Self::Wallet(_) => WALLET,
        }
    }

    /// What it is, at the beginning of a sentence.
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Email(_) => "This email address",
            Self::Phone(_) => "This phone number",
            Self::Wallet(_) => "This wallet",
        }
    }

    fn email(&self) -> Option<(&str, &str)> {
        match self {
            Self::Email(key) => key.split_once('@'),
            Self::Phone(_) | Self::Wallet(_) => None,
        }
    }

    /// Whether mail to it goes to a mailbox with a shorter name.
    pub(super) fn is_subaddress(&self) -> bool {
        self.email().is_some_and(|(local, _)| local.contains(SEPARATORS))
    }

    /// Whether it is one of the addresses that tests use.
    pub(super) fn is_for_tests(&self) -> bool {
        matches!(self, Self::Email(key) if parse_email(key).is_some_and(|email| is_test_email(&email)))
    }

    /// Whether its domain, or one above it, is known to give addresses away for minutes.
    pub(super) fn is_disposable(&self) -> bool {
        self.email().is_some_and(|(_, domain)| with_parents(domain).any(|it| DISPOSABLE.contains(it)))
    }

    /// All entries that mean it.
    pub(super) fn listed_as(&self) -> Vec<String> {
        match (self, self.email()) {
            (Self::Email(key), Some((_, domain))) => {
                let above = with_parents(domain).skip(1).map(|parent| format!("*@*.{parent}"));
                [(*key).to_owned(), format!("*@{domain}")].into_iter().chain(above).collect()
            }
            (Self::Email(text) | Self::Phone(text) | Self::Wallet(text), _) => vec![(*text).to_owned()],
        }
    }

    /// The same, and the mailbox that a sub-address leads to: who is blocked does not come back with a tag.
    pub(super) fn blocked_as(&self) -> Vec<String> {
        let mut out = self.listed_as();
        if let Some((local, domain)) = self.email()
            && let Some((mailbox, _)) = local.split_once(SEPARATORS)
        {
            out.push(format!("{mailbox}@{domain}"));
        }
        out
    }
}

pub(super) const EMAIL: &str = "email_address";
pub(super) const PHONE: &str = "phone_number";
const WALLET: &str = "web3_wallet";
const SEPARATORS: [char; 3] = ['+', '=', '#'];

/// A domain and those above it.
fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |it| it.split_once('.').map(|(_, parent)| parent))
}

/// Reads an entry of a list: an address, `*@domain`, `*@*.domain` for what lies below, a bare domain, a number, a wallet.
/// Answers its kind and the form in which it is compared.
pub(super) fn parse(text: &str) -> Option<(&'static str, String)> {
    let text = text.trim();
    if text.starts_with('+') && !text.contains('@') {
        return Phone::parse(text).map(|phone| (PHONE, phone.as_str().to_owned()));
    }
    let domain = match text.rsplit_once('@') {
        Some(("*" | "", domain)) => Some(domain),
        // It would look like a pattern, and be none.
        Some((local, _)) if local.contains('*') => return None,
        Some(_) => return parse_email(text).map(|email| (EMAIL, email.key)),
        None => text.contains('.').then_some(text),
    };
    let Some(domain) = domain else { return Address::parse(text).map(|it| (WALLET, it.as_str().to_owned())) };
    let (below, domain) = domain.strip_prefix("*.").map_or(("", domain), |domain| ("*.", domain));
    let key = parse_email(&format!("x@{domain}"))?.key;
    Some((EMAIL, format!("*@{below}{}", key.strip_prefix("x@")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse(text).map(|(kind, text)| format!("{kind} {text}"))
    }

    #[test]
    fn entries_are_kept_in_the_form_in_which_identifiers_are_compared() {
        for (text, kept) in [
            ("Ada@Example.com", "email_address ada@example.com"),
            ("*@Example.com", "email_address *@example.com"),
            ("@example.com", "email_address *@example.com"),
            (" example.com ", "email_address *@example.com"),
            ("*@*.example.com", "email_address *@*.example.com"),
            ("*.example.com", "email_address *@*.example.com"),
            ("*@bücher.example", "email_address *@xn--bcher-kva.example"),
            ("+1 (202) 456-0143", "phone_number +12024560143"),
            ("0xdeadbeef00000000000000000000000000000000", "web3_wallet 0xdeadbeef00000000000000000000000000000000"),
            ("4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T", "web3_wallet 4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"),
        ] {
            assert_eq!(read(text).as_deref(), Some(kept), "{text}");
        }
        for bad in
            ["", "*", "*@", "*@*", "*@*.", "*@com", "a*@example.com", "*@ex*mple.com", "*@*.*.example.com", "ada", "+1", "0x12", "a@b@c.co"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_is_meant_by_itself_its_domain_and_what_lies_above() {
        let all = Identifier::Email("ada@mail.corp.example.com").listed_as();
        assert_eq!(all, ["ada@mail.corp.example.com", "*@mail.corp.example.com", "*@*.corp.example.com", "*@*.example.com", "*@*.com"]);
        assert!(!Identifier::Email("ada+1@example.com").listed_as().contains(&"ada@example.com".to_owned()), "a tag opens nothing");
        for tagged in ["ada+1@example.com", "ada=1@example.com", "ada#1@example.com", "ada+1=2@example.com"] {
            assert!(Identifier::Email(tagged).blocked_as().contains(&"ada@example.com".to_owned()), "{tagged}");
            assert!(Identifier::Email(tagged).is_subaddress(), "{tagged}");
        }
        assert!(!Identifier::Email("ada@example.com").is_subaddress() && !Identifier::Phone("+12024560143").is_subaddress());
    }

    #[test]
    fn addresses_for_minutes_are_known_by_their_domain_and_those_above() {
        for known in ["x@mailinator.com", "x@inbox.mailinator.com"] {
            assert!(Identifier::Email(known).is_disposable(), "{known}");
        }
        for fine in ["x@example.com", "x@gmail.com", "mailinator.com@example.com", "x@mailinator.example.com"] {
            assert!(!Identifier::Email(fine).is_disposable(), "{fine}");
        }
    }
}
