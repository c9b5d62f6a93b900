//! Passwords: changed and removed by their owner, weak ones and those from breaches refused.

use super::authenticator_app::enrol;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use doorward_core::password::Passwords;
use doorward_core::password::breached::Source;
use doorward_core::settings::{PasswordSettings, Presence, Settings};
use doorward_testkit::{Answer, Browser, Options, TestServer};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const NEW: &str = "battery staple";
const CHANGE: &str = "/v1/me/change_password";
const REMOVE: &str = "/v1/me/remove_password";

async fn signed_in(server: &TestServer) -> Browser {
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    browser
}

async fn change(browser: &mut Browser, current: &str, new: &str) -> Answer {
    browser.post(CHANGE, &[("current_password", current), ("new_password", new)]).await
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let (mut ada, mut phone) = (signed_in(&server).await, signed_in(&server).await);
    server.advance(Duration::from_secs(60));
    ada.post(CHANGE, &[("current_password", PASSWORD)]).await.refused(422, "form_param_missing", "new_password");
    ada.post(CHANGE, &[("new_password", NEW)]).await.refused(422, "form_param_missing", "current_password");
    change(&mut ada, PASSWORD, "short").await.refused(422, "form_password_length_too_short", "new_password");
    change(&mut ada, "wrong horse", NEW).await.refused(422, "form_password_incorrect", "current_password");
    change(&mut ada, PASSWORD, PASSWORD).await.refused(422, "form_new_password_matches_current", "new_password");
    let changed = change(&mut ada, PASSWORD, NEW).await;
    assert_eq!(changed.response()["password_last_updated_at"], server.app.clock.now());
    assert_eq!(changed.json["client"]["sessions"][0]["user"]["password_enabled"], true);

    server.browser().sign_in(EMAIL, PASSWORD).await.refused(422, "form_password_incorrect", "password");
    server.browser().sign_in(EMAIL, NEW).await.expect(200);
    phone.get("/v1/me").await.expect(200);
    let out = [("current_password", NEW), ("new_password", "one more horse"), ("sign_out_of_other_sessions", "true")];
    ada.post(CHANGE, &out).await.expect(200);
    ada.get("/v1/me").await.expect(200);
    phone.get("/v1/me").await.refused(401, "authentication_invalid", "");
}

#[tokio::test]
async fn other_ways_in_survive_a_new_password() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    enrol(&server, &mut ada).await;
    let me = change(&mut ada, PASSWORD, NEW).await.response().clone();
    assert_eq!((&me["totp_enabled"], &me["backup_code_enabled"]), (&json!(true), &json!(true)));
    assert_eq!(server.browser().sign_in(EMAIL, NEW).await.response()["status"], "needs_second_factor");
}

#[tokio::test]
async fn who_has_no_password_may_set_one_and_take_it_away_again() {
    let server = TestServer::with_settings(|s| s.attributes.password = Presence::Optional).await;
    let body = json!({"email_address": [EMAIL], "skip_password_requirement": true});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    let mut ada = server.browser();
    let id = ada.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "email_code")]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", id.response()["id"].as_str().unwrap());
    let code = server.code_for(EMAIL).await;
    ada.post(&at, &[("strategy", "email_code"), ("code", &code)]).await.expect(200);

    ada.post(REMOVE, &[("current_password", "x")]).await.refused(400, "no_password_set", "");
    let set = ada.post(CHANGE, &[("new_password", NEW)]).await;
    assert_eq!(set.response()["password_enabled"], true);
    server.browser().sign_in(EMAIL, NEW).await.expect(200);
    ada.post(REMOVE, &[]).await.refused(422, "form_param_missing", "current_password");
    ada.post(REMOVE, &[("current_password", "wrong horse")]).await.refused(422, "form_password_incorrect", "current_password");
    let gone = ada.post(REMOVE, &[("current_password", NEW)]).await;
    assert_eq!((&gone.response()["password_enabled"], &gone.response()["password_last_updated_at"]), (&json!(false), &Value::Null));
    assert_eq!(server.browser().sign_in(EMAIL, NEW).await.status, 400);
    ada.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_password_that_is_needed_stays() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let right = [("current_password", PASSWORD)];
    signed_in(&server).await.post(REMOVE, &right).await.refused(400, "password_required", "");

    let server = TestServer::with_settings(|s| {
        (s.attributes.password, s.attributes.email_address, s.attributes.username) =
            (Presence::Optional, Presence::Off, Presence::Required);
    })
    .await;
    server.backend("POST", "/v1/users", Some(json!({"username": "ada_l", "password": PASSWORD}))).await.expect(200);
    let mut ada = server.browser();
    ada.sign_in("ada_l", PASSWORD).await.expect(200);
    ada.post(REMOVE, &right).await.refused(400, "password_required", "");
}

