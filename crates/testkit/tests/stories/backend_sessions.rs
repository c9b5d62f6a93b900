//! What a server does with sessions, clients and the tokens of both.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::keys::{Environment, cookie_suffix};
use doorward_core::settings::{JwtTemplate, Settings};
use doorward_testkit::{Answer, Browser, ORIGIN, Options, START, TestServer};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const HANDSHAKE: &str = "/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F";

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// A server that holds the secret key, at a node of its choice.
fn caller(server: &TestServer, node: SocketAddr) -> Browser {
    let mut out = server.browser().on_node(node);
    (out.origin, out.api_version) = (None, None);
    out.headers.push(("authorization".to_owned(), format!("Bearer {}", server.instance.secret_key.expose())));
    out
}

/// Somebody signed in on a production instance, whose page has just been through a handshake.
struct Visit {
    server: TestServer,
    ada: Browser,
    user: String,
    session: String,
    token: String,
    refresh: String,
}

impl Visit {
    async fn begin() -> Self {
        let mut options = Options { environment: Environment::Production, ..Options::default() };
        options.settings.allowed_origins.push("https://app.example.com".to_owned());
        let server = TestServer::with(options).await;
        let user = server.user("ada@example.com", PASSWORD).await;
        let mut ada = server.browser();
        ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
        let session = ada.session_id().await.unwrap();
        let answer = ada.get(HANDSHAKE).await;
        assert_eq!(answer.status, 307, "{}", answer.text);
        let cookies = answer.set_cookies();
        let jwt = cookies.iter().find_map(|c| c.strip_prefix("__clerk_handshake=")).unwrap().split(';').next().unwrap();
        let payload = claims(jwt);
        let value = |name: &str| {
            let all = payload["handshake"].as_array().unwrap();
            let found = all.iter().rev().find_map(|d| d.as_str().unwrap().strip_prefix(&format!("{name}=")));
            found.unwrap().split(';').next().unwrap().to_owned()
        };
        let suffix = cookie_suffix(&server.instance.publishable_key);
        let (token, refresh) = (value("__session"), value(&format!("__refresh_{suffix}")));
        Self { server, ada, user, session, token, refresh }
    }

    fn body(&self) -> Value {
        json!({"expired_token": self.token, "refresh_token": self.refresh, "request_origin": ORIGIN})
    }

    async fn refresh(&self, body: Value) -> Answer {
        self.server.backend("POST", &format!("/v1/sessions/{}/refresh", self.session), Some(body)).await
    }

    async fn with(&self, field: &str, value: Value) -> Answer {
        let mut body = self.body();
        body[field] = value;
        self.refresh(body).await
    }
}

#[tokio::test]
async fn sessions_are_listed_read_and_ended() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let (mut phone, mut laptop) = (server.browser(), server.browser());
    phone.headers.push((
        "user-agent".to_owned(),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1".to_owned(),
    ));
    phone.sign_in("ada@example.com", PASSWORD).await.expect(200);
    server.advance(Duration::from_secs(1));
    laptop.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let (first, second) = (phone.session_id().await.unwrap(), laptop.session_id().await.unwrap());
    let list = async |query: &str| server.backend("GET", &format!("/v1/sessions?{query}"), None).await;
    let ids = |answer: &Value| answer.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    let both = list(&format!("user_id={user}")).await;
    assert_eq!(ids(both.expect(200)), [second.clone(), first.clone()], "the newest first");
    let page = list(&format!("user_id={user}&paginated=true&limit=1&offset=1")).await;
    assert_eq!((ids(&page.expect(200)["data"]), &page.json["total_count"]), (vec![first.clone()], &json!(2)));
    let one = server.backend("GET", &format!("/v1/sessions/{first}"), None).await;
    assert_eq!((&one.expect(200)["status"], &one.json["user_id"]), (&json!("active"), &json!(user)));
    assert_eq!(one.json["latest_activity"]["is_mobile"], true);
    assert_eq!(one.json["expire_at"], START + 7 * 86_400_000);
    let client = one.json["client_id"].as_str().unwrap().to_owned();
    assert_eq!(ids(list(&format!("client_id={client}")).await.expect(200)), [first.as_str()]);

    let revoked = server.backend("POST", &format!("/v1/sessions/{first}/revoke"), None).await;
    assert_eq!(revoked.expect(200)["status"], "revoked");
    // fault 14: at once, and on every path.
    assert_eq!(phone.mint(&first).await.status, 404);
    assert_eq!(phone.get("/v1/me").await.status, 401);
    assert_eq!(laptop.mint(&second).await.status, 200);
    let again = server.backend("POST", &format!("/v1/sessions/{first}/revoke"), None).await;
    assert_eq!(again.status, 400, "{}", again.text);
    for (status, expected) in [("active", vec![second.clone()]), ("revoked", vec![first]), ("ended", vec![])] {
        assert_eq!(ids(list(&format!("user_id={user}&status={status}")).await.expect(200)), expected, "{status}");
    }
    server.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(ids(list(&format!("user_id={user}&status=expired")).await.expect(200)), [second], "time alone ends one too");
    list("status=active").await.refused(422, "form_param_missing", "user_id");
    list(&format!("user_id={user}&status=sleeping")).await.refused(422, "form_param_value_invalid", "status");
}

