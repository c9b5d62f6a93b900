//! What the sweep takes away, and what it must leave.

use doorward_core::keys::Environment;
use doorward_testkit::{Browser, Options, TestServer};
use std::time::Duration;

const DAY: u64 = 86_400;

async fn sweep(server: &TestServer) -> u64 {
    doorward_jobs::sweep(&server.app.db, server.app.clock.now()).await.unwrap()
}

async fn sessions_of(server: &TestServer, user: &str) -> usize {
    let answer = server.backend("GET", &format!("/v1/sessions?user_id={user}"), None).await;
    answer.expect(200).as_array().unwrap().len()
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    !browser.get("/v1/client").await.expect(200)["response"]["sessions"].as_array().is_none_or(Vec::is_empty)
}

#[tokio::test]
async fn clients_on_which_nobody_ever_signed_in_go_after_three_days() {
    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    server.user("ada@example.com", "correct horse").await;
    let mut known = server.browser();
    known.sign_in("ada@example.com", "correct horse").await.expect(200);
    for _ in 0..3 {
        server.browser().send("PUT", "/v1/client", None).await.expect(200);
    }
    let clients = async || server.backend("GET", "/v1/clients", None).await.expect(200).as_array().unwrap().len();
    server.advance(Duration::from_secs(2 * DAY));
    sweep(&server).await;
    assert_eq!(clients().await, 4);
    server.advance(Duration::from_secs(2 * DAY));
    sweep(&server).await;
    assert_eq!(clients().await, 1);
    assert!(is_signed_in(&mut known).await);
}

#[tokio::test]
async fn ended_sessions_go_after_a_month_and_unused_clients_after_three() {
    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    let ada = server.user("ada@example.com", "correct horse").await;
    let (mut laptop, mut phone) = (server.browser(), server.browser());
    laptop.sign_in("ada@example.com", "correct horse").await.expect(200);
    phone.sign_in("ada@example.com", "correct horse").await.expect(200);
    let id = phone.session_id().await.unwrap();
    phone.post(&format!("/v1/client/sessions/{id}/end"), &[]).await.expect(200);
    assert_eq!(sweep(&server).await, 0, "nothing is old yet");

    server.advance(Duration::from_secs(6 * DAY));
    sweep(&server).await;
    assert!(is_signed_in(&mut laptop).await);
    server.advance(Duration::from_secs(23 * DAY));
    sweep(&server).await;
    assert_eq!(sessions_of(&server, &ada).await, 2, "of ended and expired ones the list tells for a month");

    server.advance(Duration::from_secs(2 * DAY));
    sweep(&server).await;
    assert_eq!(sessions_of(&server, &ada).await, 1, "the one that was ended is gone, the one that expired a week later not");
    server.advance(Duration::from_secs(7 * DAY));
    sweep(&server).await;
    assert_eq!(sessions_of(&server, &ada).await, 0);
    assert_eq!(server.backend("GET", "/v1/clients", None).await.expect(200).as_array().unwrap().len(), 2);

    server.advance(Duration::from_secs(60 * DAY));
    sweep(&server).await;
    assert_eq!(server.backend("GET", "/v1/clients", None).await.expect(200).as_array().unwrap().len(), 0);
    assert!(!is_signed_in(&mut laptop).await);
    laptop.sign_in("ada@example.com", "correct horse").await.expect(200);
    assert_eq!(sessions_of(&server, &ada).await, 1, "a browser that was forgotten begins anew");
}
