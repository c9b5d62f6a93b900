//! Authenticator apps and backup codes: enrolled, asked for, used once, removed.

use super::authenticator_app::{self, app, code};
use doorward_core::settings::Presence;
use doorward_testkit::{Answer, Browser, START, TestServer};
use serde_json::{Value, json};
use std::time::Duration;
use totp_rs::TOTP;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

/// Somebody signed in who has an authenticator app; its codes up to now are used up.
async fn enrolled(server: &TestServer) -> (Browser, TOTP, Vec<String>) {
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let made = ada.post("/v1/me/totp", &[]).await;
    let app = app(made.response()["secret"].as_str().unwrap());
    let proven = ada.post("/v1/me/totp/attempt_verification", &[("code", &code(&app, server))]).await;
    let codes = proven.response()["backup_codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    (ada, app, codes)
}

async fn half_way(server: &TestServer) -> (Browser, String) {
    let mut browser = server.browser();
    let answer = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(answer.response()["status"], "needs_second_factor");
    let id = answer.response()["id"].as_str().unwrap().to_owned();
    (browser, id)
}

async fn second(browser: &mut Browser, id: &str, strategy: &str, code: &str) -> Answer {
    browser.post(&format!("/v1/client/sign_ins/{id}/attempt_second_factor"), &[("strategy", strategy), ("code", code)]).await
}

#[tokio::test]
async fn fault_037_an_authenticator_app_counts_once_it_is_proven() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);

    let made = ada.post("/v1/me/totp", &[]).await;
    let totp = made.response();
    assert_eq!((totp["object"].as_str(), totp["verified"].as_bool()), (Some("totp"), Some(false)));
    let app = app(totp["secret"].as_str().unwrap());
    let from_uri = TOTP::from_url(totp["uri"].as_str().unwrap()).unwrap();
    assert_eq!((from_uri.account_name.as_str(), from_uri.generate(1)), (EMAIL, app.generate(1)), "the QR code says the same");
    assert_eq!(ada.get("/v1/me").await.response()["two_factor_enabled"], false, "not before it is proven");
    server.browser().sign_in(EMAIL, PASSWORD).await.response()["status"].as_str().filter(|s| *s == "complete").unwrap();

    ada.post("/v1/me/totp/attempt_verification", &[]).await.refused(422, "form_param_missing", "code");
    let wrong = format!("{:06}", (code(&app, &server).parse::<u32>().unwrap() + 1) % 1_000_000);
    ada.post("/v1/me/totp/attempt_verification", &[("code", &wrong)]).await.refused(422, "form_code_incorrect", "code");
    let proven = ada.post("/v1/me/totp/attempt_verification", &[("code", &code(&app, &server))]).await;
    assert_eq!(proven.response()["verified"], true);
    assert_eq!(proven.response()["secret"], Value::Null, "the secret is shown once");
    assert_eq!(proven.response()["backup_codes"].as_array().unwrap().len(), 10);
    let me = ada.get("/v1/me").await.response().clone();
    for flag in ["two_factor_enabled", "totp_enabled", "backup_code_enabled"] {
        assert_eq!(me[flag], true, "{flag}");
    }
    assert_eq!(me["mfa_enabled_at"], START);
    ada.post("/v1/me/totp", &[]).await.refused(400, "totp_already_enabled", "");

    assert_eq!(server.browser().sign_in(EMAIL, PASSWORD).await.response()["status"], "needs_second_factor");
}

