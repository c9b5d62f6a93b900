//! The hooks, in a reactive owner of Leptos, against a real server.
#![allow(clippy::unwrap_used, reason = "tests")]

use any_spawner::Executor;
use doorward_client_leptos::*;
use doorward_testkit::TestServer;
use reactive_graph::effect::Effect;
use reactive_graph::owner::Owner;
use reactive_graph::traits::{Get as _, GetUntracked as _};
use std::time::Duration;
use tokio::sync::mpsc;

fn client(server: &TestServer) -> Client {
    let config = Config {
        publishable_key: server.instance.publishable_key.clone(),
        proxy_url: Some(format!("http://{}", server.public)),
        ..Config::default()
    };
    Client::start(config, server.app.clock.clone()).unwrap()
}

/// What a page that shows who is there has shown, one rendering after another.
fn watch() -> mpsc::UnboundedReceiver<String> {
    let (shown, seen) = mpsc::unbounded_channel();
    let (UseAuth { is_loaded, is_signed_in, .. }, UseUser { user, .. }) = (use_auth(), use_user());
    Effect::new_sync(move |_: Option<()>| {
        let name = user.get().and_then(|it| it["first_name"].as_str().map(str::to_owned));
        shown.send(format!("{} {} {}", is_loaded.get(), is_signed_in.get(), name.unwrap_or_default())).unwrap();
    });
    seen
}

async fn until(seen: &mut mpsc::UnboundedReceiver<String>, wanted: &str) {
    let found = async { while seen.recv().await.unwrap().trim_end() != wanted {} };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap();
}

// One thread, as a browser has: a signal of the reactive graph that is read while another thread writes it panics.
#[tokio::test]
async fn components_follow_who_signs_in_and_out() {
    Executor::init_tokio().unwrap();
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;
    let owner = Owner::new();
    owner.set();

    provide_doorward(client(&server));
    let (form, list, session) = (use_sign_in(), use_session_list(), use_session());
    let mut seen = watch();
    until(&mut seen, "true false").await;
    assert_eq!(use_sign_up().sign_up.get_untracked(), None);

    let refused = form.create(params([("identifier", "ada@example.com"), ("password", "wrong horse")])).await.unwrap_err().0;
    assert_eq!(refused.code, "form_password_incorrect");

    let begun = form.create(params([("identifier", "ada@example.com")])).await.unwrap();
    assert_eq!(begun["status"], "needs_first_factor");
    assert_eq!(form.sign_in.get_untracked().unwrap()["id"], begun["id"], "the attempt is a signal of its own");
    let proof = params([("strategy", "password"), ("password", "correct horse")]);
    let done = form.step(Step::SignInAttemptFirstFactor, proof).await.unwrap();
    let id = done["created_session_id"].as_str().unwrap();
    form.set_active(id).await.unwrap();

    // Whoever waited for the command finds what it changed.
    assert_eq!(session.session.get_untracked().unwrap()["id"], id);
    assert_eq!(list.sessions.get_untracked().len(), 1);
    assert!(form.sign_in.get_untracked().is_none());
    until(&mut seen, "true true Ada").await;

    let UseAuth { doorward, session_id, user_id, .. } = use_auth();
    assert_eq!(session_id.get_untracked().as_deref(), Some(id));
    assert!(user_id.get_untracked().unwrap().starts_with("user_"));
    assert!(doorward.token().await.unwrap().unwrap().split('.').count() == 3);
    list.set_active(id).await.unwrap();

    doorward.sign_out(None).await.unwrap();
    until(&mut seen, "true false").await;
    assert_eq!(doorward.token().await.unwrap(), None);
    assert_eq!(session.session.get_untracked(), None);
}
