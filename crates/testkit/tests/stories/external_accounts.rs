//! Accounts at other providers that belong to somebody already: connected, asked once more, given up; and what a server
//! gets of them.

use doorward_store::Sql;
use doorward_testkit::social::*;
use doorward_testkit::{Answer, Browser, Provider, TestServer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery";
const ACCOUNTS: &str = "/v1/me/external_accounts";

/// Somebody who signs in with a password.
async fn signed_in(server: &TestServer, email: &str) -> (Browser, String) {
    let id = server.user(email, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(email, PASSWORD).await.expect(200);
    (browser, id)
}

async fn begin(browser: &mut Browser, more: &[(&str, &str)]) -> Answer {
    let fields = [("strategy", ACME), ("redirect_url", "/user"), ("action_complete_redirect_url", "/done")];
    browser.post(ACCOUNTS, &[&fields, more].concat()).await
}

/// Connects an account, and comes back.
async fn connect(browser: &mut Browser, provider: &Provider) -> String {
    let to = way(&begin(browser, &[]).await);
    back(browser, &provider.visit(&to)).await
}

async fn accounts(browser: &mut Browser) -> Vec<Value> {
    browser.get("/v1/me").await.response()["external_accounts"].as_array().unwrap().clone()
}

fn asked(to: &str) -> HashMap<String, String> {
    url::Url::parse(to).unwrap().query_pairs().into_owned().collect()
}

/// The code of what an account failed with.
fn error(account: &Value) -> (&str, &str) {
    let verification = &account["verification"];
    (verification["status"].as_str().unwrap(), verification["error"]["code"].as_str().unwrap())
}

async fn tokens(server: &TestServer, user: &str) -> Answer {
    server.backend("GET", &format!("/v1/users/{user}/oauth_access_tokens/{ACME}"), None).await
}

#[tokio::test]
async fn an_account_is_connected_signs_its_user_in_and_vouches_for_the_address() {
    let (server, provider) = acme().await;
    let (mut ada, id) = signed_in(&server, "ada@example.com").await;
    let begun = begin(&mut ada, &[("additional_scope", "calendar"), ("oidc_prompt", "consent"), ("oidc_login_hint", "ada")]).await;
    let sent = asked(&way(&begun));
    assert_eq!((sent["scope"].as_str(), sent["prompt"].as_str()), ("openid profile email calendar", "consent"));
    assert_eq!(sent["login_hint"], "ada");
    assert_eq!(accounts(&mut ada).await[0]["verification"]["status"], "unverified");
    // Begun again, there is one of them.
    assert_eq!(connect(&mut ada, &provider).await, "/done");
    let all = accounts(&mut ada).await;
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["verification"]["status"], &all[0]["verification"]["error"]), (&json!("verified"), &Value::Null));
    assert_eq!((&all[0]["provider_user_id"], &all[0]["approved_scopes"]), (&json!("ada-1"), &json!("openid profile email")));
    let email = ada.get("/v1/me").await.response()["email_addresses"][0].clone();
    assert_eq!(email["linked_to"], json!([{"type": ACME, "id": all[0]["identification_id"]}]));
    let at = format!("/v1/email_addresses/{}", email["id"].as_str().unwrap());
    assert_eq!(server.backend("GET", &at, None).await.expect(200)["linked_to"], email["linked_to"]);

    // It is connected by its subject, whatever address the provider names later.
    provider.account(json!({"sub": "ada-1", "email": "other@example.com", "email_verified": true}));
    let mut later = server.browser();
    assert_eq!(visit(&mut later, &provider, "sign_ins", ACME).await, "/done");
    assert_eq!(user_id(&mut later).await.unwrap(), id);
    assert_eq!(later.get("/v1/me").await.response()["email_addresses"][0]["linked_to"], json!([]), "it names another address now");

    // The same account once more is the same account. The one that comes later is listed later.
    server.advance(Duration::from_secs(1));
    assert_eq!(connect(&mut ada, &provider).await, "/done");
    let all = accounts(&mut ada).await;
    assert_eq!(error(&all[1]), ("failed", "oauth_account_already_connected"));
    assert_eq!((all.len(), all[0]["verification"]["status"].as_str()), (2, Some("verified")));
}

