use doorward_base::{ApiError, codes};
use doorward_core::oauth;
use doorward_core::users::{self, Audience};
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, ExternalAccount, User};
use http::StatusCode;

pub(crate) async fn callback(cx: &mut Cx, req: OauthCallback) -> Result<Raw, ApiError> {
    let outcome = oauth::callback(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    let to = cx.keep(outcome);
    cx.raw = Some(crate::client::redirect(StatusCode::SEE_OTHER, &to, &[])?);
    Ok(Raw {})
}

/// A form of another site comes without cookies; the same address fetched by the browser itself comes with them.
pub(crate) async fn post_callback(cx: &mut Cx, req: PostOauthCallback) -> Result<Raw, ApiError> {
    let mut to = url::Url::parse(&format!("{}/v1/oauth_callback", cx.caller.frontend_url)).map_err(ApiError::internal)?;
    if req.state.as_deref().unwrap_or_default().is_empty() {
        return Err(codes::OAUTH_CALLBACK_INVALID.into());
    }
    for (name, value) in [("code", req.code), ("state", req.state), ("error", req.error), ("scope", req.scope), ("user", req.user)] {
        if let Some(value) = value {
            to.query_pairs_mut().append_pair(name, &value);
        }
    }
    cx.raw = Some(crate::client::redirect(StatusCode::SEE_OTHER, to.as_str(), &[])?);
    Ok(Raw {})
}

pub(crate) async fn connect(cx: &mut Cx, req: ConnectExternalAccount) -> Result<ExternalAccount, ApiError> {
    oauth::connect(&cx.scope, &cx.caller, &cx.session()?.1, &req).await
}

pub(crate) async fn reauthorize(cx: &mut Cx, req: ReauthorizeExternalAccount) -> Result<ExternalAccount, ApiError> {
    oauth::reauthorize(&cx.scope, &cx.caller, &cx.session()?.1, &req).await
}

pub(crate) async fn disconnect(cx: &mut Cx, req: DisconnectExternalAccount) -> Result<DeletedObject, ApiError> {
    oauth::disconnect(&cx.scope, &cx.session()?.1, &req.external_account_id).await
}

pub(crate) async fn revoke_tokens(cx: &mut Cx, req: RevokeExternalAccountTokens) -> Result<User, ApiError> {
    let user = oauth::revoke_tokens(&cx.scope, &cx.session()?.1, &req.external_account_id).await?;
    Ok(users::view(&cx.scope, &user, Audience::Frontend))
}
