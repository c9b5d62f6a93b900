//! What users do to their own account.

use super::{Audience, delete, update, view};
use crate::app::Scope;
use doorward_base::*;
use doorward_store::users::UserWithEmails;
use doorward_wire::bapi::UpdateUser;
use doorward_wire::fapi::UpdateMe;
use doorward_wire::resource::User;

/// Changes the signed-in user. The address from before is told when the primary one changes.
///
/// # Errors
/// The `form_*` codes naming the parameter, `conflict`.
pub async fn update_own(scope: &Scope, id: &UserId, req: &UpdateMe) -> Result<User, ApiError> {
    let req = UpdateUser {
        user_id: id.clone(),
        username: req.username.clone(),
        first_name: req.first_name.clone(),
        last_name: req.last_name.clone(),
        locale: req.locale.clone(),
        primary_email_address_id: req.primary_email_address_id.clone(),
        primary_phone_number_id: req.primary_phone_number_id.clone(),
        primary_web3_wallet_id: req.primary_web3_wallet_id.clone(),
        notify_primary_email_address_changed: Some(true),
        unsafe_metadata: req.unsafe_metadata.clone(),
        ..UpdateUser::default()
    };
    Ok(view(scope, &update(scope, &req).await?, Audience::Frontend))
}

/// Deletes the signed-in user with everything that is theirs.
///
/// # Errors
/// `user_delete_self_not_enabled` where the instance or the user's own flag says so.
pub async fn delete_own(scope: &Scope, it: &UserWithEmails) -> Result<UserId, ApiError> {
    if !scope.instance.settings.actions.delete_self || !it.user.delete_self_enabled {
        return Err(codes::USER_DELETE_SELF_NOT_ENABLED.into());
    }
    delete(scope, &it.user.id).await.map(|gone| gone.id)
}
