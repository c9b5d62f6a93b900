//! How server-side SDKs and browsers keep their cookies in step.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::keys::{Environment, cookie_suffix};
use doorward_testkit::{Answer, Options, START, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const PAGE: &str = "http%3A%2F%2Flocalhost%3A3000%2Fprotected%3Fa%3D1";

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 307, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().to_owned()
}

fn payload(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn directives(jwt: &str) -> Vec<String> {
    payload(jwt)["handshake"].as_array().unwrap().iter().map(|d| d.as_str().unwrap().to_owned()).collect()
}

fn value<'a>(directives: &'a [String], name: &str) -> Option<&'a str> {
    directives.iter().rev().find_map(|d| d.strip_prefix(&format!("{name}="))).map(|rest| rest.split(';').next().unwrap_or_default())
}

async fn production() -> TestServer {
    TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await
}

#[tokio::test]
async fn a_first_visit_in_development_brings_a_development_browser_and_goes_back() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let back = location(&ada.get(&format!("/v1/client/handshake?redirect_url={PAGE}&__clerk_hs_reason=dev-browser-missing")).await);
    let jwt = back.strip_prefix("http://localhost:3000/protected?a=1&__clerk_handshake=").unwrap();
    let all = directives(jwt);
    let suffix = cookie_suffix(&server.instance.publishable_key);
    let browser = value(&all, "__clerk_db_jwt").unwrap();
    assert!(browser.starts_with("dvb_"));
    assert_eq!(value(&all, &format!("__clerk_db_jwt_{suffix}")), Some(browser));
    assert_eq!(value(&all, "__client_uat"), Some("0"));
    assert_eq!(value(&all, "__session"), Some(""), "signed out: cleared");
    assert!(all.iter().all(|d| !d.starts_with("__clerk_handshake")), "in development it travels in the address");
}

#[tokio::test]
async fn a_signed_in_browser_gets_a_fresh_session_token_last() {
    let server = production().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    server.advance(Duration::from_secs(120));
    let answer = ada.get(&format!("/v1/client/handshake?redirect_url={PAGE}")).await;
    assert_eq!(location(&answer), "http://localhost:3000/protected?a=1");
    let cookies = answer.set_cookies();
    let jwt = cookies.iter().find_map(|c| c.strip_prefix("__clerk_handshake=")).unwrap().split(';').next().unwrap();
    let all = directives(jwt);
    let suffix = cookie_suffix(&server.instance.publishable_key);
    assert!(all.last().unwrap().starts_with(&format!("__session_{suffix}=ey")), "pitfall 6: nothing clears it afterwards");
    assert!(all.iter().any(|d| d.starts_with("__clerk_handshake=;") && d.contains("Max-Age=0")), "else a sign-out would be undone");
    let uat: i64 = value(&all, "__client_uat").unwrap().parse().unwrap();
    let claims = payload(value(&all, "__session").unwrap());
    assert_eq!(uat, START / 1000);
    assert_eq!(claims["iat"], START / 1000 + 120);
    assert!(claims["iat"].as_i64().unwrap() >= uat, "pitfall 4");
    assert_eq!(claims["azp"], "http://localhost:3000");
    assert_eq!(claims["iss"], server.instance.frontend_url.as_str());
}

#[tokio::test]
async fn a_nonce_stands_for_the_payload_once() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let back = location(&ada.get(&format!("/v1/client/handshake?redirect_url={PAGE}&format=nonce")).await);
    let (_, nonce) = back.split_once("__clerk_handshake_nonce=").unwrap();
    let at = format!("/v1/clients/handshake_payload?nonce={nonce}");
    let first = server.backend("GET", &at, None).await;
    assert!(first.expect(200)["directives"].as_array().unwrap().len() >= 6);
    assert_eq!(server.backend("GET", &at, None).await.status, 404);
}

#[tokio::test]
async fn fault_115_only_allowed_pages_are_returned_to() {
    let server = production().await;
    let mut ada = server.browser();
    for bad in [
        "javascript:alert(1)",
        "http://evil.test/",
        "//evil.test",
        "http://localhost:3000@evil.test/",
        "http://localhost.evil.test:3000/",
        "data:text/html,x",
        "",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(bad.as_bytes()).collect();
        let answer = ada.get(&format!("/v1/client/handshake?redirect_url={encoded}")).await;
        assert_eq!(answer.status, 422, "{bad}: {}", answer.text);
        assert!(!answer.headers.contains_key("location"));
    }
}

