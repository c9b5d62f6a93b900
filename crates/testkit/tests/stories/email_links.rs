//! Links by mail: opened in the browser that asked, on another device, by programs that read mail, and twice.

use doorward_core::settings::{Presence, Settings};
use doorward_testkit::{Answer, Browser, ORIGIN, TestServer};
use serde_json::json;
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const BACK: &str = "http://localhost:3000/back?from=mail";

fn with_links(settings: &mut Settings) {
    settings.attributes.email_link = true;
    settings.attributes.password = Presence::Optional;
}

async fn server() -> TestServer {
    TestServer::with_settings(with_links).await
}

async fn across_devices() -> TestServer {
    TestServer::with_settings(|s| {
        with_links(s);
        s.attack_protection.email_link_same_client = false;
    })
    .await
}

/// Where a link led: its status, and the session that it made.
fn landed(answer: &Answer) -> (String, Option<String>) {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let to = url::Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    assert!(to.as_str().starts_with(BACK), "{to}");
    let get = |name: &str| to.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    (get("__clerk_status").unwrap(), get("__clerk_created_session"))
}

/// A browser that waits for a link, and the path of its sign-in.
async fn waiting(server: &TestServer) -> (Browser, String) {
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let sign_in = begun.response();
    let factor = sign_in["supported_first_factors"].as_array().unwrap().iter().find(|it| it["strategy"] == "email_link").unwrap();
    let id = factor["email_address_id"].as_str().unwrap();
    let at = format!("/v1/client/sign_ins/{}", sign_in["id"].as_str().unwrap());
    let fields = [("strategy", "email_link"), ("email_address_id", id), ("redirect_url", BACK)];
    let sent = browser.post(&format!("{at}/prepare_first_factor"), &fields).await;
    let verification = &sent.response()["first_factor_verification"];
    assert_eq!((&verification["object"], &verification["status"]), (&json!("verification_email_link"), &json!("unverified")));
    (browser, at)
}

