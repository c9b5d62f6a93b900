use crate::Raw;
use crate::endpoint::request;

request! {
    /// Opens a link that came by mail.
    VerifyLink {
        /// What stands in the link.
        token: Option<String>,
    } => Raw; Frontend GET "/v1/verify" "verify";
    "Verify", Client, Arrive, Raw; "Prove an address by the link that was sent to it."
}
request! {
    /// Says that a person opened the link.
    ConfirmLink {
        /// What stands in the link.
        token: Option<String>,
    } => Raw; Frontend POST "/v1/verify" "confirmVerify";
    "Verify", Client, Arrive, Raw; "Prove an address by a link that was opened on another device."
}
