use crate::endpoint::request;
use crate::resource::User;
use doorward_base::UserId;

request! {
    /// The picture, as `multipart/form-data`.
    SetUserProfileImage {
        /// The user.
        user_id: UserId,
        /// PNG, JPEG, GIF or WebP, at most 10 MiB.
        #[schemars(extend("format" = "binary"))]
        file: Option<String>,
    } => User; Backend POST "/v1/users/{user_id}/profile_image" "SetUserProfileImage";
    "Users", SecretKey, Backend, Bare; "Choose a user's picture."
}
request! {
    /// Names a user.
    DeleteUserProfileImage {
        /// The user.
        user_id: UserId,
    } => User; Backend DELETE "/v1/users/{user_id}/profile_image" "DeleteUserProfileImage";
    "Users", SecretKey, Backend, Bare; "Take a user's picture away."
}