#[tokio::test]
async fn fault_030_a_link_signs_in_the_browser_that_asked_for_it_and_no_other() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let (mut browser, at) = waiting(&server).await;
    let link = server.link().await;

    // A program that reads mail has no cookies; it may look as often as it likes.
    for _ in 0..3 {
        assert_eq!(landed(&server.browser().get(&link).await), ("client_mismatch".to_owned(), None));
        let token = link.split_once("token=").unwrap().1;
        assert_eq!(landed(&server.browser().post("/v1/verify", &[("token", token)]).await).0, "client_mismatch");
    }
    assert_eq!(browser.get(&at).await.response()["status"], "needs_first_factor");

    let (status, session) = landed(&browser.get(&link).await);
    assert_eq!(status, "verified");
    let done = browser.get(&at).await;
    assert_eq!((&done.response()["status"], done.response()["created_session_id"].as_str()), (&json!("complete"), session.as_deref()));
    assert_eq!(done.response()["first_factor_verification"]["object"], "verification_email_link");
    assert_eq!(landed(&browser.get(&link).await), ("verified".to_owned(), None), "a second time it does nothing");
    assert_eq!(browser.get("/v1/client").await.response()["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn fault_134_of_a_hundred_who_open_a_link_at_once_one_is_signed_in() {
    let server = server().await;
    let user = server.user(EMAIL, PASSWORD).await;
    let (browser, _) = waiting(&server).await;
    let (link, nodes) = (server.link().await, server.nodes().await);
    let opened = (0..100).map(|n| {
        let (mut tab, link) = (browser.clone().on_node(nodes[n % 2]), link.clone());
        async move { landed(&tab.get(&link).await) }
    });
    let all = futures_util::future::join_all(opened).await;
    let sessions: Vec<&String> = all.iter().filter_map(|(_, session)| session.as_ref()).collect();
    assert_eq!(sessions.len(), 1, "{all:?}");
    let kept = server.backend("GET", &format!("/v1/sessions?user_id={user}"), None).await;
    assert_eq!((kept.expect(200).as_array().map(Vec::len), kept.json[0]["id"].as_str()), (Some(1), Some(sessions[0].as_str())));
}

#[tokio::test]
async fn fault_027_a_link_is_dead_once_its_address_is_gone() {
    for server in [server().await, across_devices().await] {
        server.user(EMAIL, PASSWORD).await;
        let (mut browser, at) = waiting(&server).await;
        let link = server.link().await;
        let mut ada = server.browser();
        ada.sign_in(EMAIL, PASSWORD).await.expect(200);
        let me = ada.get("/v1/me").await.response().clone();
        let user = me["id"].as_str().unwrap();
        let other = json!({"user_id": user, "email_address": "countess@example.com", "verified": true, "primary": true});
        server.backend("POST", "/v1/email_addresses", Some(other)).await.expect(200);
        let own = me["email_addresses"][0]["id"].as_str().unwrap();
        ada.post(&format!("/v1/me/email_addresses/{own}?_method=DELETE"), &[]).await.expect(200);
        assert_eq!(landed(&browser.get(&link).await), ("failed".to_owned(), None));
        let token = link.split_once("token=").unwrap().1;
        server.browser().post("/v1/verify", &[("token", token)]).await;
        assert_eq!(browser.get(&at).await.response()["status"], "needs_first_factor");
        assert_eq!(browser.get("/v1/client").await.response()["sessions"], json!([]));
    }
}

#[tokio::test]
async fn where_it_is_allowed_another_device_opens_the_link_after_a_person_said_so() {
    let server = across_devices().await;
    server.user(EMAIL, PASSWORD).await;
    let (mut desk, at) = waiting(&server).await;
    let link = server.link().await;
    let mut phone = server.browser();
    let page = phone.get(&link).await;
    assert_eq!((page.status, page.text.contains("<form method=\"post\" action=\"?\">")), (200, true), "{}", page.text);
    assert!(page.headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    // Without a referrer the browser would send the form as from nowhere, and that is refused.
    assert_eq!(page.headers["referrer-policy"], "same-origin");
    phone.origin = Some("null".to_owned());
    phone.post("/v1/verify", &[("token", "any")]).await.refused(400, "origin_invalid", "");
    phone.origin = Some(format!("http://{}", server.public));
    assert_eq!(desk.get(&at).await.response()["status"], "needs_first_factor", "looking is not enough");

    let token = link.split_once("token=").unwrap().1;
    assert_eq!(landed(&phone.post("/v1/verify", &[("token", token)]).await), ("verified".to_owned(), None));
    assert!(phone.session_id().await.is_none(), "the phone is not signed in");
    let done = desk.get(&at).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(desk.get("/v1/me").await.response()["email_addresses"][0]["email_address"], EMAIL);
}

#[tokio::test]
async fn fault_030_what_a_browser_fetches_ahead_proves_nothing() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let (mut browser, at) = waiting(&server).await;
    let link = server.link().await;
    browser.headers.push(("sec-purpose".to_owned(), "prefetch;prerender".to_owned()));
    assert_eq!(browser.get(&link).await.status, 200);
    browser.headers.clear();
    assert_eq!(browser.get(&at).await.response()["status"], "needs_first_factor");
    assert_eq!(landed(&browser.get(&link).await).0, "verified");
}

#[tokio::test]
async fn a_link_that_is_late_or_changed_or_left_behind_does_nothing() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let (mut browser, at) = waiting(&server).await;
    let first = server.link().await;
    let mut changed = first.clone();
    changed.pop();
    browser.get(&changed).await.refused(400, "verification_link_token_invalid", "token");
    browser.get("/v1/verify?token=ver_1.x").await.refused(400, "verification_link_token_invalid", "token");
    browser.get("/v1/verify").await.refused(422, "form_param_missing", "token");

    server.advance(Duration::from_secs(5));
    let again = [("strategy", "email_link"), ("redirect_url", BACK)];
    browser.post(&format!("{at}/prepare_first_factor"), &again).await.expect(200);
    assert_eq!(landed(&browser.get(&first).await).0, "failed", "a newer one took its place");
    let second = server.link().await;
    server.advance(Duration::from_secs(11 * 60));
    assert_eq!(landed(&browser.get(&second).await).0, "expired");
    assert_eq!(browser.get(&at).await.response()["first_factor_verification"]["status"], "expired");
    let code = [("strategy", "email_link"), ("code", "123456")];
    browser.post(&format!("{at}/attempt_first_factor"), &code).await.refused(400, "verification_strategy_invalid", "strategy");
}

#[tokio::test]
async fn a_link_leads_to_pages_of_the_app_only() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let at = format!("/v1/client/sign_ins/{}/prepare_first_factor", begun.response()["id"].as_str().unwrap());
    for (to, code) in [
        ("https://evil.example/", "redirect_url_domain_mismatch"),
        ("javascript:alert(1)", "invalid_redirect_url"),
        ("/relative", "invalid_redirect_url"),
    ] {
        let answer = browser.post(&at, &[("strategy", "email_link"), ("redirect_url", to)]).await;
        assert_eq!((answer.code(), answer.json["errors"][0]["meta"]["param_name"].as_str()), (code, Some("redirect_url")), "{to}");
    }
    browser.post(&at, &[("strategy", "email_link")]).await.refused(422, "form_param_missing", "redirect_url");
    assert!(server.outbox().await.is_empty());
}

