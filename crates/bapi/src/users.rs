use doorward_base::*;
use doorward_core::Scope;
use doorward_core::users::{self, Audience, Metadata};
use doorward_gateway::Cx;
use doorward_store::users::UserWithEmails;
use doorward_wire::bapi::*;
use doorward_wire::resource::{DeletedObject, User};

/// The most users that one request may ban or let in again.
const MAX_BULK: usize = 50;

fn view(scope: &Scope, it: &UserWithEmails) -> User {
    users::view(scope, it, Audience::Backend)
}

pub(crate) async fn create(cx: &mut Cx, req: CreateUser) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::create(&cx.scope, &req).await?))
}

pub(crate) async fn get(cx: &mut Cx, req: GetUser) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::load(&cx.scope, &req.user_id).await?))
}

pub(crate) async fn list(cx: &mut Cx, req: ListUsers) -> Result<Vec<User>, ApiError> {
    Ok(users::list(&cx.scope, &req).await?.iter().map(|it| view(&cx.scope, it)).collect())
}

pub(crate) async fn count(cx: &mut Cx, req: CountUsers) -> Result<TotalCount, ApiError> {
    let total_count = users::count(&cx.scope, &req.filter).await?;
    Ok(TotalCount { object: "total_count".to_owned(), total_count })
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateUser) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::update(&cx.scope, &req).await?))
}

pub(crate) async fn organization_memberships(cx: &mut Cx, req: ListUserOrganizationMemberships) -> Result<NoneOfOrganizations, ApiError> {
    none_of_organizations(&cx.scope, &req.user_id, (req.limit, req.offset)).await
}

pub(crate) async fn organization_invitations(cx: &mut Cx, req: ListUserOrganizationInvitations) -> Result<NoneOfOrganizations, ApiError> {
    let status = req.status.filter(|status| !status.is_empty());
    if status.is_some_and(|status| !["pending", "accepted", "revoked", "expired"].contains(&status.as_str())) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("status"));
    }
    none_of_organizations(&cx.scope, &req.user_id, (req.limit, req.offset)).await
}

async fn none_of_organizations(
    scope: &Scope,
    user: &UserId,
    (limit, offset): (Option<i64>, Option<i64>),
) -> Result<NoneOfOrganizations, ApiError> {
    users::page(limit, offset)?;
    users::load(scope, user).await?;
    Ok(NoneOfOrganizations { data: Vec::new(), total_count: 0 })
}

pub(crate) async fn merge_metadata(cx: &mut Cx, req: UpdateUserMetadata) -> Result<User, ApiError> {
    let metadata =
        Metadata { public: req.public_metadata.as_ref(), private: req.private_metadata.as_ref(), unsafe_: req.unsafe_metadata.as_ref() };
    Ok(view(&cx.scope, &users::merge_metadata(&cx.scope, &req.user_id, metadata).await?))
}

pub(crate) async fn replace_metadata(cx: &mut Cx, req: ReplaceUserMetadata) -> Result<User, ApiError> {
    let metadata =
        Metadata { public: req.public_metadata.as_ref(), private: req.private_metadata.as_ref(), unsafe_: req.unsafe_metadata.as_ref() };
    Ok(view(&cx.scope, &users::replace_metadata(&cx.scope, &req.user_id, metadata).await?))
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteUser) -> Result<DeletedObject, ApiError> {
    let user = users::delete(&cx.scope, &req.user_id).await?;
    Ok(DeletedObject { external_id: user.external_id, ..DeletedObject::new("user", user.id) })
}

pub(crate) async fn verify_password(cx: &mut Cx, req: VerifyPassword) -> Result<Verified, ApiError> {
    users::verify_password(&cx.scope, &req.user_id, req.password.as_deref()).await?;
    Ok(Verified { verified: true })
}

pub(crate) async fn ban(cx: &mut Cx, req: BanUser) -> Result<User, ApiError> {
    set_banned(&cx.scope, req.user_id, true).await
}

pub(crate) async fn unban(cx: &mut Cx, req: UnbanUser) -> Result<User, ApiError> {
    set_banned(&cx.scope, req.user_id, false).await
}

async fn set_banned(scope: &Scope, id: UserId, banned: bool) -> Result<User, ApiError> {
    let changed = users::set_banned(scope, std::slice::from_ref(&id), banned).await?;
    changed.first().map(|it| view(scope, it)).ok_or_else(|| ApiError::not_found("User", id))
}

pub(crate) async fn ban_many(cx: &mut Cx, req: BanUsers) -> Result<Vec<User>, ApiError> {
    let changed = users::set_banned(&cx.scope, &bulk(req.user_ids)?, true).await?;
    Ok(changed.iter().map(|it| view(&cx.scope, it)).collect())
}

pub(crate) async fn unban_many(cx: &mut Cx, req: UnbanUsers) -> Result<Vec<User>, ApiError> {
    let changed = users::set_banned(&cx.scope, &bulk(req.user_ids)?, false).await?;
    Ok(changed.iter().map(|it| view(&cx.scope, it)).collect())
}

fn bulk(ids: Option<Vec<String>>) -> Result<Vec<UserId>, ApiError> {
    let ids = ids.filter(|ids| !ids.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("user_ids"))?;
    if ids.len() > MAX_BULK {
        return Err(ApiError::new(codes::BULK_SIZE_EXCEEDED).param("user_ids"));
    }
    Ok(ids.into_iter().map(UserId::from).collect())
}

pub(crate) async fn lock(cx: &mut Cx, req: LockUser) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::set_locked(&cx.scope, &req.user_id, true).await?))
}

pub(crate) async fn unlock(cx: &mut Cx, req: UnlockUser) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::set_locked(&cx.scope, &req.user_id, false).await?))
}

pub(crate) async fn set_password_compromised(cx: &mut Cx, req: SetPasswordCompromised) -> Result<User, ApiError> {
    let sign_out = req.revoke_all_sessions == Some(true);
    Ok(view(&cx.scope, &users::set_password_compromised(&cx.scope, &req.user_id, true, sign_out).await?))
}

pub(crate) async fn unset_password_compromised(cx: &mut Cx, req: UnsetPasswordCompromised) -> Result<User, ApiError> {
    Ok(view(&cx.scope, &users::set_password_compromised(&cx.scope, &req.user_id, false, false).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bulk_has_bounds() {
        assert_eq!(bulk(None).unwrap_err().code().code, "form_param_missing");
        assert_eq!(bulk(Some(Vec::new())).unwrap_err().code().code, "form_param_missing");
        assert_eq!(bulk(Some(vec!["user_1".to_owned(); 51])).unwrap_err().code().code, "bulk_size_exceeded");
        assert_eq!(bulk(Some(vec!["user_1".to_owned(); 50])).unwrap().len(), 50);
    }
}
