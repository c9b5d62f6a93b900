//! Webhooks: what is told, to whom, in which order and for how long, by a worker that is driven by hand.

use super::authenticator_app::enrol;
use doorward_base::{EndpointId, EventId, Secret};
use doorward_core::instance::{Instances, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::password::Passwords;
use doorward_core::settings::{Presence, Settings};
use doorward_core::webhooks::{self, EndpointChange, Range};
use doorward_core::{App, Scope, instance};
use doorward_jobs::{WebhookOptions, WebhookWorker};
use doorward_store::webhooks as store;
use doorward_testkit::{Act, Browser, Call, Options, Receiver, START, TestServer};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn worker(server: &TestServer) -> WebhookWorker {
    WebhookWorker::new(server.app.clone(), WebhookOptions { timeout: Duration::from_millis(300), ..WebhookOptions::default() })
}

async fn scope(server: &TestServer) -> Scope {
    let instance = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    Scope { app: server.app.clone(), instance, now: server.app.clock.now() }
}

async fn endpoint(server: &TestServer, receiver: &Receiver, events: &[&str]) -> (EndpointId, Secret) {
    let events = Some(events.iter().map(|kind| (*kind).to_owned()).collect());
    let change = EndpointChange { url: Some(receiver.url()), events, ..EndpointChange::default() };
    let (made, secret) = webhooks::create(&scope(server).await, change).await.unwrap();
    (made.id, secret)
}

/// Delivers all that is due now.
async fn deliver(server: &TestServer) -> usize {
    let (worker, mut total) = (worker(server), 0);
    loop {
        match worker.run_due().await.unwrap() {
            0 => return total,
            done => total += done,
        }
    }
}

async fn statuses(server: &TestServer, endpoint: &EndpointId) -> BTreeMap<String, usize> {
    let mut out = BTreeMap::new();
    for it in store::deliveries(&server.app.db, &server.instance.id, endpoint, None, 10_000).await.unwrap() {
        *out.entry(it.status).or_default() += 1;
    }
    out
}

async fn new_user(server: &TestServer, name: &str) -> String {
    let body = json!({"email_address": [format!("{name}@example.com")], "skip_password_requirement": true});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

async fn rename(server: &TestServer, user: &str, name: &str) {
    server.backend("PATCH", &format!("/v1/users/{user}"), Some(json!({"first_name": name}))).await.expect(200);
}

fn headers(call: &Call) -> http::HeaderMap {
    let header = |(name, value): (&String, &String)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap());
    call.headers.iter().map(header).collect()
}

/// Whether the official library signs a call as it is signed. Whether it is late, the library asks its own clock.
fn is_genuine(call: &Call, secret: &Secret) -> bool {
    let seconds = call.headers["svix-timestamp"].parse().unwrap();
    let expected = Webhook::new(secret.expose()).unwrap().sign(&call.id(), seconds, &call.body).unwrap();
    call.headers["svix-signature"].split(' ').any(|one| one == expected)
}

#[tokio::test]
async fn what_happens_to_users_and_sessions_is_told_with_signatures_that_the_official_library_takes() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    let (_, secret) = endpoint(&server, &receiver, &[]).await;
    let user = server.user(EMAIL, "correct horse").await;
    rename(&server, &user, "Augusta").await;
    let mut ada = server.browser();
    let session = ada.sign_in(EMAIL, "correct horse").await.response()["created_session_id"].as_str().unwrap().to_owned();
    ada.post(&format!("/v1/client/sessions/{session}/end"), &[]).await.expect(200);
    let mut bob = server.browser();
    let session = bob.sign_in(EMAIL, "correct horse").await.response()["created_session_id"].as_str().unwrap().to_owned();
    server.backend("POST", &format!("/v1/sessions/{session}/revoke"), None).await.expect(200);
    let mut eve = server.browser();
    let session = eve.sign_in(EMAIL, "correct horse").await.response()["created_session_id"].as_str().unwrap().to_owned();
    eve.post(&format!("/v1/client/sessions/{session}/remove"), &[]).await.expect(200);
    server.backend("DELETE", &format!("/v1/users/{user}"), None).await.expect(200);
    deliver(&server).await;

    let calls = receiver.taken();
    let of = |object: &str| -> Vec<String> {
        let ours = calls.iter().filter(|call| call.json()["data"]["id"] == object);
        ours.map(|call| call.json()["type"].as_str().unwrap().to_owned()).collect()
    };
    let signed_in = ["user.updated"; 3];
    assert_eq!(of(&user), [&["user.created", "user.updated"], &signed_in[..], &["user.deleted"]].concat());
    assert_eq!(of(&session), ["session.created", "session.removed"]);
    let kinds: BTreeSet<String> = receiver.types().into_iter().collect();
    assert!(kinds.contains("session.ended") && kinds.contains("session.revoked"), "{kinds:?}");
    let ids: BTreeSet<String> = calls.iter().map(Call::id).collect();
    assert_eq!(ids.len(), calls.len(), "each has an id of its own");
    for call in &calls {
        assert!(is_genuine(call, &secret));
        assert_eq!(call.headers["content-type"], "application/json");
        for name in ["id", "timestamp", "signature"] {
            assert_eq!(call.headers[&format!("svix-{name}")], call.headers[&format!("webhook-{name}")]);
        }
        let told = call.json();
        assert_eq!((&told["object"], &told["timestamp"]), (&json!("event"), &json!(START)));
        assert_eq!(told["instance_id"], server.instance.id.as_str());
    }
    let first = |kind: &str| calls.iter().map(Call::json).find(|told| told["type"] == kind).unwrap();
    let created = &first("user.created")["data"];
    assert_eq!((&created["first_name"], &created["private_metadata"]), (&json!("Ada"), &json!({})), "as it was then");
    let began = first("session.created");
    assert_eq!(began["event_attributes"]["http_request"]["client_ip"], "127.0.0.1");
    assert_eq!(began["data"]["user"]["id"], user.as_str());
}

