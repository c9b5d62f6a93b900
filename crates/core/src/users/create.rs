//! A server creates a user.

use super::email_addresses::read_email;
use super::factors::GivenFactors;
use super::input::{self, Given, PasswordInput};
use super::metadata::Metadata;
use super::{NewEmail, NewIdentifiers, NewPhone, NewWallet, blank, first_taken, insert, load, read_phone, read_wallet};
use crate::app::{Scope, internal};
use crate::settings::Presence;
use doorward_base::*;
use doorward_store::users::{self, Held, UserRecord, UserWithEmails};
use doorward_wire::bapi::CreateUser;
use std::collections::HashSet;

/// The most addresses that a user can be created with.
const MAX_EMAILS: usize = 100;
/// The most wallets.
const MAX_WALLETS: usize = 100;
/// The most numbers.
const MAX_PHONES: usize = 100;

/// Creates a user. Addresses count as proven, unless they are to be reserved only.
///
/// # Errors
/// The `form_*` codes naming the parameter: what is not valid, missing for this instance, or taken.
pub async fn create(scope: &Scope, req: &CreateUser) -> Result<UserWithEmails, ApiError> {
    let factors = GivenFactors::read(scope, req.totp_secret.as_deref(), req.backup_codes.as_deref())?;
    let emails = emails(req.email_address.as_deref(), req.email_address_identification_status.as_deref())?;
    let phones = phones(scope, req.phone_number.as_deref(), req.phone_number_identification_status.as_deref())?;
    let wallets = wallets(req.web3_wallet.as_deref())?;
    let username = input::username(scope, req.username.as_deref())?;
    let password = PasswordInput::read(&req.password, &req.password_digest, &req.password_hasher, req.skip_password_checks)?;
    password.check(scope).await?;
    let mut user = profile(scope, req)?;
    let given = Given {
        email: !emails.is_empty(),
        phone: !phones.is_empty(),
        wallet: !wallets.is_empty(),
        username: username.is_some(),
        first_name: user.first_name.is_some(),
        last_name: user.last_name.is_some(),
        password: password.given(),
    };
    check_attributes(scope, req, &user, &given)?;
    let (username_key, external_id) = (username.as_ref().map(|name| name.key.clone()), user.external_id.clone());
    let free = async || first_taken(scope, None, username_key.as_deref(), external_id.as_deref()).await;
    free().await?;
    check_free(scope, &emails, &phones, &wallets).await?;
    user.password_hash = password.hash(scope).await?;
    user.password_updated_at = user.password_hash.as_ref().map(|_| scope.now);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    match insert(scope, &mut tx, user, NewIdentifiers { username, emails, phones, wallets }).await {
        Ok(made) => {
            factors.write(scope, &mut tx, &made.user.id).await?;
            tx.commit().await.map_err(internal)?;
            if factors.is_empty() { Ok(made) } else { load(scope, &made.user.id).await }
        }
        Err(error) => {
            // Somebody else was faster. The row alone does not tell whether the user name or the id was taken.
            drop(tx);
            let known = matches!(error.meta().param_name.as_deref(), Some("email_address" | "phone_number" | "web3_wallet"));
            if error.code() == codes::FORM_IDENTIFIER_EXISTS && !known {
                free().await?;
            }
            Err(error)
        }
    }
}

/// The addresses of a new user, each with whether it counts as proven.
fn emails(addresses: Option<&[String]>, statuses: Option<&[String]>) -> Result<Vec<NewEmail>, ApiError> {
    let (addresses, statuses) = (addresses.unwrap_or_default(), statuses.unwrap_or_default());
    let strategies = strategies("email_address", addresses.len(), MAX_EMAILS, statuses)?;
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(addresses.len());
    for (text, strategy) in addresses.iter().zip(strategies) {
        let email = read_email(text)?;
        if !seen.insert(email.key.clone()) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param("email_address"));
        }
        out.push(NewEmail { email, strategy, attempts: None });
    }
    Ok(out)
}

