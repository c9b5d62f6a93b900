//! Sign-up by way of another provider.

use super::{Loaded, Proof, SignUpState, advance, load_current, settle, view};
use crate::access;
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::oauth::{self, Brought, Ended, Identity, Start};
use crate::settings::Presence;
use crate::sign_in;
use crate::verification::{self, NewCode};
use crate::{identifiers, users};
use doorward_base::*;
use doorward_store::attempts::Kind;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::{PrepareVerification, SignUp, SignUpFields};
use doorward_wire::resource::Verification;
use serde::{Deserialize, Serialize};

/// How far the proof of an account at a provider is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum AtProvider {
    /// None was asked for.
    #[default]
    Nowhere,
    /// The browser is there.
    Away { verification: VerificationId },
    /// It came back, and that was no sign-up.
    InVain { ended: Ended },
    /// It came back. Who as, is sealed.
    Proven { strategy: String, identity: String, at: Timestamp },
}

impl AtProvider {
    /// The strategy that proved an account.
    pub(super) fn strategy(&self) -> Option<&str> {
        match self {
            Self::Proven { strategy, .. } => Some(strategy),
            _ => None,
        }
    }

    /// Whether the browser is away, or has come back in vain.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::InVain { .. })
    }
}

fn context(owner: &str) -> String {
    format!("{owner}:proven_identity")
}

/// Whether a strategy leads to a provider or comes from one.
pub(super) fn is_one(strategy: &str) -> bool {
    oauth::is_redirect(strategy) || oauth::behind_token(strategy).is_some()
}

/// What a request of a sign-up says about a provider.
pub(super) enum Asked {
    /// Nothing.
    Nothing,
    /// The browser is to go there.
    Away(Box<NewCode>),
    /// Who it is, is known.
    Known,
}

/// Does what the fields say about a provider.
pub(super) async fn ask(
    scope: &Scope,
    caller: &Caller,
    current: &Current,
    owner: &str,
    state: &mut SignUpState,
    fields: &SignUpFields,
) -> Result<Asked, ApiError> {
    if fields.transfer == Some(true) {
        let identity = sign_in::transferable(scope, current).await?;
        let strategy = identity.strategy.clone();
        return take(scope, owner, state, &strategy, &identity).await.map(|()| Asked::Known);
    }
    let Some(strategy) = sign_in::filled(fields.strategy.as_deref()).filter(|it| is_one(it)) else { return Ok(Asked::Nothing) };
    if !oauth::is_redirect(strategy) {
        let identity = oauth::by_token(scope, strategy, Brought { token: fields.token.as_deref(), code: fields.code.as_deref() }).await?;
        return match take(scope, owner, state, strategy, &identity).await {
            // Apps go on as browsers do that come back; whoever used One Tap is told by the error.
            Err(error) if error.code() == codes::EXTERNAL_ACCOUNT_EXISTS && strategy != oauth::ONE_TAP => {
                let ended = Ended::transferable(scope, owner, codes::EXTERNAL_ACCOUNT_EXISTS, &identity)?;
                state.provider = AtProvider::InVain { ended };
                Ok(Asked::Known)
            }
            done => done.map(|()| Asked::Known),
        };
    }
    let start = Start {
        strategy,
        redirect_url: fields.redirect_url.as_deref(),
        complete_url: fields.action_complete_redirect_url.as_deref(),
        prompt: fields.oidc_prompt.as_deref(),
        login_hint: fields.oidc_login_hint.as_deref(),
        scopes: &[],
    };
    away(scope, caller, owner, state, start).await
}

async fn away(scope: &Scope, caller: &Caller, owner: &str, state: &mut SignUpState, start: Start<'_>) -> Result<Asked, ApiError> {
    state.require_human(&scope.instance, start.strategy)?;
    let code = oauth::ask(scope, caller, owner, None, start).await?;
    state.provider = AtProvider::Away { verification: code.record.id.clone() };
    Ok(Asked::Away(Box::new(code)))
}

/// Sends the browser to a provider in the course of a sign-up.
pub(super) async fn prepare(scope: &Scope, caller: &Caller, mut loaded: Loaded, req: &PrepareVerification) -> Result<SignUp, ApiError> {
    let start = Start {
        strategy: sign_in::filled(req.strategy.as_deref()).unwrap_or_default(),
        redirect_url: req.redirect_url.as_deref(),
        complete_url: req.action_complete_redirect_url.as_deref(),
        prompt: req.oidc_prompt.as_deref(),
        login_hint: req.oidc_login_hint.as_deref(),
        scopes: &[],
    };
    // Closed in the meantime, it would only lead to a refusal afterwards.
    access::admit(scope, loaded.state.entrance(), &[], false).await?;
    let owner = loaded.record.id.clone();
    match away(scope, caller, &owner, &mut loaded.state, start).await? {
        Asked::Away(code) => set_out(scope, loaded, &code).await,
        Asked::Nothing | Asked::Known => view(scope, &loaded).await,
    }
}

/// Writes that the browser is on its way.
pub(super) async fn set_out(scope: &Scope, mut loaded: Loaded, code: &NewCode) -> Result<SignUp, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    view(scope, &loaded).await
}

