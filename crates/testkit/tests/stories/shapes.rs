//! The keys that some generation of the official SDKs reads, in what the server really answers. The names are those of objects
//! that `@clerk/clerk-js` of all generations was loaded with; the environment's are compared in core. Left out is
//! `create_organizations_limit`, which is told where there is one: the reference has no null for it.

use doorward_core::oauth::OAuthConnection;
use doorward_core::settings::{Presence, RateLimits};
use doorward_gateway::Config;
use doorward_testkit::{Answer, Browser, CLIENT_ID, CLIENT_SECRET, Options, Provider, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

const CLIENT: &str = "captcha_bypass cookie_expires_at created_at id last_active_session_id last_authentication_strategy object sessions \
                      sign_in sign_up updated_at";
const SESSION: &str = "abandon_at actor created_at expire_at factor_verification_age id last_active_at last_active_organization_id object \
                       public_user_data status tasks updated_at user last_active_token";
const PUBLIC_USER: &str = "first_name has_image identifier image_url last_name profile_image_url user_id username";
const USER: &str = "backup_code_enabled banned create_organization_enabled created_at delete_self_enabled \
                    email_addresses enterprise_accounts external_accounts external_id first_name has_image id image_url last_active_at \
                    last_name last_sign_in_at legal_accepted_at locked lockout_expires_in_seconds mfa_disabled_at mfa_enabled_at object \
                    organization_memberships passkeys password_enabled password_last_updated_at phone_numbers primary_email_address_id \
                    primary_phone_number_id primary_web3_wallet_id profile_image_url public_metadata saml_accounts totp_enabled \
                    two_factor_enabled unsafe_metadata updated_at username verification_attempts_remaining web3_wallets";
const EMAIL_ADDRESS: &str = "created_at email_address id linked_to matches_sso_connection object reserved updated_at verification";
const VERIFICATION: &str = "attempts expire_at object status strategy";
const BY_PROVIDER: &str = "attempts expire_at external_verification_redirect_url object status strategy";
const SIGN_IN: &str = "abandon_at client_trust_state created_session_id first_factor_verification id identifier object protect_check \
                       second_factor_verification status supported_first_factors supported_identifiers supported_second_factors user_data";
const SIGN_IN_USER: &str = "first_name has_image image_url last_name profile_image_url";
const SIGN_UP: &str = "abandon_at created_session_id created_user_id custom_action email_address external_id first_name has_password id \
                       last_name legal_accepted_at locale missing_fields object optional_fields password_enabled phone_number \
                       protect_check public_metadata required_fields status unsafe_metadata unverified_fields username verifications \
                       web3_wallet";
const SIGN_UP_VERIFICATION: &str = "attempts expire_at next_action object status strategy supported_strategies";

#[track_caller]
fn has(value: &Value, keys: &str) {
    let missing: Vec<&str> = keys.split_whitespace().filter(|key| value.get(key).is_none()).collect();
    assert!(value.is_object() && missing.is_empty(), "without {missing:?}: {value}");
}

/// A sign-in with all its keys, in a state.
#[track_caller]
fn is_sign_in(value: &Value, status: &str) {
    has(value, SIGN_IN);
    assert_eq!((&value["object"], &value["status"]), (&json!("sign_in_attempt"), &json!(status)), "{value}");
    if !matches!(status, "needs_identifier") && value["identifier"].is_string() {
        has(&value["user_data"], SIGN_IN_USER);
        for factor in value["supported_first_factors"].as_array().unwrap() {
            has(factor, if factor["strategy"] == "password" { "strategy" } else { "strategy email_address_id safe_identifier primary" });
        }
    }
    if value["first_factor_verification"].is_object() {
        has(&value["first_factor_verification"], VERIFICATION);
    }
}

fn at(answer: &Answer) -> String {
    format!("/v1/client/sign_ins/{}", answer.response()["id"].as_str().unwrap())
}

async fn code_step(server: &TestServer, browser: &mut Browser, at: &str, strategy: &str) -> Answer {
    // The code before is another one, and the newest mail the one that counts.
    server.advance(Duration::from_secs(60));
    browser.post(&format!("{at}/prepare_first_factor"), &[("strategy", strategy)]).await.expect(200);
    let code = server.code_for(EMAIL).await;
    browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("code", &code)]).await
}

#[tokio::test]
async fn clients_sessions_and_users_have_every_key_that_some_sdk_reads() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    has(ada.send("POST", "/v1/client?_method=PUT", None).await.response(), CLIENT);
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let client = ada.get("/v1/client").await.response().clone();
    has(&client, CLIENT);
    let session = &client["sessions"][0];
    has(session, SESSION);
    has(&session["public_user_data"], PUBLIC_USER);
    has(&session["last_active_token"], "object jwt");
    has(&session["user"], USER);
    let me = ada.get("/v1/me").await.response().clone();
    has(&me, USER);
    has(&me["email_addresses"][0], EMAIL_ADDRESS);
    has(&me["email_addresses"][0]["verification"], VERIFICATION);
}