#[tokio::test]
async fn a_link_proves_the_address_of_a_sign_up() {
    let server = server().await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &[("email_address", EMAIL), ("password", PASSWORD)]).await;
    let sign_up = begun.response();
    assert_eq!(sign_up["verifications"]["email_address"]["supported_strategies"], json!(["email_code", "email_link"]));
    let at = format!("/v1/client/sign_ups/{}", sign_up["id"].as_str().unwrap());
    let fields = [("strategy", "email_link"), ("redirect_url", BACK)];
    let sent = browser.post(&format!("{at}/prepare_verification"), &fields).await;
    assert_eq!(sent.response()["verifications"]["email_address"]["strategy"], "email_link");
    let (status, session) = landed(&browser.get(&server.link().await).await);
    assert_eq!((status.as_str(), session.is_some()), ("verified", true));
    let done = browser.get(&at).await;
    assert_eq!(done.response()["status"], "complete");
    let me = browser.get("/v1/me").await;
    assert_eq!(me.response()["email_addresses"][0]["verification"]["strategy"], "email_link");
}

#[tokio::test]
async fn a_sign_up_goes_on_when_another_device_has_opened_the_link() {
    let server = across_devices().await;
    let mut desk = server.browser();
    let begun = desk.post("/v1/client/sign_ups", &[("email_address", EMAIL)]).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    let fields = [("strategy", "email_link"), ("redirect_url", BACK)];
    desk.post(&format!("{at}/prepare_verification"), &fields).await.expect(200);
    let link = server.link().await;
    let token = link.split_once("token=").unwrap().1;
    assert_eq!(landed(&server.browser().post("/v1/verify", &[("token", token)]).await).0, "verified");
    // Many ask at once with the same token; one user comes of it, and who asks after that needs the new token.
    let asks = (0..100).map(|_| {
        let (mut desk, at) = (desk.clone(), at.clone());
        tokio::spawn(async move { desk.get(&at).await })
    });
    let mut complete = 0;
    for answer in asks.collect::<Vec<_>>() {
        let answer = answer.await.unwrap();
        match answer.status {
            200 => assert_eq!(answer.response()["status"], "complete"),
            status => assert_eq!(status, 404, "{}", answer.text),
        }
        complete += usize::from(answer.status == 200);
    }
    assert!(complete > 0);
    let users = server.backend("GET", "/v1/users/count", None).await;
    assert_eq!(users.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn a_link_proves_an_address_that_a_user_adds() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    let added = browser.post("/v1/me/email_addresses", &[("email_address", "work@example.com")]).await;
    let at = format!("/v1/me/email_addresses/{}", added.response()["id"].as_str().unwrap());
    let fields = [("strategy", "email_link"), ("redirect_url", BACK)];
    browser.post(&format!("{at}/prepare_verification"), &fields).await.expect(200);
    let link = server.link().await;
    assert_eq!(landed(&server.browser().get(&link).await).0, "client_mismatch");
    assert_eq!(landed(&browser.get(&link).await).0, "verified");
    assert_eq!(browser.get(&at).await.response()["verification"]["status"], "verified");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_after_a_link_too() {
    let server = TestServer::with_settings(|s| {
        with_links(s);
        s.attributes.phone_second_factor = true;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    let fields = [("phone_number", "+12024560143"), ("reserved_for_second_factor", "true")];
    let added = browser.post("/v1/me/phone_numbers", &fields).await;
    let at = format!("/v1/me/phone_numbers/{}", added.response()["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await.expect(200);
    browser.post(&format!("{at}/attempt_verification"), &[("code", &server.code_for("+12024560143").await)]).await.expect(200);

    let (mut other, at) = waiting(&server).await;
    assert_eq!(landed(&other.get(&server.link().await).await), ("verified".to_owned(), None));
    assert_eq!(other.get(&at).await.response()["status"], "needs_second_factor");
    assert!(other.session_id().await.is_none());
}

#[tokio::test]
async fn where_links_are_off_none_is_offered_or_sent() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.origin = Some(ORIGIN.to_owned());
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let at = format!("/v1/client/sign_ins/{}/prepare_first_factor", begun.response()["id"].as_str().unwrap());
    let fields = [("strategy", "email_link"), ("redirect_url", BACK)];
    browser.post(&at, &fields).await.refused(400, "strategy_for_user_invalid", "strategy");
    let begun = browser.post("/v1/client/sign_ups", &[("email_address", "new@example.com")]).await;
    let at = format!("/v1/client/sign_ups/{}/prepare_verification", begun.response()["id"].as_str().unwrap());
    browser.post(&at, &fields).await.refused(400, "verification_strategy_invalid", "strategy");
}

#[tokio::test]
async fn nobody_learns_by_a_link_whether_an_account_exists() {
    let server = TestServer::with_settings(|s| {
        with_links(s);
        s.attack_protection.enumeration_protection = true;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let ask = async |email: &str| {
        let mut browser = server.browser();
        let fields = [("identifier", email), ("strategy", "email_link"), ("redirect_url", BACK)];
        let answer = browser.post("/v1/client/sign_ins", &fields).await;
        (answer.status, answer.text.len(), answer.response()["first_factor_verification"]["object"].clone())
    };
    assert_eq!(ask(EMAIL).await, ask("bob@example.com").await);
    assert_eq!(server.outbox().await.len(), 1, "to the one that exists");
}
