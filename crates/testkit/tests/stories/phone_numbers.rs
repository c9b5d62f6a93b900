//! Phone numbers: signing up and in with a code, a new password, second factors, and the user's own list of them.

use doorward_core::settings::{Presence, Settings};
use doorward_core::sms::Channel;
use doorward_testkit::{Answer, Browser, TOO_LATE, TestServer, race};
use serde_json::{Value, json};
use std::time::Duration;

const NUMBER: &str = "+12024560143";
const OTHER: &str = "+12024560178";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

fn with_numbers(settings: &mut Settings) {
    settings.attributes.phone_number = Presence::Optional;
    settings.attributes.email_address = Presence::Optional;
    settings.attributes.password = Presence::Optional;
    settings.attributes.phone_second_factor = true;
}

async fn server() -> TestServer {
    TestServer::with_settings(with_numbers).await
}

/// A user with a number that the backend vouches for.
async fn ada(server: &TestServer) -> String {
    let body = json!({"phone_number": [NUMBER], "password": PASSWORD});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// A browser on which somebody with an address is signed in.
async fn signed_in(server: &TestServer) -> Browser {
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    browser
}

/// Adds a number and proves it.
async fn add(server: &TestServer, browser: &mut Browser, number: &str, fields: &[(&str, &str)]) -> Answer {
    server.advance(Duration::from_secs(1));
    let fields = [&[("phone_number", number)], fields].concat();
    let made = browser.post("/v1/me/phone_numbers/", &fields).await;
    let at = format!("/v1/me/phone_numbers/{}", made.response()["id"].as_str().unwrap());
    assert_eq!((made.response()["reserved"].as_bool(), &made.response()["verification"]), (Some(false), &Value::Null));
    let sent = browser.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await;
    assert_eq!(sent.response()["verification"]["channel"], "sms");
    browser.post(&format!("{at}/attempt_verification"), &[("code", &server.code_for(number).await)]).await
}

#[tokio::test]
async fn ada_signs_up_with_a_number_and_signs_in_with_a_code() {
    let server = server().await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &[("phone_number", "+1 (202) 456-0143")]).await;
    let sign_up = begun.response();
    assert_eq!((&sign_up["phone_number"], &sign_up["unverified_fields"]), (&json!(NUMBER), &json!(["phone_number"])));
    let at = format!("/v1/client/sign_ups/{}", sign_up["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code"), ("channel", "sms")]).await.expect(200);
    let code = server.code_for(NUMBER).await;
    let done = browser.post(&format!("{at}/attempt_verification"), &[("strategy", "phone_code"), ("code", &code)]).await;
    assert_eq!(
        (&done.response()["status"], &done.response()["verifications"]["phone_number"]["status"]),
        (&json!("complete"), &json!("verified"))
    );
    let me = browser.get("/v1/me").await;
    let number = &me.response()["phone_numbers"][0];
    assert_eq!((&number["phone_number"], &me.response()["primary_phone_number_id"]), (&json!(NUMBER), &number["id"]));

    server.advance(Duration::from_secs(1));
    let mut again = server.browser();
    let begun = again.post("/v1/client/sign_ins", &[("identifier", NUMBER), ("strategy", "phone_code")]).await;
    let sign_in = begun.response();
    assert_eq!(sign_in["first_factor_verification"]["strategy"], "phone_code");
    let factor = sign_in["supported_first_factors"].as_array().unwrap().iter().find(|it| it["strategy"] == "phone_code").unwrap();
    assert_eq!((&factor["safe_identifier"], &factor["phone_number_id"]), (&json!("+1*****0143"), &number["id"]));
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", sign_in["id"].as_str().unwrap());
    again.post(&at, &[("strategy", "phone_code"), ("code", "000000")]).await.refused(422, "form_code_incorrect", "code");
    let code = server.code_for(NUMBER).await;
    let done = again.post(&at, &[("strategy", "phone_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");
}

#[tokio::test]
async fn a_number_stands_beside_a_password_and_brings_a_new_one() {
    let server = server().await;
    ada(&server).await;
    server.browser().sign_in(NUMBER, PASSWORD).await.expect(200);
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", NUMBER), ("strategy", "reset_password_phone_code")]).await;
    let at = format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap());
    let fields = [("strategy", "reset_password_phone_code"), ("code", &server.code_for(NUMBER).await)];
    let proven = browser.post(&format!("{at}/attempt_first_factor"), &fields).await;
    assert_eq!(proven.response()["status"], "needs_new_password");
    let done = browser.post(&format!("{at}/reset_password"), &[("password", "staple battery")]).await;
    assert_eq!(done.response()["status"], "complete");
    server.browser().sign_in(NUMBER, PASSWORD).await.refused(422, "form_password_incorrect", "password");
    server.browser().sign_in(NUMBER, "staple battery").await.expect(200);
}

