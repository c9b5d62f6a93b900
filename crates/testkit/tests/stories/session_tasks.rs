//! Sessions that wait: for a second factor that the instance requires, or for a new password.

use super::authenticator_app::enrol;
use base64::Engine as _;
use doorward_testkit::{Answer, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const NEW: &str = "staple battery";

async fn strict() -> TestServer {
    TestServer::with_settings(|s| s.session.require_second_factor = true).await
}

/// What a session token says, for whom it was minted is no matter here.
fn claims(minted: &Answer) -> Value {
    let payload = minted.json["jwt"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn session(answer: &Answer) -> &Value {
    &answer.json["client"]["sessions"][0]
}

#[tokio::test]
async fn a_session_is_pending_until_its_user_has_the_second_factor_that_is_required() {
    let server = strict().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    let done = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!((&done.response()["status"], &session(&done)["status"]), (&json!("complete"), &json!("pending")));
    assert_eq!(session(&done)["tasks"], json!([{"key": "setup-mfa"}]));
    let id = done.response()["created_session_id"].as_str().unwrap().to_owned();
    assert_eq!(claims(&browser.mint(&id).await)["sts"], "pending");
    browser.post(&format!("/v1/client/sessions/{id}/touch"), &[]).await.expect(200);
    let seen = server.backend("GET", &format!("/v1/sessions/{id}"), None).await;
    assert_eq!((&seen.expect(200)["status"], &seen.json["tasks"]), (&json!("pending"), &json!([{"key": "setup-mfa"}])));
    let of = format!("/v1/sessions?user_id={}&status=active", seen.json["user_id"].as_str().unwrap());
    assert_eq!(server.backend("GET", &of, None).await.expect(200), &json!([]), "one that waits is not active");
    let waiting = of.replace("active", "pending");
    assert_eq!(server.backend("GET", &waiting, None).await.expect(200)[0]["id"], id.as_str());

    enrol(&server, &mut browser).await;
    assert_eq!(server.backend("GET", &of, None).await.expect(200)[0]["id"], id.as_str());
    assert_eq!(server.backend("GET", &waiting, None).await.expect(200), &json!([]));
    let client = browser.get("/v1/client").await;
    assert_eq!((&client.response()["sessions"][0]["status"], &client.response()["sessions"][0]["tasks"]), (&json!("active"), &Value::Null));
    assert_eq!(claims(&browser.mint(&id).await)["sts"], "active");
    browser.get("/v1/me/sessions").await.expect(200);

    let environment = browser.get("/v1/environment").await;
    for at in ["/user_settings/sign_in/second_factor/required", "/user_settings/sign_up/mfa/required"] {
        assert_eq!(environment.json.pointer(at), Some(&json!(true)), "{at}");
    }
}

#[tokio::test]
async fn fault_038_a_pending_session_may_do_its_tasks_and_nothing_else() {
    let server = TestServer::with_settings(|s| {
        s.session.require_second_factor = true;
        s.jwt_templates.insert("other".to_owned(), Default::default());
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    let done = browser.sign_in(EMAIL, PASSWORD).await;
    let id = done.response()["created_session_id"].as_str().unwrap().to_owned();
    let mut refused = 0;
    for meta in doorward_fapi::routes().table().filter(|meta| meta.auth == doorward_wire::Auth::Session) {
        let path = meta.path.replace("{session_id}", &id).replace('{', "idn_").replace('}', "");
        let answer = browser.send(meta.method, &path, None).await;
        assert_eq!((answer.status, answer.code()), (401, "authentication_invalid"), "{}", meta.id);
        refused += 1;
    }
    assert!(refused > 20);
    browser.post(&format!("/v1/client/sessions/{id}/tokens/other"), &[]).await.refused(400, "invalid_action_for_session", "");
    let lifted = json!({"expires_in_seconds": 60});
    let by_server = server.backend("POST", &format!("/v1/sessions/{id}/tokens/other"), Some(lifted)).await;
    by_server.refused(400, "invalid_action_for_session", "");
    browser.get("/v1/me").await.expect(200);
    let other = browser.post("/v1/me/change_password", &[("new_password", NEW)]).await;
    other.refused(422, "form_param_missing", "current_password");
}

#[tokio::test]
async fn who_signs_up_sets_the_second_factor_up_first() {
    let server = strict().await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &[("email_address", EMAIL), ("password", PASSWORD)]).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(EMAIL).await;
    let fields = [("strategy", "email_code"), ("code", code.as_str())];
    let mut old = browser.clone();
    old.api_version = None;
    let refused = old.post(&format!("{at}/attempt_verification"), &fields).await;
    refused.refused(409, "session_creation_not_allowed", "");
    let done = browser.post(&format!("{at}/attempt_verification"), &fields).await;
    assert_eq!((&done.response()["status"], &session(&done)["status"]), (&json!("complete"), &json!("pending")));
    enrol(&server, &mut browser).await;
    assert_eq!(browser.get("/v1/client").await.response()["sessions"][0]["status"], "active");
}

#[tokio::test]
async fn a_password_that_is_known_to_others_leads_to_a_new_one() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, PASSWORD).await;
    let mut before = server.browser();
    before.sign_in(EMAIL, PASSWORD).await.expect(200);
    let at = format!("/v1/users/{user}/password");
    server.backend("POST", &format!("{at}/set_compromised"), Some(json!({}))).await.expect(200);
    assert_eq!(before.get("/v1/client").await.response()["sessions"][0]["status"], "active", "it is for the next sign-in");

    let mut browser = server.browser();
    let done = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(session(&done)["tasks"], json!([{"key": "reset-password"}]));
    browser.post("/v1/me/change_password", &[("new_password", "short")]).await.refused(
        422,
        "form_password_length_too_short",
        "new_password",
    );
    let changed = browser.post("/v1/me/change_password", &[("new_password", NEW), ("sign_out_of_other_sessions", "true")]).await;
    assert_eq!(session(&changed)["status"], "active");
    assert_eq!(before.get("/v1/client").await.response()["sessions"], json!([]));
    server.browser().sign_in(EMAIL, PASSWORD).await.refused(422, "form_password_incorrect", "password");
    assert_eq!(session(&server.browser().sign_in(EMAIL, NEW).await)["status"], "active");
    // The task is done: the next change needs the password again.
    browser.post("/v1/me/change_password", &[("new_password", PASSWORD)]).await.refused(422, "form_param_missing", "current_password");

    server.backend("POST", &format!("{at}/set_compromised"), Some(json!({"revoke_all_sessions": true}))).await.expect(200);
    assert_eq!(browser.get("/v1/client").await.response()["sessions"], json!([]));
    let mut again = server.browser();
    assert_eq!(session(&again.sign_in(EMAIL, NEW).await)["status"], "pending");
    server.backend("POST", &format!("{at}/unset_compromised"), None).await.expect(200);
    assert_eq!(again.get("/v1/client").await.response()["sessions"][0]["status"], "active");
    let without = server
        .backend(
            "POST",
            "/v1/users",
            Some(json!({"username": "bob-bob", "skip_password_requirement": true, "skip_user_requirement": true})),
        )
        .await;
    let bob = without.expect(200)["id"].as_str().unwrap().to_owned();
    let none = server.backend("POST", &format!("/v1/users/{bob}/password/set_compromised"), None).await;
    none.refused(400, "no_password_set", "");
}

#[tokio::test]
async fn resetting_the_password_on_the_way_in_is_the_task_itself() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, PASSWORD).await;
    server.backend("POST", &format!("/v1/users/{user}/password/set_compromised"), None).await.expect(200);
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "reset_password_email_code")]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let code = server.code_for(EMAIL).await;
    browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", "reset_password_email_code"), ("code", &code)]).await.expect(200);
    let done = browser.post(&format!("{at}/reset_password"), &[("password", NEW)]).await;
    assert_eq!(session(&done)["status"], "active");
}

