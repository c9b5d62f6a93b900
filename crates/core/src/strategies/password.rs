use super::{Answer, Attempt, Grants, Proven, Strategy};
use crate::instance::Instance;
use crate::settings::Presence;
use doorward_base::*;
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::fapi::Factor;

/// The user's password.
pub(super) struct Password;

impl Strategy for Password {
    fn name(&self) -> &'static str {
        "password"
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let usable = instance.settings.attributes.password != Presence::Off && user.user.password_hash.is_some();
        let factor = Factor { strategy: self.name().to_owned(), ..Factor::default() };
        usable.then_some(factor).into_iter().collect()
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async move {
            let password = with.params.password().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("password"))?;
            let user = &with.user.user;
            let guess = crate::sign_in::take_guess(with.scope, user).await?;
            let verdict = with.scope.app.passwords.verify(password, user.password_hash.as_deref()).await?;
            let came = if verdict.matched { Ok(()) } else { Err(crate::sign_in::wrong_password(with.scope)) };
            guess.judged(with.scope, with.user, came).await?;
            if verdict.needs_rehash {
                rehash(&with, password).await;
            }
            Ok(Proven { grants: Grants::SignIn, consume: None, attempts: 1, both: false })
        })
    }
}

/// Replaces an imported hash by one of ours. The person is in already: a failure here is logged and left for next time.
async fn rehash(with: &Attempt<'_>, password: &Secret) {
    let Some(old) = with.user.user.password_hash.as_deref() else { return };
    let app = &with.scope.app;
    match app.passwords.hash(password, &app.rng).await {
        Ok(new) => {
            if let Err(error) = users::rehash(&app.db, with.scope.ins(), &with.user.user.id, old, &new).await {
                tracing::warn!(%error, "an imported password hash could not be replaced");
            }
        }
        Err(error) => tracing::warn!(%error, "an imported password hash could not be replaced"),
    }
}
