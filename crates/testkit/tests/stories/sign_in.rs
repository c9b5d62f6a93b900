//! Signing in, as people and their SDKs do it.

use doorward_store::Sql;
use doorward_testkit::TestServer;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn ada_signs_in_with_her_password_in_one_step() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();

    let nobody = ada.get("/v1/client").await;
    assert_eq!(nobody.expect(200), &json!({"response": null, "client": null}));
    assert!(nobody.set_cookies().is_empty(), "asking makes no client");

    ada.sign_in("ada@example.com", "wrong horse").await.refused(422, "form_password_incorrect", "password");
    let done = ada.sign_in("ada@example.com", "correct horse").await;
    let sign_in = done.response();
    assert_eq!(sign_in["status"], "complete");
    let session = &done.json["client"]["sessions"][0];
    assert_eq!(sign_in["created_session_id"], session["id"]);
    assert_eq!(done.json["client"]["last_active_session_id"], session["id"]);
    assert_eq!(session["user"]["id"], user.as_str());
    assert!(session["last_active_token"]["jwt"].as_str().unwrap().split('.').count() == 3);
    assert_eq!(done.json["client"]["sign_in"], Value::Null);

    let id = session["id"].as_str().unwrap();
    let touched =
        ada.post(&format!("/v1/client/sessions/{id}/touch"), &[("active_organization_id", ""), ("intent", "select_session")]).await;
    assert_eq!(touched.response()["status"], "active");
    assert_eq!(ada.get("/v1/me").await.response()["id"], user.as_str());
    assert_eq!(ada.mint(id).await.expect(200)["object"], "token");
}

#[tokio::test]
async fn the_cookies_are_as_the_protocol_says() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    let done = ada.sign_in("ada@example.com", "correct horse").await;
    let cookies = done.set_cookies();
    let of = |name: &str| cookies.iter().find(|c| c.starts_with(&format!("{name}="))).copied().unwrap_or_default();
    assert!(of("__client").contains("HttpOnly") && of("__client").contains("SameSite=Lax") && of("__client").contains("Path=/"));
    assert!(!of("__client").contains("Domain"));
    let uat = (doorward_testkit::START / 1000).to_string();
    assert!(of("__client_uat").starts_with(&format!("__client_uat={uat};")) && !of("__client_uat").contains("HttpOnly"));
    assert_eq!(cookies.iter().filter(|c| c.starts_with("__client_uat_")).count(), 1, "the suffixed name is set too: {cookies:?}");

    let out = ada.send("POST", "/v1/client/sessions?_method=DELETE", None).await;
    assert_eq!(out.response()["sessions"], json!([]));
    assert!(out.set_cookies().iter().any(|c| c.starts_with("__client_uat=0;")), "pitfall 5: {:?}", out.set_cookies());
}

#[tokio::test]
async fn ada_signs_in_with_a_code_from_her_mail() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    let started = ada.post("/v1/client/sign_ins", &[("identifier", "ADA@example.com")]).await;
    let sign_in = started.response().clone();
    assert_eq!(sign_in["status"], "needs_first_factor");
    let factor = sign_in["supported_first_factors"].as_array().unwrap().iter().find(|f| f["strategy"] == "email_code").unwrap().clone();
    assert_eq!(factor["safe_identifier"], "a**@example.com");
    let at = format!("/v1/client/sign_ins/{}", sign_in["id"].as_str().unwrap());

    ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", "123456")]).await.refused(
        400,
        "verification_missing",
        "",
    );
    let prepare = [("strategy", "email_code"), ("email_address_id", factor["email_address_id"].as_str().unwrap())];
    let prepared = ada.post(&format!("{at}/prepare_first_factor"), &prepare).await;
    assert_eq!(prepared.response()["first_factor_verification"]["status"], "unverified");
    ada.post(&format!("{at}/prepare_first_factor"), &prepare).await.expect(200);
    assert_eq!(server.outbox().await.len(), 1, "two clicks within a moment send one mail");

    ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", "000000")]).await.refused(
        422,
        "form_code_incorrect",
        "code",
    );
    let code = server.code_for("ada@example.com").await;
    let done = ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.response()["first_factor_verification"]["attempts"], 2);
    let again = ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", &code)]).await;
    again.refused(403, "resource_forbidden", "");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_everybody_else_is_out() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut stranger = server.browser();
    stranger.sign_in("ada@example.com", "correct horse").await.expect(200);
    let stolen = stranger.session_id().await.unwrap();

    let mut ada = server.browser();
    let started = ada.post("/v1/client/sign_ins", &[("strategy", "reset_password_email_code"), ("identifier", "ada@example.com")]).await;
    let at = format!("/v1/client/sign_ins/{}", started.response()["id"].as_str().unwrap());
    ada.post(&format!("{at}/reset_password"), &[("password", "brand new horse")]).await.refused(400, "client_state_invalid", "");
    let code = server.code_for("ada@example.com").await;
    let proven = ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "reset_password_email_code"), ("code", &code)]).await;
    assert_eq!(proven.response()["status"], "needs_new_password");
    ada.post(&format!("{at}/reset_password"), &[("password", "short")]).await.refused(422, "form_password_length_too_short", "password");
    let done = ada.post(&format!("{at}/reset_password"), &[("password", "brand new horse")]).await;
    assert_eq!(done.response()["status"], "complete");

    // fault 26: what was open with the old password is closed.
    assert_eq!(stranger.mint(&stolen).await.status, 404);
    stranger.cookies.clear();
    stranger.sign_in("ada@example.com", "correct horse").await.refused(422, "form_password_incorrect", "password");
}

