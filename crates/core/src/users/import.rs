//! Users from elsewhere, many at a time: the user object of the Backend API with what the API keeps to itself.

use super::factors::GivenFactors;
use super::imported_accounts::{self, ImportedExternalAccount};
use super::imported_identifiers::{emails, kept_id, phones, time, wallets};
use super::input::{self, PasswordInput};
use super::metadata::Metadata;
use super::passed_over::{self, PassedOver};
use super::{blank, lock_end};
use crate::app::{Scope, internal};
use doorward_base::*;
use doorward_store::external_accounts::{self, ExternalAccountRecord};
use doorward_store::users::{self, EmailRecord, PhoneRecord, UserRecord, WalletRecord};
use doorward_store::{StoreError, Tx};
use doorward_wire::Object;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// A user as `GET /v1/users` shows one, with the password's hash and the second factors beside it. What is not named here is
/// passed over and counted: among it passkeys.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct ImportedUser {
    pub id: Option<String>,
    pub external_id: Option<String>,
    pub username: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub primary_email_address_id: Option<String>,
    pub primary_phone_number_id: Option<String>,
    pub primary_web3_wallet_id: Option<String>,
    pub email_addresses: Option<Vec<ImportedIdentifier>>,
    pub phone_numbers: Option<Vec<ImportedIdentifier>>,
    pub web3_wallets: Option<Vec<ImportedIdentifier>>,
    pub external_accounts: Option<Vec<ImportedExternalAccount>>,
    pub public_metadata: Option<Object>,
    pub private_metadata: Option<Object>,
    pub unsafe_metadata: Option<Object>,
    pub password_digest: Option<String>,
    pub password_hasher: Option<String>,
    pub password_last_updated_at: Option<Timestamp>,
    pub password_enabled: Option<bool>,
    pub password_compromised: Option<bool>,
    pub totp_secret: Option<String>,
    pub totp_enabled: Option<bool>,
    pub backup_codes: Option<Vec<String>>,
    pub backup_code_enabled: Option<bool>,
    pub mfa_enabled_at: Option<Timestamp>,
    pub mfa_disabled_at: Option<Timestamp>,
    pub has_image: Option<bool>,
    pub banned: Option<bool>,
    pub locked: Option<bool>,
    pub bypass_client_trust: Option<bool>,
    pub delete_self_enabled: Option<bool>,
    pub create_organization_enabled: Option<bool>,
    pub create_organizations_limit: Option<i64>,
    pub legal_accepted_at: Option<Timestamp>,
    pub last_sign_in_at: Option<Timestamp>,
    pub last_active_at: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    /// What there is besides.
    #[serde(flatten)]
    pub other: Object,
}

/// An address, number or wallet of such a user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct ImportedIdentifier {
    pub id: Option<String>,
    #[serde(alias = "email_address", alias = "phone_number", alias = "web3_wallet")]
    pub value: String,
    pub verification: Option<ImportedProof>,
    pub reserved: Option<bool>,
    pub reserved_for_second_factor: Option<bool>,
    pub default_second_factor: Option<bool>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// How an identifier was proven.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct ImportedProof {
    pub status: Option<String>,
    pub strategy: Option<String>,
    pub attempts: Option<i64>,
    pub expire_at: Option<Timestamp>,
    pub error: Option<Value>,
}

/// What became of one.
#[derive(Debug)]
pub enum Outcome {
    /// The user was added, without this.
    Added(PassedOver),
    /// The user is there already: one has the same id or the same id of the app's own, or, where neither is given, an
    /// identifier or a proven account at a provider.
    Present,
    /// Nothing of the user was written, for this reason.
    Refused(ApiError),
}

/// A user who was read and found good.
struct Plan {
    user: UserRecord,
    /// Whether the id or the app's own id was given, by which the user is known again.
    named: bool,
    emails: Vec<EmailRecord>,
    phones: Vec<PhoneRecord>,
    wallets: Vec<WalletRecord>,
    /// With their places in the row.
    accounts: Vec<(usize, ExternalAccountRecord)>,
    factors: GivenFactors,
    compromised: bool,
    left: PassedOver,
}