#[tokio::test]
async fn pitfall_019_an_sdk_that_knows_no_pending_sessions_never_sees_one() {
    let server = strict().await;
    server.user(EMAIL, PASSWORD).await;
    for version in [None, Some("2025-04-10".to_owned())] {
        let mut old = server.browser();
        old.api_version = version;
        old.sign_in(EMAIL, PASSWORD).await.refused(409, "session_creation_not_allowed", "");
    }
    // Some scripts know pending sessions, and not this task.
    let at = |script: &str| format!("/v1/client/sign_ins?_clerk_js_version={script}");
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    server.browser().post(&at("5.120.0"), &fields).await.refused(409, "session_creation_not_allowed", "");
    server.browser().post(&at("5.124.0"), &fields).await.expect(200);
    // In a browser where a newer app began one, an older one sees nobody.
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    let mut old = browser.clone();
    old.api_version = None;
    let client = old.get("/v1/client").await;
    assert_eq!((&client.response()["sessions"], &client.response()["last_active_session_id"]), (&json!([]), &Value::Null));
    enrol(&server, &mut browser).await;
    server.advance(Duration::from_secs(60));
    assert_eq!(old.get("/v1/client").await.response()["sessions"][0]["status"], "active");

    let lax = TestServer::start().await;
    let user = lax.user(EMAIL, PASSWORD).await;
    lax.backend("POST", &format!("/v1/users/{user}/password/set_compromised"), None).await.expect(200);
    let mut old = lax.browser();
    old.api_version = None;
    old.sign_in(EMAIL, PASSWORD).await.refused(422, "form_password_pwned", "password");
    let begun = old.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "email_code")]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());
    let code = lax.code_for(EMAIL).await;
    let done = old.post(&at, &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(session(&done)["status"], "active", "what was proven is not the password");
}
