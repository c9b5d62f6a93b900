use super::{Answer, Attempt, Grants, Prepare, Proven, Strategy, attempt_code, phone_code_for, phone_factors};
use crate::instance::Instance;
use crate::settings::Presence;
use crate::verification::NewCode;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

const NAME: &str = "phone_code";

/// A code that is sent to one of the user's numbers.
pub(super) struct PhoneCode;

/// The same as a second factor, to a number that is kept for it.
pub(super) struct SecondPhoneCode;

impl Strategy for PhoneCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let attributes = &instance.settings.attributes;
        let usable = attributes.phone_code && attributes.phone_number != Presence::Off;
        if usable { phone_factors(NAME, user, false) } else { Vec::new() }
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(phone_code_for(with, NAME, false))
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(attempt_code(with, NAME, Grants::SignIn))
    }
}

impl Strategy for SecondPhoneCode {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A number that is kept counts, even when new ones may no longer be: a setting must not take a lock off.
    fn factors(&self, _: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        phone_factors(NAME, user, true)
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(phone_code_for(with, NAME, true))
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(attempt_code(with, NAME, Grants::SignIn))
    }
}
