//! What a user is found by, and the terms that it is cut into (docs/adr/0031).

use crate::db::{Row, StoreError};
use doorward_base::*;
use std::collections::BTreeSet;

/// The most characters of a term.
pub(super) const MAX_TERM: usize = 12;
/// What the term of an id begins with, and that of an id of the app's own: nothing that is typed.
const ID: u8 = 2;
const EXTERNAL_ID: u8 = 1;
/// A text as it is compared.
pub(super) fn normal(text: &str) -> String {
    text.to_lowercase()
}

/// What a user is found by, as it is compared; several values of a kind are lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) email_addresses: String,
    pub(super) phone_numbers: String,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) web3_wallets: String,
    pub(super) external_id: String,
}

/// The columns of the texts.
pub(super) const COLUMNS: &str = "email_addresses, phone_numbers, username, name, web3_wallets, external_id";

impl Texts {
    /// Reads a row.
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            email_addresses: row.text("email_addresses")?,
            phone_numbers: row.text("phone_numbers")?,
            username: row.text("username")?,
            name: row.text("name")?,
            web3_wallets: row.text("web3_wallets")?,
            external_id: row.text("external_id")?,
        })
    }

    /// In the order of [`COLUMNS`].
    pub(super) fn values(&self) -> [&String; 6] {
        [&self.email_addresses, &self.phone_numbers, &self.username, &self.name, &self.web3_wallets, &self.external_id]
    }

    /// The beginnings of all endings of all values. One that another one begins with finds nobody whom that one does not.
    pub(super) fn terms(&self, user: &UserId) -> BTreeSet<Vec<u8>> {
        let mut all = BTreeSet::new();
        for text in [&self.email_addresses, &self.phone_numbers, &self.username, &self.name, &self.web3_wallets] {
            for line in text.lines() {
                let starts: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
                all.extend(
                    (0..starts.len() - 1).map(|n| line.as_bytes()[starts[n]..starts[(n + MAX_TERM).min(starts.len() - 1)]].to_vec()),
                );
            }
        }
        let mut next = all.iter().skip(1);
        let mut out: BTreeSet<Vec<u8>> =
            all.iter().filter(|term| !next.next().is_some_and(|next| next.starts_with(term))).cloned().collect();
        if !self.external_id.is_empty() {
            out.insert(marked(EXTERNAL_ID, &self.external_id));
        }
        out.insert(marked(ID, unprefixed(user.as_str())));
        out
    }
}

fn marked(mark: u8, text: &str) -> Vec<u8> {
    [&[mark], text.as_bytes()].concat()
}

fn unprefixed(id: &str) -> &str {
    id.strip_prefix(UserId::PREFIX).unwrap_or(id)
}

/// From which term on, and before which one.
pub(super) type Range = (Vec<u8>, Vec<u8>);

fn beginning(with: Vec<u8>) -> Range {
    // No byte of UTF-8 is that high.
    let end = [with.as_slice(), &[0xff]].concat();
    (with, end)
}

/// Fewer characters of an id are no hint at it: all begin with the time.
const MIN_ID: usize = 8;

/// The text as the beginning of an id, without what all ids begin with.
pub(super) fn id_part(text: &str) -> Option<&str> {
    let part = unprefixed(text);
    let whole = part.len() < text.len() && !part.is_empty();
    (whole || part.len() >= MIN_ID && part.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(part)
}

/// Where users with `text` (normal) are among the terms: several choices, each of which has all of them. With one no longer
/// than a term there are no others among them. `original` is the text as it was given, if ids count too.
pub(super) fn ranges(text: &str, original: Option<&str>) -> Vec<Vec<Range>> {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let last = (starts.len() - 1).saturating_sub(MAX_TERM);
    let mut ids = Vec::new();
    if let Some(original) = original {
        ids.push(beginning(marked(EXTERNAL_ID, text)));
        ids.extend(id_part(original).map(|part| beginning(marked(ID, part))));
    }
    let windows = BTreeSet::from([0, last / 2, last]);
    let window = |from: usize| text.as_bytes()[starts[from]..starts[(from + MAX_TERM).min(starts.len() - 1)]].to_vec();
    windows.into_iter().map(|from| [vec![beginning(window(from))], ids.clone()].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(terms: &BTreeSet<Vec<u8>>) -> Vec<&str> {
        terms.iter().map(|term| std::str::from_utf8(term).unwrap()).collect()
    }

    #[test]
    fn every_part_of_a_text_is_the_beginning_of_a_term() {
        let texts = Texts {
            email_addresses: "ada.lovelace@example.com\nβ@é.test".to_owned(),
            name: "ada lovelace".to_owned(),
            external_id: "app-1".to_owned(),
            ..Texts::default()
        };
        let user = UserId::from("user_1");
        let terms = texts.terms(&user);
        for line in texts.email_addresses.lines().chain([texts.name.as_str()]) {
            let chars: Vec<char> = line.chars().collect();
            for from in 0..chars.len() {
                for to in from + 1..=chars.len().min(from + MAX_TERM) {
                    let part: String = chars[from..to].iter().collect();
                    assert!(terms.iter().any(|term| term.starts_with(part.as_bytes())), "{part}");
                }
            }
        }
        assert!(words(&terms).contains(&"\u{1}app-1") && words(&terms).contains(&"\u{2}1"));
        assert!(words(&terms).iter().all(|term| term.chars().count() <= MAX_TERM));
        // The name is in the address.
        let without = Texts { name: String::new(), ..texts.clone() };
        assert_eq!(terms.difference(&without.terms(&user)).count(), 4, "`ada lovelace` to ` lovelace`");
        assert_eq!(Texts::default().terms(&user).len(), 1);
    }

    #[test]
    fn long_texts_are_looked_for_by_several_of_their_parts() {
        let of =
            |text: &str| ranges(text, None).into_iter().flatten().map(|(from, _)| String::from_utf8(from).unwrap()).collect::<Vec<_>>();
        assert_eq!(of("é"), ["é"]);
        assert_eq!(of("ada.lovelace"), ["ada.lovelace"]);
        assert_eq!(of("ada.lovelace@x.test"), ["ada.lovelace", ".lovelace@x.", "elace@x.test"]);
        let ids = |text: &str| ranges(&normal(text), Some(text)).pop().unwrap().len();
        assert_eq!(["ada", "user_", "ada.lovelace", "user_2", "2abCDEfg"].map(ids), [2, 2, 2, 3, 3]);
    }
}