#[tokio::test]
async fn an_address_that_an_account_vouches_for_is_not_replaced_before_the_account_is_gone() {
    let (server, provider) = acme().await;
    let (mut ada, id) = signed_in(&server, "ada@example.com").await;
    connect(&mut ada, &provider).await;
    server.advance(Duration::from_secs(1));
    let replace = async |address: &str| {
        server.backend("PUT", &format!("/v1/users/{id}/email_address"), Some(json!({"email_address": address}))).await
    };
    replace("new@example.com").await.refused(400, "identification_update_failed", "email_address");
    let user = server.backend("GET", &format!("/v1/users/{id}"), None).await.expect(200).clone();
    assert_eq!(user["email_addresses"][0]["email_address"], "ada@example.com", "nothing has changed");
    replace("ada@example.com").await.expect(200);
    let account = user["external_accounts"][0]["id"].as_str().unwrap();
    server.backend("DELETE", &format!("/v1/users/{id}/external_accounts/{account}"), None).await.expect(200);
    assert_eq!(replace("new@example.com").await.expect(200)["email_address"], "new@example.com");
}

#[tokio::test]
async fn an_address_is_linked_only_where_both_sides_have_proven_it() {
    let (server, provider) = acme().await;
    let (mut ada, _) = signed_in(&server, "ada@example.com").await;
    provider.account(json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": false}));
    connect(&mut ada, &provider).await;
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!(me["external_accounts"][0]["verification"]["status"], "verified");
    assert_eq!(me["email_addresses"][0]["linked_to"], json!([]));
}

#[tokio::test]
async fn a_connected_account_brings_the_address_that_its_provider_has_proven() {
    let (server, provider) = acme().await;
    let (mut bob, _) = signed_in(&server, "bob@example.com").await;
    server.advance(Duration::from_secs(1));
    bob.post("/v1/me/email_addresses", &[("email_address", "robert@example.com")]).await.expect(200);
    server.advance(Duration::from_secs(1));
    for (subject, address) in [("bob-1", "robert@example.com"), ("bob-2", "rob@example.com")] {
        provider.account(json!({"sub": subject, "email": address, "email_verified": true}));
        connect(&mut bob, &provider).await;
    }
    let me = bob.get("/v1/me").await.response().clone();
    let addresses = me["email_addresses"].as_array().unwrap();
    let proven = |it: &Value| (it["email_address"].clone(), it["verification"]["status"].clone(), it["verification"]["strategy"].clone());
    let by = format!("from_{ACME}");
    assert_eq!(
        addresses.iter().map(proven).collect::<Vec<_>>()[1..],
        [(json!("robert@example.com"), json!("verified"), json!(by)), (json!("rob@example.com"), json!("verified"), json!(by)),]
    );
    assert_eq!((addresses[1]["linked_to"][0]["type"].as_str(), addresses[2]["linked_to"].as_array().unwrap().len()), (Some(ACME), 1));
    assert_eq!(me["primary_email_address_id"], addresses[0]["id"], "the primary one stays");
    let mut later = server.browser();
    later.sign_in("rob@example.com", PASSWORD).await.expect(200);

    // Given up, it does not come back when its provider is asked for more.
    bob.post(&format!("/v1/me/email_addresses/{}?_method=DELETE", addresses[2]["id"].as_str().unwrap()), &[]).await.expect(200);
    let account = me["external_accounts"].as_array().unwrap().iter().find(|it| it["provider_user_id"] == "bob-2").unwrap();
    let at = format!("{ACCOUNTS}/{}/reauthorize?_method=PATCH", account["id"].as_str().unwrap());
    let asked = bob.post(&at, &[("redirect_url", "/user"), ("action_complete_redirect_url", "/done")]).await;
    assert_eq!(back(&mut bob, &provider.visit(&way(&asked))).await, "/done");
    assert_eq!(bob.get("/v1/me").await.response()["email_addresses"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn fault_045_a_connected_account_brings_no_address_that_is_not_proven_or_is_somebody_else_s() {
    let (server, provider) = acme().await;
    server.user("eve@example.com", PASSWORD).await;
    let (mut bob, _) = signed_in(&server, "bob@example.com").await;
    for (subject, address, verified) in [
        ("bob-1", json!("robert@example.com"), json!(false)),
        ("bob-2", json!("rob@example.com"), json!("true ")),
        ("bob-3", json!("EVE@example.com"), json!(true)),
        ("bob-4", Value::Null, json!(true)),
    ] {
        provider.account(json!({"sub": subject, "email": address, "email_verified": verified}));
        connect(&mut bob, &provider).await;
    }
    let me = bob.get("/v1/me").await.response().clone();
    let status = |it: &Value| it["verification"]["status"].clone();
    assert_eq!(
        me["external_accounts"].as_array().unwrap().iter().map(status).collect::<Vec<_>>(),
        vec![json!("verified"); 4],
        "all are connected"
    );
    assert_eq!(me["email_addresses"].as_array().unwrap().len(), 1, "{me}");

    // Where the instance's lists keep an address out, it stays out.
    server.backend("POST", "/v1/blocklist_identifiers", Some(json!({"identifier": "*@spam.example"}))).await.expect(200);
    server.change_settings(|s| s.restrictions.blocklist = true).await;
    provider.account(json!({"sub": "bob-5", "email": "bob@spam.example", "email_verified": true}));
    connect(&mut bob, &provider).await;
    let me = bob.get("/v1/me").await.response().clone();
    assert_eq!((me["external_accounts"].as_array().unwrap().len(), me["email_addresses"].as_array().unwrap().len()), (5, 1));
}

#[tokio::test]
async fn fault_066_an_account_that_is_somebody_else_s_stays_theirs() {
    let (server, provider) = acme().await;
    let (mut ada, id) = signed_in(&server, "ada@example.com").await;
    connect(&mut ada, &provider).await;
    let (mut bob, _) = signed_in(&server, "bob@example.com").await;
    connect(&mut bob, &provider).await;
    let all = accounts(&mut bob).await;
    assert_eq!(error(&all[0]), ("failed", "oauth_identification_claimed"));
    assert_eq!((&all[0]["provider_user_id"], &all[0]["email_address"]), (&json!(""), &json!("")), "nothing of the other shows");
    let mut real = server.browser();
    visit(&mut real, &provider, "sign_ins", ACME).await;
    assert_eq!(user_id(&mut real).await.unwrap(), id);

    // Accounts are named by their own user only.
    let theirs = accounts(&mut ada).await[0]["id"].as_str().unwrap().to_owned();
    let at = format!("{ACCOUNTS}/{theirs}");
    bob.post(&format!("{at}/reauthorize?_method=PATCH"), &[("redirect_url", "/user")]).await.refused(404, "resource_not_found", "");
    bob.post(&format!("{at}?_method=DELETE"), &[]).await.refused(404, "resource_not_found", "");
    bob.post(&format!("{at}/tokens?_method=DELETE"), &[]).await.refused(404, "resource_not_found", "");
    assert_eq!(accounts(&mut ada).await[0]["verification"]["status"], "verified");
}

/// The same without a password, which would be the most of a hundred.
async fn signed_in_by_ticket(server: &TestServer, email: &str) -> Browser {
    let body = json!({"email_address": [email], "skip_password_requirement": true});
    let user = server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].clone();
    let ticket = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await.expect(200)["token"].clone();
    let mut browser = server.browser();
    browser.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", ticket.as_str().unwrap())]).await.expect(200);
    browser
}

#[tokio::test]
async fn fault_134_of_a_hundred_who_connect_one_account_at_once_one_has_it() {
    let (server, provider) = acme().await;
    let nodes = server.nodes().await;
    let mut ready = Vec::new();
    for n in 0..100 {
        let mut browser = signed_in_by_ticket(&server, &format!("u{n}@example.com")).await;
        let path = provider.visit(&way(&begin(&mut browser, &[]).await));
        ready.push((browser.on_node(nodes[n % 2]), path));
    }
    let all = futures_util::future::join_all(ready.into_iter().map(|(mut browser, path)| async move {
        back(&mut browser, &path).await;
        accounts(&mut browser).await.remove(0)
    }));
    let all = all.await;
    let (won, lost): (Vec<_>, Vec<_>) = all.iter().partition(|it| it["verification"]["status"] == "verified");
    assert_eq!((won.len(), lost.len()), (1, 99), "{all:?}");
    for account in lost {
        assert_eq!(error(account), ("failed", "oauth_identification_claimed"));
    }
}

#[tokio::test]
async fn a_provider_is_asked_for_more_and_answers_for_the_same_account() {
    let (server, provider) = acme().await;
    let (mut ada, user) = signed_in(&server, "ada@example.com").await;
    provider.token(json!({"access_token": "first", "refresh_token": "refresh-1", "scope": "openid email"}));
    connect(&mut ada, &provider).await;
    let account = accounts(&mut ada).await[0].clone();
    assert_eq!(account["approved_scopes"], "openid email");
    let at = format!("{ACCOUNTS}/{}/reauthorize?_method=PATCH", account["id"].as_str().unwrap());
    let fields = [("redirect_url", "/user"), ("additional_scope", "calendar"), ("action_complete_redirect_url", "/done")];
    let again = ada.post(&at, &fields).await;
    let to = way(&again);
    assert_eq!(again.response()["id"], account["id"]);
    assert_eq!(asked(&to)["scope"], "openid profile email calendar");
    assert_eq!(accounts(&mut ada).await[0]["verification"]["status"], "verified", "it stays connected meanwhile");
    provider.token(json!({"access_token": "second", "scope": "openid email calendar"}));
    assert_eq!(back(&mut ada, &provider.visit(&to)).await, "/done");
    let after = accounts(&mut ada).await;
    assert_eq!((after.len(), &after[0]["id"], &after[0]["approved_scopes"]), (1, &account["id"], &json!("openid email calendar")));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "second");

    // Somebody else at the provider does not take its place, and a no changes nothing.
    provider.token(json!({"access_token": "third"}));
    provider.account(json!({"sub": "eve-1", "email": "eve@example.com", "email_verified": true}));
    let to = way(&ada.post(&at, &fields).await);
    back(&mut ada, &provider.visit(&to)).await;
    let after = accounts(&mut ada).await;
    assert_eq!(error(&after[0]), ("verified", "external_account_not_found"));
    assert_eq!(after[0]["provider_user_id"], "ada-1");
    let to = way(&ada.post(&at, &fields).await);
    back(&mut ada, &provider.visit(&to).replace("code=code-", "error=access_denied&x=")).await;
    assert_eq!(error(&accounts(&mut ada).await[0]), ("verified", "oauth_access_denied"));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "second");
    ada.post(&at, &[]).await.refused(422, "form_param_missing", "redirect_url");
}

#[tokio::test]
async fn an_account_is_disconnected_unless_it_is_the_only_way_in() {
    let (server, provider) = acme_with(|it| {
        it.attributes.email_code = false;
        it.attributes.password = doorward_core::settings::Presence::Optional;
    })
    .await;
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ups", ACME).await, "/done");
    let account = accounts(&mut ada).await[0]["id"].as_str().unwrap().to_owned();
    let at = format!("{ACCOUNTS}/{account}?_method=DELETE");
    ada.post(&at, &[]).await.refused(422, "form_data_missing", "");
    ada.post("/v1/me/change_password", &[("new_password", PASSWORD)]).await.expect(200);
    let gone = ada.post(&at, &[]).await;
    assert_eq!(gone.response(), &json!({"object": "external_account", "id": account, "deleted": true}));
    assert_eq!(accounts(&mut ada).await, Vec::<Value>::new());
    ada.post(&at, &[]).await.refused(404, "resource_not_found", "");
    let rows = server.app.db.all(Sql::new("SELECT id FROM external_accounts")).await.unwrap();
    assert_eq!(rows.len(), 0, "its tokens went with it");

    // A server takes even the only way away, of the user that it names.
    let mut bob = server.browser();
    provider.account(json!({"sub": "bob-1", "email": "bob@example.com", "email_verified": true}));
    visit(&mut bob, &provider, "sign_ups", ACME).await;
    let (ada, user) = (user_id(&mut ada).await.unwrap(), user_id(&mut bob).await.unwrap());
    let account = accounts(&mut bob).await[0]["id"].as_str().unwrap().to_owned();
    let of = |user: &str| format!("/v1/users/{user}/external_accounts/{account}");
    server.backend("DELETE", &of(&ada), None).await.refused(404, "resource_not_found", "");
    let gone = server.backend("DELETE", &of(&user), None).await;
    assert_eq!(gone.expect(200), &json!({"object": "external_account", "id": account, "deleted": true}));
    server.backend("DELETE", &of(&user), None).await.refused(404, "resource_not_found", "");
    assert_eq!(accounts(&mut bob).await, Vec::<Value>::new());
}

#[tokio::test]
async fn tokens_are_kept_sealed_and_renewed_when_they_end() {
    let (server, provider) = acme().await;
    let (mut ada, user) = signed_in(&server, "ada@example.com").await;
    provider.token(json!({"access_token": "access-secret", "refresh_token": "refresh-1", "expires_in": 3600, "scope": "openid,email"}));
    connect(&mut ada, &provider).await;
    let rows = server.app.db.all(Sql::new("SELECT tokens FROM external_accounts")).await.unwrap();
    let raw = rows[0].text("tokens").unwrap();
    assert!(!raw.is_empty() && !raw.contains("access-secret") && !raw.contains("refresh-1"), "{raw}");
    let one = tokens(&server, &user).await;
    let it = &one.expect(200)[0];
    assert_eq!((&it["object"], &it["token"], &it["provider"]), (&json!("oauth_access_token"), &json!("access-secret"), &json!(ACME)));
    assert_eq!((&it["scopes"], &it["provider_user_id"]), (&json!(["openid", "email"]), &json!("ada-1")));
    assert_eq!(it["expires_at"], doorward_testkit::START + 3_600_000);
    assert!(it["id_token"].as_str().unwrap().starts_with("ey"));
    assert!(!ada.get("/v1/me").await.text.contains("access-secret"), "browsers get none");
    // With and without the prefix, and page by page.
    let short = server.backend("GET", &format!("/v1/users/{user}/oauth_access_tokens/custom_acme?paginated=true"), None).await;
    assert_eq!((&short.expect(200)["total_count"], &short.json["data"][0]["token"]), (&json!(1), &json!("access-secret")));
    let asked = |provider: &Provider| provider.calls().iter().filter(|it| it.path == "POST /token").count();
    assert_eq!(asked(&provider), 1, "a token that is good is not renewed");

    server.advance(Duration::from_secs(3_541));
    provider.token(json!({"access_token": "renewed", "expires_in": 3600}));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "renewed");
    let call = provider.calls().into_iter().rfind(|it| it.path == "POST /token").unwrap();
    assert_eq!((call.fields["grant_type"].as_str(), call.fields["refresh_token"].as_str()), ("refresh_token", "refresh-1"));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "renewed");
    assert_eq!(asked(&provider), 2, "and what was renewed is kept");

    // The provider does not renew it; nothing that is over is handed out.
    server.advance(Duration::from_secs(3_600));
    provider.token(json!({"access_token": "again", "refresh_token": "refresh-2", "expires_in": 1800}));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "again");
    server.advance(Duration::from_secs(3_600));
    tokens(&server, &user).await.refused(400, "oauth_token_retrieval_error", "");
    // One that came without the means to renew it.
    provider.account(json!({"sub": "bob-1", "email": "bob@example.com", "email_verified": true}));
    provider.token(json!({"access_token": "short", "expires_in": 60}));
    provider.lie(json!({"exp": doorward_testkit::START / 1000 + 86_400}));
    let (mut bob, other) = signed_in(&server, "bob@example.com").await;
    connect(&mut bob, &provider).await;
    tokens(&server, &other).await.refused(422, "oauth_missing_refresh_token", "");
}