#[tokio::test]
async fn an_old_server_has_a_session_token_checked() {
    let visit = Visit::begin().await;
    let verify = async |session: &str, token: Value| {
        visit.server.backend("POST", &format!("/v1/sessions/{session}/verify"), Some(json!({"token": token}))).await
    };
    let good = verify(&visit.session, json!(visit.token)).await;
    assert_eq!((&good.expect(200)["id"], &good.json["object"]), (&json!(visit.session), &json!("session")));
    assert_eq!((&good.json["user_id"], &good.json["status"]), (&json!(visit.user), &json!("active")));

    visit.server.user("bob@example.com", PASSWORD).await;
    let mut bob = visit.server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    let other = bob.session_id().await.unwrap();
    verify(&other, json!(visit.token)).await.refused(400, "invalid_session_token", "token");
    let mut parts: Vec<&str> = visit.token.split('.').collect();
    let payload = B64.encode(claims(&visit.token).to_string().replace(&visit.session, &other));
    parts[1] = &payload;
    for forged in [parts.join("."), visit.refresh.clone(), "x".to_owned()] {
        verify(&other, json!(forged)).await.refused(400, "invalid_session_token", "token");
    }
    verify(&visit.session, Value::Null).await.refused(422, "form_param_missing", "token");
    assert_eq!(verify("sess_gone", json!(visit.token)).await.status, 404);

    visit.server.advance(Duration::from_secs(61));
    verify(&visit.session, json!(visit.token)).await.refused(400, "invalid_session_token", "token");
    let fresh = bob.mint(&other).await.expect(200)["jwt"].clone();
    verify(&other, fresh.clone()).await.expect(200);
    visit.server.backend("POST", &format!("/v1/sessions/{other}/revoke"), None).await.expect(200);
    verify(&other, fresh).await.refused(400, "invalid_session_token", "token");
}

#[tokio::test]
async fn a_server_makes_sessions_on_development_instances_only() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let made = server.backend("POST", "/v1/sessions", Some(json!({"user_id": user}))).await;
    let session = made.expect(200)["id"].as_str().unwrap().to_owned();
    let token = server.backend("POST", &format!("/v1/sessions/{session}/tokens"), None).await;
    assert_eq!(claims(token.expect(200)["jwt"].as_str().unwrap())["sub"], user);
    assert_eq!(server.backend("POST", "/v1/sessions", Some(json!({"user_id": "user_gone"}))).await.status, 404);
    server.backend("POST", "/v1/sessions", Some(json!({}))).await.refused(422, "form_param_missing", "user_id");
    let visit = Visit::begin().await;
    let refused = visit.server.backend("POST", "/v1/sessions", Some(json!({"user_id": visit.user}))).await;
    refused.refused(400, "request_invalid_for_environment", "");
}