/// What proved each of so many identifiers of a kind: the caller's word, unless they are to be reserved only.
fn strategies(kind: &str, count: usize, most: usize, statuses: &[String]) -> Result<Vec<Option<String>>, ApiError> {
    let param = format!("{kind}_identification_status");
    if count > most {
        return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param(kind));
    }
    if !statuses.is_empty() && statuses.len() != count {
        let text = format!("{param} must have one entry for each {kind}.");
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param).long(text));
    }
    let strategy = |n| match statuses.get(n).map(String::as_str) {
        None | Some("verified") => Ok(Some("admin".to_owned())),
        Some("reserved") => Ok(None),
        Some(_) => Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param.clone())),
    };
    (0..count).map(strategy).collect()
}

/// The numbers of a new user, each with whether it counts as proven.
fn phones(scope: &Scope, numbers: Option<&[String]>, statuses: Option<&[String]>) -> Result<Vec<NewPhone>, ApiError> {
    let (numbers, statuses) = (numbers.unwrap_or_default(), statuses.unwrap_or_default());
    let strategies = strategies("phone_number", numbers.len(), MAX_PHONES, statuses)?;
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(numbers.len());
    for (text, strategy) in numbers.iter().zip(strategies) {
        let phone = read_phone(scope, text)?;
        if !seen.insert(phone.as_str().to_owned()) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param("phone_number"));
        }
        out.push(NewPhone { phone, strategy, attempts: None });
    }
    Ok(out)
}

/// The wallets of a new user.
fn wallets(addresses: Option<&[String]>) -> Result<Vec<NewWallet>, ApiError> {
    let addresses = addresses.unwrap_or_default();
    let strategies = strategies("web3_wallet", addresses.len(), MAX_WALLETS, &[])?;
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(addresses.len());
    for (text, strategy) in addresses.iter().zip(strategies) {
        let address = read_wallet(text)?;
        if !seen.insert(address.as_str().to_owned()) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param("web3_wallet"));
        }
        out.push(NewWallet { address, strategy: strategy.unwrap_or_default() });
    }
    Ok(out)
}

/// Everything of a new user but identifiers and password.
fn profile(scope: &Scope, req: &CreateUser) -> Result<UserRecord, ApiError> {
    let mut user = blank(scope);
    user.external_id = input::name(req.external_id.as_deref(), "external_id")?;
    user.first_name = input::name(req.first_name.as_deref(), "first_name")?;
    user.last_name = input::name(req.last_name.as_deref(), "last_name")?;
    user.locale = input::locale(req.locale.as_deref())?;
    user.create_organizations_limit = input::organizations_limit(req.create_organizations_limit)?;
    user.delete_self_enabled = req.delete_self_enabled.unwrap_or(user.delete_self_enabled);
    user.create_organization_enabled = req.create_organization_enabled.unwrap_or(user.create_organization_enabled);
    user.legal_accepted_at = input::past_time(req.legal_accepted_at.as_deref(), "legal_accepted_at", scope.now)?;
    user.created_at = input::past_time(req.created_at.as_deref(), "created_at", scope.now)?.unwrap_or(user.created_at);
    user.bypass_client_trust = req.bypass_client_trust == Some(true);
    user.banned = req.banned == Some(true);
    if req.locked == Some(true) && !scope.instance.settings.attack_protection.lockout {
        return Err(codes::FEATURE_NOT_ENABLED.into());
    }
    user.locked_until = (req.locked == Some(true)).then(|| super::lock_end(scope));
    let metadata =
        Metadata { public: req.public_metadata.as_ref(), private: req.private_metadata.as_ref(), unsafe_: req.unsafe_metadata.as_ref() };
    metadata.replace(&mut user)?;
    Ok(user)
}