/// Takes an identity over into a sign-up: the account, and of the person what is not there yet.
///
/// # Errors
/// `external_account_exists` when the account is somebody's already.
async fn take(scope: &Scope, owner: &str, state: &mut SignUpState, strategy: &str, identity: &Identity) -> Result<(), ApiError> {
    if oauth::resolve(scope, identity).await?.is_some() {
        return Err(codes::EXTERNAL_ACCOUNT_EXISTS.into());
    }
    let connection = oauth::require_authenticatable(&scope.instance, &identity.strategy)?;
    let attributes = &scope.instance.settings.attributes;
    let email = identity.email.as_deref().and_then(identifiers::parse_email).filter(|_| attributes.email_address != Presence::Off);
    if let Some(email) = email {
        let tagged = email.key.split('@').next().is_some_and(|local| local.contains(['+', '=', '#']));
        if connection.settings.block_email_subaddresses && tagged {
            return Err(
                ApiError::new(codes::OAUTH_ACCESS_DENIED).long("Addresses with a tag, such as name+tag@example.com, are not accepted.")
            );
        }
        // What was typed and proven before is not exchanged; what was only typed gives way to what is proven.
        let proven = identity.email_verified == Some(true);
        if state.email.is_none() || (proven && !matches!(state.email_proof, Proof::Proven { .. })) {
            state.email = Some((email.address, email.key));
            state.email_proof = match proven {
                true => Proof::Proven { attempts: 1, at: scope.now, by: Some(format!("from_{}", identity.strategy)) },
                false => Proof::Unsent,
            };
        }
    }
    for (presence, value, field) in [
        (attributes.first_name, &identity.first_name, &mut state.first_name),
        (attributes.last_name, &identity.last_name, &mut state.last_name),
    ] {
        if presence != Presence::Off && field.is_none() && users::check_name(value.as_deref(), "name").is_ok() {
            field.clone_from(value);
        }
    }
    let plain = serde_json::to_vec(identity).map_err(ApiError::internal)?;
    let identity = scope.app.sealer.seal(&scope.app.rng, &context(owner), &plain).map_err(ApiError::internal)?;
    state.provider = AtProvider::Proven { strategy: strategy.to_owned(), identity, at: scope.now };
    Ok(())
}

/// Goes on with a sign-up whose browser is back from a provider. What does not work stands in the sign-up afterwards.
pub(crate) async fn come_back(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    by: &VerificationRecord,
    found: Result<Identity, ApiError>,
) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load_current(scope, &current, &SignUpId::from(by.owner_id.as_str())).await?;
    if !matches!(&loaded.state.provider, AtProvider::Away { verification } if verification == &by.id) {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    let owner = loaded.record.id.clone();
    let taken = match &found {
        Ok(identity) => match access::admit(scope, loaded.state.entrance(), &[], false).await {
            Ok(()) => take(scope, &owner, &mut loaded.state, &by.strategy, identity).await,
            closed => closed,
        },
        Err(error) => Err(error.clone()),
    };
    let ended = match (taken, &found) {
        (Ok(()), _) => return settle(scope, caller, current, loaded, Some(by.clone())).await,
        (Err(error), Ok(identity)) if error.code() == codes::EXTERNAL_ACCOUNT_EXISTS => {
            Ended::transferable(scope, &owner, codes::EXTERNAL_ACCOUNT_EXISTS, identity)?
        }
        (Err(error), _) if error.status() < 500 => Ended::failed(scope, &by.strategy, &error),
        (Err(error), _) => return Err(error),
    };
    loaded.state.provider = AtProvider::InVain { ended };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    tx.commit().await.map_err(internal)?;
    Ok(Outcome { value: view(scope, &loaded).await?, current })
}

/// The account that a complete sign-up connects to its user.
pub(super) fn account(scope: &Scope, loaded: &Loaded, user: &UserId) -> Result<Option<oauth::Account>, ApiError> {
    let AtProvider::Proven { identity, .. } = &loaded.state.provider else { return Ok(None) };
    let plain = scope.app.sealer.open(&context(&loaded.record.id), identity).map_err(ApiError::internal)?;
    let identity: Identity = serde_json::from_slice(&plain).map_err(ApiError::internal)?;
    // Switched off in the meantime, it proves nothing any more.
    oauth::require_authenticatable(&scope.instance, &identity.strategy)?;
    oauth::Account::new(scope, user, &identity).map(Some)
}

/// Who came back from a provider to a client's current sign-up and is somebody here already.
///
/// # Errors
/// Those of [`oauth::carried_over`].
pub(crate) async fn transferable(scope: &Scope, current: &Current) -> Result<Identity, ApiError> {
    let ended = |state: SignUpState| match state.provider {
        AtProvider::InVain { ended } => Some(ended),
        _ => None,
    };
    oauth::carried_over(scope, current, Kind::SignUp, ended).await
}

/// How far it is, as the wire has it.
pub(super) async fn verification(scope: &Scope, state: &SignUpState) -> Result<Option<Verification>, ApiError> {
    Ok(match &state.provider {
        AtProvider::Nowhere => None,
        AtProvider::Away { verification } => match verification::load(scope, verification).await? {
            Some(record) => Some(verification::show(scope, &record)?),
            None => None,
        },
        AtProvider::InVain { ended } => Some(ended.view()),
        AtProvider::Proven { strategy, at, .. } => {
            Some(sign_in::verified(&sign_in::Proof { strategy: strategy.clone(), attempts: 1, at: *at }))
        }
    })
}
