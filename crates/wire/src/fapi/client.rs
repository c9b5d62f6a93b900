use super::{Session, SignIn, SignUp};
use crate::Raw;
use crate::endpoint::request;
use crate::resource::{Jwks, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A browser or device, with everybody who is signed in on it.
    Client {
        /// `client`.
        object: String,
        /// The client's id.
        id: ClientId,
        /// The sessions that are live.
        sessions: Vec<Session>,
        /// The sign-in in progress.
        sign_in: Option<SignIn>,
        /// The sign-up in progress.
        sign_up: Option<SignUp>,
        /// The session that was chosen last.
        last_active_session_id: Option<SessionId>,
        /// The strategy by which somebody signed in last.
        last_authentication_strategy: Option<String>,
        /// When the cookie ends; null while that is far off.
        cookie_expires_at: Option<Timestamp>,
        /// Whether captchas are skipped.
        captcha_bypass: bool,
        /// When it was made.
        created_at: Timestamp,
        /// When somebody last signed in or out on it.
        updated_at: Timestamp,
    }

    /// A development browser: identifies a client where cookies cannot.
    DevBrowser {
        /// The token: the official SDKs of 2024 and later read it here.
        id: String,
        /// `dev_browser`.
        object: String,
        /// The token: the SDKs of 2023 read it here.
        token: String,
        /// The instance.
        instance_id: InstanceId,
        /// When it was made.
        created_at: Timestamp,
        /// The same.
        updated_at: Timestamp,
    }

    /// Whether a self-made proxy in front of the Frontend API is set up rightly.
    ProxyHealth {
        /// `healthy`.
        status: String,
        /// The address that the proxy says it has.
        proxy_url: Option<String>,
        /// Whom the proxy says it speaks for: the header as it arrived, empty where there is none.
        x_forwarded_for: String,
    }

    /// Whether the Frontend API answers.
    Health {
        /// `healthy`.
        status: String,
    }
}

request! {
    /// No parameters.
    GetClient {} => Option<Client>; Frontend GET "/v1/client" "getClient";
    "Client", Client, Frontend, NullClient; "Get the current client."
}
request! {
    /// No parameters.
    PutClient {} => Client; Frontend PUT "/v1/client" "putClient";
    "Client", Client, Frontend, NullClient; "Get the current client, or make one."
}
request! {
    /// No parameters.
    PostClient {} => Client; Frontend POST "/v1/client" "postClient";
    "Client", Client, Frontend, NullClient; "Get the current client, or make one."
}
request! {
    /// No parameters.
    DeleteClient {} => Option<Client>; Frontend DELETE "/v1/client" "deleteClientSessions";
    "Client", Client, Frontend, NullClient; "Sign everybody out on this client and forget the client."
}
request! {
    /// No parameters.
    DeleteClientSessions {} => Option<Client>; Frontend DELETE "/v1/client/sessions" "removeClientSessionsAndRetainCookie";
    "Client", Client, Frontend, NullClient; "Sign everybody out on this client and keep the client."
}
/// What came of a captcha.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CaptchaAnswer {
    /// The token that proves that it was passed.
    pub captcha_token: Option<String>,
    /// Which widget gave it: `smart` or `invisible`.
    pub captcha_widget_type: Option<String>,
    /// Why there is no token.
    pub captcha_error: Option<String>,
}

request! {
    /// A captcha that was passed.
    VerifyClient {
        /// What came of it.
        #[serde(flatten)]
        captcha: CaptchaAnswer,
    } => Client; Frontend POST "/v1/client/verify" "verifyClient";
    "Client", Client, Attempt, NullClient; "Answer a captcha that was asked for."
}
request! {
    /// Where a server-side SDK sends a browser whose session cookies it could not use.
    Handshake {
        /// Where to return to. Must lie on an allowed origin.
        redirect_url: Option<String>,
        /// `nonce` for a one-time nonce in place of the whole payload.
        format: Option<String>,
        /// Whether the SDK reads cookies that carry the suffix of its publishable key.
        suffixed_cookies: Option<bool>,
        /// The organization that the page wants active; ignored until there are organizations.
        organization_id: Option<String>,
        /// Why the SDK asks.
        __clerk_hs_reason: Option<String>,
        /// Whether the browser comes from the instance's own domain, where a satellite has sent it.
        __clerk_synced: Option<bool>,
    } => Raw; Frontend GET "/v1/client/handshake" "handshakeClient";
    "Client", Client, Frontend, Raw; "Renew the session cookies and return to the page."
}
request! {
    /// Where a browser comes from a satellite that does not know it.
    SyncClient {
        /// The satellite.
        link_domain: Option<String>,
        /// Where to return to. Must lie on the satellite.
        redirect_url: Option<String>,
        /// By what the satellite knows the browser again.
        state: Option<String>,
    } => Raw; Frontend GET "/v1/client/sync" "syncClient";
    "Client", Client, Frontend, Raw; "Make a browser's client known to a satellite (production instances only)."
}
request! {
    /// Where a browser comes back to a satellite.
    LinkClient {
        /// What stands for the browser's client.
        __clerk_token: Option<String>,
    } => Raw; Frontend GET "/v1/client/link" "linkClient";
    "Client", Client, Frontend, Raw; "Take over a browser's client on a satellite."
}
request! {
    /// Where a browser goes whose client cookie would end soon.
    TouchClient {
        /// Where to return to. Must lie on an allowed origin.
        redirect_url: Option<String>,
    } => Raw; Frontend GET "/v1/client/touch" "touchClient";
    "Client", Client, Frontend, Raw; "Renew the client cookie and return to the page."
}
request! {
    /// Where an agent's browser begins.
    OpenAgentTask {
        /// The task's ticket.
        ticket: Option<String>,
    } => Raw; Frontend GET "/v1/agents/tasks" "createAgentTask";
    "Client", Client, Arrive, Raw; "Sign an agent in as the user of its task, and go to the task's page."
}
request! {
    /// No parameters.
    CreateDevBrowser {} => DevBrowser; Frontend POST "/v1/dev_browser" "createDevBrowser";
    "Dev Browser", Client, Frontend, Bare; "Make a development browser (development instances only)."
}
request! {
    /// No parameters.
    SetFirstPartyCookie {} => DevBrowser; Frontend POST "/v1/dev_browser/set_first_party_cookie" "postDevBrowserInitSetCookie";
    "Dev Browser", Client, Frontend, Bare; "Make a development browser for the caller's own cookie (development instances only)."
}
request! {
    /// No parameters.
    GetFrontendJwks {} => Jwks; Frontend GET "/.well-known/jwks.json" "getJWKS";
    "Well Known", Public, Unlimited, Bare; "The public keys of the instance."
}
request! {
    /// No parameters.
    GetHealth {} => Health; Frontend GET "/v1/health" "getHealth";
    "Health", Public, Unlimited, Bare; "Whether the Frontend API answers."
}
request! {
    /// No parameters.
    GetProxyHealth {
        /// Accepted for the official proxies; an instance has one domain.
        domain_id: Option<String>,
    } => ProxyHealth; Frontend GET "/v1/proxy-health" "getProxyHealth";
    "Health", Public, Frontend, Bare; "Whether a proxy in front of the Frontend API is set up rightly."
}
