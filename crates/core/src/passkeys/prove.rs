use super::ceremony::{Assertion, Known};
use super::challenge::{self, RelyingParty};
use super::{answer, refuse_when_off};
use crate::app::{Caller, Scope, internal};
use crate::sign_in::refuse_locked;
use crate::strategies::{Consume, Grants, Proven};
use crate::verification::NewCode;
use doorward_base::*;
use doorward_store::passkeys::{self, PasskeyRecord, Use};
use doorward_store::users::{self, UserWithEmails};
use serde_json::{Value, json};

/// Makes the challenge for a signature: of one of a user's passkeys, or of whichever the person chooses.
///
/// # Errors
/// `feature_not_enabled`, `origin_missing`; `strategy_for_user_invalid` when the user has no passkey for this site.
pub(crate) fn ask(scope: &Scope, caller: &Caller, owner: &str, user: Option<&UserWithEmails>) -> Result<NewCode, ApiError> {
    refuse_when_off(scope)?;
    let rp = RelyingParty::of(scope, caller)?;
    let mut options = json!({"rpId": rp.id, "userVerification": "preferred"});
    if let Some(user) = user {
        let usable: Vec<Value> = user.passkeys.iter().filter(|it| it.rp_id == rp.id).map(challenge::descriptor).collect();
        if usable.is_empty() {
            return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy"));
        }
        options["allowCredentials"] = json!(usable);
    }
    let target = user.map_or("", |user| user.user.id.as_str());
    challenge::issue(scope, rp, owner, target, options)
}

/// Checks a signature. With `user` it has to be of one of theirs; without, it says who it is, and both have to agree.
///
/// # Errors
/// `form_param_missing`, `verification_missing`, `passkey_invalid_public_key_credential`, `passkey_not_registered`,
/// `passkey_authentication_failure`, `user_locked`.
pub(crate) async fn prove(
    scope: &Scope,
    owner: &str,
    verification: Option<&VerificationId>,
    json: Option<&str>,
    user: Option<&UserWithEmails>,
) -> Result<(UserWithEmails, Proven), ApiError> {
    refuse_when_off(scope)?;
    let failed = codes::PASSKEY_AUTHENTICATION_FAILURE;
    let id = verification.ok_or(codes::VERIFICATION_MISSING)?;
    let assertion = Assertion::read(answer(json)?).map_err(|refused| refused.into_error(failed))?;
    let (taken, asked) = challenge::take(scope, id, owner).await?;
    let (user, passkey) = find(scope, &assertion, user).await?;
    refuse_locked(scope, &user.user)?;
    if passkey.rp_id != asked.rp_id() {
        return Err(codes::PASSKEY_NOT_REGISTERED.into());
    }
    let known = Known {
        public_key: &passkey.public_key,
        sign_count: u32::try_from(passkey.sign_count).map_err(ApiError::internal)?,
        backup_eligible: passkey.backup_eligible,
    };
    let right = assertion.check(&asked.expected(), &known).map_err(|refused| refused.into_error(failed))?;
    let used = Use { id: passkey.id.clone(), sign_count: i64::from(right.sign_count), backed_up: right.backed_up };
    let proven = Proven {
        grants: Grants::SignIn,
        consume: Some(Consume::Passkey { verification: taken.id, used }),
        attempts: 1,
        both: right.user_verified && scope.instance.settings.passkey.satisfies_second_factor,
    };
    Ok((user, proven))
}

/// The passkey that signed, and whose it is (WebAuthn, section 7.2, steps 5 and 6).
async fn find(scope: &Scope, assertion: &Assertion, user: Option<&UserWithEmails>) -> Result<(UserWithEmails, PasskeyRecord), ApiError> {
    let missing = || ApiError::new(codes::PASSKEY_NOT_REGISTERED);
    let handle = assertion.user_handle.as_deref();
    let (user, passkey) = match user {
        Some(user) => {
            let passkey = user.passkeys.iter().find(|it| it.credential_id == assertion.credential_id).ok_or_else(missing)?;
            (user.clone(), passkey.clone())
        }
        None => {
            handle.ok_or_else(missing)?;
            let passkey = passkeys::by_credential(scope.db(), scope.ins(), &assertion.credential_id).await.map_err(internal)?;
            let passkey = passkey.ok_or_else(missing)?;
            (users::get(scope.db(), scope.ins(), &passkey.user_id).await.map_err(internal)?.ok_or_else(missing)?, passkey)
        }
    };
    if handle.is_some_and(|handle| handle != user.user.id.as_str().as_bytes()) {
        return Err(missing());
    }
    Ok((user, passkey))
}
