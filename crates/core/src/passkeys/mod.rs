//! Passkeys (WebAuthn, levels 2 and 3): registered by who is signed in, and a first factor from then on.

mod authenticator_data;
mod ceremony;
mod challenge;
mod key;
mod prove;
#[cfg(test)]
mod tests;

pub(crate) use prove::{ask, prove};

use crate::app::{Caller, Scope, internal};
use crate::{user_agent, users, verification};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ceremony::Refused;
use challenge::RelyingParty;
use coset::iana::EnumI64;
use doorward_base::*;
use doorward_store::passkeys::{self as store, PasskeyRecord};
use doorward_store::users::UserWithEmails;
use doorward_store::{StoreError, verifications};
use doorward_wire::fapi::AttemptMyPasskey;
use doorward_wire::resource::{DeletedObject, Passkey, Verification};
use serde_json::{Value, json};

/// The name on the wire.
pub(crate) const STRATEGY: &str = "passkey";
/// How many passkeys a user may have.
const MAX_PASSKEYS: usize = 20;
/// The most characters that a browser's answer may have.
const MAX_ANSWER: usize = 64 * 1024;

impl Refused {
    /// `failed` is the code for an answer that could be read.
    fn into_error(self, failed: &'static Code) -> ApiError {
        match self {
            Self::Malformed(why) => {
                ApiError::new(codes::PASSKEY_CREDENTIAL_INVALID).param(PARAM).long(format!("{PARAM} could not be read: {why}."))
            }
            Self::Failed(why) => ApiError::new(failed).long(why),
        }
    }
}

const PARAM: &str = "public_key_credential";

fn answer(json: Option<&str>) -> Result<&str, ApiError> {
    let json = crate::sign_in::filled(json).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(PARAM))?;
    if json.len() > MAX_ANSWER {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LARGE).param(PARAM));
    }
    Ok(json)
}

fn refuse_when_off(scope: &Scope) -> Result<(), ApiError> {
    if scope.instance.settings.attributes.passkey { Ok(()) } else { Err(codes::FEATURE_NOT_ENABLED.into()) }
}

/// Begins to register a passkey. It is the user's when the browser's answer was seen.
///
/// # Errors
/// `feature_not_enabled`, `quota_exceeded`, `origin_missing`.
pub async fn create(scope: &Scope, caller: &Caller, user: &UserWithEmails) -> Result<Passkey, ApiError> {
    refuse_when_off(scope)?;
    if user.passkeys.len() >= MAX_PASSKEYS {
        return Err(ApiError::new(codes::QUOTA_EXCEEDED).long("This account has as many passkeys as it may have. Remove one first."));
    }
    let rp = RelyingParty::of(scope, caller)?;
    let id = PasskeyId::new(scope.now, &scope.app.rng);
    let options = creation_options(scope, &rp, user);
    let code = challenge::issue(scope, rp, id.as_str(), user.user.id.as_str(), options)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    Ok(pending(&id, caller, verification::show(scope, &code.record)?, scope.now))
}

/// The options of `navigator.credentials.create()` (WebAuthn, section 5.4).
fn creation_options(scope: &Scope, rp: &RelyingParty, user: &UserWithEmails) -> Value {
    let name = users::identifier(user);
    let full_name = [&user.user.first_name, &user.user.last_name].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    let algorithms = key::ALGORITHMS.iter().map(|it| json!({"type": "public-key", "alg": it.to_i64()}));
    json!({
        "rp": {"id": rp.id, "name": scope.instance.settings.application_name},
        "user": {
            "id": B64.encode(user.user.id.as_str()),
            "name": name,
            "displayName": if full_name.is_empty() { &name } else { &full_name },
        },
        "pubKeyCredParams": algorithms.collect::<Vec<_>>(),
        "excludeCredentials": user.passkeys.iter().filter(|it| it.rp_id == rp.id).map(challenge::descriptor).collect::<Vec<_>>(),
        "authenticatorSelection": {"residentKey": "required", "requireResidentKey": true, "userVerification": "preferred"},
        "attestation": "none",
    })
}

