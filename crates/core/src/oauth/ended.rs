//! A visit to a provider that did not do what it was for, and what can still become of it.

use super::connection;
use super::identity::Identity;
use crate::app::{Scope, internal};
use crate::client::Current;
use doorward_base::*;
use doorward_store::attempts::{self, Kind};
use doorward_wire::resource::Verification;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long an identity waits to be carried over between sign-in and sign-up, in milliseconds: ten minutes.
const TRANSFER_MS: i64 = 10 * 60 * 1000;

/// A visit to a provider that ended without what it was for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ended {
    strategy: String,
    error: Value,
    expire_at: Timestamp,
    /// Who it was, sealed, where a sign-in may become a sign-up or the other way round.
    identity: Option<String>,
}

/// An error as it stands in a verification.
pub(super) fn error_value(error: &ApiError) -> Value {
    let mut out = json!({"code": error.code().code, "message": error.message(), "long_message": error.long_message()});
    if !error.meta().is_empty() {
        out["meta"] = serde_json::to_value(error.meta()).unwrap_or_default();
    }
    out
}

fn context(owner: &str) -> String {
    format!("{owner}:identity")
}

/// Keeps who somebody is at a provider until later; of use to `owner` only.
pub(crate) fn seal_identity(scope: &Scope, owner: &str, identity: &Identity) -> Result<String, ApiError> {
    let plain = serde_json::to_vec(identity).map_err(ApiError::internal)?;
    scope.app.sealer.seal(&scope.app.rng, &context(owner), &plain).map_err(ApiError::internal)
}

fn open_identity(scope: &Scope, owner: &str, sealed: &str) -> Result<Identity, ApiError> {
    let plain = scope.app.sealer.open(&context(owner), sealed).map_err(ApiError::internal)?;
    serde_json::from_slice(&plain).map_err(ApiError::internal)
}

/// The account of an identity that was sealed for a user, if the address still vouches for it.
pub(crate) async fn vouched_again(scope: &Scope, user: &UserId, sealed: &str) -> Result<Option<super::Account>, ApiError> {
    let identity = open_identity(scope, user.as_str(), sealed)?;
    match super::resolve(scope, &identity).await {
        Ok(found) => Ok(found.filter(|(whose, _)| &whose.user.id == user).map(|(_, account)| account)),
        Err(error) if error.status() < 500 => Ok(None),
        Err(error) => Err(error),
    }
}

impl Ended {
    /// It failed.
    pub(crate) fn failed(scope: &Scope, strategy: &str, error: &ApiError) -> Self {
        Self { strategy: strategy.to_owned(), error: error_value(error), expire_at: scope.now, identity: None }
    }

    /// It is the other way round: nobody has the account where somebody should, or somebody where nobody should.
    pub(crate) fn transferable(scope: &Scope, owner: &str, code: &'static Code, identity: &Identity) -> Result<Self, ApiError> {
        let sealed = seal_identity(scope, owner, identity)?;
        let error = error_value(&code.into());
        Ok(Self { strategy: identity.strategy.clone(), error, expire_at: scope.now + TRANSFER_MS, identity: Some(sealed) })
    }

    /// Who it was, as long as that may be carried over.
    fn identity(&self, scope: &Scope, owner: &str) -> Result<Option<Identity>, ApiError> {
        let Some(sealed) = self.identity.as_deref().filter(|_| self.expire_at > scope.now) else { return Ok(None) };
        open_identity(scope, owner, sealed).map(Some)
    }

    /// How it shows.
    pub(crate) fn view(&self) -> Verification {
        Verification {
            object: "verification_oauth".to_owned(),
            status: if self.identity.is_some() { "transferable" } else { "failed" }.to_owned(),
            strategy: self.strategy.clone(),
            expire_at: Some(self.expire_at),
            error: Some(self.error.clone()),
            ..Verification::default()
        }
    }
}

/// Who came back from a provider to a client's current attempt of a kind, and may go on with one of the other kind. `ended` is
/// what the attempt's state says of it.
///
/// # Errors
/// `account_transfer_invalid` when there is nobody like that, and those of the connection.
pub(crate) async fn carried_over<S: DeserializeOwned>(
    scope: &Scope,
    current: &Current,
    kind: Kind,
    ended: impl FnOnce(S) -> Option<Ended>,
) -> Result<Identity, ApiError> {
    let invalid = || ApiError::new(codes::ACCOUNT_TRANSFER_INVALID);
    let (id, state) = current_state(scope, current, kind).await?.ok_or_else(invalid)?;
    let ended = ended(state).ok_or_else(invalid)?;
    let identity = ended.identity(scope, &id)?.ok_or_else(invalid)?;
    connection::require_authenticatable(&scope.instance, &identity.strategy)?;
    Ok(identity)
}

/// The id and the state of a client's current attempt of a kind, if it has one that goes on.
pub(crate) async fn current_state<S: DeserializeOwned>(
    scope: &Scope,
    current: &Current,
    kind: Kind,
) -> Result<Option<(String, S)>, ApiError> {
    let Some(client) = &current.record else { return Ok(None) };
    let id = match kind {
        Kind::SignIn => client.sign_in_id.as_ref().map(SignInId::as_str),
        Kind::SignUp => client.sign_up_id.as_ref().map(SignUpId::as_str),
        Kind::Reverification => None,
    };
    let Some(id) = id else { return Ok(None) };
    let record = attempts::get(scope.db(), kind, scope.ins(), id).await.map_err(internal)?;
    let record = record.filter(|it| it.client_id == client.id && it.abandon_at > scope.now);
    record.map(|it| Ok((it.id, serde_json::from_str(&it.state).map_err(ApiError::internal)?))).transpose()
}
