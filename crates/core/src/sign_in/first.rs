//! The first factor: what is sent for it, and its proof.

use super::complete::{self, Parts};
use super::new_password::needs_new_password;
use super::pretended::{narrow, narrow_to_named, pretend_attempt, pretend_code};
use super::state::{self, Proof, Stage};
use super::{Loaded, devices, load_current, missing, provider, refuse_banned, refuse_breached, refuse_hidden, signed_in_as, write};
use crate::app::{Caller, Scope};
use crate::client::{Current, Outcome};
use crate::strategies::{self, Attempt, FactorParams, Grants, Prepare, Proven};
use crate::users::FirstProof;
use crate::{email_link, enumeration, oauth, passkeys, password, trusted_devices, verification};
use doorward_base::*;
use doorward_store::users::UserWithEmails;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::{AttemptFirstFactor, PrepareFirstFactor, SignIn};

/// Sends the code of a first factor.
///
/// # Errors
/// `resource_forbidden` for a sign-in that is not current, `strategy_for_user_invalid` and others.
pub async fn prepare_first(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareFirstFactor) -> Result<SignIn, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_in_id).await?;
    let identifier = loaded.state.identifier.clone().unwrap_or_default();
    let mut params = FactorParams { identifier: loaded.state.identifier.clone(), ..FactorParams::from(req) };
    let name = named(&params)?.to_owned();
    if name == trusted_devices::STRATEGY {
        return devices::prepare(scope, loaded, &params).await;
    }
    refuse_hidden(scope, Some(&name))?;
    let (before, pretended) = match &loaded.state.stage {
        Stage::Pretended { verification } => (verification.clone(), true),
        Stage::NeedsFirstFactor { verification } => (verification.clone(), false),
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    };
    if pretended {
        narrow_to_named(scope, &identifier, None, &name, &mut params)?;
    } else {
        narrow(scope, &identifier, loaded.user.as_ref(), &name, &mut params)?;
    }
    if repeats(scope, before.as_ref(), &params, loaded.user.as_ref()).await? {
        return state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await;
    }
    if pretended {
        let code = missing::code(scope, caller, &loaded.record.id, &name, &loaded.state, &params).await?;
        loaded.state.stage = Stage::Pretended { verification: Some(code.record.id.clone()) };
        return write(scope, loaded, Some(code)).await;
    }
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    if oauth::is_redirect(&name) {
        refuse_banned(scope, user)?;
        return provider::prepare(scope, caller, loaded, req).await;
    }
    let code = prepared(scope, caller, user, &loaded.record.id, &identifier, &params).await?;
    loaded.state.stage = Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) };
    write(scope, loaded, Some(code)).await
}

/// Makes what a first factor sends. Where accounts are hidden, one that the user does not have pretends, too.
pub(super) async fn prepared(
    scope: &Scope,
    caller: &Caller,
    user: &UserWithEmails,
    owner: &str,
    identifier: &str,
    params: &FactorParams,
) -> Result<verification::NewCode, ApiError> {
    let name = named(params)?;
    match strategies::first_factor(&scope.instance, user, name) {
        Ok(strategy) => {
            refuse_banned(scope, user)?;
            strategy.prepare(Prepare { scope, caller, user, owner, identifier: Some(identifier), params }).await
        }
        Err(_) if enumeration::hides(scope) => {
            pretend_code(scope, caller, owner, name, identifier, params).await.map(verification::NewCode::unsent)
        }
        Err(error) => Err(error),
    }
}

/// Proves the first factor.
///
/// # Errors
/// `form_password_incorrect`, `form_code_incorrect`, `verification_failed`, `user_locked` and others.
pub async fn attempt_first(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &AttemptFirstFactor,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let name = named(&params)?;
    if name == trusted_devices::STRATEGY {
        return devices::attempt(scope, caller, current, loaded, &params).await;
    }
    if let Stage::Discoverable { verification } = &loaded.state.stage {
        let verification = verification.clone();
        return discovered(scope, caller, current, loaded, &verification, &params).await;
    }
    refuse_hidden(scope, Some(name))?;
    let identifier = loaded.state.identifier.as_deref().unwrap_or_default();
    narrow(scope, identifier, loaded.user.as_ref(), name, &mut FactorParams::default())?;
    let password = params.password();
    let new_password = if name.starts_with("reset_password") { password } else { None };
    if let Some(new) = new_password {
        password::accept(scope, new, "password").await?;
    }
    let owner = loaded.record.id.as_str();
    if let Stage::Pretended { verification } = &loaded.state.stage {
        if missing::is_asked(&loaded.state, name) {
            let verification = verification.clone();
            return Err(missing::attempt(scope, loaded, name, verification.as_ref(), &params).await?);
        }
        return Err(pretend_attempt(scope, name, owner, verification.as_ref(), &params).await);
    }
    let Stage::NeedsFirstFactor { verification } = &loaded.state.stage else { return Err(codes::CLIENT_STATE_INVALID.into()) };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    let with = Attempt { scope, user, owner, verification: verification.as_ref(), params: &params };
    let proven = attempted(name, with).await?;
    if let Some(password) = password.filter(|_| name == "password") {
        refuse_breached(scope, caller, user, password).await?;
    }
    let proof = Proof::new(scope, name, proven.attempts);
    match proven.grants {
        Grants::SignIn => finish(scope, caller, current, loaded, proof, proven).await,
        Grants::NewPassword => needs_new_password(scope, caller, current, loaded, proof, proven, new_password).await,
    }
}

