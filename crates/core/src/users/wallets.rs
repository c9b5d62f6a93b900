//! The signed-in user's wallets. One that is not proven belongs to nobody: it finds no user, and keeps no other from proving it.

use super::update::{Plan, edit};
use super::{load, wallet_view};
use crate::app::{Caller, Scope, internal};
use crate::settings::Presence;
use crate::web3::{self, Address};
use crate::{access, enumeration, verification};
use doorward_base::*;
use doorward_store::users::{self, UserWithEmails, WalletRecord};
use doorward_store::{StoreError, verifications};
use doorward_wire::resource::{DeletedObject, Web3Wallet};

/// How many wallets of a user may wait for their proof.
const MAX_UNVERIFIED: usize = 5;
/// How many wallets a user may have.
const MAX_WALLETS: usize = 50;
const PARAM: &str = "web3_wallet";

/// Reads the address of a wallet.
///
/// # Errors
/// `form_param_format_invalid`, for `web3_wallet`.
pub(crate) fn read_wallet(text: &str) -> Result<Address, ApiError> {
    Address::parse(text).ok_or_else(|| {
        let error = ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(PARAM);
        error.long("web3_wallet must be an address of Ethereum, with its checksum if it has one, or of Solana.")
    })
}

/// Adds a wallet.
///
/// # Errors
/// `form_param_format_invalid`, `form_identifier_exists`, `too_many_unverified_identifications`.
pub async fn add_wallet(scope: &Scope, user: &UserWithEmails, text: Option<&str>) -> Result<Web3Wallet, ApiError> {
    if scope.instance.settings.attributes.web3_wallet == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(PARAM));
    }
    let text = crate::sign_in::filled(text).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param(PARAM))?;
    let address = read_wallet(text)?;
    let own = user.wallets.iter().any(|it| it.address == address.as_str());
    if own {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(PARAM));
    }
    let found = users::by_wallet(scope.db(), scope.ins(), address.as_str()).await.map_err(internal)?;
    // Whoever signs with it learns then that it is taken.
    enumeration::refuse_taken(scope, found.is_some(), PARAM)?;
    let waiting = user.wallets.iter().filter(|it| !it.verified).count();
    if waiting >= MAX_UNVERIFIED || user.wallets.len() >= MAX_WALLETS {
        return Err(codes::TOO_MANY_UNVERIFIED_IDENTIFICATIONS.into());
    }
    access::add_to_account(scope, access::Identifier::Wallet(address.as_str())).await?;
    let record = WalletRecord {
        id: IdentificationId::new(scope.now, &scope.app.rng),
        user_id: user.user.id.clone(),
        address: address.as_str().to_owned(),
        created_at: scope.now,
        updated_at: scope.now,
        ..WalletRecord::default()
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    users::insert_wallet(&mut tx, scope.ins(), &record).await.map_err(internal)?;
    users::touch(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(wallet_view(&record))
}

/// All wallets of a user.
///
/// # Errors
/// `resource_not_found` when the user is gone.
pub async fn list_wallets(scope: &Scope, id: &UserId) -> Result<Vec<Web3Wallet>, ApiError> {
    Ok(load(scope, id).await?.wallets.iter().map(wallet_view).collect())
}

/// A wallet of the user, with how far its proof is.
///
/// # Errors
/// `resource_not_found`.
pub async fn get_wallet(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<Web3Wallet, ApiError> {
    let record = own(user, id)?;
    let mut shown = wallet_view(record);
    if !record.verified {
        let asked = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
        shown.verification = asked.map(|it| verification::show(scope, &it)).transpose()?;
    }
    Ok(shown)
}

/// Makes the text that the wallet is to sign.
///
/// # Errors
/// `verification_strategy_invalid`, `verification_already_verified`.
pub async fn prepare_wallet(
    scope: &Scope,
    caller: &Caller,
    user: &UserWithEmails,
    id: &IdentificationId,
    strategy: Option<&str>,
) -> Result<Web3Wallet, ApiError> {
    let record = own(user, id)?;
    let strategy = crate::sign_in::filled(strategy).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("strategy"))?;
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let code = web3::ask(scope, caller, id.as_str(), strategy, id.as_str(), &read_wallet(&record.address)?)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    let verification = Some(verification::show(scope, &code.record)?);
    Ok(Web3Wallet { verification, ..wallet_view(record) })
}

/// Proves a wallet by its signature.
///
/// # Errors
/// `form_incorrect_signature`, `verification_missing`, `verification_expired`, `verification_failed`,
/// `identification_claimed` when another user was faster.
pub async fn attempt_wallet(
    scope: &Scope,
    user: &UserWithEmails,
    id: &IdentificationId,
    signature: Option<&str>,
) -> Result<Web3Wallet, ApiError> {
    let record = own(user, id)?;
    if record.verified {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    let asked = verifications::latest_of(scope.db(), scope.ins(), id.as_str()).await.map_err(internal)?;
    let asked = asked.ok_or(codes::VERIFICATION_MISSING)?;
    let proven = web3::prove(scope, &asked.id, id.as_str(), &asked.strategy, signature).await?;
    let proof = WalletRecord {
        verified: true,
        strategy: Some(proven.strategy.clone()),
        verified_at: Some(scope.now),
        updated_at: scope.now,
        ..record.clone()
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    verification::consume(scope, &mut tx, &proven.id).await?;
    match users::prove_wallet(&mut tx, scope.ins(), &proof).await {
        Ok(true) => {}
        Ok(false) => return Err(ApiError::not_found("Web3 wallet", id)),
        Err(StoreError::Conflict) => return Err(codes::IDENTIFICATION_CLAIMED.into()),
        Err(other) => return Err(internal(other)),
    }
    users::touch(&mut tx, scope.ins(), &user.user.id, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, &user.user.id).await?;
    Ok(wallet_view(&proof))
}

/// Removes a wallet.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the last thing by which the user is found.
pub async fn delete_wallet(scope: &Scope, user: &UserWithEmails, id: &IdentificationId) -> Result<DeletedObject, ApiError> {
    own(user, id)?;
    take_wallet(scope, &user.user.id, id, Some(user)).await
}

/// Removes a wallet of any user, as a server may, even the last thing by which the user is found.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove_wallet(scope: &Scope, user: &UserId, id: &IdentificationId) -> Result<DeletedObject, ApiError> {
    take_wallet(scope, user, id, None).await
}

/// Takes a wallet away from a user, from `before` only if they keep a way in.
async fn take_wallet(
    scope: &Scope,
    user: &UserId,
    id: &IdentificationId,
    before: Option<&UserWithEmails>,
) -> Result<DeletedObject, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !users::delete_wallet(&mut tx, scope.ins(), user, id).await.map_err(internal)? {
        return Err(ApiError::not_found("Web3 wallet", id));
    }
    match before {
        Some(before) => super::keep_way_in(scope, &mut tx, before, "web3_wallet_id", super::Hand::User).await?,
        None => drop(users::touch(&mut tx, scope.ins(), user, scope.now).await.map_err(internal)?),
    }
    tx.commit().await.map_err(internal)?;
    settle_primary(scope, user).await?;
    Ok(DeletedObject::new("web3_wallet", id))
}

/// Makes the oldest proven wallet the primary one, where the primary one is gone or was never proven.
async fn settle_primary(scope: &Scope, id: &UserId) -> Result<(), ApiError> {
    edit(scope, id, |before| {
        let primary = before.user.primary_web3_wallet_id.as_ref();
        let now = before.wallets.iter().find(|it| it.verified && Some(&it.id) == primary);
        let next = now.or_else(|| before.wallets.iter().find(|it| it.verified));
        // The user changed in any case: one of the wallets did.
        let mut user = before.user.clone();
        user.primary_web3_wallet_id = next.map(|it| it.id.clone());
        user.primary_web3_wallet = next.map(|it| it.address.clone());
        user.updated_at = scope.now;
        Ok(Some(Plan::of(user)))
    })
    .await
    .map(|_| ())
}

fn own<'a>(user: &'a UserWithEmails, id: &IdentificationId) -> Result<&'a WalletRecord, ApiError> {
    user.wallets.iter().find(|it| &it.id == id).ok_or_else(|| ApiError::not_found("Web3 wallet", id))
}
