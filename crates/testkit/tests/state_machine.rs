//! Every edge that a sign-in and a sign-up do not have, for every strategy there is: each is answered with the documented error
//! and changes nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_core::settings::{Presence, Settings};
use doorward_core::sign_in::{first_factor_names, second_factor_names};
use doorward_testkit::social::known;
use doorward_testkit::{Answer, Authenticator, Browser, TestServer, Wallet};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const NUMBER: &str = "+12024560143";
const PASSWORD: &str = "correct horse";

fn everything(settings: &mut Settings) {
    let attributes = &mut settings.attributes;
    attributes.email_address = Presence::Optional;
    attributes.phone_number = Presence::Optional;
    attributes.web3_wallet = Presence::Optional;
    attributes.password = Presence::Optional;
    (attributes.email_link, attributes.passkey, attributes.phone_second_factor) = (true, true, true);
    // Wrong guesses are counted elsewhere; here are more of them than an account bears.
    settings.attack_protection.lockout = false;
}

/// Ada, who can sign in by everything, and what she holds.
struct Ada {
    server: TestServer,
    key: Authenticator,
}

fn wallet_for(strategy: &str) -> Wallet {
    if strategy == "web3_solana_signature" { Wallet::solana(7) } else { Wallet::ethereum(7) }
}

impl Ada {
    async fn new() -> Self {
        let server = TestServer::with_settings(everything).await;
        let body = json!({
            "email_address": [EMAIL], "phone_number": [NUMBER], "password": PASSWORD,
            "web3_wallet": [Wallet::ethereum(7).address(), Wallet::solana(7).address()],
        });
        server.backend("POST", "/v1/users", Some(body)).await.expect(200);
        let mut browser = server.browser();
        browser.sign_in(EMAIL, PASSWORD).await.expect(200);
        let begun = browser.post("/v1/me/passkeys", &[]).await.response().clone();
        let mut key = Authenticator::default();
        let made = key.create(&begun["verification"]["nonce"]);
        let at = format!("/v1/me/passkeys/{}/attempt_verification", begun["id"].as_str().unwrap());
        browser.post(&at, &[("public_key_credential", &made)]).await.expect(200);
        server.advance(Duration::from_secs(60));
        Self { server, key }
    }

    /// A sign-in that waits for its first factor, on a browser of its own.
    async fn begin(&self) -> (Browser, String) {
        let mut browser = self.server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
        let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
        (browser, at)
    }

    /// The same, with the strategy prepared where it has something to prepare.
    async fn prepared(&self, strategy: &str) -> (Browser, String, Value) {
        // Codes for one address and number are few within minutes.
        self.server.advance(Duration::from_secs(3 * 3600));
        let (mut browser, at) = self.begin().await;
        if strategy == "password" {
            return (browser, at, Value::Null);
        }
        let fields = [("strategy", strategy), ("redirect_url", "http://localhost:3000/done")];
        let asked = browser.post(&format!("{at}/prepare_first_factor"), &fields).await;
        assert_eq!(asked.response()["first_factor_verification"]["status"], "unverified", "{strategy}: {}", asked.text);
        let verification = asked.response()["first_factor_verification"].clone();
        (browser, at, verification)
    }

    /// What proves the strategy; something of the right form where nothing was prepared.
    async fn proof(&self, strategy: &str, asked: &Value) -> Vec<(&'static str, String)> {
        let code = async |to: &str| if asked.is_null() { "123456".to_owned() } else { self.server.code_for(to).await };
        let proof = match strategy {
            "password" => ("password", PASSWORD.to_owned()),
            "email_link" => ("code", "123456".to_owned()),
            "passkey" if asked.is_null() => ("public_key_credential", "{}".to_owned()),
            "passkey" => ("public_key_credential", self.key.clone().get(&asked["nonce"])),
            _ if strategy.starts_with("web3_") => ("signature", wallet_for(strategy).sign(asked["message"].as_str().unwrap_or("a text"))),
            _ if strategy.ends_with("email_code") => ("code", code(EMAIL).await),
            _ => ("code", code(NUMBER).await),
        };
        vec![("strategy", strategy.to_owned()), proof]
    }
}

