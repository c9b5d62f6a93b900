//! How hard a password is to guess (zxcvbn, Wheeler 2016), with advice by the codes that the official SDKs translate.

use doorward_base::{Advice, AdviceList};
use zxcvbn::feedback::Suggestion;

/// Where the estimate of a password stands: 0 to 4.
pub(super) struct Strength {
    pub(super) score: u8,
    pub(super) advice: AdviceList,
}

/// Estimates a password. It looks at the first hundred characters, so its time is bounded. `known` are words that a
/// guesser of this password would try first.
pub(super) fn estimate(password: &str, known: &[&str]) -> Strength {
    let entropy = zxcvbn::zxcvbn(password, known);
    let suggestions = entropy.feedback().map(|feedback| feedback.suggestions().iter().map(|it| advice(*it)).collect());
    Strength { score: u8::from(entropy.score()), advice: AdviceList { suggestions: suggestions.unwrap_or_default() } }
}

fn advice(suggestion: Suggestion) -> Advice {
    let code = match suggestion {
        Suggestion::UseAFewWordsAvoidCommonPhrases => "useWords",
        Suggestion::NoNeedForSymbolsDigitsOrUppercaseLetters => "noNeed",
        Suggestion::AddAnotherWordOrTwo => "anotherWord",
        Suggestion::CapitalizationDoesntHelpVeryMuch => "capitalization",
        Suggestion::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => "allUppercase",
        Suggestion::ReversedWordsArentMuchHarderToGuess => "reverseWords",
        Suggestion::PredictableSubstitutionsDontHelpVeryMuch => "l33t",
        Suggestion::UseALongerKeyboardPatternWithMoreTurns => "longerKeyboardPattern",
        Suggestion::AvoidRepeatedWordsAndCharacters => "repeated",
        Suggestion::AvoidSequences => "sequences",
        Suggestion::AvoidRecentYears => "recentYears",
        Suggestion::AvoidYearsThatAreAssociatedWithYou => "associatedYears",
        Suggestion::AvoidDatesAndYearsThatAreAssociatedWithYou => "dates",
    };
    Advice { code: code.to_owned(), message: suggestion.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_weak_and_comes_with_advice() {
        let weak = estimate("password1", &[]);
        assert!(weak.score <= 1 && !weak.advice.suggestions.is_empty());
        let strong = estimate("correct horse battery staple", &[]);
        assert_eq!((strong.score, strong.advice.suggestions.len()), (4, 0));
        let codes: Vec<_> = estimate("zyxwvuts", &[]).advice.suggestions.into_iter().map(|it| it.code).collect();
        assert!(codes.contains(&"sequences".to_owned()), "{codes:?}");
        assert!(estimate("Doorwardish", &["doorwardish"]).score < estimate("Doorwardish", &[]).score);
    }

    #[test]
    fn fault_128_a_long_password_is_estimated_by_its_beginning() {
        let long = "correct horse battery staple ".repeat(140);
        assert_eq!(estimate(&long, &[]).score, 4);
        assert_eq!(estimate(&"a".repeat(4096), &[]).score, estimate(&"a".repeat(100), &[]).score);
    }
}