#[tokio::test]
async fn fault_056_what_is_no_number_of_an_allowed_country_is_refused_by_name() {
    let server = server().await;
    let mut browser = server.browser();
    for (number, status, code) in [
        ("2024560143", 422, "form_param_format_invalid"),
        ("+1202456", 422, "form_param_format_invalid"),
        ("+1202555CALL", 422, "form_param_format_invalid"),
        ("+41446681800", 403, "unsupported_country_code"),
    ] {
        browser.post("/v1/client/sign_ups", &[("phone_number", number)]).await.refused(status, code, "phone_number");
    }
    ada(&server).await;
    browser.post("/v1/client/sign_ups", &[("phone_number", NUMBER)]).await.refused(422, "form_identifier_exists", "phone_number");
    assert!(server.texts().await.is_empty(), "nothing is sent to anybody");

    let swiss = TestServer::with_settings(|s| {
        with_numbers(s);
        s.sms.allowed_countries = vec!["CH".to_owned()];
    })
    .await;
    swiss.browser().post("/v1/client/sign_ups", &[("phone_number", "+41446681800")]).await.expect(200);
    let none = TestServer::start().await;
    none.browser().post("/v1/client/sign_ups", &[("phone_number", NUMBER)]).await.refused(422, "form_param_unknown", "phone_number");
}

#[tokio::test]
async fn test_numbers_have_a_fixed_code_and_get_no_message() {
    let server = server().await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &[("phone_number", "+15555550123")]).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await.expect(200);
    assert!(server.texts().await.is_empty());
    let done = browser.post(&format!("{at}/attempt_verification"), &[("strategy", "phone_code"), ("code", "424242")]).await;
    assert_eq!(done.response()["status"], "complete");
}

#[tokio::test]
async fn fault_056_messages_to_one_number_are_limited_within_minutes_and_within_a_day() {
    let server = server().await;
    ada(&server).await;
    let ask = async || {
        let mut browser = server.browser();
        browser.post("/v1/client/sign_ins", &[("identifier", NUMBER), ("strategy", "phone_code")]).await
    };
    for _ in 0..5 {
        ask().await.expect(200);
    }
    assert_eq!(ask().await.status, 429);
    for _ in 0..3 {
        server.advance(Duration::from_secs(11 * 60));
        for _ in 0..5 {
            ask().await.expect(200);
        }
    }
    server.advance(Duration::from_secs(11 * 60));
    assert_eq!((ask().await.code().to_owned(), server.texts().await.len()), ("verification_code_too_many_requests".to_owned(), 20));
    server.advance(Duration::from_secs(24 * 60 * 60));
    ask().await.expect(200);
}