#[tokio::test]
async fn a_session_that_waits_for_tasks_is_created_when_they_are_done() {
    let server = TestServer::with_settings(|settings| settings.session.require_second_factor = true).await;
    let user = server.user(EMAIL, "correct horse").await;
    let receiver = Receiver::new().await;
    endpoint(&server, &receiver, &["session.pending", "session.created"]).await;
    let mut ada = server.browser();
    let session = ada.sign_in(EMAIL, "correct horse").await.response()["created_session_id"].clone();
    rename(&server, &user, "Augusta").await;
    deliver(&server).await;
    assert_eq!(receiver.types(), ["session.pending"], "another change of the user is no task");

    enrol(&server, &mut ada).await;
    rename(&server, &user, "Ada").await;
    deliver(&server).await;
    let told: Vec<Value> = receiver.taken().iter().map(Call::json).collect();
    assert_eq!(told.len(), 2, "once: {told:?}");
    assert_eq!((&told[1]["type"], &told[1]["data"]["id"]), (&json!("session.created"), &session));
    assert_eq!(told[1]["data"]["status"], "active");
}

#[tokio::test]
async fn mails_and_text_messages_are_told_of() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.phone_number = Presence::Optional;
        settings.attributes.phone_code = true;
    })
    .await;
    let receiver = Receiver::new().await;
    endpoint(&server, &receiver, &["email.created", "sms.created"]).await;
    let mut ada = server.browser();
    let up = ada.post("/v1/client/sign_ups", &[("email_address", EMAIL), ("phone_number", "+12024560143")]).await;
    let id = up.response()["id"].as_str().unwrap().to_owned();
    for strategy in ["email_code", "phone_code"] {
        ada.post(&format!("/v1/client/sign_ups/{id}/prepare_verification"), &[("strategy", strategy)]).await.expect(200);
    }
    deliver(&server).await;
    let told = |kind: &str| receiver.taken().iter().map(Call::json).find(|told| told["type"] == kind).unwrap()["data"].clone();
    let (mail, text) = (told("email.created"), told("sms.created"));
    assert_eq!(mail["to_email_address"], EMAIL);
    assert!(mail["body_plain"].as_str().unwrap().contains(&server.code_for(EMAIL).await));
    assert_eq!(text["to_phone_number"], "+12024560143");
    assert!(text["message"].as_str().unwrap().contains(&server.code_for("+12024560143").await));
    assert_eq!([&mail["user_id"], &mail["email_address_id"], &text["user_id"], &text["phone_number_id"]], [&Value::Null; 4], "nobody yet");
}

