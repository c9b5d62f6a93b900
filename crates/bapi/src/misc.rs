use doorward_base::*;
use doorward_core::testing_tokens;
use doorward_gateway::Cx;
use doorward_wire::bapi::*;
use doorward_wire::resource::Jwks;

pub(crate) async fn jwks(cx: &mut Cx, _: GetBackendJwks) -> Result<Jwks, ApiError> {
    Ok(cx.scope.instance.jwks())
}

pub(crate) async fn create_testing_token(cx: &mut Cx, _: CreateTestingToken) -> Result<TestingToken, ApiError> {
    let (token, until) = testing_tokens::create(&cx.scope).await?;
    Ok(TestingToken { object: "testing_token".to_owned(), token, expires_at: until / 1000 })
}
