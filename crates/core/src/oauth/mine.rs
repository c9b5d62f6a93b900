//! The accounts at other providers that a user has connected, and the tokens that came with them.

use super::accounts::{Account, apply, metadata, tokens_context, view};
use super::connection;
use super::ended::error_value;
use super::flow::{Start, ask};
use super::identity::{Identity, Tokens};
use super::{Brought, behind_token, protocol};
use crate::app::{Caller, Scope, internal};
use crate::sign_in::filled;
use crate::users::{load, take_vouched_email};
use crate::verification;
use doorward_base::*;
use doorward_store::external_accounts::{self as store, ExternalAccountRecord};
use doorward_store::users::UserWithEmails;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::bapi::{ListOauthAccessTokens, OauthAccessToken};
use doorward_wire::fapi::{ConnectExternalAccount, ReauthorizeExternalAccount};
use doorward_wire::resource::{DeletedObject, ExternalAccount};
use std::time::Duration;

/// How many accounts a user may have.
const MAX_ACCOUNTS: usize = 50;
/// How long before its end an access token is renewed, in milliseconds: a minute.
const EARLY_MS: i64 = 60 * 1000;
/// How long a renewal may take before another caller may try, in milliseconds: longer than a provider is waited for.
const RENEWAL_MS: i64 = 30 * 1000;
/// How often a caller looks whether another's renewal is done, in milliseconds.
const LOOK_AGAIN_MS: u64 = 50;

pub(super) fn seal(scope: &Scope, id: &ExternalAccountId, tokens: &Tokens) -> Result<String, ApiError> {
    let plain = serde_json::to_vec(tokens).map_err(ApiError::internal)?;
    scope.app.sealer.seal(&scope.app.rng, &tokens_context(id), &plain).map_err(ApiError::internal)
}

pub(super) fn tokens(scope: &Scope, record: &ExternalAccountRecord) -> Result<Option<Tokens>, ApiError> {
    let Some(sealed) = &record.tokens else { return Ok(None) };
    let plain = scope.app.sealer.open(&tokens_context(&record.id), sealed).map_err(ApiError::internal)?;
    serde_json::from_slice(&plain).map(Some).map_err(ApiError::internal)
}

fn own<'a>(user: &'a UserWithEmails, id: &ExternalAccountId) -> Result<&'a ExternalAccountRecord, ApiError> {
    let found = user.external_accounts.iter().find(|it| &it.id == id);
    found.ok_or_else(|| ApiError::not_found("External account", id))
}

