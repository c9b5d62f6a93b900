use doorward_base::ApiError;
use doorward_core::sign_up;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;

pub(crate) async fn create(cx: &mut Cx, req: CreateSignUp) -> Result<SignUp, ApiError> {
    let outcome = sign_up::start(&cx.scope, &cx.caller, cx.current.clone(), &req.fields).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn update(cx: &mut Cx, req: UpdateSignUp) -> Result<SignUp, ApiError> {
    let outcome = sign_up::update(&cx.scope, &cx.caller, cx.current.clone(), Some(&req.sign_up_id), &req.fields).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn update_current(cx: &mut Cx, req: UpdateCurrentSignUp) -> Result<SignUp, ApiError> {
    let outcome = sign_up::update(&cx.scope, &cx.caller, cx.current.clone(), None, &req.fields).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn get(cx: &mut Cx, req: GetSignUp) -> Result<SignUp, ApiError> {
    let outcome = sign_up::get(&cx.scope, &cx.caller, cx.current.clone(), &req.sign_up_id).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn prepare(cx: &mut Cx, req: PrepareVerification) -> Result<SignUp, ApiError> {
    sign_up::prepare(&cx.scope, &cx.caller, &cx.current, &req).await
}

pub(crate) async fn attempt(cx: &mut Cx, req: AttemptVerification) -> Result<SignUp, ApiError> {
    let outcome = sign_up::attempt(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    Ok(cx.keep(outcome))
}
