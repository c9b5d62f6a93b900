use doorward_base::ApiError;
use doorward_core::users::{self, Audience};
use doorward_core::{client, internal, session};
use doorward_gateway::Cx;
use doorward_store::sessions;
use doorward_wire::fapi::*;
use doorward_wire::resource::{Token, User};

pub(crate) async fn get(cx: &mut Cx, req: GetSession) -> Result<Session, ApiError> {
    let (found, user) = client::session_of(&cx.scope, cx.current.require()?, &req.session_id).await?;
    session::view(&cx.scope, &cx.caller, &found, Some(&user))
}

pub(crate) async fn touch(cx: &mut Cx, req: TouchSession) -> Result<Session, ApiError> {
    refuse_organization(req.active_organization_id.as_deref())?;
    let (scope, caller) = (cx.scope.clone(), cx.caller.clone());
    client::touch(&scope, &caller, cx.client()?, &req.session_id).await
}

pub(crate) async fn token(cx: &mut Cx, req: CreateSessionToken) -> Result<Token, ApiError> {
    refuse_organization(req.organization_id.as_deref())?;
    match &cx.current.record {
        // Found by its development browser: there is no client token to look the session up by.
        Some(record) => {
            let (found, user) = client::session_of(&cx.scope, record, &req.session_id).await?;
            let view = session::view(&cx.scope, &cx.caller, &found, Some(&user))?;
            view.last_active_token.ok_or_else(|| ApiError::not_found("Session", &req.session_id))
        }
        None => session::mint(&cx.scope, &cx.caller, cx.client_token.as_ref(), &req.session_id).await,
    }
}

pub(crate) async fn template_token(cx: &mut Cx, req: CreateTemplateToken) -> Result<Token, ApiError> {
    match &cx.current.record {
        Some(record) => {
            let (found, user) = client::session_of(&cx.scope, record, &req.session_id).await?;
            if !found.is_live(cx.scope.now) || user.user.banned {
                return Err(ApiError::not_found("Session", &req.session_id));
            }
            session::template_token(&cx.scope, &found, &req.template_name, session::TokenFor::caller(&cx.caller)).await
        }
        None => session::mint_template(&cx.scope, &cx.caller, cx.client_token.as_ref(), &req.session_id, &req.template_name).await,
    }
}

pub(crate) async fn end(cx: &mut Cx, req: EndSession) -> Result<Session, ApiError> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.clone());
    client::close_session(&scope, &caller, cx.client()?, &req.session_id, "ended").await
}

pub(crate) async fn remove(cx: &mut Cx, req: RemoveSession) -> Result<Session, ApiError> {
    let (scope, caller) = (cx.scope.clone(), cx.caller.clone());
    client::close_session(&scope, &caller, cx.client()?, &req.session_id, "removed").await
}

pub(crate) async fn me(cx: &mut Cx, _: GetMe) -> Result<User, ApiError> {
    Ok(users::view(&cx.scope, &cx.session()?.1, Audience::Frontend))
}

pub(crate) async fn mine(cx: &mut Cx, _: GetMySessions) -> Result<Vec<SessionWithActivities>, ApiError> {
    live_of_user(cx).await
}

pub(crate) async fn mine_active(cx: &mut Cx, _: GetMyActiveSessions) -> Result<Vec<SessionWithActivities>, ApiError> {
    live_of_user(cx).await
}

async fn live_of_user(cx: &mut Cx) -> Result<Vec<SessionWithActivities>, ApiError> {
    let user = &cx.session()?.1;
    let all = sessions::of_user(cx.scope.db(), cx.scope.ins(), &user.user.id).await.map_err(internal)?;
    let now = cx.scope.now;
    Ok(all.iter().filter(|s| s.is_live(now)).map(|s| session::activity_view(&cx.scope, s, user)).collect())
}

pub(crate) async fn revoke_mine(cx: &mut Cx, req: RevokeMySession) -> Result<SessionWithActivities, ApiError> {
    let user = cx.session()?.1.clone();
    let found = sessions::get(cx.scope.db(), cx.scope.ins(), &req.session_id).await.map_err(internal)?;
    found.filter(|s| s.user_id == user.user.id).ok_or_else(|| ApiError::not_found("Session", &req.session_id))?;
    let revoked = session::revoke(&cx.scope, &req.session_id).await?;
    Ok(session::activity_view(&cx.scope, &revoked, &user))
}

/// There are no organizations yet, so nobody is a member of one. Empty means none.
fn refuse_organization(id: Option<&str>) -> Result<(), ApiError> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Err(ApiError::not_found("Organization", id)),
        None => Ok(()),
    }
}
