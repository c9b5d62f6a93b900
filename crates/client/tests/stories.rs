//! What a person sees, told to the core event by event.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod page;

use doorward_client::*;
use page::*;
use serde_json::{Value, json};

#[test]
fn a_page_loads_with_nobody_there() {
    let mut page = Page::new(LIVE);
    let load = page.command(Command::Load);
    assert_eq!(page.snapshot()["isLoaded"], false);
    assert_eq!(page.requests[0].url, "https://clerk.example.com/v1/client?__clerk_api_version=2026-05-12");
    page.answer("/client?", 200, &json!({"response": null, "client": null}));
    assert_eq!(page.value(load), Value::Null);
    assert_eq!((&page.snapshot()["isLoaded"], &page.snapshot()["sessions"]), (&json!(true), &json!([])));
    let token = page.token();
    assert_eq!(page.value(token), Value::Null, "nobody has no token, and that is no error");
}

#[test]
fn a_development_page_asks_for_a_development_browser_first() {
    let mut page = Page::new(TEST);
    page.command(Command::Load);
    assert!(page.requests.len() == 1 && page.requests[0].url.contains("/v1/dev_browser"));
    page.answer("/dev_browser", 200, &json!({"id": "dvb_1", "token": "dvb_1"}));
    assert!(page.requests[0].url.contains("__clerk_db_jwt=dvb_1"));
    let client = client(page.now, &["s1"]);
    page.answer("/client?", 200, &json!({"response": client, "client": null}));
    let suffixed = |name: &str| page.cookies.iter().filter(|(key, _)| key.starts_with(name)).count();
    assert_eq!((suffixed("__clerk_db_jwt"), suffixed("__session"), suffixed("__client_uat")), (2, 2, 2));
    assert_eq!(page.cookies["__client_uat"], Some((START / 1000).to_string()));
}

#[test]
fn a_development_browser_that_the_server_forgot_is_replaced() {
    let mut page = Page::with(Config { publishable_key: TEST.into(), cookies: "__clerk_db_jwt=dvb_old".into(), ..Config::default() });
    let load = page.command(Command::Load);
    page.answer("__clerk_db_jwt=dvb_old", 401, &errors("dev_browser_unauthenticated"));
    page.answer("/dev_browser", 200, &json!({"id": "dvb_2", "token": "dvb_2"}));
    page.answer("__clerk_db_jwt=dvb_2", 200, &json!({"response": null, "client": null}));
    assert_eq!(page.value(load), Value::Null);
}

#[test]
fn ada_mistypes_her_password_and_then_signs_in() {
    let mut page = Page::loaded(&[]);
    let create = page.step(Step::SignInCreate, json!({"identifier": "ada@example.com"}));
    assert_eq!(page.requests[0].body.as_deref(), Some("identifier=ada%40example.com"));
    let attempt = json!({"id": "sia_1", "status": "needs_first_factor"});
    let mut with_attempt = client(page.now, &[]);
    with_attempt["sign_in"] = attempt.clone();
    page.answer("/sign_ins?", 200, &json!({"response": attempt, "client": with_attempt}));
    assert_eq!(page.value(create)["status"], "needs_first_factor");
    assert_eq!(page.snapshot()["signIn"]["id"], "sia_1");

    let version = page.core.version();
    let wrong = page.step(Step::SignInAttemptFirstFactor, json!({"strategy": "password", "password": "wrong"}));
    page.answer("/sign_ins/sia_1/attempt_first_factor", 422, &errors("form_password_incorrect"));
    let failure = page.failure(wrong);
    assert_eq!((failure.code.as_str(), failure.status, failure.message.as_str()), ("form_password_incorrect", 422, "No, not so."));
    assert_eq!(failure.errors[0]["meta"]["param_name"], "password");
    assert_eq!(failure.trace_id.as_deref(), Some("t1"));
    assert_eq!(page.core.version(), version, "nothing changed");

    let right = page.step(Step::SignInAttemptFirstFactor, json!({"strategy": "password", "password": "right"}));
    let done = json!({"id": "sia_1", "status": "complete", "created_session_id": "s1"});
    let signed_in = client(page.now, &["s1"]);
    page.answer("/attempt_first_factor", 200, &json!({"response": done, "client": signed_in}));
    assert_eq!(page.value(right)["created_session_id"], "s1");
    assert_eq!(page.snapshot()["session"], Value::Null, "she is in when the app says so");

    let active = page.command(Command::SetActive { session: Some(Some("s1".into())), organization: None });
    page.answer("/sessions/s1/touch", 200, &json!({"response": {"id": "s1"}, "client": signed_in}));
    assert_eq!(page.value(active), Value::Null);
    assert_eq!(page.snapshot()["user"]["id"], "user_s1");
    assert!(page.cookies["__session"].is_some());
    assert_eq!(page.told.len(), 1, "the other tabs hear of it");
    let token = page.token();
    assert_eq!(page.value(token), jwt(START, "s1"), "the token came with the client");
    assert!(page.requests.is_empty());
}