/// Adds users who are not there yet, in one transaction; when one of them collides with somebody, each in its own. Give it
/// about a hundred at a time. Passwords are not held against the instance's rules, and what the instance asks of new users
/// is not asked of these.
///
/// # Errors
/// Failures of the database only; then some of the users may have been added, and are found present when it is done again.
pub async fn import(scope: &Scope, rows: &[ImportedUser]) -> Result<Vec<Outcome>, ApiError> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(rows.len());
    let mut plans = Vec::new();
    let mut known = HashSet::new();
    for external in [false, true] {
        let given: Vec<String> = rows.iter().filter_map(|row| name(row, external)).map(str::to_owned).collect();
        let found = users::known(scope.db(), scope.ins(), &given, external).await.map_err(internal)?;
        known.extend(found.into_iter().map(|name| (external, name)));
    }
    // A row with the name of one before it is looked at when it is known what became of that one.
    let (mut planned, mut again) = (HashSet::new(), Vec::new());
    for row in rows {
        let names = names(row);
        let at = outcomes.len();
        if names.iter().any(|name| known.contains(name)) {
            outcomes.push(Some(Outcome::Present));
        } else if names.iter().any(|name| planned.contains(name)) {
            again.push((at, row));
            outcomes.push(None);
        } else {
            match plan(scope, row).await {
                Ok(plan) => {
                    planned.extend(names);
                    plans.push((at, plan));
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Outcome::Refused(error))),
            }
        }
    }
    if insert_all(scope, &plans).await? {
        known.extend(planned);
        for (at, plan) in plans {
            outcomes[at] = Some(Outcome::Added(plan.left));
        }
    } else {
        for (at, plan) in plans {
            outcomes[at] = Some(insert_one(scope, plan, names(&rows[at]), &mut known).await?);
        }
    }
    for (at, row) in again {
        let names = names(row);
        outcomes[at] = Some(if names.iter().any(|name| known.contains(name)) {
            Outcome::Present
        } else {
            match plan(scope, row).await {
                Ok(plan) => insert_one(scope, plan, names, &mut known).await?,
                Err(error) => Outcome::Refused(error),
            }
        });
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// By what a user is known again: whether it is an id of the app's own, and the id.
type Name = (bool, String);

fn names(row: &ImportedUser) -> Vec<Name> {
    [false, true].into_iter().filter_map(|external| Some((external, name(row, external)?.to_owned()))).collect()
}

/// The id, or the id of the app's own.
fn name(row: &ImportedUser, external: bool) -> Option<&str> {
    if external { &row.external_id } else { &row.id }.as_deref().filter(|name| !name.is_empty())
}

/// False when one of them collides with somebody; then none was added.
async fn insert_all(scope: &Scope, plans: &[(usize, Plan)]) -> Result<bool, ApiError> {
    if plans.is_empty() {
        return Ok(true);
    }
    let mut tx = scope.db().begin().await.map_err(internal)?;
    for (_, plan) in plans {
        if let Err(error) = insert(scope, &mut tx, plan).await {
            return if error.code() == codes::FORM_IDENTIFIER_EXISTS { Ok(false) } else { Err(error) };
        }
    }
    tx.commit().await.map_err(internal)?;
    Ok(true)
}

/// Adds one user, and its names to those that are known.
async fn insert_one(scope: &Scope, plan: Plan, names: Vec<Name>, known: &mut HashSet<Name>) -> Result<Outcome, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    match insert(scope, &mut tx, &plan).await {
        Ok(()) => {
            tx.commit().await.map_err(internal)?;
            known.extend(names);
            Ok(Outcome::Added(plan.left))
        }
        Err(error) if error.code() == codes::FORM_IDENTIFIER_EXISTS => {
            Ok(if plan.is_of_whom_it_met(&error) { Outcome::Present } else { Outcome::Refused(error) })
        }
        Err(error) => Err(error),
    }
}

