use super::List;
use crate::Object;
use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A token with which a provider is called in a user's name.
    OauthAccessToken {
        /// `oauth_access_token`.
        object: String,
        /// The account that it belongs to.
        external_account_id: ExternalAccountId,
        /// The provider's own id of the account.
        provider_user_id: String,
        /// The access token.
        token: String,
        /// The ID token that came with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id_token: Option<String>,
        /// When it ends; null where the provider did not say.
        expires_at: Option<Timestamp>,
        /// The strategy, such as `oauth_google`.
        provider: String,
        /// What the account came with from another server; else empty.
        public_metadata: Object,
        /// Always null.
        label: Option<String>,
        /// What it allows.
        scopes: Vec<String>,
    }
}

request! {
    /// Names a user and a provider.
    ListOauthAccessTokens {
        /// The user.
        user_id: UserId,
        /// The strategy, such as `oauth_google`; its prefix may be left out.
        provider: String,
        /// Whether the total is answered, too.
        paginated: Option<bool>,
        /// How many at most: 1 to 500, 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<OauthAccessToken>; Backend GET "/v1/users/{user_id}/oauth_access_tokens/{provider}" "GetOAuthAccessToken";
    "Users", SecretKey, Backend, Bare; "Get the tokens with which a provider is called in a user's name."
}
request! {
    /// Names an account of a user.
    DeleteExternalAccount {
        /// The user.
        user_id: UserId,
        /// The account.
        external_account_id: ExternalAccountId,
    } => DeletedObject; Backend DELETE "/v1/users/{user_id}/external_accounts/{external_account_id}" "DeleteExternalAccount";
    "Users", SecretKey, Backend, Bare; "Disconnect a user's account at another provider."
}
