use doorward_base::ApiError;
use doorward_core::instance_settings as settings;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;

pub(crate) async fn get(cx: &mut Cx, _: GetInstance) -> Result<InstanceInfo, ApiError> {
    Ok(settings::info(&cx.scope))
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateInstance) -> Result<(), ApiError> {
    settings::update(&cx.scope, &req).await
}

pub(crate) async fn communication(cx: &mut Cx, _: GetInstanceCommunication) -> Result<InstanceCommunication, ApiError> {
    Ok(settings::communication(&cx.scope.instance.settings))
}

pub(crate) async fn update_communication(cx: &mut Cx, req: UpdateInstanceCommunication) -> Result<InstanceCommunication, ApiError> {
    settings::update_communication(&cx.scope, req.blocked_country_codes.as_deref()).await
}

pub(crate) async fn update_beta(cx: &mut Cx, req: UpdateInstanceSettings) -> Result<InstanceSettings, ApiError> {
    settings::set_test_mode(&cx.scope, req.test_mode).await?;
    Ok(InstanceSettings { object: "instance_settings".to_owned(), id: cx.scope.ins().clone() })
}

pub(crate) async fn domains(cx: &mut Cx, _: ListDomains) -> Result<Domains, ApiError> {
    Ok(Domains { data: vec![settings::domain(&cx.scope, cx.scope.instance.settings.proxy_url.clone())], total_count: 1 })
}

pub(crate) async fn update_domain(cx: &mut Cx, req: UpdateDomain) -> Result<Domain, ApiError> {
    settings::update_domain(&cx.scope, &req.domain_id, req.proxy_url).await
}

pub(crate) async fn check_proxy(cx: &mut Cx, req: CheckProxy) -> Result<ProxyCheck, ApiError> {
    settings::check_proxy(&cx.scope, req.domain_id.as_deref(), req.proxy_url.as_deref()).await
}
