//! Everything that opens something, tried at every door: each opens its own, on its own instance.

use super::{OTHER, PASSWORD, agent_task, user_of};
use doorward_base::Secret;
use doorward_core::instance::{self, CreatedInstance};
use doorward_core::oauth::{self, OAuthConnection};
use doorward_testkit::{Answer, Browser, CLIENT_ID, CLIENT_SECRET, ORIGIN, Provider, TestServer};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.com";
const ACME: &str = "oauth_custom_acme";
const HANDSHAKE: &str = "/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F";

/// An instance, as somebody with a token comes to it.
struct Place<'a> {
    server: &'a TestServer,
    host: String,
    key: &'a Secret,
}

/// What a door needs besides its token.
struct Beside {
    session: String,
    jwt: String,
    refresh: String,
    /// The browser that waits for a link.
    waiting: Browser,
    /// The one that comes back from a provider, and with what.
    travelling: Browser,
    back: String,
}

/// The doors, and what opens them.
const DOORS: [(&str, &[&str]); 13] = [
    ("client cookie", &["client"]),
    ("native app", &["client"]),
    ("client to verify", &["client"]),
    ("development browser", &["development browser"]),
    ("nonce", &["nonce"]),
    ("ticket's link", &["sign-in ticket", "actor's ticket", "invitation"]),
    ("sign-in with a ticket", &["sign-in ticket", "actor's ticket"]),
    ("sign-up with a ticket", &["invitation"]),
    ("agent's link", &["agent's ticket"]),
    ("link", &["link"]),
    ("provider's state", &["state"]),
    ("refresh token", &["refresh token"]),
    ("expired session token", &["session token"]),
];

async fn sessions(browser: &mut Browser, path: &str) -> bool {
    let answer = browser.get(path).await;
    answer.json["response"]["sessions"].as_array().is_some_and(|it| !it.is_empty())
}

fn leads_to(answer: &Answer, what: &str) -> bool {
    answer.status == 303 && answer.headers["location"].to_str().unwrap().contains(what)
}

/// Whether a token opens a door.
async fn opens(place: &Place<'_>, door: &str, token: &str, beside: &Beside) -> bool {
    let mut browser = place.server.browser_on(&place.host);
    let encoded: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
    let refresh = async |expired: &str, refresh: &str| {
        let body = json!({"expired_token": expired, "refresh_token": refresh, "request_origin": ORIGIN});
        place.server.backend_as(place.key, "POST", &format!("/v1/sessions/{}/refresh", beside.session), Some(body)).await.status == 200
    };
    match door {
        "client cookie" => {
            browser.cookies.insert("__client".to_owned(), token.to_owned());
            sessions(&mut browser, "/v1/client").await
        }
        "native app" => {
            (browser.origin, browser.token) = (None, Some(token.into()));
            sessions(&mut browser, "/v1/client?_is_native=1").await
        }
        "client to verify" => {
            place.server.backend_as(place.key, "POST", "/v1/clients/verify", Some(json!({"token": token}))).await.status == 200
        }
        "development browser" => sessions(&mut browser, &format!("/v1/client?__clerk_db_jwt={encoded}")).await,
        "nonce" => {
            place.server.backend_as(place.key, "GET", &format!("/v1/clients/handshake_payload?nonce={encoded}"), None).await.status == 200
        }
        "ticket's link" => browser.get(&format!("/v1/tickets/accept?ticket={encoded}")).await.status == 303,
        "sign-in with a ticket" => {
            browser.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", token)]).await;
            sessions(&mut browser, "/v1/client").await
        }
        "sign-up with a ticket" => {
            let fields = [("strategy", "ticket"), ("ticket", token), ("password", "quite another horse")];
            browser.post("/v1/client/sign_ups", &fields).await;
            sessions(&mut browser, "/v1/client").await
        }
        "agent's link" => {
            browser.get(&format!("/v1/agents/tasks?ticket={encoded}")).await;
            sessions(&mut browser, "/v1/client").await
        }
        "link" => {
            browser.cookies = beside.waiting.cookies.clone();
            leads_to(&browser.get(&format!("/v1/verify?token={encoded}")).await, "__clerk_status=verified")
        }
        "provider's state" => {
            browser.cookies = beside.travelling.cookies.clone();
            let back = beside.back.split_once("state=").unwrap().0;
            browser.get(&format!("{back}state={encoded}")).await;
            sessions(&mut browser, "/v1/client").await
        }
        "refresh token" => refresh(&beside.jwt, token).await,
        "expired session token" => refresh(token, &beside.refresh).await,
        _ => unreachable!("{door}"),
    }
}

async fn two() -> (TestServer, CreatedInstance, Provider) {
    let provider = Provider::start(json!({"sub": "ada-1", "email": EMAIL, "email_verified": true})).await;
    let issuer = provider.url();
    let server = TestServer::with_settings(|it| {
        it.attributes.email_link = true;
        let connection = OAuthConnection { client_id: CLIENT_ID.to_owned(), issuer: Some(issuer), ..OAuthConnection::default() };
        it.oauth.insert("custom_acme".to_owned(), connection);
    })
    .await;
    let other = server.another_instance(OTHER).await;
    let ours = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let theirs = instance::by_id(&server.app, &other.id).await.unwrap().unwrap();
    instance::update_settings(&server.app, &theirs, &ours.settings).await.unwrap();
    for it in [&ours, &theirs] {
        oauth::set_secret(&server.app, it, "custom_acme", &CLIENT_SECRET.into()).await.unwrap();
    }
    (server, other, provider)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).unwrap_or_else(|| panic!("{mark} in {text}")).1
}

