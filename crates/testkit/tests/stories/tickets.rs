//! Tickets: sign-in tokens and actor tokens, made by a server, used once by a browser.

use super::authenticator_app::{code, enrol};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";

async fn sign_in_token(server: &TestServer, user: &str) -> Value {
    server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await.expect(200).clone()
}

async fn redeem(browser: &mut Browser, token: &str) -> Answer {
    browser.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", token)]).await
}

fn claims(answer: &Answer) -> Value {
    let jwt = answer.expect(200)["jwt"].as_str().unwrap().to_owned();
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_in_token_signs_in_once() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let made = sign_in_token(&server, &user).await;
    assert_eq!((made["object"].as_str(), made["status"].as_str()), (Some("sign_in_token"), Some("pending")));
    let token = made["token"].as_str().unwrap();

    // The link leads to the sign-in page and uses nothing up, however often something looks at it.
    let at = made["url"].as_str().unwrap();
    let at = &at[at.find("/v1/").unwrap()..];
    for _ in 0..2 {
        let answer = server.browser().get(at).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let to = answer.headers["location"].to_str().unwrap();
        assert!(to.contains(&format!("/sign-in?__clerk_ticket={token}&__clerk_status=sign_in")), "{to}");
    }

    let mut browser = server.browser();
    let done = redeem(&mut browser, token).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.response()["first_factor_verification"]["object"], "verification_ticket");
    assert_eq!(browser.get("/v1/me").await.response()["id"], user.as_str());
    assert_eq!(claims(&browser.mint(done.response()["created_session_id"].as_str().unwrap()).await).get("act"), None);
    redeem(&mut server.browser(), token).await.refused(400, "sign_in_token_already_used_code", "");
    server.browser().get(at).await.refused(400, "sign_in_token_already_used_code", "");
    let revoke = format!("/v1/sign_in_tokens/{}/revoke", made["id"].as_str().unwrap());
    server.backend("POST", &revoke, None).await.refused(400, "sign_in_token_cannot_be_revoked_code", "");
}

#[tokio::test]
async fn a_ticket_that_is_late_taken_back_or_made_up_opens_nothing() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let revoked = sign_in_token(&server, &user).await;
    let revoke = format!("/v1/sign_in_tokens/{}/revoke", revoked["id"].as_str().unwrap());
    let answer = server.backend("POST", &revoke, None).await;
    assert_eq!((answer.expect(200)["status"].as_str(), answer.expect(200).get("token")), (Some("revoked"), None));
    let short = json!({"user_id": user, "expires_in_seconds": 60});
    let late = server.backend("POST", "/v1/sign_in_tokens", Some(short)).await.expect(200).clone();
    server.advance(Duration::from_secs(60));
    redeem(&mut server.browser(), revoked["token"].as_str().unwrap()).await.refused(400, "sign_in_token_revoked_code", "");
    redeem(&mut server.browser(), late["token"].as_str().unwrap()).await.refused(400, "ticket_expired_code", "");
    redeem(&mut server.browser(), "dwt_made_up").await.refused(400, "ticket_invalid_code", "");
    redeem(&mut server.browser(), "").await.refused(422, "form_param_missing", "ticket");

    let banned = sign_in_token(&server, &user).await;
    server.backend("POST", &format!("/v1/users/{user}/ban"), None).await.expect(200);
    redeem(&mut server.browser(), banned["token"].as_str().unwrap()).await.refused(403, "user_banned", "");
    server.backend("DELETE", &format!("/v1/users/{user}"), None).await.expect(200);
    redeem(&mut server.browser(), banned["token"].as_str().unwrap()).await.refused(400, "ticket_invalid_code", "");

    for (body, status, code, param) in
        [(json!({}), 422, "form_param_missing", "user_id"), (json!({"user_id": "user_nobody"}), 404, "resource_not_found", "")]
    {
        server.backend("POST", "/v1/sign_in_tokens", Some(body)).await.refused(status, code, param);
    }
    let other = server.user("bob@example.com", "correct horse").await;
    let body = json!({"user_id": other, "expires_in_seconds": 0});
    server.backend("POST", "/v1/sign_in_tokens", Some(body)).await.refused(422, "form_param_value_invalid", "expires_in_seconds");
}

#[tokio::test]
async fn one_of_a_hundred_browsers_gets_in_with_one_ticket() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let made = sign_in_token(&server, &user).await;
    let token = made["token"].as_str().unwrap();
    let nodes = server.nodes().await;
    let tries = (0..100).map(|n| {
        let mut browser = server.browser().on_node(nodes[n % 2]);
        async move { redeem(&mut browser, token).await.status }
    });
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{done:?}");
    assert_eq!(done.iter().filter(|status| **status == 400).count(), 99, "{done:?}");
}