#[tokio::test]
async fn a_refresh_token_is_sent_once_however_many_ask_at_once() {
    let (server, provider) = acme().await;
    let (mut ada, user) = signed_in(&server, "ada@example.com").await;
    let everybody = async |many: usize| futures_util::future::join_all((0..many).map(|_| tokens(&server, &user))).await;
    let asked = || provider.calls().iter().filter(|it| it.path == "POST /token").count();
    provider.token(json!({"access_token": "first", "refresh_token": "refresh-1", "expires_in": 3600}));
    connect(&mut ada, &provider).await;
    server.advance(Duration::from_secs(3_600));
    let before = asked();
    provider.token(json!({"access_token": "second", "expires_in": 3600}));
    for got in everybody(20).await {
        assert_eq!(got.expect(200)[0]["token"], "second");
    }
    assert_eq!(asked() - before, 1);

    // Whoever claimed a renewal and died holds nobody up for longer than half a minute.
    server.advance(Duration::from_secs(3_600));
    let died = format!("UPDATE external_accounts SET renewing_until = {}", server.app.clock.now() + 30_000);
    server.app.db.exec(Sql::new(died)).await.unwrap();
    server.advance(Duration::from_secs(30));
    provider.token(json!({"access_token": "third", "refresh_token": "refresh-2", "expires_in": 3600}));
    assert_eq!(tokens(&server, &user).await.expect(200)[0]["token"], "third");

    // A refusal is one for all who wait, and the next may try.
    server.advance(Duration::from_secs(3_600));
    for got in everybody(5).await {
        got.refused(400, "oauth_token_retrieval_error", "");
    }
    let before = asked();
    tokens(&server, &user).await.refused(400, "oauth_token_retrieval_error", "");
    assert_eq!(asked() - before, 1);
}