#[tokio::test]
async fn fault_015_a_first_factor_alone_opens_nothing() {
    let server = TestServer::start().await;
    let (_, app, _) = enrolled(&server).await;
    let (mut browser, id) = half_way(&server).await;
    for node in server.nodes().await {
        let mut browser = browser.clone().on_node(node);
        let half = browser.get(&format!("/v1/client/sign_ins/{id}")).await.response().clone();
        let offered = half["supported_second_factors"].as_array().unwrap().iter().map(|f| f["strategy"].as_str().unwrap());
        assert_eq!(offered.collect::<Vec<_>>(), ["totp", "backup_code"]);
        assert_eq!((&half["status"], &half["first_factor_verification"]["status"]), (&json!("needs_second_factor"), &json!("verified")));
        assert_eq!(half["created_session_id"], Value::Null);
        let client = browser.get("/v1/client").await.response().clone();
        assert_eq!((&client["sessions"], &client["last_active_session_id"]), (&json!([]), &Value::Null));
        assert_eq!(browser.get("/v1/me").await.status, 401);
        assert_eq!(browser.cookies.get("__client_uat").map(String::as_str), Some("0"));
    }
    server.advance(Duration::from_secs(30));
    let done = second(&mut browser, &id, "totp", &code(&app, &server)).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.response()["second_factor_verification"]["strategy"], "totp");
    let session = &done.json["client"]["sessions"][0];
    assert_eq!(session["factor_verification_age"], json!([0, 0]));
}

#[tokio::test]
async fn fault_033_a_code_of_the_app_is_used_once_also_within_its_time() {
    let server = TestServer::start().await;
    let (_, app, _) = enrolled(&server).await;
    let (mut one, first) = half_way(&server).await;
    second(&mut one, &first, "totp", &code(&app, &server)).await.refused(422, "form_code_incorrect", "code");
    server.advance(Duration::from_secs(30));
    let used = code(&app, &server);
    let (mut two, other) = half_way(&server).await;
    assert_eq!(second(&mut one, &first, "totp", &used).await.response()["status"], "complete");
    second(&mut two, &other, "totp", &used).await.refused(422, "form_code_incorrect", "code");
    server.advance(Duration::from_secs(29));
    second(&mut two, &other, "totp", &used).await.refused(422, "form_code_incorrect", "code");
    server.advance(Duration::from_secs(1));
    second(&mut two, &other, "totp", &code(&app, &server)).await.expect(200);
}

#[tokio::test]
async fn no_step_of_the_second_factor_can_be_left_out() {
    let server = TestServer::start().await;
    let (_, app, codes) = enrolled(&server).await;
    server.advance(Duration::from_secs(60));

    let mut early = server.browser();
    let begun = early.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let id = begun.response()["id"].as_str().unwrap().to_owned();
    second(&mut early, &id, "totp", &code(&app, &server)).await.refused(400, "client_state_invalid", "");
    second(&mut early, &id, "backup_code", &codes[0]).await.refused(400, "client_state_invalid", "");
    let prepare = format!("/v1/client/sign_ins/{id}/prepare_second_factor");
    early.post(&prepare, &[("strategy", "totp")]).await.refused(400, "client_state_invalid", "");

    let (mut browser, id) = half_way(&server).await;
    second(&mut early, &id, "totp", &code(&app, &server)).await.refused(404, "resource_not_found", "");
    second(&mut browser, &id, "", "1").await.refused(422, "form_param_missing", "strategy");
    second(&mut browser, &id, "password", "1").await.refused(422, "form_param_value_invalid", "strategy");
    second(&mut browser, &id, "totp", "").await.refused(422, "form_param_missing", "code");
    let first = format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    browser.post(&first, &[("strategy", "password"), ("password", PASSWORD)]).await.refused(400, "client_state_invalid", "");
    let prepare = format!("/v1/client/sign_ins/{id}/prepare_second_factor");
    browser.post(&prepare, &[("strategy", "totp")]).await.refused(400, "verification_strategy_invalid", "strategy");
    let reset = format!("/v1/client/sign_ins/{id}/reset_password");
    browser.post(&reset, &[("password", "another horse")]).await.refused(400, "client_state_invalid", "");

    let other = server.user("bob@example.com", PASSWORD).await;
    assert!(!other.is_empty());
    let (mut older, old) = half_way(&server).await;
    older.sign_in(EMAIL, PASSWORD).await.expect(200);
    second(&mut older, &old, "totp", &code(&app, &server)).await.refused(403, "resource_forbidden", "");

    server.advance(Duration::from_secs(24 * 3600 + 1));
    second(&mut browser, &id, "totp", &code(&app, &server)).await.refused(404, "resource_not_found", "");
}

