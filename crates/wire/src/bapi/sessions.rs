use crate::endpoint::request;
use crate::resource::{Jwks, SessionActivity, Token, resource};
use crate::{Object, Raw};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

resource! {
    /// A session as a server sees it.
    ServerSession {
        /// `session`.
        object: String,
        /// The session's id.
        id: SessionId,
        /// The user.
        user_id: UserId,
        /// The client.
        client_id: ClientId,
        /// Who acts as the user.
        actor: Option<Value>,
        /// The status.
        status: String,
        /// The organization that was chosen last.
        last_active_organization_id: Option<String>,
        /// When it was last used.
        last_active_at: Timestamp,
        /// Where and on what it was last used.
        latest_activity: SessionActivity,
        /// When it ends at the latest.
        expire_at: Timestamp,
        /// When it is given up if nobody comes back.
        abandon_at: Timestamp,
        /// What must be done before the session is active.
        tasks: Option<Vec<crate::resource::SessionTask>>,
        /// When it last changed.
        updated_at: Timestamp,
        /// When it began.
        created_at: Timestamp,
    }

    /// A client as a server sees it.
    ServerClient {
        /// `client`.
        object: String,
        /// The client's id.
        id: ClientId,
        /// The ids of its live sessions.
        session_ids: Vec<SessionId>,
        /// Its live sessions.
        sessions: Vec<ServerSession>,
        /// The sign-in in progress.
        sign_in_id: Option<SignInId>,
        /// The sign-up in progress.
        sign_up_id: Option<SignUpId>,
        /// The session that was chosen last.
        last_active_session_id: Option<SessionId>,
        /// The strategy by which somebody signed in last.
        last_authentication_strategy: Option<String>,
        /// When somebody last signed in or out on it.
        updated_at: Timestamp,
        /// When it was made.
        created_at: Timestamp,
    }

    /// Lets automated tests pass the protections against automated sign-ins.
    TestingToken {
        /// `testing_token`.
        object: String,
        /// The token, shown once.
        token: String,
        /// When it ends, in seconds since the epoch.
        expires_at: i64,
    }

    /// Cookies to set in place of a handshake.
    Cookies {
        /// `cookies`.
        object: String,
        /// Values of `Set-Cookie`.
        cookies: Vec<String>,
    }

    /// What the nonce of a handshake stands for.
    HandshakePayload {
        /// Values of `Set-Cookie`.
        directives: Vec<String>,
    }
}

/// What a refresh answers: depends on the `format` that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Refreshed {
    /// For `cookie`.
    Cookies(Cookies),
    /// For `token`.
    Token(Token),
}

/// A list, bare or with its total: lists of sessions and clients come either way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum List<T> {
    /// Asked for with `paginated=true`.
    Page {
        /// This page.
        data: Vec<T>,
        /// How many there are in all.
        total_count: i64,
    },
    /// Else.
    Bare(Vec<T>),
}