#[test]
fn a_step_without_an_attempt_is_refused_here() {
    let mut page = Page::loaded(&[]);
    let call = page.step(Step::SignUpAttemptVerification, json!({}));
    assert_eq!(page.failure(call).code, "attempt_missing");
    assert!(page.requests.is_empty());
}

#[test]
fn an_attempt_that_another_tab_has_finished_can_still_be_read() {
    let mut page = Page::loaded(&[]);
    let look = page.step(Step::SignInReload, json!({"id": "sia_1"}));
    page.answer("/sign_ins/sia_1?", 200, &json!({"response": {"id": "sia_1", "status": "complete"}, "client": null}));
    assert_eq!(page.value(look)["status"], "complete");
    let prepare = page.step(Step::SignInPrepareFirstFactor, json!({"id": "sia_1"}));
    assert_eq!(page.failure(prepare).code, "attempt_missing", "but not gone on with");
}

#[test]
fn a_token_is_replaced_before_it_ends() {
    let mut page = Page::loaded(&["s1"]);
    page.until_timer();
    assert_eq!(page.now, START + 43_000, "17 of its 60 seconds are left");
    let meanwhile = page.token();
    assert_eq!(page.value(meanwhile), jwt(START, "s1"));
    let next = jwt(page.now, "next");
    page.answer("/sessions/s1/tokens", 200, &json!({"object": "token", "jwt": next}));
    assert_eq!(page.core.token(None, None, page.now), Some(next.clone()));
    assert_eq!(page.cookies["__session"], Some(next));
    assert_eq!(page.timer, Some(START + 86_000));
}

#[test]
fn a_hundred_callers_cause_one_request() {
    let mut page = Page::loaded(&["s1"]);
    page.event(Event::Hidden);
    page.pass(120_000);
    let calls: Vec<u64> = (0..100).map(|_| page.token()).collect();
    assert_eq!(page.requests.len(), 1);
    page.answer("/tokens", 200, &json!({"jwt": jwt(page.now, "x")}));
    assert!(calls.iter().all(|call| page.value(*call) == jwt(page.now, "x")));
}

#[test]
fn templates_and_organizations_have_tokens_of_their_own() {
    let mut page = Page::loaded(&["s1"]);
    let mut query = TokenQuery { template: Some("hasura".into()), ..TokenQuery::default() };
    page.command(Command::GetToken(query.clone()));
    assert!(page.requests[0].url.contains("/v1/client/sessions/s1/tokens/hasura?"));
    query.template = None;
    query.organization = Some("org_1".into());
    page.command(Command::GetToken(query));
    assert_eq!(page.requests[1].body.as_deref(), Some("organization_id=org_1"));
}

#[test]
fn a_page_that_wakes_tells_so_and_takes_a_new_token() {
    let mut page = Page::loaded(&["s1"]);
    page.event(Event::Hidden);
    assert_eq!(page.timer, None, "nobody needs one of a page that nobody sees");
    page.pass(3_600_000);
    assert!(page.requests.is_empty());
    page.event(Event::Visible);
    assert_eq!(page.request("/touch").body.as_deref(), Some("active_organization_id=&intent=focus"));
    page.request("/tokens");
}

#[test]
fn without_a_network_the_page_keeps_what_it_knows() {
    let mut page = Page::loaded(&["s1"]);
    page.event(Event::Hidden);
    page.pass(120_000);
    page.event(Event::Offline);
    let version = page.core.version();
    let token = page.token();
    for _ in 0..3 {
        page.lose("/tokens");
        assert!(!page.settled.contains_key(&token), "it is tried again first");
        page.until_timer();
    }
    page.lose("/tokens");
    assert_eq!(page.failure(token).code, "network_error");
    assert_eq!((page.core.version(), page.core.session()), (version, Some("s1")));
}

#[test]
fn when_the_network_is_back_nobody_waits_for_the_pause_to_end() {
    let mut page = Page::loaded(&["s1"]);
    page.event(Event::Hidden);
    page.pass(120_000);
    page.token();
    page.lose("/tokens");
    assert!(page.requests.is_empty());
    page.event(Event::Online);
    page.request("/tokens");
}

