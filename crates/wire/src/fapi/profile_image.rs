use crate::Raw;
use crate::endpoint::request;
use crate::resource::{DeletedObject, Image};
use doorward_base::ImageId;

request! {
    /// The picture: `multipart/form-data`, or base64 as `application/octet-stream`.
    UpdateProfileImage {
        /// PNG, JPEG, GIF or WebP, at most 10 MiB.
        #[schemars(extend("format" = "binary"))]
        file: Option<String>,
    } => Image; Frontend POST "/v1/me/profile_image" "updateProfileImage";
    "User", Session, Frontend, WithClient; "Choose the signed-in user's picture."
}
request! {
    /// No parameters.
    DeleteProfileImage {} => DeletedObject; Frontend DELETE "/v1/me/profile_image" "deleteProfileImage";
    "User", Session, Frontend, WithClient; "Take the signed-in user's picture away."
}
request! {
    /// Names a picture.
    GetImage {
        /// The picture.
        image_id: ImageId,
    } => Raw; Frontend GET "/v1/images/{image_id}" "getImage";
    "Images", Public, Frontend, Raw; "Show a picture. A picture never changes; a new one has a new address."
}
request! {
    /// Names a colour.
    GetPlainImage {
        /// In degrees, 0 to 359.
        hue: String,
    } => Raw; Frontend GET "/v1/images/plain/{hue}" "getPlainImage";
    "Images", Public, Frontend, Raw; "Show the picture of somebody who chose none."
}
