//! What proves an address, a number or a wallet.

use super::settle::settle;
use super::state::{Proof, Proven, SignUpState};
use super::view::view;
use super::{Loaded, advance, load_current, provider};
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::identifiers::Email;
use crate::phone::Phone;
use crate::sign_in::filled;
use crate::{email_link, enumeration, oauth, sms, users, verification, web3};
use doorward_base::*;
use doorward_store::users as user_store;
use doorward_wire::fapi::{AttemptVerification, PrepareVerification, SignUp};

/// Sends the code that proves the address or the number, or makes the text that the wallet is to sign.
///
/// # Errors
/// `verification_strategy_invalid`, `verification_already_verified`, `verification_code_too_many_requests`.
pub async fn prepare(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareVerification) -> Result<SignUp, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_up_id).await?;
    if filled(req.strategy.as_deref()).is_some_and(oauth::is_redirect) {
        return provider::prepare(scope, caller, loaded, req).await;
    }
    loaded.state.require_human(&scope.instance, loaded.state.provider.strategy().unwrap_or_default())?;
    let field = Proven::by(req.strategy.as_deref())?;
    if let Proof::Proven { .. } = loaded.state.proof(field) {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    if let Proof::Sent { verification } = loaded.state.proof(field)
        && let Some(before) = verification::load(scope, verification).await?
        && scope.now - before.created_at < verification::REPEAT_MS
        && Some(before.strategy.as_str()) == filled(req.strategy.as_deref())
    {
        return view(scope, &loaded).await;
    }
    let code = new_code(scope, caller, &loaded, field, req).await?;
    let code = if is_hidden(scope, &loaded.state, field).await? { code.unsent() } else { code };
    if field == Proven::Wallet {
        loaded.state.wallet_strategy = Some(code.record.strategy.clone());
    }
    loaded.state.set_proof(field, Proof::Sent { verification: code.record.id.clone() });
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    view(scope, &loaded).await
}

async fn new_code(
    scope: &Scope,
    caller: &Caller,
    loaded: &Loaded,
    field: Proven,
    req: &PrepareVerification,
) -> Result<verification::NewCode, ApiError> {
    let owner = &loaded.record.id;
    if let (Proven::Wallet, Some(address)) = (field, &loaded.state.wallet) {
        let strategy = filled(req.strategy.as_deref()).unwrap_or_default();
        return web3::ask(scope, caller, owner, strategy, "", &users::read_wallet(address)?);
    }
    let locale = loaded.state.locale.as_deref();
    match (field, &loaded.state.email, &loaded.state.phone) {
        (Proven::Email, Some((address, key)), _) => {
            let email = Email { address: address.clone(), key: key.clone() };
            if filled(req.strategy.as_deref()) == Some(email_link::STRATEGY) {
                if !scope.instance.settings.attributes.email_link {
                    return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
                }
                return email_link::new_link(scope, owner, &email, req.redirect_url.as_deref(), ("magic_link_sign_up", locale)).await;
            }
            verification::new_code(scope, owner, loaded.state.strategy(field), &email, locale).await
        }
        (Proven::Phone, _, Some(number)) => {
            let channel = sms::channel(scope, req.channel.as_deref().or(loaded.state.phone_channel.as_deref()))?;
            verification::new_phone_code(scope, owner, loaded.state.strategy(field), &Phone::kept(number), (channel, locale)).await
        }
        _ => Err(ApiError::new(codes::FORM_PARAM_MISSING).param(field.param())),
    }
}

/// Whether somebody has the address or the number already, which is to be hidden: then no code is sent, and none proves it.
async fn is_hidden(scope: &Scope, state: &SignUpState, field: Proven) -> Result<bool, ApiError> {
    match (field, &state.email, &state.phone) {
        (Proven::Email, Some((_, key)), _) => enumeration::hides_email(scope, None, key).await,
        (Proven::Phone, _, Some(number)) => enumeration::hides_phone(scope, None, number).await,
        _ => Ok(false),
    }
}

/// Proves the address, the number or the wallet. When nothing else is missing, the user is made and signed in.
///
/// # Errors
/// `form_code_incorrect`, `form_incorrect_signature`, `verification_failed`, `verification_expired` and others.
pub async fn attempt(scope: &Scope, caller: &Caller, current: Current, req: &AttemptVerification) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load_current(scope, &current, &req.sign_up_id).await?;
    let field = Proven::by(req.strategy.as_deref())?;
    let strategy = filled(req.strategy.as_deref()).unwrap_or_default();
    // Opening a link is the proof: nothing is entered here.
    if strategy == email_link::STRATEGY {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let verification = match loaded.state.proof(field) {
        Proof::Sent { verification } => verification,
        Proof::Proven { .. } => return Err(codes::VERIFICATION_ALREADY_VERIFIED.into()),
        Proof::Unsent => return Err(codes::VERIFICATION_MISSING.into()),
    };
    let owner = &loaded.record.id;
    let proven = match field {
        Proven::Wallet => web3::prove(scope, verification, owner, strategy, req.signature.as_deref()).await?,
        Proven::Email | Proven::Phone => verification::try_code(scope, verification, owner, strategy, req.code.as_deref()).await?,
    };
    if is_hidden(scope, &loaded.state, field).await? {
        return Err(enumeration::incorrect());
    }
    if let (Proven::Wallet, Some(address)) = (field, &loaded.state.wallet) {
        // Whoever signs with it may know that it is theirs already.
        let found = user_store::by_wallet(scope.db(), scope.ins(), address).await.map_err(internal)?;
        if found.is_some() {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("web3_wallet"));
        }
    }
    loaded.state.set_proof(field, Proof::Proven { attempts: proven.attempts, at: scope.now, by: None });
    settle(scope, caller, current, loaded, Some(proven)).await
}