fn words(text: Option<&[String]>) -> Vec<String> {
    text.unwrap_or_default().iter().flat_map(|it| it.split([' ', ','])).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

/// Begins to connect an account, or connects the one that an app proves.
///
/// # Errors
/// Those of the connection and of the addresses to come back to; `quota_exceeded`.
pub async fn connect(
    scope: &Scope,
    caller: &Caller,
    user: &UserWithEmails,
    req: &ConnectExternalAccount,
) -> Result<ExternalAccount, ApiError> {
    let strategy = filled(req.strategy.as_deref()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("strategy"))?;
    if user.external_accounts.len() >= MAX_ACCOUNTS {
        return Err(ApiError::new(codes::QUOTA_EXCEEDED).long("This account has as many connections as it may have. Remove one first."));
    }
    if let Some(known) = behind_token(strategy) {
        let found = connection::require(&scope.instance, &known)?;
        let brought = Brought { token: req.token.as_deref(), code: req.code.as_deref() };
        let identity = brought.identity(scope, &found, &known).await?;
        refuse_taken(scope, &user.user.id, None, &identity).await?;
        let account = Account::new(scope, &user.user.id, &identity)?;
        let mut tx = scope.db().begin().await.map_err(internal)?;
        account.write(scope, &mut tx).await?;
        tx.commit().await.map_err(internal)?;
        take_address(scope, &account.record).await;
        return Ok(view(&account.record));
    }
    let id = ExternalAccountId::new(scope.now, &scope.app.rng);
    let scopes = words(req.additional_scope.as_deref());
    let start = Start {
        strategy,
        redirect_url: req.redirect_url.as_deref(),
        complete_url: req.action_complete_redirect_url.as_deref(),
        prompt: req.oidc_prompt.as_deref(),
        login_hint: req.oidc_login_hint.as_deref(),
        scopes: &scopes,
    };
    let code = ask(scope, caller, id.as_str(), Some(&user.user.id), start).await?;
    let record = ExternalAccountRecord {
        id,
        user_id: user.user.id.clone(),
        identification_id: IdentificationId::new(scope.now, &scope.app.rng),
        strategy: strategy.to_owned(),
        status: "unverified".to_owned(),
        expire_at: code.record.expire_at,
        created_at: scope.now,
        updated_at: scope.now,
        ..ExternalAccountRecord::default()
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    store::delete_unfinished(&mut tx, scope.ins(), &user.user.id, strategy).await.map_err(internal)?;
    if !store::insert(&mut tx, scope.ins(), &record).await.map_err(internal)? {
        return Err(ApiError::not_found("User", &user.user.id));
    }
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    Ok(ExternalAccount { verification: Some(verification::show(scope, &code.record)?), ..view(&record) })
}

/// Asks a provider once more for an account that is connected, for example for more scopes.
///
/// # Errors
/// `resource_not_found`, those of the connection and of the addresses to come back to.
pub async fn reauthorize(
    scope: &Scope,
    caller: &Caller,
    user: &UserWithEmails,
    req: &ReauthorizeExternalAccount,
) -> Result<ExternalAccount, ApiError> {
    let record = own(user, &req.external_account_id)?;
    let mut scopes = words(req.additional_scope.as_deref());
    scopes.extend(record.approved_scopes.split(' ').filter(|it| !it.is_empty()).map(str::to_owned));
    let start = Start {
        strategy: &record.strategy,
        redirect_url: req.redirect_url.as_deref(),
        complete_url: req.action_complete_redirect_url.as_deref(),
        prompt: req.oidc_prompt.as_deref(),
        login_hint: req.oidc_login_hint.as_deref(),
        scopes: &scopes,
    };
    let code = ask(scope, caller, record.id.as_str(), Some(&user.user.id), start).await?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    Ok(ExternalAccount { verification: Some(verification::show(scope, &code.record)?), ..view(record) })
}

/// An account that is connected already, by whomever.
async fn refuse_taken(scope: &Scope, user: &UserId, except: Option<&ExternalAccountId>, it: &Identity) -> Result<(), ApiError> {
    let holder = store::by_subject(scope.db(), scope.ins(), &it.strategy, &it.issuer, &it.subject).await.map_err(internal)?;
    match holder.filter(|holder| Some(&holder.id) != except) {
        Some(holder) if &holder.user_id == user => Err(codes::OAUTH_ACCOUNT_ALREADY_CONNECTED.into()),
        Some(_) => Err(codes::OAUTH_IDENTIFICATION_CLAIMED.into()),
        None => Ok(()),
    }
}

/// Connects who came back from a provider. What does not work stands in the account, for the page to show.
pub(super) async fn come_back(
    scope: &Scope,
    user: &UserId,
    by: &VerificationRecord,
    found: Result<Identity, ApiError>,
) -> Result<(), ApiError> {
    let user = load(scope, user).await?;
    let record = own(&user, &ExternalAccountId::from(by.owner_id.as_str()))?;
    let judged = match found {
        Ok(identity) => judge(scope, record, identity).await,
        Err(error) => Err(error),
    };
    let kept = match judged {
        Ok(identity) => {
            let mut changed = record.clone();
            apply(scope, &mut changed, &identity)?;
            keep(scope, changed, Some(&by.id)).await
        }
        Err(error) => Err(error),
    };
    match kept {
        // Whoever is only asked for more has had the address before, and may have given it up.
        Ok(account) if record.status != "verified" => take_address(scope, &account).await,
        Ok(_) => {}
        // Also of an account that somebody else has connected since it was judged.
        Err(error) if error.status() < 500 && error.code() != codes::VERIFICATION_ALREADY_VERIFIED => {
            keep(scope, in_vain(record, &error), None).await?;
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// An account that could not be connected, or not again, and why.
fn in_vain(record: &ExternalAccountRecord, error: &ApiError) -> ExternalAccountRecord {
    let mut changed = record.clone();
    changed.error = Some(error_value(error).to_string());
    if changed.status != "verified" {
        "failed".clone_into(&mut changed.status);
    }
    changed
}

/// Writes an account, and uses up the visit that has proven it.
async fn keep(scope: &Scope, record: ExternalAccountRecord, proven: Option<&VerificationId>) -> Result<ExternalAccountRecord, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(id) = proven {
        verification::consume(scope, &mut tx, id).await?;
    }
    let account = Account { record, is_new: false, proves: None };
    account.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    Ok(account.record)
}

/// Gives a user the address that a newly connected account brings. Where it can't be had, the account stays connected all the same.
async fn take_address(scope: &Scope, account: &ExternalAccountRecord) {
    if account.email_verified != Some(1) {
        return;
    }
    if let Err(error) = take_vouched_email(scope, &account.user_id, &account.email_address, &account.strategy).await {
        tracing::info!(instance = %scope.ins(), account = %account.id, code = error.code().code, "the address of a connected account is not taken");
    }
}

async fn judge(scope: &Scope, record: &ExternalAccountRecord, identity: Identity) -> Result<Identity, ApiError> {
    // Asking again for an account does not exchange it for another.
    if record.status == "verified" && (&record.issuer, &record.subject) != (&identity.issuer, &identity.subject) {
        return Err(
            ApiError::new(codes::EXTERNAL_ACCOUNT_NOT_FOUND).long("The provider answered for another account than the connected one.")
        );
    }
    refuse_taken(scope, &record.user_id, Some(&record.id), &identity).await?;
    Ok(identity)
}

/// Disconnects an account.
///
/// # Errors
/// `resource_not_found`; `form_data_missing` for the only way into the account.
pub async fn disconnect(scope: &Scope, user: &UserWithEmails, id: &ExternalAccountId) -> Result<DeletedObject, ApiError> {
    own(user, id)?;
    take(scope, &user.user.id, id, Some(user)).await
}

/// Disconnects an account of any user, as a server may, even the only way into the account.
///
/// # Errors
/// `resource_not_found`.
pub async fn remove(scope: &Scope, user: &UserId, id: &ExternalAccountId) -> Result<DeletedObject, ApiError> {
    take(scope, user, id, None).await
}

/// Takes an account away from a user, from `before` only if they keep a way in.
async fn take(scope: &Scope, user: &UserId, id: &ExternalAccountId, before: Option<&UserWithEmails>) -> Result<DeletedObject, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if !store::delete(&mut tx, scope.ins(), user, id, scope.now).await.map_err(internal)? {
        return Err(ApiError::not_found("External account", id));
    }
    if let Some(before) = before {
        crate::users::keep_way_in(scope, &mut tx, before, "external_account_id", crate::users::Hand::User).await?;
    }
    tx.commit().await.map_err(internal)?;
    Ok(DeletedObject::new("external_account", id))
}

/// Gives the tokens of an account up, here and at the provider.
///
/// # Errors
/// `resource_not_found`, `oauth_missing_access_token`.
pub async fn revoke_tokens(scope: &Scope, user: &UserWithEmails, id: &ExternalAccountId) -> Result<UserWithEmails, ApiError> {
    let record = own(user, id)?;
    let kept = tokens(scope, record)?.ok_or(codes::OAUTH_MISSING_ACCESS_TOKEN)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    store::set_tokens(&mut tx, scope.ins(), record, &None, scope.now).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    if let (Some(connection), Some(token)) = (connection::find(&scope.instance, &record.strategy), kept.refresh.or(kept.access)) {
        protocol::revoke(scope, &connection, &token).await;
    }
    load(scope, &user.user.id).await
}

/// The access tokens that a user's accounts at a provider came with, and how many there are in all. One that has ended is renewed where it can be.
///
/// # Errors
/// `resource_not_found`, `oauth_token_provider_not_enabled`, `oauth_missing_refresh_token`, `oauth_token_retrieval_error`.
pub async fn access_tokens(scope: &Scope, req: &ListOauthAccessTokens) -> Result<(Vec<OauthAccessToken>, i64), ApiError> {
    let page = crate::users::page(req.limit, req.offset)?;
    let user = load(scope, &req.user_id).await?;
    let strategy = super::strategy(&req.provider);
    let connection = connection::find(&scope.instance, &strategy).ok_or(codes::OAUTH_TOKEN_PROVIDER_NOT_ENABLED)?;
    let mut out = Vec::new();
    let (skip, take) = (usize::try_from(page.offset).unwrap_or(usize::MAX), usize::try_from(page.limit).unwrap_or(usize::MAX));
    let ours = |it: &&ExternalAccountRecord| it.status == "verified" && it.strategy == strategy && it.tokens.is_some();
    let all: Vec<_> = user.external_accounts.iter().filter(ours).collect();
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    for record in all.into_iter().skip(skip).take(take) {
        let Some(kept) = tokens(scope, record)? else { continue };
        let good = fresh(scope, &connection, record, kept).await?;
        out.push(OauthAccessToken {
            object: "oauth_access_token".to_owned(),
            external_account_id: record.id.clone(),
            provider_user_id: record.subject.clone(),
            token: good.access.unwrap_or_default(),
            id_token: good.id,
            expires_at: good.expire_at,
            provider: strategy.clone(),
            public_metadata: metadata(record),
            label: None,
            scopes: record.approved_scopes.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        });
    }
    Ok((out, total))
}

async fn fresh(
    scope: &Scope,
    connection: &connection::Connection<'_>,
    record: &ExternalAccountRecord,
    kept: Tokens,
) -> Result<Tokens, ApiError> {
    if is_good(scope, &kept) {
        return Ok(kept);
    }
    let refresh = kept.refresh.clone().ok_or(codes::OAUTH_MISSING_REFRESH_TOKEN)?;
    if !store::claim_renewal(scope.db(), scope.ins(), record, scope.now + RENEWAL_MS, scope.now).await.map_err(internal)? {
        return renewed(scope, record).await;
    }
    match protocol::refresh(scope, connection, &kept, &refresh).await {
        Ok(new) => {
            let sealed = Some(seal(scope, &record.id, &new)?);
            let mut tx = scope.db().begin().await.map_err(internal)?;
            if store::set_tokens(&mut tx, scope.ins(), record, &sealed, scope.now).await.map_err(internal)? {
                tx.commit().await.map_err(internal)?;
            }
            Ok(new)
        }
        Err(error) => {
            store::release_renewal(scope.db(), scope.ins(), &record.id).await.map_err(internal)?;
            Err(if error.code() == codes::OAUTH_TOKEN_EXCHANGE_ERROR { codes::OAUTH_TOKEN_RETRIEVAL_ERROR.into() } else { error })
        }
    }
}

fn is_good(scope: &Scope, tokens: &Tokens) -> bool {
    tokens.expire_at.is_none_or(|at| at > scope.now + EARLY_MS)
}

/// What another caller's renewal brings. Many providers take a refresh token once, and end the whole grant when it comes again
/// (RFC 9700 section 4.14), so only one caller sends it.
async fn renewed(scope: &Scope, record: &ExternalAccountRecord) -> Result<Tokens, ApiError> {
    for _ in 0..RENEWAL_MS / LOOK_AGAIN_MS.cast_signed() {
        let now = store::renewal(scope.db(), scope.ins(), &record.id, scope.now).await.map_err(internal)?;
        let (sealed, going_on) = now.ok_or_else(|| ApiError::not_found("External account", &record.id))?;
        if !going_on {
            let kept = tokens(scope, &ExternalAccountRecord { tokens: sealed, ..record.clone() })?;
            return kept.filter(|it| is_good(scope, it)).ok_or_else(|| codes::OAUTH_TOKEN_RETRIEVAL_ERROR.into());
        }
        tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)).await;
    }
    Err(codes::OAUTH_TOKEN_RETRIEVAL_ERROR.into())
}
