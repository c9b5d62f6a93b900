//! Addresses and numbers that a server has reserved for a user: theirs alone, and not proven yet. What is sent to one proves it, and
//! signs in, as long as nobody can have been in the account by anything else: whoever was may have named a stranger's address, and
//! a stranger who proves it must not find themselves in an account that is somebody's (fault 45).

use crate::app::{Scope, internal};
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::users::{self, EmailRecord, PhoneRecord, UserWithEmails};

/// Whether what is sent to an address says who somebody is.
pub(crate) fn email_proves(user: &UserWithEmails, it: &EmailRecord) -> bool {
    it.verified || it.reserved && is_unentered(user)
}

/// The same of a number.
pub(crate) fn phone_proves(user: &UserWithEmails, it: &PhoneRecord) -> bool {
    it.verified || it.reserved && is_unentered(user)
}

/// Whether nobody signed in yet, or can have but by what is reserved.
fn is_unentered(it: &UserWithEmails) -> bool {
    let entered = it.user.password_hash.is_some()
        || !it.passkeys.is_empty()
        || it.external_accounts.iter().any(|it| it.status == "verified")
        || it.emails.iter().any(|it| it.verified)
        || it.phones.iter().any(|it| it.verified)
        || it.wallets.iter().any(|it| it.verified);
    it.user.last_sign_in_at.is_none() || !entered
}

/// What is about to be proven for the first time.
#[derive(Clone, Debug)]
pub(crate) struct FirstProof {
    what: Reserved,
    /// Whether it takes the place of a primary one that is not proven either.
    primary: bool,
}

#[derive(Clone, Debug)]
enum Reserved {
    Email(EmailRecord),
    Phone(PhoneRecord),
}

impl FirstProof {
    /// Of what a code or a link went to, or a provider has proven: an address as it is compared, or a number. None when the user
    /// has it proven already.
    pub(crate) fn of(scope: &Scope, user: &UserWithEmails, target: &str, by: &str, attempts: i64) -> Option<Self> {
        let by = by.strip_prefix("reset_password_").unwrap_or(by);
        if let Some(email) = user.emails.iter().find(|it| it.reserved && it.address_key == target) {
            let id = user.user.primary_email_address_id.as_ref();
            let primary = !user.emails.iter().any(|it| Some(&it.id) == id && it.verified);
            let what = Reserved::Email(super::email_addresses::proven(scope, email.clone(), by, Some(attempts)));
            return Some(Self { what, primary });
        }
        let phone = user.phones.iter().find(|it| it.reserved && it.number == target)?;
        let id = user.user.primary_phone_number_id.as_ref();
        let primary = !user.phones.iter().any(|it| Some(&it.id) == id && it.verified);
        let what = Reserved::Phone(super::phone_numbers::as_proven(scope, phone.clone(), by, Some(attempts)));
        Some(Self { what, primary })
    }

    /// Writes it. A password goes: nobody has shown that it is theirs. What was proven or given up meanwhile is left alone.
    pub(crate) async fn write(&self, scope: &Scope, tx: &mut Tx, user: &UserId) -> Result<(), ApiError> {
        let ins = scope.ins();
        let done = match &self.what {
            Reserved::Email(it) => users::prove_reserved_email(tx, ins, it, self.primary).await,
            Reserved::Phone(it) => users::prove_reserved_phone(tx, ins, it, self.primary).await,
        };
        if !done.map_err(internal)? {
            return Ok(());
        }
        users::drop_password(tx, ins, user, scope.now).await.map_err(internal)?;
        users::touch(tx, ins, user, scope.now).await.map(drop).map_err(internal)
    }
}
