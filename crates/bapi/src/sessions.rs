use doorward_base::*;
use doorward_core::session::{self, TokenFor};
use doorward_core::users::{self, page};
use doorward_core::{Scope, internal, refresh};
use doorward_gateway::Cx;
use doorward_store::sessions::{self, SessionFilter, SessionRecord};
use doorward_store::users::UserWithEmails;
use doorward_wire::bapi::*;
use doorward_wire::resource::Token;
use std::ops::RangeInclusive;

/// How long a token made by a server may live, in seconds.
const LIFETIMES: RangeInclusive<i64> = 30..=315_360_000;
/// What sessions can be filtered by.
const STATUSES: [&str; 8] = ["abandoned", "active", "ended", "expired", "pending", "removed", "replaced", "revoked"];

pub(crate) async fn list(cx: &mut Cx, req: ListSessions) -> Result<List<ServerSession>, ApiError> {
    let page = page(req.limit, req.offset)?;
    let filter = filter(&req)?;
    let (db, ins, now) = (cx.scope.db(), cx.scope.ins(), cx.scope.now);
    let found = sessions::list(db, ins, &filter, now, page.limit, page.offset).await.map_err(internal)?;
    let data = session::server_views(&cx.scope, &found).await?;
    if req.paginated != Some(true) {
        return Ok(List::Bare(data));
    }
    Ok(List::Page { data, total_count: sessions::count(db, ins, &filter, now).await.map_err(internal)? })
}

fn filter(req: &ListSessions) -> Result<SessionFilter, ApiError> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let filter = SessionFilter { client_id: filled(&req.client_id), user_id: filled(&req.user_id), status: filled(&req.status) };
    if filter.client_id.is_none() && filter.user_id.is_none() {
        return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("user_id").long("user_id or client_id must be included."));
    }
    if filter.status.as_deref().is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("status"));
    }
    Ok(filter)
}

pub(crate) async fn create(cx: &mut Cx, req: CreateServerSession) -> Result<ServerSession, ApiError> {
    let missing = || ApiError::new(codes::FORM_PARAM_MISSING).param("user_id");
    let user = req.user_id.filter(|id| !id.is_empty()).ok_or_else(missing)?;
    if req.active_organization_id.is_some_and(|id| !id.is_empty()) {
        return Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("active_organization_id"));
    }
    let session = users::begin_session(&cx.scope, &cx.caller, &user.into()).await?;
    session::server_view(&cx.scope, &session).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetServerSession) -> Result<ServerSession, ApiError> {
    session::server_view(&cx.scope, &load(&cx.scope, &req.session_id).await?).await
}

pub(crate) async fn revoke(cx: &mut Cx, req: RevokeServerSession) -> Result<ServerSession, ApiError> {
    session::server_view(&cx.scope, &session::revoke(&cx.scope, &req.session_id).await?).await
}

pub(crate) async fn verify(cx: &mut Cx, req: VerifyServerSession) -> Result<ServerSession, ApiError> {
    let session = load(&cx.scope, &req.session_id).await?;
    let token = req.token.filter(|it| !it.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("token"))?;
    session::server_view(&cx.scope, &session::verified(&cx.scope, session, &token).await?).await
}

pub(crate) async fn token(cx: &mut Cx, req: CreateServerSessionToken) -> Result<Token, ApiError> {
    let lifetime = lifetime(req.expires_in_seconds)?;
    let (session, user) = live(&cx.scope, &req.session_id).await?;
    session::token(&cx.scope, &session, Some(&user), made_for(&cx.caller.frontend_url, lifetime)).map(Token::new)
}

pub(crate) async fn template_token(cx: &mut Cx, req: CreateServerTemplateToken) -> Result<Token, ApiError> {
    let lifetime = lifetime(req.expires_in_seconds)?;
    let (session, _) = live(&cx.scope, &req.session_id).await?;
    session::template_token(&cx.scope, &session, &req.template_name, made_for(&cx.caller.frontend_url, lifetime)).await
}

pub(crate) async fn refresh(cx: &mut Cx, req: RefreshSession) -> Result<Refreshed, ApiError> {
    refresh::refresh(&cx.scope, &req).await
}

/// A server is no origin that a browser could show a token from, so the token names none.
fn made_for(issuer: &str, lifetime: Option<i64>) -> TokenFor<'_> {
    TokenFor { issuer, origin: None, lifetime }
}

fn lifetime(seconds: Option<i64>) -> Result<Option<i64>, ApiError> {
    match seconds {
        Some(seconds) if !LIFETIMES.contains(&seconds) => {
            let text = format!("expires_in_seconds must be between {} and {}.", LIFETIMES.start(), LIFETIMES.end());
            Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("expires_in_seconds").long(text))
        }
        seconds => Ok(seconds),
    }
}

async fn load(scope: &Scope, id: &SessionId) -> Result<SessionRecord, ApiError> {
    sessions::get(scope.db(), scope.ins(), id).await.map_err(internal)?.ok_or_else(|| ApiError::not_found("Session", id))
}

/// A session that is good for tokens, with its user.
async fn live(scope: &Scope, id: &SessionId) -> Result<(SessionRecord, UserWithEmails), ApiError> {
    let missing = || ApiError::not_found("Session", id);
    let session = load(scope, id).await?;
    let user = doorward_store::users::get(scope.db(), scope.ins(), &session.user_id).await.map_err(internal)?.ok_or_else(missing)?;
    if !session.is_live(scope.now) || user.user.banned {
        return Err(missing());
    }
    Ok((session, user))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_have_bounds() {
        assert_eq!(lifetime(None).unwrap(), None);
        for good in [30, 60, 315_360_000] {
            assert_eq!(lifetime(Some(good)).unwrap(), Some(good));
        }
        for bad in [29, 0, -1, 315_360_001, i64::MAX] {
            assert_eq!(lifetime(Some(bad)).unwrap_err().meta().param_name.as_deref(), Some("expires_in_seconds"), "{bad}");
        }
    }

    #[test]
    fn a_list_of_sessions_is_somebody_s() {
        let read = |text: &str| filter(&serde_json::from_str(text).unwrap()).map_err(|e| (e.code().code, e.meta().param_name.clone()));
        assert_eq!(read(r#"{"user_id":"","status":"active"}"#).unwrap_err(), ("form_param_missing", Some("user_id".to_owned())));
        assert_eq!(read(r#"{"user_id":"user_1","status":"gone"}"#).unwrap_err(), ("form_param_value_invalid", Some("status".to_owned())));
        assert_eq!(read(r#"{"client_id":"client_1","status":"revoked"}"#).unwrap().status.as_deref(), Some("revoked"));
    }
}
