//! Addresses and numbers that a server reserves: not proven, but their user's alone, and good for signing in.

use doorward_core::settings::{Presence, Settings};
use doorward_testkit::social::{ACME, acme_with, user_id, visit};
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";
const BACK: &str = "http://localhost:3000/back";
/// The kinds: path, field, a value, the strategy of its codes.
const KINDS: [(&str, &str, &str, &str); 2] = [
    ("email_addresses", "email_address", "ada@example.com", "email_code"),
    ("phone_numbers", "phone_number", "+12024560143", "phone_code"),
];

fn all_ways(settings: &mut Settings) {
    settings.attributes.phone_number = Presence::Optional;
    settings.attributes.phone_code = true;
    settings.attributes.email_link = true;
}

async fn reserved(server: &TestServer, field: &str, value: &str) -> String {
    let status = format!("{field}_identification_status");
    let body = json!({field: [value], status: ["reserved"], "password": PASSWORD, "skip_user_requirement": true});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

async fn shown(server: &TestServer, user: &str, path: &str) -> Value {
    server.backend("GET", &format!("/v1/users/{user}"), None).await.expect(200)[path][0].clone()
}

/// Sends what a first factor of a strategy sends.
async fn prepare(browser: &mut Browser, identifier: &str, strategy: &str) -> (String, Answer) {
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", identifier)]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let sent = browser.post(&format!("{at}/prepare_first_factor"), &[("strategy", strategy), ("redirect_url", BACK)]).await;
    (at, sent)
}

#[tokio::test]
async fn a_reserved_identifier_is_its_users_alone_and_is_proven_by_the_first_code() {
    let server = TestServer::with_settings(all_ways).await;
    for (path, field, value, strategy) in KINDS {
        let id = reserved(&server, field, value).await;
        let waiting = shown(&server, &id, path).await;
        assert_eq!((&waiting["reserved"], &waiting["verification"]), (&json!(true), &Value::Null));

        server.browser().post("/v1/client/sign_ups", &[(field, value)]).await.refused(422, "form_identifier_exists", field);
        let other = server.user(&format!("other.{field}@example.com"), PASSWORD).await;
        let held = json!({"user_id": other, field: value, "verified": true});
        server.backend("POST", &format!("/v1/{path}"), Some(held)).await.refused(422, "form_identifier_exists", field);
        let body = json!({field: value, "identification_status": "reserved"});
        server.backend("PUT", &format!("/v1/users/{other}/{field}"), Some(body)).await.refused(422, "form_identifier_exists", field);

        let mut ada = server.browser();
        let (at, _) = prepare(&mut ada, value, strategy).await;
        let code = server.code_for(value).await;
        let done = ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("code", &code)]).await;
        assert_eq!((&done.response()["status"], user_id(&mut ada).await), (&json!("complete"), Some(id.clone())));
        let proven = shown(&server, &id, path).await;
        assert_eq!((&proven["reserved"], &proven["verification"]["status"]), (&json!(false), &json!("verified")));
        assert_eq!(proven["verification"]["strategy"], strategy);
        // Who has it did not choose the password.
        server.browser().sign_in(value, PASSWORD).await.refused(400, "strategy_for_user_invalid", "strategy");
    }
}

#[tokio::test]
async fn fault_045_whoever_was_in_by_a_password_may_have_named_a_strangers_address() {
    let (server, provider) = acme_with(all_ways).await;
    for (path, field, value, strategy) in KINDS {
        let id = reserved(&server, field, value).await;
        let mut mallory = server.browser();
        mallory.sign_in(value, PASSWORD).await.expect(200);
        for strategy in [strategy, &format!("reset_password_{strategy}")] {
            let begun = server.browser().post("/v1/client/sign_ins", &[("identifier", value), ("strategy", strategy)]).await;
            begun.refused(400, "strategy_for_user_invalid", "strategy");
        }
        assert_eq!(shown(&server, &id, path).await["reserved"], true, "a password says nothing about who has it");
    }
    let id = reserved(&server, "email_address", "victim@example.com").await;
    let mut mallory = server.browser();
    mallory.sign_in("victim@example.com", PASSWORD).await.expect(200);
    provider.account(json!({"sub": "victim-1", "email": "victim@example.com", "email_verified": true}));
    for what in ["sign_ins", "sign_ups"] {
        let mut victim = server.browser();
        visit(&mut victim, &provider, what, ACME).await;
        assert_eq!(user_id(&mut victim).await, None, "{what}");
    }
    let invitation = json!({"email_address": "victim@example.com", "ignore_existing": true});
    let url = server.backend("POST", "/v1/invitations", Some(invitation)).await.expect(200)["url"].as_str().unwrap().to_owned();
    let ticket = url.split_once("ticket=").unwrap().1;
    let invited = server.browser().post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", ticket)]).await;
    assert_eq!(invited.status, 400, "{}", invited.text);
    let them = server.backend("GET", &format!("/v1/users/{id}"), None).await;
    assert_eq!(them.expect(200)["external_accounts"], json!([]));
}