async fn post(browser: &mut Browser, path: &str, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(path, &fields).await
}

/// Nothing is entered for a link: opening it is the proof, and `email_links.rs` tells of that.
fn entered() -> impl Iterator<Item = &'static str> {
    first_factor_names().filter(|name| *name != "email_link")
}

#[tokio::test]
async fn fault_038_nothing_of_the_second_factor_works_before_the_first() {
    let ada = Ada::new().await;
    let (mut browser, at) = ada.begin().await;
    for name in second_factor_names() {
        let fields = [("strategy", name), ("code", "123456")];
        browser.post(&format!("{at}/prepare_second_factor"), &fields).await.refused(400, "client_state_invalid", "");
        browser.post(&format!("{at}/attempt_second_factor"), &fields).await.refused(400, "client_state_invalid", "");
    }
    browser.post(&format!("{at}/reset_password"), &[("password", "staple battery")]).await.refused(400, "client_state_invalid", "");
    assert_eq!(browser.get(&at).await.response()["status"], "needs_first_factor");
}

#[tokio::test]
async fn fault_038_no_first_factor_is_attempted_before_it_is_prepared() {
    let ada = Ada::new().await;
    for name in first_factor_names().filter(|name| *name != "password") {
        let (mut browser, at) = ada.begin().await;
        let expected = if name == "email_link" { "verification_strategy_invalid" } else { "verification_missing" };
        let early = post(&mut browser, &format!("{at}/attempt_first_factor"), &ada.proof(name, &Value::Null).await).await;
        assert_eq!((early.status, early.code()), (400, expected), "{name}: {}", early.text);
        assert_eq!(browser.get(&at).await.response()["status"], "needs_first_factor", "{name}");
    }
}

#[tokio::test]
async fn fault_042_another_browser_and_an_attempt_from_before_reach_nothing() {
    let ada = Ada::new().await;
    for name in entered() {
        let (mut browser, at, asked) = ada.prepared(name).await;
        let proof = ada.proof(name, &asked).await;
        let attempt = format!("{at}/attempt_first_factor");
        let (mut stranger, _) = ada.begin().await;
        for path in [&attempt, &format!("{at}/prepare_first_factor")] {
            let answer = post(&mut stranger, path, &proof).await;
            assert_eq!((answer.status, answer.code()), (404, "resource_not_found"), "{name}: {}", answer.text);
        }
        // A new sign-in takes the place of the one before.
        browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await.expect(200);
        let old = post(&mut browser, &attempt, &proof).await;
        assert_eq!((old.status, old.code()), (403, "resource_forbidden"), "{name}: {}", old.text);
        assert_eq!(browser.session_id().await, None, "{name}");
    }
}

#[tokio::test]
async fn fault_036_what_was_prepared_expires_and_is_of_its_strategy_only() {
    let ada = Ada::new().await;
    for name in entered().filter(|name| *name != "password") {
        let (mut browser, at, asked) = ada.prepared(name).await;
        let attempt = format!("{at}/attempt_first_factor");
        for other in entered().filter(|other| *other != name && *other != "password") {
            let mixed = post(&mut browser, &attempt, &ada.proof(other, &Value::Null).await).await;
            let expected =
                if other == "passkey" { (422, "passkey_invalid_public_key_credential") } else { (400, "verification_strategy_invalid") };
            assert_eq!((mixed.status, mixed.code()), expected, "{name} by {other}: {}", mixed.text);
        }
        let proof = ada.proof(name, &asked).await;
        ada.server.advance(Duration::from_secs(601));
        let late = post(&mut browser, &attempt, &proof).await;
        assert_eq!((late.status, late.code()), (400, "verification_expired"), "{name}: {}", late.text);
        ada.server.advance(Duration::from_secs(24 * 3600));
        let given_up = post(&mut browser, &attempt, &proof).await;
        assert_eq!((given_up.status, given_up.code()), (404, "resource_not_found"), "{name}: {}", given_up.text);
    }
}