#[tokio::test]
async fn whatsapp_is_a_channel_where_the_instance_has_it() {
    let without = server().await;
    ada(&without).await;
    let send = async |server: &TestServer, channel: &str| {
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", NUMBER)]).await;
        let at = format!("/v1/client/sign_ins/{}/prepare_first_factor", begun.response()["id"].as_str().unwrap());
        browser.post(&at, &[("strategy", "phone_code"), ("channel", channel)]).await
    };
    send(&without, "whatsapp").await.refused(422, "form_param_value_invalid", "channel");
    let with = TestServer::with_settings(|s| {
        with_numbers(s);
        s.sms.whatsapp = true;
    })
    .await;
    ada(&with).await;
    assert_eq!(send(&with, "whatsapp").await.response()["first_factor_verification"]["channel"], "whatsapp");
    assert_eq!(with.texts().await.remove(0).channel, Channel::Whatsapp);
    send(&with, "pigeon").await.refused(422, "form_param_value_invalid", "channel");
}

#[tokio::test]
async fn a_number_is_added_proven_listed_and_removed() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let proven = add(&server, &mut browser, NUMBER, &[]).await;
    let id = proven.response()["id"].as_str().unwrap().to_owned();
    assert_eq!((&proven.response()["verification"]["status"], proven.response().get("backup_codes")), (&json!("verified"), None));
    assert_eq!(browser.get("/v1/me").await.response()["primary_phone_number_id"], id.as_str());
    add(&server, &mut browser, OTHER, &[]).await.expect(200);
    let listed = browser.get("/v1/me/phone_numbers").await;
    assert_eq!(listed.expect(200).as_array().unwrap().iter().map(|it| it["phone_number"].clone()).collect::<Vec<_>>(), [NUMBER, OTHER]);
    browser.post("/v1/me/phone_numbers", &[("phone_number", NUMBER)]).await.refused(422, "form_identifier_exists", "phone_number");
    let gone = browser.post(&format!("/v1/me/phone_numbers/{id}?_method=DELETE"), &[]).await;
    assert_eq!((&gone.response()["object"], &gone.response()["deleted"]), (&json!("phone_number"), &json!(true)));
    let me = browser.get("/v1/me").await;
    assert_eq!(me.response()["primary_phone_number_id"], me.response()["phone_numbers"][0]["id"], "the other one takes its place");
    server.browser().sign_in(NUMBER, PASSWORD).await.refused(422, "form_identifier_not_found", "identifier");
}

#[tokio::test]
async fn fault_045_a_number_that_two_wait_for_is_whose_proof_comes_first() {
    let server = server().await;
    let mut ada = signed_in(&server).await;
    let waiting = ada.post("/v1/me/phone_numbers", &[("phone_number", NUMBER)]).await;
    let at = format!("/v1/me/phone_numbers/{}", waiting.response()["id"].as_str().unwrap());
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await.expect(200);
    let code = server.code_for(NUMBER).await;

    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    add(&server, &mut bob, NUMBER, &[]).await.expect(200);
    ada.post(&format!("{at}/attempt_verification"), &[("code", &code)]).await.refused(400, "identification_claimed", "");
    let own = server.browser().sign_in(NUMBER, PASSWORD).await;
    assert_eq!(own.json["client"]["sessions"][0]["user"]["email_addresses"][0]["email_address"], "bob@example.com");
}

#[tokio::test]
async fn fault_027_what_was_sent_to_a_number_is_dead_once_the_number_is_gone() {
    let server = server().await;
    let mut ada = signed_in(&server).await;
    // By another number she can still have codes.
    add(&server, &mut ada, OTHER, &[]).await.expect(200);
    for strategy in ["phone_code", "reset_password_phone_code"] {
        let id = add(&server, &mut ada, NUMBER, &[]).await.response()["id"].as_str().unwrap().to_owned();
        server.advance(Duration::from_secs(60));
        // Whoever has the number after Ada.
        let mut mallory = server.browser();
        let fields = [("identifier", NUMBER), ("strategy", strategy)];
        let sign_in = mallory.post("/v1/client/sign_ins", &fields).await.response()["id"].as_str().unwrap().to_owned();
        let code = server.code_for(NUMBER).await;
        ada.post(&format!("/v1/me/phone_numbers/{id}?_method=DELETE"), &[]).await.expect(200);
        let at = format!("/v1/client/sign_ins/{sign_in}/attempt_first_factor");
        mallory.post(&at, &[("strategy", strategy), ("code", &code)]).await.refused(422, "form_code_incorrect", "code");
        assert_eq!(mallory.get("/v1/client").await.response()["sessions"], json!([]), "{strategy}");
    }
}

