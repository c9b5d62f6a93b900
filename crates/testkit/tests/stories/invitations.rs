//! Invitations and the waitlist: how people get in where not everybody may.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_core::settings::{Presence, SignUpMode};
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const DAY: Duration = Duration::from_secs(86_400);

async fn closed() -> TestServer {
    TestServer::with_settings(|s| s.sign_up.mode = SignUpMode::Restricted).await
}

async fn invite(server: &TestServer, body: Value) -> Value {
    server.backend("POST", "/v1/invitations", Some(body)).await.expect(200).clone()
}

fn token(invitation: &Value) -> String {
    invitation["url"].as_str().unwrap().split_once("ticket=").unwrap().1.to_owned()
}

async fn sign_up(browser: &mut Browser, token: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[("strategy", "ticket"), ("ticket", token)], more].concat();
    browser.post("/v1/client/sign_ups", &fields).await
}

async fn sign_in(browser: &mut Browser, token: &str) -> Answer {
    browser.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", token)]).await
}

async fn open(browser: &mut Browser, invitation: &Value) -> Answer {
    let url = invitation["url"].as_str().unwrap();
    browser.get(&url[url.find("/v1/").unwrap()..]).await
}

fn location(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn who_is_invited_signs_up_where_nobody_may_and_once() {
    let server = closed().await;
    let body = json!({"email_address": "Ada@example.com", "public_metadata": {"plan": "pro"}});
    let invitation = invite(&server, body).await;
    assert_eq!(
        (&invitation["object"], &invitation["status"], &invitation["revoked"]),
        (&json!("invitation"), &json!("pending"), &json!(false))
    );
    let mail = server.outbox().await.pop().unwrap();
    assert_eq!(mail.to, "Ada@example.com");
    assert!(mail.text.contains(invitation["url"].as_str().unwrap()), "{}", mail.text);

    // The link leads to the sign-up page and uses nothing up.
    let token = token(&invitation);
    for _ in 0..2 {
        let answer = open(&mut server.browser(), &invitation).await;
        assert!(location(&answer).contains(&format!("/sign-up?__clerk_ticket={token}&__clerk_status=sign_up")), "{}", location(&answer));
    }
    sign_in(&mut server.browser(), &token).await.refused(400, "invitation_account_not_exists", "");

    let mut ada = server.browser();
    let started = sign_up(&mut ada, &token, &[]).await.response().clone();
    assert_eq!((&started["missing_fields"], &started["unverified_fields"]), (&json!(["password"]), &json!([])));
    assert_eq!((&started["email_address"], &started["public_metadata"]), (&json!("Ada@example.com"), &json!({"plan": "pro"})));
    let proof = &started["verifications"]["email_address"];
    assert_eq!(
        (&proof["object"], &proof["status"], &proof["strategy"]),
        (&json!("verification_ticket"), &json!("verified"), &json!("ticket"))
    );
    let at = format!("/v1/client/sign_ups/{}?_method=PATCH", started["id"].as_str().unwrap());
    let done = ada.post(&at, &[("password", PASSWORD)]).await;
    assert_eq!(done.response()["status"], "complete");
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!(me["public_metadata"], json!({"plan": "pro"}));
    assert_eq!(me["email_addresses"][0]["verification"]["object"], "verification_ticket");
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);

    for answer in [sign_up(&mut server.browser(), &token, &[]).await, sign_in(&mut server.browser(), &token).await] {
        answer.refused(400, "invitation_already_accepted", "");
    }
    let listed = server.backend("GET", "/v1/invitations?status=accepted", None).await;
    assert_eq!((&listed.expect(200)[0]["id"], listed.json[0].get("url")), (&invitation["id"], None));
    let revoke = format!("/v1/invitations/{}/revoke", invitation["id"].as_str().unwrap());
    server.backend("POST", &revoke, None).await.refused(400, "invitation_already_accepted", "");
}

