use super::{Address, chain_of, message};
use crate::app::{Caller, Scope};
use crate::verification::{self, NewCode};
use doorward_base::*;
use doorward_store::verifications::VerificationRecord;

const PARAM: &str = "signature";

/// Makes the text for a wallet to sign. `owner` is what it belongs to, `target` the wallet's id, as far as it has one.
///
/// # Errors
/// `verification_strategy_invalid` where the strategy is off or of another chain, `origin_invalid`.
pub(crate) fn ask(
    scope: &Scope,
    caller: &Caller,
    owner: &str,
    strategy: &str,
    target: &str,
    address: &Address,
) -> Result<NewCode, ApiError> {
    let known = scope.instance.settings.web3.strategies.iter().any(|name| name == strategy);
    if !known || chain_of(strategy) != Some(address.chain()) {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let page = caller.origin.as_deref().unwrap_or(&caller.frontend_url);
    let shown = message::write(address, page, &scope.app.rng.alphanumeric(32), scope.now)?;
    verification::new_challenge(scope, owner, strategy, target, shown, address.as_str())
}

/// Checks a signature. A right one still has to be consumed; a wrong one has spent the text that it is not of.
///
/// # Errors
/// `form_param_missing` and `form_param_format_invalid`, which leave the text open; `form_incorrect_signature`,
/// `verification_missing`, `verification_failed`, `verification_expired`.
pub(crate) async fn prove(
    scope: &Scope,
    id: &VerificationId,
    owner: &str,
    strategy: &str,
    signature: Option<&str>,
) -> Result<VerificationRecord, ApiError> {
    let signature = crate::sign_in::filled(signature).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(PARAM))?;
    let unreadable = || ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(PARAM);
    if !readable(strategy, signature) {
        return Err(unreadable());
    }
    let (record, challenge) = verification::take_challenge::<String>(scope, id, owner, strategy).await?;
    let address = Address::parse(&challenge.expects).ok_or_else(|| ApiError::internal("a challenge for no address"))?;
    match address.signed(&challenge.shown, signature) {
        Some(true) => Ok(record),
        Some(false) => Err(ApiError::new(codes::FORM_INCORRECT_SIGNATURE).param(PARAM)),
        None => Err(unreadable()),
    }
}

/// Whether a text is a signature as the wallets of a strategy make them.
fn readable(strategy: &str, signature: &str) -> bool {
    match chain_of(strategy) {
        Some(super::Chain::Ethereum) => super::evm::Signature::read(signature).is_some(),
        Some(super::Chain::Solana) => super::solana::Signature::read(signature).is_some(),
        None => false,
    }
}
