use bytes::Bytes;
use doorward_base::ApiError;
use doorward_core::{domains, proxy_checks};
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;
use http::{Response, StatusCode};

pub(crate) async fn list(cx: &mut Cx, _: ListDomains) -> Result<Domains, ApiError> {
    let data = domains::list(&cx.scope).await?;
    Ok(Domains { total_count: i64::try_from(data.len()).unwrap_or(i64::MAX), data })
}

pub(crate) async fn add(cx: &mut Cx, req: AddDomain) -> Result<Domain, ApiError> {
    domains::add(&cx.scope, &req).await
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateDomain) -> Result<Domain, ApiError> {
    domains::update(&cx.scope, &req).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteDomain) -> Result<DeletedObject, ApiError> {
    domains::delete(&cx.scope, &req.domain_id).await?;
    Ok(DeletedObject::new("domain", &req.domain_id))
}

pub(crate) async fn change(cx: &mut Cx, req: ChangeDomain) -> Result<Raw, ApiError> {
    move_to(cx, req.home_url.as_deref(), req.is_secondary).await
}

pub(crate) async fn change_before(cx: &mut Cx, req: ChangeDomainBefore) -> Result<Raw, ApiError> {
    move_to(cx, req.home_url.as_deref(), req.is_secondary).await
}

pub(crate) async fn change_by_sdk(cx: &mut Cx, req: ChangeDomainOfSdks) -> Result<Raw, ApiError> {
    move_to(cx, req.home_url.as_deref(), req.is_secondary).await
}

async fn move_to(cx: &mut Cx, home_url: Option<&str>, secondary: Option<bool>) -> Result<Raw, ApiError> {
    domains::change(&cx.scope, home_url, secondary == Some(true)).await?;
    let mut accepted = Response::new(Bytes::new());
    *accepted.status_mut() = StatusCode::ACCEPTED;
    cx.raw = Some(accepted);
    Ok(Raw {})
}

pub(crate) async fn check_proxy(cx: &mut Cx, req: CheckProxy) -> Result<ProxyCheck, ApiError> {
    proxy_checks::check(&cx.scope, req.domain_id.as_deref(), req.proxy_url.as_deref()).await
}