#[tokio::test]
async fn tokens_say_what_the_session_and_the_template_say() {
    let claims_of = |text: &str| serde_json::from_str(text).unwrap();
    let templates = [(
        "hasura".to_owned(),
        JwtTemplate {
            claims: claims_of(
                r#"{"role":"user","mail":"{{user.primary_email_address}}","who":"I am {{user.first_name}}","aud":"hasura","secret":"{{user.private_metadata}}"}"#,
            ),
            lifetime: 300,
            ..JwtTemplate::default()
        },
    )];
    let server = TestServer::with_settings(|s: &mut Settings| {
        s.jwt_templates = templates.into_iter().collect();
        s.session.claims = claims_of(r#"{"plan":"{{user.public_metadata.plan || 'free'}}"}"#);
    })
    .await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let metadata = json!({"private_metadata": {"canary": "backend"}});
    server.backend("PATCH", &format!("/v1/users/{user}/metadata"), Some(metadata)).await.expect(200);
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let at = format!("/v1/sessions/{session}/tokens");
    let mint = async |path: &str, body: Value| claims(server.backend("POST", path, Some(body)).await.expect(200)["jwt"].as_str().unwrap());
    let now = START / 1000;

    let by_server = mint(&at, json!({})).await;
    assert_eq!((&by_server["sid"], &by_server["sub"], &by_server["exp"]), (&json!(session), &json!(user), &json!(now + 60)));
    assert_eq!((&by_server["plan"], &by_server["iss"]), (&json!("free"), &json!(server.instance.frontend_url)));
    assert!(by_server.get("azp").is_none(), "a server is no origin");
    let by_browser = claims(ada.mint(&session).await.expect(200)["jwt"].as_str().unwrap());
    assert_eq!((&by_browser["azp"], &by_browser["plan"]), (&json!(ORIGIN), &json!("free")));
    assert_ne!(by_browser["jti"], by_server["jti"]);
    assert_eq!(mint(&at, json!({"expires_in_seconds": 3600})).await["exp"], now + 3600);
    for bad in [29, 0, -1, 315_360_001] {
        let refused = server.backend("POST", &at, Some(json!({"expires_in_seconds": bad}))).await;
        refused.refused(422, "form_param_value_invalid", "expires_in_seconds");
    }
    let template = mint(&format!("{at}/hasura"), json!({})).await;
    assert_eq!((&template["role"], &template["mail"], &template["who"]), (&json!("user"), &json!("ada@example.com"), &json!("I am Ada")));
    assert_eq!((&template["aud"], &template["exp"], &template["sub"]), (&json!("hasura"), &json!(now + 300), &json!(user)));
    assert_eq!(template["secret"], Value::Null, "fault 13: a template cannot show it either");
    let same = ada.post(&format!("/v1/client/sessions/{session}/tokens/hasura"), &[]).await;
    assert_eq!(claims(same.expect(200)["jwt"].as_str().unwrap())["mail"], "ada@example.com");
    for path in [format!("{at}/nothing"), "/v1/sessions/sess_gone/tokens".to_owned(), "/v1/sessions/sess_gone/tokens/hasura".to_owned()] {
        assert_eq!(server.backend("POST", &path, None).await.status, 404, "{path}");
    }
    assert_eq!(ada.post(&format!("/v1/client/sessions/{session}/tokens/nothing"), &[]).await.status, 404);
}

#[tokio::test]
async fn fault_005_a_template_token_or_a_handshake_is_no_session_token() {
    let visit = Visit::begin().await;
    let answer = visit.ada.clone().get(HANDSHAKE).await;
    let cookies = answer.set_cookies();
    let handshake = cookies.iter().find_map(|c| c.strip_prefix("__clerk_handshake=")).unwrap().split(';').next().unwrap();
    let tampered = {
        let mut parts: Vec<_> = visit.token.split('.').map(str::to_owned).collect();
        parts[1] = B64.encode(String::from_utf8(B64.decode(&parts[1]).unwrap()).unwrap().replace("user_", "user_x"));
        parts.join(".")
    };
    for wrong in [handshake, &tampered, &visit.refresh, &visit.token[..visit.token.len() - 1], "x", "a.b.c"] {
        visit.with("expired_token", json!(wrong)).await.refused(401, "expired_session_token_invalid", "");
    }
    visit.with("refresh_token", json!(visit.token)).await.refused(401, "refresh_token_not_found", "");
    visit.refresh(visit.body()).await.expect(200);
}

#[tokio::test]
async fn an_expired_session_token_is_renewed_without_a_redirect() {
    let visit = Visit::begin().await;
    visit.server.advance(Duration::from_secs(300));
    let renewed = visit.refresh(visit.body()).await;
    let fresh = claims(renewed.expect(200)["jwt"].as_str().unwrap());
    assert_eq!(renewed.json["object"], "token");
    assert_eq!((&fresh["sid"], &fresh["azp"], &fresh["iat"]), (&json!(visit.session), &json!(ORIGIN), &json!(START / 1000 + 300)));
    assert_eq!(fresh["iss"], claims(&visit.token)["iss"], "pitfall 13");

    let as_cookies = visit.with("format", json!("cookie")).await;
    let cookies = as_cookies.expect(200)["cookies"].as_array().unwrap();
    let next = cookies.iter().find_map(|c| c.as_str().unwrap().strip_prefix("__refresh_")).unwrap();
    assert!(next.contains("HttpOnly"));
    let next = next.split_once('=').unwrap().1.split(';').next().unwrap().to_owned();
    assert_ne!(next, visit.refresh, "each use brings the next one");
    assert!(cookies.iter().any(|c| c.as_str().unwrap().starts_with("__session=ey")));
    // The used one is good for what was under way, and then no more; the next one is.
    visit.server.advance(Duration::from_secs(31));
    visit.refresh(visit.body()).await.refused(401, "refresh_token_not_found", "");
    visit.with("refresh_token", json!(next)).await.expect(200);

    for (field, value, status, code, param) in [
        ("expired_token", json!(""), 422, "form_param_missing", "expired_token"),
        ("refresh_token", Value::Null, 422, "form_param_missing", "refresh_token"),
        ("request_origin", json!(""), 422, "form_param_missing", "request_origin"),
        ("format", json!("carrier pigeon"), 422, "form_param_value_invalid", "format"),
    ] {
        visit.with(field, value).await.refused(status, code, param);
    }
    let origin = visit.with("request_origin", json!("https://app.example.com")).await;
    assert_eq!((origin.status, origin.json["errors"].as_array().unwrap().len()), (401, 1), "a token is for the origin it was made for");
    assert!(origin.code().contains("origin"), "{}", origin.text);
    let elsewhere = visit.server.backend("POST", "/v1/sessions/sess_gone/refresh", Some(visit.body())).await;
    assert_eq!(elsewhere.status, 401, "{}", elsewhere.text);
    visit.server.advance(Duration::from_secs(8 * 86_400));
    assert_eq!(visit.with("refresh_token", json!(next)).await.status, 401, "nothing is renewed for ever");
}

#[tokio::test]
async fn fault_009_and_029_what_is_revoked_cannot_be_renewed() {
    let visit = Visit::begin().await;
    visit.server.backend("POST", &format!("/v1/sessions/{}/revoke", visit.session), None).await.expect(200);
    let first = visit.refresh(visit.body()).await;
    assert_eq!(first.status, 401, "{}", first.text);
    // A node that has never heard of it reads the same database.
    let (_, second) = visit.server.second_node().await;
    let at = format!("/v1/sessions/{}/refresh", visit.session);
    let there = caller(&visit.server, second).send("POST", &at, Some(("application/json", visit.body().to_string()))).await;
    assert_eq!((there.status, there.code()), (401, first.code()));

    let banned = Visit::begin().await;
    banned.server.backend("POST", &format!("/v1/users/{}/ban", banned.user), None).await.expect(200);
    assert_eq!(banned.refresh(banned.body()).await.status, 401);
    banned.server.backend("POST", &format!("/v1/users/{}/unban", banned.user), None).await.expect(200);
    assert_eq!(banned.refresh(banned.body()).await.status, 401, "and it does not come back to life");

    let mut signed_out = Visit::begin().await;
    signed_out.ada.send("POST", "/v1/client/sessions?_method=DELETE", None).await.expect(200);
    assert_eq!(signed_out.refresh(signed_out.body()).await.status, 401);

    let deleted = Visit::begin().await;
    deleted.server.backend("DELETE", &format!("/v1/users/{}", deleted.user), None).await.expect(200);
    assert_eq!(deleted.refresh(deleted.body()).await.status, 401);
}

#[tokio::test]
async fn fault_026_a_new_password_ends_what_the_refresh_token_could_renew() {
    let visit = Visit::begin().await;
    let body = json!({"password": "another horse", "sign_out_of_other_sessions": true});
    visit.server.backend("PATCH", &format!("/v1/users/{}", visit.user), Some(body)).await.expect(200);
    assert_eq!(visit.refresh(visit.body()).await.status, 401);
}

#[tokio::test]
async fn fault_028_fifty_tokens_at_once_sign_nobody_out() {
    let server = TestServer::start().await;
    let (second, _) = server.second_node().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mints = (0..50).map(|n| {
        let mut tab = if n % 2 == 0 { ada.clone() } else { ada.clone().on_node(second) };
        let session = session.clone();
        async move { tab.mint(&session).await }
    });
    let answers = futures_util::future::join_all(mints).await;
    let ids: HashSet<_> = answers.iter().map(|a| claims(a.expect(200)["jwt"].as_str().unwrap())["jti"].to_string()).collect();
    assert_eq!(ids.len(), 50, "each is a token of its own");
    assert_eq!(ada.session_id().await, Some(session));
}

#[tokio::test]
async fn fault_028_fifty_renewals_with_one_refresh_token_all_pass() {
    let visit = Visit::begin().await;
    let (_, second) = visit.server.second_node().await;
    let at = format!("/v1/sessions/{}/refresh", visit.session);
    let calls = (0..50).map(|n| {
        let mut caller = caller(&visit.server, if n % 2 == 0 { visit.server.private } else { second });
        let (at, body) = (at.clone(), visit.body().to_string());
        async move { caller.send("POST", &at, Some(("application/json", body))).await }
    });
    for answer in futures_util::future::join_all(calls).await {
        answer.expect(200);
    }
    visit.server.advance(Duration::from_secs(29));
    visit.refresh(visit.body()).await.expect(200);
    visit.server.advance(Duration::from_secs(2));
    visit.refresh(visit.body()).await.refused(401, "refresh_token_not_found", "");
    assert_eq!(visit.ada.clone().mint(&visit.session).await.status, 200, "the browser is still in");
}

#[tokio::test]
async fn fault_134_a_handshake_s_nonce_is_redeemed_once_by_whoever_is_first() {
    let server = TestServer::start().await;
    let (_, second) = server.second_node().await;
    for _ in 0..3 {
        let back = server.browser().get(&format!("{HANDSHAKE}&format=nonce")).await;
        let nonce = back.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
        let calls = (0..100).map(|n| {
            let mut caller = caller(&server, if n % 2 == 0 { server.private } else { second });
            let at = format!("/v1/clients/handshake_payload?nonce={nonce}");
            async move { caller.get(&at).await.status }
        });
        let statuses = futures_util::future::join_all(calls).await;
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 404).count(), 99, "{statuses:?}");
    }
    let late = server.browser().get(&format!("{HANDSHAKE}&format=nonce")).await;
    let nonce = late.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
    server.advance(Duration::from_secs(61));
    assert_eq!(server.backend("GET", &format!("/v1/clients/handshake_payload?nonce={nonce}"), None).await.status, 404);
    server.backend("GET", "/v1/clients/handshake_payload", None).await.refused(422, "form_param_missing", "nonce");
}

