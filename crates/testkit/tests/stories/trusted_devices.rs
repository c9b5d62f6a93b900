//! Trusted devices: a native app enrols a key, signs its user in by it, and loses it.

use doorward_testkit::{Answer, Browser, DeviceKey, TestServer};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const STRATEGY: &str = "trusted_device";

async fn server() -> TestServer {
    TestServer::with_settings(|s| s.native.trusted_devices = true).await
}

async fn signed_in(server: &TestServer) -> Browser {
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    browser
}

fn about(jwk: &str) -> Vec<(&str, &str)> {
    vec![
        ("platform", "ios"),
        ("app_identifier", "com.example.app"),
        ("name", "Ada's phone"),
        ("algorithm", "ES256"),
        ("public_key_jwk", jwk),
    ]
}

async fn enrol(browser: &mut Browser, key: &DeviceKey) -> Answer {
    let jwk = key.jwk();
    let asked = browser.post("/v1/me/trusted_devices/prepare", &about(&jwk)).await;
    let text = asked.response()["client_data"].as_str().unwrap_or_else(|| panic!("{}", asked.text)).to_owned();
    let signature = key.sign(&text);
    let fields = [about(&jwk), vec![("client_data", text.as_str()), ("signature", signature.as_str())]].concat();
    browser.post("/v1/me/trusted_devices/attempt", &fields).await
}

async fn begin(browser: &mut Browser, device: &str) -> (String, Value) {
    let begun = browser.post("/v1/client/sign_ins", &[("strategy", STRATEGY), ("trusted_device_id", device)]).await;
    let challenge = begun.response()["first_factor_verification"]["trusted_device_challenge"].clone();
    (format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap()), challenge)
}

async fn answer(browser: &mut Browser, at: &str, device: &str, text: &str, signature: &str) -> Answer {
    let fields =
        [("strategy", STRATEGY), ("trusted_device_id", device), ("client_data", text), ("signature", signature), ("algorithm", "ES256")];
    browser.post(&format!("{at}/attempt_first_factor"), &fields).await
}

fn text(challenge: &Value) -> &str {
    challenge["client_data"].as_str().unwrap()
}

#[tokio::test]
async fn a_key_is_enrolled_signs_its_user_in_and_is_revoked() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let key = DeviceKey::default();
    let made = enrol(&mut browser, &key).await;
    let device = made.response()["id"].as_str().unwrap().to_owned();
    assert_eq!((&made.response()["status"], &made.response()["name"]), (&json!("active"), &json!("Ada's phone")));

    let mut phone = server.browser();
    let valid = async |phone: &mut Browser| {
        phone.post("/v1/client/trusted_devices/validate", &[("trusted_device_id", &device)]).await.response()["valid"].clone()
    };
    assert_eq!(valid(&mut phone).await, true);
    let (at, challenge) = begin(&mut phone, &device).await;
    assert_eq!((&challenge["trusted_device_id"], &challenge["algorithm"]), (&json!(device), &json!("ES256")));
    let done = answer(&mut phone, &at, &device, text(&challenge), &key.sign(text(&challenge))).await;
    assert_eq!((&done.response()["status"], &done.json["client"]["last_authentication_strategy"]), (&json!("complete"), &json!(STRATEGY)));
    assert_eq!(done.response()["first_factor_verification"]["object"], "verification_trusted_device");

    let listed = browser.get("/v1/me/trusted_devices").await;
    assert_eq!(listed.response()[0]["id"], device.as_str());
    assert_ne!(listed.response()[0]["last_used_at"], Value::Null);
    let user = browser.get("/v1/me").await.response()["id"].as_str().unwrap().to_owned();
    let seen = server.backend("GET", &format!("/v1/users/{user}/trusted_devices"), None).await;
    assert_eq!((&seen.expect(200)["data"][0]["id"], &seen.json["total_count"]), (&json!(device), &json!(1)));

    let mut other = server.browser();
    let (at, challenge) = begin(&mut other, &device).await;
    let gone = browser.post(&format!("/v1/me/trusted_devices/{device}?_method=DELETE"), &[]).await;
    assert_eq!(gone.response()["status"], "revoked");
    let late = answer(&mut other, &at, &device, text(&challenge), &key.sign(text(&challenge))).await;
    assert_eq!(late.status, 404, "{}", late.text);
    assert_eq!(valid(&mut other).await, false);
    let again = server.backend("DELETE", &format!("/v1/users/{user}/trusted_devices/{device}"), None).await;
    assert_eq!(again.status, 404, "once is enough");
    assert_eq!(browser.get("/v1/me/trusted_devices").await.response(), &json!([]));
}