#[tokio::test]
async fn fault_134_a_proof_counts_once_when_repeated_and_when_sent_twice_at_once() {
    let ada = Ada::new().await;
    let [_, elsewhere] = ada.server.nodes().await;
    for name in entered() {
        let (mut browser, at, asked) = ada.prepared(name).await;
        let (attempt, proof) = (format!("{at}/attempt_first_factor"), ada.proof(name, &asked).await);
        let mut other = browser.clone().on_node(elsewhere);
        let (one, two) = tokio::join!(post(&mut browser, &attempt, &proof), post(&mut other, &attempt, &proof));
        let won = [&one, &two].into_iter().filter(|it| it.status == 200).count();
        assert_eq!(won, 1, "{name}: {} {}", one.text, two.text);
        let lost = if one.status == 200 { &two } else { &one };
        assert!(matches!(lost.status, 400 | 403 | 404), "{name}: {}", lost.text);
        let (mut winner, done) = if one.status == 200 { (browser, &one) } else { (other, &two) };
        let expected = if name.starts_with("reset_password") { "needs_new_password" } else { "complete" };
        assert_eq!(done.response()["status"], expected, "{name}");
        let again = post(&mut winner, &attempt, &proof).await;
        let stage = if expected == "complete" { (403, "resource_forbidden") } else { (400, "client_state_invalid") };
        assert_eq!((again.status, again.code()), stage, "{name}: {}", again.text);
    }
}

/// The field that a strategy proves at sign-up, and a value for it.
fn field_of(strategy: &str) -> Option<(&'static str, String)> {
    match strategy {
        "email_code" | "email_link" => Some(("email_address", "new@example.com".to_owned())),
        "phone_code" => Some(("phone_number", "+12024560178".to_owned())),
        _ if strategy.starts_with("web3_") => Some(("web3_wallet", new_wallet(strategy).address())),
        _ => None,
    }
}

fn new_wallet(strategy: &str) -> Wallet {
    if strategy == "web3_solana_signature" { Wallet::solana(8) } else { Wallet::ethereum(8) }
}

