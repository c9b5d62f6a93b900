//! Guessing at codes and passwords, many at once; and what a guess tells by what it costs.

use doorward_base::{Rng, UserId};
use doorward_core::password::Passwords;
use doorward_store::users;
use doorward_testkit::{Answer, Browser, Options, TestServer};
use futures_util::future::join_all;
use serde_json::json;
use std::task::{Context, Waker};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

/// A browser that was sent a code: with the path of its sign-in, and the code.
async fn with_code(server: &TestServer) -> (Browser, String, String) {
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    let begun = ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", EMAIL)]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    (ada, at, server.code_for(EMAIL).await)
}

/// Many tries at once, on two nodes.
async fn try_at_once(server: &TestServer, count: usize, ada: &Browser, at: &str, code: &str) -> Vec<Answer> {
    let nodes = server.nodes().await;
    let tries = (0..count).map(|n| {
        let (mut ada, at, code) = (ada.clone().on_node(nodes[n % 2]), format!("{at}/attempt_first_factor"), code.to_owned());
        async move { ada.post(&at, &[("strategy", "email_code"), ("code", &code)]).await }
    });
    join_all(tries).await
}

#[tokio::test]
async fn fault_031_one_of_a_hundred_parallel_codes_gets_through() {
    let server = TestServer::start().await;
    let (ada, at, code) = with_code(&server).await;
    let answers = try_at_once(&server, 100, &ada, &at, &code).await;
    let done: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
    assert_eq!(done.len(), 1, "{:?}", answers.iter().map(|it| it.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|it| it.status == 200 || (400..500).contains(&it.status)));
    let attempts = done[0].response()["first_factor_verification"]["attempts"].as_i64().unwrap();
    assert!((1..=5).contains(&attempts), "each try was counted before it was compared: {attempts}");
    let user = server.backend("GET", &format!("/v1/users?email_address={EMAIL}"), None).await.expect(200)[0]["id"].clone();
    let sessions = server.backend("GET", &format!("/v1/sessions?user_id={}", user.as_str().unwrap()), None).await;
    assert_eq!(sessions.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fault_032_wrong_codes_side_by_side_cannot_outrun_the_counter() {
    // The account's own lock would end it sooner.
    let server = TestServer::with_settings(|s| s.attack_protection.lockout = false).await;
    let (mut ada, at, code) = with_code(&server).await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    let answers = try_at_once(&server, 1000, &ada, &at, wrong).await;
    assert_eq!(answers.iter().filter(|it| it.code() == "form_code_incorrect").count(), 5);
    let other: Vec<_> = answers.iter().filter(|it| !matches!(it.status, 400 | 422)).map(|it| &it.text).collect();
    assert!(other.is_empty(), "and none falls over: {other:?}");
    let after = ada.get(&at).await;
    let verification = &after.response()["first_factor_verification"];
    assert_eq!((&verification["attempts"], &verification["status"]), (&json!(5), &json!("failed")));
    ada.post(&format!("{at}/attempt_first_factor"), &[("strategy", "email_code"), ("code", &code)]).await.refused(
        400,
        "verification_failed",
        "",
    );
}

#[tokio::test]
async fn fault_034_wrong_passwords_side_by_side_cannot_outrun_the_lock() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 5).await;
    let user = server.user(EMAIL, PASSWORD).await;
    let nodes = server.nodes().await;
    let tries = (0..100).map(|n| {
        let mut browser = server.browser().on_node(nodes[n % 2]);
        async move { browser.sign_in(EMAIL, "wrong horse").await.code().to_owned() }
    });
    let codes = join_all(tries).await;
    let count = |code: &str| codes.iter().filter(|it| *it == code).count();
    assert_eq!((count("form_password_incorrect"), count("user_locked")), (5, 95), "{codes:?}");
    server.browser().sign_in(EMAIL, PASSWORD).await.refused(403, "user_locked", "");
    let seen = server.backend("GET", &format!("/v1/users/{user}"), None).await;
    assert_eq!((&seen.json["locked"], &seen.json["verification_attempts_remaining"]), (&json!(true), &json!(0)));
}

/// What a sign-in with a password costs shows where there is no room for a hash: whoever is named, one is needed.
/// What a request finds that waited for its hash while the account changed.
#[tokio::test]
async fn fault_026_nobody_gets_in_by_what_was_true_a_moment_ago() {
    let server = TestServer::start().await;
    let id = UserId::from(server.user("ada@example.com", "correct horse").await);
    let (db, ins, now) = (&server.app.db, &server.instance.id, server.app.clock.now());
    let password_of = users::get(db, ins, &id).await.unwrap().unwrap().user.password_updated_at;
    let gets_in = async |password_of| {
        let mut tx = db.begin().await.unwrap();
        let done = users::signed_in(&mut tx, ins, &id, password_of, now).await.unwrap().is_some();
        drop(tx);
        done
    };
    assert!(gets_in(password_of).await && gets_in(None).await);
    server.advance(Duration::from_secs(1));
    let at = format!("/v1/users/{id}");
    server.backend("PATCH", &at, Some(json!({"password": "another horse", "skip_password_checks": true}))).await.expect(200);
    assert!(!gets_in(password_of).await, "the password is another one");
    assert!(gets_in(None).await, "what proves no password does not care");
    server.backend("POST", &format!("{at}/lock"), None).await.expect(200);
    assert!(!gets_in(None).await, "a server has locked them");
    let mut tx = db.begin().await.unwrap();
    users::give_back_guess(&mut tx, ins, &id).await.unwrap();
    users::clear_guesses(&mut tx, ins, &id).await.unwrap();
    tx.commit().await.unwrap();
    server.browser().sign_in("ada@example.com", "another horse").await.refused(403, "user_locked", "");
}

#[tokio::test]
async fn fault_055_a_password_costs_a_hash_whoever_is_named() {
    let passwords = Passwords::new(1, 1);
    for protected in [false, true] {
        let mut options = Options { passwords: passwords.clone(), ..Options::default() };
        options.settings.attack_protection.enumeration_protection = protected;
        let server = TestServer::with(options).await;
        server.user(EMAIL, PASSWORD).await;
        let without = json!({"email_address": ["bob@example.com"], "skip_password_requirement": true});
        server.backend("POST", "/v1/users", Some(without)).await.expect(200);
        let mut waiting = server.browser();
        let begun = waiting.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
        let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());

        // The only place is given to a hash that is not made, and another one waits for it: there is no room for more.
        let (rng, secret) = (Rng::seeded(55), PASSWORD.into());
        let mut begun = [passwords.hash(&secret, &rng), passwords.hash(&secret, &rng), passwords.hash(&secret, &rng)].map(Box::pin);
        let mut context = Context::from_waker(Waker::noop());
        let [first, second, third] = &mut begun;
        assert!(first.as_mut().poll(&mut context).is_pending() && second.as_mut().poll(&mut context).is_pending());
        first.await.unwrap();
        assert!(third.as_mut().poll(&mut context).is_pending());
        // Unprotected, who has no password is told so, before anything is hashed.
        let bob = protected.then_some("bob@example.com");
        for named in [EMAIL, "nobody@example.com"].into_iter().chain(bob) {
            let busy = server.browser().sign_in(named, PASSWORD).await;
            assert_eq!((busy.status, busy.code()), (503, "server_busy"), "{named}, protected: {protected}: {}", busy.text);
        }
        let busy = waiting.post(&at, &[("strategy", "password"), ("password", PASSWORD)]).await;
        assert_eq!(busy.status, 503, "{}", busy.text);
        drop(begun);
        server.browser().sign_in(EMAIL, PASSWORD).await.expect(200);
    }
}