#[test]
fn a_server_that_is_busy_is_left_alone_for_as_long_as_it_says() {
    let mut page = Page::loaded(&["s1"]);
    page.event(Event::Hidden);
    page.pass(120_000);
    page.token();
    page.answer_with("/tokens", 429, &[("retry-after", "20")], &errors("too_many_requests"));
    assert_eq!(page.timer, Some(page.now + 20_000));
    page.event(Event::Online);
    assert!(page.requests.is_empty(), "that there is a network says nothing about the server");
    assert_eq!(page.timer, Some(page.now + 20_000));
    page.until_timer();
    page.answer("/tokens", 200, &json!({"jwt": jwt(page.now, "x")}));

    let attempt = page.step(Step::SignInCreate, json!({}));
    page.answer_with("/sign_ins", 429, &[("retry-after", "30")], &errors("too_many_requests"));
    assert_eq!((page.failure(attempt).retry_after, page.failure(attempt).status), (Some(30), 429), "a person decides about this one");
}

#[test]
fn a_session_that_somebody_else_ended_is_gone() {
    let mut page = Page::loaded(&["s1"]);
    page.until_timer();
    page.answer("/tokens", 401, &errors("authentication_invalid"));
    page.answer("/client?", 200, &json!({"response": client(page.now, &[]), "client": null}));
    assert_eq!(page.snapshot()["session"], Value::Null);
    assert_eq!((&page.cookies["__session"], page.core.token(None, None, page.now)), (&None, None));
}

#[test]
fn whoever_is_signed_in_sees_to_their_own_account() {
    let mut page = Page::loaded(&["s1"]);
    let list = page.me("GET", &["sessions", "active"], json!({}));
    assert!(page.requests[0].url.contains("/v1/me/sessions/active?") && page.requests[0].url.ends_with("&_clerk_session_id=s1"));
    page.answer("/me/sessions/active", 200, &json!([{"id": "s1"}, {"id": "elsewhere"}]));
    assert_eq!(page.value(list)[1]["id"], "elsewhere");

    let revoke = page.me("POST", &["sessions", "else/where", "revoke"], json!({}));
    page.answer("/me/sessions/else%2Fwhere/revoke?", 200, &json!({"response": {"status": "revoked"}, "client": client(page.now, &["s1"])}));
    assert_eq!(page.value(revoke)["status"], "revoked");

    let update = page.me("PATCH", &[], json!({"firstName": "Augusta"}));
    assert!(page.requests[0].url.contains("_method=PATCH") && page.requests[0].body.as_deref() == Some("first_name=Augusta"));
    let mut changed = client(page.now + 1, &["s1"]);
    changed["sessions"][0]["user"]["first_name"] = json!("Augusta");
    page.answer("/me?", 200, &json!({"response": {"first_name": "Augusta"}, "client": changed}));
    assert_eq!(
        (page.value(update)["first_name"].clone(), page.snapshot()["user"]["first_name"].clone()),
        (json!("Augusta"), json!("Augusta"))
    );

    page.command(Command::SignOut { session: None });
    page.answer("/client/sessions", 200, &json!({"response": client(page.now + 2, &[]), "client": null}));
    let nobody = page.me("GET", &["sessions", "active"], json!({}));
    assert_eq!(page.failure(nobody).code, "signed_out");
}

#[test]
fn a_session_that_waits_for_a_task_is_used_for_it_and_then_active() {
    let mut page = Page::loaded(&[]);
    let pending = |now| {
        let mut it = client(now, &["s1"]);
        it["sessions"][0]["status"] = json!("pending");
        it["sessions"][0]["tasks"] = json!([{"key": "reset-password"}]);
        it
    };
    page.step(Step::SignInCreate, json!({"identifier": "ada@example.com", "password": "known to others"}));
    page.answer(
        "/sign_ins",
        200,
        &json!({"response": {"status": "complete", "created_session_id": "s1"}, "client": pending(page.now + 1)}),
    );
    let active = page.command(Command::SetActive { session: Some(Some("s1".into())), organization: None });
    page.answer("/sessions/s1/touch", 200, &json!({"response": {"id": "s1"}, "client": pending(page.now + 2)}));
    assert_eq!(page.value(active), Value::Null);
    assert_eq!(page.snapshot()["session"]["tasks"][0]["key"], "reset-password");

    let change = page.me("POST", &["change_password"], json!({"newPassword": "staple battery"}));
    assert!(page.requests[0].url.ends_with("&_clerk_session_id=s1"));
    page.answer("/me/change_password", 200, &json!({"response": {"id": "u"}, "client": client(page.now + 3, &["s1"])}));
    assert_eq!(page.value(change)["id"], "u");
    let session = page.snapshot()["session"].clone();
    assert_eq!((&session["id"], &session["status"], &session["tasks"]), (&json!("s1"), &json!("active"), &Value::Null));
}

