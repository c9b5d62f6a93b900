use crate::access::{WHOLE, optional_page, shaped};
use doorward_base::ApiError;
use doorward_core::jwt_templates::{self as templates, Given};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

pub(crate) async fn list(cx: &mut Cx, req: ListJwtTemplates) -> Result<List<JwtTemplate>, ApiError> {
    let page = optional_page(req.paginated, req.limit, req.offset)?.unwrap_or(WHOLE);
    let (data, total_count) = templates::list(&cx.scope, page);
    Ok(shaped(req.paginated, data, total_count))
}

pub(crate) async fn create(cx: &mut Cx, req: CreateJwtTemplate) -> Result<JwtTemplate, ApiError> {
    let given = Given {
        name: req.name.as_deref(),
        claims: req.claims.as_ref(),
        lifetime: req.lifetime,
        allowed_clock_skew: req.allowed_clock_skew,
        custom_signing_key: req.custom_signing_key,
        signing_algorithm: req.signing_algorithm.as_deref(),
        signing_key: req.signing_key.as_deref(),
    };
    templates::create(&cx.scope, given).await
}

pub(crate) async fn get(cx: &mut Cx, req: GetJwtTemplate) -> Result<JwtTemplate, ApiError> {
    templates::get(&cx.scope, &req.template_id)
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateJwtTemplate) -> Result<JwtTemplate, ApiError> {
    let given = Given {
        name: req.name.as_deref(),
        claims: req.claims.as_ref(),
        lifetime: req.lifetime,
        allowed_clock_skew: req.allowed_clock_skew,
        custom_signing_key: req.custom_signing_key,
        signing_algorithm: req.signing_algorithm.as_deref(),
        signing_key: req.signing_key.as_deref(),
    };
    templates::update(&cx.scope, &req.template_id, given).await
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteJwtTemplate) -> Result<DeletedObject, ApiError> {
    templates::delete(&cx.scope, &req.template_id).await?;
    Ok(DeletedObject::new("jwt_template", req.template_id))
}
