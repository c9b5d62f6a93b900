//! Which passwords are taken.

use crate::settings::PasswordSettings;
use doorward_base::*;

/// Checks a new password. Characters are Unicode scalar values, as the official SDKs count them.
///
/// # Errors
/// The first of the `form_password_*` codes that applies, for the parameter `param`.
pub fn check(settings: &PasswordSettings, password: &str, param: &str) -> Result<(), ApiError> {
    if password.len() > super::MAX_BYTES {
        return Err(ApiError::new(codes::FORM_PASSWORD_SIZE).param(param));
    }
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    if length < settings.min_length {
        let long = format!("Passwords must be {} or more characters in length.", settings.min_length);
        return Err(ApiError::new(codes::FORM_PASSWORD_TOO_SHORT).param(param).long(long));
    }
    if length > settings.max_length {
        let long = format!("Passwords must be at most {} characters in length.", settings.max_length);
        return Err(ApiError::new(codes::FORM_PASSWORD_TOO_LONG).param(param).long(long));
    }
    let has = |test: fn(char) -> bool| password.chars().any(test);
    for (required, there, code) in [
        (settings.require_lowercase, has(char::is_lowercase), codes::FORM_PASSWORD_NO_LOWERCASE),
        (settings.require_uppercase, has(char::is_uppercase), codes::FORM_PASSWORD_NO_UPPERCASE),
        (settings.require_numbers, has(|c| c.is_ascii_digit()), codes::FORM_PASSWORD_NO_NUMBER),
        (settings.require_special_char, has(|c| !c.is_alphanumeric() && !c.is_whitespace()), codes::FORM_PASSWORD_NO_SPECIAL),
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

    #[test]
    fn each_rule_has_its_own_code() {
        let rules = PasswordSettings {
            min_length: 8,
            max_length: 12,
            require_lowercase: true,
            require_uppercase: true,
            require_numbers: true,
            require_special_char: true,
        };
        let code = |text: &str| check(&rules, text, "password").err().map(|e| e.code().code);
        assert_eq!(code("aB3!"), Some("form_password_length_too_short"));
        assert_eq!(code("aB3!aB3!aB3!aB3!"), Some("form_password_length_too_long"));
        assert_eq!(code("AB3!AB3!"), Some("form_password_no_lowercase"));
        assert_eq!(code("ab3!ab3!"), Some("form_password_no_uppercase"));
        assert_eq!(code("aBc!aBc!"), Some("form_password_no_number"));
        assert_eq!(code("aB3daB3d"), Some("form_password_no_special_char"));
        assert_eq!(code("aB3!aB3!"), None);
        assert_eq!(code(&"é".repeat(5000)), Some("form_password_size_in_bytes_exceeded"));
    }
}
