use crate::access::{optional_page, shaped};
use doorward_base::*;
use doorward_core::redirect_urls;
use doorward_gateway::Cx;
use doorward_store::redirect_urls::RedirectRecord;
use doorward_wire::bapi::*;
use doorward_wire::resource::DeletedObject;

const OBJECT: &str = "redirect_url";

fn view(it: RedirectRecord) -> RedirectUrl {
    RedirectUrl { object: OBJECT.to_owned(), id: it.id, url: it.url, created_at: it.created_at, updated_at: it.updated_at }
}

pub(crate) async fn list(cx: &mut Cx, req: ListRedirectUrls) -> Result<List<RedirectUrl>, ApiError> {
    let page = optional_page(req.paginated, req.limit, req.offset)?;
    let (found, total) = redirect_urls::list(&cx.scope, page).await?;
    Ok(shaped(req.paginated, found.into_iter().map(view).collect(), total))
}

pub(crate) async fn create(cx: &mut Cx, req: CreateRedirectUrl) -> Result<RedirectUrl, ApiError> {
    redirect_urls::add(&cx.scope, req.url.as_deref()).await.map(view)
}

pub(crate) async fn get(cx: &mut Cx, req: GetRedirectUrl) -> Result<RedirectUrl, ApiError> {
    redirect_urls::get(&cx.scope, &req.id).await.map(view)
}

pub(crate) async fn delete(cx: &mut Cx, req: DeleteRedirectUrl) -> Result<DeletedObject, ApiError> {
    redirect_urls::remove(&cx.scope, &req.id).await?;
    Ok(DeletedObject::new(OBJECT, req.id))
}
