use super::{Answer, Attempt, Grants, Prepare, Proven, Strategy, attempt_code, phone_code_for, phone_factors};
use crate::instance::Instance;
use crate::settings::Presence;
use crate::verification::NewCode;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// A code to a number that lets the user choose a new password. A second factor is still asked for afterwards.
pub(super) struct ResetPasswordPhoneCode;

impl Strategy for ResetPasswordPhoneCode {
    fn name(&self) -> &'static str {
        "reset_password_phone_code"
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let attributes = &instance.settings.attributes;
        let usable = attributes.password != Presence::Off && attributes.phone_number != Presence::Off;
        if usable { phone_factors(self.name(), user, false) } else { Vec::new() }
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(phone_code_for(with, self.name(), false))
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(attempt_code(with, self.name(), Grants::NewPassword))
    }
}
