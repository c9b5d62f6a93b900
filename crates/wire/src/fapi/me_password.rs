use crate::endpoint::request;
use crate::resource::User;

request! {
    /// A new password.
    ChangePassword {
        /// The password until now, for those who have one.
        current_password: Option<String>,
        /// The new one.
        new_password: Option<String>,
        /// Whether the user's other sessions end.
        sign_out_of_other_sessions: Option<bool>,
    } => User; Frontend POST "/v1/me/change_password" "changePassword";
    "User", AnySession, Attempt, WithClient; "Change the signed-in user's password."
}
request! {
    /// Proves the password that is to go.
    RemovePassword {
        /// The password.
        current_password: Option<String>,
    } => User; Frontend POST "/v1/me/remove_password" "removePassword";
    "User", Session, Attempt, WithClient; "Remove the signed-in user's password."
}
