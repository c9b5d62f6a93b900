use super::{Answer, Attempt, Consume, Grants, Proven, Strategy};
use crate::instance::Instance;
use crate::{sign_in, two_factor};
use doorward_base::*;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// One of the codes that the user keeps for the day the other factor is lost. Each works once.
pub(super) struct BackupCode;

impl Strategy for BackupCode {
    fn name(&self) -> &'static str {
        "backup_code"
    }

    fn factors(&self, _: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        let factor = Factor { strategy: self.name().to_owned(), ..Factor::default() };
        user.user.backup_codes_enabled.then_some(factor).into_iter().collect()
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        Box::pin(async move {
            let code = with.params.code().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("code"))?;
            let user = &with.user.user;
            let guess = sign_in::take_guess(with.scope, user).await?;
            let came = two_factor::find_backup_code(with.scope, &user.id, code).await;
            let hash = guess.judged(with.scope, with.user, came).await?;
            Ok(Proven { grants: Grants::SignIn, consume: Some(Consume::BackupCode(hash)), attempts: 1, both: false })
        })
    }
}