#[tokio::test]
async fn sign_ins_have_every_key_in_every_state() {
    let provider = Provider::start(json!({"sub": "eve-1", "email": "eve@example.com", "email_verified": true})).await;
    let issuer = provider.url();
    let server = TestServer::with_settings(|it| {
        it.attributes.phone_number = Presence::Optional;
        it.attributes.phone_second_factor = true;
        let connection = OAuthConnection { client_id: CLIENT_ID.to_owned(), issuer: Some(issuer), ..OAuthConnection::default() };
        it.oauth.insert("custom_acme".to_owned(), connection);
    })
    .await;
    server.provider_secret("custom_acme", CLIENT_SECRET).await;
    server.user(EMAIL, PASSWORD).await;

    let mut ada = server.browser();
    is_sign_in(ada.post("/v1/client/sign_ins", &[]).await.response(), "needs_identifier");
    let begun = ada.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    is_sign_in(begun.response(), "needs_first_factor");
    let prepared = ada.post(&format!("{}/prepare_first_factor", at(&begun)), &[("strategy", "email_code")]).await;
    is_sign_in(prepared.response(), "needs_first_factor");
    has(&prepared.response()["first_factor_verification"], VERIFICATION);
    let done = code_step(&server, &mut ada, &at(&begun), "email_code").await;
    is_sign_in(done.response(), "complete");
    has(&done.json["client"], CLIENT);

    let mut forgetful = server.browser();
    let begun = forgetful.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    is_sign_in(code_step(&server, &mut forgetful, &at(&begun), "reset_password_email_code").await.response(), "needs_new_password");

    let mut away = server.browser();
    let fields = [("strategy", "oauth_custom_acme"), ("redirect_url", "/sso"), ("action_complete_redirect_url", "/done")];
    let sent = away.post("/v1/client/sign_ins", &fields).await;
    is_sign_in(sent.response(), "needs_identifier");
    let verification = &sent.response()["first_factor_verification"];
    has(verification, BY_PROVIDER);
    away.get(&provider.visit(verification["external_verification_redirect_url"].as_str().unwrap())).await;
    let back = away.get("/v1/client").await.response()["sign_in"].clone();
    is_sign_in(&back, "needs_identifier");
    has(&back["first_factor_verification"], VERIFICATION);
    assert_eq!(back["first_factor_verification"]["status"], "transferable");
    has(&back["first_factor_verification"]["error"], "code message long_message");

    server.change_settings(|it| it.attack_protection.client_trust = true).await;
    let trust = server.browser().sign_in(EMAIL, PASSWORD).await;
    is_sign_in(trust.response(), "needs_client_trust");
    has(&trust.response()["supported_second_factors"][0], "email_address_id primary safe_identifier strategy");
    let number = json!({"user_id": ada.get("/v1/me").await.response()["id"], "phone_number": "+12024560143", "verified": true});
    let number = server.backend("POST", "/v1/phone_numbers", Some(number)).await.expect(200)["id"].clone();
    let number = format!("/v1/phone_numbers/{}", number.as_str().unwrap());
    server.backend("PATCH", &number, Some(json!({"reserved_for_second_factor": true}))).await.expect(200);
    let second = server.browser().sign_in(EMAIL, PASSWORD).await;
    is_sign_in(second.response(), "needs_second_factor");
    has(&second.response()["supported_second_factors"][0], "strategy phone_number_id safe_identifier default");
}

#[tokio::test]
async fn sign_ups_have_every_key_in_every_state() {
    let server = TestServer::start().await;
    let mut new = server.browser();
    let begun = new.post("/v1/client/sign_ups", &[("email_address", "new@example.com"), ("password", PASSWORD)]).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    let sent = new.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await;
    let code = server.code_for("new@example.com").await;
    let done = new.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    for (answer, status) in [(begun, "missing_requirements"), (sent, "missing_requirements"), (done, "complete")] {
        let it = answer.response();
        has(it, SIGN_UP);
        assert_eq!((&it["object"], &it["status"]), (&json!("sign_up_attempt"), &json!(status)));
        has(&it["verifications"], "email_address external_account phone_number web3_wallet");
        has(&it["verifications"]["email_address"], SIGN_UP_VERIFICATION);
    }
}

#[tokio::test]
async fn errors_have_every_key() {
    let mut options = Options { config: Config::default(), ..Options::default() };
    options.settings.attack_protection.rate_limits = RateLimits::On;
    let server = TestServer::with(options).await;
    let (mut ada, mut other) = (server.browser(), server.browser());
    server.user(EMAIL, PASSWORD).await;
    let begun = other.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "email_code")]).await;
    let guess = format!("{}/attempt_first_factor", at(&begun));
    let code = server.code_for(EMAIL).await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    let mut seen = vec![
        ada.sign_in("nobody@example.com", PASSWORD).await,
        ada.sign_in(EMAIL, "wrong horse").await,
        other.post(&guess, &[("strategy", "email_code"), ("code", wrong)]).await,
        server.browser().get("/v1/me").await,
    ];
    while seen.last().unwrap().status != 429 {
        seen.push(ada.sign_in(EMAIL, "wrong horse").await);
        assert!(seen.len() < 20);
    }
    let expected =
        ["form_identifier_not_found", "form_password_incorrect", "form_code_incorrect", "authentication_invalid", "too_many_requests"];
    for code in expected {
        let answer = seen.iter().find(|it| it.code() == code).unwrap_or_else(|| panic!("{code}: {seen:?}"));
        has(&answer.json, "clerk_trace_id errors");
        has(&answer.json["errors"][0], "code message long_message");
        if code.starts_with("form_") {
            has(&answer.json["errors"][0]["meta"], "param_name");
        }
    }
}
