//! Every edge that a sign-in and a sign-up do not have, for every strategy there is: each is answered with the documented error
//! and changes nothing.

use super::authenticator_app;
use doorward_core::settings::{Presence, Settings};
use doorward_core::sign_in::{first_factor_names, second_factor_names};
use doorward_store::Sql;
use doorward_testkit::social::known;
use doorward_testkit::{Answer, Authenticator, Browser, TOO_LATE, TestServer, Wallet, race};
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
async fn fault_134_a_proof_counts_once_when_repeated_and_when_sent_a_hundred_times_at_once() {
    let ada = Ada::new().await;
    let nodes = ada.server.nodes().await;
    for name in entered() {
        let (browser, at, asked) = ada.prepared(name).await;
        let (attempt, proof) = (format!("{at}/attempt_first_factor"), ada.proof(name, &asked).await);
        let fields: Vec<(&str, &str)> = proof.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (mut winner, done) = race(nodes, &browser, &attempt, &fields, &TOO_LATE).await;
        let expected = if name.starts_with("reset_password") { "needs_new_password" } else { "complete" };
        assert_eq!(done.response()["status"], expected, "{name}");
        let again = post(&mut winner, &attempt, &proof).await;
        let stage = if expected == "complete" { (403, "resource_forbidden") } else { (400, "client_state_invalid") };
        assert_eq!((again.status, again.code()), stage, "{name}: {}", again.text);
    }
}

const KEPT: &str = "+12024560111";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

impl Ada {
    /// The same with all second factors.
    async fn careful() -> Self {
        let ada = Self::new().await;
        let user = ada.server.backend("GET", &format!("/v1/users?email_address={EMAIL}"), None).await.expect(200)[0]["id"].clone();
        let kept = json!({"user_id": user, "phone_number": KEPT, "verified": true, "reserved_for_second_factor": true});
        ada.server.backend("POST", "/v1/phone_numbers", Some(kept)).await.expect(200);
        let factors = json!({"totp_secret": SECRET, "backup_codes": ["plain-code-1", "plain-code-2"]});
        ada.server.backend("PATCH", &format!("/v1/users/{}", user.as_str().unwrap()), Some(factors)).await.expect(200);
        ada
    }

    /// A sign-in that waits for its second factor.
    async fn half_way(&self) -> (Browser, String) {
        // Codes for one address and number are few within minutes.
        self.server.advance(Duration::from_secs(3 * 3600));
        let mut browser = self.server.browser();
        let half = browser.sign_in(EMAIL, PASSWORD).await;
        (browser, format!("/v1/client/sign_ins/{}", half.response()["id"].as_str().unwrap()))
    }

    /// A sign-in that waits for the new password.
    async fn without_password(&self) -> (Browser, String) {
        let (mut browser, at, asked) = self.prepared("reset_password_email_code").await;
        let proof = self.proof("reset_password_email_code", &asked).await;
        let proven = post(&mut browser, &format!("{at}/attempt_first_factor"), &proof).await;
        assert_eq!(proven.response()["status"], "needs_new_password");
        (browser, at)
    }
}

/// Every step of a sign-in but the new password, by every strategy.
fn steps() -> Vec<(&'static str, &'static str)> {
    let firsts = first_factor_names().flat_map(|name| [("prepare_first_factor", name), ("attempt_first_factor", name)]);
    firsts.chain(second_factor_names().flat_map(|name| [("prepare_second_factor", name), ("attempt_second_factor", name)])).collect()
}