#[tokio::test]
async fn fault_105_an_invitation_is_for_its_address_in_its_time_and_for_nothing_else() {
    let server = closed().await;
    let invitation = invite(&server, json!({"email_address": "ada@example.com", "expires_in_days": 1})).await;
    let ticket = token(&invitation);
    let mut eve = server.browser();
    server.advance(DAY / 2);
    // Another address beside it, or in its place later.
    let both = sign_up(&mut eve, &ticket, &[("email_address", "eve@example.com")]).await;
    both.refused(422, "form_conditional_param_disallowed", "email_address");
    let started = sign_up(&mut eve, &ticket, &[("email_address", "ADA@example.com")]).await.response().clone();
    let at = format!("/v1/client/sign_ups/{}", started["id"].as_str().unwrap());
    let patch = format!("{at}?_method=PATCH");
    let swapped = eve.post(&patch, &[("email_address", "eve@example.com"), ("password", PASSWORD)]).await;
    swapped.refused(422, "form_conditional_param_disallowed", "email_address");
    assert_eq!(eve.get(&at).await.response()["email_address"], "ada@example.com");
    // A ticket of another kind is no invitation, and an invitation is no sign-in token.
    let user = server.user("bob@example.com", PASSWORD).await;
    let made = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await;
    let other = made.expect(200)["token"].as_str().unwrap().to_owned();
    sign_up(&mut server.browser(), &other, &[]).await.refused(400, "ticket_invalid_code", "");
    sign_up(&mut server.browser(), "dwi_made_up", &[]).await.refused(400, "ticket_invalid_code", "");
    sign_up(&mut server.browser(), "", &[]).await.refused(422, "form_param_missing", "ticket");
    let id = invitation["id"].as_str().unwrap();
    server.backend("POST", &format!("/v1/sign_in_tokens/{id}/revoke"), None).await.refused(404, "resource_not_found", "");

    // It ends in its time, also for a sign-up that began before.
    server.advance(DAY / 2);
    eve.post(&patch, &[("password", PASSWORD)]).await.refused(400, "ticket_expired_code", "");
    sign_up(&mut server.browser(), &ticket, &[]).await.refused(400, "ticket_expired_code", "");
    open(&mut server.browser(), &invitation).await.refused(400, "ticket_expired_code", "");
    let listed = server.backend("GET", "/v1/invitations?status=expired", None).await;
    assert_eq!((&listed.expect(200)[0]["id"], &listed.json[0]["status"]), (&invitation["id"], &json!("expired")));
    assert_eq!(server.backend("GET", "/v1/invitations?status=pending", None).await.expect(200), &json!([]));
}

#[tokio::test]
async fn an_invitation_that_was_taken_back_opens_nothing_also_for_who_has_begun() {
    let server = closed().await;
    let invitation = invite(&server, json!({"email_address": "ada@example.com", "notify": false})).await;
    assert!(server.outbox().await.is_empty());
    let ticket = token(&invitation);
    let mut ada = server.browser();
    let started = sign_up(&mut ada, &ticket, &[]).await.response().clone();
    let revoke = format!("/v1/invitations/{}/revoke", invitation["id"].as_str().unwrap());
    let gone = server.backend("POST", &revoke, None).await;
    assert_eq!((&gone.expect(200)["status"], &gone.json["revoked"]), (&json!("revoked"), &json!(true)));
    server.backend("POST", &revoke, None).await.refused(400, "invitation_already_revoked", "");
    let at = format!("/v1/client/sign_ups/{}?_method=PATCH", started["id"].as_str().unwrap());
    ada.post(&at, &[("password", PASSWORD)]).await.refused(400, "revoked_invitation", "");
    sign_up(&mut server.browser(), &ticket, &[("password", PASSWORD)]).await.refused(400, "revoked_invitation", "");
    assert_eq!(server.backend("GET", "/v1/invitations", None).await.expect(200), &json!([]), "those are left out");
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn fault_134_one_of_a_hundred_browsers_signs_up_with_one_invitation() {
    let server = closed().await;
    let ticket = token(&invite(&server, json!({"email_address": "ada@example.com"})).await);
    let nodes = server.nodes().await;
    let tries = (0..100).map(|n| {
        let (mut browser, ticket) = (server.browser().on_node(nodes[n % 2]), ticket.clone());
        async move { sign_up(&mut browser, &ticket, &[("password", PASSWORD)]).await.status }
    });
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|status| **status == 200).count(), 1, "{done:?}");
    assert!(done.iter().all(|status| matches!(status, 200 | 400 | 422)), "{done:?}");
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 1);
}