/// A refresh token of who is signed in.
async fn refresh_token(server: &TestServer, browser: &mut Browser) -> String {
    let back = browser.get(&format!("{HANDSHAKE}&format=nonce")).await;
    let at = format!("/v1/clients/handshake_payload?nonce={}", after(back.headers["location"].to_str().unwrap(), "_nonce="));
    let directives = server.backend("GET", &at, None).await;
    let directives = directives.expect(200)["directives"].as_array().unwrap().clone();
    let refresh = directives.iter().find_map(|it| it.as_str().unwrap().strip_prefix("__refresh_")).unwrap();
    after(refresh, "=").split(';').next().unwrap().to_owned()
}

/// A browser that waits for a link, and the link's token.
async fn waiting(server: &TestServer) -> (Browser, String) {
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let at = format!("/v1/client/sign_ins/{}/prepare_first_factor", text(&begun.response()["id"]));
    let factors = begun.response()["supported_first_factors"].as_array().unwrap();
    let id = text(&factors.iter().find(|it| it["strategy"] == "email_link").unwrap()["email_address_id"]);
    let fields = [("strategy", "email_link"), ("email_address_id", id.as_str()), ("redirect_url", "http://localhost:3000/back")];
    browser.post(&at, &fields).await.expect(200);
    let mail = server.outbox().await.into_iter().find(|mail| mail.to == EMAIL && mail.text.contains("/v1/verify?token=")).unwrap();
    let link = mail.text.lines().find(|line| line.starts_with("http")).unwrap();
    (browser, after(link, "token=").to_owned())
}

/// One token of every kind, all of the first instance, and what the doors need besides.
async fn tokens(server: &TestServer, provider: &Provider) -> (Vec<(&'static str, String)>, Beside) {
    let user = user_of(server, &server.instance.secret_key, EMAIL).await;
    let mut ada = server.browser();
    let dev = text(&ada.post("/v1/dev_browser", &[]).await.expect(200)["id"]);
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    ada.post(&format!("/v1/client/sign_ins?__clerk_db_jwt={dev}"), &fields).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let jwt = text(&ada.mint(&session).await.expect(200)["jwt"]);
    let made = async |path: &str, body: Value| server.backend("POST", path, Some(body)).await.expect(200).clone();
    made("/v1/jwt_templates", json!({"name": "any", "claims": {}})).await;
    let template = ada.post(&format!("/v1/client/sessions/{session}/tokens/any"), &[]).await;
    let invitation = made("/v1/invitations", json!({"email_address": "new@example.com"})).await;
    let actor = made("/v1/actor_tokens", json!({"user_id": user, "actor": {"sub": "user_support"}})).await;
    let task = made("/v1/agents/tasks", agent_task(&user)).await;
    let payload = ada.get(HANDSHAKE).await;
    let nonce = ada.get(&format!("{HANDSHAKE}&format=nonce")).await;
    let mut travelling = server.browser();
    let fields = [("strategy", ACME), ("redirect_url", "/sso-callback"), ("action_complete_redirect_url", "/done")];
    let away = travelling.post("/v1/client/sign_ins", &fields).await;
    let back = provider.visit(&text(&away.response()["first_factor_verification"]["external_verification_redirect_url"]));
    let (waiting, link) = waiting(server).await;
    let tokens = vec![
        ("client", ada.cookies["__client"].clone()),
        ("development browser", dev),
        ("session token", jwt.clone()),
        ("template token", text(&template.expect(200)["jwt"])),
        ("handshake", after(payload.headers["location"].to_str().unwrap(), "__clerk_handshake=").to_owned()),
        ("nonce", after(nonce.headers["location"].to_str().unwrap(), "_nonce=").to_owned()),
        ("refresh token", refresh_token(server, &mut ada).await),
        ("sign-in ticket", text(&made("/v1/sign_in_tokens", json!({"user_id": user})).await["token"])),
        ("actor's ticket", text(&actor["token"])),
        ("agent's ticket", after(&text(&task["url"]), "ticket=").to_owned()),
        ("invitation", after(&text(&invitation["url"]), "ticket=").to_owned()),
        ("link", link),
        ("state", after(&back, "state=").to_owned()),
        ("testing token", text(&made("/v1/testing_tokens", json!({})).await["token"])),
        ("secret key", server.instance.secret_key.expose().to_owned()),
        ("publishable key", server.instance.publishable_key.clone()),
        ("id of the session", session.clone()),
    ];
    let refresh = refresh_token(server, &mut ada).await;
    (tokens, Beside { session, jwt, refresh, waiting, travelling, back })
}

#[tokio::test]
async fn fault_005_and_011_what_opens_one_door_opens_no_other_and_none_elsewhere() {
    let (server, other, provider) = two().await;
    let (tokens, beside) = tokens(&server, &provider).await;
    let here = Place { server: &server, host: server.public.to_string(), key: &server.instance.secret_key };
    let elsewhere = Place { server: &server, host: OTHER.to_owned(), key: &other.secret_key };
    for (door, keys) in DOORS {
        for (kind, token) in &tokens {
            assert!(!opens(&elsewhere, door, token, &beside).await, "{door} of another instance, by {kind}");
            assert!(keys.contains(kind) || !opens(&here, door, token, &beside).await, "{door}, by {kind}");
        }
    }
    // All of them were good, and still are.
    for (door, keys) in DOORS {
        for kind in keys {
            let token = &tokens.iter().find(|(it, _)| it == kind).unwrap().1;
            assert!(opens(&here, door, token, &beside).await, "{door}, by {kind}");
        }
    }
    for (kind, token) in tokens.iter().filter(|(kind, _)| *kind != "secret key") {
        assert_eq!(server.backend_as(&token.as_str().into(), "GET", "/v1/users", None).await.status, 401, "{kind} is no secret key");
    }
}
