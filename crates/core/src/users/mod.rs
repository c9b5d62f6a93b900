//! Users: how they show on the wire, how they come to be, and what a server may do with them.

mod by_server;
mod change;
mod create;
mod email_addresses;
mod export;
mod factors;
mod import;
mod imported_accounts;
mod imported_identifiers;
mod input;
mod list;
mod metadata;
mod moderate;
mod own;
mod passed_over;
mod phone_numbers;
mod reserved;
pub mod server_emails;
pub mod server_phones;
mod update;
mod view;
mod wallets;

pub use create::create;
pub use email_addresses::{add_email, attempt_email, delete_email, get_email, list_emails, prepare_email};
pub(crate) use email_addresses::{prove_by_link, read_email, take_vouched_email};
pub use export::export_page;
pub use factors::{remove_backup_codes, remove_password, remove_second_factors, remove_totp, verify_second_factor};
pub use import::{ImportedIdentifier, ImportedProof, ImportedUser, Outcome, import};
pub use imported_accounts::ImportedExternalAccount;
pub use list::{Page, count, list, page};
pub(crate) use list::{order_by, query};
pub use metadata::{Metadata, merge_metadata, replace_metadata};
pub use moderate::{begin_session, delete, set_banned, set_locked, set_password_compromised, verify_password};
pub use own::{delete_own, update_own};
pub use passed_over::PassedOver;
pub(crate) use phone_numbers::read_phone;
pub use phone_numbers::{add_phone, attempt_phone, delete_phone, get_phone, list_phones, prepare_phone, update_phone};
pub(crate) use reserved::{FirstProof, email_proves, phone_proves};
pub use update::update;
pub(crate) use view::identifier;
pub use view::{Audience, public_view, sign_in_view, view};
use view::{email_view, object, phone_view, wallet_view};
pub(crate) use wallets::read_wallet;
pub use wallets::{add_wallet, attempt_wallet, delete_wallet, get_wallet, list_wallets, prepare_wallet, remove_wallet};

use crate::app::{Scope, internal};
use crate::identifiers::{Email, Username};
use crate::phone::Phone;
use crate::strategies;
use crate::web3::Address;
use doorward_base::*;
use doorward_store::users::{self, EmailRecord, PhoneRecord, UserRecord, UserWithEmails, WalletRecord};
use doorward_store::{StoreError, Tx};
use doorward_wire::Object;

/// Whether a user can still be found by something.
fn has_identifier(it: &UserWithEmails) -> bool {
    let phone = it.phones.iter().any(PhoneRecord::signs_in);
    let email = it.emails.iter().any(EmailRecord::is_held);
    phone || email || it.wallets.iter().any(|it| it.verified) || it.user.username.is_some()
}

/// Who takes something away from a user. A server may take their only way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hand {
    User,
    Server,
}

/// Refuses, in the transaction that has taken something away, to leave a user with nothing to be found by or, by their own hand,
/// without a way in. Of several who take something away at once each sees what the others have taken.
///
/// # Errors
/// `form_data_missing`, naming `param` to servers: the forms by which people remove something have no field to show an error beside.
pub(crate) async fn keep_way_in(scope: &Scope, tx: &mut Tx, before: &UserWithEmails, param: &str, hand: Hand) -> Result<(), ApiError> {
    users::touch(tx, scope.ins(), &before.user.id, scope.now).await.map_err(internal)?;
    let now = users::get(&mut *tx, scope.ins(), &before.user.id).await.map_err(internal)?;
    let now = now.ok_or_else(|| ApiError::not_found("User", &before.user.id))?;
    let enters = |user| strategies::enters(&scope.instance, user);
    let missing = match hand {
        Hand::User => ApiError::new(codes::FORM_DATA_MISSING),
        Hand::Server => ApiError::new(codes::FORM_DATA_MISSING).param(param),
    };
    if has_identifier(before) && !has_identifier(&now) {
        return Err(missing.long(LAST_IDENTIFIER));
    }
    if hand == Hand::User && enters(before) && !enters(&now) {
        return Err(missing.long("This is the only way into the account. Add another before you remove it."));
    }
    Ok(())
}

