//! What a server does with users' factors: brings them along, checks them, takes them away.

use super::authenticator_app;
use doorward_core::settings::{Presence, Settings};
use doorward_testkit::{Answer, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn code(server: &TestServer) -> String {
    authenticator_app::code(&authenticator_app::app(SECRET), server)
}

/// Ada with a password and an authenticator app that a server brought along.
async fn ada(server: &TestServer, more: Value) -> String {
    let mut body = json!({"email_address": [EMAIL], "password": PASSWORD, "totp_secret": SECRET});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = server.backend("POST", "/v1/users", Some(body)).await;
    let user = made.expect(200);
    assert_eq!((&user["totp_enabled"], &user["two_factor_enabled"]), (&json!(true), &json!(true)));
    format!("/v1/users/{}", user["id"].as_str().unwrap())
}

async fn verify(server: &TestServer, at: &str, code: &str) -> Answer {
    server.backend("POST", &format!("{at}/verify_totp"), Some(json!({"code": code}))).await
}

#[tokio::test]
async fn factors_that_a_server_brings_along_are_asked_for_at_sign_in() {
    let server = TestServer::start().await;
    // A digest of `U*U` from the vectors of another implementation.
    let digest = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let at = ada(&server, json!({"backup_codes": ["plain-code-1", digest]})).await;
    assert_eq!(server.backend("GET", &at, None).await.expect(200)["backup_code_enabled"], true);
    for (strategy, code) in [("totp", code(&server)), ("backup_code", "plain-code-1".to_owned()), ("backup_code", "U*U".to_owned())] {
        let mut browser = server.browser();
        let half = browser.sign_in(EMAIL, PASSWORD).await;
        assert_eq!(half.response()["status"], "needs_second_factor");
        let attempt = format!("/v1/client/sign_ins/{}/attempt_second_factor", half.response()["id"].as_str().unwrap());
        let done = browser.post(&attempt, &[("strategy", strategy), ("code", &code)]).await;
        assert_eq!(done.response()["status"], "complete", "{strategy} {code}");
    }
    assert_eq!(server.backend("GET", &at, None).await.expect(200)["backup_code_enabled"], false, "both are used up");

    let change = json!({"totp_secret": "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U", "backup_codes": ["another-code"]});
    server.backend("PATCH", &at, Some(change)).await.expect(200);
    server.advance(Duration::from_secs(60));
    verify(&server, &at, &code(&server)).await.refused(422, "totp_incorrect_code", "code");
    assert_eq!(verify(&server, &at, "another-code").await.expect(200), &json!({"verified": true, "code_type": "backup_code"}));
}

#[tokio::test]
async fn factors_that_are_not_valid_or_not_taken_here_are_refused_by_name() {
    let server = TestServer::start().await;
    let body = |name: &str, value: Value| {
        let mut body = json!({"email_address": [EMAIL], "password": PASSWORD});
        body[name] = value;
        Some(body)
    };
    let many: Vec<String> = (0..21).map(|n| format!("code-number-{n}")).collect();
    for (name, value, error) in [
        ("totp_secret", json!("0189"), "invalid_totp_secret_code"),
        ("totp_secret", json!("GEZDGNBV"), "invalid_totp_secret_code"),
        ("backup_codes", json!(["---"]), "form_param_value_invalid"),
        ("backup_codes", json!(["$2b$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"]), "form_param_value_invalid"),
        ("backup_codes", json!(many), "form_param_array_size_exceeded"),
    ] {
        server.backend("POST", "/v1/users", body(name, value)).await.refused(422, error, name);
    }
    let without = TestServer::with_settings(|s: &mut Settings| {
        s.attributes.authenticator_app = false;
        s.attributes.backup_code = false;
        s.attack_protection.lockout = false;
    })
    .await;
    for (name, value) in [("totp_secret", json!(SECRET)), ("backup_codes", json!(["plain-code-1"]))] {
        without.backend("POST", "/v1/users", body(name, value)).await.refused(422, "form_param_unknown", name);
    }
    without.backend("POST", "/v1/users", body("locked", json!(true))).await.refused(403, "feature_not_enabled", "");
    assert_eq!(without.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn fault_134_a_code_is_right_once_however_many_bring_it() {
    // Each try is a guess, and here are more than an account bears.
    let server = TestServer::with_settings(|s| s.attack_protection.lockout = false).await;
    let at = ada(&server, json!({"backup_codes": ["plain-code-1", "plain-code-2"]})).await;
    for (code, kind) in [(code(&server), "totp"), ("plain-code-1".to_owned(), "backup_code")] {
        let tries = (0..100).map(|_| verify(&server, &at, &code));
        let answers = futures_util::future::join_all(tries).await;
        let right: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
        assert_eq!(right.len(), 1, "{kind}");
        assert_eq!(right[0].json, json!({"verified": true, "code_type": kind}));
        assert!(answers.iter().all(|it| it.status == 200 || it.code() == "totp_incorrect_code"));
    }
    verify(&server, &at, "").await.refused(422, "form_param_missing", "code");
}

#[tokio::test]
async fn wrong_codes_count_as_those_of_a_sign_in_do() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    let at = ada(&server, json!({})).await;
    for _ in 0..3 {
        verify(&server, &at, "000000").await.refused(422, "totp_incorrect_code", "code");
    }
    verify(&server, &at, &code(&server)).await.refused(403, "user_locked", "");
}

#[tokio::test]
async fn second_factors_are_taken_away_one_by_one_or_all_at_once() {
    let server = TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Optional;
        s.attributes.phone_second_factor = true;
    })
    .await;
    let at = ada(&server, json!({"backup_codes": ["plain-code-1"]})).await;
    let user_id = at.trim_start_matches("/v1/users/").to_owned();
    let gone = json!({"user_id": user_id});
    assert_eq!(server.backend("DELETE", &format!("{at}/backup_code"), None).await.expect(200), &gone);
    let user = server.backend("GET", &at, None).await.expect(200).clone();
    assert_eq!((&user["backup_code_enabled"], &user["totp_enabled"]), (&json!(false), &json!(true)));
    assert_eq!(server.backend("DELETE", &format!("{at}/totp"), None).await.expect(200), &gone);
    assert_eq!(server.backend("DELETE", &format!("{at}/totp"), None).await.expect(200), &gone, "and again");
    let user = server.backend("GET", &at, None).await.expect(200).clone();
    assert_eq!((&user["two_factor_enabled"], &user["totp_enabled"]), (&json!(false), &json!(false)));
    verify(&server, &at, "plain-code-1").await.refused(400, "totp_disabled", "");

    server.backend("PATCH", &at, Some(json!({"totp_secret": SECRET, "backup_codes": ["plain-code-2"]}))).await.expect(200);
    let number = json!({"user_id": user_id, "phone_number": "+12024560143", "verified": true, "reserved_for_second_factor": true});
    server.backend("POST", "/v1/phone_numbers", Some(number)).await.expect(200);
    assert_eq!(server.backend("DELETE", &format!("{at}/mfa"), None).await.expect(200), &gone);
    let user = server.backend("GET", &at, None).await.expect(200).clone();
    for flag in ["two_factor_enabled", "totp_enabled", "backup_code_enabled"] {
        assert_eq!(user[flag], false, "{flag}");
    }
    assert_eq!(user["phone_numbers"][0]["reserved_for_second_factor"], false);
    assert_eq!(user["primary_phone_number_id"], user["phone_numbers"][0]["id"], "it is a number like others now");
    assert_eq!(server.browser().sign_in(EMAIL, PASSWORD).await.response()["status"], "complete");
}

#[tokio::test]
async fn a_password_is_taken_away_with_or_without_the_sessions() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let user = server.backend("GET", &format!("/v1/users?email_address={EMAIL}"), None).await.expect(200)[0]["id"].clone();
    let at = format!("/v1/users/{}/remove_password", user.as_str().unwrap());
    let before = server.backend("POST", &at, Some(json!({}))).await.expect(200).clone();
    assert_eq!((&before["password_enabled"], &before["password_last_updated_at"]), (&json!(false), &Value::Null));
    assert_eq!(ada.mint(&session).await.status, 200, "sessions stay");
    server.advance(Duration::from_secs(1));
    let again = server.backend("POST", &at, Some(json!({"sign_out_of_other_sessions": true}))).await.expect(200).clone();
    assert_eq!(again, before, "who has no password is as before");
    assert_eq!(ada.mint(&session).await.status, 200);

    let set = format!("/v1/users/{}", user.as_str().unwrap());
    server.backend("PATCH", &set, Some(json!({"password": PASSWORD}))).await.expect(200);
    server.backend("POST", &at, Some(json!({"sign_out_of_other_sessions": true}))).await.expect(200);
    assert_eq!(ada.mint(&session).await.status, 404, "and go when asked to");
}