request! {
    /// Filters of the list of sessions; one of `client_id` and `user_id` must be there.
    ListSessions {
        /// Sessions of this client.
        client_id: Option<String>,
        /// Sessions of this user.
        user_id: Option<String>,
        /// Sessions in this status.
        status: Option<String>,
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<ServerSession>; Backend GET "/v1/sessions" "GetSessionList";
    "Sessions", SecretKey, Backend, Bare; "List sessions."
}
request! {
    /// Makes a session without a sign-in.
    CreateServerSession {
        /// For this user.
        user_id: Option<String>,
        /// With this organization active; refused until there are organizations.
        active_organization_id: Option<String>,
    } => ServerSession; Backend POST "/v1/sessions" "createSession";
    "Sessions", SecretKey, Backend, Bare; "Make a session for tests (development instances only)."
}
request! {
    /// Names a session.
    GetServerSession {
        /// The session.
        session_id: SessionId,
    } => ServerSession; Backend GET "/v1/sessions/{session_id}" "GetSession";
    "Sessions", SecretKey, Backend, Bare; "Get a session."
}
request! {
    /// Names a session.
    RevokeServerSession {
        /// The session.
        session_id: SessionId,
    } => ServerSession; Backend POST "/v1/sessions/{session_id}/revoke" "RevokeSession";
    "Sessions", SecretKey, Backend, Bare; "End a session from the server."
}
request! {
    /// Has a session token checked.
    VerifyServerSession {
        /// The session.
        session_id: SessionId,
        /// The token, as the browser's cookie has it.
        token: Option<String>,
    } => ServerSession; Backend POST "/v1/sessions/{session_id}/verify" "VerifySession";
    "Sessions", SecretKey, Backend, Bare; "Check a session token (SDKs of before 2025-04-10; newer ones check it by themselves)."
}
request! {
    /// Mints a session token from the server.
    CreateServerSessionToken {
        /// The session.
        session_id: SessionId,
        /// Lifetime in seconds, 30 to 315360000; 60 by default.
        expires_in_seconds: Option<i64>,
    } => Token; Backend POST "/v1/sessions/{session_id}/tokens" "CreateSessionToken";
    "Sessions", SecretKey, Backend, Bare; "Mint a session token."
}
request! {
    /// Mints a token from a template.
    CreateServerTemplateToken {
        /// The session.
        session_id: SessionId,
        /// The template's name.
        template_name: String,
        /// Lifetime in seconds, 30 to 315360000; the template's by default.
        expires_in_seconds: Option<i64>,
    } => Token; Backend POST "/v1/sessions/{session_id}/tokens/{template_name}" "CreateSessionTokenFromTemplate";
    "Sessions", SecretKey, Backend, Bare; "Mint a token from a template."
}
request! {
    /// Exchanges an expired session token for a new one.
    RefreshSession {
        /// The session.
        session_id: SessionId,
        /// The token that expired.
        expired_token: Option<String>,
        /// The refresh token from the browser's cookie.
        refresh_token: Option<String>,
        /// The origin that the browser's request went to.
        request_origin: Option<String>,
        /// The browser's headers.
        request_headers: Option<Object>,
        /// The browser's address.
        request_originating_ip: Option<String>,
        /// `token` (the default) or `cookie`.
        format: Option<String>,
        /// Whether the SDK reads cookies that carry the suffix of its publishable key.
        suffixed_cookies: Option<bool>,
    } => Refreshed; Backend POST "/v1/sessions/{session_id}/refresh" "RefreshSession";
    "Sessions", SecretKey, Backend, Bare; "Renew an expired session token without a redirect."
}
request! {
    /// Paging of the list of clients.
    ListClients {
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<ServerClient>; Backend GET "/v1/clients" "GetClientList";
    "Clients", SecretKey, Backend, Bare; "List clients, the newest first."
}
request! {
    /// Names a client.
    GetServerClient {
        /// The client.
        client_id: ClientId,
    } => ServerClient; Backend GET "/v1/clients/{client_id}" "GetClient";
    "Clients", SecretKey, Backend, Bare; "Get a client."
}
request! {
    /// Finds a client by its token.
    VerifyClient {
        /// The value of the `__client` cookie.
        token: Option<String>,
    } => ServerClient; Backend POST "/v1/clients/verify" "VerifyClient";
    "Clients", SecretKey, Backend, Bare; "Find the client of a client token."
}
request! {
    /// Redeems the nonce of a handshake.
    GetHandshakePayload {
        /// The nonce. It works once.
        nonce: Option<String>,
    } => HandshakePayload; Backend GET "/v1/clients/handshake_payload" "GetHandshakePayload";
    "Clients", SecretKey, Backend, Bare; "Redeem the nonce of a handshake."
}
request! {
    /// No parameters.
    GetBackendJwks {} => Jwks; Backend GET "/v1/jwks" "GetJWKS";
    "JWKS", SecretKey, Unlimited, Bare; "The public keys of the instance."
}
request! {
    /// No parameters.
    CreateTestingToken {} => TestingToken; Backend POST "/v1/testing_tokens" "CreateTestingToken";
    "Testing Tokens", SecretKey, Backend, Bare; "Make a token with which automated tests pass the bot protection."
}
request! {
    /// What the page needs to load the SDK.
    #[derive(Default)]
    GetInterstitial {
        /// The publishable key of the app.
        publishable_key: Option<String>,
        /// The host of the Frontend API, as the oldest SDKs name it.
        frontend_api: Option<String>,
        /// The same in camel case.
        #[serde(rename = "frontendApi")]
        frontend_api_camel: Option<String>,
        /// The address of the Frontend API.
        proxy_url: Option<String>,
        /// The app's own domain.
        domain: Option<String>,
        /// Where sign-in happens.
        sign_in_url: Option<String>,
        /// Whether the app is a satellite.
        is_satellite: Option<bool>,
        /// Whether the script comes from `domain`.
        use_domain_for_script: Option<bool>,
        /// Which version of the script to load; `4` by default.
        clerk_js_version: Option<String>,
    } => Raw; Backend GET "/v1/public/interstitial" "GetPublicInterstitial";
    "Interstitial", Public, Backend, Raw; "The page by which SDKs of 2023 renew a session."
}
request! {
    /// No parameters: the app's own server asks, and the page is for the instance as it is.
    GetPrivateInterstitial {} => Raw; Backend GET "/v1/internal/interstitial" "GetPrivateInterstitial";
    "Interstitial", SecretKey, Backend, Raw; "The same page, as the server-side SDKs before the public one ask for it."
}