/// Holds the user against what the instance takes and requires.
fn check_attributes(scope: &Scope, req: &CreateUser, user: &UserRecord, given: &Given) -> Result<(), ApiError> {
    let settings = &scope.instance.settings;
    let attributes = &settings.attributes;
    for (name, presence, given) in [
        ("email_address", attributes.email_address, given.email),
        ("phone_number", attributes.phone_number, given.phone),
        ("web3_wallet", attributes.web3_wallet, given.wallet),
        ("username", attributes.username, given.username),
        ("first_name", attributes.first_name, given.first_name),
        ("last_name", attributes.last_name, given.last_name),
    ] {
        input::taken_here(name, presence, given)?;
    }
    let skip_password = req.skip_password_requirement == Some(true);
    let by_email = attributes.email_code && attributes.email_address != Presence::Off;
    let by_phone = attributes.phone_code && attributes.phone_number != Presence::Off;
    let other_ways_in = by_email || by_phone || attributes.web3_wallet != Presence::Off;
    if skip_password && !given.password && attributes.password == Presence::Required && !other_ways_in {
        let why = "skip_password_requirement is not allowed: a password is the only way to sign in to this instance.";
        return Err(input::disallowed("skip_password_requirement", why.to_owned()));
    }
    let missing = input::missing(attributes, given, req.skip_user_requirement == Some(true), skip_password);
    if let Some(first) = missing.first() {
        let text = format!("The settings of this instance require {}.", missing.join(", "));
        return Err(ApiError::new(codes::FORM_DATA_MISSING).param(*first).long(text));
    }
    if settings.sign_up.legal_consent && user.legal_accepted_at.is_none() && req.skip_legal_checks != Some(true) {
        return Err(ApiError::new(codes::LEGAL_NOT_ACCEPTED).param("legal_accepted_at"));
    }
    Ok(())
}

/// An address, number or wallet that another user holds is taken. One that somebody has only named is not.
async fn check_free(scope: &Scope, emails: &[NewEmail], phones: &[NewPhone], wallets: &[NewWallet]) -> Result<(), ApiError> {
    let address_keys: Vec<String> = emails.iter().map(|new| new.email.key.clone()).collect();
    let phone_numbers: Vec<String> = phones.iter().map(|new| new.phone.as_str().to_owned()).collect();
    let wallets: Vec<String> = wallets.iter().map(|new| new.address.as_str().to_owned()).collect();
    for (param, kind, values) in [
        ("web3_wallet", Held::Wallets, wallets),
        ("email_address", Held::Emails, address_keys),
        ("phone_number", Held::Phones, phone_numbers),
    ] {
        if users::any_held(scope.db(), scope.ins(), kind, &values).await.map_err(internal)? {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(param));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(addresses: &[&str], statuses: &[&str]) -> Result<Vec<bool>, (&'static str, String)> {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let read = emails(Some(&owned(addresses)), Some(&owned(statuses)));
        read.map(|all| all.iter().map(|new| new.strategy.is_some()).collect())
            .map_err(|e| (e.code().code, e.meta().param_name.clone().unwrap_or_default()))
    }

    #[test]
    fn addresses_are_proven_unless_they_are_reserved() {
        assert_eq!(read(&["a@example.com", "b@example.com"], &[]), Ok(vec![true, true]));
        assert_eq!(read(&["a@example.com", "b@example.com"], &["reserved", "verified"]), Ok(vec![false, true]));
        let status = "email_address_identification_status".to_owned();
        assert_eq!(read(&["a@example.com"], &["verified", "verified"]), Err(("form_param_value_invalid", status.clone())));
        assert_eq!(read(&["a@example.com"], &["unverified"]), Err(("form_param_value_invalid", status)));
    }

    #[test]
    fn fault_043_and_044_one_address_each_and_none_twice() {
        let param = "email_address".to_owned();
        assert_eq!(read(&["a@example.com", "A@EXAMPLE.COM"], &[]), Err(("form_param_duplicate", param.clone())));
        for bad in ["a@example.com,b@example.com", "A <a@example.com>", "a", "", "a@example.com\r\nBcc: b@example.com"] {
            assert_eq!(read(&[bad], &[]), Err(("form_param_format_invalid", param.clone())), "{bad:?}");
        }
        let many: Vec<String> = (0..101).map(|n| format!("a{n}@example.com")).collect();
        assert_eq!(emails(Some(&many), None).err().unwrap().code().code, "form_param_array_size_exceeded");
    }
}