/// Registers the passkey that the browser made.
///
/// # Errors
/// `resource_not_found`, `passkey_invalid_public_key_credential`, `passkey_invalid_verification`, `verification_expired`,
/// `verification_failed` for a second answer to the same challenge.
pub async fn attempt(scope: &Scope, caller: &Caller, user: &UserWithEmails, req: &AttemptMyPasskey) -> Result<Passkey, ApiError> {
    if own(user, &req.passkey_id).is_some() {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let begun = begun(scope, user, &req.passkey_id).await?;
    refuse_when_off(scope)?;
    if crate::sign_in::filled(req.strategy.as_deref()).is_some_and(|name| name != STRATEGY) {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let json = answer(req.public_key_credential.as_deref())?;
    let (taken, asked) = challenge::take(scope, &begun.id, req.passkey_id.as_str()).await?;
    let made = ceremony::registration(&asked.expected(), json);
    let made = made.map_err(|refused| refused.into_error(codes::PASSKEY_VERIFICATION_INVALID))?;
    let record = PasskeyRecord {
        id: req.passkey_id.clone(),
        user_id: user.user.id.clone(),
        credential_id: made.credential_id,
        rp_id: asked.rp_id().to_owned(),
        public_key: made.public_key,
        sign_count: i64::from(made.sign_count),
        backup_eligible: made.backup_eligible,
        backed_up: made.backed_up,
        transports: serde_json::to_string(&made.transports).map_err(ApiError::internal)?,
        name: name_of(caller),
        last_used_at: None,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    verification::consume(scope, &mut tx, &taken.id).await?;
    match store::insert(&mut tx, scope.ins(), &record).await {
        Ok(true) => {}
        Ok(false) => return Err(ApiError::not_found("User", &user.user.id)),
        Err(StoreError::Conflict) => {
            return Err(ApiError::new(codes::PASSKEY_CREDENTIAL_INVALID).param(PARAM).long("This passkey is registered already."));
        }
        Err(other) => return Err(internal(other)),
    }
    tx.commit().await.map_err(internal)?;
    Ok(view(&record))
}

async fn begun(scope: &Scope, user: &UserWithEmails, id: &PasskeyId) -> Result<verifications::VerificationRecord, ApiError> {
    let found = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let found = found.filter(|it| it.strategy == STRATEGY && it.target_id == user.user.id.as_str() && it.status == "unverified");
    found.ok_or_else(|| ApiError::not_found("Passkey", id))
}

fn own<'a>(user: &'a UserWithEmails, id: &PasskeyId) -> Option<&'a PasskeyRecord> {
    user.passkeys.iter().find(|it| &it.id == id)
}

/// A passkey of the user, or how far its registration is.
///
/// # Errors
/// `resource_not_found`.
pub async fn get(scope: &Scope, caller: &Caller, user: &UserWithEmails, id: &PasskeyId) -> Result<Passkey, ApiError> {
    if let Some(record) = own(user, id) {
        return Ok(view(record));
    }
    let begun = begun(scope, user, id).await?;
    Ok(pending(id, caller, verification::show(scope, &begun)?, begun.created_at))
}

/// Gives a passkey another name.
///
/// # Errors
/// `resource_not_found`, those of the parameter `name`.
pub async fn rename(scope: &Scope, user: &UserWithEmails, id: &PasskeyId, name: Option<&str>) -> Result<Passkey, ApiError> {
    let missing = || ApiError::not_found("Passkey", id);
    let record = own(user, id).ok_or_else(missing)?;
    let name = crate::sign_in::filled(name).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("name"))?;
    users::check_name(Some(name), "name")?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::rename(&mut tx, scope.ins(), &user.user.id, id, name, scope.now).await.map_err(internal)? {
        return Err(missing());
    }
    tx.commit().await.map_err(internal)?;
    Ok(view(&PasskeyRecord { name: name.to_owned(), updated_at: scope.now, ..record.clone() }))
}

/// Removes a passkey.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the only way into the account.
pub async fn delete(scope: &Scope, user: &UserWithEmails, id: &PasskeyId) -> Result<DeletedObject, ApiError> {
    own(user, id).ok_or_else(|| ApiError::not_found("Passkey", id))?;
    take(scope, &user.user.id, id, Some(user)).await
}

/// Removes a passkey of any user, as a server may, even the only way into the account.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove(scope: &Scope, user: &UserId, id: &PasskeyId) -> Result<DeletedObject, ApiError> {
    take(scope, user, id, None).await
}

/// Takes a passkey away from a user, from `before` only if they keep a way in.
async fn take(scope: &Scope, user: &UserId, id: &PasskeyId, before: Option<&UserWithEmails>) -> Result<DeletedObject, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::delete(&mut tx, scope.ins(), user, id, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("Passkey", id));
    }
    if let Some(before) = before {
        crate::users::keep_way_in(scope, &mut tx, before, "passkey_id", users::Hand::User).await?;
    }
    tx.commit().await.map_err(internal)?;
    Ok(DeletedObject::new("passkey", id))
}

/// What people recognise their passkey by, until they name it themselves: where it was made.
fn name_of(caller: &Caller) -> String {
    user_agent::parse(caller.user_agent.as_deref()).name().unwrap_or_else(|| "Passkey".to_owned())
}

fn pending(id: &PasskeyId, caller: &Caller, verification: Verification, at: Timestamp) -> Passkey {
    Passkey {
        object: "passkey".to_owned(),
        id: id.clone(),
        name: name_of(caller),
        verification: Some(verification),
        last_used_at: None,
        created_at: at,
        updated_at: at,
    }
}

/// A registered passkey as the wire has it.
pub(crate) fn view(record: &PasskeyRecord) -> Passkey {
    let verification = Verification {
        object: "verification_passkey".to_owned(),
        status: "verified".to_owned(),
        strategy: STRATEGY.to_owned(),
        attempts: Some(1),
        expire_at: Some(record.created_at),
        ..Verification::default()
    };
    Passkey {
        object: "passkey".to_owned(),
        id: record.id.clone(),
        name: record.name.clone(),
        verification: Some(verification),
        last_used_at: record.last_used_at,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}
