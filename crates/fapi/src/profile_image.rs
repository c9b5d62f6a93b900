use bytes::Bytes;
use doorward_base::*;
use doorward_core::images;
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use doorward_wire::resource::{DeletedObject, Image};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};

/// What is under an address never changes, so whoever has it need not ask again.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Opened by itself, a picture is a document: one that may do nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

pub(crate) async fn update(cx: &mut Cx, _: UpdateProfileImage) -> Result<Image, ApiError> {
    let file = cx.upload.take();
    images::set(&cx.scope, &cx.session()?.1.user.id, file).await
}

pub(crate) async fn delete(cx: &mut Cx, _: DeleteProfileImage) -> Result<DeletedObject, ApiError> {
    Ok(DeletedObject::new("image", images::remove(&cx.scope, &cx.session()?.1.user.id).await?))
}

pub(crate) async fn show(cx: &mut Cx, req: GetImage) -> Result<Raw, ApiError> {
    let found = images::get(&cx.scope, &req.image_id).await?;
    answer(cx, &found.content_type, Bytes::from(found.bytes))
}

pub(crate) async fn show_plain(cx: &mut Cx, req: GetPlainImage) -> Result<Raw, ApiError> {
    let drawn = images::plain(&req.hue)?;
    answer(cx, "image/svg+xml", Bytes::from(drawn))
}

fn answer(cx: &mut Cx, content_type: &str, bytes: Bytes) -> Result<Raw, ApiError> {
    let mut response = Response::new(bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(ApiError::internal)?);
    headers.insert(CACHE_CONTROL, FOR_EVER);
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
    cx.raw = Some(response);
    Ok(Raw {})
}
