//! Tasks of agents: a server lets a program act as one of its users, in a browser that the program drives.

use super::authenticator_app::enrol;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::keys::Environment;
use doorward_testkit::{Answer, Options, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PAGE: &str = "http://localhost:3000/orders?a=1";

fn task(user: &str) -> Value {
    json!({
        "on_behalf_of": {"user_id": user}, "permissions": "*", "agent_name": "shopper",
        "task_description": "Orders paper", "redirect_url": PAGE,
    })
}

async fn created(server: &TestServer, body: Value) -> Value {
    server.backend("POST", "/v1/agents/tasks", Some(body)).await.expect(200).clone()
}

/// The path at which an agent's browser begins.
fn path(task: &Value) -> String {
    let url = task["url"].as_str().unwrap();
    url[url.find("/v1/").unwrap()..].to_owned()
}

fn payload(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The session token that a handshake's payload sets.
fn session_token(handshake: &str) -> Value {
    let all = payload(handshake)["handshake"].clone();
    let set = all.as_array().unwrap().iter().rev().find_map(|it| it.as_str().unwrap().strip_prefix("__session="));
    payload(set.unwrap().split(';').next().unwrap())
}

#[tokio::test]
async fn an_agent_is_signed_in_as_the_user_and_its_page_knows_at_once() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    // Nobody can ask an agent for the user's second factor.
    let mut ada = server.browser();
    ada.sign_in(EMAIL, "correct horse").await.expect(200);
    enrol(&server, &mut ada).await;

    let task = created(&server, task(&user)).await;
    assert_eq!((&task["object"], &task["task_id"]), (&json!("agent_task"), &task["agent_task_id"]));
    assert!(task["url"].as_str().unwrap().contains("/v1/agents/tasks?ticket=dwt_"), "{task}");
    let mut agent = server.browser();
    agent.headers.push(("sec-purpose".to_owned(), "prefetch".to_owned()));
    assert_eq!(agent.get(&path(&task)).await.status, 503, "nor is fetching ahead");
    agent.headers.clear();
    assert_eq!(agent.send("HEAD", &path(&task), None).await.status, 405, "looking is not opening");
    let answer = agent.get(&path(&task)).await;
    assert_eq!(answer.status, 307, "{}", answer.text);
    let to = answer.headers["location"].to_str().unwrap();
    let claims = session_token(to.strip_prefix(&format!("{PAGE}&__clerk_handshake=")).unwrap());
    let actor = json!({"type": "agent", "sub": task["agent_id"]});
    assert_eq!((&claims["sub"], &claims["act"]), (&json!(user), &actor));
    let session = claims["sid"].as_str().unwrap();
    assert_eq!(agent.get("/v1/client").await.response()["sessions"][0]["actor"], actor);
    // What changes who gets in is not for it, and it does not stay.
    agent.post("/v1/me/email_addresses", &[("email_address", "mine@example.com")]).await.refused(403, "resource_forbidden", "");
    server.advance(Duration::from_secs(1799));
    agent.mint(session).await.expect(200);
    server.advance(Duration::from_secs(1));
    assert_eq!(agent.mint(session).await.status, 404, "half an hour is over");
    // The next task finds the browser as the one before has left it.
    for _ in 0..2 {
        assert_eq!(agent.get(&path(&created(&server, self::task(&user)).await)).await.status, 307);
    }
    assert_eq!(agent.get("/v1/client").await.response()["sessions"].as_array().unwrap().len(), 1);
    server.browser().get(&path(&task)).await.refused(400, "agent_task_already_used_code", "");
    let revoke = format!("/v1/agents/tasks/{}/revoke", task["agent_task_id"].as_str().unwrap());
    server.backend("POST", &revoke, None).await.refused(400, "agent_task_cannot_be_revoked_code", "");
}

#[tokio::test]
async fn in_production_the_session_comes_by_cookie_and_over_https_only() {
    let mut options = Options { environment: Environment::Production, ..Options::default() };
    options.settings.allowed_origins = vec!["https://app.example.com".to_owned()];
    let server = TestServer::with(options).await;
    let user = server.user(EMAIL, "correct horse").await;
    server.backend("POST", "/v1/agents/tasks", Some(task(&user))).await.refused(422, "invalid_redirect_url", "redirect_url");
    let page = |page: &str| {
        let mut body = task(&user);
        body["redirect_url"] = json!(page);
        body
    };
    let good = created(&server, page("https://app.example.com/orders")).await;
    let answer = server.browser().get(&path(&good)).await;
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (307, "https://app.example.com/orders"));
    let cookies = answer.set_cookies();
    let handshake = cookies.iter().find_map(|it| it.strip_prefix("__clerk_handshake=")).unwrap().split(';').next().unwrap();
    assert_eq!(session_token(handshake)["sub"], json!(user));
    assert!(cookies.iter().any(|it| it.starts_with("__client=")), "{cookies:?}");

    // A page that is not the app's is refused when the browser comes, and the task waits on.
    let bad = created(&server, page("https://evil.example/")).await;
    for _ in 0..2 {
        let refused = server.browser().get(&path(&bad)).await;
        assert_eq!((refused.code(), refused.headers.get("location")), ("redirect_url_domain_mismatch", None));
    }
    server.change_settings(|s| s.allowed_origins.push("https://evil.example".to_owned())).await;
    assert_eq!(server.browser().get(&path(&bad)).await.status, 307);
}

