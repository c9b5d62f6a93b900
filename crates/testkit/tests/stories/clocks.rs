//! Clocks that differ by seconds: of this server's nodes, and of the apps that read its tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_testkit::{Answer, Browser, ORIGIN, START, TestServer};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// What a handshake would set.
async fn handshake(browser: &mut Browser) -> Vec<String> {
    let back = browser.get("/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F").await;
    assert_eq!(back.status, 307, "{}", back.text);
    let payload = claims(back.headers["location"].to_str().unwrap().split_once("__clerk_handshake=").unwrap().1);
    payload["handshake"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The value of the last cookie whose name begins so.
fn value<'a>(cookies: &'a [String], name: &str) -> &'a str {
    let found = cookies.iter().rfind(|it| it.starts_with(name)).unwrap_or_else(|| panic!("{name} in {cookies:?}"));
    found.split_once('=').unwrap().1.split(';').next().unwrap()
}

fn seconds(text: &str) -> i64 {
    text.parse().unwrap()
}

async fn refresh(server: &TestServer, session: &str, expired: &str, token: &str) -> Answer {
    let body = json!({"expired_token": expired, "refresh_token": token, "request_origin": ORIGIN});
    server.backend("POST", &format!("/v1/sessions/{session}/refresh"), Some(body)).await
}

#[tokio::test]
async fn fault_012_every_session_token_is_good_for_apps_whose_clocks_are_seconds_behind() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    let done = ada.sign_in(EMAIL, PASSWORD).await;
    let session = done.response()["created_session_id"].as_str().unwrap().to_owned();
    let touched = ada.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await;
    let minted = ada.mint(&session).await;
    let directives = handshake(&mut ada).await;
    let refreshed = refresh(&server, &session, minted.json["jwt"].as_str().unwrap(), value(&directives, "__refresh_")).await;
    let by_server = server.backend("POST", &format!("/v1/sessions/{session}/tokens"), None).await;
    for (from, token) in [
        ("sign-in", &done.json["client"]["sessions"][0]["last_active_token"]["jwt"]),
        ("touch", &touched.response()["last_active_token"]["jwt"]),
        ("mint", &minted.json["jwt"]),
        ("handshake", &json!(value(&directives, "__session"))),
        ("refresh", &refreshed.expect(200)["jwt"]),
        ("server", &by_server.expect(200)["jwt"]),
    ] {
        let claims = claims(token.as_str().unwrap_or_else(|| panic!("{from}: {token}")));
        let now = START / 1000;
        assert_eq!((&claims["iat"], &claims["nbf"], &claims["exp"]), (&json!(now), &json!(now - 10), &json!(now + 60)), "{from}");
    }
}

#[tokio::test]
async fn pitfall_004_and_fault_012_a_node_whose_clock_is_behind_sends_nobody_in_circles() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let ahead = ada.mint(&session).await.json["jwt"].as_str().unwrap().to_owned();
    for (off, known) in [(0, true), (-3, true), (-5, true), (-30, false), (5, true), (30, true)] {
        server.app.clock.set(START + off * 1000);
        // SDKs send a browser back whose token was issued before `__client_uat` says that somebody signed in.
        let directives = handshake(&mut ada).await;
        let issued = claims(value(&directives, "__session"))["iat"].as_i64().unwrap();
        assert!(issued >= seconds(value(&directives, "__client_uat=")), "{off} s: {directives:?}");
        ada.cookies.retain(|name, _| !name.starts_with("__client_uat"));
        let client = ada.get("/v1/client").await;
        let issued = claims(client.response()["sessions"][0]["last_active_token"]["jwt"].as_str().unwrap())["iat"].as_i64().unwrap();
        assert!(issued >= seconds(&ada.cookies["__client_uat"]), "{off} s: {}", ada.cookies["__client_uat"]);
        // A token from a node that is ahead by more than seconds is refused by a code of its own.
        let refreshed = refresh(&server, &session, &ahead, value(&directives, "__refresh_")).await;
        assert_eq!(refreshed.status, if known { 200 } else { 401 }, "{off} s: {}", refreshed.text);
        assert!(known || refreshed.code() == "expired_session_token_invalid", "{}", refreshed.text);
    }
}
