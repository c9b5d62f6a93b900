//! What a server does with a user's factors: brings them along, checks them, takes them away.

use super::{load, phone_numbers};
use crate::app::{Scope, internal};
use crate::password::foreign;
use crate::sign_in::{filled, take_guess, was_right};
use crate::strategies::{self, Consume};
use crate::two_factor;
use data_encoding::BASE32_NOPAD;
use doorward_base::*;
use doorward_store::users::{self, UserWithEmails};
use doorward_store::{Tx, second_factors as store, sessions};

/// How often a removal is tried again when the password changes in between.
const TRIES: usize = 5;
/// What the secret of an authenticator app may have, in bytes: RFC 4226 asks for 16, older apps made 10.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 10..=64;
/// The most backup codes: each that came as a hash costs one to check.
const MAX_CODES: usize = 20;
/// The fewest letters and digits of a backup code.
const MIN_CODE: usize = 6;

/// Second factors that a server brings along.
pub(super) struct GivenFactors {
    totp: Option<Vec<u8>>,
    backup_codes: Vec<BackupCode>,
}

enum BackupCode {
    Plain(String),
    /// A bcrypt digest, as passwords are kept.
    Digest(String),
}

impl GivenFactors {
    /// # Errors
    /// `form_param_unknown` where the instance has no such factor, `invalid_totp_secret_code`, and the codes for a bad list
    /// of backup codes.
    pub(super) fn read(scope: &Scope, totp_secret: Option<&str>, backup_codes: Option<&[String]>) -> Result<Self, ApiError> {
        let attributes = &scope.instance.settings.attributes;
        let (secret, codes) = (filled(totp_secret), backup_codes.unwrap_or_default());
        for (param, on, given) in
            [("totp_secret", attributes.authenticator_app, secret.is_some()), ("backup_codes", attributes.backup_code, !codes.is_empty())]
        {
            if given && !on {
                return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(param));
            }
        }
        if codes.len() > MAX_CODES {
            return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param("backup_codes"));
        }
        let totp = secret.map(|text| read_secret(text).ok_or_else(|| ApiError::new(codes::INVALID_TOTP_SECRET).param("totp_secret")));
        let codes = codes
            .iter()
            .map(|text| BackupCode::read(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("backup_codes")));
        Ok(Self { totp: totp.transpose()?, backup_codes: codes.collect::<Result<_, _>>()? })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.totp.is_none() && self.backup_codes.is_empty()
    }

    /// Writes them in the place of those that the user has.
    pub(super) async fn write(&self, scope: &Scope, tx: &mut Tx, user: &UserId) -> Result<(), ApiError> {
        if let Some(secret) = &self.totp {
            let totp = two_factor::sealed_totp(scope, user, secret)?;
            store::set_totp(tx, scope.ins(), &totp).await.map_err(internal)?;
            store::set_totp_enabled(tx, scope.ins(), user, true).await.map_err(internal)?;
            store::set_enrolled(tx, scope.ins(), user, true, scope.now).await.map_err(internal)?;
        }
        if !self.backup_codes.is_empty() {
            let mut hashes: Vec<String> = self.backup_codes.iter().map(|code| code.kept(scope, user)).collect();
            hashes.sort();
            hashes.dedup();
            store::replace_backup_codes(tx, scope.ins(), user, &hashes, scope.now).await.map_err(internal)?;
        }
        Ok(())
    }
}

impl BackupCode {
    fn read(text: &str) -> Option<Self> {
        if text.starts_with("$2") {
            return foreign::import("bcrypt", text).ok().map(Self::Digest);
        }
        (text.chars().filter(char::is_ascii_alphanumeric).count() >= MIN_CODE && text.len() <= 64).then(|| Self::Plain(text.to_owned()))
    }

    fn kept(&self, scope: &Scope, user: &UserId) -> String {
        match self {
            Self::Plain(code) => two_factor::backup_code_hash(scope, user, code),
            Self::Digest(digest) => digest.clone(),
        }
    }
}

fn read_secret(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').map(|c| c.to_ascii_uppercase()).collect();
    BASE32_NOPAD.decode(text.as_bytes()).ok().filter(|secret| SECRET_BYTES.contains(&secret.len()))
}

