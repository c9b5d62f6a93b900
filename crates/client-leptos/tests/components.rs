//! The components as Leptos renders them on a server, over a client that a real server answers.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, reason = "tests")]

use any_spawner::Executor;
use doorward_client_leptos::*;
use doorward_testkit::TestServer;
use leptos::prelude::*;

fn page() -> String {
    view! {
        <SignedIn>"in"</SignedIn>
        <SignedOut>"out"</SignedOut>
    }
    .to_html()
}

#[tokio::test]
async fn shows_one_of_both_once_it_is_known() {
    Executor::init_tokio().unwrap();
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let owner = Owner::new();
    owner.set();
    let config = Config {
        publishable_key: server.instance.publishable_key.clone(),
        proxy_url: Some(format!("http://{}", server.public)),
        ..Config::default()
    };
    let doorward = provide_doorward(Client::start(config, server.app.clock.clone()).unwrap());
    assert!(!page().contains("in") && !page().contains("out"), "{}", page());
    doorward.call(Command::Load).await.unwrap();
    assert!(page().contains("out") && !page().contains("in"), "{}", page());

    let form = use_sign_in();
    let done = form.create(params([("identifier", "ada@example.com"), ("password", "correct horse")])).await.unwrap();
    form.set_active(done["created_session_id"].as_str().unwrap()).await.unwrap();
    assert!(page().contains("in") && !page().contains("out"), "{}", page());
}