#[tokio::test]
async fn fault_134_a_session_is_ended_once_by_whoever_is_first() {
    let server = TestServer::start().await;
    let (_, second) = server.second_node().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let calls = (0..100).map(|n| {
        let mut caller = caller(&server, if n % 2 == 0 { server.private } else { second });
        let at = format!("/v1/sessions/{session}/revoke");
        async move { caller.send("POST", &at, None).await.status }
    });
    let statuses = futures_util::future::join_all(calls).await;
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|s| matches!(s, 200 | 400)), "{statuses:?}");
}

#[tokio::test]
async fn clients_are_listed_and_found_by_their_token() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let mut browser = server.browser();
        let client = browser.post("/v1/client", &[]).await;
        made.push(client.response()["id"].as_str().unwrap().to_owned());
        server.advance(Duration::from_secs(1));
    }
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let verify = async |token: &str| server.backend("POST", "/v1/clients/verify", Some(json!({"token": token}))).await;
    let found = verify(&ada.cookies["__client"]).await;
    assert_eq!((&found.expect(200)["object"], &found.json["session_ids"]), (&json!("client"), &json!([session])));
    assert_eq!(found.json["last_active_session_id"], session);
    let id = found.json["id"].as_str().unwrap().to_owned();
    assert_eq!(server.backend("GET", &format!("/v1/clients/{id}"), None).await.expect(200), &found.json);
    made.push(id);
    made.reverse();
    let list = server.backend("GET", "/v1/clients?paginated=true&limit=3", None).await;
    let ids: Vec<_> = list.expect(200)["data"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!((ids, &list.json["total_count"]), (made[..3].iter().map(String::as_str).collect(), &json!(4)));
    let rest = server.backend("GET", "/v1/clients?limit=3&offset=3", None).await;
    assert_eq!(rest.expect(200)[0]["id"], made[3].as_str());

    // fault 8: nothing but the whole token is the token, and no error repeats it.
    let token = ada.cookies["__client"].clone();
    for end in 1..token.len() {
        let refused = verify(&token[..end]).await;
        assert_eq!(refused.status, 404, "{}", refused.text);
        assert!(end < 12 || !refused.text.contains(&token[..end]), "{}", refused.text);
    }
    assert_eq!(verify(&format!("{token}x")).await.status, 404);
    verify("").await.refused(422, "form_param_missing", "token");
    assert_eq!(server.backend("GET", "/v1/clients/client_gone", None).await.status, 404);
}

