use super::SessionWithActivities;
use crate::endpoint::request;
use crate::resource::User;
use doorward_base::SessionId;

request! {
    /// No parameters.
    GetMe {} => User; Frontend GET "/v1/me" "getUser";
    "Me", Session, Frontend, WithClient; "Get the signed-in user."
}
request! {
    /// No parameters.
    GetMySessions {} => Vec<SessionWithActivities>; Frontend GET "/v1/me/sessions" "getUsersSessions";
    "Me", Session, Frontend, Bare; "List the signed-in user's sessions on all clients."
}
request! {
    /// No parameters.
    GetMyActiveSessions {} => Vec<SessionWithActivities>; Frontend GET "/v1/me/sessions/active" "getSessions";
    "Me", Session, Frontend, Bare; "List the signed-in user's active sessions on all clients."
}
request! {
    /// Names a session of the signed-in user.
    RevokeMySession {
        /// The session.
        session_id: SessionId,
    } => SessionWithActivities; Frontend POST "/v1/me/sessions/{session_id}/revoke" "revokeSession";
    "Me", Session, Frontend, WithClient; "End one of the signed-in user's sessions, on whichever client it is."
}
