//! What may be used once, used a hundred times at once on two nodes: one gets through. First factors of a sign-in and sign-ups are
//! raced in `state_machine.rs`; links, tickets and invitations beside their stories.

use super::authenticator_app::{app, code};
use doorward_core::settings::{Presence, Settings};
use doorward_testkit::social::{ACME, acme_with, visit};
use doorward_testkit::{Authenticator, Browser, TOO_LATE, TestServer, Wallet, race};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const NUMBER: &str = "+12024560143";
const KEPT: &str = "+12024560178";
const PASSWORD: &str = "correct horse";

fn everything(settings: &mut Settings) {
    let attributes = &mut settings.attributes;
    attributes.phone_number = Presence::Optional;
    attributes.web3_wallet = Presence::Optional;
    (attributes.passkey, attributes.phone_second_factor) = (true, true);
    settings.attack_protection.lockout = false;
}

async fn user(server: &TestServer) -> Value {
    let body = json!({"email_address": [EMAIL], "phone_number": [NUMBER], "password": PASSWORD});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200).clone()
}

async fn signed_in(server: &TestServer) -> (Browser, String) {
    let mut browser = server.browser();
    let done = browser.sign_in(EMAIL, PASSWORD).await;
    let session = done.response()["created_session_id"].as_str().unwrap().to_owned();
    (browser, session)
}

/// A sign-in that waits for its second factor.
async fn half_way(server: &TestServer) -> (Browser, String) {
    // Codes for one number are few within minutes.
    server.advance(Duration::from_secs(3600));
    let mut browser = server.browser();
    let half = browser.sign_in(EMAIL, PASSWORD).await;
    let at = format!("/v1/client/sign_ins/{}", half.response()["id"].as_str().unwrap());
    (browser, at)
}

async fn sessions(server: &TestServer, user: &Value) -> usize {
    let all = server.backend("GET", &format!("/v1/sessions?user_id={}&status=active", user["id"].as_str().unwrap()), None).await;
    all.expect(200).as_array().unwrap().len()
}

#[tokio::test]
async fn fault_134_a_new_password_is_set_once() {
    let server = TestServer::with_settings(everything).await;
    let (user, nodes) = (user(&server).await, server.nodes().await);
    for (strategy, to) in [("reset_password_email_code", EMAIL), ("reset_password_phone_code", NUMBER)] {
        server.advance(Duration::from_secs(3600));
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("strategy", strategy), ("identifier", to)]).await;
        let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
        let code = server.code_for(to).await;
        let proven = browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("code", &code)]).await;
        assert_eq!(proven.response()["status"], "needs_new_password");
        let new = format!("a horse by {strategy}");
        let (_, done) = race(nodes, &browser, &format!("{at}/reset_password"), &[("password", &new)], &TOO_LATE).await;
        assert_eq!(done.response()["status"], "complete", "{strategy}");
        assert_eq!(sessions(&server, &user).await, 1, "{strategy}: the others have ended");
        server.browser().sign_in(EMAIL, &new).await.expect(200);
    }
}

#[tokio::test]
async fn fault_134_a_code_counts_once_as_the_second_factor() {
    let server = TestServer::with_settings(everything).await;
    let (user, nodes) = (user(&server).await, server.nodes().await);
    let kept = json!({"user_id": user["id"], "phone_number": KEPT, "verified": true, "reserved_for_second_factor": true});
    server.backend("POST", "/v1/phone_numbers", Some(kept)).await.expect(200);
    let (mut browser, at) = half_way(&server).await;
    browser.post(&format!("{at}/prepare_second_factor"), &[("strategy", "phone_code")]).await.expect(200);
    let code = server.code_for(KEPT).await;
    let fields = [("strategy", "phone_code"), ("code", code.as_str())];
    let (_, done) = race(nodes, &browser, &format!("{at}/attempt_second_factor"), &fields, &TOO_LATE).await;
    assert_eq!((&done.response()["status"], sessions(&server, &user).await), (&json!("complete"), 1));
}