#[tokio::test]
async fn testing_tokens_are_made_anew_each_time() {
    let server = TestServer::start().await;
    let (one, two) = (server.backend("POST", "/v1/testing_tokens", None).await, server.backend("POST", "/v1/testing_tokens", None).await);
    assert_eq!((&one.expect(200)["object"], &one.json["expires_at"]), (&json!("testing_token"), &json!(START / 1000 + 3600)));
    assert_ne!(one.json["token"], two.expect(200)["token"]);
    // Where nobody has to show that they are no script, a browser that brings one is served as ever.
    server.user("ada@example.com", PASSWORD).await;
    let path = format!("/v1/client/sign_ins?__clerk_testing_token={}", one.json["token"].as_str().unwrap());
    server.browser().post(&path, &[("identifier", "ada@example.com"), ("password", "wrong horse")]).await.refused(
        422,
        "form_password_incorrect",
        "password",
    );
}

#[tokio::test]
async fn fault_137_a_cold_server_answers_a_hundred_at_once() {
    let server = TestServer::start().await;
    let (public, _) = server.second_node().await;
    let asks = (0..100).map(|n| {
        let mut browser = server.browser().on_node(public);
        let path = ["/.well-known/jwks.json", "/v1/environment", "/v1/client", HANDSHAKE][n % 4];
        async move { browser.get(path).await.status }
    });
    let statuses = futures_util::future::join_all(asks).await;
    assert!(statuses.iter().all(|s| matches!(s, 200 | 307)), "{statuses:?}");
}
