//! Two instances on one server: neither sees, or changes, anything of the other's.

mod fields;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::Secret;
use doorward_core::instance::CreatedInstance;
use doorward_core::settings::Presence;
use doorward_store::external_accounts::{self, ExternalAccountRecord};
use doorward_testkit::{Answer, Authenticator, Browser, DeviceKey, ORIGIN, START, TestServer};
use doorward_wire::Auth;
use serde_json::{Value, json};

const OTHER: &str = "other.example.test";
const PASSWORD: &str = "correct horse";

/// A user of an instance.
async fn user_of(server: &TestServer, key: &Secret, email: &str) -> String {
    let body = json!({"email_address": [email], "password": PASSWORD, "private_metadata": {"of": email}});
    let made = server.backend_as(key, "POST", "/v1/users", Some(body)).await;
    made.expect(200)["id"].as_str().unwrap().to_owned()
}

/// What an agent is to do as a user.
fn agent_task(user: &str) -> Value {
    json!({
        "on_behalf_of": {"user_id": user}, "permissions": "*", "agent_name": "a", "task_description": "b", "redirect_url": ORIGIN,
    })
}

async fn two() -> (TestServer, CreatedInstance) {
    let server = TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Optional;
        s.attributes.passkey = true;
        s.native.trusted_devices = true;
        s.attributes.web3_wallet = Presence::Optional;
    })
    .await;
    let other = server.another_instance(OTHER).await;
    (server, other)
}

/// A passkey of who is signed in.
async fn passkey_of(browser: &mut Browser) -> String {
    let begun = browser.post("/v1/me/passkeys", &[]).await.response().clone();
    let made = Authenticator::default().create(&begun["verification"]["nonce"]);
    let id = begun["id"].as_str().unwrap().to_owned();
    browser.post(&format!("/v1/me/passkeys/{id}/attempt_verification"), &[("public_key_credential", &made)]).await.expect(200);
    id
}

/// An account of a user at another provider.
async fn account_of(server: &TestServer, user: &str) -> String {
    let account = ExternalAccountRecord {
        id: "eac_1".into(),
        user_id: user.into(),
        identification_id: "idn_eac_1".into(),
        strategy: "oauth_google".to_owned(),
        issuer: "https://accounts.google.com".to_owned(),
        subject: "1".to_owned(),
        status: "verified".to_owned(),
        created_at: START,
        updated_at: START,
        ..ExternalAccountRecord::default()
    };
    let mut tx = server.app.db.begin().await.unwrap();
    assert!(external_accounts::insert(&mut tx, &server.instance.id, &account).await.unwrap());
    tx.commit().await.unwrap();
    account.id.to_string()
}