#[tokio::test]
async fn who_has_an_account_accepts_by_signing_in_or_is_in_already() {
    let server = closed().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let body = json!({"public_metadata": {"plan": "free", "keep": 1}});
    server.backend("PATCH", &format!("/v1/users/{user}/metadata"), Some(body)).await.expect(200);
    let body = json!({"email_address": "ada@example.com", "public_metadata": {"plan": "pro"}});
    server.backend("POST", "/v1/invitations", Some(body.clone())).await.refused(422, "form_identifier_exists", "email_address");
    let ignoring = || {
        let mut body = body.clone();
        body["ignore_existing"] = json!(true);
        body
    };
    let first = invite(&server, ignoring()).await;
    let answer = open(&mut server.browser(), &first).await;
    assert!(
        location(&answer).contains("/sign-in?__clerk_ticket=") && location(&answer).ends_with("__clerk_status=sign_in"),
        "{}",
        location(&answer)
    );
    sign_up(&mut server.browser(), &token(&first), &[]).await.refused(400, "invitation_account_exists", "");
    let mut ada = server.browser();
    let done = sign_in(&mut ada, &token(&first)).await;
    assert_eq!(
        (&done.response()["status"], &done.response()["first_factor_verification"]["strategy"]),
        (&json!("complete"), &json!("ticket"))
    );
    assert_eq!(ada.get("/v1/me").await.response()["public_metadata"], json!({"plan": "pro", "keep": 1}));
    sign_in(&mut server.browser(), &token(&first)).await.refused(400, "invitation_already_accepted", "");

    // In the browser where she is signed in there is nothing left to do.
    let mut again = ignoring();
    again["public_metadata"] = json!({"seat": 2});
    again["redirect_url"] = json!("http://localhost:3000/welcome?a=1");
    let second = invite(&server, again).await;
    let answer = open(&mut server.browser(), &second).await;
    assert!(location(&answer).starts_with("http://localhost:3000/welcome?a=1&__clerk_ticket="), "{}", location(&answer));
    let answer = open(&mut ada, &second).await;
    assert_eq!(location(&answer), "http://localhost:3000/welcome?a=1&__clerk_status=complete");
    assert_eq!(ada.get("/v1/me").await.response()["public_metadata"]["seat"], 2);
    open(&mut ada, &second).await.refused(400, "invitation_already_accepted", "");
}

#[tokio::test]
async fn what_a_server_says_of_an_invitation_is_checked() {
    let server = closed().await;
    for (body, code, param) in [
        (json!({}), "form_param_missing", "email_address"),
        (json!({"email_address": "nobody"}), "form_param_format_invalid", "email_address"),
        (json!({"email_address": "a@example.com", "expires_in_days": 0}), "form_param_value_invalid", "expires_in_days"),
        (json!({"email_address": "a@example.com", "expires_in_days": 366}), "form_param_value_invalid", "expires_in_days"),
        (json!({"email_address": "a@example.com", "template_slug": "pigeon"}), "form_param_value_invalid", "template_slug"),
        (
            json!({"email_address": "a@example.com", "public_metadata": {"x": "y".repeat(9000)}}),
            "form_param_exceeds_allowed_size",
            "public_metadata",
        ),
        (json!({"email_address": "a@example.com", "nonsense": 1}), "form_param_unknown", "nonsense"),
    ] {
        server.backend("POST", "/v1/invitations", Some(body)).await.refused(422, code, param);
    }
    invite(&server, json!({"email_address": "a@example.com"})).await;
    let twice = Some(json!({"email_address": "A@example.com"}));
    server.backend("POST", "/v1/invitations", twice).await.refused(400, "duplicate_record", "email_address");
    invite(&server, json!({"email_address": "A@example.com", "ignore_existing": true})).await;
    server.backend("POST", "/v1/blocklist_identifiers", Some(json!({"identifier": "*@evil.test"}))).await.expect(200);
    server.backend("PATCH", "/v1/instance/restrictions", Some(json!({"blocklist": true}))).await.expect(200);
    let blocked = Some(json!({"email_address": "a@evil.test"}));
    server.backend("POST", "/v1/invitations", blocked).await.refused(403, "not_allowed_access", "");

    let without = TestServer::with_settings(|s| {
        s.attributes.email_address = Presence::Off;
        s.attributes.phone_number = Presence::Required;
    })
    .await;
    let answer = without.backend("POST", "/v1/invitations", Some(json!({"email_address": "a@example.com"}))).await;
    answer.refused(400, "invitations_not_supported", "");
}

