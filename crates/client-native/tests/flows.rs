//! Every way in, and the account, by a program that has no cookies: the core over reqwest, against a real server.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_client_native::{Account, Area, Client, Command, Config, Error, Step, params};
use doorward_core::settings::{Presence, Settings};
use doorward_testkit::{Authenticator, DeviceKey, TestServer, Wallet};
use serde_json::{Value, json};
use std::time::Duration;
use totp_rs::{Algorithm, Secret, TOTP};

const EMAIL: &str = "ada@example.com";
const NUMBER: &str = "+12024560150";
const PASSWORD: &str = "correct horse";

fn everything(s: &mut Settings) {
    s.attributes.phone_number = Presence::Optional;
    s.attributes.web3_wallet = Presence::Optional;
    s.attributes.passkey = true;
    s.attributes.email_link = true;
    s.native.trusted_devices = true;
    s.native.apple_apps = vec!["A1B2C3D4E5.com.example.app".to_owned()];
}

/// A program that has just been started, and knows that nobody is signed in.
async fn program(server: &TestServer) -> Client {
    let config = Config {
        publishable_key: server.instance.publishable_key.clone(),
        proxy_url: Some(format!("http://{}", server.public)),
        seed: 7,
        ..Config::default()
    };
    let client = Client::start(config, server.app.clock.clone()).unwrap();
    client.call(Command::Load).await.unwrap();
    client
}

async fn step<const N: usize>(client: &Client, step: Step, fields: [(&str, &str); N]) -> Result<Value, Error> {
    client.call(Command::Step(step, params(fields))).await
}

async fn create<const N: usize>(client: &Client, fields: [(&str, &str); N]) -> Value {
    step(client, Step::SignInCreate, fields).await.unwrap()
}

async fn account<const N: usize>(client: &Client, method: &str, path: &[&str], fields: [(&str, &str); N]) -> Result<Value, Error> {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    client.call(Command::Account(Account::new(Area::Me, method, path).unwrap().with(params(fields)))).await
}

async fn presence<const N: usize>(client: &Client, path: &[&str], fields: [(&str, &str); N]) -> Result<Value, Error> {
    let path = path.iter().map(|part| (*part).to_owned()).collect();
    client.call(Command::Account(Account::new(Area::Verification, "POST", path).unwrap().with(params(fields)))).await
}

/// Whoever a complete attempt has signed in.
async fn arrived(client: &Client, attempt: &Value) -> String {
    assert_eq!(attempt["status"], "complete", "{attempt}");
    let session = attempt["created_session_id"].as_str().unwrap().to_owned();
    client.call(Command::SetActive { session: Some(Some(session)), organization: None }).await.unwrap();
    let known: Value = serde_json::from_str(&client.snapshot().borrow()).unwrap();
    known["user"]["id"].as_str().unwrap().to_owned()
}

async fn signed_in(server: &TestServer, email: &str) -> (Client, String) {
    let client = program(server).await;
    let done = create(&client, [("identifier", email), ("password", PASSWORD)]).await;
    let user = arrived(&client, &done).await;
    (client, user)
}

fn code(app: &TOTP, server: &TestServer) -> String {
    app.generate(u64::try_from(server.app.clock.now() / 1000).unwrap())
}