#[tokio::test]
async fn messages_say_whose_they_are_and_events_who_asked() {
    let server = TestServer::with_settings(|settings| settings.attributes.phone_number = Presence::Optional).await;
    let body = json!({"email_address": [EMAIL], "phone_number": ["+12024560143"], "password": "correct horse"});
    let user = server.backend("POST", "/v1/users", Some(body)).await.expect(200).clone();
    let id = user["id"].as_str().unwrap();
    let receiver = Receiver::new().await;
    endpoint(&server, &receiver, &["email.created", "sms.created", "user.updated"]).await;
    let mut ada = server.browser();
    ada.headers.push(("user-agent".to_owned(), "Ada's own/1.0".to_owned()));
    let (email, phone) = (&user["primary_email_address_id"], &user["primary_phone_number_id"]);
    ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", EMAIL)]).await.expect(200);
    ada.post("/v1/client/sign_ins", &[("strategy", "phone_code"), ("identifier", "+12024560143")]).await.expect(200);
    let at = format!("/v1/email_addresses/{}/prepare_verification", email.as_str().unwrap());
    server.backend("POST", &at, None).await.expect(200);
    ada.sign_in(EMAIL, "correct horse").await.expect(200);
    ada.send("PATCH", "/v1/me/metadata", Some(("application/json", json!({"unsafe_metadata": {"a": 1}}).to_string()))).await.expect(200);
    ada.post("/v1/me/change_password", &[("current_password", "correct horse"), ("new_password", "another horse")]).await.expect(200);
    rename(&server, id, "Augusta").await;
    deliver(&server).await;

    let told: Vec<Value> = receiver.taken().iter().map(Call::json).collect();
    let of = |kind: &str| told.iter().filter(|it| it["type"] == kind).cloned().collect::<Vec<_>>();
    let browsers = json!({"client_ip": "127.0.0.1", "user_agent": "Ada's own/1.0"});
    let servers = json!({"client_ip": "", "user_agent": ""});
    let asked = |it: &Value| it["event_attributes"]["http_request"].clone();
    let mails = of("email.created");
    assert_eq!(mails.len(), 3, "a code, the server's code and a notice: {mails:?}");
    for mail in &mails {
        assert_eq!((&mail["data"]["user_id"], &mail["data"]["email_address_id"]), (&json!(id), email));
    }
    assert_eq!(mails.iter().filter(|it| asked(it) == browsers).count(), 2);
    assert_eq!(mails.iter().filter(|it| asked(it) == servers).count(), 1);
    let texts = of("sms.created");
    assert_eq!((&texts[0]["data"]["user_id"], &texts[0]["data"]["phone_number_id"]), (&json!(id), phone));
    assert_eq!(asked(&texts[0]), browsers);
    let changes: Vec<Value> = of("user.updated").iter().map(asked).collect();
    let (last, others) = changes.split_last().unwrap();
    assert_eq!((last, others.len() >= 3, others.iter().all(|it| it == &browsers)), (&servers, true, true), "{changes:?}");
}

#[tokio::test]
async fn fault_122_the_official_library_refuses_what_was_changed_is_late_or_was_signed_by_somebody_else() {
    let server = TestServer::start().await;
    server.app.clock.set(doorward_base::Clock::system().now());
    let receiver = Receiver::new().await;
    let (id, first) = endpoint(&server, &receiver, &[]).await;
    new_user(&server, "ada").await;
    let second = webhooks::rotate_secret(&scope(&server).await, &id).await.unwrap();
    assert_eq!(webhooks::reveal_secret(&scope(&server).await, &id).await.unwrap(), second);
    deliver(&server).await;
    let call = receiver.taken().remove(0);
    let verify = |secret: &Secret, call: &Call| Webhook::new(secret.expose()).unwrap().verify(&call.body, &headers(call)).is_ok();
    assert!(verify(&first, &call) && verify(&second, &call), "both while the secret is replaced");
    assert_eq!(call.headers["svix-signature"].split(' ').count(), 2);
    assert!(!verify(&Secret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &call));
    let mut spaced = call.clone();
    spaced.body = serde_json::to_vec_pretty(&call.json()).unwrap();
    assert!(!verify(&first, &spaced), "the bytes are signed, not what they mean");
    for (name, value) in [("id", "evt_other"), ("timestamp", "1700000000"), ("signature", "v1,AAAA"), ("signature", "")] {
        let mut other = call.clone();
        other.headers.insert(format!("webhook-{name}"), value.to_owned());
        assert!(!verify(&first, &other), "{name}: {value}");
    }

    server.advance(DAY + Duration::from_secs(1));
    new_user(&server, "bob").await;
    deliver(&server).await;
    let call = receiver.taken().remove(1);
    assert!(!is_genuine(&call, &first) && is_genuine(&call, &second), "a day later only the new one signs");
    assert!(!verify(&second, &call), "and a time that is a day off is refused");
}