#[tokio::test]
async fn who_acts_as_a_user_is_named_in_every_token_and_not_for_long() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    // The user's own second factor does not stand in the way of the support desk.
    let mut ada = server.browser();
    ada.sign_in(EMAIL, "correct horse").await.expect(200);
    enrol(&server, &mut ada).await;

    // Nor does a lock, which stays.
    server.advance(Duration::from_secs(5));
    let before = server.backend("POST", &format!("/v1/users/{user}/lock"), None).await.expect(200).clone();
    let actor = json!({"sub": "user_support", "desk": 7});
    let body = json!({"user_id": user, "actor": actor, "session_max_duration_in_seconds": 600});
    let made = server.backend("POST", "/v1/actor_tokens", Some(body)).await.expect(200).clone();
    assert_eq!((made["object"].as_str(), &made["actor"]), (Some("actor_token"), &actor));
    let mut desk = server.browser();
    let done = redeem(&mut desk, made["token"].as_str().unwrap()).await;
    assert_eq!(done.response()["status"], "complete");
    let session = done.response()["created_session_id"].as_str().unwrap().to_owned();
    assert_eq!(done.json["client"]["sessions"][0]["actor"], actor);
    assert_eq!(claims(&desk.mint(&session).await)["act"], actor);
    redeem(&mut server.browser(), made["token"].as_str().unwrap()).await.refused(400, "actor_token_already_used_code", "");
    // Nor do they stay: what changes who gets in is not for them.
    desk.post("/v1/me?_method=PATCH", &[("first_name", "Ada")]).await.expect(200);
    desk.post("/v1/me?_method=PATCH", &[("username", "mine")]).await.refused(403, "resource_forbidden", "");
    desk.post("/v1/me/email_addresses", &[("email_address", "mine@example.com")]).await.refused(403, "resource_forbidden", "");
    desk.post("/v1/me/passkeys", &[]).await.refused(403, "resource_forbidden", "");
    desk.send("DELETE", "/v1/me", None).await.refused(403, "resource_forbidden", "");
    let shown = server.backend("GET", &format!("/v1/users/{user}"), None).await.expect(200).clone();
    assert_eq!((&shown["last_sign_in_at"], &shown["locked"]), (&before["last_sign_in_at"], &json!(true)), "nobody signed in");
    server.advance(Duration::from_secs(600));
    assert_eq!(desk.mint(&session).await.status, 404, "ten minutes are over");

    for (body, param) in [
        (json!({"user_id": user}), "actor"),
        (json!({"user_id": user, "actor": {}}), "actor.sub"),
        (json!({"user_id": user, "actor": {"sub": ""}}), "actor.sub"),
    ] {
        server.backend("POST", "/v1/actor_tokens", Some(body)).await.refused(422, "form_param_missing", param);
    }
    let body = json!({"user_id": user, "actor": {"sub": "x".repeat(600)}});
    let large = server.backend("POST", "/v1/actor_tokens", Some(body)).await;
    assert_eq!((large.status, &large.json["errors"][0]["meta"]["param_name"]), (422, &json!("actor")));

    // Of the two kinds, each is revoked at its own place.
    let body = json!({"user_id": user, "actor": {"sub": "user_support"}});
    let made = server.backend("POST", "/v1/actor_tokens", Some(body)).await.expect(200).clone();
    let id = made["id"].as_str().unwrap();
    server.backend("POST", &format!("/v1/sign_in_tokens/{id}/revoke"), None).await.refused(404, "resource_not_found", "");
    assert_eq!(server.backend("POST", &format!("/v1/actor_tokens/{id}/revoke"), None).await.expect(200)["status"], "revoked");
}

#[tokio::test]
async fn a_sign_in_token_is_one_factor_of_two() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, "correct horse").await.expect(200);
    let app = enrol(&server, &mut ada).await;
    let token = sign_in_token(&server, &user).await["token"].as_str().unwrap().to_owned();
    let mut browser = server.browser();
    let half = redeem(&mut browser, &token).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
    redeem(&mut server.browser(), &token).await.refused(400, "sign_in_token_already_used_code", "");
    server.advance(Duration::from_secs(30));
    let at = format!("/v1/client/sign_ins/{}/attempt_second_factor", half.response()["id"].as_str().unwrap());
    let done = browser.post(&at, &[("strategy", "totp"), ("code", &code(&app, &server))]).await;
    assert_eq!(done.response()["status"], "complete");
}
