use doorward_base::*;
use doorward_core::crypto::token_hash;
use doorward_core::internal;
use doorward_gateway::Cx;
use doorward_store::tokens;
use doorward_wire::bapi::*;
use doorward_wire::resource::Jwks;

/// The kind under which testing tokens are kept.
const TESTING_KIND: &str = "testing";
/// How long a testing token is good.
const TESTING_LIFETIME_MS: i64 = 60 * 60 * 1000;

pub(crate) async fn jwks(cx: &mut Cx, _: GetBackendJwks) -> Result<Jwks, ApiError> {
    Ok(cx.scope.instance.jwks())
}

pub(crate) async fn create_testing_token(cx: &mut Cx, _: CreateTestingToken) -> Result<TestingToken, ApiError> {
    let scope = &cx.scope;
    let token = format!("dwt_{}", scope.app.rng.alphanumeric(48));
    let until = scope.now + TESTING_LIFETIME_MS;
    let hash = token_hash(&token);
    tokens::insert(scope.db(), scope.ins(), TESTING_KIND, &hash, "", until, scope.now).await.map_err(internal)?;
    Ok(TestingToken { object: "testing_token".to_owned(), token, expires_at: until / 1000 })
}