#[tokio::test]
async fn fault_134_a_code_proves_a_device_once() {
    let server = TestServer::with_settings(|settings| {
        everything(settings);
        settings.attack_protection.client_trust = true;
    })
    .await;
    let (user, nodes) = (user(&server).await, server.nodes().await);
    for (n, (strategy, to)) in [("email_code", EMAIL), ("phone_code", NUMBER)].into_iter().enumerate() {
        let (mut browser, at) = half_way(&server).await;
        browser.post(&format!("{at}/prepare_second_factor"), &[("strategy", strategy)]).await.expect(200);
        let code = server.code_for(to).await;
        let fields = [("strategy", strategy), ("code", code.as_str())];
        let (_, done) = race(nodes, &browser, &format!("{at}/attempt_second_factor"), &fields, &TOO_LATE).await;
        assert_eq!((&done.response()["status"], sessions(&server, &user).await), (&json!("complete"), n + 1), "{strategy}");
    }
}

/// What is told of a reverification that was moved on at the same moment.
const PROVEN: [(u16, &str); 3] =
    [(400, "invalid_action_for_session_reverification"), (400, "verification_already_verified"), (400, "verification_failed")];

#[tokio::test]
async fn fault_134_a_proof_of_presence_counts_once() {
    let server = TestServer::with_settings(everything).await;
    user(&server).await;
    let nodes = server.nodes().await;
    let (mut ada, session) = signed_in(&server).await;
    let begun = ada.post("/v1/me/passkeys", &[]).await.response().clone();
    let mut key = Authenticator::default();
    let made = key.create(&begun["verification"]["nonce"]);
    let at = format!("/v1/me/passkeys/{}/attempt_verification", begun["id"].as_str().unwrap());
    ada.post(&at, &[("public_key_credential", &made)]).await.expect(200);
    let verify = format!("/v1/client/sessions/{session}/verify");
    for strategy in ["password", "email_code", "phone_code", "passkey"] {
        server.advance(Duration::from_secs(3600));
        ada.post(&verify, &[("level", "first_factor")]).await.expect(200);
        let mut asked = Value::Null;
        if strategy != "password" {
            asked = ada.post(&format!("{verify}/prepare_first_factor"), &[("strategy", strategy)]).await.response().clone();
        }
        let (name, proof) = match strategy {
            "password" => ("password", PASSWORD.to_owned()),
            "passkey" => ("public_key_credential", key.get(&asked["first_factor_verification"]["nonce"])),
            "phone_code" => ("code", server.code_for(NUMBER).await),
            _ => ("code", server.code_for(EMAIL).await),
        };
        let fields = [("strategy", strategy), (name, proof.as_str())];
        let (_, done) = race(nodes, &ada, &format!("{verify}/attempt_first_factor"), &fields, &PROVEN).await;
        assert_eq!(done.response()["status"], "complete", "{strategy}");
        assert_eq!(done.response()["session"]["factor_verification_age"][0], 0, "{strategy}");
    }
}

#[tokio::test]
async fn fault_134_a_second_proof_of_presence_counts_once() {
    let server = TestServer::with_settings(everything).await;
    let user = user(&server).await;
    let nodes = server.nodes().await;
    let (mut ada, session) = signed_in(&server).await;
    let app = app(ada.post("/v1/me/totp", &[]).await.response()["secret"].as_str().unwrap());
    let made = ada.post("/v1/me/totp/attempt_verification", &[("code", &code(&app, &server))]).await.response().clone();
    let kept = json!({"user_id": user["id"], "phone_number": KEPT, "verified": true, "reserved_for_second_factor": true});
    server.backend("POST", "/v1/phone_numbers", Some(kept)).await.expect(200);
    let verify = format!("/v1/client/sessions/{session}/verify");
    for strategy in ["totp", "backup_code", "phone_code"] {
        server.advance(Duration::from_secs(3600));
        let begun = ada.post(&verify, &[("level", "second_factor")]).await;
        assert_eq!(begun.response()["status"], "needs_second_factor");
        if strategy == "phone_code" {
            ada.post(&format!("{verify}/prepare_second_factor"), &[("strategy", strategy)]).await.expect(200);
        }
        let code = match strategy {
            "totp" => code(&app, &server),
            "backup_code" => made["backup_codes"][0].as_str().unwrap().to_owned(),
            _ => server.code_for(KEPT).await,
        };
        let told = [&PROVEN[..], &[(422, "form_code_incorrect")]].concat();
        let fields = [("strategy", strategy), ("code", code.as_str())];
        let (_, done) = race(nodes, &ada, &format!("{verify}/attempt_second_factor"), &fields, &told).await;
        assert_eq!(done.response()["session"]["factor_verification_age"][1], 0, "{strategy}");
    }
}