#[tokio::test]
async fn an_unknown_identifier_is_named_and_an_empty_one_is_asked_for() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    browser.sign_in("nobody@example.com", "whatever it is").await.refused(422, "form_identifier_not_found", "identifier");
    // By this code the SDKs know that no wallet was found.
    browser.post("/v1/client/sign_ins", &[("identifier", "")]).await.refused(422, "form_param_nil", "identifier");
    assert_eq!(browser.post("/v1/client/sign_ins", &[]).await.response()["status"], "needs_identifier");
    browser.post("/v1/client/sign_ins", &[("password", "x")]).await.refused(422, "form_param_missing", "identifier");
    browser.post("/v1/client/sign_ins", &[("strategy", "carrier_pigeon"), ("identifier", "a@b.co")]).await.refused(
        422,
        "form_param_value_invalid",
        "strategy",
    );
}

#[tokio::test]
async fn one_person_at_a_time_on_a_single_session_client() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    ada.sign_in("ada@example.com", "correct horse").await.refused(400, "session_exists", "");
}

#[tokio::test]
async fn several_people_share_a_multi_session_client() {
    let server = TestServer::with_settings(|s| s.session.single_session = false).await;
    server.user("ada@example.com", "correct horse").await;
    server.user("bob@example.com", "correct horse").await;
    let mut both = server.browser();
    both.sign_in("ada@example.com", "correct horse").await.expect(200);
    let first = both.session_id().await.unwrap();
    let again = both.sign_in("ada@example.com", "correct horse").await;
    again.refused(400, "identifier_already_signed_in", "");
    assert_eq!(again.json["errors"][0]["meta"]["session_id"], first.as_str());
    let second = both.sign_in("bob@example.com", "correct horse").await;
    assert_eq!(second.json["client"]["sessions"].as_array().unwrap().len(), 2);
    let bob = both.session_id().await.unwrap();
    let left = both.post(&format!("/v1/client/sessions/{bob}/remove"), &[]).await;
    assert_eq!(left.json["client"]["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(left.json["client"]["last_active_session_id"], first.as_str());
    assert_eq!(both.mint(&first).await.status, 200);
    assert_eq!(both.mint(&bob).await.status, 404);
}

#[tokio::test]
async fn fault_022_the_token_from_before_the_sign_in_is_of_no_use_after_it() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.post("/v1/client/sign_ins", &[("identifier", "ada@example.com")]).await.expect(200);
    let mut fixed = ada.clone();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    assert_ne!(fixed.cookies["__client"], ada.cookies["__client"]);
    assert_eq!(fixed.get("/v1/client").await.response(), &Value::Null);
    assert_eq!(fixed.get("/v1/me").await.status, 401);
}

#[tokio::test]
async fn fault_034_a_new_attempt_does_not_reset_the_lock_counter() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 5).await;
    let user = server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    for _ in 0..5 {
        ada.cookies.clear();
        ada.sign_in("ada@example.com", "wrong").await.refused(422, "form_password_incorrect", "password");
    }
    let locked = ada.sign_in("ada@example.com", "correct horse").await;
    locked.refused(403, "user_locked", "");
    assert_eq!(locked.json["errors"][0]["meta"]["lockout_expires_in_seconds"], 3600);
    let seen = server.backend("GET", &format!("/v1/users/{user}"), None).await;
    assert_eq!((&seen.json["locked"], &seen.json["verification_attempts_remaining"]), (&json!(true), &json!(0)));
    server.advance(Duration::from_secs(3600));
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
}

