//! Signing up: fields are gathered and proven until there is a user.

use doorward_core::settings::{Presence, SignUpMode};
use doorward_testkit::{Browser, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const ADA: [(&str, &str); 2] = [("email_address", "ada@example.com"), ("password", "correct horse")];

async fn started(browser: &mut Browser, fields: &[(&str, &str)]) -> (String, Value) {
    let answer = browser.post("/v1/client/sign_ups", fields).await;
    let sign_up = answer.response().clone();
    (format!("/v1/client/sign_ups/{}", sign_up["id"].as_str().unwrap()), sign_up)
}

async fn prove(server: &TestServer, browser: &mut Browser, at: &str, email: &str) -> doorward_testkit::Answer {
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(email).await;
    browser.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await
}

#[tokio::test]
async fn ada_signs_up_proves_her_address_and_is_in() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let (at, sign_up) = started(&mut ada, &ADA).await;
    assert_eq!(sign_up["status"], "missing_requirements");
    assert_eq!((&sign_up["missing_fields"], &sign_up["unverified_fields"]), (&json!([]), &json!(["email_address"])));
    assert_eq!(sign_up["verifications"]["email_address"]["next_action"], "needs_prepare");
    ada.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", "1")]).await.refused(
        400,
        "verification_missing",
        "",
    );

    let done = prove(&server, &mut ada, &at, "ada@example.com").await;
    assert_eq!(done.response()["status"], "complete");
    let user = done.response()["created_user_id"].as_str().unwrap();
    assert_eq!(done.json["client"]["sessions"][0]["user"]["id"], user);
    assert_eq!(done.json["client"]["last_active_session_id"], done.response()["created_session_id"]);
    assert_eq!(ada.get("/v1/me").await.response()["id"], user);
    ada.cookies.clear();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
}

#[tokio::test]
async fn what_is_missing_is_asked_for_step_by_step() {
    let server = TestServer::with_settings(|s| {
        s.attributes.username = Presence::Required;
        s.sign_up.legal_consent = true;
    })
    .await;
    let mut ada = server.browser();
    let (at, sign_up) = started(&mut ada, &[("email_address", "ada@example.com")]).await;
    assert_eq!(sign_up["missing_fields"], json!(["username", "password", "legal_accepted"]));
    prove(&server, &mut ada, &at, "ada@example.com").await.expect(200);
    let more = ada.post(&format!("{at}?_method=PATCH"), &[("username", "ada_l"), ("password", "correct horse")]).await;
    assert_eq!(more.response()["missing_fields"], json!(["legal_accepted"]));
    let done = ada.post("/v1/client/sign_ups?_method=PATCH", &[("legal_accepted", "true")]).await;
    assert_eq!(done.response()["status"], "complete");
}

#[tokio::test]
async fn mistakes_are_named() {
    let server = TestServer::start().await;
    server.user("bob@example.com", "correct horse").await;
    let mut ada = server.browser();
    for (fields, code, param) in [
        ([("email_address", "not an address"), ("password", "correct horse")], "form_param_format_invalid", "email_address"),
        ([("email_address", "BOB@example.com"), ("password", "correct horse")], "form_identifier_exists", "email_address"),
        ([("email_address", "ada@example.com"), ("password", "short")], "form_password_length_too_short", "password"),
        ([("email_address", "ada@example.com"), ("username", "a b")], "form_username_invalid_length", "username"),
        ([("email_address", "ada@example.com"), ("strategy", "pigeon")], "form_param_value_invalid", "strategy"),
    ] {
        ada.post("/v1/client/sign_ups", &fields).await.refused(422, code, param);
    }
}

#[tokio::test]
async fn a_closed_instance_takes_nobody() {
    let server = TestServer::with_settings(|s| s.sign_up.mode = SignUpMode::Restricted).await;
    server.browser().post("/v1/client/sign_ups", &ADA).await.refused(403, "sign_up_mode_restricted", "");
}

