//! Which users to list, and in which order.

use doorward_base::*;

/// Which users to list: several values of one filter are alternatives, several filters must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Addresses, as they are compared.
    pub address_keys: Vec<String>,
    /// Phone numbers.
    pub phone_numbers: Vec<String>,
    /// Wallets.
    pub wallets: Vec<String>,
    /// Accounts at another provider: the strategy, and the provider's names of them.
    pub accounts: Option<(String, Vec<String>)>,
    /// User names, as they are compared.
    pub username_keys: Vec<String>,
    /// Ids of the app's own.
    pub external_ids: Vec<String>,
    /// None of these ids of the app's own.
    pub not_external_ids: Vec<String>,
    /// Ids.
    pub user_ids: Vec<String>,
    /// None of these ids.
    pub not_user_ids: Vec<String>,
    /// Each of these texts is found there, in any case of letters.
    pub found: Vec<(TextIn, String)>,
    /// Banned or not.
    pub banned: Option<bool>,
    /// Times: (column, operator, value).
    pub times: Vec<(TimeColumn, TimeOp, Timestamp)>,
    /// Nobody: a filter on something that no user of this instance can have.
    pub nobody: bool,
}

impl UserFilter {
    /// Whether it lets everybody through.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it names the users that it lets through, so that there are few.
    pub(super) fn names_users(&self) -> bool {
        let named = [&self.address_keys, &self.phone_numbers, &self.wallets, &self.username_keys, &self.external_ids, &self.user_ids];
        named.iter().any(|it| !it.is_empty()) || self.accounts.is_some()
    }
}

/// Where a text is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextIn {
    /// In any text that identifies a user; ids and ids of the app's own are found by their beginning.
    Any,
    /// In an address.
    EmailAddress,
    /// In a phone number.
    PhoneNumber,
    /// In the user name.
    Username,
    /// In the first and last name with a space between them.
    Name,
}

/// A time by which users are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeColumn {
    /// When the user was last seen.
    LastActiveAt,
    /// When the user was created.
    CreatedAt,
    /// When the user last signed in.
    LastSignInAt,
}

/// How a time is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeOp {
    /// Before.
    Before,
    /// After.
    After,
    /// At or after.
    Since,
}

/// By what users are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrder {
    /// When the user was created.
    CreatedAt,
    /// When the user last changed.
    UpdatedAt,
    /// The primary address.
    EmailAddress,
    /// The primary number.
    PhoneNumber,
    /// The primary wallet.
    Web3Wallet,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// The user name.
    Username,
    /// When the user last signed in.
    LastSignInAt,
    /// When the user was last seen.
    LastActiveAt,
}

impl UserOrder {
    /// What rows are ordered by: a missing value comes before all others. Each has an index.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::CreatedAt => "u.created_at",
            Self::UpdatedAt => "u.updated_at",
            Self::EmailAddress => "COALESCE(u.primary_email_key, '')",
            Self::PhoneNumber => "COALESCE(u.primary_phone, '')",
            Self::Web3Wallet => "COALESCE(u.primary_web3_wallet, '')",
            Self::FirstName => "COALESCE(u.first_name, '')",
            Self::LastName => "COALESCE(u.last_name, '')",
            Self::Username => "COALESCE(u.username_key, '')",
            Self::LastSignInAt => "COALESCE(u.last_sign_in_at, -1)",
            Self::LastActiveAt => "COALESCE(u.last_active_at, -1)",
        }
    }
}

/// A text with a pattern's own characters escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// `%text%` with the pattern's own characters escaped.
pub(crate) fn pattern(text: &str) -> String {
    format!("%{}%", escaped(text))
}