/// Whatever a step may ask for.
fn anything(strategy: &str) -> [(&'static str, String); 5] {
    let (code, password) = ("123456".to_owned(), PASSWORD.to_owned());
    [
        ("strategy", strategy.to_owned()),
        ("code", code),
        ("password", password),
        ("signature", wallet_for(strategy).sign("a text")),
        ("public_key_credential", "{}".to_owned()),
    ]
}

#[tokio::test]
async fn fault_036_and_042_a_code_of_the_second_factor_is_of_its_sign_in_and_its_time() {
    let device = Ada::new().await;
    device.server.change_settings(|settings| settings.attack_protection.client_trust = true).await;
    let careful = Ada::careful().await;
    for (ada, name, to) in [(&careful, "phone_code", KEPT), (&device, "email_code", EMAIL), (&device, "phone_code", NUMBER)] {
        let (mut browser, at) = ada.half_way().await;
        let (prepare, attempt) = (format!("{at}/prepare_second_factor"), format!("{at}/attempt_second_factor"));
        let early = browser.post(&attempt, &[("strategy", name), ("code", "123456")]).await;
        early.refused(400, "verification_missing", "");
        let (mut stranger, other) = ada.half_way().await;
        browser.post(&prepare, &[("strategy", name)]).await.expect(200);
        let code = ada.server.code_for(to).await;
        let fields = [("strategy", name), ("code", code.as_str())];
        for path in [&prepare, &attempt] {
            stranger.post(path, &fields).await.refused(404, "resource_not_found", "");
        }
        // One that was sent to somebody else's sign-in is none here.
        ada.server.advance(Duration::from_secs(5));
        stranger.post(&format!("{other}/prepare_second_factor"), &[("strategy", name)]).await.expect(200);
        stranger.post(&format!("{other}/attempt_second_factor"), &fields).await.refused(422, "form_code_incorrect", "code");
        ada.server.advance(Duration::from_secs(600));
        browser.post(&attempt, &fields).await.refused(400, "verification_expired", "");
        assert!(browser.get(&at).await.response()["created_session_id"].is_null(), "{name}");

        // A new sign-in takes the place of the one before.
        ada.server.advance(Duration::from_secs(600));
        browser.post(&prepare, &[("strategy", name)]).await.expect(200);
        let code = ada.server.code_for(to).await;
        browser.sign_in(EMAIL, PASSWORD).await.expect(200);
        browser.post(&attempt, &[("strategy", name), ("code", &code)]).await.refused(403, "resource_forbidden", "");
        assert_eq!(browser.session_id().await, None, "{name}");
    }
}

#[tokio::test]
async fn fault_038_who_has_to_choose_a_new_password_can_do_nothing_else() {
    for ada in [Ada::new().await, Ada::careful().await] {
        let (mut browser, at) = ada.without_password().await;
        for (step, name) in steps() {
            let refused = post(&mut browser, &format!("{at}/{step}"), &anything(name)).await;
            assert_eq!((refused.status, refused.code()), (400, "client_state_invalid"), "{step} {name}: {}", refused.text);
            assert_eq!(browser.get(&at).await.response()["status"], "needs_new_password", "{step} {name}");
        }
        let (reset, new) = (format!("{at}/reset_password"), [("password", "a brand new horse")]);
        let (mut stranger, _) = ada.begin().await;
        stranger.post(&reset, &new).await.refused(404, "resource_not_found", "");
        ada.server.advance(Duration::from_secs(24 * 3600));
        browser.post(&reset, &new).await.refused(404, "resource_not_found", "");

        let (mut browser, at) = ada.without_password().await;
        browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await.expect(200);
        browser.post(&format!("{at}/reset_password"), &new).await.refused(403, "resource_forbidden", "");
        ada.server.browser().sign_in(EMAIL, PASSWORD).await.expect(200);
    }
}

#[tokio::test]
async fn fault_038_a_complete_sign_in_goes_nowhere() {
    for ada in [Ada::new().await, Ada::careful().await] {
        let (mut browser, at) = ada.half_way().await;
        if browser.get(&at).await.response()["status"] != "complete" {
            let fields = [("strategy", "backup_code"), ("code", "plain-code-1")];
            browser.post(&format!("{at}/attempt_second_factor"), &fields).await.expect(200);
        }
        let done = browser.get(&at).await.response().clone();
        assert_eq!(done["status"], "complete");
        for (step, name) in steps().into_iter().chain([("reset_password", "password")]) {
            let refused = post(&mut browser, &format!("{at}/{step}"), &anything(name)).await;
            assert_eq!((refused.status, refused.code()), (403, "resource_forbidden"), "{step} {name}: {}", refused.text);
        }
        assert_eq!(browser.get(&at).await.response(), &done);
        assert_eq!(browser.get("/v1/client").await.response()["sessions"].as_array().unwrap().len(), 1);
        ada.server.browser().sign_in(EMAIL, PASSWORD).await.expect(200);
    }
}

/// The tables that say who somebody is and whether they may come in.
const ASKED: [&str; 9] =
    ["access_identifiers", "clients", "email_addresses", "passkeys", "phone_numbers", "sessions", "sign_ins", "users", "web3_wallets"];

/// Sends a proof while a table is gone. Answers whether that was noticed; then nothing may have come of it.
async fn without(server: &TestServer, table: &str, browser: &mut Browser, path: &str, proof: &[(&'static str, String)]) -> bool {
    server.app.db.exec(Sql::new(format!("ALTER TABLE {table} RENAME TO gone_{table}"))).await.unwrap();
    let answer = post(browser, path, proof).await;
    server.app.db.exec(Sql::new(format!("ALTER TABLE gone_{table} RENAME TO {table}"))).await.unwrap();
    if answer.status == 200 {
        return false;
    }
    assert!((answer.status, answer.code()) == (500, "internal_clerk_error"), "{table} {path}: {} {}", answer.status, answer.text);
    assert!(!answer.text.contains(table) && !answer.text.to_lowercase().contains("sql"), "what failed is for the log: {}", answer.text);
    assert!(
        answer.set_cookies().iter().all(|it| it.starts_with("__client_uat=0") || it.starts_with("__client_uat_")),
        "{:?}",
        answer.set_cookies()
    );
    assert_eq!(browser.session_id().await, None, "{table} {path}");
    true
}

#[tokio::test]
async fn fault_039_no_strategy_opens_anything_while_a_table_that_it_asks_is_gone() {
    let ada = Ada::new().await;
    ada.server.change_settings(|settings| settings.restrictions.blocklist = true).await;
    for name in entered() {
        let resets = name.starts_with("reset_password");
        // Whoever has to choose a new password is not in yet.
        let asked = ASKED.into_iter().filter(|table| !resets || !matches!(*table, "access_identifiers" | "sessions"));
        for table in asked.chain((name != "password").then_some("verifications")) {
            let (mut browser, at, asked) = ada.prepared(name).await;
            let proof = ada.proof(name, &asked).await;
            let attempt = format!("{at}/attempt_first_factor");
            assert!(without(&ada.server, table, &mut browser, &attempt, &proof).await, "{name} without {table}");
        }
    }
}

#[tokio::test]
async fn fault_039_no_second_factor_opens_anything_while_a_table_that_it_asks_is_gone() {
    let ada = Ada::careful().await;
    ada.server.change_settings(|settings| settings.restrictions.blocklist = true).await;
    let app = authenticator_app::app(SECRET);
    for (name, own) in [("totp", "totps"), ("backup_code", "backup_codes"), ("phone_code", "verifications")] {
        for table in ASKED.into_iter().chain([own]) {
            let (mut browser, at) = ada.half_way().await;
            if name == "phone_code" {
                browser.post(&format!("{at}/prepare_second_factor"), &[("strategy", name)]).await.expect(200);
            }
            let code = match name {
                "totp" => authenticator_app::code(&app, &ada.server),
                "backup_code" => "plain-code-1".to_owned(),
                _ => ada.server.code_for(KEPT).await,
            };
            let proof = [("strategy", name.to_owned()), ("code", code)];
            let attempt = format!("{at}/attempt_second_factor");
            assert!(without(&ada.server, table, &mut browser, &attempt, &proof).await, "{name} without {table}");
        }
    }
}

/// The first factors that prove presence.
const PRESENCE: [&str; 4] = ["password", "email_code", "phone_code", "passkey"];

#[tokio::test]
async fn fault_038_a_reverification_has_no_other_edges() {
    let ada = Ada::careful().await;
    let (mut browser, at) = ada.half_way().await;
    let fields = [("strategy", "backup_code"), ("code", "plain-code-1")];
    let done = browser.post(&format!("{at}/attempt_second_factor"), &fields).await;
    let verify = format!("/v1/client/sessions/{}/verify", done.response()["created_session_id"].as_str().unwrap());
    let (first, second) = (PRESENCE.as_slice(), second_factor_names().collect::<Vec<_>>());
    let steps = |kind: &str| ["prepare", "attempt"].map(|what| format!("{verify}/{what}_{kind}_factor"));
    let all = |browser: Browser, kind: &'static str, names: Vec<&'static str>, status: u16, code: &'static str| {
        let paths = steps(kind);
        async move {
            for path in paths {
                for name in &names {
                    let answer = post(&mut browser.clone(), &path, &anything(name)).await;
                    assert_eq!((answer.status, answer.code()), (status, code), "{path} {name}: {}", answer.text);
                }
            }
        }
    };
    for (kind, names) in [("first", first.to_vec()), ("second", second.clone())] {
        all(browser.clone(), kind, names, 400, "session_reverification_missing").await;
    }
    browser.post(&verify, &[("level", "first_factor")]).await.expect(200);
    all(browser.clone(), "second", second.clone(), 400, "invalid_action_for_session_reverification").await;
    for name in first.iter().filter(|name| **name != "password") {
        let answer = post(&mut browser, &steps("first")[1], &ada.proof(name, &Value::Null).await).await;
        assert_eq!((answer.status, answer.code()), (400, "verification_missing"), "{name}: {}", answer.text);
    }
    // What cannot be sent to anybody, and what proves no presence.
    for name in ["email_link", "reset_password_email_code", "web3_solana_signature", "oauth_google", "totp"] {
        let answer = post(&mut browser, &steps("first")[0], &anything(name)).await;
        assert_eq!((answer.status, answer.code()), (422, "form_param_value_invalid"), "{name}: {}", answer.text);
    }
    browser.post(&verify, &[("level", "second_factor")]).await.expect(200);
    all(browser.clone(), "first", first.to_vec(), 400, "invalid_action_for_session_reverification").await;
    let early = [("strategy", "phone_code"), ("code", "123456")];
    browser.post(&steps("second")[1], &early).await.refused(400, "verification_missing", "");
    for name in ["totp", "backup_code"] {
        browser.post(&steps("second")[0], &[("strategy", name)]).await.refused(400, "verification_strategy_invalid", "strategy");
    }
    browser.post(&steps("second")[0], &[("strategy", "email_code")]).await.refused(422, "form_param_value_invalid", "strategy");

    // Another's session, signed in or not.
    let mut eve = ada.server.browser();
    ada.server.user("eve@example.com", PASSWORD).await;
    all(eve.clone(), "second", second.clone(), 401, "authentication_invalid").await;
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    eve.post(&verify, &[("level", "first_factor")]).await.refused(404, "resource_not_found", "");
    all(eve.clone(), "first", first.to_vec(), 404, "resource_not_found").await;
    all(eve, "second", second, 404, "resource_not_found").await;
}

#[tokio::test]
async fn fault_036_and_042_a_proof_of_presence_is_of_its_reverification_and_its_time() {
    let ada = Ada::careful().await;
    let (mut browser, at) = ada.half_way().await;
    let fields = [("strategy", "backup_code"), ("code", "plain-code-1")];
    let done = browser.post(&format!("{at}/attempt_second_factor"), &fields).await;
    let session = done.response()["created_session_id"].as_str().unwrap().to_owned();
    let verify = format!("/v1/client/sessions/{session}/verify");
    for (kind, name, to) in
        [("first", "email_code", EMAIL), ("first", "phone_code", NUMBER), ("first", "passkey", ""), ("second", "phone_code", KEPT)]
    {
        let (prepare, attempt) = (format!("{verify}/prepare_{kind}_factor"), format!("{verify}/attempt_{kind}_factor"));
        let level = format!("{kind}_factor");
        let ask = async |browser: &mut Browser| {
            ada.server.advance(Duration::from_secs(3600));
            browser.post(&verify, &[("level", &level)]).await.expect(200);
            let asked = browser.post(&prepare, &[("strategy", name)]).await;
            let asked = asked.response()[format!("{kind}_factor_verification")].clone();
            let code = if to.is_empty() { ada.proof(name, &asked).await.remove(1).1 } else { ada.server.code_for(to).await };
            vec![("strategy", name.to_owned()), (if to.is_empty() { "public_key_credential" } else { "code" }, code)]
        };
        let late = ask(&mut browser).await;
        ada.server.advance(Duration::from_secs(600));
        post(&mut browser, &attempt, &late).await.refused(400, "session_reverification_missing", "");
        // Begun anew, nothing is prepared; and what was sent before is not what is sent then.
        browser.post(&verify, &[("level", &level)]).await.expect(200);
        post(&mut browser, &attempt, &late).await.refused(400, "verification_missing", "");
        let old = ask(&mut browser).await;
        browser.post(&verify, &[("level", &level)]).await.expect(200);
        post(&mut browser, &attempt, &old).await.refused(400, "verification_missing", "");
        ada.server.advance(Duration::from_secs(5));
        browser.post(&prepare, &[("strategy", name)]).await.expect(200);
        let refused = post(&mut browser, &attempt, &old).await;
        let expected = if to.is_empty() { (400, "passkey_authentication_failure") } else { (422, "form_code_incorrect") };
        assert_eq!((refused.status, refused.code()), expected, "{name}: {}", refused.text);
        let age = browser.get(&format!("/v1/client/sessions/{session}")).await.response()["factor_verification_age"].clone();
        assert!(age[0].as_i64().unwrap() > 0 && age[1].as_i64().unwrap() > 0, "{name}: {age}");
    }
}

#[tokio::test]
async fn fault_036_and_042_what_proves_an_identifier_of_one_s_own_is_of_it_and_of_its_time() {
    let ada = Ada::new().await;
    let (mut browser, at) = ada.half_way().await;
    assert_eq!(browser.get(&at).await.response()["status"], "complete");
    ada.server.user("eve@example.com", PASSWORD).await;
    let mut eve = ada.server.browser();
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    for (list, field, strategy, values) in [
        ("email_addresses", "email_address", "email_code", ["new@example.com".to_owned(), "newer@example.com".to_owned()]),
        ("phone_numbers", "phone_number", "phone_code", ["+12024560178".to_owned(), "+12024560179".to_owned()]),
        ("web3_wallets", "web3_wallet", "web3_metamask_signature", [8, 9].map(|n| Wallet::ethereum(n).address())),
        ("web3_wallets", "web3_wallet", "web3_solana_signature", [8, 9].map(|n| Wallet::solana(n).address())),
    ] {
        let mut added = Vec::new();
        for value in &values {
            let made = browser.post(&format!("/v1/me/{list}"), &[(field, value)]).await;
            added.push(format!("/v1/me/{list}/{}", made.response()["id"].as_str().unwrap()));
        }
        let [(prepare, attempt), (other_prepare, other_attempt)] =
            [0, 1].map(|n: usize| (format!("{}/prepare_verification", added[n]), format!("{}/attempt_verification", added[n])));
        let proof = async |asked: Option<&Answer>| match asked {
            Some(asked) if list == "web3_wallets" => {
                let text = asked.response()["verification"]["message"].as_str().unwrap();
                [("signature", new_wallet(strategy).sign(text))]
            }
            None if list == "web3_wallets" => [("signature", new_wallet(strategy).sign("a text"))],
            Some(_) => [("code", ada.server.code_for(&values[0]).await)],
            None => [("code", "123456".to_owned())],
        };
        let early = post(&mut browser, &attempt, &proof(None).await).await;
        assert_eq!((early.status, early.code()), (400, "verification_missing"), "{strategy}: {}", early.text);
        let asked = browser.post(&prepare, &[("strategy", strategy)]).await;
        let right = proof(Some(&asked)).await;
        for (who, status, code) in [(&mut eve, 404, "resource_not_found"), (&mut ada.server.browser(), 401, "authentication_invalid")] {
            for path in [&prepare, &attempt] {
                let refused = post(who, path, &[&[("strategy", strategy.to_owned())], &right[..]].concat()).await;
                assert_eq!((refused.status, refused.code()), (status, code), "{strategy} {path}: {}", refused.text);
            }
        }
        // What proves the one is no proof of the other.
        browser.post(&other_prepare, &[("strategy", strategy)]).await.expect(200);
        let mixed = post(&mut browser, &other_attempt, &right).await;
        let wrong = if list == "web3_wallets" { "form_incorrect_signature" } else { "form_code_incorrect" };
        assert_eq!((mixed.status, mixed.code()), (422, wrong), "{strategy}: {}", mixed.text);
        ada.server.advance(Duration::from_secs(601));
        let late = post(&mut browser, &attempt, &right).await;
        assert_eq!((late.status, late.code()), (400, "verification_expired"), "{strategy}: {}", late.text);
        let shown = browser.get(&added[0]).await;
        assert_eq!(shown.response()["verification"]["status"], "expired", "{strategy}");
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
        let fields: Vec<(&str, &str)> = proof.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (mut winner, _) = race(server.nodes().await, &browser, &attempt, &fields, &TOO_LATE).await;
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