#[tokio::test]
async fn fault_033_and_134_one_of_a_hundred_uses_of_the_same_code_gets_through() {
    let server = TestServer::start().await;
    let nodes = server.nodes().await;
    let (_, app, codes) = enrolled(&server).await;
    server.advance(Duration::from_secs(60));
    let totp = code(&app, &server);
    for (strategy, code) in [("totp", &totp), ("backup_code", &codes[3])] {
        let mut waiting = Vec::new();
        for _ in 0..20 {
            waiting.push(half_way(&server).await);
        }
        // Five times each, from twenty browsers, on two nodes.
        let tries = waiting.iter().flat_map(|(browser, id)| std::iter::repeat_n((browser.clone(), id.clone()), 5)).enumerate();
        let tries = tries.map(|(n, (browser, id))| (browser.on_node(nodes[n % 2]), id));
        let tries = tries.map(|(mut browser, id)| async move { second(&mut browser, &id, strategy, code).await.status });
        let done = futures_util::future::join_all(tries).await;
        assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{strategy}: {done:?}");
        assert!(done.iter().all(|status| [200, 400, 403, 404, 422].contains(status)), "{strategy}: {done:?}");
        let listed = server.backend("GET", &format!("/v1/users?email_address={EMAIL}"), None).await.expect(200)[0]["id"].clone();
        server.backend("POST", &format!("/v1/users/{}/unlock", listed.as_str().unwrap()), None).await.expect(200);
    }
}

#[tokio::test]
async fn guesses_at_the_second_factor_close_the_account() {
    let server = TestServer::with_settings(|settings| settings.attack_protection.max_attempts = 6).await;
    let (_, app, _) = enrolled(&server).await;
    server.advance(Duration::from_secs(60));
    let right = code(&app, &server);
    let mut refused = 0;
    // Who knows the password cannot use it to get guesses back.
    for _ in 0..3 {
        let mut browser = server.browser();
        let answer = browser.sign_in(EMAIL, PASSWORD).await;
        let Some(id) = answer.json["response"]["id"].as_str().filter(|_| answer.status == 200) else {
            answer.refused(403, "user_locked", "");
            refused += 1;
            continue;
        };
        for _ in 0..2 {
            let wrong = if right == "000000" { "000001" } else { "000000" };
            let answer = second(&mut browser, id, "totp", wrong).await;
            assert!(matches!((answer.status, answer.code()), (422, "form_code_incorrect") | (403, "user_locked")), "{}", answer.text);
        }
    }
    assert_eq!(refused, 0, "six wrong codes are six guesses, and right passwords are none");
    server.browser().sign_in(EMAIL, PASSWORD).await.refused(403, "user_locked", "");
    server.advance(Duration::from_secs(3601));
    let (mut browser, id) = half_way(&server).await;
    second(&mut browser, &id, "totp", &code(&app, &server)).await.expect(200);
}