#[tokio::test]
async fn fault_035_failures_do_not_prolong_a_lock_and_success_forgets_them() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    for _ in 0..2 {
        ada.sign_in("ada@example.com", "wrong").await.refused(422, "form_password_incorrect", "password");
    }
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    ada.cookies.clear();
    for _ in 0..3 {
        ada.sign_in("ada@example.com", "wrong").await.refused(422, "form_password_incorrect", "password");
    }
    server.advance(Duration::from_secs(3000));
    ada.sign_in("ada@example.com", "wrong").await.refused(403, "user_locked", "");
    server.advance(Duration::from_secs(601));
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
}

#[tokio::test]
async fn fault_036_an_expired_code_is_refused() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    let started = ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    let code = server.code_for("ada@example.com").await;
    server.advance(Duration::from_secs(601));
    ada.post(&at, &[("strategy", "email_code"), ("code", &code)]).await.refused(400, "verification_expired", "");
}

#[tokio::test]
async fn fault_042_a_code_works_for_its_own_attempt_only() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let (mut one, mut two) = (server.browser(), server.browser());
    let start = [("strategy", "email_code"), ("identifier", "ada@example.com")];
    let first = one.post("/v1/client/sign_ins", &start).await.response()["id"].as_str().unwrap().to_owned();
    let code = server.code_for("ada@example.com").await;
    server.advance(Duration::from_secs(5));
    let second = two.post("/v1/client/sign_ins", &start).await.response()["id"].as_str().unwrap().to_owned();
    let attempt = |id: &str| format!("/v1/client/sign_ins/{id}/attempt_first_factor");
    let fields = [("strategy", "email_code"), ("code", code.as_str())];
    two.post(&attempt(&second), &fields).await.refused(422, "form_code_incorrect", "code");
    assert_eq!(two.post(&attempt(&first), &fields).await.status, 404, "another client's attempt is not there");
    one.post(&attempt(&first), &fields).await.expect(200);
}

#[tokio::test]
async fn fault_051_all_identifiers_of_an_account_share_its_counter() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 4).await;
    let body = json!({"email_address": ["ada@example.com", "ada@work.example"], "username": "ada_l", "password": "correct horse"});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    let mut ada = server.browser();
    for identifier in ["ada@example.com", "ada@work.example", "ADA_L", "Ada@Example.com"] {
        ada.sign_in(identifier, "wrong").await.refused(422, "form_password_incorrect", "password");
    }
    ada.sign_in("ada_l", "correct horse").await.refused(403, "user_locked", "");
}

#[tokio::test]
async fn fault_054_with_enumeration_protection_a_stranger_learns_nothing() {
    let server = TestServer::with_settings(|s| s.attack_protection.enumeration_protection = true).await;
    server.user("ada@example.com", "correct horse").await;
    let mut shapes = Vec::new();
    for email in ["ada@example.com", "bob@example.com"] {
        let mut browser = server.browser();
        let started = browser.post("/v1/client/sign_ins", &[("identifier", email)]).await;
        let at = format!("/v1/client/sign_ins/{}", started.response()["id"].as_str().unwrap());
        let factors = started.response()["supported_first_factors"].clone();
        let email_id = factors.as_array().unwrap().iter().find_map(|f| f["email_address_id"].as_str()).unwrap().to_owned();
        let wrong = browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", "password"), ("password", "guess it")]).await;
        let prepared =
            browser.post(&format!("{at}/prepare_first_factor"), &[("strategy", "email_code"), ("email_address_id", &email_id)]).await;
        let code = browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", "000000")]).await;
        let direct = server.browser().sign_in(email, "guess it").await;
        let shape = |text: &str| {
            let masked = text.replace(email, "WHO").replace(&format!("{}**", &email[..1]), "W**");
            let value: Value = serde_json::from_str(&masked).unwrap();
            blank_ids(&value).to_string()
        };
        shapes.push([started.text, wrong.text, prepared.text, code.text, direct.text].map(|t| shape(&t)));
    }
    assert_eq!(shapes[0], shapes[1]);
}

/// The same value with everything random taken out.
fn blank_ids(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains('_') && text.len() > 20 => json!("ID"),
        Value::Array(items) => items.iter().map(blank_ids).collect(),
        Value::Object(fields) => fields.iter().filter(|(k, _)| *k != "clerk_trace_id").map(|(k, v)| (k.clone(), blank_ids(v))).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn fault_024_a_banned_user_is_out_at_once_and_stays_out() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    let session = ada.session_id().await.unwrap();
    server.backend("POST", &format!("/v1/users/{user}/ban"), None).await.expect(200);
    assert_eq!(ada.mint(&session).await.status, 404);
    assert_eq!(ada.get("/v1/me").await.status, 401);
    ada.cookies.clear();
    ada.sign_in("ada@example.com", "correct horse").await.refused(403, "user_banned", "");
    server.backend("POST", &format!("/v1/users/{user}/unban"), None).await.expect(200);
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
}