#[tokio::test]
async fn fault_123_a_later_event_of_an_object_waits_for_the_earlier_and_others_do_not() {
    let server = TestServer::start().await;
    let receiver = Receiver::with(|call, n| {
        let first = n == 0 || call.json()["data"]["first_name"] == "1" && n < 3;
        if first { Act::Answer(500) } else { Act::Answer(200) }
    })
    .await;
    let (id, _) = endpoint(&server, &receiver, &["user.created", "user.updated"]).await;
    let ada = new_user(&server, "ada").await;
    for n in 1..=3 {
        rename(&server, &ada, &n.to_string()).await;
    }
    worker(&server).run_due().await.unwrap();
    let bob = new_user(&server, "bob").await;
    deliver(&server).await;
    let told = |call: &Call| (call.json()["data"]["id"].as_str().unwrap().to_owned(), call.json()["data"]["first_name"].clone());
    assert_eq!(receiver.taken().iter().map(told).collect::<Vec<_>>(), [(bob.clone(), Value::Null)]);
    server.advance(Duration::from_secs(10));
    deliver(&server).await;
    server.advance(Duration::from_secs(400));
    deliver(&server).await;
    let got: Vec<_> = receiver.taken().iter().map(told).collect();
    let expected = [Value::Null, json!("1"), json!("2"), json!("3")].map(|name| (ada.clone(), name));
    assert_eq!(got[1..], expected);
    assert_eq!(statuses(&server, &id).await, BTreeMap::from([("delivered".to_owned(), 5)]));
}

#[tokio::test]
async fn fault_123_and_145_a_hundred_deliveries_to_an_endpoint_of_every_fault_lose_nothing_and_make_no_new_ids() {
    let server = TestServer::start().await;
    // Most calls fail until it is mended; without that some of the events would outlast all patience.
    let faulty = Receiver::with(|_, n| match n % 8 {
        _ if n > 300 => Act::Answer(200),
        0 => Act::Answer(500),
        1 => Act::Reset,
        2 => Act::Lie,
        3 => Act::Flood,
        4 => Act::AnswerWith(302, "Location", "http://127.0.0.1:1/".to_owned()),
        5 if n < 40 => Act::Stall,
        _ => Act::Answer(200),
    })
    .await;
    let sound = Receiver::new().await;
    let (id, secret) = endpoint(&server, &faulty, &["user.created"]).await;
    let (other, _) = endpoint(&server, &sound, &["user.created"]).await;
    let mut users = BTreeSet::new();
    for n in 0..100 {
        users.insert(new_user(&server, &format!("u{n}")).await);
    }
    let written: BTreeSet<String> = store::deliveries(&server.app.db, &server.instance.id, &id, None, 1000)
        .await
        .unwrap()
        .iter()
        .map(|it| it.event_id.to_string())
        .collect();
    assert_eq!(written.len(), 100);
    let mut rounds = 0;
    while statuses(&server, &id).await.contains_key("pending") {
        deliver(&server).await;
        server.advance(Duration::from_secs(3 * 60 * 60));
        rounds += 1;
        assert!(rounds < 40, "{:?}", statuses(&server, &id).await);
    }
    assert_eq!(statuses(&server, &id).await, BTreeMap::from([("delivered".to_owned(), 100)]));
    let taken = faulty.taken();
    assert_eq!(taken.len(), 100, "what was taken is not sent again");
    assert_eq!(taken.iter().map(Call::id).collect::<BTreeSet<_>>(), written);
    let told: BTreeSet<String> = taken.iter().map(|call| call.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, users);
    let mut by_id: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for call in faulty.calls() {
        assert!(written.contains(&call.id()) && is_genuine(&call, &secret));
        by_id.entry(call.id()).or_default().insert(call.body);
    }
    assert!(by_id.values().all(|bodies| bodies.len() == 1), "each try says the same");
    assert_eq!(sound.taken().len(), 100);
    let tries = store::attempts(&server.app.db, &server.instance.id, &other, &sound.taken()[0].id().as_str().into(), 10).await.unwrap();
    assert_eq!((tries.len(), tries[0].status), (1, Some(204)));
}

