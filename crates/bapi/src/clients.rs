use doorward_base::*;
use doorward_core::client;
use doorward_core::users::page;
use doorward_core::{handshake, internal};
use doorward_gateway::Cx;
use doorward_store::clients;
use doorward_wire::bapi::*;

pub(crate) async fn list(cx: &mut Cx, req: ListClients) -> Result<List<ServerClient>, ApiError> {
    let page = page(req.limit, req.offset)?;
    let (db, ins) = (cx.scope.db(), cx.scope.ins());
    let found = clients::list(db, ins, page.limit, page.offset).await.map_err(internal)?;
    let data = client::server_views(&cx.scope, &found).await?;
    if req.paginated != Some(true) {
        return Ok(List::Bare(data));
    }
    Ok(List::Page { data, total_count: clients::count(db, ins).await.map_err(internal)? })
}

pub(crate) async fn get(cx: &mut Cx, req: GetServerClient) -> Result<ServerClient, ApiError> {
    let found = clients::get(cx.scope.db(), cx.scope.ins(), &req.client_id).await.map_err(internal)?;
    client::server_view(&cx.scope, &found.ok_or_else(|| ApiError::not_found("Client", &req.client_id))?).await
}

/// The token is a secret, so the error does not repeat it.
pub(crate) async fn verify(cx: &mut Cx, req: VerifyClient) -> Result<ServerClient, ApiError> {
    let token = req.token.filter(|token| !token.is_empty()).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("token"))?;
    let found = client::find(&cx.scope, &Secret::from(token)).await?;
    let missing = || ApiError::new(codes::RESOURCE_NOT_FOUND).param("token").long("No client was found for this token.");
    client::server_view(&cx.scope, &found.ok_or_else(missing)?).await
}

pub(crate) async fn handshake_payload(cx: &mut Cx, req: GetHandshakePayload) -> Result<HandshakePayload, ApiError> {
    Ok(HandshakePayload { directives: handshake::redeem(&cx.scope, req.nonce.as_deref()).await? })
}
