//! With enumeration protection nobody learns whether an account exists: not by status, body or headers, on any way in.

use doorward_core::enumeration::GRAIN;
use doorward_core::settings::{Presence, SignUpMode};
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};
use std::time::Instant;

const PASSWORD: &str = "correct horse";
/// Who has an account, and who has none: of equal length, so that sizes can be compared.
const WHO: [(&str, &str); 2] = [("qiu@example.com", "+12024560143"), ("xia@example.com", "+12024560144")];

async fn guarded() -> TestServer {
    let server = TestServer::with_settings(|s| {
        s.attack_protection.enumeration_protection = true;
        s.attributes.phone_number = Presence::Optional;
        s.attributes.email_link = true;
    })
    .await;
    let body = json!({"email_address": [WHO[0].0], "phone_number": [WHO[0].1], "password": PASSWORD, "skip_password_checks": true});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    server
}

/// All that a stranger sees of an answer, without what is random or theirs.
fn seen(answer: &Answer, (email, phone): (&str, &str)) -> (u16, Vec<String>, Value) {
    let shown = (format!("{}**@", &email[..1]), &phone[phone.len().saturating_sub(4)..]);
    let masked = answer.text.replace(email, "WHO").replace(phone, "NUMBER").replace(&shown.0, "W**@").replace(shown.1, "NN");
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort_unstable();
    (answer.status, headers, blank(&serde_json::from_str(&masked).unwrap()))
}

fn blank(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains('_') && text.len() > 20 && text.contains(|c: char| c.is_ascii_digit()) => json!("ID"),
        Value::String(text) if text.starts_with("http") => json!("URL"),
        Value::Array(items) => items.iter().map(blank).collect(),
        Value::Object(fields) => fields.iter().filter(|(k, _)| *k != "clerk_trace_id").map(|(k, v)| (k.clone(), blank(v))).collect(),
        other => other.clone(),
    }
}

fn id_of(answer: &Answer) -> String {
    answer.response()["id"].as_str().unwrap().to_owned()
}

type Seen = Vec<(u16, Vec<String>, Value)>;

fn compare(all: &[Seen]) {
    assert_eq!(all.len(), 2);
    for (step, (known, unknown)) in all[0].iter().zip(&all[1]).enumerate() {
        assert_eq!(known, unknown, "at step {step}");
    }
}

