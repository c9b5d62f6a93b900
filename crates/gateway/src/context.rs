//! Who is calling, as an endpoint gets to know it.

use crate::auth::{self, Arrival};
use crate::cx::{Cx, Trace};
use crate::gateway::{Gateway, peer};
use crate::version::{ApiVersion, ScriptVersion};
use doorward_base::*;
use doorward_core::client::{self, Current};
use doorward_core::{Caller, Scope, dev_browser, oauth, reverification, tasks};
use doorward_wire::fapi::SENSITIVE;
use doorward_wire::{Auth, EndpointMeta, Rate};
use http::request::Parts;
use http::{HeaderMap, Method};

impl Gateway {
    /// Finds out who is calling. The headers move on into the result.
    pub(crate) async fn context(&self, meta: &EndpointMeta, parts: &mut Parts, arrival: Arrival, trace: &Trace) -> Result<Cx, ApiError> {
        let header = auth::header(&parts.headers, "clerk-api-version");
        let api_version = ApiVersion::choose(header, auth::query(parts, "__clerk_api_version").as_deref())?;
        let script = ScriptVersion::parse(auth::query(parts, "_clerk_js_version").as_deref());
        let scope = Scope { app: self.0.app.clone(), instance: arrival.instance, now: self.0.app.clock.now() };
        let mut cx = Cx {
            scope,
            caller: Caller {
                knows_pending: api_version.knows_pending(),
                knows_setup_mfa: api_version.knows_setup_mfa(script),
                knows_client_trust: api_version.knows_client_trust(script),
                ..arrival.caller
            },
            api_version,
            current: Current::default(),
            client_token: auth::client_token(parts, meta.api),
            dev_browser: None,
            dev_browser_token: None,
            session: None,
            only_looks: parts.method == Method::HEAD,
            by_https: auth::by_https(&self.0.config, parts, peer(parts)),
            headers: HeaderMap::new(),
            proxy_url: arrival.proxy_url,
            upload: None,
            raw: None,
            trace: trace.clone(),
        };
        if matches!(meta.auth, Auth::Client | Auth::Session | Auth::AnySession) {
            self.find_client(&mut cx, meta, parts).await?;
            hand_in(&mut cx, meta, parts).await?;
        }
        if matches!(meta.auth, Auth::Session | Auth::AnySession) {
            find_session(&mut cx, meta, parts).await?;
        }
        cx.headers = std::mem::take(&mut parts.headers);
        Ok(cx)
    }

    /// The client of a request. Minting looks it up by itself, together with the session.
    async fn find_client(&self, cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
        if cx.scope.instance.is_development()
            && let Some(token) = auth::dev_browser_token(parts)
        {
            cx.dev_browser = dev_browser::find(&cx.scope, &token).await?;
            cx.caller.dev_browser = cx.dev_browser.is_some().then(|| Secret::from(token.as_str()));
            cx.dev_browser_token = cx.dev_browser.is_some().then_some(token);
        }
        if meta.rate == Rate::Mint && (cx.client_token.is_some() || cx.dev_browser.is_none()) {
            return Ok(());
        }
        if let Some(token) = &cx.client_token {
            cx.current.record = client::find(&cx.scope, token).await?;
        }
        if cx.current.record.is_none()
            && let Some(it) = &cx.dev_browser
        {
            cx.current.record = dev_browser::client_of(&cx.scope, it).await?;
        }
        Ok(())
    }
}

/// An app that asks for anything of its client may hand in what its browser came back from a provider with.
async fn hand_in(cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
    let asks = meta.method == "GET" && cx.native() && cx.current.record.is_some();
    if let Some(nonce) = auth::query(parts, "rotating_token_nonce").filter(|_| asks) {
        cx.current = oauth::redeem(&cx.scope, &cx.caller, cx.current.clone(), &nonce).await?;
    }
    Ok(())
}

async fn find_session(cx: &mut Cx, meta: &EndpointMeta, parts: &Parts) -> Result<(), ApiError> {
    let invalid = || ApiError::new(codes::AUTHENTICATION_INVALID);
    let client = cx.current.record.as_ref().ok_or_else(invalid)?;
    let live = client::live_sessions(&cx.scope, &client.id).await?;
    let wanted = auth::query(parts, "_clerk_session_id").map(SessionId::from).or_else(|| client.last_active_session_id.clone());
    let found = match wanted {
        Some(id) => live.into_iter().find(|(session, _)| session.id == id),
        None => live.into_iter().next_back(),
    };
    let (session, user) = found.ok_or_else(invalid)?;
    if meta.auth != Auth::AnySession && tasks::is_pending(&cx.scope, &session, &user) {
        return Err(invalid());
    }
    if SENSITIVE.contains(&meta.id) {
        reverification::require(&cx.scope, &session, &user)?;
    }
    cx.session = Some((session, user));
    Ok(())
}