#[tokio::test]
async fn a_development_browser_stands_for_its_client_where_cookies_do_not_travel() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    let made = ada.post("/v1/dev_browser", &[]).await;
    let token = made.expect(200)["id"].as_str().unwrap().to_owned();
    assert_eq!(made.json["token"], token.as_str(), "pitfall 31: both names hold the same value");
    let with = |path: &str| format!("{path}?__clerk_db_jwt={token}");
    let fields = [("identifier", "ada@example.com"), ("password", "correct horse")];
    ada.post(&with("/v1/client/sign_ins"), &fields).await.expect(200);
    ada.cookies.clear();
    let client = ada.get(&with("/v1/client")).await;
    let session = client.response()["last_active_session_id"].as_str().unwrap().to_owned();
    let minted = ada.post(&with(&format!("/v1/client/sessions/{session}/tokens")), &[]).await;
    assert_eq!(minted.expect(200)["object"], "token");
    assert_eq!(ada.get("/v1/client").await.response(), &Value::Null, "without it there is nobody");

    let live = production().await;
    live.browser().post("/v1/dev_browser", &[]).await.refused(400, "request_invalid_for_environment", "");
}

#[tokio::test]
async fn a_native_app_keeps_its_token_itself() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut app = server.browser();
    app.origin = None;
    let fields = [("identifier", "ada@example.com"), ("password", "correct horse")];
    let done = app.post("/v1/client/sign_ins?_is_native=1", &fields).await;
    done.expect(200);
    assert!(done.set_cookies().is_empty(), "{:?}", done.set_cookies());
    app.token = Some(done.headers["authorization"].to_str().unwrap().into());
    assert_eq!(app.get("/v1/me?_is_native=1").await.status, 200);
    app.origin = Some("http://localhost:3000".to_owned());
    let both = app.post("/v1/client/sign_ins?_is_native=1", &[]).await;
    both.refused(400, "origin_authorization_headers_conflict", "");
}

#[tokio::test]
async fn an_extension_of_a_browser_says_where_it_is_and_keeps_its_token_itself() {
    const EXTENSION: &str = "chrome-extension://abcdefghijklmnop";
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let fields = [("identifier", "ada@example.com"), ("password", "correct horse")];
    let mut app = server.browser();
    app.origin = Some(EXTENSION.to_owned());
    app.post("/v1/client/sign_ins", &fields).await.refused(400, "origin_invalid", "");
    server.change_settings(|s| s.allowed_origins = vec![EXTENSION.to_owned()]).await;
    // The browser has a page's cookie too, which is not the extension's.
    let mut page = server.browser();
    page.sign_in("ada@example.com", "correct horse").await.expect(200);
    app.cookies = page.cookies.clone();
    assert_eq!(app.post("/v1/me?_method=PATCH", &[]).await.status, 401);
    let development = server.browser().post("/v1/dev_browser", &[]).await.json["token"].as_str().unwrap().to_owned();
    let done = app.post(&format!("/v1/client/sign_ins?__clerk_db_jwt={development}"), &fields).await;
    done.expect(200);
    assert!(done.set_cookies().is_empty(), "{:?}", done.set_cookies());
    assert_eq!(done.headers["clerk-db-jwt"], development.as_str());
    assert_eq!(done.headers["access-control-allow-origin"], EXTENSION);
    app.token = Some(done.headers["authorization"].to_str().unwrap().into());
    app.post("/v1/me?_method=PATCH", &[("first_name", "Ada")]).await.expect(200);
    page.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn fault_023_a_page_elsewhere_cannot_sign_anybody_out() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    ada.origin = Some("https://evil.test".to_owned());
    ada.send("POST", "/v1/client/sessions?_method=DELETE", None).await.refused(400, "origin_invalid", "");
    ada.origin = None;
    ada.send("POST", "/v1/client/sessions?_method=DELETE", None).await.refused(400, "origin_missing", "");
    ada.send("GET", "/v1/client/sessions?_method=DELETE", None).await;
    assert!(ada.session_id().await.is_some());
}

#[tokio::test]
async fn sign_out_is_for_everybody_and_the_client_is_forgotten_when_asked() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mut second_tab = ada.clone();
    let out = ada.send("POST", "/v1/client?_method=DELETE", None).await;
    assert_eq!(out.response()["sessions"], json!([]));
    assert!(out.set_cookies().iter().any(|c| c.starts_with("__client=;") && c.contains("Max-Age=0")));
    assert_eq!(second_tab.mint(&session).await.status, 404);
    assert_eq!(second_tab.get("/v1/me").await.status, 401);
}

#[tokio::test]
async fn fault_016_a_session_ends_in_its_time() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    let session = ada.session_id().await.unwrap();
    server.advance(Duration::from_secs(7 * 86_400 - 1));
    assert_eq!(ada.mint(&session).await.status, 200);
    server.advance(Duration::from_secs(1));
    assert_eq!(ada.mint(&session).await.status, 404);
    let client = ada.get("/v1/client").await;
    assert_eq!(client.response()["sessions"], json!([]));
    assert_eq!(ada.cookies["__client_uat"], "0");
}
