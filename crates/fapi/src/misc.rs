use doorward_base::ApiError;
use doorward_core::{dev_browser, environment};
use doorward_gateway::Cx;
use doorward_wire::fapi::*;
use doorward_wire::resource::Jwks;

pub(crate) async fn get_environment(cx: &mut Cx, _: GetEnvironment) -> Result<Environment, ApiError> {
    Ok(environment::environment(&cx.scope.instance, &cx.caller.frontend_url))
}

pub(crate) async fn update_environment(cx: &mut Cx, _: UpdateEnvironment) -> Result<Environment, ApiError> {
    Ok(environment::environment(&cx.scope.instance, &cx.caller.frontend_url))
}

pub(crate) async fn jwks(cx: &mut Cx, _: GetFrontendJwks) -> Result<Jwks, ApiError> {
    Ok(cx.scope.instance.jwks())
}

pub(crate) async fn health(_: &mut Cx, _: GetHealth) -> Result<Health, ApiError> {
    Ok(Health { status: "healthy".to_owned() })
}

/// That the request got here means that its proxy showed the right key.
pub(crate) async fn proxy_health(cx: &mut Cx, _: GetProxyHealth) -> Result<ProxyHealth, ApiError> {
    let forwarded = cx.headers.get("x-forwarded-for").and_then(|it| it.to_str().ok()).unwrap_or_default();
    Ok(ProxyHealth { status: "healthy".to_owned(), proxy_url: cx.proxy_url.clone(), x_forwarded_for: forwarded.to_owned() })
}

pub(crate) async fn create_dev_browser(cx: &mut Cx, _: CreateDevBrowser) -> Result<DevBrowser, ApiError> {
    Ok(dev_browser::create(&cx.scope, cx.current.record.as_ref()).await?.answer)
}

pub(crate) async fn set_first_party_cookie(cx: &mut Cx, _: SetFirstPartyCookie) -> Result<DevBrowser, ApiError> {
    cx.client_or_new().await?;
    Ok(dev_browser::create(&cx.scope, cx.current.record.as_ref()).await?.answer)
}
