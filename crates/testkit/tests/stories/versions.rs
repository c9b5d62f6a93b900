//! Callers of every date: what they may send, and what they are answered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_testkit::{Browser, DATES, NEWEST, TestServer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

/// Somebody whose SDK names this date signs up, proves the address, and comes back.
async fn signed_in(server: &TestServer, date: &str) -> Browser {
    let address = format!("ada-{date}@example.com");
    let mut ada = server.browser();
    ada.api_version = Some(date.to_owned());
    let begun = ada.post("/v1/client/sign_ups", &[("email_address", &address), ("password", PASSWORD)]).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(&address).await;
    let proven = ada.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(proven.response()["status"], "complete", "{date}");
    ada.post("/v1/client/sessions?_method=DELETE", &[]).await.expect(200);
    assert_eq!(ada.sign_in(&address, PASSWORD).await.response()["status"], "complete", "{date}");
    ada
}

#[tokio::test]
async fn people_with_sdks_of_every_date_sign_up_sign_in_and_change_their_account() {
    let server = TestServer::start().await;
    for date in DATES {
        let mut ada = signed_in(&server, date).await;
        let theme = [("unsafe_metadata", r#"{"theme":"dark"}"#)];
        let changed = ada.post("/v1/me?_method=PATCH", &theme).await;
        if date == NEWEST {
            changed.refused(422, "form_param_unknown", "unsafe_metadata");
            assert_eq!(ada.get("/v1/me").await.response()["unsafe_metadata"], json!({}));
        } else {
            assert_eq!(changed.response()["unsafe_metadata"], json!({"theme": "dark"}), "{date}");
        }
        let merged = ada.post("/v1/me/metadata?_method=PATCH", &[("unsafe_metadata", r#"{"n":1}"#)]).await;
        assert_eq!(merged.response()["unsafe_metadata"]["n"], 1, "{date}");
        for path in ["/v1/client", "/v1/me", "/v1/me/sessions", "/v1/me/sessions/active", "/v1/environment"] {
            ada.get(path).await.expect(200);
        }
        let session = ada.session_id().await.unwrap();
        let minted = ada.mint(&session).await;
        let claims = B64.decode(minted.expect(200)["jwt"].as_str().unwrap().split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["v"], &claims["sid"]), (&json!(2), &json!(session)), "one token for all readers: {date}");
        let at = format!("/v1/client/sessions/{session}");
        ada.post(&format!("{at}/touch"), &[("active_organization_id", "")]).await.expect(200);
        ada.post(&format!("{at}/remove"), &[]).await.expect(200);
    }
}

#[tokio::test]
async fn the_environment_has_the_form_of_the_caller_s_date() {
    let server = TestServer::start().await;
    for date in DATES {
        let mut browser = server.browser();
        browser.api_version = Some(date.to_owned());
        let answer = browser.get("/v1/environment").await;
        let (commerce, restrictions) = (&answer.expect(200)["commerce_settings"], &answer.json["user_settings"]["restrictions"]);
        let has = |of: &Value, name: &str| of.get(name).is_some();
        let found = [has(&commerce["billing"], "enabled"), has(commerce, "enabled"), has(restrictions, "ignore_dots_for_gmail_addresses")];
        let (april, november) = (date < "2025-04-10", date < "2025-11-10");
        assert_eq!(found, [november, april, april], "{date}");
    }
}

#[tokio::test]
async fn servers_of_every_date_keep_users() {
    let server = TestServer::start().await;
    for date in DATES {
        let at = |path: &str| format!("/v1{path}?__clerk_api_version={date}");
        let new = json!({"email_address": [format!("{date}@example.com")], "password": PASSWORD, "private_metadata": {"a": 1}});
        let made = server.backend("POST", &at("/users"), Some(new)).await;
        let user = made.expect(200)["id"].as_str().unwrap().to_owned();
        let one = format!("/users/{user}");
        let replaced = server.backend("PATCH", &at(&one), Some(json!({"private_metadata": {"b": 2}, "first_name": "Ada"}))).await;
        if date == NEWEST {
            replaced.refused(422, "form_param_unknown", "private_metadata");
            assert_eq!(server.backend("GET", &at(&one), None).await.json["first_name"], Value::Null, "nothing was changed by half");
        } else {
            assert_eq!(
                (&replaced.expect(200)["private_metadata"], &replaced.json["first_name"]),
                (&json!({"b": 2}), &json!("Ada")),
                "{date}"
            );
        }
        let merged = server.backend("PATCH", &at(&format!("{one}/metadata")), Some(json!({"private_metadata": {"c": 3}}))).await;
        assert_eq!(merged.expect(200)["private_metadata"]["c"], 3, "{date}");
        let session = server.backend("POST", &at("/sessions"), Some(json!({"user_id": user}))).await;
        let session = session.expect(200)["id"].as_str().unwrap().to_owned();
        for path in ["/users", "/users/count", "/jwks", &format!("/sessions/{session}")] {
            server.backend("GET", &at(path), None).await.expect(200);
        }
        server.backend("POST", &at(&format!("/sessions/{session}/revoke")), None).await.expect(200);
        assert_eq!(server.backend("DELETE", &at(&one), None).await.expect(200)["deleted"], true, "{date}");
    }
}

#[tokio::test]
async fn a_date_is_named_once_and_is_one() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser.headers.push(("clerk-api-version".to_owned(), NEWEST.to_owned()));
    browser.get("/v1/client").await.refused(400, "api_version_invalid", "");
    browser.api_version = None;
    browser.get("/v1/client").await.expect(200);
    let mut caller = server.browser().on_node(server.private);
    caller.origin = None;
    caller.headers.push(("authorization".to_owned(), format!("Bearer {}", server.instance.secret_key.expose())));
    caller.get("/v1/users").await.expect(200);
    caller.headers.push(("clerk-api-version".to_owned(), NEWEST.to_owned()));
    caller.get("/v1/users").await.refused(400, "api_version_invalid", "");
    for none in ["latest", "2019-01-01", "2026-13"] {
        server.backend("GET", &format!("/v1/users?__clerk_api_version={none}"), None).await.refused(400, "api_version_invalid", "");
    }
}
