use doorward_base::ApiError;
use doorward_core::{agent_tasks, tickets};
use doorward_gateway::Cx;
use doorward_wire::bapi::*;

pub(crate) async fn create_sign_in_token(cx: &mut Cx, req: CreateSignInToken) -> Result<SignInToken, ApiError> {
    tickets::create_sign_in_token(&cx.scope, &req).await
}

pub(crate) async fn revoke_sign_in_token(cx: &mut Cx, req: RevokeSignInToken) -> Result<SignInToken, ApiError> {
    tickets::revoke_sign_in_token(&cx.scope, &req.sign_in_token_id).await
}

pub(crate) async fn create_actor_token(cx: &mut Cx, req: CreateActorToken) -> Result<ActorToken, ApiError> {
    tickets::create_actor_token(&cx.scope, &req).await
}

pub(crate) async fn revoke_actor_token(cx: &mut Cx, req: RevokeActorToken) -> Result<ActorToken, ApiError> {
    tickets::revoke_actor_token(&cx.scope, &req.actor_token_id).await
}

pub(crate) async fn create_agent_task(cx: &mut Cx, req: CreateAgentTask) -> Result<AgentTask, ApiError> {
    agent_tasks::create(&cx.scope, &req).await
}

pub(crate) async fn revoke_agent_task(cx: &mut Cx, req: RevokeAgentTask) -> Result<AgentTask, ApiError> {
    agent_tasks::revoke(&cx.scope, &req.agent_task_id).await
}
