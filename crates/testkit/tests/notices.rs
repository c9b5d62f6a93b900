//! What people are told of their own account once it has changed.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_core::settings::Presence;
use doorward_testkit::TestServer;
use serde_json::json;

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