#[tokio::test]
async fn a_number_that_is_kept_for_second_factors_is_asked_for_and_signs_nobody_in_alone() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let kept = add(&server, &mut browser, NUMBER, &[("reserved_for_second_factor", "true")]).await;
    let id = kept.response()["id"].as_str().unwrap().to_owned();
    assert_eq!((&kept.response()["reserved_for_second_factor"], &kept.response()["default_second_factor"]), (&json!(true), &json!(true)));
    assert_eq!(kept.response()["backup_codes"].as_array().unwrap().len(), 10, "they come with the first second factor");
    let me = browser.get("/v1/me").await;
    assert_eq!((&me.response()["two_factor_enabled"], &me.response()["primary_phone_number_id"]), (&json!(true), &Value::Null));
    server.browser().sign_in(NUMBER, PASSWORD).await.refused(422, "form_identifier_not_found", "identifier");

    server.advance(Duration::from_secs(60));
    let mut other = server.browser();
    let half = other.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
    let factors = half.response()["supported_second_factors"].as_array().unwrap();
    assert_eq!((&factors[0]["strategy"], &factors[0]["phone_number_id"]), (&json!("phone_code"), &json!(id)));
    let at = format!("/v1/client/sign_ins/{}", half.response()["id"].as_str().unwrap());
    let attempt = format!("{at}/attempt_second_factor");
    let early = [("strategy", "phone_code"), ("code", "123456")];
    other.post(&attempt, &early).await.refused(400, "verification_missing", "");
    other.post(&format!("{at}/prepare_second_factor"), &[("strategy", "phone_code")]).await.expect(200);
    let code = server.code_for(NUMBER).await;
    let done = other.post(&attempt, &[("strategy", "phone_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");

    let back = browser.post(&format!("/v1/me/phone_numbers/{id}?_method=PATCH"), &[("reserved_for_second_factor", "false")]).await;
    assert_eq!(back.response()["default_second_factor"], false);
    let me = browser.get("/v1/me").await;
    assert_eq!(
        (&me.response()["two_factor_enabled"], &me.response()["backup_code_enabled"], &me.response()["primary_phone_number_id"]),
        (&json!(false), &json!(false), &json!(id))
    );
    assert_eq!(server.browser().sign_in(NUMBER, PASSWORD).await.response()["status"], "complete");
}

#[tokio::test]
async fn one_number_is_asked_first_and_another_can_be_made_so() {
    let server = server().await;
    let mut browser = signed_in(&server).await;
    let kept = [("reserved_for_second_factor", "true")];
    let first = add(&server, &mut browser, NUMBER, &kept).await.response()["id"].clone();
    let second = add(&server, &mut browser, OTHER, &kept).await.response()["id"].clone();
    let change = |id: &Value| format!("/v1/me/phone_numbers/{}?_method=PATCH", id.as_str().unwrap());
    browser.post(&change(&second), &[("default_second_factor", "true")]).await.expect(200);
    let defaults =
        |me: &Value| me["phone_numbers"].as_array().unwrap().iter().map(|it| it["default_second_factor"].clone()).collect::<Vec<_>>();
    assert_eq!(defaults(browser.get("/v1/me").await.response()), [json!(false), json!(true)]);
    let waiting = browser.post("/v1/me/phone_numbers", &[("phone_number", "+12024560199")]).await.response()["id"].clone();
    browser.post(&change(&waiting), &kept).await.refused(400, "verification_missing", "phone_number_id");
    let gone = browser.post(&format!("/v1/me/phone_numbers/{}?_method=DELETE", first.as_str().unwrap()), &[]).await;
    gone.expect(200);
    assert_eq!(browser.get("/v1/me").await.response()["two_factor_enabled"], true);
}

#[tokio::test]
async fn the_last_identifier_stays() {
    let server = server().await;
    ada(&server).await;
    let mut browser = server.browser();
    let me = browser.sign_in(NUMBER, PASSWORD).await.json["client"]["sessions"][0]["user"].clone();
    let at = format!("/v1/me/phone_numbers/{}", me["phone_numbers"][0]["id"].as_str().unwrap());
    browser.post(&format!("{at}?_method=DELETE"), &[]).await.refused(422, "form_data_missing", "");
    let kept = browser.post(&format!("{at}?_method=PATCH"), &[("reserved_for_second_factor", "true")]).await;
    kept.refused(422, "form_data_missing", "");
}

#[tokio::test]
async fn fault_134_a_code_works_once_however_many_try_it_at_once() {
    let server = server().await;
    ada(&server).await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", NUMBER), ("strategy", "phone_code")]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());
    let code = server.code_for(NUMBER).await;
    let fields = [("strategy", "phone_code"), ("code", code.as_str())];
    race(server.nodes().await, &browser, &at, &fields, &TOO_LATE).await;
}

#[tokio::test]
async fn a_server_finds_users_by_number_and_chooses_the_primary_one() {
    let server = server().await;
    let body = json!({"phone_number": [NUMBER, OTHER], "phone_number_identification_status": ["reserved", "verified"]});
    let made = server.backend("POST", "/v1/users", Some(body)).await;
    let user = made.expect(200);
    let numbers = user["phone_numbers"].as_array().unwrap();
    assert_eq!((&numbers[0]["reserved"], &user["primary_phone_number_id"]), (&json!(true), &numbers[1]["id"]));
    server.user(EMAIL, PASSWORD).await;
    for query in ["phone_number=%2B12024560178", "phone_number_query=4560178", "query=4560178"] {
        let found = server.backend("GET", &format!("/v1/users?{query}"), None).await;
        assert_eq!(
            found.expect(200).as_array().unwrap().iter().map(|it| it["id"].clone()).collect::<Vec<_>>(),
            [user["id"].clone()],
            "{query}"
        );
    }
    let again = server.backend("POST", "/v1/users", Some(json!({"phone_number": [OTHER]}))).await;
    again.refused(422, "form_identifier_exists", "phone_number");
    let twice = server.backend("POST", "/v1/users", Some(json!({"phone_number": ["+12024560111", "+1 202 456 0111"]}))).await;
    twice.refused(422, "form_param_duplicate", "phone_number");
    let at = format!("/v1/users/{}", user["id"].as_str().unwrap());
    let reserved = server.backend("PATCH", &at, Some(json!({"primary_phone_number_id": numbers[0]["id"]}))).await;
    reserved.refused(422, "form_param_value_invalid", "primary_phone_number_id");
    server.backend("DELETE", &at, None).await.expect(200);
    server.backend("POST", "/v1/users", Some(json!({"phone_number": [OTHER]}))).await.expect(200);
}

#[tokio::test]
async fn fault_056_nobody_learns_whose_a_number_is_where_accounts_are_hidden() {
    let server = TestServer::with_settings(|s| {
        with_numbers(s);
        s.attack_protection.enumeration_protection = true;
    })
    .await;
    ada(&server).await;
    let ask = async |number: &str, fields: &[(&str, &str)]| {
        let mut browser = server.browser();
        let answer = browser.post("/v1/client/sign_ins", &[&[("identifier", number)], fields].concat()).await;
        let id = answer.response()["id"].as_str().unwrap().to_owned();
        let text = answer.text.replace(number, "NUMBER").replace(&id, "ID");
        (answer.status, text.len(), answer.response()["supported_first_factors"].as_array().unwrap().len())
    };
    assert_eq!(ask(NUMBER, &[]).await, ask(OTHER, &[]).await);
    let code = [("strategy", "phone_code")];
    assert_eq!(ask(NUMBER, &code).await, ask(OTHER, &code).await);
    assert_eq!(server.texts().await.len(), 1, "to the one that exists");
}