#[tokio::test]
async fn tokens_are_given_up_here_and_at_the_provider() {
    let (server, provider) = known("google", "https://accounts.google.com", |_| {}).await;
    provider.token(json!({"access_token": "access-secret", "refresh_token": "refresh-1"}));
    let mut ada = server.browser();
    assert_eq!(visit(&mut ada, &provider, "sign_ups", "oauth_google").await, "/done");
    let user = user_id(&mut ada).await.unwrap();
    let at = format!("{ACCOUNTS}/{}/tokens?_method=DELETE", accounts(&mut ada).await[0]["id"].as_str().unwrap());
    assert_eq!(ada.post(&at, &[]).await.response()["id"], user.as_str());
    let told = provider.calls().into_iter().find(|it| it.path == "POST /oauth2.googleapis.com/revoke").unwrap();
    assert_eq!(told.fields["token"], "refresh-1");
    let listed = server.backend("GET", &format!("/v1/users/{user}/oauth_access_tokens/oauth_google"), None).await;
    assert_eq!(listed.expect(200), &json!([]));
    ada.post(&at, &[]).await.refused(422, "oauth_missing_access_token", "");
    // The account stays, and signs in.
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ins", "oauth_google").await, "/done");
}

#[tokio::test]
async fn who_named_an_account_goes_on_with_its_provider_and_comes_back_as_the_same() {
    let (server, provider) = acme().await;
    let (mut own, id) = signed_in(&server, "ada@example.com").await;
    let named = async |browser: &mut Browser| {
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", "ada@example.com")]).await;
        format!("/v1/client/sign_ins/{}/prepare_first_factor", begun.response()["id"].as_str().unwrap())
    };
    let prepare = [("strategy", ACME), ("redirect_url", CALLBACK), ("action_complete_redirect_url", "/done")];
    let mut ada = server.browser();
    let at = named(&mut ada).await;
    ada.post(&at, &prepare).await.refused(400, "strategy_for_user_invalid", "strategy");
    connect(&mut own, &provider).await;
    let to = way(&ada.post(&at, &prepare).await);
    assert_eq!(ada.get("/v1/client").await.response()["sign_in"]["status"], "needs_first_factor");
    // Somebody else at the provider is nobody here, and a password still does.
    provider.account(json!({"sub": "eve-1", "email": "eve@example.com", "email_verified": true}));
    assert_eq!(back(&mut ada, &provider.visit(&to)).await, CALLBACK);
    assert_eq!(user_id(&mut ada).await, None);
    let verification = ada.get("/v1/client").await.response()["sign_in"]["first_factor_verification"].clone();
    assert_eq!(verification["status"], "failed", "{verification}");
    provider.account(doorward_testkit::social::ada());
    let to = way(&ada.post(&at, &prepare).await);
    assert_eq!(back(&mut ada, &provider.visit(&to)).await, "/done");
    assert_eq!(user_id(&mut ada).await.unwrap(), id);

    // Nobody proves again by a provider that they are still there: the protocol has no such thing.
    let session = ada.session_id().await.unwrap();
    let verify = format!("/v1/client/sessions/{session}/verify");
    let begun = ada.post(&verify, &[("level", "first_factor")]).await;
    let offered = begun.response()["supported_first_factors"].as_array().unwrap().clone();
    assert!(offered.iter().all(|it| it["strategy"] != ACME), "{offered:?}");
    let refused = ada.post(&format!("{verify}/prepare_first_factor"), &prepare).await;
    assert!((400..500).contains(&refused.status), "{}", refused.text);
    let verification = ada.get("/v1/client").await.response()["sessions"][0]["factor_verification_age"].clone();
    assert_eq!(verification, json!([0, -1]));
}
