//! Faults that belong to no one endpoint: steps out of order, a database that fails, clocks that jump, slow callers.

use doorward_gateway::Config;
use doorward_store::Sql;
use doorward_testkit::{Options, TestServer};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::time::Duration;

const PASSWORD: &str = "correct horse";

#[tokio::test]
async fn fault_038_no_step_of_a_sign_in_is_reached_without_the_one_before() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    for named in [&[][..], &[("identifier", "ada@example.com")]] {
        let started = ada.post("/v1/client/sign_ins", named).await;
        let before = started.response()["status"].clone();
        let at = format!("/v1/client/sign_ins/{}", started.response()["id"].as_str().unwrap());
        let attempts = [
            ("reset_password", vec![("password", "eves own horse")]),
            ("attempt_second_factor", vec![("strategy", "totp"), ("code", "000000")]),
            ("prepare_second_factor", vec![("strategy", "phone_code")]),
            ("attempt_first_factor", vec![("strategy", "email_code"), ("code", "000000")]),
            ("attempt_first_factor", vec![("strategy", "reset_password_email_code"), ("code", "000000"), ("password", "eves own horse")]),
            ("attempt_first_factor", vec![("strategy", "ticket"), ("ticket", "x")]),
            ("attempt_first_factor", vec![("strategy", "admin")]),
            ("attempt_first_factor", vec![]),
        ];
        for (step, fields) in attempts {
            let refused = ada.post(&format!("{at}/{step}"), &fields).await;
            assert!(matches!(refused.status, 400..500), "{named:?} {step} {fields:?}: {}", refused.text);
            let seen = ada.get(&at).await;
            assert_eq!((&seen.response()["status"], &seen.response()["created_session_id"]), (&before, &Value::Null), "{step}");
        }
        assert_eq!(ada.get("/v1/client").await.response()["sessions"], json!([]));
    }
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn fault_038_no_sign_up_is_finished_by_saying_so() {
    let server = TestServer::start().await;
    let mut eve = server.browser();
    let started = eve.post("/v1/client/sign_ups", &[("email_address", "eve@example.com"), ("password", PASSWORD)]).await;
    let at = format!("/v1/client/sign_ups/{}", started.response()["id"].as_str().unwrap());
    let declare = [("status", "complete"), ("created_user_id", "user_1"), ("unverified_fields", ""), ("abandon_at", "0")];
    let said = eve.post(&format!("{at}?_method=PATCH"), &declare).await;
    assert_eq!((&said.response()["status"], &said.response()["created_session_id"]), (&json!("missing_requirements"), &Value::Null));
    eve.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", "000000")]).await.refused(
        400,
        "verification_missing",
        "",
    );
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn fault_039_a_database_that_fails_lets_nobody_in() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mut bob = server.browser();
    let started = bob.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await;
    let attempt = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    let code = server.code_for("ada@example.com").await;
    for table in ["sessions", "users", "verifications", "clients"] {
        server.app.db.exec(Sql::new(format!("ALTER TABLE {table} RENAME TO {table}_gone"))).await.unwrap();
        if table != "verifications" {
            let minted = ada.mint(&session).await;
            assert!(minted.status >= 500 || table == "users" && minted.status == 200, "{table}: {}", minted.text);
            let refused = server.browser().sign_in("ada@example.com", PASSWORD).await;
            assert_eq!(refused.status, 500, "{table}: {}", refused.text);
            assert!(!refused.set_cookies().iter().any(|c| c.starts_with("__client_uat=") && !c.starts_with("__client_uat=0")), "{table}");
            assert!(
                !refused.text.contains(table) && !refused.text.to_lowercase().contains("sql"),
                "what failed is for the log: {}",
                refused.text
            );
        }
        let tried = bob.clone().post(&attempt, &[("strategy", "email_code"), ("code", &code)]).await;
        assert_eq!(tried.status, 500, "{table}: {}", tried.text);
        server.app.db.exec(Sql::new(format!("ALTER TABLE {table}_gone RENAME TO {table}"))).await.unwrap();
    }
    assert_eq!(ada.mint(&session).await.status, 200, "and all is as before");
    let done = bob.post(&attempt, &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete", "a failure of ours costs nobody the code");
}

