//! What a server's addresses and numbers of users have in common.

use super::update::{Change, Plan};
use crate::app::{Scope, internal};
use crate::sign_in::filled;
use crate::verification::{self, NewCode};
use doorward_base::*;
use doorward_store::users::{EmailRecord, PhoneRecord};
use doorward_store::verifications::VerificationRecord;
use doorward_wire::bapi::ServerVerification;

/// What proved an identifier that a server vouches for.
pub(super) const STRATEGY: &str = "admin";

/// How identifiers of one kind change.
pub(super) struct Changes<T> {
    add: fn(T) -> Change,
    prove: fn(T) -> Change,
    unprove: fn(IdentificationId, bool) -> Change,
    remove: fn(IdentificationId) -> Change,
}

pub(super) const EMAILS: Changes<EmailRecord> = Changes {
    add: Change::AddEmail,
    prove: Change::ProveEmail,
    unprove: |id, reserved| Change::UnproveEmail { id, reserved },
    remove: Change::RemoveEmail,
};

pub(super) const PHONES: Changes<PhoneRecord> = Changes {
    add: Change::AddPhone,
    prove: Change::ProvePhone,
    unprove: |id, reserved| Change::UnprovePhone { id, reserved },
    remove: Change::RemovePhone,
};

/// How much an identifier is its user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Proven, or as good as that by a server's word.
    Verified,
    /// Not proven, but the user's alone, and good for signing in.
    Reserved,
    /// Only named.
    Unverified,
}

impl Standing {
    pub(super) fn of(verified: bool, reserved: bool) -> Self {
        match (verified, reserved) {
            (true, _) => Self::Verified,
            (false, true) => Self::Reserved,
            (false, false) => Self::Unverified,
        }
    }

    /// # Errors
    /// `form_param_value_invalid` naming `identification_status`.
    pub(super) fn read(status: Option<&str>) -> Result<Self, ApiError> {
        match filled(status) {
            None | Some("verified") => Ok(Self::Verified),
            Some("reserved") => Ok(Self::Reserved),
            Some("unverified") => Ok(Self::Unverified),
            Some(_) => Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("identification_status")),
        }
    }
}

impl<T> Changes<T> {
    /// Leaves a user one identifier that stands as told: a new one, or one of those that were there, with how it stood.
    pub(super) fn leave(
        &self,
        plan: &mut Plan,
        others: impl Iterator<Item = IdentificationId>,
        kept: Option<(IdentificationId, Standing)>,
        wanted: Standing,
        record: T,
    ) {
        plan.changes.extend(others.map(self.remove));
        match kept {
            None => plan.changes.push((self.add)(record)),
            Some((_, was)) if was == wanted => {}
            Some(_) if wanted == Standing::Verified => plan.changes.push((self.prove)(record)),
            Some((id, _)) => plan.changes.push((self.unprove)(id, wanted == Standing::Reserved)),
        }
    }
}

pub(super) fn user_id(text: Option<&str>) -> Result<UserId, ApiError> {
    let text = filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("user_id"))?;
    Ok(UserId::from(text))
}

/// What is not proven cannot be the primary one by request.
pub(super) fn check_primary(primary: bool, verified: bool) -> Result<(), ApiError> {
    if primary && !verified {
        let error = ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("primary");
        return Err(error.long("primary needs an identifier that is verified."));
    }
    Ok(())
}

/// Under what the codes of a server are kept: apart from those that the user asked for.
pub(super) fn owner(id: &IdentificationId) -> String {
    format!("server:{id}")
}

/// Writes a code and its message.
pub(super) async fn send(scope: &Scope, code: NewCode) -> Result<ServerVerification, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    Ok(view(scope, &code.record))
}

/// Tries a code. `proven` makes use of a right one.
pub(super) async fn attempt(
    scope: &Scope,
    id: &IdentificationId,
    strategy: &str,
    verification_id: Option<&str>,
    code: Option<&str>,
    proven: impl AsyncFnOnce(VerificationRecord) -> Result<(), ApiError>,
) -> Result<ServerVerification, ApiError> {
    let missing = |param: &str| ApiError::new(codes::FORM_PARAM_MISSING).param(param);
    let verification = VerificationId::from(filled(verification_id).ok_or_else(|| missing("verification_id"))?);
    let code = filled(code).ok_or_else(|| missing("code"))?;
    match verification::try_code(scope, &verification, &owner(id), strategy, Some(code)).await {
        Ok(taken) => proven(taken).await?,
        Err(error) if shows_in_the_status(error.code()) => {}
        Err(error) => return Err(error),
    }
    let after = verification::load(scope, &verification).await?.ok_or(codes::VERIFICATION_MISSING)?;
    Ok(view(scope, &after))
}

fn shows_in_the_status(code: &'static Code) -> bool {
    [codes::FORM_CODE_INCORRECT, codes::VERIFICATION_EXPIRED, codes::VERIFICATION_FAILED].contains(&code)
}

fn view(scope: &Scope, record: &VerificationRecord) -> ServerVerification {
    let shown = verification::view(record, scope.now);
    ServerVerification {
        object: shown.object,
        id: record.id.clone(),
        status: shown.status,
        strategy: shown.strategy,
        attempts: shown.attempts,
        expire_at: shown.expire_at,
        channel: shown.channel,
    }
}
