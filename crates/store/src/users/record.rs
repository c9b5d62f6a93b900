//! Users and their addresses as rows.

use super::{PhoneRecord, WalletRecord};
use crate::db::{Row, StoreError};
use crate::external_accounts::ExternalAccountRecord;
use crate::passkeys::PasskeyRecord;
use doorward_base::*;

/// A user as it is kept. Metadata is JSON text.
#[derive(Clone, Debug, Default)]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// The app's own id.
    pub external_id: Option<String>,
    /// The user name as the user wrote it.
    pub username: Option<String>,
    /// The user name as it is compared.
    pub username_key: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// BCP 47 tag of the user's language.
    pub locale: Option<String>,
    /// The address that is shown and written to.
    pub primary_email_address_id: Option<IdentificationId>,
    /// That address as it is compared: what the list is ordered by.
    pub primary_email_key: Option<String>,
    /// The number that is shown and written to.
    pub primary_phone_number_id: Option<IdentificationId>,
    /// That number: what the list is ordered by.
    pub primary_phone: Option<String>,
    /// Whether the user ever had a number.
    pub has_phone_numbers: bool,
    /// The wallet that is shown.
    pub primary_web3_wallet_id: Option<IdentificationId>,
    /// Its address.
    pub primary_web3_wallet: Option<String>,
    /// Whether the user ever had a wallet.
    pub has_web3_wallets: bool,
    /// Whether there may be passkeys: it stays when the last one is removed.
    pub has_passkeys: bool,
    /// Whether there may be accounts at other providers: it stays when the last one is removed.
    pub has_external_accounts: bool,
    /// The password's hash, in PHC form or in a foreign one.
    pub password_hash: Option<String>,
    /// Whether the password is known to others, so that another has to be chosen.
    pub password_compromised: bool,
    /// When the password last changed.
    pub password_updated_at: Option<Timestamp>,
    /// Metadata for all to read.
    pub public_metadata: String,
    /// Metadata for the backend.
    pub private_metadata: String,
    /// Metadata for the browser.
    pub unsafe_metadata: String,
    /// Whether the user is kept out.
    pub banned: bool,
    /// Wrong guesses since the last right one.
    pub failed_attempts: i64,
    /// Until when the account is closed.
    pub locked_until: Option<Timestamp>,
    /// Whether the user may delete the account.
    pub delete_self_enabled: bool,
    /// Whether the user may create organizations.
    pub create_organization_enabled: bool,
    /// How many.
    pub create_organizations_limit: Option<i64>,
    /// When the legal terms were accepted.
    pub legal_accepted_at: Option<Timestamp>,
    /// Whether a new device is trusted without a further proof.
    pub bypass_client_trust: bool,
    /// Whether an authenticator app is enrolled.
    pub totp_enabled: bool,
    /// Whether backup codes are left.
    pub backup_codes_enabled: bool,
    /// When the first second factor was enrolled.
    pub mfa_enabled_at: Option<Timestamp>,
    /// When the last second factor was removed.
    pub mfa_disabled_at: Option<Timestamp>,
    /// The picture that the user chose.
    pub image_id: Option<ImageId>,
    /// When the user last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the user was last seen.
    pub last_active_at: Option<Timestamp>,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user last changed.
    pub updated_at: Timestamp,
}

/// An e-mail address as it is kept.
#[derive(Clone, Debug, Default)]
pub struct EmailRecord {
    /// The identifier's id.
    pub id: IdentificationId,
    /// Whose it is.
    pub user_id: UserId,
    /// As the user wrote it.
    pub address: String,
    /// As it is compared.
    pub address_key: String,
    /// Whether it was proven.
    pub verified: bool,
    /// Whether it is kept for the user by a server's word until it is proven, which ends that.
    pub reserved: bool,
    /// What proved it.
    pub strategy: Option<String>,
    /// With how many tries.
    pub attempts: Option<i64>,
    /// When.
    pub verified_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl EmailRecord {
    /// Whether it is the user's alone and signs them in. At most one user holds a given address.
    pub fn is_held(&self) -> bool {
        self.verified || self.reserved
    }
}

/// A user with all addresses, numbers, wallets, passkeys and accounts at other providers.
#[derive(Clone, Debug, Default)]
pub struct UserWithEmails {
    /// The user.
    pub user: UserRecord,
    /// The addresses, the oldest first.
    pub emails: Vec<EmailRecord>,
    /// The phone numbers, the oldest first.
    pub phones: Vec<PhoneRecord>,
    /// The wallets, the oldest first.
    pub wallets: Vec<WalletRecord>,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<PasskeyRecord>,
    /// The accounts at other providers, the oldest first.
    pub external_accounts: Vec<ExternalAccountRecord>,
}

pub(super) fn user(row: &Row) -> Result<UserRecord, StoreError> {
    Ok(UserRecord {
        id: row.id("id")?,
        external_id: row.opt_text("external_id")?,
        username: row.opt_text("username")?,
        username_key: row.opt_text("username_key")?,
        first_name: row.opt_text("first_name")?,
        last_name: row.opt_text("last_name")?,
        locale: row.opt_text("locale")?,
        primary_email_address_id: row.opt_id("primary_email_address_id")?,
        primary_email_key: row.opt_text("primary_email_key")?,
        primary_phone_number_id: row.opt_id("primary_phone_number_id")?,
        primary_phone: row.opt_text("primary_phone")?,
        has_phone_numbers: row.flag("has_phone_numbers")?,
        primary_web3_wallet_id: row.opt_id("primary_web3_wallet_id")?,
        primary_web3_wallet: row.opt_text("primary_web3_wallet")?,
        has_web3_wallets: row.flag("has_web3_wallets")?,
        has_passkeys: row.flag("has_passkeys")?,
        has_external_accounts: row.flag("has_external_accounts")?,
        password_hash: row.opt_text("password_hash")?,
        password_compromised: row.flag("password_compromised")?,
        password_updated_at: row.opt_int("password_updated_at")?,
        public_metadata: row.text("public_metadata")?,
        private_metadata: row.text("private_metadata")?,
        unsafe_metadata: row.text("unsafe_metadata")?,
        banned: row.flag("banned")?,
        failed_attempts: row.int("failed_attempts")?,
        locked_until: row.opt_int("locked_until")?,
        delete_self_enabled: row.flag("delete_self_enabled")?,
        create_organization_enabled: row.flag("create_organization_enabled")?,
        create_organizations_limit: row.opt_int("create_organizations_limit")?,
        legal_accepted_at: row.opt_int("legal_accepted_at")?,
        bypass_client_trust: row.flag("bypass_client_trust")?,
        totp_enabled: row.flag("totp_enabled")?,
        backup_codes_enabled: row.flag("backup_codes_enabled")?,
        mfa_enabled_at: row.opt_int("mfa_enabled_at")?,
        mfa_disabled_at: row.opt_int("mfa_disabled_at")?,
        image_id: row.opt_id("image_id")?,
        last_sign_in_at: row.opt_int("last_sign_in_at")?,
        last_active_at: row.opt_int("last_active_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}

pub(super) fn email(row: &Row) -> Result<EmailRecord, StoreError> {
    Ok(EmailRecord {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        address: row.text("address")?,
        address_key: row.text("address_key")?,
        verified: row.flag("verified")?,
        reserved: row.flag("reserved")?,
        strategy: row.opt_text("strategy")?,
        attempts: row.opt_int("attempts")?,
        verified_at: row.opt_int("verified_at")?,
        created_at: row.int("created_at")?,
        updated_at: row.int("updated_at")?,
    })
}
