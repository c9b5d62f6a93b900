use crate::endpoint::request;
use crate::resource::{PublicUserData, SessionActivity, SessionTask, Token, User, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

resource! {
    /// One user's stay on one client.
    Session {
        /// `session`.
        object: String,
        /// The session's id.
        id: SessionId,
        /// `active`, `pending`, `ended`, `expired`, `removed`, `replaced`, `revoked` or `abandoned`.
        status: String,
        /// When it ends at the latest.
        expire_at: Timestamp,
        /// When it is given up if nobody comes back.
        abandon_at: Timestamp,
        /// When it was last used.
        last_active_at: Timestamp,
        /// The organization that was chosen last.
        last_active_organization_id: Option<String>,
        /// Who acts as the user.
        actor: Option<Value>,
        /// What must be done before the session is active.
        tasks: Option<Vec<SessionTask>>,
        /// Minutes since the first and the second factor were checked; -1 means never.
        factor_verification_age: Option<(i64, i64)>,
        /// What others may see of the user.
        public_user_data: PublicUserData,
        /// The user.
        user: Option<User>,
        /// A token that was made for this answer.
        last_active_token: Option<Token>,
        /// When it began.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// A session with where it was last used, and without the user.
    SessionWithActivities {
        /// `session`.
        object: String,
        /// The session's id.
        id: SessionId,
        /// The status.
        status: String,
        /// When it ends at the latest.
        expire_at: Timestamp,
        /// When it is given up if nobody comes back.
        abandon_at: Timestamp,
        /// When it was last used.
        last_active_at: Timestamp,
        /// The organization that was active last.
        last_active_organization_id: Option<String>,
        /// Who acts as the user.
        actor: Option<Value>,
        /// Minutes since the last proof by a first and by a second factor; -1 for never.
        factor_verification_age: (i64, i64),
        /// What others may see of the user.
        public_user_data: PublicUserData,
        /// Where and on what.
        latest_activity: SessionActivity,
        /// When it began.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

request! {
    /// Names a session of this client.
    GetSession {
        /// The session.
        session_id: SessionId,
    } => Session; Frontend GET "/v1/client/sessions/{session_id}" "getSession";
    "Sessions", Client, Frontend, WithClient; "Get a session of this client."
}
request! {
    /// Chooses a session and marks it used.
    TouchSession {
        /// The session.
        session_id: SessionId,
        /// The organization to choose; empty for none.
        active_organization_id: Option<String>,
        /// `select_session`, `select_org` or `focus`.
        intent: Option<String>,
    } => Session; Frontend POST "/v1/client/sessions/{session_id}/touch" "touchSession";
    "Sessions", Client, Frontend, WithClient; "Mark a session as the active one."
}
request! {
    /// Mints a session token.
    CreateSessionToken {
        /// The session.
        session_id: SessionId,
        /// The organization to put into the token; empty for none.
        organization_id: Option<String>,
    } => Token; Frontend POST "/v1/client/sessions/{session_id}/tokens" "createSessionToken";
    "Sessions", Client, Mint, Bare; "Mint a session token."
}
request! {
    /// Mints a token from a template.
    CreateTemplateToken {
        /// The session.
        session_id: SessionId,
        /// The template's name.
        template_name: String,
    } => Token; Frontend POST "/v1/client/sessions/{session_id}/tokens/{template_name}" "createSessionTokenWithTemplate";
    "Sessions", Client, Mint, Bare; "Mint a token from a template of the instance's settings."
}
request! {
    /// Ends a session.
    EndSession {
        /// The session.
        session_id: SessionId,
    } => Session; Frontend POST "/v1/client/sessions/{session_id}/end" "endSession";
    "Sessions", Client, Frontend, WithClient; "End a session and keep it listed as ended."
}
request! {
    /// Removes a session.
    RemoveSession {
        /// The session.
        session_id: SessionId,
    } => Session; Frontend POST "/v1/client/sessions/{session_id}/remove" "removeSession";
    "Sessions", Client, Frontend, WithClient; "Sign one session out."
}