#[tokio::test]
async fn fault_054_a_sign_up_does_not_tell_who_has_an_account() {
    let server = guarded().await;
    let mut all = Vec::new();
    for who in WHO {
        let mut out = Vec::new();
        let mut browser = server.browser();
        let mut started = String::new();
        for fields in [&[("email_address", who.0), ("password", PASSWORD)][..], &[("email_address", who.0), ("phone_number", who.1)]] {
            let answer = browser.post("/v1/client/sign_ups", fields).await;
            started = format!("/v1/client/sign_ups/{}", id_of(&answer));
            out.push(seen(&answer, who));
        }
        for strategy in ["email_code", "phone_code"] {
            for _ in 0..2 {
                out.push(seen(&browser.post(&format!("{started}/prepare_verification"), &[("strategy", strategy)]).await, who));
            }
            for code in ["000000", "000001"] {
                let fields = [("strategy", strategy), ("code", code)];
                out.push(seen(&browser.post(&format!("{started}/attempt_verification"), &fields).await, who));
            }
        }
        let link = [("strategy", "email_link"), ("redirect_url", "http://localhost:3000/verify")];
        out.push(seen(&browser.post(&format!("{started}/prepare_verification"), &link).await, who));
        let patch = [("email_address", who.0), ("first_name", "Ada"), ("legal_accepted", "true")];
        out.push(seen(&browser.post(&format!("{started}?_method=PATCH"), &patch).await, who));
        out.push(seen(&browser.get(&started).await, who));
        all.push(out);
    }
    compare(&all);
    // The owner gets no code that anybody could ask them for.
    assert!(server.outbox().await.iter().all(|mail| mail.to != WHO[0].0) && server.texts().await.iter().all(|sms| sms.to != WHO[0].1));
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn fault_054_not_even_the_code_of_tests_proves_what_belongs_to_somebody() {
    let server = guarded().await;
    let email = "qiu+clerk_test@example.com";
    server.user(email, PASSWORD).await;
    let mut eve = server.browser();
    let started = eve.post("/v1/client/sign_ups", &[("email_address", email), ("password", PASSWORD)]).await;
    let at = format!("/v1/client/sign_ups/{}", id_of(&started));
    eve.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let fields = [("strategy", "email_code"), ("code", "424242")];
    eve.post(&format!("{at}/attempt_verification"), &fields).await.refused(422, "form_code_incorrect", "code");
}

#[tokio::test]
async fn fault_054_a_sign_in_and_a_forgotten_password_do_not_tell_who_has_an_account() {
    let server = guarded().await;
    let mut all = Vec::new();
    for who in WHO {
        let mut out = Vec::new();
        for (identifier, strategies) in
            [(who.0, ["email_code", "reset_password_email_code"]), (who.1, ["phone_code", "reset_password_phone_code"])]
        {
            out.push(seen(&server.browser().sign_in(identifier, "guess it").await, who));
            out.push(seen(&server.browser().post("/v1/client/sign_ins", &[("identifier", identifier)]).await, who));
            for strategy in strategies {
                let mut browser = server.browser();
                let started = browser.post("/v1/client/sign_ins", &[("strategy", strategy), ("identifier", identifier)]).await;
                let at = format!("/v1/client/sign_ins/{}", id_of(&started));
                out.push(seen(&started, who));
                let fields = [("strategy", strategy), ("code", "000000")];
                out.push(seen(&browser.post(&format!("{at}/attempt_first_factor"), &fields).await, who));
                out.push(seen(&browser.post(&format!("{at}/reset_password"), &[("password", "another horse")]).await, who));
                out.push(seen(&browser.get(&at).await, who));
            }
        }
        all.push(out);
    }
    compare(&all);
}

/// What differs between accounts, each under another address: one that is locked, one without a password, one that is banned,
/// and none at all.
const KINDS: [&str; 4] = ["ema@example.com", "fay@example.com", "gus@example.com", "hal@example.com"];
/// How many guesses an account has.
const GUESSES: i64 = 3;

async fn with_kinds() -> TestServer {
    let server = TestServer::with_settings(|s| {
        s.attack_protection.enumeration_protection = true;
        s.attack_protection.max_attempts = GUESSES;
        s.attributes.email_link = true;
    })
    .await;
    server.user(KINDS[0], PASSWORD).await;
    let without = json!({"email_address": [KINDS[1]], "skip_password_requirement": true});
    server.backend("POST", "/v1/users", Some(without)).await.expect(200);
    let banned = server.user(KINDS[2], PASSWORD).await;
    server.backend("POST", &format!("/v1/users/{banned}/ban"), None).await.expect(200);
    server
}

#[tokio::test]
async fn fault_054_locked_banned_and_passwordless_accounts_answer_as_nobody_does() {
    let server = with_kinds().await;
    let mut all = Vec::new();
    for email in KINDS {
        let who = (email, "+12025558765");
        let mut out = Vec::new();
        for _ in 0..=GUESSES {
            out.push(seen(&server.browser().sign_in(email, "guess it").await, who));
        }
        for strategy in ["email_code", "reset_password_email_code", "email_link", "phone_code", "passkey"] {
            let mut browser = server.browser();
            let fields = [("identifier", email), ("strategy", strategy), ("redirect_url", "http://localhost:3000/verify")];
            out.push(seen(&browser.post("/v1/client/sign_ins", &fields).await, who));
        }
        let mut browser = server.browser();
        let started = browser.post("/v1/client/sign_ins", &[("identifier", email)]).await;
        out.push(seen(&started, who));
        let at = format!("/v1/client/sign_ins/{}", id_of(&started));
        let (prepare, attempt) = (format!("{at}/prepare_first_factor"), format!("{at}/attempt_first_factor"));
        for strategy in ["email_code", "reset_password_email_code", "password", "totp"] {
            out.push(seen(&browser.post(&prepare, &[("strategy", strategy)]).await, who));
            for code in ["000000", "000001", ""] {
                let fields = [("strategy", strategy), ("code", code), ("password", "guess it")];
                out.push(seen(&browser.post(&attempt, &fields).await, who));
            }
        }
        out.push(seen(&browser.post(&prepare, &[("strategy", "email_code"), ("email_address_id", "idn_another")]).await, who));
        out.push(seen(&browser.get(&at).await, who));
        all.push(out);
    }
    for (kind, steps) in all.iter().enumerate() {
        for (step, (known, nobody)) in steps.iter().zip(&all[3]).enumerate() {
            assert_eq!(known, nobody, "{} at step {step}", KINDS[kind]);
        }
    }
    // A locked account is closed to the right password too, and says no more of it.
    let right = server.browser().sign_in(KINDS[0], PASSWORD).await;
    right.refused(422, "form_password_or_identifier_incorrect", "password");
    // Who proves to be a banned person is told.
    assert_eq!(server.browser().sign_in(KINDS[2], PASSWORD).await.code(), "form_password_or_identifier_incorrect", "locked as well");
    server.advance(std::time::Duration::from_secs(24 * 60 * 60));
    server.browser().sign_in(KINDS[0], PASSWORD).await.expect(200);
    assert_eq!(server.browser().sign_in(KINDS[2], PASSWORD).await.code(), "user_banned");
}

#[tokio::test]
async fn fault_054_odd_requests_do_not_tell_who_has_an_account() {
    let server = guarded().await;
    let mut all = Vec::new();
    for who in WHO {
        let mut out = Vec::new();
        for fields in [
            &[("identifier", who.0), ("strategy", "password")][..],
            &[("identifier", who.0), ("strategy", "password"), ("password", "guess it")],
            &[("identifier", who.0), ("strategy", "email_code"), ("password", "guess it")],
            &[("identifier", who.0), ("strategy", "phone_code")],
            &[("identifier", who.1), ("strategy", "email_code")],
            &[("identifier", who.1), ("strategy", "phone_code"), ("channel", "whatsapp")],
            &[("identifier", who.1), ("strategy", "phone_code"), ("phone_number_id", "idn_another")],
            &[("identifier", who.0), ("strategy", "oauth_google")],
        ] {
            out.push(seen(&server.browser().post("/v1/client/sign_ins", fields).await, who));
        }
        let mut browser = server.browser();
        let fields = [("identifier", who.0), ("strategy", "reset_password_email_code")];
        let started = browser.post("/v1/client/sign_ins", &fields).await;
        let attempt = format!("/v1/client/sign_ins/{}/attempt_first_factor", id_of(&started));
        for password in ["short", "long enough it is"] {
            let fields = [("strategy", "reset_password_email_code"), ("code", "000000"), ("password", password)];
            out.push(seen(&browser.post(&attempt, &fields).await, who));
        }
        all.push(out);
    }
    compare(&all);
}

async fn signed_in(server: &TestServer) -> Browser {
    server.user("eve@example.com", PASSWORD).await;
    let mut eve = server.browser();
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    eve
}

#[tokio::test]
async fn fault_054_adding_an_identifier_does_not_tell_whose_it_is() {
    let server = guarded().await;
    let mut eve = signed_in(&server).await;
    let mut all = Vec::new();
    for who in WHO {
        let mut out = Vec::new();
        for (path, param, value, strategy) in
            [("email_addresses", "email_address", who.0, "email_code"), ("phone_numbers", "phone_number", who.1, "phone_code")]
        {
            let added = eve.post(&format!("/v1/me/{path}"), &[(param, value)]).await;
            let at = format!("/v1/me/{path}/{}", id_of(&added));
            let strip = |answer: &Answer| {
                // Whoever is signed in sees the whole account beside it, which grows from one to the next.
                let (status, headers, body) = seen(answer, who);
                (status, headers, json!([body["response"], body["errors"]]))
            };
            out.push(strip(&added));
            out.push(strip(&eve.post(&format!("{at}/prepare_verification"), &[("strategy", strategy)]).await));
            out.push(strip(&eve.post(&format!("{at}/attempt_verification"), &[("code", "000000")]).await));
            out.push(strip(&eve.get(&at).await));
            eve.post(&format!("{at}?_method=DELETE"), &[]).await.expect(200);
        }
        all.push(out);
    }
    compare(&all);
    assert!(server.outbox().await.iter().all(|mail| mail.to != WHO[0].0), "nobody is bothered");
    assert!(server.texts().await.iter().all(|sms| sms.to != WHO[0].1));
}

#[tokio::test]
async fn fault_054_the_waitlist_does_not_tell_who_is_on_it_or_has_an_account() {
    let server = TestServer::with_settings(|s| {
        s.attack_protection.enumeration_protection = true;
        s.sign_up.mode = SignUpMode::Waitlist;
    })
    .await;
    server.user(WHO[0].0, PASSWORD).await;
    let body = json!({"email_address": "cat@example.com", "notify": false});
    server.backend("POST", "/v1/waitlist_entries", Some(body)).await.expect(200);
    server.advance(std::time::Duration::from_secs(86_400));
    let mut all = Vec::new();
    for email in [WHO[0].0, WHO[1].0, "cat@example.com"] {
        let answer = server.browser().post("/v1/waitlist", &[("email_address", email)]).await;
        assert_eq!(answer.expect(200)["id"].as_str().unwrap().len(), "wle_".len() + 27);
        all.push((seen(&answer, (email, "+0000000")), answer.bytes.len()));
    }
    assert!(all.iter().all(|it| it == &all[0]), "{all:?}");
}

#[tokio::test]
async fn without_it_the_person_is_told() {
    let server = TestServer::start().await;
    server.user(WHO[0].0, PASSWORD).await;
    let sign_up = [("email_address", WHO[0].0), ("password", PASSWORD)];
    server.browser().post("/v1/client/sign_ups", &sign_up).await.refused(422, "form_identifier_exists", "email_address");
    let unknown = server.browser().post("/v1/client/sign_ins", &[("identifier", WHO[1].0)]).await;
    unknown.refused(422, "form_identifier_not_found", "identifier");
    let mut eve = signed_in(&server).await;
    eve.post("/v1/me/email_addresses", &[("email_address", WHO[0].0)]).await.refused(422, "form_identifier_exists", "email_address");
}

#[tokio::test]
async fn no_answer_about_an_identifier_comes_before_its_step_ends() {
    let server = guarded().await;
    for (email, _) in WHO {
        let mut browser = server.browser();
        let began = Instant::now();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", email), ("strategy", "email_code")]).await;
        assert!(began.elapsed() >= GRAIN, "a sign-in begins");
        let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());
        let began = Instant::now();
        browser.post(&at, &[("strategy", "email_code"), ("code", "000000")]).await.refused(422, "form_code_incorrect", "code");
        assert!(began.elapsed() >= GRAIN, "a code is guessed");
        let began = Instant::now();
        server.browser().post("/v1/client/sign_ups", &[("email_address", email)]).await.expect(200);
        assert!(began.elapsed() >= GRAIN, "a sign-up begins");
    }
}