#[tokio::test]
async fn a_task_that_is_late_taken_back_or_made_up_opens_nothing_and_is_no_ticket() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let (revoked, late) = (created(&server, task(&user)).await, created(&server, task(&user)).await);
    let revoke = format!("/v1/agents/tasks/{}/revoke", revoked["agent_task_id"].as_str().unwrap());
    let answer = server.backend("POST", &revoke, None).await.expect(200).clone();
    assert_eq!((&answer["agent_task_id"], answer.get("url")), (&revoked["agent_task_id"], None));
    let mut agent = server.browser();
    agent.get(&path(&revoked)).await.refused(400, "agent_task_revoked_code", "");
    agent.get("/v1/agents/tasks?ticket=dwt_made_up").await.refused(400, "ticket_invalid_code", "");
    agent.get("/v1/agents/tasks").await.refused(422, "form_param_missing", "ticket");
    let ticket = path(&late).split_once('=').unwrap().1.to_owned();
    agent.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", &ticket)]).await.refused(400, "ticket_invalid_code", "");
    agent.get(&format!("/v1/tickets/accept?ticket={ticket}")).await.refused(400, "ticket_invalid_code", "");
    let other = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await.expect(200).clone();
    let other = format!("/v1/agents/tasks?ticket={}", other["token"].as_str().unwrap());
    agent.get(&other).await.refused(400, "ticket_invalid_code", "");
    server.advance(Duration::from_secs(3600));
    agent.get(&path(&late)).await.refused(400, "ticket_expired_code", "");
    let banned = created(&server, task(&user)).await;
    server.backend("POST", &format!("/v1/users/{user}/ban"), None).await.expect(200);
    agent.get(&path(&banned)).await.refused(403, "user_banned", "");
    server.backend("POST", &format!("/v1/users/{user}/unban"), None).await.expect(200);
    let mut ada = server.browser();
    ada.sign_in(EMAIL, "correct horse").await.expect(200);
    ada.get(&path(&banned)).await.refused(400, "session_exists", "");
    assert_eq!(agent.get(&path(&banned)).await.status, 307, "nothing has used it up");
}

#[tokio::test]
async fn one_of_a_hundred_browsers_is_the_agents() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let path = path(&created(&server, task(&user)).await);
    let nodes = server.nodes().await;
    let tries = (0..100).map(|n| {
        let (mut browser, path) = (server.browser().on_node(nodes[n % 2]), path.as_str());
        async move { browser.get(path).await }
    });
    let done: Vec<Answer> = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|it| it.status == 307).count(), 1);
    assert_eq!(done.iter().filter(|it| it.status == 400 && it.code() == "agent_task_already_used_code").count(), 99);
    let sessions = server.backend("GET", &format!("/v1/sessions?user_id={user}"), None).await;
    assert_eq!(sessions.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_agent_is_the_same_by_its_name_and_acts_for_who_is_named_well() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, "correct horse").await;
    let with = |change: Value| {
        let mut body = task(&user);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let (one, same) = (created(&server, task(&user)).await, created(&server, with(json!({"task_description": "Another"}))).await);
    let other = created(&server, with(json!({"agent_name": "another", "on_behalf_of": {"identifier": "ADA@example.com"}}))).await;
    assert_eq!(one["agent_id"], same["agent_id"]);
    assert!(one["agent_task_id"] != same["agent_task_id"] && one["agent_id"] != other["agent_id"]);
    let unproven = json!({"user_id": user, "email_address": "unproven@example.com", "verified": false});
    server.backend("POST", "/v1/email_addresses", Some(unproven)).await.expect(200);
    for (change, status, code, param) in [
        (json!({"on_behalf_of": null}), 422, "form_param_missing", "on_behalf_of"),
        (json!({"on_behalf_of": {}}), 422, "form_param_missing", "on_behalf_of.user_id"),
        (
            json!({"on_behalf_of": {"user_id": user, "identifier": EMAIL}}),
            422,
            "form_conditional_param_disallowed",
            "on_behalf_of.identifier",
        ),
        (json!({"on_behalf_of": {"user_id": "user_nobody"}}), 404, "resource_not_found", ""),
        (json!({"on_behalf_of": {"identifier": "unproven@example.com"}}), 404, "resource_not_found", ""),
        (json!({"permissions": null}), 422, "form_param_missing", "permissions"),
        (json!({"permissions": "read"}), 422, "form_param_value_invalid", "permissions"),
        (json!({"agent_name": ""}), 422, "form_param_missing", "agent_name"),
        (json!({"task_description": "x".repeat(1025)}), 422, "form_param_max_length_exceeded", "task_description"),
        (json!({"redirect_url": null}), 422, "form_param_missing", "redirect_url"),
        (json!({"redirect_url": format!("{PAGE}{}", "x".repeat(2048))}), 422, "form_param_max_length_exceeded", "redirect_url"),
        (json!({"redirect_url": "http://ada:horse@localhost:3000/"}), 422, "invalid_redirect_url", "redirect_url"),
        (json!({"redirect_url": "javascript:alert(1)"}), 422, "invalid_redirect_url", "redirect_url"),
        (json!({"session_max_duration_in_seconds": 0}), 422, "form_param_value_invalid", "session_max_duration_in_seconds"),
    ] {
        server.backend("POST", "/v1/agents/tasks", Some(with(change))).await.refused(status, code, param);
    }
    server.backend("POST", "/v1/agents/tasks/agent_task_none/revoke", None).await.refused(404, "resource_not_found", "");
}
