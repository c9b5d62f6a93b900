use bytes::Bytes;
use doorward_base::{ApiError, codes};
use doorward_core::client::{self, Current};
use doorward_core::{agent_tasks, captcha, dev_browser, handshake, satellites};
use doorward_gateway::{Cx, cookie};
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

/// A browser that nobody ever signed in on has no client yet, and gets none by asking.
pub(crate) async fn get(cx: &mut Cx, _: GetClient) -> Result<Option<Client>, ApiError> {
    match &cx.current.record {
        Some(record) => Ok(Some(client::view(&cx.scope, &cx.caller, record, None).await?.0)),
        None => Ok(None),
    }
}

pub(crate) async fn put(cx: &mut Cx, _: PutClient) -> Result<Client, ApiError> {
    get_or_make(cx).await
}

pub(crate) async fn post(cx: &mut Cx, _: PostClient) -> Result<Client, ApiError> {
    get_or_make(cx).await
}

async fn get_or_make(cx: &mut Cx) -> Result<Client, ApiError> {
    cx.client_or_new().await?;
    Ok(client::view(&cx.scope, &cx.caller, cx.current.require()?, None).await?.0)
}

pub(crate) async fn verify(cx: &mut Cx, req: VerifyClient) -> Result<Client, ApiError> {
    cx.current = captcha::pass(&cx.scope, &cx.caller, std::mem::take(&mut cx.current), &req.captcha).await?;
    Ok(client::view(&cx.scope, &cx.caller, cx.current.require()?, None).await?.0)
}

/// The answer is what the client is now: without sessions, and forgotten.
pub(crate) async fn delete(cx: &mut Cx, _: DeleteClient) -> Result<Option<Client>, ApiError> {
    let Some(mut record) = cx.current.record.take() else { return Ok(None) };
    client::sign_out(&cx.scope, &mut record).await?;
    let view = client::view(&cx.scope, &cx.caller, &record, None).await?.0;
    client::delete(&cx.scope, &record).await?;
    cx.current.forgotten = true;
    Ok(Some(view))
}

pub(crate) async fn delete_sessions(cx: &mut Cx, _: DeleteClientSessions) -> Result<Option<Client>, ApiError> {
    let Some(record) = &mut cx.current.record else { return Ok(None) };
    client::sign_out(&cx.scope, record).await?;
    Ok(Some(client::view(&cx.scope, &cx.caller, record, None).await?.0))
}

/// Always sends the browser back to its page: an unknown client is a signed-out one.
pub(crate) async fn handshake(cx: &mut Cx, req: Handshake) -> Result<Raw, ApiError> {
    let target = handshake::check_redirect(&cx.scope, req.redirect_url.as_deref())?;
    if let Some(satellite) = satellites::here(&cx.scope, &cx.caller)
        && cx.current.record.is_none()
        && req.__clerk_synced != Some(true)
    {
        let again = again(&cx.caller.frontend_url, target.as_str(), &req)?;
        let step = satellites::begin(&cx.scope, &cx.caller, satellite, &again)?;
        cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, &step.location, &step.set_cookies)?);
        return Ok(Raw {});
    }
    let nonce = req.format.as_deref() == Some("nonce");
    hand_over(cx, req.redirect_url.as_deref(), nonce).await
}

/// Signs an agent in, and gives the task's page the session cookies on the way there.
pub(crate) async fn open_agent_task(cx: &mut Cx, req: OpenAgentTask) -> Result<Raw, ApiError> {
    if is_ahead(cx) {
        return Err(ApiError::new(codes::SERVER_BUSY).retry_after(1));
    }
    let opened = agent_tasks::open(&cx.scope, &cx.caller, cx.current.clone(), req.ticket.as_deref()).await?;
    let page = cx.keep(opened);
    if let Some(way) = satellites::way_to(&cx.scope, &page) {
        cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, &way, &[])?);
        return Ok(Raw {});
    }
    hand_over(cx, Some(page.as_str()), false).await
}

