use super::{Answer, Attempt, Factor, Prepare, Proven, Strategy, chosen_email, email_factors};
use crate::email_link::{self, STRATEGY};
use crate::instance::Instance;
use crate::verification::NewCode;
use doorward_base::*;
use doorward_store::users::UserWithEmails;

/// A link that is sent to one of the user's addresses. Opening it is the proof: nothing is entered here.
pub(super) struct EmailLink;

impl Strategy for EmailLink {
    fn name(&self) -> &'static str {
        STRATEGY
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        if instance.settings.attributes.email_link { email_factors(STRATEGY, user) } else { Vec::new() }
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(async move {
            let (id, email) = chosen_email(&with)?;
            let redirect = with.params.redirect_url.as_deref();
            let words = ("magic_link_sign_in", with.user.user.locale.as_deref());
            let link = email_link::new_link(with.scope, with.owner, &email, redirect, words).await?;
            Ok(link.about(&with.user.user.id, &id))
        })
    }

    fn attempt<'a>(&'a self, _: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async { Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")) })
    }
}