#[tokio::test]
async fn an_endpoint_that_stalls_keeps_nobody_else_waiting() {
    let server = TestServer::start().await;
    let (stalling, sound) = (Receiver::with(|_, _| Act::Stall).await, Receiver::new().await);
    let (id, _) = endpoint(&server, &stalling, &[]).await;
    endpoint(&server, &sound, &[]).await;
    for n in 0..30 {
        new_user(&server, &format!("u{n}")).await;
    }
    // With a patience of minutes, the sound endpoint is through long before the first turn of the other one is over.
    let patient = WebhookWorker::new(server.app.clone(), WebhookOptions { timeout: Duration::from_secs(600), ..WebhookOptions::default() });
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(patient.run(stopped));
    while sound.taken().len() < 30 {
        tokio::task::yield_now().await;
    }
    assert!(stalling.connections() <= 8, "and it is not asked for more than it can take: {}", stalling.connections());
    running.abort();
    drop(stop);
    assert_eq!(statuses(&server, &id).await, BTreeMap::from([("pending".to_owned(), 30)]));
}

#[tokio::test]
async fn endpoints_are_told_of_what_they_chose_and_nothing_while_they_are_off() {
    let server = TestServer::start().await;
    let (some, off, other_instance) = (Receiver::new().await, Receiver::new().await, Receiver::new().await);
    let (id, _) = endpoint(&server, &some, &["user.deleted"]).await;
    let (off_id, _) = endpoint(&server, &off, &[]).await;
    let other = server.another_instance("other.test").await;
    let there = Scope { instance: instance::by_id(&server.app, &other.id).await.unwrap().unwrap(), ..scope(&server).await };
    let change = EndpointChange { url: Some(other_instance.url()), ..EndpointChange::default() };
    webhooks::create(&there, change).await.unwrap();
    let here = scope(&server).await;
    webhooks::update(&here, &off_id, EndpointChange { disabled: Some(true), ..EndpointChange::default() }).await.unwrap();
    let user = new_user(&server, "ada").await;
    server.backend("DELETE", &format!("/v1/users/{user}"), None).await.expect(200);
    let event = webhooks::test_event(&here, &webhooks::find(&here, &id).await.unwrap()).await.unwrap();
    deliver(&server).await;
    assert_eq!(BTreeSet::from_iter(some.types()), BTreeSet::from(["user.deleted".to_owned(), "test".to_owned()]));
    assert!(some.taken().iter().any(|call| call.id() == event.as_str()));
    assert_eq!((off.connections(), other_instance.connections()), (0, 0));
    assert!(webhooks::find(&there, &id).await.is_err(), "another instance's endpoint is not found");

    let change = |url: &str| EndpointChange { url: Some(url.to_owned()), ..EndpointChange::default() };
    for bad in ["", "ftp://example.com", "https://", "https://u:p@example.com", "https://example.com/#x", "example.com", "javascript:x"] {
        let error = webhooks::create(&here, change(bad)).await.err().unwrap();
        assert_eq!(error.meta().param_name.as_deref(), Some("url"), "{bad}");
    }
    let unknown = EndpointChange { events: Some(vec!["user.exploded".to_owned()]), ..change("https://example.com") };
    assert_eq!(webhooks::create(&here, unknown).await.err().unwrap().meta().param_name.as_deref(), Some("events"));
}

