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
    settings::update_beta(&cx.scope, &req).await
}