#[tokio::test]
async fn fault_041_nobody_can_declare_an_address_proven() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let fields = [ADA[0], ADA[1], ("verified", "true"), ("email_address_verified", "true"), ("status", "complete")];
    let (at, sign_up) = started(&mut ada, &fields).await;
    assert_eq!(sign_up["unverified_fields"], json!(["email_address"]));
    let patched = ada.post(&format!("{at}?_method=PATCH"), &[("verifications[email_address][status]", "verified")]).await;
    assert_eq!(patched.response()["status"], "missing_requirements");
}

#[tokio::test]
async fn fault_027_a_new_address_is_unproven_and_the_old_code_is_dead() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let (at, _) = started(&mut ada, &[("email_address", "old@example.com")]).await;
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("old@example.com").await;
    ada.post(&format!("{at}?_method=PATCH"), &[("email_address", "new@example.com")]).await.expect(200);
    let late = ada.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    late.refused(400, "verification_missing", "");
}

#[tokio::test]
async fn fault_045_a_password_from_before_the_proof_opens_nothing() {
    let server = TestServer::start().await;
    let mut mallory = server.browser();
    started(&mut mallory, &[("email_address", "victim@example.com"), ("password", "mallory's own")]).await;
    let mut victim = server.browser();
    let (at, _) = started(&mut victim, &[("email_address", "victim@example.com"), ("password", "victim's own one")]).await;
    prove(&server, &mut victim, &at, "victim@example.com").await.expect(200);
    let refused = server.browser().sign_in("victim@example.com", "mallory's own").await;
    refused.refused(422, "form_password_incorrect", "password");
}

#[tokio::test]
async fn fault_139_two_sign_ups_for_one_address_make_one_user() {
    let server = TestServer::start().await;
    let (mut one, mut two) = (server.browser(), server.browser());
    let (first, _) = started(&mut one, &ADA).await;
    one.post(&format!("{first}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code_one = server.code_for("ada@example.com").await;
    server.advance(Duration::from_secs(1));
    let (second, _) = started(&mut two, &ADA).await;
    two.post(&format!("{second}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code_two = server.code_for("ada@example.com").await;
    let (first, second) = (format!("{first}/attempt_verification"), format!("{second}/attempt_verification"));
    let a = [("strategy", "email_code"), ("code", code_one.as_str())];
    let b = [("strategy", "email_code"), ("code", code_two.as_str())];
    let (a, b) = tokio::join!(one.post(&first, &a), two.post(&second, &b));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422], "{} {}", a.text, b.text);
    let count = server.backend("GET", "/v1/users/count", None).await;
    assert_eq!(count.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn codes_for_one_address_are_few() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let (at, _) = started(&mut ada, &ADA).await;
    for _ in 0..5 {
        ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
        server.advance(Duration::from_secs(4));
    }
    let refused = ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await;
    refused.refused(429, "verification_code_too_many_requests", "");
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn mails_to_one_address_are_few_whatever_they_are_for() {
    let server = TestServer::start().await;
    let id = server.user("bob@example.com", "correct horse").await;
    let shown = server.backend("GET", &format!("/v1/users/{id}"), None).await.expect(200).clone();
    let at = format!("/v1/email_addresses/{}/prepare_verification", shown["email_addresses"][0]["id"].as_str().unwrap());
    let by_server = async || server.backend("POST", &at, None).await;
    let by_browser = async |strategy: &str| {
        server.browser().post("/v1/client/sign_ins", &[("identifier", "bob@example.com"), ("strategy", strategy)]).await
    };
    for _ in 0..2 {
        for strategy in ["email_code", "reset_password_email_code", "email_code", "email_code"] {
            by_browser(strategy).await.expect(200);
        }
        by_server().await.expect(200);
        by_browser("email_code").await.refused(429, "verification_code_too_many_requests", "");
        by_server().await.refused(429, "verification_code_too_many_requests", "");
        server.advance(Duration::from_secs(601));
    }
}

#[tokio::test]
async fn addresses_for_tests_are_asked_for_codes_as_often_as_tests_like() {
    let server = TestServer::start().await;
    let test = "ada+clerk_test@example.com";
    server.user(test, "correct horse").await;
    for _ in 0..30 {
        server.browser().post("/v1/client/sign_ins", &[("identifier", test), ("strategy", "email_code")]).await.expect(200);
    }
}
