//! Addresses, numbers and wallets of users from elsewhere, and what all of them have.

use super::email_addresses::read_email;
use super::import::{ImportedIdentifier, ImportedProof, ImportedUser};
use super::read_wallet;
use crate::app::Scope;
use crate::phone::Phone;
use doorward_base::*;
use doorward_store::users::{EmailRecord, PhoneRecord, UserRecord, WalletRecord};
use std::collections::HashSet;

/// The most identifiers of a kind.
pub(super) const MAX_IDENTIFIERS: usize = 100;
/// The most characters of an id that is kept.
const MAX_ID: usize = 64;
/// How far the clock of the other server may be ahead.
const SKEW_MS: i64 = 60_000;

/// A time in Unix milliseconds that has been already, give or take [`SKEW_MS`]. 0 and less mean "not known".
pub(super) fn time(at: Option<Timestamp>, param: &str, scope: &Scope) -> Result<Option<Timestamp>, ApiError> {
    match at {
        Some(at) if at > scope.now + SKEW_MS => Err(ApiError::new(codes::FORM_DISALLOW_FUTURE_DATE).param(param)),
        at => Ok(at.filter(|at| *at > 0)),
    }
}

/// An id from elsewhere, if it is one of ours by its form.
pub(super) fn kept_id(id: &Option<String>, prefix: &str, param: &str) -> Result<Option<String>, ApiError> {
    let Some(id) = id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
    let rest = id.strip_prefix(prefix).filter(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    match rest {
        Some(_) if id.len() <= MAX_ID => Ok(Some(id.to_owned())),
        _ => {
            let text = format!("{param} must begin with {prefix} and have letters and digits; an id of your own goes into external_id.");
            Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(param).long(text))
        }
    }
}

/// What identifiers of all kinds have.
pub(super) struct Common {
    pub id: IdentificationId,
    strategy: Option<String>,
    attempts: Option<i64>,
    /// When it was proven, or stopped being open.
    pub proven_at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a row says of an identifier that all kinds have.
pub(super) struct Given<'r> {
    /// Where it is in the row, such as `email_addresses` and 0.
    pub at: (&'r str, usize),
    /// The name of the field that has its id, and the id.
    pub id: (&'r str, &'r Option<String>),
    pub proof: &'r Option<ImportedProof>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

impl Given<'_> {
    pub(super) fn read(&self, scope: &Scope, user: &UserRecord) -> Result<Common, ApiError> {
        let (kind, n) = self.at;
        let param = |name: &str| format!("{kind}[{n}].{name}");
        let proof = self.proof.as_ref().filter(|proof| proof.status.as_deref() == Some("verified"));
        let named = |text: &&str| {
            !text.is_empty() && text.len() <= MAX_ID && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let strategy = proof.map(|proof| proof.strategy.as_deref().filter(named).unwrap_or("admin").to_owned());
        let id = kept_id(self.id.1, IdentificationId::PREFIX, &param(self.id.0))?;
        // They are listed by age: where it is not known, in the order in which they came.
        let later = user.created_at.saturating_add(i64::try_from(n).unwrap_or_default());
        let created_at = time(self.created_at, &param("created_at"), scope)?.unwrap_or(later);
        let updated_at = time(self.updated_at, &param("updated_at"), scope)?.unwrap_or(created_at);
        // Elsewhere it may be the end of a code that was good for some minutes more.
        let proven_at = self.proof.as_ref().and_then(|proof| proof.expire_at).filter(|at| *at > 0).map(|at| at.min(scope.now));
        Ok(Common {
            id: id.map_or_else(|| IdentificationId::new(scope.now, &scope.app.rng), IdentificationId::from),
            strategy,
            attempts: proof.and_then(|proof| proof.attempts),
            proven_at: proven_at.unwrap_or(updated_at),
            created_at,
            updated_at,
        })
    }
}

fn common(scope: &Scope, n: usize, kind: &str, it: &ImportedIdentifier, user: &UserRecord) -> Result<Common, ApiError> {
    let (created_at, updated_at) = (it.created_at, it.updated_at);
    Given { at: (kind, n), id: ("id", &it.id), proof: &it.verification, created_at, updated_at }.read(scope, user)
}

/// Reads the identifiers of a kind. `read` answers what it is compared by, beside the record.
fn each<T>(
    kind: &str,
    given: &Option<Vec<ImportedIdentifier>>,
    read: impl Fn(usize, &ImportedIdentifier) -> Result<(String, T), ApiError>,
) -> Result<Vec<T>, ApiError> {
    let given = given.as_deref().unwrap_or_default();
    if given.len() > MAX_IDENTIFIERS {
        return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param(kind));
    }
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(given.len());
    for (n, it) in given.iter().enumerate() {
        let (key, record) = read(n, it)?;
        if !seen.insert(key) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param(format!("{kind}[{n}]")));
        }
        out.push(record);
    }
    Ok(out)
}

pub(super) fn emails(scope: &Scope, row: &ImportedUser, user: &UserRecord) -> Result<Vec<EmailRecord>, ApiError> {
    each("email_addresses", &row.email_addresses, |n, it| {
        let email = read_email(&it.value).map_err(|error| error.param(format!("email_addresses[{n}]")))?;
        let Common { id, strategy, attempts, proven_at, created_at, updated_at } = common(scope, n, "email_addresses", it, user)?;
        let record = EmailRecord {
            id,
            user_id: user.id.clone(),
            address: email.address,
            address_key: email.key.clone(),
            verified: strategy.is_some(),
            reserved: strategy.is_none() && it.reserved == Some(true),
            verified_at: strategy.is_some().then_some(proven_at),
            strategy,
            attempts,
            created_at,
            updated_at,
        };
        Ok((email.key, record))
    })
}

pub(super) fn phones(scope: &Scope, row: &ImportedUser, user: &UserRecord) -> Result<Vec<PhoneRecord>, ApiError> {
    each("phone_numbers", &row.phone_numbers, |n, it| {
        let param = format!("phone_numbers[{n}]");
        let unfit = || ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(&param).long("Not a valid number in international form.");
        // To which countries messages are sent is asked when one is.
        let phone = Phone::parse(&it.value).ok_or_else(unfit)?;
        let Common { id, strategy, attempts, proven_at, created_at, updated_at } = common(scope, n, "phone_numbers", it, user)?;
        let second_factor = strategy.is_some() && it.reserved_for_second_factor == Some(true);
        let record = PhoneRecord {
            id,
            user_id: user.id.clone(),
            number: phone.as_str().to_owned(),
            verified: strategy.is_some(),
            reserved: strategy.is_none() && it.reserved == Some(true),
            verified_at: strategy.is_some().then_some(proven_at),
            strategy,
            attempts,
            second_factor,
            default_second_factor: second_factor && it.default_second_factor == Some(true),
            created_at,
            updated_at,
        };
        Ok((record.number.clone(), record))
    })
}

pub(super) fn wallets(scope: &Scope, row: &ImportedUser, user: &UserRecord) -> Result<Vec<WalletRecord>, ApiError> {
    each("web3_wallets", &row.web3_wallets, |n, it| {
        let address = read_wallet(&it.value).map_err(|error| error.param(format!("web3_wallets[{n}]")))?;
        let Common { id, strategy, proven_at, created_at, updated_at, .. } = common(scope, n, "web3_wallets", it, user)?;
        let record = WalletRecord {
            id,
            user_id: user.id.clone(),
            address: address.as_str().to_owned(),
            verified: strategy.is_some(),
            verified_at: strategy.is_some().then_some(proven_at),
            strategy,
            created_at,
            updated_at,
        };
        Ok((record.address.clone(), record))
    })
}
