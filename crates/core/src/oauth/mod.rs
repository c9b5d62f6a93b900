//! Sign-in, sign-up and connected accounts by way of other providers: OAuth 2.0 and OpenID Connect, as a client.
//!
//! [`flow`] sends a browser to a provider and takes it back; [`protocol`] talks to the provider and answers who somebody is
//! there; [`accounts`] says whose account that is here. What becomes of it is decided by sign-in and sign-up themselves.

mod accounts;
mod connection;
mod documents;
mod ended;
mod flow;
mod id_token;
mod identity;
mod mine;
mod operator;
mod protocol;
mod providers;
mod settings;

pub(crate) use accounts::{Account, linked_to, resolve, tokens_context, view};
pub(crate) use connection::{find, issuer, require_authenticatable, secret_context};
pub use documents::Documents;
pub(crate) use ended::{Ended, carried_over, current_state, seal_identity, vouched_again};
pub use flow::{POPUP_PATHS, callback, redeem};
pub(crate) use flow::{Start, ask};
pub(crate) use identity::{Identity, subject};
pub use mine::{access_tokens, connect, disconnect, reauthorize, remove, revoke_tokens};
pub(crate) use operator::open_secret;
pub use operator::{forget_secret, has_secret, set_secret};
pub use settings::{OAuthClientAuth, OAuthConnection};

use crate::app::Scope;
use crate::settings::Settings;
use connection::Connection;
use doorward_base::*;

/// Google's button in a corner of the page: it brings an ID token.
pub(crate) const ONE_TAP: &str = "google_one_tap";

/// Whether a strategy sends the browser to a provider.
pub(crate) fn is_redirect(strategy: &str) -> bool {
    providers::key_of(strategy).is_some()
}

/// The strategy of a provider, which may be named by its key alone.
pub(crate) fn strategy(provider: &str) -> String {
    if provider.starts_with("oauth_") { provider.to_owned() } else { format!("oauth_{provider}") }
}

/// The strategy under which an account is known that an ID token proves: `google_one_tap` and `oauth_token_google` prove
/// one of `oauth_google`. None for strategies that bring no token.
pub(crate) fn behind_token(strategy: &str) -> Option<String> {
    match strategy.strip_prefix("oauth_token_") {
        Some(key) => Some(format!("oauth_{key}")),
        None => (strategy == ONE_TAP).then(|| "oauth_google".to_owned()),
    }
}

/// What an app brings instead of coming by way of a provider.
#[derive(Clone, Copy)]
pub(crate) struct Brought<'a> {
    /// An ID token.
    pub token: Option<&'a str>,
    /// A code that the provider gave to the app itself.
    pub code: Option<&'a str>,
}

/// Who somebody is, by what an app brings of them.
///
/// # Errors
/// Those of the connection, the token and the code; `form_param_missing` for `token`.
pub(crate) async fn by_token(scope: &Scope, strategy: &str, brought: Brought<'_>) -> Result<Identity, ApiError> {
    let known = behind_token(strategy).ok_or_else(|| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"))?;
    brought.identity(scope, &require_authenticatable(&scope.instance, &known)?, &known).await
}

impl Brought<'_> {
    /// Who it is of. `strategy` is the one that leads to the provider.
    async fn identity(self, scope: &Scope, connection: &Connection<'_>, strategy: &str) -> Result<Identity, ApiError> {
        let filled = crate::sign_in::filled;
        match (filled(self.token), filled(self.code)) {
            (Some(token), _) => protocol::from_id_token(scope, connection, strategy, token).await,
            (None, Some(code)) => protocol::from_app_code(scope, connection, strategy, code).await,
            (None, None) => Err(ApiError::new(codes::FORM_PARAM_MISSING).param("token")),
        }
    }
}

/// Checks the providers of an instance's settings.
///
/// # Errors
/// A sentence that names the key.
pub(crate) fn validate(settings: &Settings) -> Result<(), String> {
    settings.oauth.iter().try_for_each(|(key, connection)| connection.validate(key))
}
