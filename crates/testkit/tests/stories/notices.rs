//! What people are told of their own account once it has changed.

use doorward_core::atlas::Atlas;
use doorward_core::settings::Presence;
use doorward_testkit::{Mmdb, Options, TestServer, mmdb};
use serde_json::json;
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const NEW: &str = "a better horse";

/// The subjects of the mails to somebody, with how many there are of each.
async fn subjects(server: &TestServer) -> Vec<String> {
    let mut all: Vec<String> = server.outbox().await.into_iter().filter(|mail| mail.to == EMAIL).map(|mail| mail.subject).collect();
    all.sort_unstable();
    all
}

#[tokio::test]
async fn who_has_a_new_password_is_told_and_who_does_without_one_too() {
    let server = TestServer::with_settings(|s| s.attributes.password = Presence::Optional).await;
    let body = json!({"email_address": [EMAIL], "password": PASSWORD, "skip_password_checks": true, "locale": "de-AT"});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let wrong = [("current_password", "wrong horse"), ("new_password", NEW)];
    ada.post("/v1/me/change_password", &wrong).await.refused(422, "form_password_incorrect", "current_password");
    assert!(subjects(&server).await.is_empty(), "nothing happened");
    ada.post("/v1/me/change_password", &[("current_password", PASSWORD), ("new_password", NEW)]).await.expect(200);
    let changed = "Ihr Passwort bei Doorward wurde geändert";
    assert_eq!(subjects(&server).await, [changed]);
    let mail = server.outbox().await.pop().unwrap();
    assert!(mail.text.contains("wurde geändert") && mail.html.unwrap().contains("lang=\"de\"") && !mail.text.contains(NEW));
    ada.post("/v1/me/remove_password", &[("current_password", NEW)]).await.expect(200);
    assert_eq!(subjects(&server).await, ["Ihr Passwort bei Doorward wurde entfernt", changed]);
    ada.post("/v1/me/change_password", &[("new_password", PASSWORD)]).await.expect(200);
    assert_eq!(subjects(&server).await.len(), 2, "a first password replaces none");
}

#[tokio::test]
async fn a_forgotten_password_that_was_replaced_is_told_in_english_to_everybody_else() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    let strategy = "reset_password_email_code";
    let begun = ada.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", strategy)]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let code = server.code_for(EMAIL).await;
    ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("code", &code)]).await.expect(200);
    assert_eq!(subjects(&server).await.len(), 1, "nothing has changed yet");
    ada.post(&format!("{at}/reset_password"), &[("password", NEW)]).await.expect(200);
    assert_eq!(subjects(&server).await[1], "Your password at Doorward was changed");
}

#[tokio::test]
async fn whoever_has_too_many_wrong_guesses_made_at_them_is_told_once_for_each_lock() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    server.user(EMAIL, PASSWORD).await;
    let mut stranger = server.browser();
    for _ in 0..2 {
        stranger.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    assert!(subjects(&server).await.is_empty(), "there is a guess left");
    stranger.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    let told = ["Your account at Doorward is locked"];
    assert_eq!(subjects(&server).await, told);
    assert!(server.outbox().await[0].text.contains("For 60 minutes"));
    for _ in 0..2 {
        assert_eq!(stranger.sign_in(EMAIL, PASSWORD).await.code(), "user_locked");
    }
    assert_eq!(subjects(&server).await, told, "once");
    server.advance(Duration::from_secs(3600));
    for _ in 0..3 {
        stranger.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    assert_eq!(subjects(&server).await.len(), 2, "and once for the next");
    server.advance(Duration::from_secs(3600));
    for _ in 0..2 {
        stranger.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    stranger.sign_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(subjects(&server).await.len(), 2, "a right guess closes nothing, though it is the last");
}

#[tokio::test]
async fn a_device_that_is_new_to_its_user_is_told_where_the_instance_wants_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("city.mmdb");
    std::fs::write(&file, mmdb(&[("203.0.113.0", 24, Mmdb::city("Lisbon", "PT"))])).unwrap();
    let atlas = Atlas::open(&file).unwrap();
    let mut options = Options { atlas, ..Options::default() };
    options.config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = TestServer::with(options).await;
    server.user(EMAIL, PASSWORD).await;
    let device = |agent: &str| {
        let mut browser = server.browser();
        browser.headers.push(("user-agent".to_owned(), agent.to_owned()));
        browser.headers.push(("x-forwarded-for".to_owned(), "203.0.113.7".to_owned()));
        browser
    };
    let mut quiet = device("curl/8");
    quiet.sign_in(EMAIL, PASSWORD).await.expect(200);
    assert!(subjects(&server).await.is_empty(), "nobody asked for it");
    server.change_settings(|s| s.attack_protection.new_device_notice = true).await;

    let mut firefox = device("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0");
    firefox.sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    assert!(subjects(&server).await.is_empty(), "nobody got in");
    firefox.sign_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(subjects(&server).await, ["A new device signed in to your account at Doorward"]);
    let mail = server.outbox().await.pop().unwrap();
    assert!(mail.text.contains("Z, Firefox on Windows, Lisbon, PT, 203.0.113.7."), "{}", mail.text);

    let session = firefox.session_id().await.unwrap();
    firefox.post(&format!("/v1/client/sessions/{session}/remove"), &[]).await.expect(200);
    firefox.sign_in(EMAIL, PASSWORD).await.expect(200);
    assert_eq!(subjects(&server).await.len(), 1, "it is known by now");
    let first = json!({"email_address": ["grace@example.com"], "password": PASSWORD, "skip_password_checks": true});
    server.backend("POST", "/v1/users", Some(first)).await.expect(200);
    device("curl/8").sign_in("grace@example.com", PASSWORD).await.expect(200);
    assert!(server.outbox().await.iter().all(|mail| mail.to == EMAIL), "a first sign-in surprises nobody");
}
