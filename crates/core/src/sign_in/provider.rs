//! Sign-in by way of another provider.

use super::complete::{self, Parts};
use super::state::{Proof, SignInState, Stage, view};
use super::{Loaded, advance, keep, keep_as, load_current, named_by, signed_in_as};
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::oauth::{self, Brought, Ended, Identity, Start};
use crate::sign_up;
use crate::strategies::{self, Consume};
use doorward_base::*;
use doorward_store::attempts::{AttemptRecord, Kind};
use doorward_store::users::UserWithEmails;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::{CreateSignIn, PrepareFirstFactor, SignIn};

/// Sends the browser to a provider: whoever it comes back as signs in.
pub(super) async fn set_out(scope: &Scope, caller: &Caller, current: Current, req: &CreateSignIn) -> Result<Outcome<SignIn>, ApiError> {
    let id = SignInId::new(scope.now, &scope.app.rng);
    let start = Start {
        strategy: super::filled(req.strategy.as_deref()).unwrap_or_default(),
        redirect_url: req.redirect_url.as_deref(),
        complete_url: req.action_complete_redirect_url.as_deref(),
        prompt: req.oidc_prompt.as_deref(),
        login_hint: req.oidc_login_hint.as_deref().or(named_by(req)),
        scopes: &[],
    };
    let code = oauth::ask(scope, caller, id.as_str(), None, start).await?;
    let stage = Stage::AtProvider { verification: code.record.id.clone() };
    let (value, current) = keep(scope, current, SignInState { stage, ..SignInState::default() }, None, Some((id, code)), None).await?;
    Ok(Outcome { value, current })
}

/// Sends the browser to one of the providers that the user of a sign-in has connected.
pub(super) async fn prepare(scope: &Scope, caller: &Caller, mut loaded: Loaded, req: &PrepareFirstFactor) -> Result<SignIn, ApiError> {
    let strategy = super::filled(req.strategy.as_deref()).unwrap_or_default();
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    if !strategies::first_factors(&scope.instance, user).iter().any(|factor| factor.strategy == strategy) {
        return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy"));
    }
    let start = Start {
        strategy,
        redirect_url: req.redirect_url.as_deref(),
        complete_url: req.action_complete_redirect_url.as_deref(),
        prompt: req.oidc_prompt.as_deref(),
        login_hint: req.oidc_login_hint.as_deref(),
        scopes: &[],
    };
    let code = oauth::ask(scope, caller, &loaded.record.id, None, start).await?;
    loaded.state.stage = Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) };
    super::write(scope, loaded, Some(code)).await
}

/// Goes on with a sign-in whose browser is back from a provider. What does not work stands in the sign-in afterwards.
pub(crate) async fn come_back(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    by: &VerificationRecord,
    found: Result<Identity, ApiError>,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &SignInId::from(by.owner_id.as_str())).await?;
    let waits = match &loaded.state.stage {
        Stage::AtProvider { verification } | Stage::NeedsFirstFactor { verification: Some(verification) } => verification == &by.id,
        _ => false,
    };
    if !waits {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    let known = match &found {
        Ok(identity) => match admit(scope, &current, loaded.state.user_id.as_ref(), identity).await {
            Ok(None) => {
                let ended = Ended::transferable(scope, &loaded.record.id, codes::EXTERNAL_ACCOUNT_NOT_FOUND, identity)?;
                return end(scope, current, loaded, ended).await;
            }
            Ok(Some((user, account))) => Ok((user, account, identity)),
            Err(error) => Err(error),
        },
        Err(error) => Err(error.clone()),
    };
    match known {
        Ok((user, account, identity)) => {
            let parts = parts(scope, Some(loaded.record), loaded.state, (&by.strategy, Some(by.id.clone())), (&user, account, identity))?;
            complete::after_first(scope, caller, current, parts, &user).await
        }
        Err(error) if error.status() < 500 => end(scope, current, loaded, Ended::failed(scope, &by.strategy, &error)).await,
        Err(error) => Err(error),
    }
}

