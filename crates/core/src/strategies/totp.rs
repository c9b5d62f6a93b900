use super::{Answer, Attempt, Consume, Grants, Proven, Strategy};
use crate::instance::Instance;
use crate::{sign_in, two_factor};
use doorward_base::*;
use doorward_store::second_factors;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// A code of the user's authenticator app (RFC 6238).
pub(super) struct Totp;

impl Strategy for Totp {
    fn name(&self) -> &'static str {
        "totp"
    }

    /// An app that is enrolled counts, even when new ones may no longer be: a setting must not take a lock off.
    fn factors(&self, _: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let factor = Factor { strategy: self.name().to_owned(), ..Factor::default() };
        user.user.totp_enabled.then_some(factor).into_iter().collect()
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async move {
            let code = with.params.code().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("code"))?;
            let guess = sign_in::take_guess(with.scope, &with.user.user).await?;
            let kept = second_factors::get_totp(with.scope.db(), with.scope.ins(), &with.user.user.id).await;
            let kept = kept.map_err(crate::internal)?.filter(|totp| totp.verified).ok_or(codes::NO_SECOND_FACTORS)?;
            let step = two_factor::matching_step(with.scope, &kept, code)?;
            let came = step.ok_or_else(|| ApiError::new(codes::FORM_CODE_INCORRECT).param("code"));
            let step = guess.judged(with.scope, with.user, came).await?;
            Ok(Proven { grants: Grants::SignIn, consume: Some(Consume::TotpStep(step)), attempts: 1, both: false })
        })
    }
}
