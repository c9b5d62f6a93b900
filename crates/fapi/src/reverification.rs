use doorward_base::ApiError;
use doorward_core::reverification;
use doorward_gateway::Cx;
use doorward_wire::fapi::*;

pub(crate) async fn start(cx: &mut Cx, req: StartReverification) -> Result<SessionReverification, ApiError> {
    reverification::start(&cx.scope, &cx.caller, cx.current.require()?, &req.session_id, req.level.as_deref()).await
}

pub(crate) async fn prepare_first(cx: &mut Cx, req: PrepareReverificationFirstFactor) -> Result<SessionReverification, ApiError> {
    reverification::prepare_first(&cx.scope, &cx.caller, cx.current.require()?, &req).await
}

pub(crate) async fn attempt_first(cx: &mut Cx, req: AttemptReverificationFirstFactor) -> Result<SessionReverification, ApiError> {
    reverification::attempt_first(&cx.scope, &cx.caller, cx.current.require()?, &req).await
}

pub(crate) async fn prepare_second(cx: &mut Cx, req: PrepareReverificationSecondFactor) -> Result<SessionReverification, ApiError> {
    reverification::prepare_second(&cx.scope, &cx.caller, cx.current.require()?, &req).await
}

pub(crate) async fn attempt_second(cx: &mut Cx, req: AttemptReverificationSecondFactor) -> Result<SessionReverification, ApiError> {
    reverification::attempt_second(&cx.scope, &cx.caller, cx.current.require()?, &req).await
}
