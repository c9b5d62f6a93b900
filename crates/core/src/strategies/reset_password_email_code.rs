use super::{Answer, Attempt, Grants, Prepare, Proven, Strategy, attempt_code, email_code_for, email_factors};
use crate::instance::Instance;
use crate::settings::Presence;
use crate::verification::NewCode;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// A code that lets the user choose a new password. A second factor is still asked for afterwards.
pub(super) struct ResetPasswordEmailCode;

impl Strategy for ResetPasswordEmailCode {
    fn name(&self) -> &'static str {
        "reset_password_email_code"
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let usable = instance.settings.attributes.password != Presence::Off;
        if usable { email_factors(self.name(), user) } else { Vec::new() }
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(email_code_for(with, self.name()))
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(attempt_code(with, self.name(), Grants::NewPassword))
    }
}