#[test]
fn a_picture_goes_as_it_is() {
    let mut page = Page::loaded(&["s1"]);
    let picture = Account::new(Area::Me, "POST", vec!["profile_image".into()]).unwrap().with_file(Some("R0lGODlh".into()));
    page.command(Command::Account(picture));
    let request = page.request("/v1/me/profile_image");
    assert_eq!(request.body.as_deref(), Some("R0lGODlh"));
    assert_eq!(request.headers, [("content-type", "application/octet-stream".to_owned())]);
}

#[test]
fn a_call_about_the_account_leads_nowhere_else() {
    for path in ["", ".", ".."] {
        assert_eq!(Account::new(Area::Me, "GET", vec!["sessions".into(), path.into()]), None, "{path:?}");
    }
    assert_eq!(Account::new(Area::Me, "TRACE", Vec::new()), None);
    for path in [json!(["..", "client"]), json!("sessions"), json!([1]), json!(null)] {
        let text = json!({"call": 1, "now": 0, "do": "me", "params": {"method": "GET", "path": path}}).to_string();
        assert_eq!(json::command(&text).unwrap().2, Command::Unknown("me".into()), "{path}");
    }
    let mut page = Page::loaded(&["s1"]);
    page.me("DELETE", &["passkeys", "../../client?x=#"], json!({}));
    assert!(page.requests[0].url.contains("/v1/me/passkeys/..%2F..%2Fclient%3Fx%3D%23?"), "{}", page.requests[0].url);
}

#[test]
fn what_needs_a_new_proof_of_presence_says_so_and_then_goes_on() {
    let mut page = Page::loaded(&["s1"]);
    let refused = page.me("POST", &["totp"], json!({}));
    let mut body = errors("session_reverification_required");
    body["errors"][0]["meta"] = json!({"level": "second_factor"});
    page.answer("/v1/me/totp", 403, &body);
    let failure = page.failure(refused);
    assert_eq!((failure.code.as_str(), failure.status), ("session_reverification_required", 403));
    assert_eq!(failure.errors[0]["meta"]["level"], "second_factor");
    assert!(page.requests.is_empty() && page.snapshot()["session"]["id"] == "s1", "and signs nobody out");

    let verify = |page: &mut Page, path: &[&str], params: Value| page.account(Area::Verification, "POST", path, params);
    let start = verify(&mut page, &[], json!({"level": "first_factor"}));
    page.answer("/v1/client/sessions/s1/verify?", 200, &json!({"response": {"status": "needs_first_factor"}, "client": null}));
    assert_eq!(page.value(start)["status"], "needs_first_factor");
    let prove = verify(&mut page, &["attempt_first_factor"], json!({"strategy": "password", "password": "right"}));
    page.answer("/sessions/s1/verify/attempt_first_factor", 200, &json!({"response": {"status": "complete"}, "client": null}));
    assert_eq!(page.value(prove)["status"], "complete");
}

#[test]
fn whoever_deletes_the_account_is_signed_out_in_every_tab() {
    let mut page = Page::loaded(&["s1", "s2"]);
    let update = page.me("DELETE", &["passkeys", "p1"], json!({}));
    page.answer("/me/passkeys/p1", 200, &json!({"response": {"deleted": true}, "client": null}));
    assert_eq!((page.value(update)["deleted"].clone(), page.told.len()), (json!(true), 0));
    let delete = page.me("DELETE", &[], json!({}));
    page.answer("/v1/me?", 200, &json!({"response": {"deleted": true}, "client": null}));
    assert_eq!(page.value(delete)["deleted"], true);
    assert_eq!((&page.snapshot()["session"], page.snapshot()["sessions"].as_array().unwrap().len()), (&Value::Null, 1));
    assert_eq!((page.told.len(), &page.cookies["__session"]), (1, &None));
}

