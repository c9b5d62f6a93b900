use super::{Answer, Attempt, Prepare, Proven, Strategy};
use crate::instance::Instance;
use crate::passkeys;
use crate::verification::NewCode;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// A signature of one of the user's passkeys.
pub(super) struct Passkey;

impl Strategy for Passkey {
    fn name(&self) -> &'static str {
        passkeys::STRATEGY
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let usable = instance.settings.attributes.passkey && !user.passkeys.is_empty();
        let factor = Factor { strategy: self.name().to_owned(), ..Factor::default() };
        usable.then_some(factor).into_iter().collect()
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(async move { passkeys::ask(with.scope, with.caller, with.owner, Some(with.user)) })
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async move {
            let json = with.params.public_key_credential.as_deref();
            let (_, proven) = passkeys::prove(with.scope, with.owner, with.verification, json, Some(with.user)).await?;
            Ok(proven)
        })
    }
}
