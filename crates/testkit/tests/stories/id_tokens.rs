//! ID tokens that pages and apps bring: Google's One Tap, and those of native sign-in.

use doorward_testkit::social::*;
use doorward_testkit::{Answer, CLIENT_ID, Provider, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse battery";
const APP: &str = "com.example.app";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

async fn google() -> (TestServer, Provider) {
    known("google", "https://accounts.google.com", |it| it.more_client_ids = vec![APP.to_owned()]).await
}

async fn bring(server: &TestServer, what: &str, strategy: &str, token: &str) -> Answer {
    server.browser().post(&format!("/v1/client/{what}"), &[("strategy", strategy), ("token", token)]).await
}

async fn users(server: &TestServer) -> i64 {
    server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"].as_i64().unwrap()
}

#[tokio::test]
async fn one_tap_signs_up_and_signs_in() {
    let (server, provider) = google().await;
    assert_eq!(server.browser().get("/v1/environment").await.json["display_config"]["google_one_tap_client_id"], CLIENT_ID);
    let token = provider.id_token();
    let mut ada = server.browser();
    let fields = [("strategy", "google_one_tap"), ("token", token.as_str())];
    // So that the SDK signs up with the same token.
    ada.post("/v1/client/sign_ins", &fields).await.refused(404, "external_account_not_found", "");
    let made = ada.post("/v1/client/sign_ups", &fields).await.response().clone();
    assert_eq!((&made["status"], &made["verifications"]["external_account"]["status"]), (&json!("complete"), &json!("verified")));
    let id = user_id(&mut ada).await.unwrap();
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!((&me["first_name"], &me["external_accounts"][0]["provider"]), (&json!("Ada"), &json!("oauth_google")));
    assert_eq!(client(&mut ada).await["last_authentication_strategy"], "google_one_tap");

    let mut again = server.browser();
    let done = again.post("/v1/client/sign_ins", &fields).await.response().clone();
    let proof = &done["first_factor_verification"];
    assert_eq!((&proof["object"], &proof["status"]), (&json!("verification_google_one_tap"), &json!("verified")));
    assert_eq!((&done["status"], user_id(&mut again).await), (&json!("complete"), Some(id.clone())));
    bring(&server, "sign_ups", "google_one_tap", &token).await.refused(400, "external_account_exists", "");
    // By way of Google it is the same account.
    let mut third = server.browser();
    assert_eq!(visit(&mut third, &provider, "sign_ins", "oauth_google").await, "/done");
    assert_eq!((user_id(&mut third).await, users(&server).await), (Some(id), 1));
}

#[tokio::test]
async fn fault_045_a_token_links_only_by_an_address_that_both_sides_have_proven() {
    let (server, provider) = google().await;
    let id = server.user("ada@example.com", PASSWORD).await;
    provider.account(json!({"sub": "m", "email": "ada@example.com", "email_verified": false}));
    let code = "external_account_email_address_verification_required";
    for strategy in ["google_one_tap", "oauth_token_google"] {
        for what in ["sign_ins", "sign_ups"] {
            bring(&server, what, strategy, &provider.id_token()).await.refused(400, code, "");
        }
    }
    provider.account(ada());
    // Apps begin with a sign-up and go on with a sign-in, or the other way round.
    let mut app = server.browser();
    let token = provider.id_token();
    let known = app.post("/v1/client/sign_ups", &[("strategy", "oauth_token_google"), ("token", &token)]).await.response().clone();
    let proof = &known["verifications"]["external_account"];
    assert_eq!((&proof["status"], &proof["error"]["code"]), (&json!("transferable"), &json!("external_account_exists")));
    let done = app.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
    assert_eq!(done.response()["status"], "complete", "{}", done.text);
    provider.account(json!({"sub": "new", "email": "new@example.com", "email_verified": true}));
    let mut other = server.browser();
    let token = provider.id_token();
    let nobody = other.post("/v1/client/sign_ins", &[("strategy", "oauth_token_google"), ("token", &token)]).await.response().clone();
    assert_eq!((&nobody["status"], &nobody["first_factor_verification"]["status"]), (&json!("needs_identifier"), &json!("transferable")));
    let made = other.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(made.response()["status"], "complete", "{}", made.text);
    let user = server.backend("GET", &format!("/v1/users/{id}"), None).await;
    assert_eq!(user.expect(200)["external_accounts"][0]["provider_user_id"], "ada-1");
    assert_eq!(user.json["email_addresses"][0]["linked_to"][0]["type"], "oauth_google");
}

#[tokio::test]
async fn fault_060_to_064_a_token_that_does_not_hold_signs_nobody_in_or_up() {
    let microsoft = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let tenant = json!({"sub": "ada-1", "email": "ada@example.com", "tid": TENANT, "xms_edov": true});
    let cases = [
        ("google", "https://accounts.google.com", vec!["google_one_tap", "oauth_token_google"], ada()),
        ("apple", "https://appleid.apple.com", vec!["oauth_token_apple"], ada()),
        ("microsoft", microsoft.as_str(), vec!["oauth_token_microsoft"], tenant),
    ];
    for (key, issuer, strategies, account) in cases {
        let (server, provider) = known(key, issuer, |it| {
            (it.team_id, it.key_id) = (Some("TEAM".to_owned()), Some("KEY".to_owned()));
            it.more_client_ids = vec![APP.to_owned()];
        })
        .await;
        provider.account(account);
        let now = doorward_testkit::START / 1000;
        let mut bad: Vec<(Value, String)> = Vec::new();
        for lie in [
            json!({"iss": "https://evil.example"}),
            json!({"iss": format!("{issuer}/")}),
            json!({"iss": null}),
            json!({"aud": "another-client"}),
            json!({"aud": [CLIENT_ID, "another-client"]}),
            json!({"aud": null}),
            json!({"azp": "another-client"}),
            json!({"exp": now - 61}),
            json!({"exp": null}),
            json!({"iat": now + 61}),
            json!({"iat": now - 86_401}),
            json!({"nbf": now + 61}),
            json!({"sub": null}),
            json!({"sub": "undefined"}),
        ] {
            provider.lie(lie.clone());
            bad.push((lie, provider.id_token()));
        }
        provider.lie(json!({}));
        let good = provider.id_token();
        let (body, signature) = good.rsplit_once('.').unwrap();
        provider.lie(json!({"sub": "eve-1"}));
        let other = provider.id_token();
        provider.lie(json!({}));
        bad.push((json!("unsigned"), format!("{body}.")));
        bad.push((json!("signed otherwise"), format!("{body}.{}", signature.chars().rev().collect::<String>())));
        bad.push((json!("another's claims"), format!("{}.{signature}", other.rsplit_once('.').unwrap().0)));
        for text in ["x", "x.y.z", "..", "{}"] {
            bad.push((json!(text), text.to_owned()));
        }
        provider.use_other_key();
        bad.push((json!("another key"), provider.id_token()));
        for strategy in strategies {
            for what in ["sign_ins", "sign_ups"] {
                for (lie, token) in &bad {
                    let refused = bring(&server, what, strategy, token).await;
                    assert_eq!((refused.status, refused.code()), (400, "oauth_fetch_user_error"), "{strategy} {lie}: {}", refused.text);
                }
                bring(&server, what, strategy, "").await.refused(422, "form_param_missing", "token");
            }
            assert_eq!(users(&server).await, 0, "{strategy}");
        }
        // And the good one still works, for the app's own client id as well.
        let last = format!("oauth_token_{key}");
        assert_eq!(bring(&server, "sign_ups", &last, &good).await.response()["status"], "complete");
        server.advance(Duration::from_secs(361));
        bring(&server, "sign_ins", &last, &good).await.refused(400, "oauth_fetch_user_error", "");
    }
}

#[tokio::test]
async fn a_token_for_the_app_of_the_same_instance_is_good_and_one_of_another_instance_is_not() {
    let (server, provider) = google().await;
    provider.lie(json!({"aud": APP}));
    let token = provider.id_token();
    assert_eq!(bring(&server, "sign_ups", "oauth_token_google", &token).await.response()["status"], "complete");
    // Where the app is not listed its tokens are somebody else's.
    server.change_settings(|it| it.oauth.get_mut("google").unwrap().more_client_ids.clear()).await;
    bring(&server, "sign_ins", "oauth_token_google", &token).await.refused(400, "oauth_fetch_user_error", "");
    let other = server.another_instance("other.test").await;
    let fields = [("strategy", "oauth_token_google"), ("token", token.as_str())];
    let mut there = server.browser_on("other.test");
    there.post("/v1/client/sign_ins", &fields).await.refused(400, "oauth_provider_not_enabled", "");
    assert_ne!(other.id, server.instance.id);
}

#[tokio::test]
async fn a_provider_without_id_tokens_takes_none_and_an_account_is_connected_by_one() {
    let (server, _) = known("github", "https://github.com", |_| {}).await;
    for what in ["sign_ins", "sign_ups"] {
        bring(&server, what, "oauth_token_github", "a.b.c").await.refused(400, "oauth_unsupported_provider", "");
        bring(&server, what, "google_one_tap", "a.b.c").await.refused(400, "oauth_provider_not_enabled", "");
        bring(&server, what, "oauth_token_nobody", "a.b.c").await.refused(400, "oauth_unsupported_provider", "");
    }

    let (server, provider) = google().await;
    let id = server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    let at = "/v1/me/external_accounts";
    let fields = |token: &str| vec![("strategy".to_owned(), "oauth_token_google".to_owned()), ("token".to_owned(), token.to_owned())];
    let post = async |browser: &mut doorward_testkit::Browser, token: &str| {
        let fields = fields(token);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.post(at, &fields).await
    };
    provider.lie(json!({"aud": "another-client"}));
    post(&mut bob, &provider.id_token()).await.refused(400, "oauth_fetch_user_error", "");
    provider.lie(json!({}));
    let connected = post(&mut bob, &provider.id_token()).await.response().clone();
    assert_eq!((&connected["provider"], &connected["verification"]["status"]), (&json!("oauth_google"), &json!("verified")));
    post(&mut bob, &provider.id_token()).await.refused(400, "oauth_account_already_connected", "");
    post(&mut bob, "").await.refused(422, "form_param_missing", "token");
    server.user("eve@example.com", PASSWORD).await;
    let mut eve = server.browser();
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    post(&mut eve, &provider.id_token()).await.refused(400, "oauth_identification_claimed", "");
    let mut again = server.browser();
    let token = provider.id_token();
    again.post("/v1/client/sign_ins", &[("strategy", "google_one_tap"), ("token", &token)]).await.expect(200);
    assert_eq!(user_id(&mut again).await.unwrap(), id);
    // There is nothing to call the provider with.
    let listed = server.backend("GET", &format!("/v1/users/{id}/oauth_access_tokens/oauth_google"), None).await;
    assert_eq!(listed.expect(200), &json!([]));
}

#[tokio::test]
async fn where_accounts_are_hidden_an_unproven_address_of_a_provider_tells_of_none() {
    let (server, provider) = google().await;
    server.user("ada@example.com", PASSWORD).await;
    server.change_settings(|s| s.attack_protection.enumeration_protection = true).await;
    let mut seen = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        provider.account(json!({"sub": "m", "email": email, "email_verified": false}));
        let token = provider.id_token();
        bring(&server, "sign_ins", "google_one_tap", &token).await.refused(404, "external_account_not_found", "");
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ups", &[("strategy", "google_one_tap"), ("token", token.as_str())]).await;
        let it = begun.response();
        let at = format!("/v1/client/sign_ups/{}/prepare_verification", it["id"].as_str().unwrap());
        let asked = browser.post(&at, &[("strategy", "email_code")]).await;
        let shown = |it: &Value| [&it["status"], &it["missing_fields"], &it["unverified_fields"]].map(Value::clone);
        seen.push((shown(it), shown(asked.response()), asked.response()["verifications"]["email_address"]["status"].clone()));
    }
    assert_eq!(seen[0], seen[1]);
    let sent: Vec<_> = server.outbox().await.into_iter().map(|it| it.to).collect();
    assert_eq!(sent, ["nobody@example.com"], "whoever has the account is not bothered");
}
