//! Whether a new password is taken: the rules, its strength, and whether it is known from a breach.

use super::breached::{self, Found};
use super::policy;
use crate::app::Scope;
use doorward_base::*;

/// Checks a new password against all that the instance asks for. It may call others: never inside a transaction.
///
/// # Errors
/// Those of [`policy::check`], `form_password_not_strong_enough` with advice, `form_password_pwned`, all for the parameter
/// `param`; `server_busy` when nobody can say whether it is breached and the instance wants to know for certain.
pub async fn accept(scope: &Scope, password: &Secret, param: &str) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.password;
    policy::check(rules, password.expose(), param)?;
    if rules.min_zxcvbn_strength > 0 {
        let strength = scope.app.passwords.strength(password, &scope.instance.settings.application_name).await?;
        if strength.score < rules.min_zxcvbn_strength {
            return Err(ApiError::new(codes::FORM_PASSWORD_NOT_STRONG_ENOUGH).param(param).advice(strength.advice));
        }
    }
    if !rules.refuse_breached {
        return Ok(());
    }
    match breached::look_up(scope, password).await {
        Found::Yes => Err(ApiError::new(codes::FORM_PASSWORD_PWNED).param(param)),
        Found::Unknown if rules.breached_check_required => {
            Err(ApiError::new(codes::SERVER_BUSY).long("The password could not be checked. Try again shortly.").retry_after(5))
        }
        Found::No | Found::Unknown => Ok(()),
    }
}

/// Refuses a password that was right but is known from a breach, where the instance wants that at sign-in as well. When
/// nobody can say, it is let through: a range server that is down must not lock everybody out.
///
/// # Errors
/// `form_password_pwned` for the parameter `password`.
pub(crate) async fn refuse_breached_at_sign_in(scope: &Scope, password: &Secret) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.password;
    if rules.refuse_breached && rules.enforce_hibp_on_sign_in && breached::look_up(scope, password).await == Found::Yes {
        let long = "This password is known from a breach. Reset your password before you sign in.";
        return Err(ApiError::new(codes::FORM_PASSWORD_PWNED).param("password").long(long));
    }
    Ok(())
}