#[tokio::test]
async fn fault_100_what_identifies_an_object_cannot_be_changed() {
    let server = TestServer::start().await;
    let (ada, bob) = (server.user("ada@example.com", PASSWORD).await, server.user("bob@example.com", PASSWORD).await);
    let at = format!("/v1/users/{ada}");
    let before = server.backend("GET", &at, None).await.json;
    for field in [
        "id",
        "object",
        "instance_id",
        "password_hash",
        "banned",
        "locked",
        "email_addresses",
        "password_enabled",
        "updated_at",
        "failed_attempts",
    ] {
        server.backend("PATCH", &at, Some(json!({field: "x"}))).await.refused(422, "form_param_unknown", field);
    }
    assert_eq!(server.backend("GET", &at, None).await.json, before);
    // The address says whom; the body and the query cannot say somebody else.
    let other = server.backend("PATCH", &format!("{at}?user_id={bob}"), Some(json!({"user_id": bob, "first_name": "Eve"}))).await;
    assert_eq!((&other.expect(200)["id"], &other.json["first_name"]), (&json!(ada), &json!("Eve")));
    assert_eq!(server.backend("GET", &format!("/v1/users/{bob}"), None).await.json["first_name"], "Ada");
}

#[tokio::test]
async fn fault_118_a_caller_that_never_finishes_is_not_waited_for() {
    let config = Config { limits_enabled: false, request_timeout: Duration::from_millis(300), ..Config::default() };
    let server = TestServer::with(Options { config, ..Options::default() }).await;
    let (at, host) = (server.public, server.public.to_string());
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "POST /v1/client/sign_ins HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        String::from_utf8_lossy(&start).into_owned()
    });
    assert_eq!(answer.await.unwrap(), "HTTP/1.1 408");
}

#[tokio::test]
async fn fault_118_whoever_sends_slowly_takes_no_call_s_place() {
    let config = Config { limits_enabled: false, max_in_flight: 2, max_mints_in_flight: 2, ..Config::default() };
    let server = TestServer::with(Options { config, ..Options::default() }).await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mut slow = Vec::new();
    for path in ["/v1/client/sessions/sess_1/tokens", "/v1/client/sign_ins"].repeat(4) {
        let mut stream = tokio::net::TcpStream::connect(server.public).await.unwrap();
        let host = server.public;
        let head = format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{{");
        tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..20 {
        ada.mint(&session).await.expect(200);
        ada.get("/v1/me").await.expect(200);
    }
}

#[tokio::test]
async fn fault_144_a_clock_that_jumps_signs_nobody_out_and_opens_nothing() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    let hour = 3_600_000;
    server.user("ada@example.com", PASSWORD).await;
    server.user("bob@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let start = [("strategy", "email_code"), ("identifier", "ada@example.com")];
    let mut used = server.browser();
    let started = used.post("/v1/client/sign_ins", &start).await;
    let attempt = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    let code = server.code_for("ada@example.com").await;
    let replay = used.clone();
    used.post(&attempt, &[("strategy", "email_code"), ("code", &code)]).await.expect(200);
    for _ in 0..3 {
        server.browser().sign_in("bob@example.com", "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    for jump in [-hour, 2 * hour - 60_000, -hour, 60_000] {
        server.app.clock.advance(jump);
        assert_eq!(ada.mint(&session).await.status, 200, "{jump}");
        ada.get("/v1/me").await.expect(200);
        let again = replay.clone().post(&attempt, &[("strategy", "email_code"), ("code", &code)]).await;
        assert!(matches!(again.status, 400..500), "a used code stays used: {}", again.text);
        server.browser().sign_in("bob@example.com", PASSWORD).await.refused(403, "user_locked", "");
    }
    server.app.clock.advance(hour);
    server.browser().sign_in("bob@example.com", PASSWORD).await.expect(200);
}
