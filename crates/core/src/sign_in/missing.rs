//! Sign-ins of people who sign up if nobody has their address (`sign_up_if_missing`): they prove it as others do, and then carry
//! it over into a sign-up, so that only whoever reads its mail learns whether it had an account.

use super::pretended::pretend_code;
use super::state::{self, Proof, SignInState, Stage};
use super::{Loaded, advance};
use crate::access::{self, Entrance};
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::identifiers::{self, Identifier};
use crate::settings::Presence;
use crate::strategies::FactorParams;
use crate::verification::{self, NewCode};
use crate::{captcha, email_link, enumeration, oauth};
use doorward_base::*;
use doorward_store::attempts::Kind;
use doorward_wire::fapi::{CaptchaAnswer, SignIn};

/// An address or a number that was proven and that nobody has.
pub(crate) struct Missing {
    pub identifier: Identifier,
    pub proof: Proof,
}

/// Asks of whoever may turn out to be new what a sign-up asks for, before anybody knows whether they are.
///
/// # Errors
/// `sign_up_mode_restricted`, `sign_up_restricted_waitlist`, those of a captcha.
pub(super) async fn admit(scope: &Scope, caller: &Caller, current: &Current, captcha: &CaptchaAnswer) -> Result<(), ApiError> {
    access::admit(scope, Entrance::Open, &[], false).await?;
    captcha::check_sign_up(scope, caller, current, captcha, false).await.map(drop)
}

/// Whether somebody could sign up with this.
pub(super) async fn may_sign_up(scope: &Scope, identifier: &str) -> Result<bool, ApiError> {
    let attributes = &scope.instance.settings.attributes;
    let named = identifiers::parse_identifier(identifier);
    let named = match &named {
        Some(Identifier::Email(email)) if attributes.email_address != Presence::Off => access::Identifier::Email(&email.key),
        Some(Identifier::Phone(phone)) if attributes.phone_number != Presence::Off => access::Identifier::Phone(phone.as_str()),
        _ => return Ok(false),
    };
    match access::admit(scope, Entrance::Open, &[named], false).await {
        Ok(()) => Ok(true),
        Err(error) if error.status() < 500 => Ok(false),
        Err(error) => Err(error),
    }
}

fn proves(strategy: &str) -> bool {
    matches!(strategy, "email_code" | "phone_code" | email_link::STRATEGY)
}

/// What is sent to whoever named an identifier that nobody has: nothing, unless they sign up by it.
pub(super) async fn code(
    scope: &Scope,
    caller: &Caller,
    owner: &str,
    strategy: &str,
    state: &SignInState,
    params: &FactorParams,
) -> Result<NewCode, ApiError> {
    let identifier = state.identifier.as_deref().unwrap_or_default();
    let code = pretend_code(scope, caller, owner, strategy, identifier, params).await?;
    Ok(if state.sign_up_if_missing && proves(strategy) { code } else { code.unsent() })
}

/// Looks at a code that was sent to an identifier which nobody has. The right one is answered by an error too, because nobody is
/// signed in by it: the SDKs look at the attempt, which is transferable then.
pub(super) async fn attempt(
    scope: &Scope,
    loaded: Loaded,
    strategy: &str,
    verification: Option<&VerificationId>,
    params: &FactorParams,
) -> Result<ApiError, ApiError> {
    if enumeration::hides(scope) {
        enumeration::pretend_guess(scope).await?;
    }
    let id = verification.ok_or(codes::VERIFICATION_MISSING)?;
    let record = verification::try_code(scope, id, &loaded.record.id, strategy, params.code()).await?;
    proven(scope, loaded, strategy, record.attempts, Some(&record.id)).await?;
    Ok(codes::SIGN_UP_IF_MISSING_TRANSFER.into())
}

/// Whether a code of this attempt is worth something.
pub(super) fn is_asked(state: &SignInState, strategy: &str) -> bool {
    state.sign_up_if_missing && proves(strategy)
}

/// Goes on with a sign-in whose link was opened, and uses up what is named.
pub(super) async fn by_link(
    scope: &Scope,
    current: Current,
    loaded: Loaded,
    consume: Option<&VerificationId>,
) -> Result<Outcome<SignIn>, ApiError> {
    let value = proven(scope, loaded, email_link::STRATEGY, 1, consume).await?;
    Ok(Outcome { value, current })
}

async fn proven(
    scope: &Scope,
    mut loaded: Loaded,
    strategy: &str,
    attempts: i64,
    consume: Option<&VerificationId>,
) -> Result<SignIn, ApiError> {
    let proof = Proof::new(scope, strategy, attempts);
    loaded.state.stage = Stage::Missing { proof };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(id) = consume {
        verification::consume(scope, &mut tx, id).await?;
    }
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    tx.commit().await.map_err(internal)?;
    state::view(scope, &loaded.record, &loaded.state, None).await
}

/// What a client's current sign-in has proven that nobody has. Whoever began it has passed what a sign-up asks for.
pub(crate) async fn carried_over(scope: &Scope, current: &Current) -> Result<Option<Missing>, ApiError> {
    let Some((_, state)) = oauth::current_state::<SignInState>(scope, current, Kind::SignIn).await? else { return Ok(None) };
    let Stage::Missing { proof } = state.stage else { return Ok(None) };
    let identifier = state.identifier.as_deref().and_then(identifiers::parse_identifier);
    Ok(identifier.map(|identifier| Missing { identifier, proof }))
}
