use super::{Answer, Attempt, Consume, Grants, Proven, Strategy};
use crate::instance::Instance;
use crate::{sign_in, two_factor};
use doorward_base::*;
use doorward_store::second_factors;
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
            sign_in::take_guess(with.scope, user).await?;
            let hash = two_factor::backup_code_hash(with.scope, &user.id, code);
            let known = second_factors::has_backup_code(with.scope.db(), with.scope.ins(), &user.id, &hash).await;
            if !known.map_err(crate::internal)? {
                return Err(ApiError::new(codes::FORM_CODE_INCORRECT).param("code"));
            }
            Ok(Proven { grants: Grants::SignIn, consume: Some(Consume::BackupCode(hash)), attempts: 1, both: false })
        })
    }
}
