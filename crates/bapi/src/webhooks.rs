use bytes::Bytes;
use doorward_base::ApiError;
use doorward_core::webhooks;
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::bapi::*;
use http::{Response, StatusCode, header};

pub(crate) async fn create_app(cx: &mut Cx, _: CreateSvixApp) -> Result<SvixUrl, ApiError> {
    webhooks::create_app(&cx.scope).await?;
    address(cx).await
}

pub(crate) async fn delete_app(cx: &mut Cx, _: DeleteSvixApp) -> Result<Raw, ApiError> {
    webhooks::delete_app(&cx.scope).await?;
    let mut gone = Response::new(Bytes::new());
    *gone.status_mut() = StatusCode::NO_CONTENT;
    cx.raw = Some(gone);
    Ok(Raw {})
}

pub(crate) async fn auth_url(cx: &mut Cx, _: GenerateSvixAuthUrl) -> Result<SvixUrl, ApiError> {
    webhooks::app_of(&cx.scope).await?;
    address(cx).await
}

/// On the listener that was called, as its caller sees it.
async fn address(cx: &Cx) -> Result<SvixUrl, ApiError> {
    let host = cx.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let scheme = if cx.by_https { "https" } else { "http" };
    Ok(SvixUrl { svix_url: format!("{scheme}://{host}{}", webhooks::link(&cx.scope).await?) })
}