const LAST_IDENTIFIER: &str = "This is the last identifier of the account. Add another before you remove it.";

/// Refuses to leave a user with nothing to be found by.
///
/// # Errors
/// `form_data_missing`, naming `param`.
fn keep_identifier(left: &UserWithEmails, param: &str) -> Result<(), ApiError> {
    if has_identifier(left) {
        return Ok(());
    }
    Err(ApiError::new(codes::FORM_DATA_MISSING).param(param).long(LAST_IDENTIFIER))
}

/// An address of a new user.
pub struct NewEmail {
    /// The address.
    pub email: Email,
    /// What proved it; none for one that is only reserved.
    pub strategy: Option<String>,
    /// With how many tries.
    pub attempts: Option<i64>,
}

/// A phone number of a new user.
pub struct NewPhone {
    /// The number.
    pub phone: Phone,
    /// What proved it; none for one that is only reserved.
    pub strategy: Option<String>,
    /// With how many tries.
    pub attempts: Option<i64>,
}

/// A wallet of a new user, which is always proven.
pub struct NewWallet {
    /// The address.
    pub address: Address,
    /// What proved it.
    pub strategy: String,
}

/// By what a new user is found.
#[derive(Default)]
pub struct NewIdentifiers {
    /// The user name.
    pub username: Option<Username>,
    /// The addresses.
    pub emails: Vec<NewEmail>,
    /// The numbers.
    pub phones: Vec<NewPhone>,
    /// The wallets.
    pub wallets: Vec<NewWallet>,
}

/// Writes a new user with addresses, numbers and wallets. The first proven one of each becomes the primary one.
///
/// # Errors
/// `form_identifier_exists` with the parameter whose value is taken.
pub async fn insert(
    scope: &Scope,
    tx: &mut Tx,
    mut user: UserRecord,
    NewIdentifiers { username, emails, phones, wallets }: NewIdentifiers,
) -> Result<UserWithEmails, ApiError> {
    // Addresses are listed by age, so each is a millisecond younger than the one before it.
    let records: Vec<EmailRecord> = (scope.now..)
        .zip(emails)
        .map(|(created_at, new)| EmailRecord {
            id: IdentificationId::new(scope.now, &scope.app.rng),
            user_id: user.id.clone(),
            address: new.email.address,
            address_key: new.email.key,
            verified: new.strategy.is_some(),
            reserved: new.strategy.is_none(),
            strategy: new.strategy.clone(),
            attempts: new.attempts,
            verified_at: new.strategy.is_some().then_some(scope.now),
            created_at,
            updated_at: created_at,
        })
        .collect();
    if let Some(primary) = records.iter().find(|email| email.verified).or(records.first()) {
        user.primary_email_address_id = Some(primary.id.clone());
        user.primary_email_key = Some(primary.address_key.clone());
    }
    let phones: Vec<PhoneRecord> = (scope.now..)
        .zip(phones)
        .map(|(created_at, new)| PhoneRecord {
            id: IdentificationId::new(scope.now, &scope.app.rng),
            user_id: user.id.clone(),
            number: new.phone.as_str().to_owned(),
            verified: new.strategy.is_some(),
            reserved: new.strategy.is_none(),
            verified_at: new.strategy.is_some().then_some(scope.now),
            strategy: new.strategy,
            attempts: new.attempts,
            created_at,
            updated_at: created_at,
            ..PhoneRecord::default()
        })
        .collect();
    let primary = phones.iter().find(|phone| phone.verified).or(phones.first());
    user.primary_phone_number_id = primary.map(|phone| phone.id.clone());
    user.primary_phone = primary.map(|phone| phone.number.clone());
    user.has_phone_numbers = !phones.is_empty();
    let wallets: Vec<WalletRecord> = (scope.now..)
        .zip(wallets)
        .map(|(created_at, new)| WalletRecord {
            id: IdentificationId::new(scope.now, &scope.app.rng),
            user_id: user.id.clone(),
            address: new.address.as_str().to_owned(),
            verified: true,
            strategy: Some(new.strategy),
            verified_at: Some(scope.now),
            created_at,
            updated_at: created_at,
        })
        .collect();
    user.primary_web3_wallet_id = wallets.first().map(|wallet| wallet.id.clone());
    user.primary_web3_wallet = wallets.first().map(|wallet| wallet.address.clone());
    user.has_web3_wallets = !wallets.is_empty();
    let has_username = username.is_some();
    if let Some(name) = username {
        user.username = Some(name.username);
        user.username_key = Some(name.key);
    }
    let taken = |error: StoreError, param: &str| match error {
        StoreError::Conflict => ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(param),
        other => internal(other),
    };
    let param = if has_username { "username" } else { "external_id" };
    users::insert(tx, scope.ins(), &user).await.map_err(|e| taken(e, param))?;
    for email in &records {
        users::insert_email(tx, scope.ins(), email).await.map_err(|e| taken(e, "email_address"))?;
    }
    for phone in &phones {
        users::insert_phone(tx, scope.ins(), phone).await.map_err(|e| taken(e, "phone_number"))?;
    }
    for wallet in &wallets {
        users::insert_wallet(tx, scope.ins(), wallet).await.map_err(|e| taken(e, "web3_wallet"))?;
    }
    Ok(UserWithEmails { user, emails: records, phones, wallets, passkeys: Vec::new(), external_accounts: Vec::new() })
}