async fn insert(scope: &Scope, tx: &mut Tx, plan: &Plan) -> Result<(), ApiError> {
    let taken = |error: StoreError, param: &str| match error {
        StoreError::Conflict => ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(param),
        other => internal(other),
    };
    let param = if plan.user.username.is_some() { "username" } else { "id" };
    users::insert(tx, scope.ins(), &plan.user).await.map_err(|e| taken(e, param))?;
    for email in &plan.emails {
        users::insert_email(tx, scope.ins(), email).await.map_err(|e| taken(e, "email_addresses"))?;
    }
    for phone in &plan.phones {
        users::insert_phone(tx, scope.ins(), phone).await.map_err(|e| taken(e, "phone_numbers"))?;
    }
    for wallet in &plan.wallets {
        users::insert_wallet(tx, scope.ins(), wallet).await.map_err(|e| taken(e, "web3_wallets"))?;
    }
    for (n, account) in &plan.accounts {
        external_accounts::insert(tx, scope.ins(), account).await.map_err(|e| taken(e, &format!("external_accounts[{n}]")))?;
    }
    plan.factors.write(scope, tx, &plan.user.id).await?;
    if plan.compromised {
        users::set_password_compromised(tx, scope.ins(), &plan.user.id, true, scope.now).await.map_err(internal)?;
    }
    if plan.moves_times() {
        users::keep_times(tx, scope.ins(), &plan.user).await.map_err(internal)?;
    }
    Ok(())
}

impl Plan {
    /// Whether a user who is there already is the one of this plan, who is known by nothing but identifiers. Accounts are written
    /// last: somebody else has one if no other proven identifier of the plan was met before.
    fn is_of_whom_it_met(&self, error: &ApiError) -> bool {
        let account = error.meta().param_name.as_deref().is_some_and(|param| param.starts_with("external_accounts"));
        let proven = self.emails.iter().any(|it| it.verified)
            || self.phones.iter().any(|it| it.verified)
            || self.wallets.iter().any(|it| it.verified)
            || self.user.username.is_some();
        !(self.named || account && proven)
    }

    /// Whether what is written after the user says that the user changed, or there are times that are not written with it.
    fn moves_times(&self) -> bool {
        let given = self.user.mfa_enabled_at.or(self.user.mfa_disabled_at).is_some();
        given || self.compromised || !self.accounts.is_empty() || !self.factors.is_empty()
    }
}