async fn enrol(server: &TestServer, client: &Client) -> (TOTP, String) {
    let made = account(client, "POST", &["totp"], []).await.unwrap();
    let secret = Secret::Encoded(made["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let app = TOTP::new(Algorithm::SHA1, 6, 0, 30, secret, None, EMAIL.to_owned()).unwrap();
    let proven = account(client, "POST", &["totp", "attempt_verification"], [("code", &code(&app, server))]).await.unwrap();
    (app, proven["backup_codes"][0].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn somebody_signs_up_by_a_code_and_comes_back_by_others() {
    let server = TestServer::with_settings(everything).await;
    let client = program(&server).await;
    let begun = step(&client, Step::SignUpCreate, [("email_address", EMAIL), ("phone_number", NUMBER), ("password", PASSWORD)]).await;
    assert_eq!(begun.unwrap()["unverified_fields"], json!(["email_address", "phone_number"]));
    step(&client, Step::SignUpPrepareVerification, [("strategy", "email_code")]).await.unwrap();
    let wrong = step(&client, Step::SignUpAttemptVerification, [("strategy", "email_code"), ("code", "000000")]).await;
    assert_eq!(wrong.unwrap_err().0.code, "form_code_incorrect");
    let mail = server.code_for(EMAIL).await;
    step(&client, Step::SignUpAttemptVerification, [("strategy", "email_code"), ("code", &mail)]).await.unwrap();
    step(&client, Step::SignUpPrepareVerification, [("strategy", "phone_code")]).await.unwrap();
    let text = server.code_for(NUMBER).await;
    let done = step(&client, Step::SignUpAttemptVerification, [("strategy", "phone_code"), ("code", &text)]).await.unwrap();
    let ada = arrived(&client, &done).await;

    for (strategy, named) in [("email_code", EMAIL), ("phone_code", NUMBER)] {
        client.call(Command::SignOut { session: None }).await.unwrap();
        server.advance(Duration::from_secs(5));
        create(&client, [("identifier", named), ("strategy", strategy)]).await;
        let code = server.code_for(named).await;
        let done = step(&client, Step::SignInAttemptFirstFactor, [("strategy", strategy), ("code", &code)]).await.unwrap();
        assert_eq!(arrived(&client, &done).await, ada, "{strategy}");
    }
    for (strategy, named, password) in
        [("reset_password_email_code", EMAIL, "another horse"), ("reset_password_phone_code", NUMBER, "yet another horse")]
    {
        client.call(Command::SignOut { session: None }).await.unwrap();
        server.advance(Duration::from_secs(5));
        create(&client, [("identifier", named), ("strategy", strategy)]).await;
        let code = server.code_for(named).await;
        let proven = step(&client, Step::SignInAttemptFirstFactor, [("strategy", strategy), ("code", &code)]).await.unwrap();
        assert_eq!(proven["status"], "needs_new_password");
        let done = step(&client, Step::SignInResetPassword, [("password", password)]).await.unwrap();
        assert_eq!(arrived(&client, &done).await, ada, "{strategy}");
    }
}

#[tokio::test]
async fn a_link_that_is_opened_elsewhere_signs_the_program_in() {
    let server = TestServer::with_settings(|s| {
        everything(s);
        s.attack_protection.email_link_same_client = false;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let client = program(&server).await;
    let to = ("redirect_url", "http://localhost:3100/done");
    create(&client, [("identifier", EMAIL), ("strategy", "email_link"), to]).await;
    let link = server.link().await;
    server.browser().post("/v1/verify", &[("token", link.split_once("token=").unwrap().1)]).await;
    let done = step(&client, Step::SignInReload, []).await.unwrap();
    arrived(&client, &done).await;
}

#[tokio::test]
async fn a_second_factor_is_enrolled_and_asked_for_at_the_door_and_inside() {
    let server = TestServer::with_settings(|s| {
        everything(s);
        s.session.reverify_sensitive = true;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let (client, ada) = signed_in(&server, EMAIL).await;
    let (app, backup) = enrol(&server, &client).await;
    for (strategy, given) in [("backup_code", Some(backup)), ("totp", None)] {
        client.call(Command::SignOut { session: None }).await.unwrap();
        server.advance(Duration::from_secs(60));
        let half = create(&client, [("identifier", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(half["status"], "needs_second_factor");
        let code = given.unwrap_or_else(|| code(&app, &server));
        let done = step(&client, Step::SignInAttemptSecondFactor, [("strategy", strategy), ("code", &code)]).await.unwrap();
        assert_eq!(arrived(&client, &done).await, ada, "{strategy}");
    }
    server.advance(Duration::from_secs(601));
    let refused = account(&client, "POST", &["email_addresses"], [("email_address", "other@example.com")]).await;
    assert_eq!(refused.unwrap_err().0.code, "session_reverification_required");
    let begun = presence(&client, &[], [("level", "second_factor")]).await.unwrap();
    assert_eq!(begun["status"], "needs_second_factor");
    let proof = [("strategy", "totp"), ("code", &*code(&app, &server))];
    assert_eq!(presence(&client, &["attempt_second_factor"], proof).await.unwrap()["status"], "complete");
    account(&client, "POST", &["email_addresses"], [("email_address", "other@example.com")]).await.unwrap();
}

#[tokio::test]
async fn a_ticket_a_wallet_a_key_and_a_passkey_open_the_account() {
    let server = TestServer::with_settings(everything).await;
    server.user(EMAIL, PASSWORD).await;
    let (client, ada) = signed_in(&server, EMAIL).await;

    let ticket = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": ada}))).await.expect(200).clone();
    let other = program(&server).await;
    let done = create(&other, [("strategy", "ticket"), ("ticket", ticket["token"].as_str().unwrap())]).await;
    assert_eq!(arrived(&other, &done).await, ada);

    let (wallet, by) = (Wallet::ethereum(7), ("strategy", "web3_metamask_signature"));
    let made = account(&client, "POST", &["web3_wallets"], [("web3_wallet", &wallet.address())]).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let asked = account(&client, "POST", &["web3_wallets", id, "prepare_verification"], [by]).await.unwrap();
    let signature = wallet.sign(asked["verification"]["message"].as_str().unwrap());
    let proof = [by, ("signature", &*signature)];
    let kept = account(&client, "POST", &["web3_wallets", id, "attempt_verification"], proof).await.unwrap();
    assert_eq!(kept["verification"]["status"], "verified");
    let other = program(&server).await;
    create(&other, [("identifier", &wallet.address())]).await;
    let asked = step(&other, Step::SignInPrepareFirstFactor, [by]).await.unwrap();
    let signature = wallet.sign(asked["first_factor_verification"]["message"].as_str().unwrap());
    let done = step(&other, Step::SignInAttemptFirstFactor, [by, ("signature", &signature)]).await.unwrap();
    assert_eq!(arrived(&other, &done).await, ada);

    let key = DeviceKey::default();
    let jwk = key.jwk();
    let about = [("platform", "ios"), ("app_identifier", "com.example.app"), ("algorithm", "ES256"), ("public_key_jwk", &*jwk)];
    let asked = account(&client, "POST", &["trusted_devices", "prepare"], about).await.unwrap();
    let text = asked["client_data"].as_str().unwrap();
    let [platform, app, algorithm, public] = about;
    let proof = [platform, app, algorithm, public, ("client_data", text), ("signature", &*key.sign(text))];
    let device = account(&client, "POST", &["trusted_devices", "attempt"], proof).await.unwrap()["id"].as_str().unwrap().to_owned();
    let other = program(&server).await;
    let named = [("strategy", "trusted_device"), ("trusted_device_id", device.as_str())];
    let begun = create(&other, named).await;
    let text = begun["first_factor_verification"]["trusted_device_challenge"]["client_data"].as_str().unwrap();
    let [strategy, id] = named;
    let proof = [strategy, id, ("client_data", text), ("signature", &*key.sign(text))];
    let done = step(&other, Step::SignInAttemptFirstFactor, proof).await.unwrap();
    assert_eq!(arrived(&other, &done).await, ada);

    let begun = account(&client, "POST", &["passkeys"], []).await.unwrap();
    let nonce = &begun["verification"]["nonce"];
    let site = serde_json::from_str::<Value>(nonce.as_str().unwrap()).unwrap()["rp"]["id"].as_str().unwrap().to_owned();
    let mut phone = Authenticator { origin: format!("https://{site}"), ..Authenticator::default() };
    let made = phone.create(nonce);
    let proof = [("strategy", "passkey"), ("public_key_credential", &*made)];
    let path = ["passkeys", begun["id"].as_str().unwrap(), "attempt_verification"];
    account(&client, "POST", &path, proof).await.unwrap();
    let other = program(&server).await;
    let begun = create(&other, [("strategy", "passkey")]).await;
    let signed = phone.get(&begun["first_factor_verification"]["nonce"]);
    let proof = [("strategy", "passkey"), ("public_key_credential", &*signed)];
    let done = step(&other, Step::SignInAttemptFirstFactor, proof).await.unwrap();
    assert_eq!(arrived(&other, &done).await, ada);
}

#[tokio::test]
async fn an_account_is_read_changed_and_deleted() {
    let server = TestServer::with_settings(everything).await;
    server.user(EMAIL, PASSWORD).await;
    let (client, ada) = signed_in(&server, EMAIL).await;
    let (elsewhere, _) = signed_in(&server, EMAIL).await;
    assert_eq!(account(&client, "PATCH", &[], [("last_name", "King")]).await.unwrap()["last_name"], "King");
    let made = account(&client, "POST", &["email_addresses"], [("email_address", "second@example.com")]).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let by = ("strategy", "email_code");
    account(&client, "POST", &["email_addresses", id, "prepare_verification"], [by]).await.unwrap();
    let code = server.code_for("second@example.com").await;
    let proven = account(&client, "POST", &["email_addresses", id, "attempt_verification"], [("code", &code)]).await.unwrap();
    assert_eq!(proven["verification"]["status"], "verified");
    account(&client, "PATCH", &[], [("primary_email_address_id", id)]).await.unwrap();
    let change = [("current_password", PASSWORD), ("new_password", "another horse"), ("sign_out_of_other_sessions", "true")];
    account(&client, "POST", &["change_password"], change).await.unwrap();
    assert!(account(&elsewhere, "GET", &[], []).await.is_err(), "the other one is out");
    let listed = account(&client, "GET", &["sessions", "active"], []).await.unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    let kept = server.backend("GET", &format!("/v1/users/{ada}"), None).await;
    assert_eq!((&kept.expect(200)["last_name"], &kept.json["primary_email_address_id"]), (&json!("King"), &json!(id)));
    account(&client, "DELETE", &[], []).await.unwrap();
    server.backend("GET", &format!("/v1/users/{ada}"), None).await.refused(404, "resource_not_found", "");
}
