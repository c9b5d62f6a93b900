use super::SessionWithActivities;
use crate::Object;
use crate::endpoint::{present, request};
use crate::resource::{DeletedObject, User};
use doorward_base::SessionId;

request! {
    /// No parameters.
    GetMe {} => User; Frontend GET "/v1/me" "getUser";
    "Me", AnySession, Frontend, WithClient; "Get the signed-in user."
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
request! {
    /// What the user changes of their own. Fields that are left out stay; empty ones are cleared.
    UpdateMe {
        /// The user name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        username: Option<Option<String>>,
        /// First name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        first_name: Option<Option<String>>,
        /// Last name.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        last_name: Option<Option<String>>,
        /// BCP 47 tag of the user's language.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        locale: Option<Option<String>>,
        /// A proven address that is shown and written to from now on.
        primary_email_address_id: Option<String>,
        /// A proven number that is shown and written to from now on.
        primary_phone_number_id: Option<String>,
        /// A proven wallet that is shown from now on.
        primary_web3_wallet_id: Option<String>,
        /// Metadata for the browser, replaced as a whole.
        unsafe_metadata: Option<Object>,
    } => User; Frontend PATCH "/v1/me" "patchUser";
    "User", Session, Frontend, WithClient; "Change the signed-in user."
}
request! {
    /// Metadata that is merged into what is there (RFC 7396): a null removes its key.
    UpdateMyMetadata {
        /// Metadata for the browser.
        unsafe_metadata: Option<Object>,
    } => User; Frontend PATCH "/v1/me/metadata" "patchUserMetadata";
    "User", Session, Frontend, WithClient; "Merge into the signed-in user's metadata."
}
request! {
    /// No parameters.
    DeleteMe {} => DeletedObject; Frontend DELETE "/v1/me" "deleteUser";
    "User", Session, Frontend, WithClient; "Delete the signed-in user with everything that is theirs."
}
