use doorward_base::ApiError;
use doorward_core::instance_features as features;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;

pub(crate) async fn organizations(cx: &mut Cx, _: GetOrganizationSettings) -> Result<OrganizationSettings, ApiError> {
    Ok(features::organizations(&cx.scope.instance.settings))
}

pub(crate) async fn update_organizations(cx: &mut Cx, req: UpdateOrganizationSettings) -> Result<OrganizationSettings, ApiError> {
    features::update_organizations(&cx.scope, &req).await
}

pub(crate) async fn oauth_applications(cx: &mut Cx, _: GetOAuthApplicationSettings) -> Result<OAuthApplicationSettings, ApiError> {
    Ok(features::oauth_applications(&cx.scope.instance.settings))
}

pub(crate) async fn update_oauth_applications(
    cx: &mut Cx,
    req: UpdateOAuthApplicationSettings,
) -> Result<OAuthApplicationSettings, ApiError> {
    features::update_oauth_applications(&cx.scope, &req).await
}

pub(crate) async fn protect(cx: &mut Cx, _: GetInstanceProtect) -> Result<InstanceProtect, ApiError> {
    Ok(features::protect(&cx.scope.instance.settings))
}

pub(crate) async fn update_protect(cx: &mut Cx, req: UpdateInstanceProtect) -> Result<InstanceProtect, ApiError> {
    features::update_protect(&cx.scope, &req).await
}
