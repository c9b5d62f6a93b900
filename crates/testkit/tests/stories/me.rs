//! The signed-in user's own account: profile, metadata, addresses, and the end of it.

use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const NEW: &str = "countess@example.com";
const PASSWORD: &str = "correct horse";

async fn ada(server: &TestServer) -> Browser {
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    ada
}

async fn patch(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    browser.post(&format!("{path}?_method=PATCH"), fields).await
}

async fn delete(browser: &mut Browser, path: &str) -> Answer {
    browser.post(&format!("{path}?_method=DELETE"), &[]).await
}

/// Adds an address and has a code sent to it.
async fn waiting(browser: &mut Browser, address: &str) -> String {
    let made = browser.post("/v1/me/email_addresses/", &[("email_address", address)]).await;
    let id = made.response()["id"].as_str().unwrap().to_owned();
    browser.post(&format!("/v1/me/email_addresses/{id}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    id
}

async fn prove(browser: &mut Browser, id: &str, code: &str) -> Answer {
    browser.post(&format!("/v1/me/email_addresses/{id}/attempt_verification"), &[("code", code)]).await
}

#[tokio::test]
async fn people_change_what_is_theirs_and_nothing_else() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let fields = [("first_name", "Augusta"), ("username", "countess"), ("unsafe_metadata", r#"{"theme":"dark","a":{"b":1}}"#)];
    // Metadata is changed here by older SDKs only.
    let newest = ada.api_version.replace("2025-11-10".to_owned());
    let changed = patch(&mut ada, "/v1/me", &fields).await;
    ada.api_version = newest;
    let me = changed.response();
    assert_eq!((me["first_name"].as_str(), me["username"].as_str()), (Some("Augusta"), Some("countess")));
    assert_eq!(me["unsafe_metadata"], json!({"theme": "dark", "a": {"b": 1}}));
    assert_eq!(changed.json["client"]["sessions"][0]["user"]["first_name"], "Augusta", "the client that comes along says it too");

    let merged = patch(&mut ada, "/v1/me/metadata", &[("unsafe_metadata", r#"{"theme":null,"a":{"c":2}}"#)]).await;
    assert_eq!(merged.response()["unsafe_metadata"], json!({"a": {"b": 1, "c": 2}}));
    assert_eq!(patch(&mut ada, "/v1/me", &[("first_name", "")]).await.response()["first_name"], Value::Null);

    let forbidden = [("public_metadata", r#"{"admin":true}"#), ("private_metadata", "{}"), ("banned", "false"), ("external_id", "1")];
    patch(&mut ada, "/v1/me", &forbidden).await;
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!((&me["public_metadata"], &me["external_id"]), (&json!({}), &Value::Null), "what is the server's stays the server's");

    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    patch(&mut bob, "/v1/me", &[("username", "Countess")]).await.refused(422, "form_identifier_exists", "username");
    let large = format!(r#"{{"x":"{}"}}"#, "y".repeat(9000));
    patch(&mut bob, "/v1/me/metadata", &[("unsafe_metadata", &large)]).await.refused(
        422,
        "form_param_exceeds_allowed_size",
        "unsafe_metadata",
    );
    server.browser().sign_in("countess", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn fault_027_what_was_sent_to_an_address_is_dead_once_the_address_is_gone() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let id = waiting(&mut ada, NEW).await;
    let code = server.code_for(NEW).await;
    delete(&mut ada, &format!("/v1/me/email_addresses/{id}")).await.expect(200);
    prove(&mut ada, &id, &code).await.refused(404, "resource_not_found", "");
    server.advance(Duration::from_secs(60));
    let again = waiting(&mut ada, NEW).await;
    assert_ne!(code, server.code_for(NEW).await, "so that it can be told from the new one");
    prove(&mut ada, &again, &code).await.refused(422, "form_code_incorrect", "code");
    let code = server.code_for(NEW).await;
    prove(&mut ada, &again, &code).await.expect(200);

    // Whoever reads the mail of an address that is no longer Ada's.
    for strategy in ["email_code", "reset_password_email_code"] {
        server.advance(Duration::from_secs(601));
        let mut mallory = server.browser();
        let fields = [("identifier", NEW), ("strategy", strategy)];
        let sign_in = mallory.post("/v1/client/sign_ins", &fields).await.response()["id"].as_str().unwrap().to_owned();
        let code = server.code_for(NEW).await;
        let me = ada.get("/v1/me").await.response().clone();
        let id = me["email_addresses"].as_array().unwrap().iter().find(|it| it["email_address"] == NEW).unwrap()["id"].clone();
        delete(&mut ada, &format!("/v1/me/email_addresses/{}", id.as_str().unwrap())).await.expect(200);
        let at = format!("/v1/client/sign_ins/{sign_in}/attempt_first_factor");
        let late = mallory.post(&at, &[("strategy", strategy), ("code", &code)]).await;
        late.refused(422, "form_code_incorrect", "code");
        assert_eq!(mallory.get("/v1/client").await.response()["sessions"], json!([]), "{strategy}");
        server.advance(Duration::from_secs(1));
        let id = waiting(&mut ada, NEW).await;
        let code = server.code_for(NEW).await;
        prove(&mut ada, &id, &code).await.expect(200);
    }
}

#[tokio::test]
async fn an_address_is_added_proven_and_made_the_primary_one() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let old = ada.get("/v1/me").await.response()["primary_email_address_id"].as_str().unwrap().to_owned();
    let id = waiting(&mut ada, NEW).await;
    let shown = ada.get(&format!("/v1/me/email_addresses/{id}")).await.response().clone();
    assert_eq!((shown["reserved"].as_bool(), shown["verification"]["status"].as_str()), (Some(false), Some("unverified")));
    patch(&mut ada, "/v1/me", &[("primary_email_address_id", &id)]).await.refused(
        422,
        "form_param_value_invalid",
        "primary_email_address_id",
    );
    server.browser().post("/v1/client/sign_ins", &[("identifier", NEW)]).await.refused(422, "form_identifier_not_found", "identifier");

    prove(&mut ada, &id, "000000").await.refused(422, "form_code_incorrect", "code");
    let code = server.code_for(NEW).await;
    let proven = prove(&mut ada, &id, &code).await;
    assert_eq!(
        (proven.response()["reserved"].as_bool(), proven.response()["verification"]["status"].as_str()),
        (Some(false), Some("verified"))
    );
    prove(&mut ada, &id, &code).await.refused(400, "verification_already_verified", "");
    assert_eq!(ada.get("/v1/me").await.response()["primary_email_address_id"], old.as_str(), "the primary one is the user's choice");
    server.browser().sign_in(NEW, PASSWORD).await.expect(200);

    let changed = patch(&mut ada, "/v1/me", &[("primary_email_address_id", &id)]).await;
    assert_eq!(changed.response()["primary_email_address_id"], id.as_str());
    assert!(server.outbox().await.iter().any(|mail| mail.to == EMAIL && mail.text.contains(NEW)), "the old address is told");

    assert_eq!(ada.get("/v1/me/email_addresses").await.expect(200).as_array().unwrap().len(), 2);
    delete(&mut ada, &format!("/v1/me/email_addresses/{id}")).await.expect(200);
    assert_eq!(ada.get("/v1/me").await.response()["primary_email_address_id"], old.as_str(), "the oldest proven one takes its place");
    delete(&mut ada, &format!("/v1/me/email_addresses/{old}")).await.refused(422, "form_data_missing", "");
    delete(&mut ada, &format!("/v1/me/email_addresses/{id}")).await.refused(404, "resource_not_found", "");
    server.browser().sign_in(NEW, PASSWORD).await.refused(422, "form_identifier_not_found", "identifier");
}

#[tokio::test]
async fn fault_045_an_address_that_was_not_proven_is_nobody_s() {
    let server = TestServer::start().await;
    let mut eve = ada(&server).await;
    // Eve names the address of somebody who is not here yet, and cannot keep them out.
    let id = waiting(&mut eve, NEW).await;
    let held = server.code_for(NEW).await;
    server.advance(Duration::from_secs(5));
    let mut countess = server.browser();
    let fields = [("email_address", NEW), ("password", "a horse of her own")];
    let begun = countess.post("/v1/client/sign_ups", &fields).await;
    let sign_up = begun.response()["id"].as_str().unwrap().to_owned();
    countess.post(&format!("/v1/client/sign_ups/{sign_up}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let own = server.code_for(NEW).await;
    let at = format!("/v1/client/sign_ups/{sign_up}/attempt_verification");
    let done = countess.post(&at, &[("strategy", "email_code"), ("code", &own)]).await;
    assert_eq!(done.response()["status"], "complete");

    // Even the right code comes too late now, and the sign-up's code is none for Eve.
    prove(&mut eve, &id, &own).await.refused(422, "form_code_incorrect", "code");
    prove(&mut eve, &id, &held).await.refused(400, "identification_claimed", "");
    eve.post("/v1/me/email_addresses", &[("email_address", NEW)]).await.refused(422, "form_identifier_exists", "email_address");
    let me = server.browser().sign_in(NEW, "a horse of her own").await;
    assert_eq!(me.response()["created_session_id"].as_str().map(|id| id.starts_with("sess_")), Some(true));
}

#[tokio::test]
async fn one_of_many_uses_of_a_code_proves_an_address() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let id = waiting(&mut ada, NEW).await;
    let code = server.code_for(NEW).await;
    let nodes = server.nodes().await;
    let tries = (0..100).map(|n| {
        let (mut browser, id, code) = (ada.clone().on_node(nodes[n % 2]), id.clone(), code.clone());
        async move { prove(&mut browser, &id, &code).await.status }
    });
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{done:?}");
    assert!(done.iter().all(|status| matches!(status, 200 | 400)), "{done:?}");
}

#[tokio::test]
async fn addresses_are_checked_and_limited() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let add = "/v1/me/email_addresses";
    ada.post(add, &[]).await.refused(422, "form_param_missing", "email_address");
    ada.post(add, &[("email_address", "not an address")]).await.refused(422, "form_param_format_invalid", "email_address");
    ada.post(add, &[("email_address", "ADA@example.com")]).await.refused(422, "form_identifier_exists", "email_address");
    let mut last = String::new();
    for n in 0..5 {
        let made = ada.post(add, &[("email_address", &format!("a{n}@example.com"))]).await;
        last = made.response()["id"].as_str().unwrap().to_owned();
    }
    ada.post(add, &[("email_address", "a5@example.com")]).await.refused(400, "too_many_unverified_identifications", "");
    let at = format!("{add}/{last}");
    ada.post(&format!("{at}/prepare_verification"), &[]).await.refused(422, "form_param_missing", "strategy");
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "totp")]).await.refused(
        400,
        "verification_strategy_invalid",
        "strategy",
    );
    prove(&mut ada, &last, "123456").await.refused(400, "verification_missing", "");
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("a4@example.com").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        prove(&mut ada, &last, wrong).await.refused(422, "form_code_incorrect", "code");
    }
    prove(&mut ada, &last, &code).await.refused(400, "verification_failed", "");
    server.advance(Duration::from_secs(4));
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    server.advance(Duration::from_secs(601));
    let late = server.code_for("a4@example.com").await;
    prove(&mut ada, &last, &late).await.refused(400, "verification_expired", "");
}

#[tokio::test]
async fn who_deletes_their_account_is_gone_everywhere() {
    let server = TestServer::start().await;
    let mut ada = ada(&server).await;
    let mut elsewhere = server.browser();
    elsewhere.sign_in(EMAIL, PASSWORD).await.expect(200);
    let gone = delete(&mut ada, "/v1/me").await;
    assert_eq!((gone.response()["object"].as_str(), gone.response()["deleted"].as_bool()), (Some("user"), Some(true)));
    assert_eq!(gone.json["client"]["sessions"], json!([]));
    assert_eq!(gone.json["client"]["last_active_session_id"], Value::Null);
    for browser in [&mut ada, &mut elsewhere] {
        assert_eq!(browser.get("/v1/me").await.status, 401);
    }
    server.browser().sign_in(EMAIL, PASSWORD).await.refused(422, "form_identifier_not_found", "identifier");

    let closed = TestServer::with_settings(|settings| settings.actions.delete_self = false).await;
    let mut bob = self::ada(&closed).await;
    delete(&mut bob, "/v1/me").await.refused(403, "user_delete_self_not_enabled", "");
    assert_eq!(bob.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn fault_021_whoever_comes_after_another_sees_nothing_of_theirs() {
    const LISTS: [&str; 7] = [
        "/v1/me",
        "/v1/me/sessions",
        "/v1/me/sessions/active",
        "/v1/me/email_addresses",
        "/v1/me/phone_numbers",
        "/v1/me/web3_wallets",
        "/v1/me/trusted_devices",
    ];
    for single_session in [true, false] {
        let server = TestServer::with_settings(|s| {
            s.session.single_session = single_session;
            s.native.trusted_devices = true;
        })
        .await;
        server.user("bob@example.com", PASSWORD).await;
        let mut browser = ada(&server).await;
        let mut people = vec![(EMAIL, browser.session_id().await.unwrap())];
        let before = browser.clone();
        if single_session {
            browser.post("/v1/client/sessions?_method=DELETE", &[]).await.expect(200);
        }
        browser.sign_in("bob@example.com", PASSWORD).await.expect(200);
        people.push(("bob@example.com", browser.session_id().await.unwrap()));
        for path in LISTS {
            for (n, (own, session)) in people.iter().enumerate() {
                let (other, theirs) = &people[1 - n];
                let seen = browser.get(&format!("{path}?_clerk_session_id={session}")).await;
                if single_session && n == 0 {
                    assert_eq!(seen.status, 401, "{path}: who has left is not there: {}", seen.text);
                    continue;
                }
                let response = if seen.expect(200)["response"].is_null() { &seen.json } else { &seen.json["response"] }.to_string();
                assert!(!response.contains(other) && !response.contains(theirs.as_str()), "{path}: {response}");
                let shows = response.contains(own) || response.contains(session.as_str()) || response == "[]";
                assert!(shows || path.contains("trusted"), "{path}: {response}");
                assert_eq!(seen.headers["cache-control"], "no-store", "{path}: no cache shows it to who comes next");
            }
            // Where nobody says which session, it is that of who came last.
            let seen = browser.get(path).await.text;
            assert!(!seen.contains(people[0].1.as_str()) || !single_session, "{path}: {seen}");
        }
        // The client from before the second sign-in is nobody's.
        assert_eq!(before.clone().get("/v1/me").await.status, 401);
    }
}
