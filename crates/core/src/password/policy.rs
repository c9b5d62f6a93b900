//! Which passwords are taken.

use crate::settings::PasswordSettings;
use doorward_base::*;

/// Checks a new password against an instance's rules.
///
/// Characters are Unicode scalar values of the text as it was sent: what is counted is what is hashed, and a count after
/// composing (NFC) would find a password too short that the official SDKs, which count without composing, found long
/// enough. Letters, digits and special characters are not ASCII's alone, so nothing is refused here that passed there.
///
/// # Errors
/// The first of these that applies, for the parameter `param`: `form_password_size_in_bytes_exceeded` (more than
/// [`super::MAX_BYTES`] in UTF-8), `form_password_length_too_short`, `form_password_length_too_long`,
/// `form_password_no_lowercase`, `form_password_no_uppercase`, `form_password_no_number`,
/// `form_password_no_special_char`.
pub fn check(settings: &PasswordSettings, password: &str, param: &str) -> Result<(), ApiError> {
    if password.len() > super::MAX_BYTES {
        return Err(ApiError::new(codes::FORM_PASSWORD_SIZE).param(param));
    }
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    // An instance may ask for less by mistake; nothing at all is never a password.
    let least = settings.min_length.max(1);
    if length < least {
        let long = format!("Passwords must be {least} or more characters in length.");
        return Err(ApiError::new(codes::FORM_PASSWORD_TOO_SHORT).param(param).long(long));
    }
    if length > settings.max_length {
        let long = format!("Passwords must be at most {} characters in length.", settings.max_length);
        return Err(ApiError::new(codes::FORM_PASSWORD_TOO_LONG).param(param).long(long));
    }
    let has = |test: fn(char) -> bool| password.chars().any(test);
    let special = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
    for (required, there, code) in [
        (settings.require_lowercase, has(char::is_lowercase), codes::FORM_PASSWORD_NO_LOWERCASE),
        (settings.require_uppercase, has(char::is_uppercase), codes::FORM_PASSWORD_NO_UPPERCASE),
        (settings.require_numbers, has(char::is_numeric), codes::FORM_PASSWORD_NO_NUMBER),
        (settings.require_special_char, has(special), codes::FORM_PASSWORD_NO_SPECIAL),
    ] {
        if required && !there {
            return Err(ApiError::new(code).param(param));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(rules: &PasswordSettings, text: &str) -> Option<&'static str> {
        check(rules, text, "password").err().map(|e| e.code().code)
    }

    #[test]
    fn each_rule_has_its_own_code() {
        let rules = PasswordSettings {
            min_length: 8,
            max_length: 12,
            require_lowercase: true,
            require_uppercase: true,
            require_numbers: true,
            require_special_char: true,
            ..PasswordSettings::default()
        };
        assert_eq!(code(&rules, "aB3!"), Some("form_password_length_too_short"));
        assert_eq!(code(&rules, "aB3!aB3!aB3!aB3!"), Some("form_password_length_too_long"));
        assert_eq!(code(&rules, "AB3!AB3!"), Some("form_password_no_lowercase"));
        assert_eq!(code(&rules, "ab3!ab3!"), Some("form_password_no_uppercase"));
        assert_eq!(code(&rules, "aBc!aBc!"), Some("form_password_no_number"));
        assert_eq!(code(&rules, "aB3daB3d"), Some("form_password_no_special_char"));
        assert_eq!(code(&rules, "aB3 aB3\0"), Some("form_password_no_special_char"));
        assert_eq!(code(&rules, "aB3!aB3!"), None);
        assert_eq!(code(&rules, "èÈ٣€èÈ٣€"), None);
    }

    #[test]
    fn characters_are_counted_not_bytes_and_the_parameter_is_named() {
        let rules = PasswordSettings { min_length: 8, max_length: 8, ..PasswordSettings::default() };
        assert_eq!(code(&rules, "пароль12"), None);
        assert_eq!(code(&rules, &"🔑".repeat(8)), None);
        assert_eq!(code(&rules, &"🔑".repeat(7)), Some("form_password_length_too_short"));
        assert_eq!(code(&rules, &"🔑".repeat(9)), Some("form_password_length_too_long"));
        let error = check(&rules, "short", "new_password").unwrap_err();
        assert_eq!(error.meta().param_name.as_deref(), Some("new_password"));
        assert!(error.long_message().contains('8'), "{}", error.long_message());
    }

    #[test]
    fn fault_128_a_password_of_megabytes_is_refused_before_anything_is_counted() {
        let rules = PasswordSettings { max_length: 1024, ..PasswordSettings::default() };
        assert_eq!(code(&rules, &"x".repeat(10_000_000)), Some("form_password_size_in_bytes_exceeded"));
        assert_eq!(code(&rules, &"é".repeat(5000)), Some("form_password_size_in_bytes_exceeded"));
    }

    #[test]
    fn fault_129_the_empty_password_is_too_short_whatever_the_rules() {
        let rules = PasswordSettings { min_length: 0, ..PasswordSettings::default() };
        assert_eq!(code(&rules, ""), Some("form_password_length_too_short"));
    }
}
