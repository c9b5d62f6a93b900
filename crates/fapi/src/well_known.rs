use doorward_base::*;
use doorward_core::environment::Places;
use doorward_core::session::{self, TokenFor};
use doorward_core::{handshake, well_known};
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use doorward_wire::resource::Token;
use http::StatusCode;

pub(crate) async fn asset_links(cx: &mut Cx, _: GetAssetLinks) -> Result<Vec<AssetLink>, ApiError> {
    Ok(well_known::asset_links(&cx.scope.instance.settings))
}

pub(crate) async fn apple(cx: &mut Cx, _: GetAppleAppSiteAssociation) -> Result<AppleAppSiteAssociation, ApiError> {
    let apps = cx.scope.instance.settings.native.apple_apps.clone();
    Ok(AppleAppSiteAssociation { webcredentials: WebCredentials { apps } })
}

pub(crate) async fn related_origins(cx: &mut Cx, _: GetRelatedOrigins) -> Result<RelatedOrigins, ApiError> {
    well_known::related_origins(&cx.scope.instance.settings)
}

pub(crate) async fn redirect(cx: &mut Cx, req: RedirectToUrl) -> Result<Raw, ApiError> {
    let to = match req.redirect_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => handshake::check_redirect(&cx.scope, Some(url))?.to_string(),
        None => Places::of(&cx.scope.instance, &cx.caller.frontend_url).home,
    };
    cx.raw = Some(crate::client::redirect(StatusCode::TEMPORARY_REDIRECT, &to, &[])?);
    Ok(Raw {})
}

pub(crate) async fn service_token(cx: &mut Cx, req: CreateServiceToken) -> Result<Token, ApiError> {
    let service = req.service.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let service = service.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("service"))?;
    session::template_token(&cx.scope, &cx.session()?.0, service, TokenFor::caller(&cx.caller)).await
}