#[tokio::test]
async fn fault_115_an_invitation_leads_to_the_app_s_own_pages_only() {
    let server = closed().await;
    for bad in [
        "javascript:alert(1)",
        "javascript://localhost:3000/%0aalert(1)",
        "https://evil.test/",
        "//evil.test",
        "/relative",
        "data:text/html,x",
        "http://localhost:3000@evil.test/",
    ] {
        let answer = server.backend("POST", "/v1/invitations", Some(json!({"email_address": "a@example.com", "redirect_url": bad}))).await;
        assert_eq!(
            (answer.status, &answer.json["errors"][0]["meta"]["param_name"]),
            (422, &json!("redirect_url")),
            "{bad}: {}",
            answer.text
        );
    }
    // A native app's own address is listed first, and met exactly.
    let own = "com.example.app://welcome";
    let with = |url: &str| Some(json!({"email_address": "a@example.com", "redirect_url": url}));
    assert_eq!(server.backend("POST", "/v1/invitations", with(own)).await.status, 422);
    let made = server.backend("POST", "/v1/redirect_urls", Some(json!({"url": own}))).await.expect(200).clone();
    assert_eq!((&made["object"], &made["url"]), (&json!("redirect_url"), &json!(own)));
    server.backend("POST", "/v1/redirect_urls", Some(json!({"url": own}))).await.refused(400, "duplicate_record", "url");
    for (url, code) in
        [("javascript://x", "invalid_url_scheme"), ("http://example.com/", "invalid_url_scheme"), ("nothing", "form_param_format_invalid")]
    {
        server.backend("POST", "/v1/redirect_urls", Some(json!({"url": url}))).await.refused(422, code, "url");
    }
    server.backend("POST", "/v1/redirect_urls", Some(json!({}))).await.refused(422, "form_param_missing", "url");
    for near in ["com.example.app://welcome/", "com.example.app://welcome?x=1", "com.example.app://other"] {
        assert_eq!(server.backend("POST", "/v1/invitations", with(near)).await.status, 422, "{near}");
    }
    let invitation = server.backend("POST", "/v1/invitations", with(own)).await.expect(200).clone();
    let answer = open(&mut server.browser(), &invitation).await;
    assert!(location(&answer).starts_with("com.example.app://welcome?__clerk_ticket="), "{}", location(&answer));

    let at = format!("/v1/redirect_urls/{}", made["id"].as_str().unwrap());
    assert_eq!(server.backend("GET", &at, None).await.expect(200), &made);
    assert_eq!(server.backend("GET", "/v1/redirect_urls", None).await.expect(200), &json!([made]));
    let page = server.backend("GET", "/v1/redirect_urls?paginated=true", None).await;
    assert_eq!(page.expect(200), &json!({"data": [made], "total_count": 1}));
    server.backend("DELETE", &at, None).await.expect(200);
    server.backend("GET", &at, None).await.refused(404, "resource_not_found", "");
    server.backend("DELETE", &at, None).await.refused(404, "resource_not_found", "");
}