#[tokio::test]
async fn another_key_another_text_and_another_s_device_sign_nobody_in() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let (key, thief) = (DeviceKey::default(), DeviceKey::default());
    let device = enrol(&mut browser, &key).await.response()["id"].as_str().unwrap().to_owned();
    let stolen = enrol(&mut browser, &thief).await.response()["id"].as_str().unwrap().to_owned();
    let mut phone = server.browser();
    for (id, said, signer) in [(&device, None, &thief), (&device, Some("{}"), &key), (&stolen, None, &thief)] {
        let (at, challenge) = begin(&mut phone, &device).await;
        let said = said.unwrap_or(text(&challenge)).to_owned();
        answer(&mut phone, &at, id, &said, &signer.sign(&said)).await.refused(422, "form_incorrect_signature", "signature");
        let spent = answer(&mut phone, &at, &device, text(&challenge), &key.sign(text(&challenge))).await;
        spent.refused(400, "verification_failed", "");
    }
    let (at, challenge) = begin(&mut phone, &device).await;
    for (unreadable, code) in
        [("", "form_param_missing"), ("no signature", "form_param_format_invalid"), (&"A".repeat(300), "form_param_format_invalid")]
    {
        answer(&mut phone, &at, &device, text(&challenge), unreadable).await.refused(422, code, "signature");
    }
    server.advance(Duration::from_secs(601));
    answer(&mut phone, &at, &device, text(&challenge), &key.sign(text(&challenge))).await.refused(400, "verification_expired", "");

    // Who was named before has to be whose the device is.
    server.user("bob@example.com", PASSWORD).await;
    let begun = phone.post("/v1/client/sign_ins", &[("identifier", "bob@example.com")]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let early = answer(&mut phone, &at, &device, "{}", &key.sign("{}")).await;
    early.refused(400, "verification_missing", "");
    let fields = [("strategy", STRATEGY), ("trusted_device_id", &*device)];
    let asked = phone.post(&format!("{at}/prepare_first_factor"), &fields).await;
    let challenge = asked.response()["first_factor_verification"]["trusted_device_challenge"].clone();
    let mixed = answer(&mut phone, &at, &device, text(&challenge), &key.sign(text(&challenge))).await;
    mixed.refused(400, "strategy_for_user_invalid", "strategy");
}

#[tokio::test]
async fn fault_134_of_many_answers_to_one_challenge_one_gets_through() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let key = DeviceKey::default();
    let device = enrol(&mut browser, &key).await.response()["id"].as_str().unwrap().to_owned();
    let mut phone = server.browser();
    let (at, challenge) = begin(&mut phone, &device).await;
    let signature = key.sign(text(&challenge));
    let nodes = server.nodes().await;
    let statuses = join_all((0..100).map(|n| {
        let (mut phone, at, device, challenge, signature) = (phone.clone().on_node(nodes[n % 2]), &at, &device, &challenge, &signature);
        async move { answer(&mut phone, at, device, text(challenge), signature).await.status }
    }))
    .await;
    assert_eq!(statuses.iter().filter(|it| **it == 200).count(), 1, "{statuses:?}");
}

#[tokio::test]
async fn an_enrolment_is_of_the_key_that_was_shown_and_of_who_is_signed_in() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let (key, other) = (DeviceKey::default(), DeviceKey::default());
    let (jwk, other_jwk) = (key.jwk(), other.jwk());
    for (param, value, code) in [
        ("platform", "windows", "form_param_value_invalid"),
        ("platform", "", "form_param_missing"),
        ("algorithm", "RS256", "form_param_value_invalid"),
        ("public_key_jwk", "{}", "form_param_format_invalid"),
        ("app_identifier", "", "form_param_missing"),
    ] {
        let fields: Vec<_> = about(&jwk).into_iter().map(|(name, old)| (name, if name == param { value } else { old })).collect();
        browser.post("/v1/me/trusted_devices/prepare", &fields).await.refused(422, code, param);
    }
    let asked = browser.post("/v1/me/trusted_devices/prepare", &about(&jwk)).await;
    let said = text(asked.response()).to_owned();
    let signature = other.sign(&said);
    let fields = [about(&other_jwk), vec![("client_data", said.as_str()), ("signature", signature.as_str())]].concat();
    browser.post("/v1/me/trusted_devices/attempt", &fields).await.refused(422, "form_incorrect_signature", "signature");
    let unread = [about(&jwk), vec![("client_data", "{}"), ("signature", signature.as_str())]].concat();
    browser.post("/v1/me/trusted_devices/attempt", &unread).await.refused(422, "form_param_format_invalid", "client_data");
    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    let own = browser.post("/v1/me/trusted_devices/prepare", &about(&jwk)).await;
    let said = text(own.response()).to_owned();
    let signature = key.sign(&said);
    let fields = [about(&jwk), vec![("client_data", said.as_str()), ("signature", signature.as_str())]].concat();
    bob.post("/v1/me/trusted_devices/attempt", &fields).await.refused(400, "verification_missing", "");
    assert_eq!(browser.get("/v1/me/trusted_devices").await.response(), &json!([]));

    let off = TestServer::start().await;
    let mut browser = signed_in(&off).await;
    browser.post("/v1/me/trusted_devices/prepare", &about(&jwk)).await.refused(403, "feature_not_enabled", "");
    let fields = [("strategy", STRATEGY), ("trusted_device_id", "td_1")];
    off.browser().post("/v1/client/sign_ins", &fields).await.refused(403, "feature_not_enabled", "");
    assert_eq!(server.browser().post("/v1/client/sign_ins", &fields).await.status, 404);
}