/// A user record with what every new user has.
pub fn blank(scope: &Scope) -> UserRecord {
    UserRecord {
        id: UserId::new(scope.now, &scope.app.rng),
        public_metadata: "{}".to_owned(),
        private_metadata: "{}".to_owned(),
        unsafe_metadata: "{}".to_owned(),
        delete_self_enabled: scope.instance.settings.actions.delete_self,
        create_organization_enabled: scope.instance.settings.actions.create_organization,
        created_at: scope.now,
        updated_at: scope.now,
        ..UserRecord::default()
    }
}

/// The user of an id.
///
/// # Errors
/// `resource_not_found`.
pub async fn load(scope: &Scope, id: &UserId) -> Result<UserWithEmails, ApiError> {
    users::get(scope.db(), scope.ins(), id).await.map_err(internal)?.ok_or_else(|| ApiError::not_found("User", id))
}

/// Says which of two unique values belongs to somebody other than `owner`. The indexes decide; this tells them apart.
async fn first_taken(scope: &Scope, owner: Option<&UserId>, username_key: Option<&str>, external_id: Option<&str>) -> Result<(), ApiError> {
    let others = |found: Option<UserWithEmails>| found.is_some_and(|it| Some(&it.user.id) != owner);
    if let Some(key) = username_key
        && others(users::by_username(scope.db(), scope.ins(), key).await.map_err(internal)?)
    {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("username"));
    }
    if let Some(id) = external_id
        && others(users::by_external_id(scope.db(), scope.ins(), id).await.map_err(internal)?)
    {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("external_id"));
    }
    Ok(())
}

/// Until when an account that is locked now stays closed.
fn lock_end(scope: &Scope) -> Timestamp {
    scope.now + scope.instance.settings.attack_protection.duration_minutes * 60_000
}

/// The most that one kind of metadata may hold, as JSON.
pub const METADATA_MAX_BYTES: usize = 8 * 1024;

/// Metadata as it is kept.
///
/// # Errors
/// `form_param_exceeds_allowed_size` when it is larger than [`METADATA_MAX_BYTES`].
pub fn metadata_text(metadata: &Object, param: &str) -> Result<String, ApiError> {
    let text = serde_json::to_string(metadata).map_err(ApiError::internal)?;
    if text.len() > METADATA_MAX_BYTES {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LARGE).param(param));
    }
    Ok(text)
}

/// Checks a name that people see: at most 256 characters, none of them a control character.
///
/// # Errors
/// Names `param`.
pub fn check_name(text: Option<&str>, param: &str) -> Result<(), ApiError> {
    let Some(text) = text else { return Ok(()) };
    if text.chars().count() > 256 {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param(param));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(param));
    }
    Ok(())
}