#[tokio::test]
async fn a_test_address_gets_no_mail_and_the_fixed_code_in_development_only() {
    let server = TestServer::start().await;
    server.user("ada+clerk_test@example.com", "correct horse").await;
    let mut ada = server.browser();
    let started = ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada+clerk_test@example.com")]).await;
    assert!(server.outbox().await.is_empty());
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    ada.post(&at, &[("strategy", "email_code"), ("code", "424242")]).await.expect(200);

    let options = doorward_testkit::Options { environment: doorward_core::keys::Environment::Production, ..Default::default() };
    let live = TestServer::with(options).await;
    live.user("ada+clerk_test@example.com", "correct horse").await;
    let mut ada = live.browser();
    let started = ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada+clerk_test@example.com")]).await;
    assert_eq!(live.outbox().await.len(), 1);
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    ada.post(&at, &[("strategy", "email_code"), ("code", "424242")]).await.refused(422, "form_code_incorrect", "code");
}

#[tokio::test]
async fn an_imported_hash_is_replaced_at_the_first_sign_in() {
    let server = TestServer::start().await;
    let digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    let body = json!({"email_address": ["ada@example.com"], "password_hasher": "sha256", "password_digest": digest});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    server.browser().sign_in("ada@example.com", "password").await.expect(200);
    let row = server.app.db.opt(doorward_store::Sql::new("SELECT password_hash FROM users")).await.unwrap().unwrap();
    assert!(row.text("password_hash").unwrap().starts_with("$argon2id$"));
    server.browser().sign_in("ada@example.com", "password").await.expect(200);
}

#[tokio::test]
async fn fault_130_a_rehash_that_fails_costs_nobody_the_sign_in() {
    let server = TestServer::start().await;
    let db = &server.app.db;
    let digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
    let body = json!({"email_address": ["ada@example.com"], "password_hasher": "sha256", "password_digest": digest});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    server.user("bob@example.com", "correct horse").await;
    // Bob has a hash of our kind, and the database takes no second one: replacing Ada's fails, all else works.
    db.exec(Sql::new("CREATE UNIQUE INDEX one_of_a_kind ON users (substr(password_hash, 1, 9))")).await.unwrap();
    let hash = async || {
        let rows = db.all(Sql::new("SELECT password_hash FROM users ORDER BY created_at, id")).await.unwrap();
        let all: Vec<String> = rows.iter().map(|row| row.text("password_hash").unwrap()).collect();
        all.iter().filter(|hash| !hash.starts_with("$argon2id$")).cloned().collect::<Vec<_>>()
    };
    let old = hash().await;
    assert_eq!(old.len(), 1);
    for _ in 0..2 {
        let mut ada = server.browser();
        assert_eq!(ada.sign_in("ada@example.com", "password").await.response()["status"], "complete");
        ada.get("/v1/me").await.expect(200);
        assert_eq!(hash().await, old, "the old hash stays");
        server.browser().sign_in("ada@example.com", "passwort").await.refused(422, "form_password_incorrect", "password");
    }
    db.exec(Sql::new("DROP INDEX one_of_a_kind")).await.unwrap();
    server.browser().sign_in("ada@example.com", "password").await.expect(200);
    assert_eq!(hash().await, Vec::<String>::new(), "the next sign-in replaces it");
    server.browser().sign_in("ada@example.com", "password").await.expect(200);
}

#[tokio::test]
async fn a_code_goes_to_the_address_that_was_named_and_not_to_another_one_of_theirs() {
    let server = TestServer::start().await;
    let addresses = ["first@example.com", "second@example.com", "third@example.com"];
    server.backend("POST", "/v1/users", Some(json!({"email_address": addresses, "password": "correct horse"}))).await.expect(200);
    for named in addresses {
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", named)]).await;
        let offered = begun.response()["supported_first_factors"].as_array().unwrap().clone();
        let codes: Vec<_> = offered.iter().filter(|it| it["strategy"] == "email_code").collect();
        let masked = format!("{}**@example.com", &named[..1]);
        assert_eq!((codes.len(), codes[0]["safe_identifier"].as_str()), (3, Some(masked.as_str())), "the SDKs take the first");
        assert_eq!(codes[0]["primary"], named == addresses[0]);
        for strategy in ["email_code", "reset_password_email_code"] {
            let mut another = server.browser();
            another.post("/v1/client/sign_ins", &[("identifier", named), ("strategy", strategy)]).await.expect(200);
        }
        assert_eq!(server.outbox().await.iter().filter(|mail| mail.to == named).count(), 2, "{named}");
    }
}
