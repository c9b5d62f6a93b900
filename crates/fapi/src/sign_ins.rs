use doorward_base::ApiError;
use doorward_core::{sign_in, tickets};
use doorward_gateway::Cx;
use doorward_wire::Raw;
use doorward_wire::fapi::*;
use http::StatusCode;

pub(crate) async fn create(cx: &mut Cx, req: CreateSignIn) -> Result<SignIn, ApiError> {
    let outcome = sign_in::start(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    cx.keep(outcome)
}

pub(crate) async fn get(cx: &mut Cx, req: GetSignIn) -> Result<SignIn, ApiError> {
    let outcome = sign_in::get(&cx.scope, &cx.caller, cx.current.clone(), &req.sign_in_id).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn prepare_first(cx: &mut Cx, req: PrepareFirstFactor) -> Result<SignIn, ApiError> {
    sign_in::prepare_first(&cx.scope, &cx.caller, &cx.current, &req).await
}

pub(crate) async fn attempt_first(cx: &mut Cx, req: AttemptFirstFactor) -> Result<SignIn, ApiError> {
    let outcome = sign_in::attempt_first(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn prepare_second(cx: &mut Cx, req: PrepareSecondFactor) -> Result<SignIn, ApiError> {
    sign_in::prepare_second(&cx.scope, &cx.caller, &cx.current, &req).await
}

pub(crate) async fn attempt_second(cx: &mut Cx, req: AttemptSecondFactor) -> Result<SignIn, ApiError> {
    let outcome = sign_in::attempt_second(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    Ok(cx.keep(outcome))
}

pub(crate) async fn reset_password(cx: &mut Cx, req: ResetPassword) -> Result<SignIn, ApiError> {
    let outcome = sign_in::reset_password(&cx.scope, &cx.caller, cx.current.clone(), &req).await?;
    Ok(cx.keep(outcome))
}

/// Looks at the ticket and leaves it whole: it works when the page signs in with it, and not for whoever reads mail first.
pub(crate) async fn accept_ticket(cx: &mut Cx, req: AcceptTicket) -> Result<Raw, ApiError> {
    let to = tickets::landing(&cx.scope, &cx.caller, &cx.current, req.ticket.as_deref(), cx.only_looks).await?;
    cx.raw = Some(crate::client::redirect(StatusCode::SEE_OTHER, &to, &[])?);
    Ok(Raw {})
}
