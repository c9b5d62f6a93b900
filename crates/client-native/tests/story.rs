//! The core, over reqwest, against a real server.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_client_native::{Client, Command, Config, Step, TokenQuery, params};
use doorward_testkit::TestServer;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

fn client(server: &TestServer, client_token: Option<String>) -> Client {
    let config = Config {
        publishable_key: server.instance.publishable_key.clone(),
        proxy_url: Some(format!("http://{}", server.public)),
        client_token,
        seed: 7,
        ..Config::default()
    };
    Client::start(config, server.app.clock.clone()).unwrap()
}

fn snapshot(client: &Client) -> Value {
    serde_json::from_str(&client.snapshot().borrow()).unwrap()
}

fn sign_in(password: &str) -> Command {
    Command::Step(Step::SignInCreate, params([("identifier", "ada@example.com"), ("password", password)]))
}

#[tokio::test]
async fn a_program_signs_in_takes_tokens_and_signs_out() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let ada = client(&server, None);
    ada.call(Command::Load).await.unwrap();
    assert_eq!(ada.call(Command::GetToken(TokenQuery::default())).await, Ok(Value::Null));

    let refused = ada.call(sign_in("wrong horse")).await.unwrap_err().0;
    assert_eq!((refused.code.as_str(), refused.status), ("form_password_incorrect", 422));
    assert_eq!(refused.errors[0]["meta"]["param_name"], "password");

    let attempt = ada.call(sign_in("correct horse")).await.unwrap();
    assert_eq!(attempt["status"], "complete");
    let session = attempt["created_session_id"].as_str().unwrap().to_owned();
    ada.call(Command::SetActive { session: Some(Some(session.clone())), organization: None }).await.unwrap();
    assert_eq!(snapshot(&ada)["session"]["id"], session.as_str());
    assert_eq!(snapshot(&ada)["user"]["first_name"], "Ada");

    let first = ada.call(Command::GetToken(TokenQuery::default())).await.unwrap();
    assert_eq!(ada.call(Command::GetToken(TokenQuery::default())).await, Ok(first.clone()), "from the cache");
    server.advance(Duration::from_secs(59));
    let many = join_all((0..100).map(|_| ada.call(Command::GetToken(TokenQuery::default())))).await;
    let second = many[0].clone().unwrap();
    assert_ne!(second, first, "the old one was about to end");
    assert!(many.iter().all(|token| token.as_ref() == Ok(&second)), "one request for all of them");

    // The program ends, and another one goes on with what it kept.
    let kept = ada.client_token().borrow().clone();
    drop(ada);
    let again = client(&server, kept);
    again.call(Command::Load).await.unwrap();
    assert_eq!(snapshot(&again)["session"]["id"], session.as_str());

    again.call(Command::SignOut { session: None }).await.unwrap();
    assert_eq!(snapshot(&again)["session"], Value::Null);
    assert_eq!(snapshot(&again)["sessions"], json!([]));
    assert_eq!(again.call(Command::GetToken(TokenQuery::default())).await, Ok(Value::Null));
}