#[tokio::test]
async fn a_right_password_at_the_last_guess_leaves_the_account_open() {
    let server = TestServer::with_settings(|settings| settings.attack_protection.max_attempts = 3).await;
    let (_, app, _) = enrolled(&server).await;
    server.advance(Duration::from_secs(60));
    for _ in 0..2 {
        server.browser().sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    let (mut browser, id) = half_way(&server).await;
    second(&mut browser, &id, "totp", &code(&app, &server)).await.expect(200);
    // Sign-ins that are never finished add up to nothing.
    for _ in 0..4 {
        half_way(&server).await;
    }
}

#[tokio::test]
async fn a_first_factor_is_as_old_as_its_own_proof() {
    let server = TestServer::start().await;
    let (_, app, _) = enrolled(&server).await;
    let (mut browser, id) = half_way(&server).await;
    server.advance(Duration::from_secs(40 * 60));
    second(&mut browser, &id, "totp", &code(&app, &server)).await.expect(200);
    let session = browser.session_id().await.unwrap();
    assert_eq!(ages(&mut browser, &session).await, json!([40, 0]));
}

#[tokio::test]
async fn backup_codes_work_once_and_are_replaced_as_a_set() {
    let server = TestServer::start().await;
    let (mut ada, _, codes) = enrolled(&server).await;
    let (mut browser, id) = half_way(&server).await;
    let spaced = format!(" {}-{} ", codes[0][..4].to_uppercase(), &codes[0][4..]);
    let done = second(&mut browser, &id, "backup_code", &spaced).await;
    assert_eq!(done.response()["second_factor_verification"]["object"], "verification_backup_code");
    let (mut browser, id) = half_way(&server).await;
    second(&mut browser, &id, "backup_code", &codes[0]).await.refused(422, "form_code_incorrect", "code");

    let fresh = ada.post("/v1/me/backup_codes/", &[]).await.response()["codes"].clone();
    second(&mut browser, &id, "backup_code", &codes[1]).await.refused(422, "form_code_incorrect", "code");
    second(&mut browser, &id, "backup_code", fresh[0].as_str().unwrap()).await.expect(200);
    for code in fresh.as_array().unwrap().iter().skip(1) {
        let (mut browser, id) = half_way(&server).await;
        second(&mut browser, &id, "backup_code", code.as_str().unwrap()).await.expect(200);
    }
    assert_eq!(ada.get("/v1/me").await.response()["backup_code_enabled"], false, "none is left");
    let (mut browser, id) = half_way(&server).await;
    second(&mut browser, &id, "backup_code", &codes[1]).await.refused(400, "strategy_for_user_invalid", "strategy");
}

#[tokio::test]
async fn without_the_app_the_password_is_enough_again() {
    let server = TestServer::start().await;
    let (mut ada, app, codes) = enrolled(&server).await;
    let gone = ada.post("/v1/me/totp?_method=DELETE", &[]).await.response().clone();
    assert_eq!((gone["object"].as_str(), gone["deleted"].as_bool()), (Some("totp"), Some(true)));
    ada.post("/v1/me/totp?_method=DELETE", &[]).await.refused(404, "resource_not_found", "");
    ada.post("/v1/me/backup_codes", &[]).await.refused(400, "backup_codes_not_available", "");
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!((me["two_factor_enabled"].as_bool(), me["backup_code_enabled"].as_bool()), (Some(false), Some(false)));
    assert_eq!(me["mfa_disabled_at"], START);
    assert_eq!(server.browser().sign_in(EMAIL, PASSWORD).await.response()["status"], "complete");

    // A new app has a new secret, and nothing of the old one helps.
    let made = ada.post("/v1/me/totp", &[]).await;
    let next = authenticator_app::app(made.response()["secret"].as_str().unwrap());
    ada.post("/v1/me/totp/attempt_verification", &[("code", &code(&app, &server))]).await.refused(422, "form_code_incorrect", "code");
    ada.post("/v1/me/totp/attempt_verification", &[("code", &code(&next, &server))]).await.expect(200);
    let (mut browser, id) = half_way(&server).await;
    second(&mut browser, &id, "backup_code", &codes[2]).await.refused(422, "form_code_incorrect", "code");
}

#[tokio::test]
async fn fault_040_a_new_password_waits_for_the_second_factor() {
    let server = TestServer::start().await;
    let (mut ada, app, _) = enrolled(&server).await;
    server.advance(Duration::from_secs(60));
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("strategy", "reset_password_email_code"), ("identifier", EMAIL)]).await;
    let id = begun.response()["id"].as_str().unwrap().to_owned();
    let mail = server.code_for(EMAIL).await;
    let at = format!("/v1/client/sign_ins/{id}");
    let fields = [("strategy", "reset_password_email_code"), ("code", mail.as_str())];
    assert_eq!(browser.post(&format!("{at}/attempt_first_factor"), &fields).await.response()["status"], "needs_new_password");
    let half = browser.post(&format!("{at}/reset_password"), &[("password", "another horse")]).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
    assert!(!half.text.contains("argon2"), "the state of an attempt is ours");

    // Whoever has the mailbox alone changes nothing and ends nothing.
    assert_eq!(ada.get("/v1/me").await.status, 200);
    assert_eq!(server.browser().sign_in(EMAIL, PASSWORD).await.response()["status"], "needs_second_factor");
    server.browser().sign_in(EMAIL, "another horse").await.refused(422, "form_password_incorrect", "password");

    second(&mut browser, &id, "totp", &code(&app, &server)).await.expect(200);
    assert_eq!(ada.get("/v1/me").await.status, 401, "other sessions end with the old password");
    assert_eq!(server.browser().sign_in(EMAIL, "another horse").await.response()["status"], "needs_second_factor");
}