/// Takes a user's password away, whatever other ways in there are. Who has none is answered as they are.
///
/// # Errors
/// `resource_not_found`; `conflict` when the password kept changing.
pub async fn remove_password(scope: &Scope, id: &UserId, sign_out: bool) -> Result<UserWithEmails, ApiError> {
    for _ in 0..TRIES {
        let user = load(scope, id).await?;
        let Some(old) = user.user.password_hash.as_deref() else { return Ok(user) };
        let mut tx = scope.db().begin().await.map_err(internal)?;
        if !users::replace_password(&mut tx, scope.ins(), id, Some(old), None, scope.now).await.map_err(internal)? {
            continue;
        }
        if sign_out {
            sessions::close_of_user(&mut tx, scope.ins(), id, None, "revoked", scope.now).await.map_err(internal)?;
        }
        tx.commit().await.map_err(internal)?;
        return load(scope, id).await;
    }
    Err(codes::CONFLICT.into())
}

/// Checks a code of a user's authenticator app, or a backup code, and uses it up. Wrong ones count like those of a sign-in.
/// Answers which of the two it was.
///
/// # Errors
/// `form_param_missing`, `resource_not_found`, `totp_disabled`, `user_locked`, `totp_incorrect_code`.
pub async fn verify_second_factor(scope: &Scope, id: &UserId, code: Option<&str>) -> Result<&'static str, ApiError> {
    let code = filled(code).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("code"))?;
    let user = load(scope, id).await?;
    if !user.user.totp_enabled && !user.user.backup_codes_enabled {
        return Err(codes::TOTP_DISABLED.into());
    }
    take_guess(scope, &user.user).await?;
    let totp = store::get_totp(scope.db(), scope.ins(), id).await.map_err(internal)?.filter(|totp| totp.verified);
    let step = totp.map(|totp| two_factor::matching_step(scope, &totp, code)).transpose()?.flatten();
    let (kind, used) = match step {
        Some(step) => ("totp", Consume::TotpStep(step)),
        None => ("backup_code", Consume::BackupCode(two_factor::find_backup_code(scope, id, code).await.map_err(wrong)?)),
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    strategies::consume(scope, &mut tx, id, &used).await.map_err(wrong)?;
    was_right(scope, &mut tx, &user, false).await?;
    tx.commit().await.map_err(internal)?;
    Ok(kind)
}

/// A wrong code by its name on the Backend API.
fn wrong(error: ApiError) -> ApiError {
    if error.code() == codes::FORM_CODE_INCORRECT { ApiError::new(codes::TOTP_INCORRECT_CODE).param("code") } else { error }
}

/// Takes all second factors of a user away. Numbers that were kept for it are the user's other numbers from now on.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove_second_factors(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    let before = load(scope, id).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    store::delete_totp(&mut tx, scope.ins(), id).await.map_err(internal)?;
    store::set_totp_enabled(&mut tx, scope.ins(), id, false).await.map_err(internal)?;
    users::clear_second_factors(&mut tx, scope.ins(), id, scope.now).await.map_err(internal)?;
    store::replace_backup_codes(&mut tx, scope.ins(), id, &[], scope.now).await.map_err(internal)?;
    if before.user.mfa_enabled_at.is_some() || before.user.backup_codes_enabled {
        store::set_enrolled(&mut tx, scope.ins(), id, false, scope.now).await.map_err(internal)?;
    }
    tx.commit().await.map_err(internal)?;
    phone_numbers::settle_primary(scope, id).await
}

/// Takes a user's backup codes away.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove_backup_codes(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::touch(&mut tx, scope.ins(), id, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("User", id));
    }
    store::replace_backup_codes(&mut tx, scope.ins(), id, &[], scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)
}

/// Takes a user's authenticator app away, if there is one. Backup codes go with the last factor that they stand in for.
///
/// # Errors
/// `resource_not_found` when there is no such user.
pub async fn remove_totp(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    let user = load(scope, id).await?;
    match two_factor::delete_totp(scope, &user).await {
        Err(error) if error.code() == codes::RESOURCE_NOT_FOUND => Ok(()),
        other => other.map(|_| ()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_base32_of_a_sane_length() {
        assert_eq!(read_secret("GEZD GNBV gy3t qojq").unwrap(), b"1234567890");
        assert_eq!(read_secret("GEZDGNBVGY3TQOJQGEZDGNBVGY======").unwrap(), b"1234567890123456");
        for bad in ["", "GEZDGNBV", "0189", "not base32!", &"A".repeat(120)] {
            assert!(read_secret(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn fault_129_a_backup_code_without_letters_and_digits_is_none() {
        for bad in
            ["", "-----------", "ab-cd", &"a".repeat(65), "$2x$10$abc", "$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"]
        {
            assert!(BackupCode::read(bad).is_none(), "{bad}");
        }
        assert!(matches!(BackupCode::read("abc-def-123"), Some(BackupCode::Plain(_))));
        let digest = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(matches!(BackupCode::read(digest), Some(BackupCode::Digest(kept)) if kept == format!("bcrypt:{digest}")));
    }
}
