//! The signed-in user's second factors: an authenticator app and backup codes.

use crate::app::{Scope, internal};
use crate::crypto;
use crate::strategies;
use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use doorward_base::*;
use doorward_store::second_factors::{self as store, TotpRecord};
use doorward_store::sessions;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::{BackupCodes, Totp};
use doorward_wire::resource::DeletedObject;

/// Seconds per time step (RFC 6238, section 4).
const STEP_SECONDS: i64 = 30;
/// How many steps a clock may be behind or ahead (RFC 6238, section 5.2).
const DRIFT: i64 = 1;
/// Codes that may be tried before an enrolment has to begin again.
const MAX_TRIES: i64 = 10;
/// Backup codes in a set.
const BACKUP_CODES: usize = 10;

/// The six digits of a time step (RFC 4226, section 5.3, with HMAC-SHA-1, which is what all apps read).
fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The time step that a code belongs to, if it is one of now and was not used before.
pub(crate) fn matching_step(scope: &Scope, totp: &TotpRecord, code: &str) -> Result<Option<i64>, ApiError> {
    let secret = secret(scope, totp)?;
    let now = scope.now_seconds() / STEP_SECONDS;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    // All are compared, whichever is right.
    let right = (now - DRIFT..=now + DRIFT).filter(|step| crypto::equal(code_at(&secret, *step).as_bytes(), code.as_bytes()));
    Ok(right.collect::<Vec<_>>().into_iter().find(|step| *step > totp.last_step))
}

/// The opened secret of an authenticator app.
pub(crate) fn secret(scope: &Scope, totp: &TotpRecord) -> Result<Vec<u8>, ApiError> {
    scope.app.sealer.open(&context(&totp.id), &totp.sealed).map_err(ApiError::internal)
}

/// For what such a secret is sealed.
pub(crate) fn context(id: impl std::fmt::Display) -> String {
    format!("totp:{id}")
}

/// The keyed hash of a backup code. Case and what people put between the characters do not matter.
pub(crate) fn backup_code_hash(scope: &Scope, user: &UserId, code: &str) -> String {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    scope.app.sealer.code_hash(&format!("{}:{user}:backup", scope.ins()), &code)
}

/// The kept form of a user's unused backup code. The guess must have been counted.
///
/// # Errors
/// `form_code_incorrect`.
pub(crate) async fn find_backup_code(scope: &Scope, user: &UserId, code: &str) -> Result<String, ApiError> {
    let hash = backup_code_hash(scope, user, code);
    if store::has_backup_code(scope.db(), scope.ins(), user, &hash).await.map_err(internal)? {
        return Ok(hash);
    }
    let code = Secret::from(code.trim());
    for digest in store::foreign_backup_codes(scope.db(), scope.ins(), user).await.map_err(internal)? {
        if scope.app.passwords.verify(&code, Some(&digest)).await?.matched {
            return Ok(digest);
        }
    }
    Err(ApiError::new(codes::FORM_CODE_INCORRECT).param("code"))
}

/// Begins to enrol an authenticator app. One that was begun and not proven is replaced.
///
/// # Errors
/// `totp_already_enabled`, `feature_not_enabled`.
pub async fn create_totp(scope: &Scope, user: &UserWithEmails) -> Result<Totp, ApiError> {
    if !scope.instance.settings.attributes.authenticator_app {
        return Err(codes::FEATURE_NOT_ENABLED.into());
    }
    let secret = scope.app.rng.bytes::<20>();
    let totp = sealed_totp(scope, &user.user.id, &secret)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::replace_totp(&mut tx, scope.ins(), &totp).await.map_err(internal)? {
        return Err(codes::TOTP_ALREADY_ENABLED.into());
    }
    tx.commit().await.map_err(internal)?;
    let secret = BASE32_NOPAD.encode(&secret);
    let uri = otpauth(&scope.instance.settings.application_name, &crate::users::identifier(user), &secret);
    Ok(Totp { secret: Some(secret), uri: Some(uri), ..view(&totp) })
}

/// A secret as it is kept, not proven yet.
pub(crate) fn sealed_totp(scope: &Scope, user: &UserId, secret: &[u8]) -> Result<TotpRecord, ApiError> {
    let mut totp = TotpRecord {
        id: TotpId::new(scope.now, &scope.app.rng),
        user_id: user.clone(),
        sealed: String::new(),
        verified: false,
        attempts: 0,
        last_step: 0,
        created_at: scope.now,
        updated_at: scope.now,
    };
    totp.sealed = scope.app.sealer.seal(&scope.app.rng, &context(&totp.id), secret).map_err(ApiError::internal)?;
    Ok(totp)
}

/// The address that apps read from a QR code.
fn otpauth(issuer: &str, account: &str, secret: &str) -> String {
    let escape = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (issuer, account) = (escape(issuer), escape(account));
    format!("otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits=6&issuer={issuer}&period={STEP_SECONDS}&secret={secret}")
}

fn view(totp: &TotpRecord) -> Totp {
    Totp {
        object: "totp".to_owned(),
        id: totp.id.clone(),
        secret: None,
        uri: None,
        verified: totp.verified,
        backup_codes: None,
        created_at: totp.created_at,
        updated_at: totp.updated_at,
    }
}

