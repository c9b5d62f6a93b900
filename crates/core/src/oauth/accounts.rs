//! Whose an identity is. An account that is known here belongs to who connected it; one that is not may belong to who holds
//! the same address, if the provider has proven it.

use super::identity::Identity;
use crate::app::{Scope, internal};
use crate::enumeration;
use crate::identifiers::{self, Email};
use crate::users::{FirstProof, email_proves};
use doorward_base::*;
use doorward_store::external_accounts::{self as store, ExternalAccountRecord};
use doorward_store::users::{self, EmailRecord, UserWithEmails};
use doorward_store::{StoreError, Tx};
use doorward_wire::Object;
use doorward_wire::resource::{ExternalAccount, IdentificationLink, Verification};

/// An account that is about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub record: ExternalAccountRecord,
    /// Whether it becomes the user's only now.
    pub is_new: bool,
    /// The address that it proves for the first time.
    pub proves: Option<FirstProof>,
}

pub(crate) fn tokens_context(id: impl std::fmt::Display) -> String {
    format!("{id}:tokens")
}

/// Takes over what a provider says now.
pub(super) fn apply(scope: &Scope, record: &mut ExternalAccountRecord, it: &Identity) -> Result<(), ApiError> {
    record.strategy.clone_from(&it.strategy);
    record.issuer.clone_from(&it.issuer);
    record.subject.clone_from(&it.subject);
    "verified".clone_into(&mut record.status);
    record.error = None;
    record.email_address = it.email.clone().unwrap_or_default();
    record.email_verified = it.email_verified.map(i64::from);
    record.first_name = it.first_name.clone().unwrap_or_default();
    record.last_name = it.last_name.clone().unwrap_or_default();
    record.username.clone_from(&it.username);
    record.image_url = it.image_url.clone().unwrap_or_default();
    record.expire_at = scope.now;
    record.updated_at = scope.now;
    // An ID token alone brings nothing to call the provider with: what was there stays.
    if it.tokens.access.is_some() {
        let mut tokens = it.tokens.clone();
        if tokens.refresh.is_none() {
            // Google gives a refresh token at the first consent only.
            tokens.refresh = super::mine::tokens(scope, record)?.and_then(|before| before.refresh);
        }
        record.approved_scopes.clone_from(&it.scopes);
        record.tokens = Some(super::mine::seal(scope, &record.id, &tokens)?);
    }
    Ok(())
}

impl Account {
    /// A new one of a user.
    pub(crate) fn new(scope: &Scope, user: &UserId, it: &Identity) -> Result<Self, ApiError> {
        let mut record = ExternalAccountRecord {
            id: ExternalAccountId::new(scope.now, &scope.app.rng),
            user_id: user.clone(),
            identification_id: IdentificationId::new(scope.now, &scope.app.rng),
            created_at: scope.now,
            ..ExternalAccountRecord::default()
        };
        apply(scope, &mut record, it)?;
        Ok(Self { record, is_new: true, proves: None })
    }

    /// Writes it.
    ///
    /// # Errors
    /// `oauth_identification_claimed` when somebody else was faster.
    pub(crate) async fn write(&self, scope: &Scope, tx: &mut Tx) -> Result<(), ApiError> {
        if let Some(proof) = &self.proves {
            proof.write(scope, tx, &self.record.user_id).await?;
        }
        let done = if self.is_new {
            store::insert(tx, scope.ins(), &self.record).await
        } else {
            store::update(tx, scope.ins(), &self.record, scope.now).await
        };
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(codes::EXTERNAL_ACCOUNT_NOT_FOUND.into()),
            Err(StoreError::Conflict) => Err(codes::OAUTH_IDENTIFICATION_CLAIMED.into()),
            Err(other) => Err(internal(other)),
        }
    }
}

/// The address that a provider names, if it is one.
fn address(it: &Identity) -> Option<Email> {
    it.email.as_deref().and_then(identifiers::parse_email)
}

/// Whose an identity is, with the account to write; none when it is nobody's yet.
///
/// # Errors
/// `external_account_email_address_verification_required` when somebody has the address and the provider has not proven it.
pub(crate) async fn resolve(scope: &Scope, it: &Identity) -> Result<Option<(UserWithEmails, Account)>, ApiError> {
    let known = store::by_subject(scope.db(), scope.ins(), &it.strategy, &it.issuer, &it.subject).await.map_err(internal)?;
    if let Some(mut record) = known {
        let user = users::get(scope.db(), scope.ins(), &record.user_id).await.map_err(internal)?;
        let user = user.ok_or(codes::SIGN_IN_USER_DELETED)?;
        apply(scope, &mut record, it)?;
        return Ok(Some((user, Account { record, is_new: false, proves: None })));
    }
    let Some(email) = address(it) else { return Ok(None) };
    // Who has only named the address and not proven it has no claim to it, and nobody's account is entered by it.
    let Some(user) = users::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)? else { return Ok(None) };
    let proves = user.emails.iter().any(|own| own.address_key == email.key && email_proves(&user, own));
    if it.email_verified != Some(true) || !proves {
        // Where accounts are hidden, a provider that takes any address for granted must not tell of them either.
        if enumeration::hides(scope) {
            return Ok(None);
        }
        return Err(codes::EXTERNAL_ACCOUNT_EMAIL_VERIFICATION_REQUIRED.into());
    }
    let proves = FirstProof::of(scope, &user, &email.key, &format!("from_{}", it.strategy), 1);
    let account = Account { proves, ..Account::new(scope, &user.user.id, it)? };
    Ok(Some((user, account)))
}

/// The accounts that vouch for one of a user's proven addresses.
pub(crate) fn linked_to(user: &UserWithEmails, email: &EmailRecord) -> Vec<IdentificationLink> {
    let named =
        |it: &&ExternalAccountRecord| identifiers::parse_email(&it.email_address).is_some_and(|named| named.key == email.address_key);
    let vouching = user.external_accounts.iter().filter(|it| it.status == "verified" && it.email_verified == Some(1)).filter(named);
    let link = |it: &ExternalAccountRecord| IdentificationLink { r#type: it.strategy.clone(), id: it.identification_id.clone() };
    vouching.filter(|_| email.verified).map(link).collect()
}

/// What an account came with from another server.
pub(super) fn metadata(record: &ExternalAccountRecord) -> Object {
    record.public_metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// An account as the wire has it.
pub(crate) fn view(record: &ExternalAccountRecord) -> ExternalAccount {
    let verification = Verification {
        object: "verification_oauth".to_owned(),
        status: record.status.clone(),
        strategy: record.strategy.clone(),
        expire_at: Some(record.expire_at),
        error: record.error.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        ..Verification::default()
    };
    ExternalAccount {
        object: "external_account".to_owned(),
        id: record.id.clone(),
        provider: record.strategy.clone(),
        identification_id: record.identification_id.clone(),
        provider_user_id: record.subject.clone(),
        approved_scopes: record.approved_scopes.clone(),
        email_address: record.email_address.clone(),
        email_address_verified: record.email_verified.map(|it| it == 1),
        first_name: record.first_name.clone(),
        last_name: record.last_name.clone(),
        image_url: Some(record.image_url.clone()),
        avatar_url: record.image_url.clone(),
        username: record.username.clone(),
        phone_number: None,
        public_metadata: metadata(record),
        label: None,
        verification: Some(verification),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}