#[test]
fn signing_out_of_one_session_leaves_the_other() {
    let mut page = Page::loaded(&["s1", "s2"]);
    page.command(Command::SignOut { session: Some("s2".into()) });
    page.answer("/sessions/s2/remove", 200, &json!({"response": {"id": "s2"}, "client": client(page.now, &["s1"])}));
    assert_eq!((page.core.session(), page.snapshot()["sessions"].as_array().unwrap().len()), (Some("s1"), 1));

    let out = page.command(Command::SignOut { session: None });
    assert!(page.requests[0].url.contains("/v1/client/sessions?") && page.requests[0].url.contains("_method=DELETE"));
    page.answer("_method=DELETE", 200, &json!({"response": client(page.now, &[]), "client": null}));
    assert_eq!((page.value(out), page.core.session()), (Value::Null, None));
    assert_eq!(page.cookies["__session"], None);
}

#[test]
fn a_token_that_arrives_after_the_sign_out_is_nobody_s() {
    let mut page = Page::loaded(&["s1"]);
    let token = page.command(Command::GetToken(TokenQuery { skip_cache: true, ..TokenQuery::default() }));
    page.command(Command::SignOut { session: None });
    page.answer("_method=DELETE", 200, &json!({"response": client(page.now, &[]), "client": null}));
    page.answer("/tokens", 200, &json!({"jwt": jwt(page.now, "late")}));
    assert_eq!((page.value(token), page.core.token(Some("s1"), None, page.now)), (Value::Null, None));
    assert_eq!(page.cookies["__session"], None);
}

#[test]
fn a_second_tab_follows_the_first() {
    let (mut first, mut second) = (Page::loaded(&["s1"]), Page::loaded(&["s1"]));
    first.command(Command::SignOut { session: None });
    first.answer("_method=DELETE", 200, &json!({"response": client(first.now, &[]), "client": null}));
    second.event(Event::Message(first.told[0].clone().into()));
    assert_eq!((second.core.session(), &second.cookies["__session"]), (None, &None));
    assert!(second.told.is_empty(), "it does not say it back");

    first.command(Command::SetActive { session: Some(Some("s2".into())), organization: None });
    first.answer("/s2/touch", 200, &json!({"response": {"id": "s2"}, "client": client(first.now, &["s2"])}));
    second.event(Event::Message(first.told[1].clone().into()));
    assert_eq!(second.core.session(), Some("s2"));
    second.request("/sessions/s2/tokens");
}

#[test]
fn an_answer_that_comes_late_does_not_bring_an_attempt_back() {
    let mut page = Page::loaded(&[]);
    page.command(Command::Reload);
    let old = page.requests.remove(0);
    page.step(Step::SignInCreate, json!({}));
    let mut newer = client(page.now, &[]);
    newer["sign_in"] = json!({"id": "sia_1"});
    page.answer("/sign_ins", 200, &json!({"response": {"id": "sia_1"}, "client": newer}));
    let body = json!({"response": client(page.now, &[]), "client": null}).to_string();
    page.event(Event::Response { id: old.id, status: 200, headers: Vec::new(), body });
    assert_eq!(page.snapshot()["signIn"]["id"], "sia_1");
}

#[test]
fn a_captcha_is_passed_and_what_was_refused_for_want_of_it_can_be_said_again() {
    let mut page = Page::loaded(&[]);
    page.step(Step::SignUpCreate, json!({"emailAddress": "ada@example.com"}));
    page.answer("/sign_ups", 400, &json!({"errors": [{"code": "captcha_missing_token", "message": "No captcha."}]}));
    let answer = json!({"captchaToken": "good", "captchaWidgetType": "smart"});
    page.command(Command::Captcha(answer.as_object().cloned().unwrap().into()));
    let request = &page.requests[0];
    assert_eq!((request.method, request.body.as_deref()), ("POST", Some("captcha_token=good&captcha_widget_type=smart")));
    let mut passed = client(page.now, &[]);
    passed["captcha_bypass"] = json!(true);
    page.answer("/client/verify", 200, &json!({"response": passed, "client": null}));
    assert_eq!(page.snapshot()["client"]["captcha_bypass"], true);
}

#[test]
fn a_program_has_a_token_and_no_cookies() {
    let mut page = Page::with(Config { publishable_key: TEST.into(), native: true, client_token: Some("ct1".into()), ..Config::default() });
    page.command(Command::Load);
    let request = &page.requests[0];
    assert!(request.url.contains("_is_native=1") && !request.credentials);
    assert_eq!(request.headers, [("authorization", "ct1".to_owned())]);
    let body = json!({"response": client(page.now, &["s1"]), "client": null});
    page.answer_with("/client?", 200, &[("authorization", "ct2")], &body);
    assert!(page.cookies.is_empty());
    page.command(Command::Reload);
    assert_eq!(page.requests[0].headers, [("authorization", "ct2".to_owned())]);
}