#[tokio::test]
async fn the_first_proof_makes_a_reserved_address_the_primary_one() {
    let server = TestServer::start().await;
    let body = json!({
        "email_address": ["one@example.com", "two@example.com"],
        "email_address_identification_status": ["reserved", "reserved"],
        "skip_password_requirement": true,
    });
    let made = server.backend("POST", "/v1/users", Some(body)).await.expect(200).clone();
    assert_eq!(made["primary_email_address_id"], made["email_addresses"][0]["id"]);
    let mut ada = server.browser();
    let (at, _) = prepare(&mut ada, "two@example.com", "email_code").await;
    let code = server.code_for("two@example.com").await;
    ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", &code)]).await.expect(200);
    let now = server.backend("GET", &format!("/v1/users/{}", made["id"].as_str().unwrap()), None).await.expect(200).clone();
    assert_eq!(now["primary_email_address_id"], made["email_addresses"][1]["id"]);
}

#[tokio::test]
async fn a_forgotten_password_is_chosen_anew_by_a_code_to_a_reserved_address() {
    let server = TestServer::start().await;
    let id = reserved(&server, "email_address", "ada@example.com").await;
    let mut ada = server.browser();
    let (at, _) = prepare(&mut ada, "ada@example.com", "reset_password_email_code").await;
    let code = server.code_for("ada@example.com").await;
    let fields = [("strategy", "reset_password_email_code"), ("code", code.as_str()), ("password", "another horse battery")];
    assert_eq!(ada.post(&format!("{at}/attempt_first_factor"), &fields).await.response()["status"], "complete");
    assert_eq!(shown(&server, &id, "email_addresses").await["verification"]["strategy"], "email_code");
}

#[tokio::test]
async fn a_link_proves_a_reserved_address_wherever_it_is_opened() {
    for same_client in [true, false] {
        let server = TestServer::with_settings(|s| {
            all_ways(s);
            s.attack_protection.email_link_same_client = same_client;
        })
        .await;
        let id = reserved(&server, "email_address", "ada@example.com").await;
        let mut ada = server.browser();
        let (at, _) = prepare(&mut ada, "ada@example.com", "email_link").await;
        let link = server.link().await;
        if same_client {
            ada.get(&link).await;
        } else {
            let token = link.split_once("token=").unwrap().1;
            server.browser().post("/v1/verify", &[("token", token)]).await;
            ada.get(&at).await;
        }
        assert_eq!(user_id(&mut ada).await, Some(id.clone()));
        let proven = shown(&server, &id, "email_addresses").await;
        assert_eq!((&proven["reserved"], &proven["verification"]["strategy"]), (&json!(false), &json!("email_link")));
    }
}

#[tokio::test]
async fn a_provider_that_has_proven_it_proves_a_reserved_address() {
    let (server, provider) = acme_with(|_| {}).await;
    let id = reserved(&server, "email_address", "ada@example.com").await;
    provider.account(json!({"sub": "mallory", "email": "ada@example.com", "email_verified": false}));
    visit(&mut server.browser(), &provider, "sign_ins", ACME).await;
    assert_eq!(shown(&server, &id, "email_addresses").await["reserved"], true);
    provider.account(json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true}));
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ins", ACME).await, "/done");
    assert_eq!(user_id(&mut ada).await, Some(id.clone()));
    let proven = shown(&server, &id, "email_addresses").await;
    assert_eq!((&proven["reserved"], &proven["verification"]["strategy"]), (&json!(false), &json!(format!("from_{ACME}"))));
}

#[tokio::test]
async fn the_block_list_is_asked_about_a_reserved_address_and_the_allow_list_takes_the_servers_word() {
    let server = TestServer::with_settings(|s| {
        s.restrictions.blocklist = true;
        s.restrictions.allowlist = true;
    })
    .await;
    reserved(&server, "email_address", "ada@example.com").await;
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
    server.backend("POST", "/v1/blocklist_identifiers", Some(json!({"identifier": "*@example.com"}))).await.expect(200);
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "not_allowed_access", "");
}

#[tokio::test]
async fn an_unproven_address_keeps_no_one_else_from_it() {
    let server = TestServer::start().await;
    let squatter = server.user("squatter@example.com", PASSWORD).await;
    let named = json!({"user_id": squatter, "email_address": "ada@example.com"});
    server.backend("POST", "/v1/email_addresses", Some(named)).await.expect(200);
    let body = json!({"email_address": ["ada@example.com"], "password": PASSWORD});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
}