#[tokio::test]
async fn guesses_at_the_current_password_close_the_account_for_a_while() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 5).await;
    server.user(EMAIL, PASSWORD).await;
    let ada = signed_in(&server).await;
    let tries = join_all((0..100).map(|n| {
        let mut browser = ada.clone();
        async move { change(&mut browser, &format!("wrong horse {n}"), NEW).await }
    }))
    .await;
    let count = |code: &str| tries.iter().filter(|answer| answer.code() == code).count();
    assert_eq!((count("form_password_incorrect"), count("user_locked")), (5, 95));
    change(&mut ada.clone(), PASSWORD, NEW).await.refused(403, "user_locked", "");
    server.advance(Duration::from_secs(3601));
    change(&mut ada.clone(), PASSWORD, NEW).await.expect(200);
    for _ in 0..4 {
        change(&mut ada.clone(), PASSWORD, "any other").await.refused(422, "form_password_incorrect", "current_password");
    }
    change(&mut ada.clone(), NEW, PASSWORD).await.expect(200);
    change(&mut ada.clone(), NEW, PASSWORD).await.refused(422, "form_password_incorrect", "current_password");
}

#[tokio::test]
async fn of_many_changes_at_once_one_gets_through() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 1000).await;
    server.user(EMAIL, PASSWORD).await;
    let ada = signed_in(&server).await;
    let nodes = server.nodes().await;
    let tries = join_all((0..100).map(|n| {
        let mut browser = ada.clone().on_node(nodes[n % 2]);
        async move { change(&mut browser, PASSWORD, &format!("{NEW} {n}")).await }
    }))
    .await;
    let won: Vec<usize> = tries.iter().enumerate().filter(|(_, answer)| answer.status == 200).map(|(n, _)| n).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    for lost in tries.iter().filter(|answer| answer.status != 200) {
        lost.refused(422, "form_password_incorrect", "current_password");
    }
    server.browser().sign_in(EMAIL, &format!("{NEW} {}", won[0])).await.expect(200);
}

/// Every place where a new password is set, with the parameter that it has there.
async fn set_everywhere(server: &TestServer, password: &str) -> Vec<(&'static str, Answer)> {
    let body = json!({"email_address": ["eve@example.com"], "password": password});
    let created = server.backend("POST", "/v1/users", Some(body)).await;
    let user = server.user(EMAIL, PASSWORD).await;
    let updated = server.backend("PATCH", &format!("/v1/users/{user}"), Some(json!({"password": password}))).await;
    let signed_up = server.browser().post("/v1/client/sign_ups", &[("email_address", "bob@example.com"), ("password", password)]).await;
    let (at, mut forgetful) = proven(server).await;
    let reset = forgetful.post(&format!("{at}/reset_password"), &[("password", password)]).await;
    let current = if reset.status == 200 { password } else { PASSWORD };
    let new = if reset.status == 200 { format!("{password}!") } else { password.to_owned() };
    let mut ada = server.browser();
    ada.sign_in(EMAIL, current).await.expect(200);
    let changed = change(&mut ada, current, &new).await;
    vec![("password", created), ("password", updated), ("password", signed_up), ("password", reset), ("new_password", changed)]
}

/// A sign-in that may choose a new password.
async fn proven(server: &TestServer) -> (String, Browser) {
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "reset_password_email_code")]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let fields = [("strategy", "reset_password_email_code"), ("code", &*server.code_for(EMAIL).await)];
    browser.post(&format!("{at}/attempt_first_factor"), &fields).await.expect(200);
    (at, browser)
}

#[tokio::test]
async fn a_password_that_is_easy_to_guess_is_refused_with_advice() {
    let strict = |s: &mut Settings| (s.password.min_zxcvbn_strength, s.password.show_zxcvbn) = (3, true);
    let server = TestServer::with_settings(strict).await;
    for (param, answer) in set_everywhere(&server, "password1").await {
        answer.refused(422, "form_password_not_strong_enough", param);
        let advice = answer.json["errors"][0]["meta"]["zxcvbn"]["suggestions"].as_array().unwrap().clone();
        assert!(advice.iter().any(|it| it["code"] == "anotherWord" && !it["message"].as_str().unwrap().is_empty()), "{advice:?}");
    }
    let server = TestServer::with_settings(strict).await;
    for (_, answer) in set_everywhere(&server, "a walrus hums in teal").await {
        answer.expect(200);
    }
    let shown = server.browser().get("/v1/environment").await;
    assert_eq!(shown.json["user_settings"]["password_settings"]["min_zxcvbn_strength"], 3);
}

/// A range server that knows one password: what it was asked, and how it answers.
#[derive(Clone)]
struct Ranges {
    asked: Arc<Mutex<Vec<(String, String)>>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Clone, Copy)]
enum Mood {
    Fine,
    Broken,
    Silent,
}

/// SHA-1 of `password1`, as sha1sum prints it, in two parts.
const PWNED: (&str, &str) = ("E38AD", "214943DAAD1D64C102FAEC29DE4AFE9DA3D");