/// Whether a browser fetches an address before anybody wants to go there.
pub(crate) fn is_ahead(cx: &Cx) -> bool {
    cx.headers.get("sec-purpose").is_some_and(|value| value.as_bytes().starts_with(b"prefetch"))
}

async fn hand_over(cx: &mut Cx, redirect_url: Option<&str>, nonce: bool) -> Result<Raw, ApiError> {
    let dev_token = match (&cx.dev_browser_token, cx.scope.instance.is_development()) {
        (Some(known), _) => Some(known.clone()),
        (None, true) => {
            let made = dev_browser::create(&cx.scope, cx.current.record.as_ref()).await?;
            Some(made.answer.token)
        }
        (None, false) => None,
    };
    let client = cx.current.record.as_ref();
    let answer = handshake::answer(&cx.scope, &cx.caller, client, dev_token.as_deref(), redirect_url, nonce).await?;
    cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, &answer.location, &answer.set_cookies)?);
    Ok(Raw {})
}

/// The same handshake, for a browser that comes back from the instance's own domain.
fn again(frontend_url: &str, redirect_url: &str, req: &Handshake) -> Result<String, ApiError> {
    let mut url = url::Url::parse(&format!("{frontend_url}/v1/client/handshake")).map_err(ApiError::internal)?;
    let mut query = url.query_pairs_mut();
    query.append_pair("redirect_url", redirect_url);
    let suffixed = req.suffixed_cookies.map(|it| it.to_string());
    let rest = [("format", &req.format), ("suffixed_cookies", &suffixed), ("__clerk_hs_reason", &req.__clerk_hs_reason)];
    for (name, value) in rest {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    drop(query);
    Ok(url.into())
}

/// A satellite of the first generation of the SDKs sends its browsers to its own address; they are sent on.
pub(crate) async fn sync(cx: &mut Cx, req: SyncClient) -> Result<Raw, ApiError> {
    let step = match satellites::here(&cx.scope, &cx.caller) {
        Some(satellite) => {
            let target = handshake::check_redirect(&cx.scope, req.redirect_url.as_deref())?;
            satellites::begin(&cx.scope, &cx.caller, satellite, target.as_str())?
        }
        None => {
            let client = cx.current.record.as_ref().and(cx.client_token.as_ref());
            let (domain, to) = (req.link_domain.as_deref(), req.redirect_url.as_deref());
            satellites::sync(&cx.scope, client, domain, to, req.state.as_deref()).await?
        }
    };
    cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, &step.location, &step.set_cookies)?);
    Ok(Raw {})
}

pub(crate) async fn link(cx: &mut Cx, req: LinkClient) -> Result<Raw, ApiError> {
    let state = cookie(&cx.headers, satellites::COOKIE).map(str::to_owned);
    let (client, step) = satellites::link(&cx.scope, &cx.caller, req.__clerk_token.as_deref(), state.as_deref()).await?;
    if let Some((record, token)) = client {
        cx.current = Current { record: Some(record), new_token: Some(token), ..Current::default() };
    }
    cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, &step.location, &step.set_cookies)?);
    Ok(Raw {})
}

pub(crate) async fn touch(cx: &mut Cx, req: TouchClient) -> Result<Raw, ApiError> {
    let target = handshake::check_redirect(&cx.scope, req.redirect_url.as_deref())?;
    if cx.current.record.is_some() {
        cx.current.new_token.clone_from(&cx.client_token);
    }
    cx.raw = Some(redirect(StatusCode::TEMPORARY_REDIRECT, target.as_str(), &[])?);
    Ok(Raw {})
}

pub(crate) fn redirect(status: StatusCode, location: &str, cookies: &[String]) -> Result<Response<Bytes>, ApiError> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let invalid = |_| ApiError::new(codes::INVALID_REDIRECT_URL).param("redirect_url");
    response.headers_mut().insert(LOCATION, HeaderValue::from_str(location).map_err(invalid)?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_str(cookie).map_err(ApiError::internal)?);
    }
    Ok(response)
}
