//! Sign-in and sign-up by way of other providers, told with one that can lie.

use doorward_core::keys::Environment;
use doorward_core::oauth::OAuthConnection;
use doorward_core::settings::{Presence, SignUpMode};
use doorward_testkit::social::*;
use doorward_testkit::{Browser, CLIENT_ID, CLIENT_SECRET, ORIGIN, Options, Provider, TestServer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery";

/// What a sign-in at the provider failed with.
async fn failure(server: &TestServer, provider: &Provider, strategy: &str) -> String {
    let mut browser = server.browser();
    let to = visit(&mut browser, provider, "sign_ins", strategy).await;
    assert_eq!(to, CALLBACK);
    let client = client(&mut browser).await;
    assert_eq!(client["sessions"], json!([]));
    let verification = &client["sign_in"]["first_factor_verification"];
    assert_eq!(verification["status"], "failed", "{verification}");
    verification["error"]["code"].as_str().unwrap().to_owned()
}

async fn users(server: &TestServer) -> i64 {
    server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"].as_i64().unwrap()
}

#[tokio::test]
async fn somebody_signs_up_and_signs_in_with_a_provider() {
    let (server, provider) = acme().await;
    let mut new = server.browser();
    let to = way(&set_out(&mut new, "sign_ups", ACME).await);
    let asked: std::collections::HashMap<_, _> = url::Url::parse(&to).unwrap().query_pairs().into_owned().collect();
    assert!(to.starts_with(&format!("{}/authorize?", provider.url())));
    assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str()), (CLIENT_ID, "openid profile email"));
    assert_eq!(asked["redirect_uri"], format!("http://{}/v1/oauth_callback", server.public));
    assert!(asked["state"].len() > 60 && asked["nonce"].len() == 43 && asked["code_challenge_method"] == "S256");
    assert_eq!(back(&mut new, &provider.visit(&to)).await, "/done");
    let shown = client(&mut new).await;
    let user = &shown["sessions"][0]["user"];
    assert_eq!((&user["first_name"], &user["last_name"], &user["password_enabled"]), (&json!("Ada"), &json!("Lovelace"), &json!(false)));
    let email = &user["email_addresses"][0];
    assert_eq!((&email["email_address"], &email["reserved"]), (&json!("ada@example.com"), &json!(false)));
    assert_eq!(email["verification"]["object"], "verification_from_oauth");
    assert_eq!(email["verification"]["strategy"], format!("from_{ACME}"));
    let account = &user["external_accounts"][0];
    assert_eq!((&account["provider"], &account["provider_user_id"]), (&json!(ACME), &json!("ada-1")));
    assert_eq!((&account["verification"]["status"], &account["email_address_verified"]), (&json!("verified"), &json!(true)));
    assert_eq!(shown["last_authentication_strategy"], ACME);

    let mut again = server.browser();
    assert_eq!(visit(&mut again, &provider, "sign_ins", ACME).await, "/done");
    assert_eq!(user_id(&mut again).await.as_deref(), user["id"].as_str());
    let cookies = &again.cookies;
    assert!(cookies.contains_key("__client") && cookies["__client_uat"] != "0", "{cookies:?}");
    assert_eq!(users(&server).await, 1);
    let basic = provider.calls().into_iter().find(|it| it.path == "POST /token").unwrap().authorization;
    assert!(basic.starts_with("Basic "), "{basic}");
    assert!(provider.calls().iter().all(|it| !it.fields.contains_key("client_secret")));
}