/// Whose an identity is, if they may sign in here; none when it is nobody's.
async fn admit(
    scope: &Scope,
    current: &Current,
    wanted: Option<&UserId>,
    identity: &Identity,
) -> Result<Option<(UserWithEmails, oauth::Account)>, ApiError> {
    let Some((user, account)) = oauth::resolve(scope, identity).await? else {
        return if wanted.is_some() { Err(codes::EXTERNAL_ACCOUNT_NOT_FOUND.into()) } else { Ok(None) };
    };
    if wanted.is_some_and(|id| id != &user.user.id) {
        return Err(codes::EXTERNAL_ACCOUNT_NOT_FOUND.into());
    }
    super::refuse_banned(scope, &user)?;
    super::refuse_locked(scope, &user.user)?;
    if let Some(id) = signed_in_as(scope, current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    Ok(Some((user, account)))
}

fn parts(
    scope: &Scope,
    record: Option<AttemptRecord>,
    mut state: SignInState,
    (strategy, verification): (&str, Option<VerificationId>),
    (user, account, identity): (&UserWithEmails, oauth::Account, &Identity),
) -> Result<Parts, ApiError> {
    state.user_id = Some(user.user.id.clone());
    // An account becomes the user's when the user has proven everything.
    let waits = account.is_new && !strategies::second_factors(&scope.instance, user).is_empty();
    let (now, later) =
        if waits { (None, Some(oauth::seal_identity(scope, user.user.id.as_str(), identity)?)) } else { (Some(Box::new(account)), None) };
    let proof = Proof::new(scope, strategy, 1);
    let consume = Some(Consume::Provider { verification, account: now });
    Ok(Parts { consume, account: later, ..Parts::new(record, state, proof) })
}

async fn end(scope: &Scope, current: Current, mut loaded: Loaded, ended: Ended) -> Result<Outcome<SignIn>, ApiError> {
    // Who named an account first can go on with another factor.
    if loaded.user.is_none() {
        loaded.state.stage = Stage::BackInVain { ended };
    }
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    tx.commit().await.map_err(internal)?;
    let value = view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await?;
    Ok(Outcome { value, current })
}

/// Signs in with what a sign-up has found to be somebody's already.
///
/// # Errors
/// `account_transfer_invalid` when there is nothing of the kind, and those of a sign-in.
pub(super) async fn transfer(scope: &Scope, caller: &Caller, current: Current) -> Result<Outcome<SignIn>, ApiError> {
    let identity = sign_up::transferable(scope, &current).await?;
    let strategy = identity.strategy.clone();
    at_once(scope, caller, current, &strategy, &identity).await
}

/// Signs in with an ID token that an app brings.
///
/// # Errors
/// `external_account_not_found` when nobody has the account, and those of the token.
pub(super) async fn with_token(scope: &Scope, caller: &Caller, current: Current, req: &CreateSignIn) -> Result<Outcome<SignIn>, ApiError> {
    let strategy = super::filled(req.strategy.as_deref()).unwrap_or_default();
    let identity = oauth::by_token(scope, strategy, Brought { token: req.token.as_deref(), code: req.code.as_deref() }).await?;
    match at_once(scope, caller, current.clone(), strategy, &identity).await {
        // Apps go on as browsers do that come back; whoever used One Tap is told by the error.
        Err(error) if error.code() == codes::EXTERNAL_ACCOUNT_NOT_FOUND && strategy != oauth::ONE_TAP => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            let ended = Ended::transferable(scope, id.as_str(), codes::EXTERNAL_ACCOUNT_NOT_FOUND, &identity)?;
            let state = SignInState { stage: Stage::BackInVain { ended }, ..SignInState::default() };
            let (value, current) = keep_as(scope, current, id, state).await?;
            Ok(Outcome { value, current })
        }
        done => done,
    }
}

async fn at_once(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    strategy: &str,
    identity: &Identity,
) -> Result<Outcome<SignIn>, ApiError> {
    let known = admit(scope, &current, None, identity).await?;
    let (user, account) = known.ok_or(codes::EXTERNAL_ACCOUNT_NOT_FOUND)?;
    let parts = parts(scope, None, SignInState::default(), (strategy, None), (&user, account, identity))?;
    complete::after_first(scope, caller, current, parts, &user).await
}

/// Who came back from a provider to a client's current sign-in and is nobody here yet.
///
/// # Errors
/// Those of [`oauth::carried_over`].
pub(crate) async fn transferable(scope: &Scope, current: &Current) -> Result<Identity, ApiError> {
    let ended = |state: SignInState| match state.stage {
        Stage::BackInVain { ended } => Some(ended),
        _ => None,
    };
    oauth::carried_over(scope, current, Kind::SignIn, ended).await
}