async fn sign_up(server: &TestServer, strategy: &str, value: &(&'static str, String)) -> (Browser, String) {
    server.advance(Duration::from_secs(3 * 3600));
    let mut browser = server.browser();
    let begun = post(&mut browser, "/v1/client/sign_ups", std::slice::from_ref(value)).await;
    assert_eq!(begun.response()["unverified_fields"], json!([value.0]), "{strategy}: {}", begun.text);
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    (browser, at)
}

async fn sign_up_proof(
    server: &TestServer,
    strategy: &str,
    value: &(&'static str, String),
    asked: Option<&Answer>,
) -> Vec<(&'static str, String)> {
    let proof = match asked {
        Some(asked) if strategy.starts_with("web3_") => {
            let text = asked.response()["verifications"]["web3_wallet"]["message"].as_str().unwrap();
            ("signature", new_wallet(strategy).sign(text))
        }
        Some(_) => ("code", server.code_for(&value.1).await),
        None if strategy.starts_with("web3_") => ("signature", new_wallet(strategy).sign("a text")),
        None => ("code", "123456".to_owned()),
    };
    vec![("strategy", strategy.to_owned()), proof]
}

#[tokio::test]
async fn fault_038_a_sign_up_has_no_other_edges_by_any_strategy() {
    for name in entered() {
        let Some(value) = field_of(name) else { continue };
        let server = TestServer::with_settings(everything).await;
        let (mut browser, at) = sign_up(&server, name, &value).await;
        let (attempt, prepare) = (format!("{at}/attempt_verification"), format!("{at}/prepare_verification"));
        let early = post(&mut browser, &attempt, &sign_up_proof(&server, name, &value, None).await).await;
        assert_eq!((early.status, early.code()), (400, "verification_missing"), "{name}: {}", early.text);

        let asked = browser.post(&prepare, &[("strategy", name)]).await;
        let proof = sign_up_proof(&server, name, &value, Some(&asked)).await;
        let mut stranger = server.browser();
        stranger.post("/v1/client", &[]).await.expect(200);
        let foreign = post(&mut stranger, &attempt, &proof).await;
        assert_eq!((foreign.status, foreign.code()), (404, "resource_not_found"), "{name}: {}", foreign.text);
        server.advance(Duration::from_secs(601));
        let late = post(&mut browser, &attempt, &proof).await;
        assert_eq!((late.status, late.code()), (400, "verification_expired"), "{name}: {}", late.text);

        let asked = browser.post(&prepare, &[("strategy", name)]).await;
        let proof = sign_up_proof(&server, name, &value, Some(&asked)).await;
        let [_, elsewhere] = server.nodes().await;
        let mut other = browser.clone().on_node(elsewhere);
        let (one, two) = tokio::join!(post(&mut browser, &attempt, &proof), post(&mut other, &attempt, &proof));
        assert_eq!([&one, &two].into_iter().filter(|it| it.status == 200).count(), 1, "{name}: {} {}", one.text, two.text);
        let mut winner = if one.status == 200 { browser } else { other };
        let again = post(&mut winner, &attempt, &proof).await;
        assert_eq!((again.status, again.code()), (403, "resource_forbidden"), "{name}: {}", again.text);
        let users = server.backend("GET", "/v1/users/count", None).await;
        assert_eq!(users.expect(200)["total_count"], 1, "{name}");

        // One that another took the place of.
        let fresh = TestServer::with_settings(everything).await;
        let (mut browser, at) = sign_up(&fresh, name, &value).await;
        browser.post("/v1/client/sign_ups", &[]).await.expect(200);
        let old = browser.post(&format!("{at}/prepare_verification"), &[("strategy", name)]).await;
        assert_eq!((old.status, old.code()), (403, "resource_forbidden"), "{name}: {}", old.text);
    }
}

#[tokio::test]
async fn fault_038_providers_and_tokens_have_no_other_edges() {
    let (server, provider) = known("google", "https://accounts.google.com", |_| {}).await;
    server.change_settings(everything).await;
    server.user(EMAIL, PASSWORD).await;
    let token = provider.id_token();
    for name in ["oauth_google", "google_one_tap", "oauth_token_google", "oauth_github", "oauth_token_apple"] {
        let fields = [("strategy", name), ("token", token.as_str()), ("code", "123456"), ("redirect_url", "/x")];
        let is_redirect = matches!(name, "oauth_google" | "oauth_github");
        let not_theirs = if is_redirect { (400, "strategy_for_user_invalid") } else { (422, "form_param_value_invalid") };
        let state = (400, "client_state_invalid");
        let at_sign_up = (400, "verification_strategy_invalid");
        // An account that is not connected is no factor; nothing of a provider is entered as a code, or comes second.
        let sign_in = |first: [(u16, &'static str); 2]| {
            let steps = ["prepare_first_factor", "attempt_first_factor", "prepare_second_factor", "attempt_second_factor"];
            steps.into_iter().zip(first.into_iter().chain([state, state])).collect::<Vec<_>>()
        };
        let email = [("email_address", "new@example.com")];
        let not_enabled = if name == "oauth_github" { (400, "oauth_provider_not_enabled") } else { at_sign_up };
        let sign_up = [("attempt_verification", at_sign_up), ("prepare_verification", not_enabled)];
        let sign_up = sign_up[..if name == "oauth_google" { 1 } else { 2 }].to_vec();
        for (what, begin, steps) in [
            ("sign_ins", vec![], sign_in([state, state])),
            ("sign_ins", vec![("identifier", EMAIL)], sign_in([not_theirs, (422, "form_param_value_invalid")])),
            ("sign_ups", email.to_vec(), sign_up),
        ] {
            let mut browser = server.browser();
            let begun = browser.post(&format!("/v1/client/{what}"), &begin).await.response().clone();
            let at = format!("/v1/client/{what}/{}", begun["id"].as_str().unwrap());
            for (step, (status, code)) in steps {
                let answer = browser.post(&format!("{at}/{step}"), &fields).await;
                assert_eq!((answer.status, answer.code()), (status, code), "{name} {what} {step}: {}", answer.text);
            }
            assert_eq!(browser.get(&at).await.response(), &begun, "{name} {what}");
        }
    }
    assert!(provider.calls().iter().all(|it| !it.path.starts_with("POST")), "nobody was asked for anything");
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 1);
}