async fn plan(scope: &Scope, row: &ImportedUser) -> Result<Plan, ApiError> {
    let factors = GivenFactors::read(scope, row.totp_secret.as_deref(), row.backup_codes.as_deref())?;
    let password = PasswordInput::read(&None, &row.password_digest, &row.password_hasher, None)?;
    let mut user = profile(scope, row)?;
    user.password_hash = password.hash(scope).await?;
    let changed = time(row.password_last_updated_at, "password_last_updated_at", scope)?;
    user.password_updated_at = user.password_hash.as_ref().map(|_| changed.unwrap_or(scope.now));
    let emails = emails(scope, row, &user)?;
    let phones = phones(scope, row, &user)?;
    let wallets = wallets(scope, row, &user)?;
    let mut left = passed_over::of_row(row);
    let accounts = imported_accounts::read(scope, row, &user, &mut left)?;
    let found = !emails.is_empty() || !phones.is_empty() || !wallets.is_empty() || accounts.iter().any(|(_, it)| it.status == "verified");
    if user.username.is_none() && !found {
        let text = "A user needs an address, a number, a wallet, a user name or a proven account at a provider.";
        return Err(ApiError::new(codes::FORM_DATA_MISSING).param("email_addresses").long(text));
    }
    let email = primary(&emails, &row.primary_email_address_id, |it| (&it.id, it.verified));
    user.primary_email_address_id = email.map(|it| it.id.clone());
    user.primary_email_key = email.map(|it| it.address_key.clone());
    let usable: Vec<&PhoneRecord> = phones.iter().filter(|it| !it.second_factor).collect();
    let phone = primary(&usable, &row.primary_phone_number_id, |it| (&it.id, it.verified));
    user.primary_phone_number_id = phone.map(|it| it.id.clone());
    user.primary_phone = phone.map(|it| it.number.clone());
    user.has_phone_numbers = !phones.is_empty();
    let wallet = primary(&wallets, &row.primary_web3_wallet_id, |it| (&it.id, it.verified));
    user.primary_web3_wallet_id = wallet.map(|it| it.id.clone());
    user.primary_web3_wallet = wallet.map(|it| it.address.clone());
    user.has_web3_wallets = !wallets.is_empty();
    // Second factors that stayed behind are none, whenever they began.
    let enrolled = !factors.is_empty() || phones.iter().any(|it| it.second_factor);
    user.mfa_enabled_at = time(row.mfa_enabled_at, "mfa_enabled_at", scope)?.filter(|_| enrolled);
    user.mfa_disabled_at = time(row.mfa_disabled_at, "mfa_disabled_at", scope)?;
    let compromised = row.password_compromised == Some(true) && user.password_hash.is_some();
    let named = !names(row).is_empty();
    let held = emails.iter().any(EmailRecord::is_held)
        || phones.iter().any(PhoneRecord::is_held)
        || wallets.iter().any(|it| it.verified)
        || accounts.iter().any(|(_, it)| it.status == "verified")
        || user.username.is_some();
    if !named && !held {
        let text = "A user of whom nothing is proven needs an id or an external_id, by which it is known again.";
        return Err(ApiError::new(codes::FORM_DATA_MISSING).param("external_id").long(text));
    }
    Ok(Plan { user, named, emails, phones, wallets, accounts, factors, compromised, left })
}

/// The one that is named, or the first proven one, or the first.
fn primary<'r, T>(all: &'r [T], named: &Option<String>, of: impl Fn(&T) -> (&IdentificationId, bool)) -> Option<&'r T> {
    let named = all.iter().find(|it| Some(of(it).0.as_str()) == named.as_deref());
    named.or_else(|| all.iter().find(|it| of(it).1)).or(all.first())
}

fn profile(scope: &Scope, row: &ImportedUser) -> Result<UserRecord, ApiError> {
    let mut user = blank(scope);
    if let Some(id) = kept_id(&row.id, UserId::PREFIX, "id")? {
        user.id = id.into();
    }
    user.external_id = input::name(row.external_id.as_deref(), "external_id")?;
    if let Some(name) = input::username(scope, row.username.as_deref())? {
        (user.username, user.username_key) = (Some(name.username), Some(name.key));
    }
    user.first_name = input::name(row.first_name.as_deref(), "first_name")?;
    user.last_name = input::name(row.last_name.as_deref(), "last_name")?;
    user.locale = input::locale(row.locale.as_deref())?;
    user.create_organizations_limit = input::organizations_limit(row.create_organizations_limit)?;
    user.delete_self_enabled = row.delete_self_enabled.unwrap_or(user.delete_self_enabled);
    user.create_organization_enabled = row.create_organization_enabled.unwrap_or(user.create_organization_enabled);
    user.bypass_client_trust = row.bypass_client_trust == Some(true);
    user.banned = row.banned == Some(true);
    user.locked_until = (row.locked == Some(true)).then(|| lock_end(scope));
    user.legal_accepted_at = time(row.legal_accepted_at, "legal_accepted_at", scope)?;
    user.last_sign_in_at = time(row.last_sign_in_at, "last_sign_in_at", scope)?;
    user.last_active_at = time(row.last_active_at, "last_active_at", scope)?;
    user.created_at = time(row.created_at, "created_at", scope)?.unwrap_or(scope.now);
    user.updated_at = time(row.updated_at, "updated_at", scope)?.unwrap_or(user.created_at);
    let metadata =
        Metadata { public: row.public_metadata.as_ref(), private: row.private_metadata.as_ref(), unsafe_: row.unsafe_metadata.as_ref() };
    metadata.replace(&mut user)?;
    Ok(user)
}
