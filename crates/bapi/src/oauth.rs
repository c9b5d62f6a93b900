use doorward_base::ApiError;
use doorward_core::oauth;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

pub(crate) async fn access_tokens(cx: &mut Cx, req: ListOauthAccessTokens) -> Result<List<OauthAccessToken>, ApiError> {
    let (data, total_count) = oauth::access_tokens(&cx.scope, &req).await?;
    Ok(if req.paginated == Some(true) { List::Page { data, total_count } } else { List::Bare(data) })
}

pub(crate) async fn delete_account(cx: &mut Cx, req: DeleteExternalAccount) -> Result<DeletedObject, ApiError> {
    oauth::remove(&cx.scope, &req.user_id, &req.external_account_id).await
}
