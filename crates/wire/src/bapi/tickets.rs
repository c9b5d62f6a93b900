use crate::Object;
use crate::endpoint::request;
use crate::resource::resource;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A ticket with which a user signs in once.
    SignInToken {
        /// `sign_in_token`.
        object: String,
        /// Its id.
        id: SignInTokenId,
        /// Who signs in with it.
        user_id: UserId,
        /// `pending`, `accepted` or `revoked`.
        status: String,
        /// The token; there once, when it is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Where a browser opens it; there once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A ticket with which somebody acts as a user.
    ActorToken {
        /// `actor_token`.
        object: String,
        /// Its id.
        id: ActorTokenId,
        /// As whom.
        user_id: UserId,
        /// Who: what the session tokens name as `act` (RFC 8693, section 4.1).
        actor: Object,
        /// `pending`, `accepted` or `revoked`.
        status: String,
        /// The token; there once, when it is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// Where a browser opens it; there once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

resource! {
    /// A ticket with which an agent, a program, signs in once as a user, in a browser that it drives.
    AgentTask {
        /// `agent_task`.
        object: String,
        /// Which agent: the same for each task of the same name within an instance.
        agent_id: String,
        /// Its id.
        agent_task_id: AgentTaskId,
        /// The same, by an older name.
        task_id: AgentTaskId,
        /// Where the agent's browser begins; there once, when it is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    }
}

/// As whom an agent acts: named in one of two ways.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnBehalfOf {
    /// The user.
    #[serde(default)]
    pub user_id: Option<String>,
    /// What the user signs in with: a proven e-mail address or phone number, a user name, a wallet.
    #[serde(default)]
    pub identifier: Option<String>,
}

request! {
    /// Lets an agent act as a user.
    CreateAgentTask {
        /// As whom.
        on_behalf_of: Option<OnBehalfOf>,
        /// What it may do: `*`, everything.
        permissions: Option<String>,
        /// What the agent is called.
        agent_name: Option<String>,
        /// What it is about to do, for the log.
        task_description: Option<String>,
        /// Where its browser goes once it is signed in. Must lie on an allowed origin; https on production instances.
        redirect_url: Option<String>,
        /// How long the session lasts at most, in seconds; half an hour when not said.
        session_max_duration_in_seconds: Option<i64>,
    } => AgentTask; Backend POST "/v1/agents/tasks" "CreateAgentTask";
    "Agent Tasks", SecretKey, Backend, Bare; "Let an agent act as a user for a while."
}
request! {
    /// Names a task.
    RevokeAgentTask {
        /// The task.
        agent_task_id: AgentTaskId,
    } => AgentTask; Backend POST "/v1/agents/tasks/{agent_task_id}/revoke" "RevokeAgentTask";
    "Agent Tasks", SecretKey, Backend, Bare; "Take the task of an agent back."
}
request! {
    /// Makes a ticket for a user.
    CreateSignInToken {
        /// Who signs in with it.
        user_id: Option<String>,
        /// How long it is good, in seconds; thirty days when not said.
        expires_in_seconds: Option<i64>,
        /// The organization that is active then. There are none, so only an empty one is taken.
        org_id: Option<String>,
    } => SignInToken; Backend POST "/v1/sign_in_tokens" "CreateSignInToken";
    "Sign-in Tokens", SecretKey, Backend, Bare; "Make a ticket with which a user signs in once."
}
request! {
    /// Names a ticket.
    RevokeSignInToken {
        /// The ticket.
        sign_in_token_id: SignInTokenId,
    } => SignInToken; Backend POST "/v1/sign_in_tokens/{sign_in_token_id}/revoke" "RevokeSignInToken";
    "Sign-in Tokens", SecretKey, Backend, Bare; "Take a ticket back."
}
request! {
    /// Makes a ticket for somebody who acts as a user.
    CreateActorToken {
        /// As whom.
        user_id: Option<String>,
        /// Who; `sub` must be in it.
        actor: Option<Object>,
        /// How long it is good, in seconds; an hour when not said.
        expires_in_seconds: Option<i64>,
        /// How long the session lasts at most, in seconds; half an hour when not said.
        session_max_duration_in_seconds: Option<i64>,
    } => ActorToken; Backend POST "/v1/actor_tokens" "CreateActorToken";
    "Actor Tokens", SecretKey, Backend, Bare; "Make a ticket with which somebody acts as a user."
}
request! {
    /// Names a ticket.
    RevokeActorToken {
        /// The ticket.
        actor_token_id: ActorTokenId,
    } => ActorToken; Backend POST "/v1/actor_tokens/{actor_token_id}/revoke" "RevokeActorToken";
    "Actor Tokens", SecretKey, Backend, Bare; "Take a ticket back."
}
