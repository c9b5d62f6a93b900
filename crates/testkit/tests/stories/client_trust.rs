//! Client trust: a password alone opens nothing on a device that its user never signed in on.

use doorward_core::settings::Settings;
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

fn careful(settings: &mut Settings) {
    settings.attack_protection.client_trust = true;
}

async fn server() -> TestServer {
    TestServer::with_settings(careful).await
}

fn at(begun: &Answer) -> String {
    format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap())
}

/// Goes on from a right password with the code that proves the device.
async fn prove(server: &TestServer, browser: &mut Browser, half: &Answer) -> Answer {
    let at = at(half);
    browser.post(&format!("{at}/prepare_second_factor"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(EMAIL).await;
    browser.post(&format!("{at}/attempt_second_factor"), &[("strategy", "email_code"), ("code", &code)]).await
}

#[tokio::test]
async fn a_new_device_is_proven_once_and_known_from_then_on() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    let half = browser.sign_in(EMAIL, PASSWORD).await;
    let shown = half.response();
    assert_eq!((&shown["status"], &shown["client_trust_state"]), (&json!("needs_client_trust"), &json!("new")));
    let factors: Vec<&Value> = shown["supported_second_factors"].as_array().unwrap().iter().map(|it| &it["strategy"]).collect();
    assert_eq!(factors, ["email_code"]);
    assert_eq!(half.json["client"]["sessions"], json!([]), "nobody is in yet");
    let attempt = format!("{}/attempt_second_factor", at(&half));
    browser.post(&attempt, &[("strategy", "email_code"), ("code", "123456")]).await.refused(400, "verification_missing", "");
    browser.post(&attempt, &[("strategy", "totp"), ("code", "123456")]).await.refused(422, "form_param_value_invalid", "strategy");
    let done = prove(&server, &mut browser, &half).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.json["client"]["sessions"][0]["factor_verification_age"], json!([0, -1]), "a device is no second factor");

    browser.send("DELETE", "/v1/client/sessions", None).await.expect(200);
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.response()["status"], "complete", "the device is known");
    server.user("bob@example.com", PASSWORD).await;
    browser.send("DELETE", "/v1/client/sessions", None).await.expect(200);
    let bob = browser.sign_in("bob@example.com", PASSWORD).await;
    assert_eq!(bob.response()["status"], "needs_client_trust", "to her, not to others");
}

#[tokio::test]
async fn only_a_password_has_to_be_followed_by_a_proof_of_the_device() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "email_code")]).await;
    let code = server.code_for(EMAIL).await;
    let done = browser.post(&format!("{}/attempt_first_factor", at(&begun)), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");

    let spared = json!({"username": "spared", "email_address": ["spared@example.com"], "password": PASSWORD, "bypass_client_trust": true});
    server.backend("POST", "/v1/users", Some(spared)).await.expect(200);
    assert_eq!(server.browser().sign_in("spared@example.com", PASSWORD).await.response()["status"], "complete");
    let nothing = json!({"username": "nothing", "password": PASSWORD, "skip_user_requirement": true});
    server.backend("POST", "/v1/users", Some(nothing)).await.expect(200);
    assert_eq!(server.browser().sign_in("nothing", PASSWORD).await.response()["status"], "complete", "nothing could be sent to them");

    let off = TestServer::start().await;
    off.user(EMAIL, PASSWORD).await;
    assert_eq!(off.browser().sign_in(EMAIL, PASSWORD).await.response()["status"], "complete");
}

#[tokio::test]
async fn pitfall_019_an_sdk_that_does_not_know_the_status_is_asked_for_a_second_factor() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut old = server.browser();
    old.api_version = None;
    let half = old.sign_in(EMAIL, PASSWORD).await;
    assert_eq!((&half.response()["status"], &half.response()["client_trust_state"]), (&json!("needs_second_factor"), &json!("new")));
    assert_eq!(prove(&server, &mut old, &half).await.response()["status"], "complete");
    // What a browser's script says of itself counts more than the date, which the fifth generation names as the sixth does.
    for (script, status) in [("5.128.0", "needs_second_factor"), ("6.0.0", "needs_client_trust"), ("nonsense", "needs_second_factor")] {
        let mut browser = server.browser();
        browser.api_version = Some("2025-11-10".to_owned());
        let at = format!("/v1/client/sign_ins?_clerk_js_version={script}");
        let half = browser.post(&at, &[("identifier", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(half.response()["status"], status, "{script}");
    }
}