#[tokio::test]
async fn an_enrolment_ends_after_ten_wrong_codes() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    ada.post("/v1/me/totp/attempt_verification", &[("code", "123456")]).await.refused(404, "resource_not_found", "");
    let made = ada.post("/v1/me/totp", &[]).await;
    let app = app(made.response()["secret"].as_str().unwrap());
    let right = code(&app, &server);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for _ in 0..10 {
        ada.post("/v1/me/totp/attempt_verification", &[("code", wrong)]).await.refused(422, "form_code_incorrect", "code");
    }
    ada.post("/v1/me/totp/attempt_verification", &[("code", &right)]).await.refused(400, "verification_failed", "");
    ada.post("/v1/me/totp", &[]).await.expect(200);
}

#[tokio::test]
async fn an_instance_may_do_without() {
    let server = TestServer::with_settings(|settings| settings.attributes.authenticator_app = false).await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    ada.post("/v1/me/totp", &[]).await.refused(403, "feature_not_enabled", "");
    let environment = ada.get("/v1/environment").await;
    assert_eq!(environment.expect(200)["user_settings"]["attributes"]["authenticator_app"]["enabled"], false);
}

/// What a reverification answers.
async fn verify(browser: &mut Browser, session: &str, step: &str, fields: &[(&str, &str)]) -> Answer {
    browser.post(&format!("/v1/client/sessions/{session}/verify{step}"), fields).await
}

/// The ages of the factors in a session's next token, in minutes.
async fn ages(browser: &mut Browser, session: &str) -> Value {
    let jwt = browser.mint(session).await.expect(200)["jwt"].as_str().unwrap().to_owned();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["fva"].clone()
}

#[tokio::test]
async fn who_is_signed_in_proves_it_once_more() {
    let server = TestServer::start().await;
    let (mut ada, app, codes) = enrolled(&server).await;
    let session = ada.session_id().await.unwrap();
    server.advance(Duration::from_secs(15 * 60));
    assert_eq!(ages(&mut ada, &session).await, json!([15, 15]));

    verify(&mut ada, &session, "", &[]).await.refused(422, "form_param_missing", "level");
    verify(&mut ada, &session, "", &[("level", "third")]).await.refused(422, "form_param_value_invalid", "level");
    let fields = [("strategy", "password"), ("password", PASSWORD)];
    verify(&mut ada, &session, "/attempt_first_factor", &fields).await.refused(400, "session_reverification_missing", "");

    let begun = verify(&mut ada, &session, "", &[("level", "multi_factor")]).await;
    let it = begun.response();
    assert_eq!((it["status"].as_str(), it["object"].as_str()), (Some("needs_first_factor"), Some("session_reverification")));
    let firsts: Vec<_> = it["supported_first_factors"].as_array().unwrap().iter().map(|f| f["strategy"].as_str().unwrap()).collect();
    assert_eq!(firsts, ["password", "email_code"], "a new password proves nothing here");
    let second = [("strategy", "totp"), ("code", &code(&app, &server))];
    verify(&mut ada, &session, "/attempt_second_factor", &second).await.refused(400, "invalid_action_for_session_reverification", "");
    let wrong = [("strategy", "password"), ("password", "wrong horse")];
    verify(&mut ada, &session, "/attempt_first_factor", &wrong).await.refused(422, "form_password_incorrect", "password");
    let reset = [("strategy", "reset_password_email_code")];
    verify(&mut ada, &session, "/prepare_first_factor", &reset).await.refused(422, "form_param_value_invalid", "strategy");

    verify(&mut ada, &session, "/prepare_first_factor", &[("strategy", "email_code")]).await.expect(200);
    let mail = server.code_for(EMAIL).await;
    let half = verify(&mut ada, &session, "/attempt_first_factor", &[("strategy", "email_code"), ("code", &mail)]).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
    assert_eq!(ages(&mut ada, &session).await, json!([15, 15]), "half a proof is none");
    let done = verify(&mut ada, &session, "/attempt_second_factor", &second).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.response()["session"]["factor_verification_age"], json!([0, 0]));
    assert_eq!(ages(&mut ada, &session).await, json!([0, 0]));
    verify(&mut ada, &session, "/attempt_second_factor", &second).await.refused(400, "invalid_action_for_session_reverification", "");

    server.advance(Duration::from_secs(5 * 60));
    let begun = verify(&mut ada, &session, "", &[("level", "second_factor")]).await;
    assert_eq!(begun.response()["status"], "needs_second_factor");
    let backup = [("strategy", "backup_code"), ("code", codes[0].as_str())];
    verify(&mut ada, &session, "/attempt_second_factor", &backup).await.expect(200);
    assert_eq!(ages(&mut ada, &session).await, json!([5, 0]));

    // It is good for ten minutes, and for this browser.
    verify(&mut ada, &session, "", &[("level", "first_factor")]).await.expect(200);
    let mut other = server.browser();
    verify(&mut other, &session, "", &[("level", "first_factor")]).await.refused(401, "authentication_invalid", "");
    server.advance(Duration::from_secs(600));
    verify(&mut ada, &session, "/attempt_first_factor", &fields).await.refused(400, "session_reverification_missing", "");
}

