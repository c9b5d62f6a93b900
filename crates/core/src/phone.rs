//! Phone numbers, in the form of E.164.

use phonenumber::Mode;

/// A phone number, such as `+12015550123`: it is kept, compared and shown in this form only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number with its country code. Spaces, hyphens, dots and brackets are dropped; anything else, and a number that
    /// its country cannot have, is refused.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let allowed = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')');
        let rest = text.strip_prefix('+')?;
        // E.164 has fifteen digits at most; nothing longer reaches the parser.
        if rest.len() > 32 || !rest.chars().all(allowed) {
            return None;
        }
        let plain = Self(format!("+{}", rest.chars().filter(char::is_ascii_digit).collect::<String>()));
        if plain.is_test() {
            return Some(plain);
        }
        let number = phonenumber::parse(None, &plain.0).ok().filter(phonenumber::is_valid)?;
        Some(Self(number.format().mode(Mode::E164).to_string()))
    }

    /// A number that was read before.
    pub(crate) fn kept(number: &str) -> Self {
        Self(number.to_owned())
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two letters of its country (ISO 3166-1), where the number tells.
    pub fn country(&self) -> Option<String> {
        if self.is_test() {
            return Some("US".to_owned());
        }
        let country = phonenumber::parse(None, &self.0).ok()?.country().id()?;
        Some(country.as_ref().to_owned())
    }

    /// Whether it is one of the numbers that films use, `+1XXX55501XX`: nobody has them, and on a development instance
    /// nothing is sent to them.
    pub fn is_test(&self) -> bool {
        self.0.len() == 12 && self.0.starts_with("+1") && &self.0[5..10] == "55501"
    }
}

/// A number of which only its owner can tell that it is theirs: `+1*****0123`.
pub(crate) fn mask(number: &str) -> String {
    let cut = number.len().saturating_sub(4);
    format!("{}*****{}", number.get(..2).unwrap_or_default(), number.get(cut..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_one_number() {
        for (written, kept) in [
            ("+1 (201) 555-0123", "+12015550123"),
            ("+12015550123", "+12015550123"),
            (" +41 44 668 18 00 ", "+41446681800"),
            ("+49.30.1234567", "+49301234567"),
            ("+15555550100", "+15555550100"),
        ] {
            assert_eq!(Phone::parse(written).map(|it| it.0).as_deref(), Some(kept), "{written}");
        }
    }

    #[test]
    fn what_is_no_whole_international_number_is_refused() {
        for bad in [
            "",
            "+",
            "2015550123",
            "0041446681800",
            "+1",
            "+999123456789",
            "+1201555012",
            "+120155501234",
            "+12015550123;ext=5",
            "+1201555CALL",
            "+\u{661}2015550123",
            "++12015550123",
            "+1201555012\n3",
            "tel:+12015550123",
            "+1201555012 3 x 5",
        ] {
            assert_eq!(Phone::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Phone::parse(&format!("+1{}", "2".repeat(4000))), None);
    }

    #[test]
    fn a_number_tells_its_country() {
        for (number, country) in
            [("+12015550123", "US"), ("+41446681800", "CH"), ("+442079460958", "GB"), ("+16135550123", "US"), ("+16132345678", "CA")]
        {
            assert_eq!(Phone::parse(number).unwrap().country().as_deref(), Some(country), "{number}");
        }
        assert_eq!(mask("+12015550123"), "+1*****0123");
    }
}