#[tokio::test]
async fn fault_145_an_endpoint_that_fails_for_days_is_left_alone_until_somebody_switches_it_on() {
    let server = TestServer::start().await;
    let sound = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = sound.clone();
    let receiver = Receiver::with(move |_, _| Act::Answer(if switch.load(std::sync::atomic::Ordering::SeqCst) { 200 } else { 503 })).await;
    let (id, _) = endpoint(&server, &receiver, &["user.created", "user.updated"]).await;
    let ada = new_user(&server, "ada").await;
    let mut hours = 0;
    while webhooks::find(&scope(&server).await, &id).await.unwrap().paused_at.is_none() {
        server.advance(Duration::from_secs(3600));
        hours += 1;
        if hours % 20 == 0 {
            rename(&server, &ada, &hours.to_string()).await;
        }
        deliver(&server).await;
        assert!(hours < 24 * 10);
    }
    assert!(hours >= 24 * 5, "after {hours} hours");
    assert!(statuses(&server, &id).await["failed"] >= 1, "the first event was given up, after all its tries");
    let calls = receiver.calls().len();
    let missed = new_user(&server, "bob").await;
    server.advance(DAY);
    assert_eq!((deliver(&server).await, receiver.calls().len()), (0, calls), "it is left alone");

    sound.store(true, std::sync::atomic::Ordering::SeqCst);
    let here = scope(&server).await;
    let it = webhooks::update(&here, &id, EndpointChange { disabled: Some(false), ..EndpointChange::default() }).await.unwrap();
    assert!(it.paused_at.is_none() && it.failing_since.is_none());
    deliver(&server).await;
    assert!(!statuses(&server, &id).await.contains_key("pending"));
    // What happened while it was left alone, and what was given up, can be sent again.
    let range = Range { since: START, until: here.now + 1, all: false };
    assert!(webhooks::replay_range(&here, &it, range).await.unwrap() >= 2);
    deliver(&server).await;
    let told: BTreeSet<String> = receiver.taken().iter().map(|call| call.json()["data"]["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(told, BTreeSet::from([ada, missed]));
    assert_eq!(webhooks::replay_range(&here, &it, range).await.unwrap(), 0);
}

#[tokio::test]
async fn fault_145_an_old_failure_of_a_quiet_endpoint_does_not_count_against_it() {
    let server = TestServer::start().await;
    // The first event is never taken. The one of months later fails once.
    let receiver = Receiver::with(|call, n| {
        if ["first", "third"].contains(&call.json()["data"]["username"].as_str().unwrap()) || n == 11 {
            Act::Answer(502)
        } else {
            Act::Answer(200)
        }
    });
    let receiver = receiver.await;
    server.change_settings(|s| s.attributes.username = Presence::Optional).await;
    let (id, _) = endpoint(&server, &receiver, &["user.created"]).await;
    let named = async |name: &str| {
        let body = json!({"username": name, "email_address": [format!("{name}@example.com")], "skip_password_requirement": true});
        server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    };
    named("first").await;
    for _ in 0..110 {
        deliver(&server).await;
        server.advance(Duration::from_secs(3600));
    }
    assert_eq!((statuses(&server, &id).await, receiver.calls().len()), (BTreeMap::from([("failed".to_owned(), 1)]), 11));
    server.advance(DAY * 90);
    named("second").await;
    deliver(&server).await;
    assert!(webhooks::find(&scope(&server).await, &id).await.unwrap().paused_at.is_none());
    server.advance(Duration::from_secs(10));
    deliver(&server).await;
    assert_eq!(statuses(&server, &id).await["delivered"], 1);

    // Neither does what was before somebody switched it off.
    let switch = async |disabled: bool| {
        webhooks::update(&scope(&server).await, &id, EndpointChange { disabled: Some(disabled), ..EndpointChange::default() })
            .await
            .unwrap()
    };
    named("third").await;
    deliver(&server).await;
    assert!(webhooks::find(&scope(&server).await, &id).await.unwrap().failing_since.is_some());
    switch(true).await;
    assert!(switch(false).await.failing_since.is_none());
}

#[tokio::test]
async fn an_endpoint_that_says_much_has_taken_what_it_was_told() {
    let server = TestServer::start().await;
    let receiver = Receiver::with(|_, _| Act::Flood).await;
    let (id, _) = endpoint(&server, &receiver, &["user.created"]).await;
    new_user(&server, "ada").await;
    deliver(&server).await;
    assert_eq!(statuses(&server, &id).await, BTreeMap::from([("delivered".to_owned(), 1)]));
}

#[tokio::test]
async fn events_can_be_sent_again_one_or_those_of_a_time() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    let (id, _) = endpoint(&server, &receiver, &["user.created"]).await;
    for n in 0..4 {
        new_user(&server, &format!("u{n}")).await;
        server.advance(Duration::from_secs(60));
    }
    deliver(&server).await;
    let here = scope(&server).await;
    let it = webhooks::find(&here, &id).await.unwrap();
    let second = receiver.taken().into_iter().find(|call| call.json()["timestamp"] == START + 60_000).unwrap();
    let chosen: EventId = second.id().as_str().into();
    webhooks::replay(&here, &it, &chosen).await.unwrap();
    deliver(&server).await;
    assert_eq!((receiver.taken().len(), receiver.taken()[4].id()), (5, chosen.to_string()), "with its id");
    assert_eq!(receiver.taken()[4].body, second.body);
    assert!(webhooks::replay(&here, &it, &"evt_unknown".into()).await.is_err());

    let range = Range { since: START + 60_000, until: START + 180_000, all: true };
    assert_eq!(webhooks::replay_range(&here, &it, Range { all: false, ..range }).await.unwrap(), 0, "it missed none");
    assert_eq!(webhooks::replay_range(&here, &it, range).await.unwrap(), 2);
    deliver(&server).await;
    assert_eq!(receiver.taken().len(), 7);
    let tries = store::attempts(&server.app.db, &server.instance.id, &id, &chosen, 10).await.unwrap();
    assert_eq!(tries.len(), 3);

    // A new endpoint can be told of what happened before it.
    let late = Receiver::new().await;
    let (late_id, _) = endpoint(&server, &late, &["user.created"]).await;
    let it = webhooks::find(&here, &late_id).await.unwrap();
    assert_eq!(webhooks::replay_range(&here, &it, Range { since: START, until: here.now + 1, all: false }).await.unwrap(), 4);
    deliver(&server).await;
    assert_eq!(late.taken().len(), 4);
}

#[tokio::test]
async fn a_rate_is_kept_to_by_all_nodes_together() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    let (id, _) = endpoint(&server, &receiver, &[]).await;
    let change = EndpointChange { rate_limit: Some(Some(3)), ..EndpointChange::default() };
    webhooks::update(&scope(&server).await, &id, change).await.unwrap();
    for n in 0..8 {
        new_user(&server, &format!("u{n}")).await;
    }
    for expected in [3, 6, 8] {
        for node in [worker(&server), worker(&server)] {
            node.run_due().await.unwrap();
            node.run_due().await.unwrap();
        }
        assert_eq!(receiver.taken().len(), expected);
        server.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn two_nodes_share_the_deliveries_and_a_dead_ones_lease_ends() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    let (id, _) = endpoint(&server, &receiver, &["user.created"]).await;
    for n in 0..20 {
        new_user(&server, &format!("u{n}")).await;
    }
    // A node took two and died.
    let it = webhooks::find(&scope(&server).await, &id).await.unwrap();
    let now = server.app.clock.now();
    assert_eq!(store::take_due(&server.app.db, &it, now, now + 60_000, 2).await.unwrap().len(), 2);
    let (a, b) = (worker(&server), worker(&server));
    for _ in 0..5 {
        let (a, b) = tokio::join!(a.run_due(), b.run_due());
        assert!(a.is_ok() && b.is_ok());
    }
    assert_eq!(receiver.calls().len(), 18, "each once");
    server.advance(Duration::from_secs(61));
    deliver(&server).await;
    assert_eq!(receiver.taken().iter().map(Call::id).collect::<BTreeSet<_>>().len(), 20);
}

#[tokio::test]
async fn a_change_that_was_refused_is_not_told_of() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    endpoint(&server, &receiver, &[]).await;
    new_user(&server, "ada").await;
    let body = json!({"email_address": ["ada@example.com"], "skip_password_requirement": true});
    server.backend("POST", "/v1/users", Some(body)).await.refused(422, "form_identifier_exists", "email_address");
    server.backend("PATCH", "/v1/users/user_nobody", Some(json!({"first_name": "x"}))).await.refused(404, "resource_not_found", "");
    deliver(&server).await;
    assert_eq!(receiver.types(), ["user.created"]);
}

