use super::{Answer, Attempt, Grants, Prepare, Proven, Strategy, attempt_code, email_code_for, email_factors};
use crate::instance::Instance;
use crate::verification::NewCode;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// A code that is sent to one of the user's addresses.
pub(super) struct EmailCode;

impl Strategy for EmailCode {
    fn name(&self) -> &'static str {
        "email_code"
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        if instance.settings.attributes.email_code { email_factors(self.name(), user) } else { Vec::new() }
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(email_code_for(with, self.name()))
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(attempt_code(with, self.name(), Grants::SignIn))
    }
}