#[tokio::test]
async fn fault_134_an_authenticator_app_is_enrolled_once() {
    let server = TestServer::with_settings(everything).await;
    let user = user(&server).await;
    let (mut ada, _) = signed_in(&server).await;
    let app = app(ada.post("/v1/me/totp", &[]).await.response()["secret"].as_str().unwrap());
    let code = code(&app, &server);
    let told = [(400, "totp_already_enabled"), (400, "verification_failed"), (422, "form_code_incorrect")];
    let (_, done) = race(server.nodes().await, &ada, "/v1/me/totp/attempt_verification", &[("code", &code)], &told).await;
    // The codes that were shown are those that are kept.
    let at = format!("/v1/users/{}/verify_totp", user["id"].as_str().unwrap());
    for backup in done.response()["backup_codes"].as_array().unwrap() {
        server.backend("POST", &at, Some(json!({"code": backup}))).await.expect(200);
    }
}

#[tokio::test]
async fn fault_134_what_a_provider_said_is_carried_over_once() {
    // Who comes too late finds the account, or its address, to be somebody's; or who it is, to be signed in.
    let taken = [(400, "external_account_exists"), (422, "form_identifier_exists")];
    let signed_in = [(400, "account_transfer_invalid"), (400, "session_exists"), (400, "identifier_already_signed_in")];
    let told = [&TOO_LATE[..], &taken, &signed_in].concat();
    for single_session in [true, false] {
        let (server, provider) = acme_with(|it| it.session.single_session = single_session).await;
        let nodes = server.nodes().await;
        for (out, back) in [("sign_ins", "sign_ups"), ("sign_ups", "sign_ins")] {
            let mut browser = server.browser();
            visit(&mut browser, &provider, out, ACME).await;
            let (_, done) = race(nodes, &browser, &format!("/v1/client/{back}"), &[("transfer", "true")], &told).await;
            assert_eq!(done.response()["status"], "complete", "{back}");
        }
        assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 1);
        let user = server.backend("GET", "/v1/users", None).await.expect(200)[0].clone();
        assert_eq!((user["external_accounts"].as_array().unwrap().len(), sessions(&server, &user).await), (1, 2));
    }
}

#[tokio::test]
async fn fault_134_an_identifier_of_one_s_own_is_proven_once() {
    let server = TestServer::with_settings(everything).await;
    user(&server).await;
    let nodes = server.nodes().await;
    let (mut ada, _) = signed_in(&server).await;
    let wallets = [("web3_metamask_signature", Wallet::ethereum(7)), ("web3_solana_signature", Wallet::solana(7))];
    let mut all = vec![("phone_numbers", "phone_number", "phone_code", KEPT.to_owned(), None)];
    all.extend(wallets.map(|(strategy, wallet)| ("web3_wallets", "web3_wallet", strategy, wallet.address(), Some(wallet))));
    for (list, field, strategy, value, wallet) in all {
        let added = ada.post(&format!("/v1/me/{list}"), &[(field, &value)]).await;
        let at = format!("/v1/me/{list}/{}", added.response()["id"].as_str().unwrap());
        let asked = ada.post(&format!("{at}/prepare_verification"), &[("strategy", strategy)]).await;
        let proof = match wallet {
            Some(wallet) => ("signature", wallet.sign(asked.response()["verification"]["message"].as_str().unwrap())),
            None => ("code", server.code_for(&value).await),
        };
        let told = [(400, "verification_already_verified"), (400, "verification_failed")];
        let (_, done) = race(nodes, &ada, &format!("{at}/attempt_verification"), &[(proof.0, &proof.1)], &told).await;
        assert_eq!(done.response()["verification"]["status"], "verified", "{strategy}");
    }
}