#[tokio::test]
async fn a_sign_in_of_nobody_becomes_a_sign_up_and_the_other_way_round() {
    let (server, provider) = acme().await;
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ins", ACME).await, CALLBACK);
    let waiting = client(&mut ada).await["sign_in"].clone();
    assert_eq!((&waiting["status"], &waiting["identifier"]), (&json!("needs_identifier"), &Value::Null));
    let verification = &waiting["first_factor_verification"];
    assert_eq!((&verification["status"], &verification["error"]["code"]), (&json!("transferable"), &json!("external_account_not_found")));
    let mut other = server.browser();
    other.post("/v1/client/sign_ups", &[("transfer", "true")]).await.refused(400, "account_transfer_invalid", "");
    let made = ada.post("/v1/client/sign_ups", &[("transfer", "true"), ("unsafe_metadata", r#"{"a":1}"#)]).await;
    assert_eq!(made.response()["status"], "complete", "{}", made.text);
    assert_eq!(made.response()["verifications"]["external_account"]["status"], "verified");
    let id = user_id(&mut ada).await.unwrap();

    let mut again = server.browser();
    assert_eq!(visit(&mut again, &provider, "sign_ups", ACME).await, CALLBACK);
    let verification = client(&mut again).await["sign_up"]["verifications"]["external_account"].clone();
    assert_eq!((&verification["status"], &verification["error"]["code"]), (&json!("transferable"), &json!("external_account_exists")));
    let done = again.post("/v1/client/sign_ins", &[("transfer", "true")]).await;
    assert_eq!(done.response()["status"], "complete", "{}", done.text);
    assert_eq!(user_id(&mut again).await.unwrap(), id);
    again.post("/v1/client/sign_ins", &[("transfer", "true")]).await.refused(400, "session_exists", "");

    // It waits ten minutes and no longer.
    let mut late = server.browser();
    visit(&mut late, &provider, "sign_ups", ACME).await;
    server.advance(Duration::from_secs(601));
    late.post("/v1/client/sign_ins", &[("transfer", "true")]).await.refused(400, "account_transfer_invalid", "");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn what_the_provider_does_not_say_is_asked_for() {
    let (server, provider) = acme_with(|it| it.attributes.username = Presence::Required).await;
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ups", ACME).await, CALLBACK);
    let waiting = client(&mut ada).await["sign_up"].clone();
    assert_eq!((&waiting["status"], &waiting["missing_fields"]), (&json!("missing_requirements"), &json!(["username"])));
    assert_eq!(waiting["verifications"]["external_account"]["status"], "verified");
    let at = format!("/v1/client/sign_ups/{}?_method=PATCH", waiting["id"].as_str().unwrap());
    assert_eq!(ada.post(&at, &[("username", "ada_l")]).await.response()["status"], "complete");

    provider.account(json!({"sub": "bob-1", "email": "bob@example.com", "email_verified": false}));
    let mut bob = server.browser();
    assert_eq!(visit(&mut bob, &provider, "sign_ups", ACME).await, CALLBACK);
    let waiting = client(&mut bob).await["sign_up"].clone();
    assert_eq!((&waiting["missing_fields"], &waiting["unverified_fields"]), (&json!(["username"]), &json!(["email_address"])));
    let at = format!("/v1/client/sign_ups/{}", waiting["id"].as_str().unwrap());
    bob.post(&format!("{at}?_method=PATCH"), &[("username", "bob_b")]).await.expect(200);
    bob.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("bob@example.com").await;
    let done = bob.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(client(&mut bob).await["sessions"][0]["user"]["external_accounts"][0]["email_address_verified"], false);
}

#[tokio::test]
async fn fault_045_an_address_links_only_where_both_sides_have_proven_it() {
    let (server, provider) = acme().await;
    let id = server.user("ada@example.com", PASSWORD).await;
    provider.account(json!({"sub": "mallory", "email": "ada@example.com", "email_verified": false}));
    assert_eq!(failure(&server, &provider, ACME).await, "external_account_email_address_verification_required");
    provider.account(ada());
    let mut real = server.browser();
    assert_eq!(visit(&mut real, &provider, "sign_ins", ACME).await, "/done");
    assert_eq!(user_id(&mut real).await.unwrap(), id);
    // The link is to the subject: the address may change from now on.
    provider.account(json!({"sub": "ada-1", "email": "new@example.com", "email_verified": true}));
    let mut later = server.browser();
    visit(&mut later, &provider, "sign_ins", ACME).await;
    assert_eq!(user_id(&mut later).await.unwrap(), id);

    // Who signed up with somebody's address and never proved it has nothing of theirs.
    let squatter = server.user("squatter@example.com", PASSWORD).await;
    let body = json!({"user_id": squatter, "email_address": "eve@example.com"});
    server.backend("POST", "/v1/email_addresses", Some(body)).await.expect(200);
    provider.account(json!({"sub": "eve-1", "email": "Eve@example.com", "email_verified": true}));
    let mut eve = server.browser();
    assert_eq!(visit(&mut eve, &provider, "sign_ups", ACME).await, "/done");
    assert_ne!(user_id(&mut eve).await.unwrap(), squatter);
    server.browser().sign_in("eve@example.com", PASSWORD).await.refused(400, "strategy_for_user_invalid", "strategy");
    let them = server.backend("GET", &format!("/v1/users/{squatter}"), None).await;
    assert_eq!(them.expect(200)["external_accounts"], json!([]));
}

#[tokio::test]
async fn fault_046_the_text_false_and_other_values_vouch_for_nothing() {
    let (server, provider) = acme().await;
    server.user("ada@example.com", PASSWORD).await;
    for doubtful in [json!("false"), json!("true"), json!(1), json!(null), json!([true])] {
        provider.account(json!({"sub": "m", "email": "ada@example.com", "email_verified": doubtful}));
        assert_eq!(failure(&server, &provider, ACME).await, "external_account_email_address_verification_required", "{doubtful}");
    }
}

#[tokio::test]
async fn fault_058_and_066_the_way_back_is_for_the_browser_that_set_out() {
    let (server, provider) = acme().await;
    let mut mallory = server.browser();
    let to = way(&set_out(&mut mallory, "sign_ins", ACME).await);
    let path = provider.visit(&to);
    let mut victim = server.browser();
    victim.get(&path).await.refused(400, "oauth_callback_invalid", "");
    set_out(&mut victim, "sign_ins", ACME).await.expect(200);
    victim.get(&path).await.refused(400, "oauth_callback_invalid", "");
    assert!(provider.calls().iter().all(|it| it.path != "POST /token"), "nobody used the code up");
    for (from, into) in [("state=ver_", "state=ver_x"), ("state=", "state=x"), ("&state", "&other")] {
        mallory.get(&path.replace(from, into)).await.refused(400, "oauth_callback_invalid", "");
    }
    let cut = &path[..path.len() - 1];
    mallory.get(cut).await.refused(400, "oauth_callback_invalid", "");
    assert_eq!(back(&mut mallory, &path).await, CALLBACK, "and it still works for who set out");

    // An account is connected by who is signed in, and by nobody else on the same browser.
    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    let to = way(&bob.post("/v1/me/external_accounts", &[("strategy", ACME), ("redirect_url", "/user")]).await);
    let path = provider.visit(&to);
    mallory.get(&path).await.refused(400, "oauth_callback_invalid", "");
    bob.post("/v1/client/sessions?_method=DELETE", &[]).await.expect(200);
    bob.get(&path).await.refused(400, "oauth_callback_invalid", "");
}

#[tokio::test]
async fn fault_059_a_state_works_once_and_soon() {
    let (server, provider) = acme().await;
    let mut ada = server.browser();
    let to = way(&set_out(&mut ada, "sign_ups", ACME).await);
    let path = provider.visit(&to);
    let nodes = server.nodes().await;
    let raced = (0..100).map(|n| {
        let mut tab = ada.clone().on_node(nodes[n % 2]);
        let path = path.clone();
        async move { tab.get(&path).await }
    });
    let answers = futures_util::future::join_all(raced).await;
    let done = answers.iter().filter(|it| it.headers.get("location").is_some_and(|to| to.to_str().unwrap().ends_with("/done"))).count();
    assert_eq!(done, 1);
    assert!(answers.iter().all(|it| it.status < 500), "{:?}", answers.iter().map(|it| it.status).collect::<Vec<_>>());
    assert_eq!(provider.calls().iter().filter(|it| it.path == "POST /token").count(), 1);
    assert_eq!(users(&server).await, 1);

    let mut late = server.browser();
    let to = way(&set_out(&mut late, "sign_ins", ACME).await);
    server.advance(Duration::from_secs(601));
    assert_eq!(back(&mut late, &provider.visit(&to)).await, CALLBACK);
    assert_eq!(client(&mut late).await["sign_in"]["first_factor_verification"]["status"], "expired");
}

#[tokio::test]
async fn fault_060_to_064_what_an_id_token_must_not_say() {
    let (server, provider) = acme().await;
    for lie in [
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", provider.url())}),
        json!({"aud": "another-client"}),
        json!({"aud": [CLIENT_ID, "another"]}),
        json!({"azp": "another"}),
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"exp": 1}),
        json!({"iat": null}),
    ] {
        provider.lie(lie.clone());
        assert_eq!(failure(&server, &provider, ACME).await, "oauth_fetch_user_error", "{lie}");
    }
    provider.lie(json!({}));
    for nobody in [json!(null), json!(""), json!("undefined"), json!("null"), json!(0), json!({})] {
        provider.account(json!({"sub": nobody, "email": "ada@example.com", "email_verified": true}));
        assert_eq!(failure(&server, &provider, ACME).await, "oauth_fetch_user_error", "{nobody}");
    }
    provider.account(ada());
    provider.use_other_key();
    assert_eq!(failure(&server, &provider, ACME).await, "oauth_fetch_user_error", "fault 62");
    provider.use_curve();
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ups", ACME).await, "/done", "ES256 is as good");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn fault_063_a_description_is_of_the_subject_of_the_token() {
    let (server, provider) = acme().await;
    provider.lie(json!({"sub": "somebody-else"}));
    assert_eq!(failure(&server, &provider, ACME).await, "oauth_fetch_user_error", "a token of another subject");
    provider.lie(json!({}));
    for subject in [json!({}), json!({"sub": "eve-1"}), json!({"sub": null}), json!({"sub": "ADA-1"}), json!({"sub": ["ada-1"]})] {
        let mut described = json!({"email": "ada@example.com", "email_verified": true});
        described.as_object_mut().unwrap().extend(subject.as_object().unwrap().clone());
        provider.describe(described);
        assert_eq!(failure(&server, &provider, ACME).await, "oauth_fetch_user_error", "{subject}");
    }
    provider.describe(ada());
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ups", ACME).await, "/done");
    assert_eq!(users(&server).await, 1);
}

#[tokio::test]
async fn fault_060_a_discovery_document_speaks_for_its_own_issuer_only() {
    let (server, provider) = acme().await;
    provider.discovery(json!({"issuer": "https://accounts.google.com"}));
    let mut browser = server.browser();
    set_out(&mut browser, "sign_ins", ACME).await.refused(400, "misconfigured_oauth_provider", "");
}

#[tokio::test]
async fn fault_065_the_same_subject_at_two_providers_is_two_people() {
    let (server, provider) = acme().await;
    let second = Provider::start(json!({"sub": "ada-1", "email": "eve@example.com", "email_verified": true})).await;
    let issuer = second.url();
    server
        .change_settings(|it| _ = it.oauth.insert("custom_other".to_owned(), OAuthConnection { issuer: Some(issuer), ..connection() }))
        .await;
    server.provider_secret("custom_other", CLIENT_SECRET).await;
    let (mut one, mut two) = (server.browser(), server.browser());
    visit(&mut one, &provider, "sign_ups", ACME).await;
    visit(&mut two, &second, "sign_ups", "oauth_custom_other").await;
    assert_ne!(user_id(&mut one).await.unwrap(), user_id(&mut two).await.unwrap());
    // The same connection pointed at another issuer knows nobody.
    let issuer = second.url();
    server.change_settings(|it| it.oauth.get_mut("custom_acme").unwrap().issuer = Some(issuer)).await;
    second.account(json!({"sub": "ada-1", "email": "mallory@example.com", "email_verified": true}));
    let mut three = server.browser();
    assert_eq!(visit(&mut three, &second, "sign_ins", ACME).await, CALLBACK);
    assert_eq!(user_id(&mut three).await, None);
}

#[tokio::test]
async fn fault_067_a_provider_that_is_switched_off_is_trusted_on_no_path() {
    let (server, provider) = acme().await;
    let mut ada = server.browser();
    visit(&mut ada, &provider, "sign_ups", ACME).await;
    let account = ada.get("/v1/me").await.response()["external_accounts"][0]["id"].as_str().unwrap().to_owned();
    let (mut away, mut waiting, mut back_again) = (server.browser(), server.browser(), server.browser());
    let to = way(&set_out(&mut away, "sign_ins", ACME).await);
    visit(&mut waiting, &provider, "sign_ups", ACME).await;
    provider.account(json!({"sub": "new", "email": "new@example.com", "email_verified": true}));
    visit(&mut back_again, &provider, "sign_ins", ACME).await;
    server.change_settings(|it| it.oauth.get_mut("custom_acme").unwrap().enabled = false).await;
    for what in ["sign_ins", "sign_ups"] {
        set_out(&mut server.browser(), what, ACME).await.refused(400, "oauth_provider_not_enabled", "");
        let fields = [("strategy", "oauth_token_custom_acme"), ("token", "x.y.z")];
        server.browser().post(&format!("/v1/client/{what}"), &fields).await.refused(400, "oauth_provider_not_enabled", "");
    }
    assert_eq!(back(&mut away, &provider.visit(&to)).await, CALLBACK);
    assert_eq!(client(&mut away).await["sign_in"]["first_factor_verification"]["error"]["code"], "oauth_provider_not_enabled");
    waiting.post("/v1/client/sign_ins", &[("transfer", "true")]).await.refused(400, "oauth_provider_not_enabled", "");
    back_again.post("/v1/client/sign_ups", &[("transfer", "true")]).await.refused(400, "oauth_provider_not_enabled", "");
    let connect = [("strategy", ACME), ("redirect_url", "/user")];
    ada.post("/v1/me/external_accounts", &connect).await.refused(400, "oauth_provider_not_enabled", "");
    let at = format!("/v1/me/external_accounts/{account}/reauthorize?_method=PATCH");
    ada.post(&at, &connect).await.refused(400, "oauth_provider_not_enabled", "");
    let user = user_id(&mut ada).await.unwrap();
    let tokens = server.backend("GET", &format!("/v1/users/{user}/oauth_access_tokens/{ACME}"), None).await;
    tokens.refused(404, "oauth_token_provider_not_enabled", "");
    let shown = server.browser().get("/v1/environment").await;
    assert_eq!(shown.json["user_settings"]["social"], json!({}));
    assert_eq!(users(&server).await, 1);

    // Switched on for connecting only, it signs nobody in or up.
    server
        .change_settings(|it| {
            (it.oauth.get_mut("custom_acme").unwrap().enabled, it.oauth.get_mut("custom_acme").unwrap().authenticatable) = (true, false)
        })
        .await;
    for what in ["sign_ins", "sign_ups"] {
        set_out(&mut server.browser(), what, ACME).await.refused(400, "oauth_non_authenticatable_provider", "strategy");
    }
    set_out(&mut server.browser(), "sign_ins", "oauth_nobody").await.refused(400, "oauth_unsupported_provider", "");
    set_out(&mut server.browser(), "sign_ins", "oauth_google").await.refused(400, "oauth_provider_not_enabled", "");
    ada.post("/v1/me/external_accounts", &connect).await.expect(200);
}

#[tokio::test]
async fn fault_068_closed_sign_ups_are_closed_to_every_strategy() {
    let (server, provider) = known("google", "https://accounts.google.com", |_| {}).await;
    let (mut away, mut waiting) = (server.browser(), server.browser());
    let to = way(&set_out(&mut away, "sign_ups", "oauth_google").await);
    visit(&mut waiting, &provider, "sign_ins", "oauth_google").await;
    server.change_settings(|it| it.sign_up.mode = SignUpMode::Restricted).await;
    let token = provider.id_token();
    for fields in [
        vec![("strategy", "oauth_google"), ("redirect_url", CALLBACK)],
        vec![("strategy", "google_one_tap"), ("token", token.as_str())],
        vec![("strategy", "oauth_token_google"), ("token", token.as_str())],
        vec![("transfer", "true")],
        vec![("email_address", "ada@example.com"), ("password", PASSWORD)],
    ] {
        waiting.post("/v1/client/sign_ups", &fields).await.refused(403, "sign_up_mode_restricted", "");
    }
    assert_eq!(back(&mut away, &provider.visit(&to)).await, CALLBACK);
    assert_eq!(client(&mut away).await["sign_up"]["verifications"]["external_account"]["error"]["code"], "sign_up_mode_restricted");
    server.browser().post("/v1/client/sign_ins", &[("strategy", "google_one_tap"), ("token", &token)]).await.refused(
        404,
        "external_account_not_found",
        "",
    );
    assert_eq!(users(&server).await, 0);
    // Who has an account still gets in, and is linked by the address.
    server.user("ada@example.com", PASSWORD).await;
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ins", "oauth_google").await, "/done");
}

#[tokio::test]
async fn fault_069_a_hosted_domain_is_checked_and_not_only_hinted_at() {
    let (server, provider) = known("google", "https://accounts.google.com", |it| it.hosted_domain = Some("example.com".to_owned())).await;
    let to = way(&set_out(&mut server.browser(), "sign_ins", "oauth_google").await);
    assert!(to.starts_with("https://accounts.google.com/o/oauth2/v2/auth?") && to.contains("&hd=example.com"), "{to}");
    for wrong in [json!({}), json!({"hd": "evil.example"}), json!({"hd": "sub.example.com"}), json!({"hd": ["example.com"]})] {
        provider.lie(wrong.clone());
        assert_eq!(failure(&server, &provider, "oauth_google").await, "oauth_access_denied", "{wrong}");
    }
    provider.lie(json!({"hd": "example.com"}));
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ups", "oauth_google").await, "/done");
}

#[tokio::test]
async fn fault_070_and_112_no_provider_leads_the_server_inside() {
    // Development instances may call loopback; whatever is called, no redirect of it is followed.
    let (server, provider) = acme().await;
    let mut browser = server.browser();
    let to = way(&set_out(&mut browser, "sign_ins", ACME).await);
    let path = provider.visit(&to);
    let inside = Provider::start(json!({"sub": "root"})).await;
    provider.redirect_to(&format!("{}/token", inside.url()));
    assert_eq!(back(&mut browser, &path).await, CALLBACK);
    let error = client(&mut browser).await["sign_in"]["first_factor_verification"]["error"].clone();
    assert_eq!(error["code"], "oauth_token_exchange_error");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    assert!(inside.calls().is_empty());

    let secret_place = Provider::start(ada()).await;
    let mut options =
        Options { environment: Environment::Production, outbound: doorward_outbound::shared(false).unwrap(), ..Options::default() };
    for (n, issuer) in [secret_place.url(), format!("https://{}", secret_place.at), format!("https://localhost:{}", secret_place.at.port())]
        .into_iter()
        .enumerate()
    {
        let it = OAuthConnection { issuer: Some(issuer), ..connection() };
        options.settings.oauth.insert(format!("custom_{n}"), it);
    }
    let server = TestServer::with(options).await;
    for n in 0..3 {
        server.provider_secret(&format!("custom_{n}"), CLIENT_SECRET).await;
        let refused = set_out(&mut server.browser(), "sign_ins", &format!("oauth_custom_{n}")).await;
        refused.refused(400, "misconfigured_oauth_provider", "");
        assert!(!refused.text.contains("127.0.0.1"), "{}", refused.text);
    }
    assert!(secret_place.calls().is_empty());
}

#[tokio::test]
async fn fault_025_the_banned_and_the_locked_do_not_enter_by_a_provider() {
    let (server, provider) = acme().await;
    let mut ada = server.browser();
    visit(&mut ada, &provider, "sign_ups", ACME).await;
    let id = user_id(&mut ada).await.unwrap();
    server.backend("POST", &format!("/v1/users/{id}/lock"), None).await.expect(200);
    assert_eq!(failure(&server, &provider, ACME).await, "user_locked");
    server.backend("POST", &format!("/v1/users/{id}/unlock"), None).await.expect(200);
    server.backend("POST", &format!("/v1/users/{id}/ban"), None).await.expect(200);
    assert_eq!(failure(&server, &provider, ACME).await, "user_banned");
    let mut other = server.browser();
    visit(&mut other, &provider, "sign_ups", ACME).await;
    other.post("/v1/client/sign_ins", &[("transfer", "true")]).await.refused(403, "user_banned", "");
}

#[tokio::test]
async fn fault_115_and_pitfall_022_browsers_are_sent_to_allowed_pages_only() {
    let (server, provider) = acme().await;
    for bad in
        ["javascript:alert(1)", "https://evil.test/", "//evil.test/x", "http://user@localhost:3000/", "data:text/html,x", "\\\\evil.test"]
    {
        for what in ["sign_ins", "sign_ups"] {
            for (param, other) in [("redirect_url", "action_complete_redirect_url"), ("action_complete_redirect_url", "redirect_url")] {
                let fields = [("strategy", ACME), (param, bad), (other, "/ok")];
                let refused = server.browser().post(&format!("/v1/client/{what}"), &fields).await;
                assert_eq!(
                    (refused.status, refused.json["errors"][0]["meta"]["param_name"].as_str()),
                    (422, Some(param)),
                    "{bad}: {}",
                    refused.text
                );
            }
        }
    }
    server.browser().post("/v1/client/sign_ins", &[("strategy", ACME)]).await.refused(422, "form_param_missing", "redirect_url");
    // Without a page there is nothing to be relative to.
    let mut nowhere = server.browser();
    nowhere.origin = None;
    nowhere.post("/v1/client/sign_ins", &[("strategy", ACME), ("redirect_url", CALLBACK)]).await.refused(
        422,
        "invalid_redirect_url",
        "redirect_url",
    );
    let mut browser = server.browser();
    let fields = [("strategy", ACME), ("redirect_url", "http://localhost:3000/a?b=c#d")];
    let to = way(&browser.post("/v1/client/sign_ins", &fields).await);
    assert_eq!(back(&mut browser, &provider.visit(&to)).await, "/a?b=c#d");
}

#[tokio::test]
async fn a_second_factor_is_still_asked_for_and_the_link_waits_for_it() {
    let (server, provider) = acme().await;
    let id = server.user("ada@example.com", PASSWORD).await;
    let mut own = server.browser();
    own.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let totp = own.post("/v1/me/totp", &[]).await.response().clone();
    let secret = totp_rs::Secret::Encoded(totp["secret"].as_str().unwrap().to_owned()).to_bytes().unwrap();
    let generator = totp_rs::TOTP::new_unchecked(totp_rs::Algorithm::SHA1, 6, 1, 30, secret, None, String::new());
    let now = u64::try_from(doorward_testkit::START / 1000).unwrap();
    own.post("/v1/me/totp/attempt_verification", &[("code", &generator.generate(now))]).await.expect(200);
    server.advance(Duration::from_secs(60));
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ins", ACME).await, CALLBACK);
    let waiting = client(&mut ada).await["sign_in"].clone();
    assert_eq!((&waiting["status"], &waiting["first_factor_verification"]["status"]), (&json!("needs_second_factor"), &json!("verified")));
    let shown = server.backend("GET", &format!("/v1/users/{id}"), None).await;
    assert_eq!(shown.expect(200)["external_accounts"], json!([]));
    let at = format!("/v1/client/sign_ins/{}/attempt_second_factor", waiting["id"].as_str().unwrap());
    let done = ada.post(&at, &[("strategy", "totp"), ("code", &generator.generate(now + 60))]).await;
    assert_eq!(done.response()["status"], "complete", "{}", done.text);
    let shown = server.backend("GET", &format!("/v1/users/{id}"), None).await;
    assert_eq!(shown.expect(200)["external_accounts"][0]["provider_user_id"], "ada-1", "and comes with the last proof");
}

#[tokio::test]
async fn a_link_that_waited_in_vain_is_not_made() {
    let (server, provider) = acme().await;
    let id = server.user("ada@example.com", PASSWORD).await;
    let codes = json!({"totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "backup_codes": ["abcdefgh12345678"]});
    server.backend("PATCH", &format!("/v1/users/{id}"), Some(codes)).await.expect(200);
    let mut ada = server.browser();
    visit(&mut ada, &provider, "sign_ins", ACME).await;
    let waiting = client(&mut ada).await["sign_in"].clone();
    // The address goes to somebody else before the second proof.
    let body = json!({"email_address": "new@example.com"});
    server.backend("PUT", &format!("/v1/users/{id}/email_address"), Some(body)).await.expect(200);
    let at = format!("/v1/client/sign_ins/{}/attempt_second_factor", waiting["id"].as_str().unwrap());
    let done = ada.post(&at, &[("strategy", "backup_code"), ("code", "abcdefgh12345678")]).await;
    assert_eq!(done.response()["status"], "complete", "{}", done.text);
    let shown = server.backend("GET", &format!("/v1/users/{id}"), None).await;
    assert_eq!(shown.expect(200)["external_accounts"], json!([]));
}

#[tokio::test]
async fn fault_057_others_guesses_do_not_keep_anybody_from_their_provider_and_a_servers_lock_does() {
    let (server, provider) = acme_with(|it| it.attack_protection.max_attempts = 3).await;
    let id = server.user("ada@example.com", PASSWORD).await;
    for _ in 0..3 {
        server.browser().sign_in("ada@example.com", "wrong horse").await;
    }
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "user_locked", "");
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ins", ACME).await, "/done");
    server.backend("POST", &format!("/v1/users/{id}/lock"), None).await.expect(200);
    assert_eq!(failure(&server, &provider, ACME).await, "user_locked");
}

#[tokio::test]
async fn whoever_is_signed_in_already_is_told_by_which_session() {
    let (server, provider) = acme_with(|it| it.session.single_session = false).await;
    let mut ada = server.browser();
    visit(&mut ada, &provider, "sign_ups", ACME).await;
    let session = ada.session_id().await.unwrap();
    assert_eq!(visit(&mut ada, &provider, "sign_ins", ACME).await, CALLBACK);
    let error = client(&mut ada).await["sign_in"]["first_factor_verification"]["error"].clone();
    assert_eq!((&error["code"], &error["meta"]["session_id"]), (&json!("identifier_already_signed_in"), &json!(session)));
    assert_eq!(client(&mut ada).await["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_person_may_say_no() {
    let (server, provider) = acme().await;
    let mut ada = server.browser();
    let to = way(&set_out(&mut ada, "sign_ups", ACME).await);
    let path = provider.visit(&to).replace("code=code-0", "error=access_denied");
    assert_eq!(back(&mut ada, &path).await, CALLBACK);
    let verification = client(&mut ada).await["sign_up"]["verifications"]["external_account"].clone();
    assert_eq!((&verification["status"], &verification["error"]["code"]), (&json!("failed"), &json!("oauth_access_denied")));
    // And then go on with the same sign-up another way.
    let id = client(&mut ada).await["sign_up"]["id"].as_str().unwrap().to_owned();
    let again = ada.post(&format!("/v1/client/sign_ups/{id}?_method=PATCH"), &[("strategy", ACME), ("redirect_url", CALLBACK)]).await;
    assert_eq!(back(&mut ada, &provider.visit(&way(&again))).await, CALLBACK);
    assert_eq!(client(&mut ada).await["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_gives_up_at_a_provider_signs_up_otherwise() {
    let (server, provider) = acme_with(|it| it.attributes.password = Presence::Required).await;
    for gave_up in ["came back", "stayed away"] {
        let mut ada = server.browser();
        let to = way(&set_out(&mut ada, "sign_ups", ACME).await);
        if gave_up == "came back" {
            back(&mut ada, &provider.visit(&to).replace("code=code-0", "error=access_denied")).await;
        }
        let at = format!("/v1/client/sign_ups/{}", client(&mut ada).await["sign_up"]["id"].as_str().unwrap());
        let email = format!("{}@example.com", gave_up.replace(' ', "."));
        ada.post(&format!("{at}?_method=PATCH"), &[("email_address", &email), ("password", PASSWORD)]).await.expect(200);
        ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
        let code = server.code_for(&email).await;
        let done = ada.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
        assert_eq!(done.response()["status"], "complete", "{gave_up}: {}", done.text);
    }
}

#[tokio::test]
async fn a_provider_without_a_secret_is_said_to_be_so_before_anybody_leaves() {
    let server = TestServer::with_settings(|it| _ = it.oauth.insert("github".to_owned(), connection())).await;
    set_out(&mut server.browser(), "sign_ins", "oauth_github").await.refused(400, "oauth_config_missing", "");
    let social = server.browser().get("/v1/environment").await.json["user_settings"]["social"].clone();
    assert_eq!(social["oauth_github"]["name"], "GitHub");
    assert_eq!(social["oauth_github"]["strategy"], "oauth_github");
}

#[tokio::test]
async fn a_popup_comes_back_to_a_page_of_ours_that_knows_whom_to_tell() {
    let (server, provider) = acme().await;
    for (path, query) in [("/v1/auth-popup-callback", "?state=abc"), ("/popup-callback", "")] {
        let ours = format!("http://{}{path}{query}", server.public);
        let back_to = format!("{ours}{}return_url=http%3A%2F%2Flocalhost%3A3000%2Fsso", if query.is_empty() { "?" } else { "&" });
        let mut ada = server.browser();
        let fields = [("strategy", ACME), ("redirect_url", back_to.as_str()), ("action_complete_redirect_url", ours.as_str())];
        let told = async |browser: &mut Browser, path: &str| -> (String, HashMap<String, String>) {
            let answer = browser.get(path).await;
            let to = url::Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
            (to.path().to_owned(), to.query_pairs().into_owned().collect())
        };
        let to = way(&ada.post("/v1/client/sign_ins", &fields).await);
        let (at, said) = told(&mut ada, &provider.visit(&to)).await;
        if path == "/v1/auth-popup-callback" {
            // Nobody yet: the page goes on where it wanted to.
            assert_eq!((at.as_str(), said["opener"].as_str(), said["state"].as_str()), (path, ORIGIN, "abc"));
            assert_eq!((said["return_url"].as_str(), said.get("__clerk_created_session")), ("http://localhost:3000/sso", None));
            ada.post("/v1/client/sign_ups", &[("transfer", "true")]).await.expect(200);
            continue;
        }
        let session = ada.session_id().await.unwrap();
        assert_eq!((at.as_str(), said["opener"].as_str(), said.get("return_url")), (path, ORIGIN, None));
        assert_eq!(said["__clerk_created_session"], session);
    }
}