/// A wallet that who is signed in says to have.
async fn wallet_of(browser: &mut Browser) -> String {
    let made = browser.post("/v1/me/web3_wallets", &[("web3_wallet", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")]).await;
    made.response()["id"].as_str().unwrap().to_owned()
}

/// A device of who is signed in.
async fn device_of(browser: &mut Browser) -> String {
    let key = DeviceKey::default();
    let jwk = key.jwk();
    let about = [("platform", "ios"), ("app_identifier", "com.example.app"), ("algorithm", "ES256"), ("public_key_jwk", jwk.as_str())];
    let asked = browser.post("/v1/me/trusted_devices/prepare", &about).await;
    let text = asked.response()["client_data"].as_str().unwrap();
    let signature = key.sign(text);
    let fields = [&about[..], &[("client_data", text), ("signature", &signature)]].concat();
    browser.post("/v1/me/trusted_devices/attempt", &fields).await.response()["id"].as_str().unwrap().to_owned()
}

fn session_token(answer: &Answer) -> String {
    answer.json["jwt"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// Everything of instance A that a caller could see through the Backend API.
async fn seen(server: &TestServer, user: &str, session: &str, client: &str) -> Vec<Value> {
    let mut out = Vec::new();
    for path in
        [format!("/v1/users/{user}"), format!("/v1/sessions/{session}"), format!("/v1/clients/{client}"), "/v1/users/count".to_owned()]
    {
        out.push(server.backend("GET", &path, None).await.expect(200).clone());
    }
    out
}

fn fill(path: &str, ids: &[(&str, &str)]) -> String {
    ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
}

#[tokio::test]
async fn fault_109_another_instance_s_secret_key_finds_nothing_by_any_id() {
    let (server, other) = two().await;
    let user = user_of(&server, &server.instance.secret_key, "ada@example.com").await;
    let mut ada = server.browser();
    let done = ada.sign_in("ada@example.com", PASSWORD).await;
    let client = done.json["client"]["id"].as_str().unwrap().to_owned();
    let session = done.response()["created_session_id"].as_str().unwrap().to_owned();
    let passkey = passkey_of(&mut ada).await;
    let account = account_of(&server, &user).await;
    let whole = server.backend("GET", &format!("/v1/users/{user}"), None).await.expect(200).clone();
    let number = json!({"user_id": user, "phone_number": "+12024560143"});
    let number = server.backend("POST", "/v1/phone_numbers", Some(number)).await.expect(200)["id"].clone();
    let wallet = wallet_of(&mut ada).await;
    let device = device_of(&mut ada).await;
    let template = server.backend("POST", "/v1/jwt_templates", Some(json!({"name": "any", "claims": {}}))).await;
    let template = template.expect(200)["id"].clone();
    let domain = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0]["id"].clone();
    let before = seen(&server, &user, &session, &client).await;
    let sign_in_token = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await.expect(200)["id"].clone();
    let actor = json!({"user_id": user, "actor": {"sub": "user_support"}});
    let actor_token = server.backend("POST", "/v1/actor_tokens", Some(actor)).await.expect(200)["id"].clone();
    server.backend_as(&other.secret_key, "POST", "/v1/agents/tasks", Some(agent_task(&user))).await.refused(404, "resource_not_found", "");
    let task = server.backend("POST", "/v1/agents/tasks", Some(agent_task(&user))).await.expect(200)["agent_task_id"].clone();
    let made = async |path: &str, body: Value| {
        let made = server.backend("POST", path, Some(body)).await;
        made.expect(200)["id"].as_str().unwrap().to_owned()
    };
    let invitation = made("/v1/invitations", json!({"email_address": "new@example.com"})).await;
    let waiting = made("/v1/waitlist_entries", json!({"email_address": "ada@example.com"})).await;
    let listed = made("/v1/allowlist_identifiers", json!({"identifier": "ada@example.com"})).await;
    let redirect = made("/v1/redirect_urls", json!({"url": "my-app://callback"})).await;
    let sign_up = server.browser().post("/v1/client/sign_ups", &[("email_address", "new@example.com")]).await;
    let sign_up = sign_up.response()["id"].as_str().unwrap().to_owned();
    let ids = [
        ("invitation_id", invitation.as_str()),
        ("waitlist_entry_id", &waiting),
        ("identifier_id", &listed),
        ("id", &redirect),
        ("user_id", user.as_str()),
        ("external_account_id", &account),
        ("provider", "oauth_google"),
        ("email_address_id", whole["primary_email_address_id"].as_str().unwrap()),
        ("phone_number_id", number.as_str().unwrap()),
        ("session_id", &session),
        ("client_id", &client),
        ("template_name", "any"),
        ("template_id", template.as_str().unwrap()),
        ("domain_id", domain.as_str().unwrap()),
        ("sign_in_token_id", sign_in_token.as_str().unwrap()),
        ("actor_token_id", actor_token.as_str().unwrap()),
        ("agent_task_id", task.as_str().unwrap()),
        ("passkey_identification_id", &passkey),
        ("web3_wallet_identification_id", wallet.as_str()),
        ("trusted_device_id", &device),
    ];
    let mut tried = 0;
    // Messages have the same names everywhere; `backend_templates.rs` tells whose words they have.
    let named = |meta: &&doorward_wire::EndpointMeta| meta.path_params().next().is_some() && !meta.path.starts_with("/v1/templates/");
    for meta in doorward_bapi::routes().table().filter(named) {
        assert_eq!(meta.auth, Auth::SecretKey);
        let path = if meta.tag == "Sign Ups" { fill(meta.path, &[("id", &sign_up)]) } else { fill(meta.path, &ids) };
        assert!(!path.contains('{'), "{path}: the test knows no id for this parameter yet");
        let body = match meta.id {
            "VerifyPassword" => Some(json!({"password": PASSWORD})),
            "VerifyTOTP" => Some(json!({"code": "123456"})),
            "ReplaceUserEmailAddress" => Some(json!({"email_address": "eve@example.com"})),
            "ReplaceUserPhoneNumber" => Some(json!({"phone_number": "+12024560144"})),
            "UpdateUser" => Some(json!({"first_name": "Eve", "password": "eves own horse"})),
            "UpdateUserMetadata" | "ReplaceUserMetadata" => Some(json!({"private_metadata": {"of": "eve"}})),
            "RefreshSession" => Some(json!({"expired_token": "x", "refresh_token": "x", "request_origin": ORIGIN})),
            _ if meta.method == "GET" || meta.method == "DELETE" => None,
            _ => Some(json!({})),
        };
        let answer = server.backend_as(&other.secret_key, meta.method, &path, body).await;
        // A refresh is refused for its token before its session is looked for.
        let expected = if meta.id == "RefreshSession" { 401 } else { 404 };
        assert_eq!(answer.status, expected, "{}: {}", meta.id, answer.text);
        assert!(!answer.text.contains("ada@"), "{}: {}", meta.id, answer.text);
        tried += 1;
    }
    assert!(tried > 12);
    for path in ["/v1/users/ban", "/v1/users/unban"] {
        let answer = server.backend_as(&other.secret_key, "POST", path, Some(json!({"user_ids": [user]}))).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    assert_eq!(seen(&server, &user, &session, &client).await, before, "nothing has changed");
    assert_eq!(ada.mint(&session).await.status, 200);
}

#[tokio::test]
async fn fault_099_and_109_a_browser_of_another_instance_reaches_no_object_by_its_id() {
    let (server, other) = two().await;
    let user = user_of(&server, &server.instance.secret_key, "ada@example.com").await;
    user_of(&server, &other.secret_key, "eve@example.com").await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let passkey = passkey_of(&mut ada).await;
    let account = account_of(&server, &user).await;
    let wallet = wallet_of(&mut ada).await;
    let device = device_of(&mut ada).await;
    let mut starting = server.browser();
    let sign_in = starting.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await;
    let sign_in = sign_in.response()["id"].as_str().unwrap().to_owned();
    let code = server.code_for("ada@example.com").await;
    let sign_up = starting.post("/v1/client/sign_ups", &[("email_address", "new@example.com")]).await;
    let sign_up = sign_up.response()["id"].as_str().unwrap().to_owned();

    let mut eve = server.browser_on(OTHER);
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    let mut neighbour = server.browser();
    user_of(&server, &server.instance.secret_key, "bob@example.com").await;
    neighbour.sign_in("bob@example.com", PASSWORD).await.expect(200);

    let me = ada.get("/v1/me").await.response().clone();
    let number = ada.post("/v1/me/phone_numbers", &[("phone_number", "+12024560143")]).await.response()["id"].as_str().unwrap().to_owned();
    let email = me["primary_email_address_id"].as_str().unwrap();
    let ids = [
        ("session_id", session.as_str()),
        ("external_account_id", &account),
        ("sign_in_id", &sign_in),
        ("sign_up_id", &sign_up),
        ("template_name", "any"),
        ("email_id", email),
        ("phone_number_id", &number),
        ("passkey_id", passkey.as_str()),
        ("web3_wallet_id", &wallet),
        ("trusted_device_id", &device),
    ];
    let fields = [("strategy", "email_code"), ("code", code.as_str()), ("password", "eves own horse"), ("first_name", "Eve")];
    let mut tried = 0;
    // What is public within an instance is seen by everybody who has its address: `profile_image.rs` tells of those.
    let guarded = |meta: &&doorward_wire::EndpointMeta| meta.auth != Auth::Public && meta.path_params().next().is_some();
    for meta in doorward_fapi::routes().table().filter(guarded) {
        let path = fill(meta.path, &ids);
        assert!(!path.contains('{'), "{path}: the test knows no id for this parameter yet");
        // Another instance's browser, and another person's of the same instance.
        for browser in [&eve, &neighbour] {
            let mut browser = browser.clone();
            let answer = if meta.method == "GET" {
                browser.get(&path).await
            } else {
                browser.post(&format!("{path}?_method={}", meta.method), &fields).await
            };
            assert_eq!(answer.status, 404, "{}: {}", meta.id, answer.text);
            assert!(!answer.text.contains("ada@") && !answer.text.contains("new@"), "{}: {}", meta.id, answer.text);
        }
        tried += 1;
    }
    assert!(tried > 12);
    assert_eq!(ada.mint(&session).await.status, 200);
    assert_eq!(starting.get(&format!("/v1/client/sign_ups/{sign_up}")).await.response()["first_name"], Value::Null);
    let at = format!("/v1/client/sign_ins/{sign_in}/attempt_first_factor");
    let own = starting.post(&at, &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(own.response()["status"], "complete", "and nobody used up a try");
    assert_eq!(own.response()["first_factor_verification"]["attempts"], 1);
}

/// The same browser, talking to the other instance: with all it holds.
fn over_there(browser: &Browser, server: &TestServer) -> Browser {
    let mut out = server.browser_on(OTHER);
    out.cookies = browser.cookies.clone();
    out
}

#[tokio::test]
async fn fault_011_no_token_of_one_instance_means_anything_to_another() {
    let (server, other) = two().await;
    let (a, b) = (&server.instance.secret_key, &other.secret_key);
    user_of(&server, a, "ada@example.com").await;
    let mut ada = server.browser();
    let dev = ada.post("/v1/dev_browser", &[]).await.expect(200)["id"].as_str().unwrap().to_owned();
    let fields = [("identifier", "ada@example.com"), ("password", PASSWORD)];
    ada.post(&format!("/v1/client/sign_ins?__clerk_db_jwt={dev}"), &fields).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let jwt = session_token(&ada.mint(&session).await);

    // The client's cookie, and the same token as a native app shows it.
    let mut there = over_there(&ada, &server);
    assert_eq!(there.get("/v1/client").await.response(), &Value::Null);
    assert_eq!(there.get("/v1/me").await.status, 401);
    assert_eq!(there.mint(&session).await.status, 404);
    let mut native = server.browser_on(OTHER);
    native.origin = None;
    native.token = Some(ada.cookies["__client"].as_str().into());
    assert_eq!(native.get("/v1/me?_is_native=1").await.status, 401);
    let verify = Some(json!({"token": ada.cookies["__client"]}));
    server.backend_as(a, "POST", "/v1/clients/verify", verify.clone()).await.expect(200);
    assert_eq!(server.backend_as(b, "POST", "/v1/clients/verify", verify).await.status, 404);

    // The development browser.
    let at = format!("/v1/client?__clerk_db_jwt={dev}");
    assert_eq!(server.browser().get(&at).await.response()["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(server.browser_on(OTHER).get(&at).await.response(), &Value::Null);

    // The nonce of a handshake.
    let handshake = "/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce";
    let back = ada.get(handshake).await;
    let nonce = back.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
    let redeem = format!("/v1/clients/handshake_payload?nonce={nonce}");
    assert_eq!(server.backend_as(b, "GET", &redeem, None).await.status, 404);
    let directives = server.backend_as(a, "GET", &redeem, None).await;
    let directives = directives.expect(200)["directives"].as_array().unwrap().clone();

    // The session token and the refresh token.
    let refresh = directives.iter().find_map(|d| d.as_str().unwrap().strip_prefix("__refresh_")).unwrap();
    let refresh = refresh.split_once('=').unwrap().1.split(';').next().unwrap();
    let body = json!({"expired_token": jwt, "refresh_token": refresh, "request_origin": ORIGIN});
    let path = format!("/v1/sessions/{session}/refresh");
    let refused = server.backend_as(b, "POST", &path, Some(body.clone())).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    server.backend_as(a, "POST", &path, Some(body)).await.expect(200);

    // A refresh token of A with a session and a session token of B.
    user_of(&server, b, "ada@example.com").await;
    let mut at_b = server.browser_on(OTHER);
    at_b.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session_b = at_b.session_id().await.unwrap();
    let jwt_b = session_token(&at_b.mint(&session_b).await);
    let mixed = json!({"expired_token": jwt_b, "refresh_token": refresh, "request_origin": ORIGIN});
    let refused = server.backend_as(b, "POST", &format!("/v1/sessions/{session_b}/refresh"), Some(mixed)).await;
    refused.refused(401, "refresh_token_not_found", "");

    // Each set of keys verifies its own tokens only.
    let kid = |jwt: &str| {
        let head: Value = serde_json::from_slice(&B64.decode(jwt.split('.').next().unwrap()).unwrap()).unwrap();
        head["kid"].as_str().unwrap().to_owned()
    };
    let keys = |answer: &Answer| -> Vec<String> {
        answer.expect(200)["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let of_a = keys(&server.browser().get("/.well-known/jwks.json").await);
    let of_b = keys(&server.browser_on(OTHER).get("/.well-known/jwks.json").await);
    assert_eq!((of_a, of_b), (vec![kid(&jwt)], vec![kid(&jwt_b)]));
    assert_ne!(kid(&jwt), kid(&jwt_b));
    let issuer = |jwt: &str| {
        let claims: Value = serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap();
        claims["iss"].as_str().unwrap().to_owned()
    };
    assert_ne!(issuer(&jwt), issuer(&jwt_b), "pitfall 38");
}

#[tokio::test]
async fn the_same_address_in_two_instances_is_two_people() {
    let (server, other) = two().await;
    let here = user_of(&server, &server.instance.secret_key, "ada@example.com").await;
    let there = user_of(&server, &other.secret_key, "ada@example.com").await;
    assert_ne!(here, there);
    let changed = Some(json!({"password": "a quite different horse"}));
    server.backend_as(&other.secret_key, "PATCH", &format!("/v1/users/{there}"), changed).await.expect(200);
    let (mut one, mut two) = (server.browser(), server.browser_on(OTHER));
    one.sign_in("ada@example.com", PASSWORD).await.expect(200);
    two.sign_in("ada@example.com", PASSWORD).await.refused(422, "form_password_incorrect", "password");
    two.sign_in("ada@example.com", "a quite different horse").await.expect(200);
    assert_eq!(one.get("/v1/me").await.response()["id"], here.as_str());
    assert_eq!(two.get("/v1/me").await.response()["id"], there.as_str());
    server.backend_as(&other.secret_key, "DELETE", &format!("/v1/users/{there}"), None).await.expect(200);
    one.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn fault_109_guesses_at_one_instance_do_not_lock_the_other_s_account() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    let other = server.another_instance(OTHER).await;
    user_of(&server, &server.instance.secret_key, "ada@example.com").await;
    user_of(&server, &other.secret_key, "ada@example.com").await;
    for _ in 0..3 {
        server.browser().sign_in("ada@example.com", "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "user_locked", "");
    server.browser_on(OTHER).sign_in("ada@example.com", PASSWORD).await.expect(200);
}

/// The kids that an answer's key set names: which instance answered.
async fn answered_by(browser: &mut Browser, query: &str) -> Result<String, Answer> {
    let answer = browser.get(&format!("/.well-known/jwks.json{query}")).await;
    if answer.status != 200 {
        return Err(answer);
    }
    let kid = answer.json["keys"][0]["kid"].as_str().unwrap();
    Ok(kid.rsplit_once('_').unwrap().0.to_owned())
}

#[tokio::test]
async fn an_instance_is_found_by_host_key_or_proxy_and_never_guessed() {
    let (server, other) = two().await;
    let (a, b) = (server.instance.id.to_string(), other.id.to_string());
    assert_eq!(answered_by(&mut server.browser(), "").await.unwrap(), a);
    assert_eq!(answered_by(&mut server.browser_on(OTHER), "").await.unwrap(), b);
    assert_eq!(answered_by(&mut server.browser_on("OTHER.Example.TEST"), "").await.unwrap(), b);

    // Nobody answers for a host that nobody configured, unless the publishable key says who is meant.
    for unknown in ["nobody.example.test", "other.example.test.evil.test", "sub.other.example.test", "other.example.test:81"] {
        let mut browser = server.browser_on(unknown);
        answered_by(&mut browser, "").await.unwrap_err().refused(400, "host_invalid", "");
        browser.sign_in("ada@example.com", PASSWORD).await.refused(400, "host_invalid", "");
        let key = format!("?__clerk_publishable_key={}", other.publishable_key);
        assert_eq!(answered_by(&mut browser, &key).await.unwrap(), b);
        answered_by(&mut browser, "?__clerk_publishable_key=pk_test_bm9ib2R5LnRlc3Qk").await.unwrap_err().refused(400, "host_invalid", "");
    }
    // A known host wins over a key: the key is public, so it must not lead a browser's cookies elsewhere.
    let key = format!("?__clerk_publishable_key={}", other.publishable_key);
    assert_eq!(answered_by(&mut server.browser(), &key).await.unwrap(), a);

    // A proxy proves itself by the secret key, and then decides, whatever the host.
    let proxied = |headers: &[(&str, &str)]| {
        let mut out = server.browser_on("nobody.example.test");
        out.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        out
    };
    let url = ("clerk-proxy-url", "https://app.example.com/__clerk");
    let right = ("clerk-secret-key", other.secret_key.expose());
    assert_eq!(answered_by(&mut proxied(&[url, right]), "").await.unwrap(), b);
    let health = proxied(&[url, right, ("x-forwarded-for", "192.0.2.7")]).get("/v1/proxy-health").await;
    let expected = json!({"status": "healthy", "proxy_url": "https://app.example.com/__clerk", "x_forwarded_for": "192.0.2.7"});
    assert_eq!(health.expect(200), &expected);
    answered_by(&mut proxied(&[url]), "").await.unwrap_err().refused(400, "proxy_request_missing_secret_key", "");
    for wrong in ["sk_test_wrong", server.instance.publishable_key.as_str()] {
        let invalid = answered_by(&mut proxied(&[url, ("clerk-secret-key", wrong)]), "").await.unwrap_err();
        invalid.refused(401, "proxy_request_invalid_secret_key", "");
    }
    for bad in ["javascript:alert(1)", "app.example.com", "https://app.example.com/?x=y"] {
        let refused = answered_by(&mut proxied(&[("clerk-proxy-url", bad), right]), "").await.unwrap_err();
        assert_eq!(refused.status, 400, "{bad}: {}", refused.text);
    }
    // The secret key decides at the Backend API, whatever the query says.
    let query = format!("__clerk_publishable_key={}", server.instance.publishable_key);
    let keys = server.backend_as(&other.secret_key, "GET", &format!("/v1/jwks?{query}"), None).await;
    assert!(keys.expect(200)["keys"][0]["kid"].as_str().unwrap().starts_with(&b));
}

#[tokio::test]
async fn pitfall_013_behind_a_proxy_the_issuer_is_the_proxy_s_address() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser_on("localhost:3000");
    ada.headers = vec![
        ("clerk-proxy-url".to_owned(), format!("{ORIGIN}/__clerk/")),
        ("clerk-secret-key".to_owned(), server.instance.secret_key.expose().to_owned()),
    ];
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let jwt = session_token(&ada.mint(&session).await);
    let claims: Value = serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert_eq!(claims["iss"], format!("{ORIGIN}/__clerk"), "without the slash at the end");
}