/// A node of a production instance, which calls public addresses only.
async fn guarded(server: &TestServer) -> Scope {
    let app = App {
        db: server.app.db.clone(),
        clock: server.app.clock.clone(),
        rng: server.app.rng.clone(),
        sealer: server.app.sealer.clone(),
        passwords: Passwords::new(1, 1),
        instances: Instances::default(),
        outbound: doorward_outbound::shared(false).unwrap(),
        provider_documents: Default::default(),
        atlas: Default::default(),
        outbox: Arc::default(),
    };
    let new = NewInstance {
        environment: Environment::Production,
        name: "Live".to_owned(),
        key_host: "live.example.com".to_owned(),
        hosts: vec!["live.example.com".to_owned()],
        scheme: "https".to_owned(),
        settings: Settings::default(),
    };
    let made = instance::create(&app, new).await.unwrap();
    let instance = instance::by_id(&app, &made.id).await.unwrap().unwrap();
    Scope { now: app.clock.now(), app: Arc::new(app), instance }
}

#[tokio::test]
async fn fault_112_no_address_inside_is_called_however_it_is_written() {
    let server = TestServer::start().await;
    let receiver = Receiver::new().await;
    let scope = guarded(&server).await;
    let port = receiver.at.port();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[fec0::1]",
        "[fe80::1]",
        "[fd00::1]",
    ];
    for host in hosts {
        let url = Some(format!("https://{host}:{port}/hook"));
        let (it, _) = webhooks::create(&scope, EndpointChange { url, ..EndpointChange::default() }).await.unwrap();
        let event = webhooks::test_event(&scope, &it).await.unwrap();
        WebhookWorker::new(scope.app.clone(), WebhookOptions::default()).run_due().await.unwrap();
        let tries = store::attempts(&scope.app.db, &scope.instance.id, &it.id, &event, 10).await.unwrap();
        let why = tries[0].error.as_deref().unwrap();
        assert_eq!((tries.len(), why), (1, "the address is not one that may be called"), "{host}");
        webhooks::delete(&scope, &it.id).await.unwrap();
    }
    assert_eq!(receiver.connections(), 0);
    let plain = EndpointChange { url: Some("http://example.com/hook".to_owned()), ..EndpointChange::default() };
    assert_eq!(webhooks::create(&scope, plain).await.err().unwrap().meta().param_name.as_deref(), Some("url"), "https only");
}

