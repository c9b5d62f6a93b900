use crate::access::{WHOLE, optional_page, shaped};
use doorward_base::*;
use doorward_core::messages::manage::{self, Given};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;

pub(crate) async fn list(cx: &mut Cx, req: ListTemplates) -> Result<List<MessageTemplate>, ApiError> {
    let page = optional_page(req.paginated, req.limit, req.offset)?.unwrap_or(WHOLE);
    let (data, total_count) = manage::list(&cx.scope, &req.template_type, page).await?;
    Ok(shaped(req.paginated, data, total_count))
}

pub(crate) async fn get(cx: &mut Cx, req: GetTemplate) -> Result<MessageTemplate, ApiError> {
    manage::get(&cx.scope, &req.template_type, &req.slug).await
}

pub(crate) async fn put(cx: &mut Cx, req: PutTemplate) -> Result<MessageTemplate, ApiError> {
    let given = Given {
        name: req.name.as_deref(),
        subject: req.subject.as_deref(),
        body: req.body.as_deref(),
        markup: req.markup.as_deref(),
        from_email_name: req.from_email_name.as_deref(),
        reply_to_email_name: req.reply_to_email_name.as_deref(),
        delivered: req.delivered_by_clerk,
    };
    manage::put(&cx.scope, &req.template_type, &req.slug, given).await
}

pub(crate) async fn revert(cx: &mut Cx, req: RevertTemplate) -> Result<MessageTemplate, ApiError> {
    manage::revert(&cx.scope, &req.template_type, &req.slug).await
}

pub(crate) async fn preview(cx: &mut Cx, req: PreviewTemplate) -> Result<TemplatePreview, ApiError> {
    let given = Given {
        subject: req.subject.as_deref(),
        body: req.body.as_deref(),
        from_email_name: req.from_email_name.as_deref(),
        reply_to_email_name: req.reply_to_email_name.as_deref(),
        ..Given::default()
    };
    manage::preview(&cx.scope, &req.template_type, &req.slug, given).await
}

pub(crate) async fn toggle_delivery(cx: &mut Cx, req: ToggleTemplateDelivery) -> Result<MessageTemplate, ApiError> {
    let missing = || ApiError::new(codes::FORM_PARAM_MISSING).param("delivered_by_clerk");
    let delivered = Some(req.delivered_by_clerk.ok_or_else(missing)?);
    manage::put(&cx.scope, &req.template_type, &req.slug, Given { delivered, ..Given::default() }).await
}
