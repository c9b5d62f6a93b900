//! Addresses and numbers that a server has reserved for a user: the first proof that signs the user in by one makes it proven.

use crate::app::{Scope, internal};
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::users::{self, EmailRecord, PhoneRecord, UserWithEmails};

/// What is about to be proven for the first time.
#[derive(Clone, Debug)]
pub(crate) enum FirstProof {
    /// An address.
    Email(EmailRecord),
    /// A number.
    Phone(PhoneRecord),
}

impl FirstProof {
    /// Of what a code or a link went to, or a provider has proven: an address as it is compared, or a number. None when the user
    /// has it proven already.
    pub(crate) fn of(scope: &Scope, user: &UserWithEmails, target: &str, by: &str, attempts: i64) -> Option<Self> {
        let by = by.strip_prefix("reset_password_").unwrap_or(by);
        let email = user.emails.iter().find(|it| it.reserved && it.address_key == target);
        let email = email.map(|it| Self::Email(super::email_addresses::proven(scope, it.clone(), by, Some(attempts))));
        let phone = || user.phones.iter().find(|it| it.reserved && it.number == target);
        email.or_else(|| phone().map(|it| Self::Phone(super::phone_numbers::as_proven(scope, it.clone(), by, Some(attempts)))))
    }

    /// Writes it. Nothing happens to what was proven or removed meanwhile.
    pub(crate) async fn write(&self, scope: &Scope, tx: &mut Tx, user: &UserId) -> Result<(), ApiError> {
        match self {
            Self::Email(it) => users::prove_email(tx, scope.ins(), it).await,
            Self::Phone(it) => users::prove_phone(tx, scope.ins(), it).await,
        }
        .map_err(internal)?;
        users::touch(tx, scope.ins(), user, scope.now).await.map(drop).map_err(internal)
    }
}