#[tokio::test]
async fn fault_112_a_redirect_is_a_failure_and_leads_nowhere() {
    let server = TestServer::start().await;
    let inside = Receiver::new().await;
    let to = inside.url();
    let outside = Receiver::with(move |_, _| Act::AnswerWith(307, "Location", to.clone())).await;
    let (id, _) = endpoint(&server, &outside, &[]).await;
    let user = new_user(&server, "ada").await;
    assert!(user.starts_with("user_"));
    deliver(&server).await;
    assert_eq!((outside.connections(), inside.connections()), (1, 0));
    let event = outside.calls()[0].id().as_str().into();
    let tries = store::attempts(&server.app.db, &server.instance.id, &id, &event, 10).await.unwrap();
    assert_eq!((tries[0].status, tries[0].response.as_str()), (Some(307), "hello"));
}

fn by_key(server: &TestServer) -> Browser {
    let mut caller = server.browser().on_node(server.private);
    caller.origin = None;
    caller.headers = vec![("authorization".to_owned(), format!("Bearer {}", server.instance.secret_key.expose()))];
    caller
}

async fn svix_url(mut caller: Browser) -> String {
    caller.send("POST", "/v1/webhooks/svix", None).await.expect(200)["svix_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_page_s_address_is_as_its_caller_came() {
    let mut options = Options::default();
    options.config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = TestServer::with(options).await;
    for (said, scheme) in [(None, "http"), (Some("https"), "https"), (Some("http"), "http")] {
        let mut caller = by_key(&server);
        caller.headers.push(("x-forwarded-for".to_owned(), "192.0.2.7".to_owned()));
        caller.headers.extend(said.map(|said| ("x-forwarded-proto".to_owned(), said.to_owned())));
        assert!(svix_url(caller).await.starts_with(&format!("{scheme}://")), "{said:?}");
    }
}

#[tokio::test]
async fn a_server_says_that_it_uses_webhooks_before_it_asks_for_more() {
    let server = TestServer::start().await;
    server.backend("POST", "/v1/webhooks/svix_url", None).await.refused(400, "svix_app_missing", "");
    server.backend("DELETE", "/v1/webhooks/svix", None).await.refused(400, "svix_app_missing", "");
    for path in ["/v1/webhooks/svix", "/v1/webhooks/svix", "/v1/webhooks/svix_url"] {
        let answer = server.backend("POST", path, None).await;
        let at = answer.expect(200)["svix_url"].as_str().unwrap();
        assert!(at.starts_with(&format!("http://{}/webhooks/enter?instance={}&token=", server.private, server.instance.id)), "{at}");
    }
    let mut lured = by_key(&server);
    lured.headers.push(("x-forwarded-proto".to_owned(), "https".to_owned()));
    assert!(svix_url(lured).await.starts_with("http://"), "nobody in front of us is trusted");
    let receiver = Receiver::new().await;
    endpoint(&server, &receiver, &[]).await;
    let other = server.another_instance("other.test").await;
    server.backend_as(&other.secret_key, "POST", "/v1/webhooks/svix_url", None).await.refused(400, "svix_app_missing", "");
    let gone = server.backend("DELETE", "/v1/webhooks/svix", None).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert!(webhooks::list(&scope(&server).await).await.unwrap().is_empty());
    new_user(&server, "ada").await;
    assert_eq!(deliver(&server).await, 0);
}
