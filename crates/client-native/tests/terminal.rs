//! The example program as somebody at a terminal uses it, against a real server.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_testkit::TestServer;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Cargo builds a package's examples with its tests, beside them.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().parent().unwrap().join("examples/doorward-client");
    assert!(path.exists(), "{}: cargo build -p doorward-client-native --examples", path.display());
    path
}

async fn run(server: &TestServer, typed: &str) -> Output {
    let mut child = Command::new(program())
        .arg("ada@example.com")
        .env("DOORWARD_PUBLISHABLE_KEY", &server.instance.publishable_key)
        .env("DOORWARD_PROXY_URL", format!("http://{}", server.public))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).await.unwrap();
    child.wait_with_output().await.unwrap()
}

#[tokio::test]
async fn signs_in_prints_a_token_and_leaves_no_session() {
    let server = TestServer::start().await;
    server.user("ada@example.com", "correct horse").await;

    let refused = run(&server, "wrong horse\n").await;
    assert!(!refused.status.success());
    assert!(refused.stdout.is_empty());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("form_password_incorrect"), "{refused:?}");

    let done = run(&server, "correct horse\n").await;
    assert!(done.status.success(), "{done:?}");
    let token = String::from_utf8(done.stdout).unwrap();
    assert_eq!(token.trim_end().split('.').count(), 3, "{token}");
    assert!(!String::from_utf8_lossy(&done.stderr).contains("correct horse"), "what was typed is not repeated");

    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "correct horse").await.expect(200);
    let sessions = ada.get("/v1/me/sessions/active").await;
    assert_eq!(sessions.json.as_array().unwrap().len(), 1, "the program's own session has ended: {}", sessions.text);
}
