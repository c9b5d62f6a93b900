//! Users and what belongs to them, as the wire has them.

use crate::app::Scope;
use crate::{images, oauth, passkeys, strategies, web3};
use doorward_base::*;
use doorward_store::passkeys::PasskeyRecord;
use doorward_store::users::{EmailRecord, PhoneRecord, UserWithEmails, WalletRecord};
use doorward_wire::Object;
use doorward_wire::fapi::SignInUserData;
use doorward_wire::resource::{EmailAddress, Passkey, PhoneNumber, PublicUserData, User, Verification, Web3Wallet};

/// Who will see it: private metadata is for the backend only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A browser or app.
    Frontend,
    /// A server with a secret key.
    Backend,
}

pub(super) fn object(text: &str) -> Object {
    serde_json::from_str(text).unwrap_or_default()
}

/// How the proof of an identifier shows.
pub(super) fn proof_view(strategy: &Option<String>, verified: bool, attempts: Option<i64>, at: Option<Timestamp>) -> Option<Verification> {
    strategy.as_ref().map(|strategy| Verification {
        object: match strategy.as_str() {
            "admin" => "verification_admin",
            "email_link" => "verification_email_link",
            "ticket" => "verification_ticket",
            name if web3::chain_of(name).is_some() => "verification_web3",
            name if name.starts_with("from_") => "verification_from_oauth",
            _ => "verification_otp",
        }
        .to_owned(),
        status: if verified { "verified" } else { "unverified" }.to_owned(),
        strategy: strategy.clone(),
        attempts,
        expire_at: at,
        ..Verification::default()
    })
}

pub(super) fn email_view(user: &UserWithEmails, record: &EmailRecord) -> EmailAddress {
    EmailAddress {
        object: "email_address".to_owned(),
        id: record.id.clone(),
        email_address: record.address.clone(),
        reserved: record.reserved,
        verification: proof_view(&record.strategy, record.verified, record.attempts, record.verified_at),
        linked_to: oauth::linked_to(user, record),
        matches_sso_connection: false,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

pub(super) fn phone_view(record: &PhoneRecord) -> PhoneNumber {
    PhoneNumber {
        object: "phone_number".to_owned(),
        id: record.id.clone(),
        phone_number: record.number.clone(),
        reserved_for_second_factor: record.second_factor,
        default_second_factor: record.default_second_factor,
        reserved: record.reserved,
        verification: proof_view(&record.strategy, record.verified, record.attempts, record.verified_at),
        linked_to: Vec::new(),
        backup_codes: None,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

pub(super) fn wallet_view(record: &WalletRecord) -> Web3Wallet {
    Web3Wallet {
        object: "web3_wallet".to_owned(),
        id: record.id.clone(),
        web3_wallet: record.address.clone(),
        verification: proof_view(&record.strategy, record.verified, record.verified.then_some(1), record.verified_at),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

/// Servers read a time where a browser may read null.
fn passkey_view(record: &PasskeyRecord, audience: Audience) -> Passkey {
    let shown = passkeys::view(record);
    let used = shown.last_used_at.or((audience == Audience::Backend).then_some(shown.created_at));
    Passkey { last_used_at: used, ..shown }
}

/// A user as the wire has it.
pub fn view(scope: &Scope, it: &UserWithEmails, audience: Audience) -> User {
    let (user, lockout) = (&it.user, &scope.instance.settings.attack_protection);
    let locked_for = user.locked_until.map(|until| (until - scope.now + 999) / 1000).filter(|seconds| *seconds > 0);
    let private = audience == Audience::Backend;
    User {
        object: "user".to_owned(),
        id: user.id.clone(),
        external_id: user.external_id.clone(),
        primary_email_address_id: user.primary_email_address_id.clone(),
        primary_phone_number_id: user.primary_phone_number_id.clone(),
        primary_web3_wallet_id: user.primary_web3_wallet_id.clone(),
        username: user.username.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        locale: user.locale.clone(),
        profile_image_url: images::url_of(scope, it),
        image_url: images::url_of(scope, it),
        has_image: user.image_id.is_some(),
        public_metadata: object(&user.public_metadata),
        private_metadata: private.then(|| object(&user.private_metadata)),
        unsafe_metadata: object(&user.unsafe_metadata),
        email_addresses: it.emails.iter().map(|email| email_view(it, email)).collect(),
        phone_numbers: it.phones.iter().map(phone_view).collect(),
        web3_wallets: it.wallets.iter().map(wallet_view).collect(),
        passkeys: it.passkeys.iter().map(|record| passkey_view(record, audience)).collect(),
        external_accounts: it.external_accounts.iter().map(oauth::view).collect(),
        saml_accounts: Vec::new(),
        enterprise_accounts: Vec::new(),
        organization_memberships: Vec::new(),
        password_enabled: user.password_hash.is_some(),
        two_factor_enabled: !strategies::second_factors(&scope.instance, it).is_empty(),
        totp_enabled: user.totp_enabled,
        backup_code_enabled: user.backup_codes_enabled,
        mfa_enabled_at: user.mfa_enabled_at,
        mfa_disabled_at: user.mfa_disabled_at,
        password_last_updated_at: user.password_updated_at,
        last_sign_in_at: user.last_sign_in_at,
        banned: user.banned,
        locked: locked_for.is_some(),
        deprovisioned: false,
        lockout_expires_in_seconds: locked_for,
        verification_attempts_remaining: lockout.lockout.then(|| {
            let used = if user.locked_until.is_some_and(|until| until <= scope.now) { 0 } else { user.failed_attempts };
            if locked_for.is_some() { 0 } else { (lockout.max_attempts - used).max(0) }
        }),
        delete_self_enabled: user.delete_self_enabled,
        create_organization_enabled: user.create_organization_enabled,
        create_organizations_limit: user.create_organizations_limit,
        last_active_at: user.last_active_at,
        legal_accepted_at: user.legal_accepted_at,
        bypass_client_trust: user.bypass_client_trust,
        created_at: user.created_at,
        updated_at: user.updated_at,
    }
}

/// What others may see of a user.
pub fn public_view(scope: &Scope, it: &UserWithEmails) -> PublicUserData {
    PublicUserData {
        first_name: it.user.first_name.clone(),
        last_name: it.user.last_name.clone(),
        image_url: images::url_of(scope, it),
        has_image: it.user.image_id.is_some(),
        profile_image_url: images::url_of(scope, it),
        identifier: identifier(it),
        user_id: Some(it.user.id.clone()),
        username: it.user.username.clone(),
    }
}

/// What a sign-in may show of a user before it is complete.
pub fn sign_in_view(scope: &Scope, it: &UserWithEmails) -> SignInUserData {
    SignInUserData {
        first_name: it.user.first_name.clone(),
        last_name: it.user.last_name.clone(),
        image_url: images::url_of(scope, it),
        has_image: it.user.image_id.is_some(),
        profile_image_url: images::url_of(scope, it),
    }
}

pub(crate) fn identifier(it: &UserWithEmails) -> String {
    let primary = it.emails.iter().find(|email| Some(&email.id) == it.user.primary_email_address_id.as_ref());
    let phone = it.phones.iter().find(|phone| Some(&phone.id) == it.user.primary_phone_number_id.as_ref());
    let address = primary.or(it.emails.first()).map(|email| email.address.clone());
    let wallet = || it.wallets.first().map(|wallet| wallet.address.clone());
    let other = || phone.map(|phone| phone.number.clone()).or_else(|| it.user.username.clone()).or_else(wallet);
    address.or_else(other).unwrap_or_default()
}
