use super::List;
use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// An address to which people may be sent back.
    RedirectUrl {
        /// `redirect_url`.
        object: String,
        /// Its id.
        id: RedirectUrlId,
        /// The address.
        url: String,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

request! {
    /// A page of the addresses; all of them when nothing is said.
    ListRedirectUrls {
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<RedirectUrl>; Backend GET "/v1/redirect_urls" "ListRedirectURLs";
    "Redirect URLs", SecretKey, Backend, Bare; "List where people may be sent back to."
}
request! {
    /// Adds an address.
    CreateRedirectUrl {
        /// The whole address, with `https` or an app's own scheme.
        url: Option<String>,
    } => RedirectUrl; Backend POST "/v1/redirect_urls" "CreateRedirectURL";
    "Redirect URLs", SecretKey, Backend, Bare; "Add an address to which people may be sent back."
}
request! {
    /// Names an address.
    GetRedirectUrl {
        /// The address.
        id: RedirectUrlId,
    } => RedirectUrl; Backend GET "/v1/redirect_urls/{id}" "GetRedirectURL";
    "Redirect URLs", SecretKey, Backend, Bare; "Get an address to which people may be sent back."
}
request! {
    /// Names an address.
    DeleteRedirectUrl {
        /// The address.
        id: RedirectUrlId,
    } => DeletedObject; Backend DELETE "/v1/redirect_urls/{id}" "DeleteRedirectURL";
    "Redirect URLs", SecretKey, Backend, Bare; "Remove an address to which people may be sent back."
}
