use crate::Raw;
use crate::endpoint::request;
use crate::resource::{DeletedObject, ExternalAccount, User};
use doorward_base::ExternalAccountId;

request! {
    /// What a provider sends the browser back with.
    OauthCallback {
        /// What becomes tokens.
        code: Option<String>,
        /// What the browser set out with.
        state: Option<String>,
        /// Why there is no code.
        error: Option<String>,
        /// What was granted.
        scope: Option<String>,
        /// A name, from Apple alone, as a JSON text.
        user: Option<String>,
    } => Raw; Frontend GET "/v1/oauth_callback" "getOauthCallback";
    "OAuth2 Callbacks", Client, Arrive, Raw; "Come back from a provider."
}
request! {
    /// The same as a form, which a provider's page sends.
    PostOauthCallback {
        /// What becomes tokens.
        code: Option<String>,
        /// What the browser set out with.
        state: Option<String>,
        /// Why there is no code.
        error: Option<String>,
        /// What was granted.
        scope: Option<String>,
        /// A name, from Apple alone, as a JSON text.
        user: Option<String>,
    } => Raw; Frontend POST "/v1/oauth_callback" "postOauthCallback";
    "OAuth2 Callbacks", Foreign, Arrive, Raw; "Come back from a provider that sends a form."
}
request! {
    /// Connects an account.
    ConnectExternalAccount {
        /// `oauth_<provider>`, or `oauth_token_<provider>` with a token or code.
        strategy: Option<String>,
        /// Where the provider leads back to.
        redirect_url: Option<String>,
        /// Where the browser goes when all is done; `redirect_url` by default.
        action_complete_redirect_url: Option<String>,
        /// Scopes beside those that are always asked for.
        additional_scope: Option<Vec<String>>,
        /// The `prompt` of OpenID Connect.
        oidc_prompt: Option<String>,
        /// The `login_hint` of OpenID Connect.
        oidc_login_hint: Option<String>,
        /// An ID token, with `oauth_token_<provider>`.
        token: Option<String>,
        /// With `oauth_token_apple` and no token: the code that Apple gave to the app.
        code: Option<String>,
    } => ExternalAccount; Frontend POST "/v1/me/external_accounts" "postOAuthAccounts";
    "External Accounts", Session, Frontend, WithClient; "Connect an account at another provider."
}
request! {
    /// Asks for an account once more.
    ReauthorizeExternalAccount {
        /// The account.
        external_account_id: ExternalAccountId,
        /// Where the provider leads back to.
        redirect_url: Option<String>,
        /// Where the browser goes when all is done; `redirect_url` by default.
        action_complete_redirect_url: Option<String>,
        /// Scopes beside those that were granted.
        additional_scope: Option<Vec<String>>,
        /// The `prompt` of OpenID Connect.
        oidc_prompt: Option<String>,
        /// The `login_hint` of OpenID Connect.
        oidc_login_hint: Option<String>,
    } => ExternalAccount;
    Frontend PATCH "/v1/me/external_accounts/{external_account_id}/reauthorize" "reauthorizeExternalAccount";
    "External Accounts", Session, Frontend, WithClient; "Ask the provider of an account for more, or once more."
}
request! {
    /// Names an account of the signed-in user.
    DisconnectExternalAccount {
        /// The account.
        external_account_id: ExternalAccountId,
    } => DeletedObject; Frontend DELETE "/v1/me/external_accounts/{external_account_id}" "deleteExternalAccount";
    "External Accounts", Session, Frontend, WithClient; "Disconnect an account."
}
request! {
    /// Names an account of the signed-in user.
    RevokeExternalAccountTokens {
        /// The account.
        external_account_id: ExternalAccountId,
    } => User; Frontend DELETE "/v1/me/external_accounts/{external_account_id}/tokens" "revokeExternalAccountTokens";
    "External Accounts", Session, Frontend, WithClient; "Give up the tokens of an account."
}