/// Looks at a proof of the first factor. Where accounts are hidden, one that the user does not have and an account that is locked
/// answer as nobody does.
pub(super) async fn attempted(name: &str, with: Attempt<'_>) -> Result<Proven, ApiError> {
    let (scope, owner, verification, params) = (with.scope, with.owner, with.verification, with.params);
    let answer = match strategies::first_factor(&scope.instance, with.user, name) {
        Ok(strategy) => strategy.attempt(with).await,
        Err(error) => Err(error),
    };
    match answer {
        Err(error) if enumeration::hides(scope) && [codes::STRATEGY_FOR_USER_INVALID, codes::USER_LOCKED].contains(&error.code()) => {
            Err(pretend_attempt(scope, name, owner, verification, params).await)
        }
        answer => answer,
    }
}

/// A passkey said who it is.
async fn discovered(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    verification: &VerificationId,
    params: &FactorParams,
) -> Result<Outcome<SignIn>, ApiError> {
    if named(params)? != passkeys::STRATEGY {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let json = params.public_key_credential.as_deref();
    let (user, proven) = passkeys::prove(scope, &loaded.record.id, Some(verification), json, None).await?;
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    loaded.state.user_id = Some(user.user.id.clone());
    loaded.user = Some(user);
    let proof = Proof::new(scope, passkeys::STRATEGY, proven.attempts);
    finish(scope, caller, current, loaded, proof, proven).await
}

/// The link that a sign-in waits for, if it was opened and went to an address that is still its user's.
pub(super) async fn opened_link(scope: &Scope, loaded: &Loaded) -> Result<Option<VerificationRecord>, ApiError> {
    let (Stage::NeedsFirstFactor { verification: Some(id) } | Stage::Pretended { verification: Some(id) }) = &loaded.state.stage else {
        return Ok(None);
    };
    let link = verification::load(scope, id).await?.filter(email_link::was_opened);
    Ok(link.filter(|it| is_for(loaded, it)))
}

/// Whether a link went to who is meant by the sign-in.
fn is_for(loaded: &Loaded, link: &VerificationRecord) -> bool {
    match &loaded.user {
        Some(user) => strategies::is_theirs(user, &link.target_id),
        None => missing::is_asked(&loaded.state, email_link::STRATEGY),
    }
}

/// Goes on with a sign-in whose link was opened on its own client, and uses the link up.
///
/// # Errors
/// `client_state_invalid` when the sign-in has left the link behind or its address is the user's no more, and those of the end of a sign-in.
pub(crate) async fn finish_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: &SignInId,
    link: &VerificationRecord,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, id).await?;
    let (Stage::NeedsFirstFactor { verification: Some(waiting) } | Stage::Pretended { verification: Some(waiting) }) = &loaded.state.stage
    else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    if waiting != &link.id || !is_for(&loaded, link) {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    proven_by_link(scope, caller, current, loaded, link, true).await
}

/// Goes on by a link. One that was opened elsewhere was used up there.
pub(super) async fn proven_by_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    link: &VerificationRecord,
    consume: bool,
) -> Result<Outcome<SignIn>, ApiError> {
    let verification = consume.then(|| link.id.clone());
    let Some(user) = &loaded.user else {
        return missing::by_link(scope, current, loaded, verification.as_ref()).await;
    };
    let proves = FirstProof::of(scope, user, &link.target_id, email_link::STRATEGY, 1).map(Box::new);
    let consume = Some(strategies::Consume::Sent { verification, proves });
    let proof = Proof::new(scope, email_link::STRATEGY, 1);
    let proven = Proven { grants: Grants::SignIn, consume, attempts: 1, both: false };
    finish(scope, caller, current, loaded, proof, proven).await
}

pub(super) async fn finish(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    proof: Proof,
    proven: Proven,
) -> Result<Outcome<SignIn>, ApiError> {
    let user = loaded.user.ok_or(codes::SIGN_IN_USER_DELETED)?;
    let parts = Parts { both: proven.both, consume: proven.consume, ..Parts::new(Some(loaded.record), loaded.state, proof) };
    complete::after_first(scope, caller, current, parts, &user).await
}

/// Whether the same was asked for a moment ago: then what was sent is still good.
pub(super) async fn repeats(
    scope: &Scope,
    before: Option<&VerificationId>,
    params: &FactorParams,
    user: Option<&UserWithEmails>,
) -> Result<bool, ApiError> {
    let Some(id) = before else { return Ok(false) };
    let before = verification::load(scope, id).await?;
    let number = params.phone_number_id().zip(user).and_then(|(id, user)| user.phones.iter().find(|phone| phone.id.as_str() == id));
    // Nobody's ids lead nowhere: an attempt that names nobody has one address.
    let email = params.email_address_id().zip(user).map(|(id, user)| user.emails.iter().find(|email| email.id.as_str() == id));
    let email = email.map(|own| own.map_or("", |it| it.address_key.as_str()));
    let wanted = email.or(params.web3_wallet_id()).or(number.map(|phone| phone.number.as_str()));
    Ok(before.is_some_and(|before| {
        Some(before.strategy.as_str()) == params.strategy()
            && before.status == "unverified"
            && before.attempts == 0
            && scope.now - before.created_at < verification::REPEAT_MS
            && wanted.is_none_or(|wanted| wanted == before.target_id)
    }))
}

/// The strategy that a request names.
pub(super) fn named(params: &FactorParams) -> Result<&str, ApiError> {
    params.strategy().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("strategy"))
}