async fn range(State(it): State<Ranges>, Path(prefix): Path<String>, headers: http::HeaderMap) -> (http::StatusCode, String) {
    let padding = headers.get("add-padding").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    it.asked.lock().unwrap().push((prefix.clone(), padding));
    let mood = *it.mood.lock().unwrap();
    match mood {
        Mood::Fine if prefix == PWNED.0 => (http::StatusCode::OK, format!("{}1:0\r\n{}:2413945\r\n", &PWNED.1[1..], PWNED.1)),
        Mood::Fine => (http::StatusCode::OK, format!("{}:0\r\n", PWNED.1)),
        Mood::Broken => (http::StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Mood::Silent => std::future::pending().await,
    }
}

impl Ranges {
    async fn serve() -> (Self, String) {
        let it = Self { asked: Arc::default(), mood: Arc::new(Mutex::new(Mood::Fine)) };
        let router = Router::new().route("/range/{prefix}", get(range)).with_state(it.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (it, url)
    }
}

async fn with_source(source: Source, change: impl FnOnce(&mut PasswordSettings)) -> TestServer {
    let mut options = Options::default();
    options.settings.password.refuse_breached = true;
    change(&mut options.settings.password);
    options.passwords = Passwords::new(2, 1000).with_breached(source);
    TestServer::with(options).await
}

#[tokio::test]
async fn a_password_from_a_breach_is_refused_wherever_one_is_set() {
    let (ranges, url) = Ranges::serve().await;
    let source = || Source::server(&url, Duration::from_secs(10)).unwrap();
    let server = with_source(source(), |_| {}).await;
    for (param, answer) in set_everywhere(&server, "password1").await {
        answer.refused(422, "form_password_pwned", param);
    }
    let asked = ranges.asked.lock().unwrap().clone();
    assert_eq!(asked, vec![(PWNED.0.to_owned(), "true".to_owned()); 5], "five digits and no more leave the server");
    let server = with_source(source(), |_| {}).await;
    for (_, answer) in set_everywhere(&server, "password-11").await {
        answer.expect(200);
    }
    let off = with_source(source(), |rules| rules.refuse_breached = false).await;
    let before = ranges.asked.lock().unwrap().len();
    for (_, answer) in set_everywhere(&off, "password1").await {
        answer.expect(200);
    }
    assert_eq!(ranges.asked.lock().unwrap().len(), before, "nobody is asked where it is off");
}

#[tokio::test]
async fn fault_146_a_range_server_that_fails_decides_nothing_unless_it_has_to() {
    let (ranges, url) = Ranges::serve().await;
    for mood in [Mood::Broken, Mood::Silent] {
        *ranges.mood.lock().unwrap() = mood;
        let source = || Source::server(&url, Duration::from_millis(100)).unwrap();
        for (_, answer) in set_everywhere(&with_source(source(), |_| {}).await, "password1").await {
            answer.expect(200);
        }
        let strict = with_source(source(), |rules| rules.breached_check_required = true).await;
        for (_, answer) in set_everywhere(&strict, "password1").await {
            assert_eq!((answer.status, answer.code()), (503, "server_busy"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_list_on_disk_does_without_the_network() {
    let mut list = tempfile::NamedTempFile::new().unwrap();
    let mut hashes = ["0".repeat(40), format!("{}{}", PWNED.0, PWNED.1), "F".repeat(40)];
    hashes.sort();
    list.write_all(hashes.iter().map(|hash| format!("{hash}:3\r\n")).collect::<String>().as_bytes()).unwrap();
    let source = || Source::File(list.path().to_owned());
    for (param, answer) in set_everywhere(&with_source(source(), |_| {}).await, "password1").await {
        answer.refused(422, "form_password_pwned", param);
    }
    let strict = with_source(source(), |rules| rules.breached_check_required = true).await;
    for (_, answer) in set_everywhere(&strict, "password-11").await {
        answer.expect(200);
    }
}

#[tokio::test]
async fn a_breached_password_leads_from_sign_in_to_a_reset_where_that_is_wanted() {
    let (ranges, url) = Ranges::serve().await;
    let source = || Source::server(&url, Duration::from_secs(10)).unwrap();
    let lenient = with_source(source(), |_| {}).await;
    lenient.user(EMAIL, "password1").await;
    lenient.browser().sign_in(EMAIL, "password1").await.expect(200);

    let server = with_source(source(), |rules| rules.enforce_hibp_on_sign_in = true).await;
    server.user(EMAIL, "password1").await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, "password2").await.refused(422, "form_password_incorrect", "password");
    ada.sign_in(EMAIL, "password1").await.refused(422, "form_password_pwned", "password");
    assert_eq!(ada.session_id().await, None);
    let started = ada.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    ada.post(&at, &[("strategy", "password"), ("password", "password1")]).await.refused(422, "form_password_pwned", "password");
    let (at, mut ada) = proven(&server).await;
    ada.post(&format!("{at}/reset_password"), &[("password", NEW)]).await.expect(200);
    server.browser().sign_in(EMAIL, NEW).await.expect(200);

    *ranges.mood.lock().unwrap() = Mood::Broken;
    server.browser().sign_in(EMAIL, NEW).await.expect(200);
}