#[tokio::test]
async fn who_has_no_second_factor_proves_the_first_one() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    server.advance(Duration::from_secs(120));
    for level in ["second_factor", "multi_factor"] {
        let begun = verify(&mut ada, &session, "", &[("level", level)]).await;
        assert_eq!(begun.response()["status"], "needs_first_factor", "{level}");
        assert_eq!(begun.response()["supported_second_factors"], json!([]));
        let done = verify(&mut ada, &session, "/attempt_first_factor", &[("strategy", "password"), ("password", PASSWORD)]).await;
        assert_eq!(done.response()["status"], "complete", "{level}");
    }
    assert_eq!(ages(&mut ada, &session).await, json!([0, -1]));
}

#[tokio::test]
async fn a_number_proves_presence_as_the_first_and_as_the_second_factor() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.phone_number = Presence::Optional;
        settings.attributes.phone_second_factor = true;
    })
    .await;
    let (own, kept) = ("+12024560143", "+12024560178");
    let body = json!({"email_address": [EMAIL], "phone_number": [own], "password": PASSWORD});
    let user = server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].clone();
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let second = json!({"user_id": user, "phone_number": kept, "verified": true, "reserved_for_second_factor": true});
    let second = server.backend("POST", "/v1/phone_numbers", Some(second)).await.expect(200)["id"].clone();
    server.advance(Duration::from_secs(15 * 60));
    let begun = verify(&mut ada, &session, "", &[("level", "multi_factor")]).await.response().clone();
    let numbers = |list: &str| {
        let all = begun[list].as_array().unwrap().iter().filter(|it| it["strategy"] == "phone_code");
        all.map(|it| it["phone_number_id"].clone()).collect::<Vec<_>>()
    };
    let firsts = numbers("supported_first_factors");
    assert_eq!((firsts.len(), numbers("supported_second_factors")), (1, vec![second.clone()]), "each number is of one kind");

    for (kind, id, to, status) in [("first", &firsts[0], own, "needs_second_factor"), ("second", &second, kept, "complete")] {
        let prepare = [("strategy", "phone_code"), ("phone_number_id", id.as_str().unwrap())];
        let asked = verify(&mut ada, &session, &format!("/prepare_{kind}_factor"), &prepare).await;
        let shown = &asked.response()[format!("{kind}_factor_verification")];
        assert_eq!((shown["strategy"].as_str(), shown["status"].as_str()), (Some("phone_code"), Some("unverified")));
        let code = server.code_for(to).await;
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let attempt = format!("/attempt_{kind}_factor");
        let refused = verify(&mut ada, &session, &attempt, &[("strategy", "phone_code"), ("code", wrong)]).await;
        refused.refused(422, "form_code_incorrect", "code");
        let done = verify(&mut ada, &session, &attempt, &[("strategy", "phone_code"), ("code", &code)]).await;
        assert_eq!(done.response()["status"], status);
    }
    assert_eq!(ages(&mut ada, &session).await, json!([0, 0]));
    assert_eq!(server.texts().await.len(), 2);
}