#[tokio::test]
async fn several_people_are_invited_at_once_or_none() {
    let server = closed().await;
    let bulk = |items: Vec<Value>| {
        let server = &server;
        async move { server.backend("POST", "/v1/invitations/bulk", Some(Value::Array(items))).await }
    };
    let people = |n: usize| (0..n).map(|n| json!({"email_address": format!("a{n}@example.com")})).collect::<Vec<_>>();
    bulk(Vec::new()).await.refused(422, "form_param_missing", "invitations");
    bulk(people(11)).await.refused(400, "bulk_size_exceeded", "invitations");
    bulk(vec![json!({"email_address": "a@example.com"}), json!({"email_address": "A@example.com"})]).await.refused(
        422,
        "form_param_duplicate",
        "email_address",
    );
    bulk(vec![json!({"email_address": "a@example.com"}), json!({"email_address": "b"})]).await.refused(
        422,
        "form_param_format_invalid",
        "email_address",
    );
    bulk(vec![json!({"email_address": 7})]).await.refused(422, "form_param_type_invalid", "invitations");
    let no_list = server.backend("POST", "/v1/invitations/bulk", Some(json!({"email_address": "a@example.com"}))).await;
    no_list.refused(400, "request_body_invalid", "");
    assert_eq!((server.outbox().await.len(), server.backend("GET", "/v1/invitations", None).await.json), (0, json!([])));
    // Who has an account is not invited among others, whatever is said; who is invited may be again.
    server.user("known@example.com", "correct horse").await;
    let known = json!({"email_address": "known@example.com", "ignore_existing": true});
    bulk(vec![known.clone()]).await.refused(422, "form_identifier_exists", "email_address");
    let again = json!({"email_address": "again@example.com", "ignore_existing": true, "notify": false});
    for _ in 0..2 {
        bulk(vec![again.clone()]).await.expect(200);
    }
    server.backend("POST", "/v1/invitations", Some(known)).await.expect(200);
    let sent = server.outbox().await.len();
    let made = bulk(people(10)).await;
    assert_eq!((made.expect(200).as_array().unwrap().len(), server.outbox().await.len()), (10, sent + 10));

    // And they are found again: by text, in order, page by page.
    server.advance(Duration::from_secs(1));
    invite(&server, json!({"email_address": "zoe@example.com", "expires_in_days": 2})).await;
    let get = |query: &str| {
        let path = format!("/v1/invitations?{query}");
        let server = &server;
        async move { server.backend("GET", &path, None).await }
    };
    let emails = |answer: &Answer| {
        answer.expect(200).as_array().unwrap().iter().map(|it| it["email_address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(emails(&get("limit=1").await), ["zoe@example.com"], "the newest first");
    assert_eq!(emails(&get("query=ZOE@").await), ["zoe@example.com"]);
    assert_eq!(emails(&get("order_by=email_address&limit=2&offset=1").await), ["a1@example.com", "a2@example.com"]);
    assert_eq!(emails(&get("order_by=expires_at&limit=1").await), ["zoe@example.com"]);
    let page = get("paginated=true&limit=3&status=pending").await;
    assert_eq!((page.expect(200)["total_count"].as_i64(), page.json["data"].as_array().unwrap().len()), (Some(14), 3));
    get("order_by=token_hash").await.refused(422, "form_param_value_invalid", "order_by");
    get("status=lost").await.refused(422, "form_param_value_invalid", "status");
    get("limit=501").await.refused(422, "form_param_value_invalid", "limit");
    assert_eq!(emails(&get("query=%25").await), Vec::<String>::new(), "a percent sign is a percent sign");
}

#[tokio::test]
async fn whoever_waits_is_invited_and_comes_in() {
    let server = TestServer::with_settings(|s| s.sign_up.mode = SignUpMode::Waitlist).await;
    let mut ada = server.browser();
    let joined = ada.post("/v1/waitlist", &[("email_address", "Ada@example.com")]).await.expect(200).clone();
    assert_eq!(joined["object"], "waitlist_entry");
    assert_eq!(server.outbox().await.len(), 1);
    assert!(server.outbox().await[0].subject.contains("waitlist"));
    server.advance(DAY);
    let again = ada.post("/v1/waitlist", &[("email_address", "ada@EXAMPLE.com")]).await;
    assert_eq!((again.expect(200), server.outbox().await.len()), (&joined, 1), "the same answer, and no second mail");
    ada.post("/v1/waitlist", &[("email_address", "ada")]).await.refused(422, "form_param_format_invalid", "email_address");
    ada.post("/v1/waitlist", &[]).await.refused(422, "form_param_missing", "email_address");

    let id = joined["id"].as_str().unwrap();
    let listed = server.backend("GET", "/v1/waitlist_entries?status=pending&query=ADA", None).await;
    assert_eq!((&listed.expect(200)["total_count"], &listed.json["data"][0]["id"]), (&json!(1), &json!(id)));
    let invited = server.backend("POST", &format!("/v1/waitlist_entries/{id}/invite"), None).await.expect(200).clone();
    assert_eq!(
        (&invited["status"], &invited["invitation"]["status"], &invited["is_locked"]),
        (&json!("invited"), &json!("pending"), &json!(false))
    );
    assert!(server.outbox().await.iter().any(|mail| mail.subject.starts_with("You can join")));
    for (method, path) in [("POST", "/invite"), ("POST", "/reject"), ("DELETE", "")] {
        server.backend(method, &format!("/v1/waitlist_entries/{id}{path}"), None).await.refused(409, "conflict", "");
    }
    let done = sign_up(&mut ada, &token(&invited["invitation"]), &[("password", PASSWORD)]).await;
    assert_eq!(done.response()["status"], "complete");
    let listed = server.backend("GET", "/v1/waitlist_entries", None).await;
    let entry = &listed.expect(200)["data"][0];
    assert_eq!((&entry["status"], &entry["invitation"]["status"]), (&json!("completed"), &json!("accepted")));
    assert_eq!(entry["invitation"].get("url"), None);
}

#[tokio::test]
async fn a_server_keeps_the_waitlist() {
    let server = TestServer::start().await;
    // Nobody can join by themselves where there is no waitlist; a server can prepare one.
    server.browser().post("/v1/waitlist", &[("email_address", "a@example.com")]).await.refused(403, "waitlist_not_accepting_entries", "");
    let made = server
        .backend("POST", "/v1/waitlist_entries", Some(json!({"email_address": "a@example.com", "notify": false})))
        .await
        .expect(200)
        .clone();
    assert_eq!((&made["status"], server.outbox().await.len()), (&json!("pending"), 0));
    let again = server.backend("POST", "/v1/waitlist_entries", Some(json!({"email_address": "A@example.com"}))).await;
    assert_eq!((again.expect(200), server.outbox().await.len()), (&made, 0));
    let bulk = |items: Vec<Value>| {
        let server = &server;
        async move { server.backend("POST", "/v1/waitlist_entries/bulk", Some(Value::Array(items))).await }
    };
    let many = bulk((0..3).map(|n| json!({"email_address": format!("{}@example.com", ["c", "b", "a"][n])})).collect()).await;
    assert_eq!((many.expect(200).as_array().unwrap().len(), &many.json[2]), (3, &made));
    assert_eq!(server.outbox().await.len(), 2);
    bulk(vec![json!({"email_address": "x@example.com"}); 2]).await.refused(422, "form_param_duplicate", "email_address");
    bulk((0..51).map(|n| json!({"email_address": format!("x{n}@example.com")})).collect()).await.refused(
        400,
        "bulk_size_exceeded",
        "entries",
    );
    bulk(Vec::new()).await.refused(422, "form_param_missing", "entries");

    let at = |id: &Value| format!("/v1/waitlist_entries/{}", id.as_str().unwrap());
    let rejected = server.backend("POST", &format!("{}/reject", at(&made["id"])), None).await;
    assert_eq!(rejected.expect(200)["status"], "rejected");
    server.backend("DELETE", &at(&made["id"]), None).await.refused(409, "conflict", "");
    let invited = server.backend("POST", &format!("{}/invite", at(&made["id"])), None).await;
    assert_eq!(invited.expect(200)["status"], "invited", "a rejection is not the last word");
    server.backend("DELETE", &at(&many.json[0]["id"]), None).await.expect(200);
    let get = |query: &str| {
        let path = format!("/v1/waitlist_entries?{query}");
        let server = &server;
        async move { server.backend("GET", &path, None).await }
    };
    let listed = get("order_by=email_address").await;
    let emails: Vec<_> = listed.expect(200)["data"].as_array().unwrap().iter().map(|it| it["email_address"].as_str().unwrap()).collect();
    assert_eq!(emails, ["a@example.com", "b@example.com"]);
    assert_eq!(get("order_by=-invited_at&limit=1").await.expect(200)["data"][0]["email_address"], "a@example.com");
    assert_eq!(get("status=rejected").await.expect(200), &json!({"data": [], "total_count": 0}));
    get("order_by=email_key").await.refused(422, "form_param_value_invalid", "order_by");
    get("status=lost").await.refused(422, "form_param_value_invalid", "status");
    for path in ["invite", "reject"] {
        server.backend("POST", &format!("/v1/waitlist_entries/wle_nothing/{path}"), None).await.refused(404, "resource_not_found", "");
    }
}

#[tokio::test]
async fn one_of_a_hundred_invites_of_one_entry_is_sent() {
    let server = TestServer::start().await;
    let made = server.backend("POST", "/v1/waitlist_entries", Some(json!({"email_address": "a@example.com", "notify": false}))).await;
    let at = format!("/v1/waitlist_entries/{}/invite", made.expect(200)["id"].as_str().unwrap());
    let done = futures_util::future::join_all((0..100).map(|_| server.backend("POST", &at, None))).await;
    assert_eq!(done.iter().filter(|it| it.status == 200).count(), 1);
    assert_eq!(server.outbox().await.len(), 1);
    assert_eq!(server.backend("GET", "/v1/invitations?paginated=true", None).await.expect(200)["total_count"], 1);
}