/// Proves that the app is enrolled, and with it the second factor of the session. The first set of backup codes comes with it.
///
/// # Errors
/// `form_code_incorrect`, `totp_already_enabled`, `resource_not_found` before an enrolment, `verification_failed` after too
/// many tries.
pub async fn verify_totp(scope: &Scope, session: &SessionId, user: &UserWithEmails, code: Option<&str>) -> Result<Totp, ApiError> {
    let id = &user.user.id;
    let code = crate::sign_in::filled(code).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("code"))?;
    let totp = store::get_totp(scope.db(), scope.ins(), id).await.map_err(internal)?;
    let totp = totp.ok_or_else(|| ApiError::not_found("TOTP", id))?;
    if totp.verified {
        return Err(codes::TOTP_ALREADY_ENABLED.into());
    }
    if !store::take_totp_try(scope.db(), scope.ins(), &totp.id, id, MAX_TRIES).await.map_err(internal)? {
        return Err(codes::VERIFICATION_FAILED.into());
    }
    let wrong = || ApiError::new(codes::FORM_CODE_INCORRECT).param("code");
    let step = matching_step(scope, &totp, code)?.ok_or_else(wrong)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::use_totp_step(&mut tx, scope.ins(), id, step, scope.now).await.map_err(internal)? {
        return Err(wrong());
    }
    store::set_totp_enabled(&mut tx, scope.ins(), id, true).await.map_err(internal)?;
    sessions::factors_checked(&mut tx, scope.ins(), session, false, true, scope.now).await.map_err(internal)?;
    let backup_codes = enrolled(scope, &mut tx, user).await?;
    tx.commit().await.map_err(internal)?;
    Ok(Totp { backup_codes, verified: true, updated_at: scope.now, ..view(&totp) })
}

/// Removes the authenticator app. Backup codes go with the last factor that they stand in for.
///
/// # Errors
/// `resource_not_found`.
pub async fn delete_totp(scope: &Scope, user: &UserWithEmails) -> Result<DeletedObject, ApiError> {
    let id = &user.user.id;
    let mut without = user.clone();
    without.user.totp_enabled = false;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    let gone = store::delete_totp(&mut tx, scope.ins(), id).await.map_err(internal)?;
    let gone = gone.ok_or_else(|| ApiError::not_found("TOTP", id))?;
    if gone.verified {
        store::set_totp_enabled(&mut tx, scope.ins(), id, false).await.map_err(internal)?;
        removed(scope, &mut tx, &without).await?;
    }
    tx.commit().await.map_err(internal)?;
    Ok(DeletedObject::new("totp", &gone.id))
}

/// Notes that a user enrolled a second factor. The first set of backup codes comes with the first one.
pub(crate) async fn enrolled(scope: &Scope, tx: &mut doorward_store::Tx, user: &UserWithEmails) -> Result<Option<Vec<String>>, ApiError> {
    store::set_enrolled(tx, scope.ins(), &user.user.id, true, scope.now).await.map_err(internal)?;
    if !scope.instance.settings.attributes.backup_code || user.user.backup_codes_enabled {
        return Ok(None);
    }
    let codes = new_codes(scope);
    keep_codes(scope, tx, &user.user.id, &codes).await?;
    Ok(Some(codes))
}

/// Notes that a second factor is gone; `user` has it no longer. Backup codes go with the last one.
pub(crate) async fn removed(scope: &Scope, tx: &mut doorward_store::Tx, user: &UserWithEmails) -> Result<(), ApiError> {
    let (id, others) = (&user.user.id, !strategies::second_factors(&scope.instance, user).is_empty());
    store::set_enrolled(tx, scope.ins(), id, others, scope.now).await.map_err(internal)?;
    if !others {
        store::replace_backup_codes(tx, scope.ins(), id, &[], scope.now).await.map_err(internal)?;
    }
    Ok(())
}

/// Makes a new set of backup codes. The set before is of no use afterwards.
///
/// # Errors
/// `backup_codes_not_available` without a second factor, or where the instance has none.
pub async fn create_backup_codes(scope: &Scope, user: &UserWithEmails) -> Result<BackupCodes, ApiError> {
    let usable = scope.instance.settings.attributes.backup_code && !strategies::second_factors(&scope.instance, user).is_empty();
    if !usable {
        return Err(codes::BACKUP_CODES_NOT_AVAILABLE.into());
    }
    let codes = new_codes(scope);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    keep_codes(scope, &mut tx, &user.user.id, &codes).await?;
    tx.commit().await.map_err(internal)?;
    Ok(BackupCodes {
        object: "backup_code".to_owned(),
        id: BackupCodesId::new(scope.now, &scope.app.rng),
        codes,
        created_at: scope.now,
        updated_at: scope.now,
    })
}

/// 40 bits each: with the lock on guesses they are out of reach.
fn new_codes(scope: &Scope) -> Vec<String> {
    (0..BACKUP_CODES).map(|_| BASE32_NOPAD.encode(&scope.app.rng.bytes::<5>()).to_ascii_lowercase()).collect()
}

async fn keep_codes(scope: &Scope, tx: &mut doorward_store::Tx, user: &UserId, codes: &[String]) -> Result<(), ApiError> {
    let hashes: Vec<String> = codes.iter().map(|code| backup_code_hash(scope, user, code)).collect();
    store::replace_backup_codes(tx, scope.ins(), user, &hashes, scope.now).await.map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (time, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"), (2_000_000_000, "279037")]
        {
            assert_eq!(code_at(secret, time / STEP_SECONDS), code, "at {time}");
        }
    }

    #[test]
    fn the_address_of_the_secret_keeps_names_apart() {
        let uri = otpauth("Ada & Co", "ada+x@example.com", "GEZDGNBV");
        assert_eq!(
            uri,
            "otpauth://totp/Ada%20%26%20Co:ada%2Bx%40example.com?algorithm=SHA1&digits=6&issuer=Ada%20%26%20Co&period=30&secret=GEZDGNBV"
        );
    }
}
