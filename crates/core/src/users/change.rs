//! What happens to a user's addresses and numbers within a larger change, in its transaction.

use crate::app::{Scope, internal};
use doorward_base::*;
use doorward_store::users::{self, EmailRecord, PhoneRecord, UserWithEmails};
use doorward_store::{StoreError, Tx, second_factors};

/// One such thing.
pub(super) enum Change {
    AddEmail(EmailRecord),
    ProveEmail(EmailRecord),
    UnproveEmail {
        id: IdentificationId,
        reserved: bool,
    },
    RemoveEmail(IdentificationId),
    AddPhone(PhoneRecord),
    ProvePhone(PhoneRecord),
    UnprovePhone {
        id: IdentificationId,
        reserved: bool,
    },
    RemovePhone(IdentificationId),
    /// Whether a proven number is kept for second factors and whether it is asked first, and what the user looks like then.
    SecondFactor {
        id: IdentificationId,
        uses: (bool, bool),
        after: Box<UserWithEmails>,
    },
}

impl Change {
    /// Keeps a number for second factors, or no longer. The first one is asked first.
    pub(super) fn second_factor(before: &UserWithEmails, id: &IdentificationId, second: bool) -> Self {
        let first = !before.phones.iter().any(|it| it.verified && it.second_factor && &it.id != id);
        let mut after = before.clone();
        after.phones.iter_mut().filter(|it| &it.id == id).for_each(|it| it.second_factor = second);
        Self::SecondFactor { id: id.clone(), uses: (second, second && first), after: Box::new(after) }
    }

    /// Keeps none of a user's numbers for second factors any longer.
    pub(super) fn no_second_factors(before: &UserWithEmails) -> impl Iterator<Item = Self> {
        let mut after = before.clone();
        after.phones.iter_mut().for_each(|it| it.second_factor = false);
        let seconds = before.phones.iter().filter(|it| it.second_factor);
        seconds.map(move |it| Self::SecondFactor { id: it.id.clone(), uses: (false, false), after: Box::new(after.clone()) })
    }

    /// # Errors
    /// `form_identifier_exists`, `identification_claimed` when somebody else has it; `resource_not_found` when it is gone.
    pub(super) async fn write(&self, scope: &Scope, tx: &mut Tx, user: &UserId) -> Result<(), ApiError> {
        let (ins, now) = (scope.ins(), scope.now);
        let (done, conflict, what, id) = match self {
            Self::AddEmail(it) => (users::insert_email(tx, ins, it).await.map(|()| true), taken("email_address"), "Email address", &it.id),
            Self::ProveEmail(it) => (users::prove_email(tx, ins, it).await, claimed(), "Email address", &it.id),
            Self::UnproveEmail { id, reserved } => {
                (users::unprove_email(tx, ins, user, id, *reserved, now).await, claimed(), "Email address", id)
            }
            Self::RemoveEmail(id) => (users::delete_email(tx, ins, user, id).await, claimed(), "Email address", id),
            Self::AddPhone(it) => (users::insert_phone(tx, ins, it).await.map(|()| true), taken("phone_number"), "Phone number", &it.id),
            Self::ProvePhone(it) => (users::prove_phone(tx, ins, it).await, claimed(), "Phone number", &it.id),
            Self::UnprovePhone { id, reserved } => {
                (users::unprove_phone(tx, ins, user, id, *reserved, now).await, claimed(), "Phone number", id)
            }
            Self::RemovePhone(id) => (users::delete_phone(tx, ins, user, id).await, claimed(), "Phone number", id),
            Self::SecondFactor { id, uses, after } => {
                let done = users::set_second_factor(tx, ins, user, id, *uses, now).await;
                if uses.0 {
                    second_factors::set_enrolled(tx, ins, user, true, now).await.map_err(internal)?;
                } else {
                    crate::two_factor::removed(scope, tx, after).await?;
                }
                (done, claimed(), "Phone number", id)
            }
        };
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(ApiError::not_found(what, id)),
            Err(StoreError::Conflict) => Err(conflict),
            Err(other) => Err(internal(other)),
        }
    }
}

fn taken(param: &str) -> ApiError {
    ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param(param)
}

fn claimed() -> ApiError {
    codes::IDENTIFICATION_CLAIMED.into()
}
