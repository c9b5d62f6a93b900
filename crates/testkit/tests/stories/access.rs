//! Who may sign up and in: modes of sign-up, the allow list and the block list, rules for addresses.

use doorward_core::settings::{Presence, SignUpMode};
use doorward_testkit::social::{CALLBACK, back, client, known, set_out, visit, way};
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

async fn restrict(server: &TestServer, rules: Value) -> Value {
    server.backend("PATCH", "/v1/instance/restrictions", Some(rules)).await.expect(200).clone()
}

async fn list(server: &TestServer, which: &str, identifier: &str) -> String {
    let made = server.backend("POST", &format!("/v1/{which}_identifiers"), Some(json!({"identifier": identifier}))).await;
    made.expect(200)["id"].as_str().unwrap().to_owned()
}

async fn sign_up(browser: &mut Browser, email: &str) -> Answer {
    browser.post("/v1/client/sign_ups", &[("email_address", email), ("password", PASSWORD)]).await
}

/// Signs up to the end.
async fn finish(server: &TestServer, browser: &mut Browser, email: &str) -> Answer {
    let at = format!("/v1/client/sign_ups/{}", sign_up(browser, email).await.response()["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(email).await;
    browser.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await
}

/// Every way in which somebody could become a user by themselves: what each is asked first. `{token}` is an ID token that holds.
const STRATEGIES: &[&[(&str, &str)]] = &[
    &[("email_address", "eve@example.com"), ("password", PASSWORD)],
    &[("strategy", "password"), ("username", "eve_1"), ("password", PASSWORD)],
    &[("strategy", "email_code"), ("email_address", "eve@example.com")],
    &[("strategy", "email_link"), ("email_address", "eve@example.com")],
    &[("strategy", "phone_code"), ("phone_number", "+12024560143")],
    &[("strategy", "web3_metamask_signature"), ("web3_wallet", "0xdeadbeef00000000000000000000000000000000")],
    &[("strategy", "oauth_google"), ("redirect_url", CALLBACK)],
    &[("strategy", "google_one_tap"), ("token", "{token}")],
    &[("strategy", "oauth_token_google"), ("token", "{token}")],
    &[("strategy", "oauth_google"), ("redirect_url", CALLBACK), ("email_address", "eve@example.com"), ("password", PASSWORD)],
    &[("transfer", "true")],
    &[],
];

#[tokio::test]
async fn fault_068_a_restricted_instance_takes_nobody_by_any_strategy() {
    for (mode, name, code) in [
        (SignUpMode::Restricted, "restricted", "sign_up_mode_restricted"),
        (SignUpMode::Waitlist, "waitlist", "sign_up_restricted_waitlist"),
    ] {
        let (server, provider) = known("google", "https://accounts.google.com", |_| {}).await;
        server
            .change_settings(|s| {
                s.attributes.email_link = true;
                s.attributes.phone_number = Presence::Optional;
                s.attributes.web3_wallet = Presence::Optional;
            })
            .await;
        // Somebody waits to be carried over from a sign-in when the doors close, and somebody is at the provider.
        let (mut waiting, mut away) = (server.browser(), server.browser());
        assert_eq!(visit(&mut waiting, &provider, "sign_ins", "oauth_google").await, CALLBACK);
        let to = way(&set_out(&mut away, "sign_ups", "oauth_google").await);
        server.change_settings(|s| s.sign_up.mode = mode).await;
        let token = provider.id_token();
        for fields in STRATEGIES {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, if *value == "{token}" { &token } else { *value })).collect();
            for browser in [&mut server.browser(), &mut waiting] {
                browser.post("/v1/client/sign_ups", &fields).await.refused(403, code, "");
            }
        }
        let at = client(&mut away).await["sign_up"]["id"].as_str().unwrap().to_owned();
        assert_eq!(back(&mut away, &provider.visit(&to)).await, CALLBACK);
        let ended = client(&mut away).await["sign_up"]["verifications"]["external_account"].clone();
        assert_eq!(ended["error"]["code"], code, "{ended}");
        for (step, fields) in [
            ("?_method=PATCH", vec![("strategy", "google_one_tap"), ("token", token.as_str())]),
            ("?_method=PATCH", vec![("strategy", "oauth_google"), ("redirect_url", CALLBACK)]),
            ("/prepare_verification", vec![("strategy", "oauth_google"), ("redirect_url", CALLBACK)]),
        ] {
            away.post(&format!("/v1/client/sign_ups/{at}{step}"), &fields).await.refused(403, code, "");
        }
        // Whatever else is named a strategy makes nobody either, and a sign-in makes nobody at all.
        for strategy in ["oauth_github", "oauth_token_apple", "oauth_nobody", "enterprise_sso", "saml", "passkey", "ticket"] {
            let fields = [("strategy", strategy), ("token", "x"), ("code", "x"), ("redirect_url", CALLBACK), ("transfer", "true")];
            let answer = server.browser().post("/v1/client/sign_ups", &fields).await;
            assert!((400..500).contains(&answer.status), "{strategy}: {}", answer.text);
        }
        let token = |strategy: &'static str| [("strategy", strategy), ("token", token.as_str())];
        let refused = server.browser().post("/v1/client/sign_ins", &token("google_one_tap")).await;
        refused.refused(404, "external_account_not_found", "");
        let mut app = server.browser();
        let nobody = app.post("/v1/client/sign_ins", &token("oauth_token_google")).await;
        assert_eq!(nobody.response()["first_factor_verification"]["status"], "transferable");
        app.post("/v1/client/sign_ups", &[("transfer", "true")]).await.refused(403, code, "");
        assert_eq!(visit(&mut server.browser(), &provider, "sign_ins", "oauth_google").await, CALLBACK);
        assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 0);
        let environment = server.browser().get("/v1/environment").await;
        assert_eq!(environment.expect(200)["user_settings"]["sign_up"]["mode"], name);
        // Users that a server makes sign in all the same.
        server.user("ada@example.com", PASSWORD).await;
        server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
        assert_eq!(visit(&mut server.browser(), &provider, "sign_ins", "oauth_google").await, "/done");
    }
}

#[tokio::test]
async fn fault_068_a_sign_up_that_began_before_the_doors_closed_does_not_end() {
    let server = TestServer::start().await;
    let mut eve = server.browser();
    let at = format!("/v1/client/sign_ups/{}", sign_up(&mut eve, "eve@example.com").await.response()["id"].as_str().unwrap());
    eve.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("eve@example.com").await;
    list(&server, "blocklist", "*@example.com").await;
    restrict(&server, json!({"blocklist": true})).await;
    let late = eve.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    late.refused(403, "not_allowed_access", "");
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn only_what_is_on_the_allow_list_signs_up_and_nothing_on_the_block_list() {
    let server = TestServer::with_settings(|s| s.attributes.phone_number = Presence::Optional).await;
    let rules = restrict(&server, json!({"allowlist": true})).await;
    assert_eq!(
        (&rules["object"], &rules["allowlist"], &rules["blocklist"]),
        (&json!("instance_restrictions"), &json!(true), &json!(false))
    );
    let environment = server.browser().get("/v1/environment").await.json;
    assert_eq!(environment["user_settings"]["restrictions"]["allowlist"]["enabled"], true);
    assert_eq!(environment["user_settings"]["sign_up"]["allowlist_only"], true);

    // An empty list keeps everybody out, and who has nothing that could be on it.
    sign_up(&mut server.browser(), "ada@corp.example").await.refused(403, "not_allowed_access", "");
    let pattern = list(&server, "allowlist", "*@Corp.example").await;
    list(&server, "allowlist", "Guest@Example.com").await;
    finish(&server, &mut server.browser(), "ada@corp.example").await.expect(200);
    finish(&server, &mut server.browser(), "guest@example.com").await.expect(200);
    for email in ["eve@example.com", "ada@sub.corp.example", "ada@notcorp.example", "guest+1@example.com"] {
        sign_up(&mut server.browser(), email).await.refused(403, "not_allowed_access", "");
    }
    // Nobody is on it with a phone that is not; whoever is may give any phone.
    let phone = [("phone_number", "+12024560143"), ("password", PASSWORD)];
    server.browser().post("/v1/client/sign_ups", &phone).await.refused(403, "not_allowed_access", "");
    let both = [("phone_number", "+12024560143"), ("email_address", "bob@corp.example"), ("password", PASSWORD)];
    server.browser().post("/v1/client/sign_ups", &both).await.expect(200);
    // A change of mind does not get around it.
    let mut bob = server.browser();
    let at =
        format!("/v1/client/sign_ups/{}?_method=PATCH", sign_up(&mut bob, "bob@corp.example").await.response()["id"].as_str().unwrap());
    bob.post(&at, &[("email_address", "bob@example.com")]).await.refused(403, "not_allowed_access", "");

    // What is blocked is blocked, with tags and below domains, also when it is allowed.
    restrict(&server, json!({"blocklist": true})).await;
    list(&server, "blocklist", "mallory@corp.example").await;
    list(&server, "blocklist", "*@*.corp.example").await;
    list(&server, "allowlist", "*@sub.corp.example").await;
    for email in ["mallory@corp.example", "mallory+1@corp.example", "MALLORY@corp.example", "ada@sub.corp.example"] {
        sign_up(&mut server.browser(), email).await.refused(403, "not_allowed_access", "");
    }
    sign_up(&mut server.browser(), "mallory2@corp.example").await.expect(200);

    // An entry that is gone is gone.
    let gone = server.backend("DELETE", &format!("/v1/allowlist_identifiers/{pattern}"), None).await;
    assert_eq!(gone.expect(200), &json!({"object": "allowlist_identifier", "id": pattern, "deleted": true}));
    sign_up(&mut server.browser(), "bob@corp.example").await.refused(403, "not_allowed_access", "");
    server.backend("DELETE", &format!("/v1/blocklist_identifiers/{pattern}"), None).await.refused(404, "resource_not_found", "");
}

#[tokio::test]
async fn the_lists_are_asked_at_sign_in_unless_the_settings_say_no() {
    let server = TestServer::start().await;
    finish(&server, &mut server.browser(), "ada@example.com").await.expect(200);
    let made = server.user("bob@example.com", PASSWORD).await;
    restrict(&server, json!({"allowlist": true})).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.refused(403, "not_allowed_access", "");
    // A wrong password does not tell.
    ada.sign_in("ada@example.com", "wrong").await.refused(422, "form_password_incorrect", "password");
    // Who was made by a server is vouched for.
    server.browser().sign_in("bob@example.com", PASSWORD).await.expect(200);
    list(&server, "allowlist", "ada@example.com").await;
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);

    list(&server, "blocklist", "*@example.com").await;
    restrict(&server, json!({"blocklist": true})).await;
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "not_allowed_access", "");
    server.browser().sign_in("bob@example.com", PASSWORD).await.refused(403, "not_allowed_access", "");
    // Somebody of the support desk still acts as them.
    let body = json!({"user_id": made, "actor": {"sub": "user_support"}});
    let ticket = server.backend("POST", "/v1/actor_tokens", Some(body)).await.expect(200)["token"].as_str().unwrap().to_owned();
    server.browser().post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", &ticket)]).await.expect(200);

    let rules = restrict(&server, json!({"allowlist_blocklist_disabled_on_sign_in": true})).await;
    assert_eq!((&rules["allowlist"], &rules["blocklist"]), (&json!(true), &json!(true)), "what was not said stays");
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
    sign_up(&mut server.browser(), "eve@example.com").await.refused(403, "not_allowed_access", "");
}

#[tokio::test]
async fn an_account_does_not_take_in_what_could_not_sign_up() {
    let server = TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Optional;
        s.attributes.phone_second_factor = true;
    })
    .await;
    list(&server, "allowlist", "*@corp.example").await;
    list(&server, "blocklist", "+12024560199").await;
    restrict(&server, json!({"allowlist": true, "blocklist": true, "block_email_subaddresses": true})).await;
    let mut ada = server.browser();
    finish(&server, &mut ada, "ada@corp.example").await.expect(200);
    let add = "/v1/me/email_addresses";
    ada.post(add, &[("email_address", "ada@example.com")]).await.refused(403, "not_allowed_access", "");
    let tagged = ada.post(add, &[("email_address", "ada+2@corp.example")]).await;
    tagged.refused(403, "not_allowed_access", "email_address");
    assert_eq!(tagged.json["errors"][0]["message"], "Email subaddress not allowed.");
    ada.post(add, &[("email_address", "ada2@corp.example")]).await.expect(200);
    let add = "/v1/me/phone_numbers";
    ada.post(add, &[("phone_number", "+12024560143")]).await.refused(403, "not_allowed_access", "");
    // A second factor says nothing of who somebody is; blocked is blocked.
    let second = ("reserved_for_second_factor", "true");
    ada.post(add, &[("phone_number", "+12024560199"), second]).await.refused(403, "not_allowed_access", "");
    let number = ada.post(add, &[("phone_number", "+12024560143"), second]).await.response()["id"].as_str().unwrap().to_owned();
    let at = format!("{add}/{number}");
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await.expect(200);
    let code = server.code_for("+12024560143").await;
    ada.post(&format!("{at}/attempt_verification"), &[("code", &code)]).await.expect(200);
    let first = ada.post(&format!("{at}?_method=PATCH"), &[("reserved_for_second_factor", "false")]).await;
    first.refused(403, "not_allowed_access", "");
}

#[tokio::test]
async fn tagged_and_disposable_addresses_are_refused_where_the_settings_say_so() {
    let server = TestServer::start().await;
    for email in ["a+1@example.com", "a=1@example.com", "a@mailinator.com"] {
        sign_up(&mut server.browser(), email).await.expect(200);
    }
    let rules = json!({"block_email_subaddresses": true, "block_disposable_email_domains": true});
    restrict(&server, rules).await;
    for (email, message) in [
        ("a+1@example.com", "Email subaddress not allowed."),
        ("a=1@example.com", "Email subaddress not allowed."),
        ("a#1@example.com", "Email subaddress not allowed."),
        ("a@mailinator.com", "Access not allowed."),
        ("a@sub.mailinator.com", "Access not allowed."),
    ] {
        let answer = sign_up(&mut server.browser(), email).await;
        answer.refused(403, "not_allowed_access", "email_address");
        assert_eq!(answer.json["errors"][0]["message"], message, "{email}");
    }
    // Tests of apps go on with their addresses.
    sign_up(&mut server.browser(), "a+clerk_test@example.com").await.expect(200);
    sign_up(&mut server.browser(), "a@example.com").await.expect(200);
}

#[tokio::test]
async fn the_lists_are_kept_in_one_form_each_entry_once() {
    let server = TestServer::start().await;
    let post = |which: &str, body: Value| {
        let path = format!("/v1/{which}_identifiers");
        let server = &server;
        async move { server.backend("POST", &path, Some(body)).await }
    };
    let made = post("allowlist", json!({"identifier": "@Example.com"})).await.expect(200).clone();
    assert_eq!((&made["object"], &made["identifier"]), (&json!("allowlist_identifier"), &json!("*@example.com")));
    assert_eq!((&made["identifier_type"], &made["instance_id"]), (&json!("email_address"), &json!(server.instance.id.as_str())));
    post("allowlist", json!({"identifier": "*@EXAMPLE.com"})).await.refused(400, "duplicate_record", "identifier");
    post("blocklist", json!({"identifier": "example.com"})).await.expect(200);
    for (body, code, param) in [
        (json!({}), "form_param_missing", "identifier"),
        (json!({"identifier": " "}), "form_param_missing", "identifier"),
        (json!({"identifier": "not an identifier"}), "form_param_format_invalid", "identifier"),
        (json!({"identifier": "*@other.example", "notify": true}), "form_conditional_param_disallowed", "notify"),
        (
            json!({"identifier": "0xdeadbeef00000000000000000000000000000000", "notify": true}),
            "form_conditional_param_disallowed",
            "notify",
        ),
    ] {
        post("allowlist", body).await.refused(422, code, param);
    }
    let wallet = post("allowlist", json!({"identifier": "0xdeadbeef00000000000000000000000000000000"})).await.expect(200).clone();
    assert_eq!(wallet["identifier_type"], "web3_wallet");
    let all = server.backend("GET", "/v1/allowlist_identifiers", None).await;
    assert_eq!(all.expect(200).as_array().unwrap().len(), 2);
    let page = server.backend("GET", "/v1/allowlist_identifiers?paginated=true&limit=1&offset=1", None).await;
    assert_eq!((page.expect(200)["total_count"].as_i64(), page.json["data"].as_array().unwrap().len()), (Some(2), 1));
    let blocked = server.backend("GET", "/v1/blocklist_identifiers", None).await;
    assert_eq!((&blocked.expect(200)["total_count"], &blocked.json["data"][0]["object"]), (&json!(1), &json!("blocklist_identifier")));
    let id = blocked.json["data"][0]["id"].as_str().unwrap();
    let at = format!("/v1/blocklist_identifiers/{id}");
    let gone = server.backend("DELETE", &at, None).await;
    assert_eq!(gone.expect(200), &json!({"object": "blocklist_identifier", "id": id, "deleted": true}));
    server.backend("DELETE", &at, None).await.refused(404, "resource_not_found", "");
    assert_eq!(server.backend("GET", "/v1/blocklist_identifiers", None).await.expect(200)["total_count"], 0);

    // An address is invited along with it; when it cannot be, it is not listed either.
    let invited = post("allowlist", json!({"identifier": "Bob@other.example", "notify": true})).await.expect(200).clone();
    assert!(invited["invitation_id"].as_str().unwrap().starts_with("inv_"));
    assert_eq!(server.outbox().await.len(), 1);
    // A number is told where to sign up.
    let told = post("allowlist", json!({"identifier": "+12024560143", "notify": true})).await.expect(200).clone();
    assert_eq!((&told["identifier_type"], told.get("invitation_id")), (&json!("phone_number"), None));
    let text = server.texts().await.pop().unwrap();
    let page = format!("{}/sign-up", server.instance.frontend_url);
    assert_eq!((text.to.as_str(), text.text), ("+12024560143", format!("You are invited to join Doorward: {page}")));
    let abroad = post("allowlist", json!({"identifier": "+4915112345678", "notify": true})).await;
    abroad.refused(403, "unsupported_country_code", "identifier");
    server.user("carol@other.example", PASSWORD).await;
    let known = post("allowlist", json!({"identifier": "carol@other.example", "notify": true})).await;
    known.refused(422, "form_identifier_exists", "email_address");
    let page = server.backend("GET", "/v1/allowlist_identifiers?paginated=true", None).await;
    assert_eq!(page.expect(200)["total_count"], 4);
}

#[tokio::test]
async fn of_a_hundred_equal_entries_one_is_made() {
    let server = TestServer::start().await;
    let body = || Some(json!({"identifier": "ada@example.com"}));
    let tries = (0..100).map(|_| server.backend("POST", "/v1/blocklist_identifiers", body()));
    let done = futures_util::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|it| it.status == 200).count(), 1);
    assert!(done.iter().filter(|it| it.status != 200).all(|it| it.code() == "duplicate_record"));
}

#[tokio::test]
async fn a_sign_up_is_complete_with_all_that_is_required_and_not_before() {
    let server = TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Required;
        s.attributes.username = Presence::Required;
        s.attributes.first_name = Presence::Required;
        s.attributes.last_name = Presence::Optional;
        s.sign_up.legal_consent = true;
    })
    .await;
    let mut ada = server.browser();
    let started = sign_up(&mut ada, "ada@example.com").await.response().clone();
    let at = format!("/v1/client/sign_ups/{}", started["id"].as_str().unwrap());
    assert_eq!(
        started["required_fields"],
        json!(["email_address", "phone_number", "username", "password", "first_name", "legal_accepted"])
    );
    assert_eq!(started["optional_fields"], json!(["last_name"]));
    assert_eq!(started["missing_fields"], json!(["phone_number", "username", "first_name", "legal_accepted"]));
    let patch = format!("{at}?_method=PATCH");
    ada.post(&patch, &[("legal_accepted", "false")]).await.refused(422, "legal_not_accepted", "legal_accepted");
    let more = ada.post(&patch, &[("phone_number", "+12024560143"), ("username", "ada_l"), ("first_name", "Ada")]).await;
    assert_eq!(more.response()["missing_fields"], json!(["legal_accepted"]));
    assert_eq!(more.response()["unverified_fields"], json!(["email_address", "phone_number"]));
    for (strategy, to) in [("email_code", "ada@example.com"), ("phone_code", "+12024560143")] {
        ada.post(&format!("{at}/prepare_verification"), &[("strategy", strategy)]).await.expect(200);
        let code = server.code_for(to).await;
        let answer = ada.post(&format!("{at}/attempt_verification"), &[("strategy", strategy), ("code", &code)]).await;
        assert_eq!(answer.response()["status"], "missing_requirements", "the terms are not accepted");
    }
    let done = ada.post(&patch, &[("legal_accepted", "true")]).await;
    assert_eq!((&done.response()["status"], &done.response()["unverified_fields"]), (&json!("complete"), &json!([])));
    let me = ada.get("/v1/me").await.response().clone();
    assert!(me["legal_accepted_at"].is_i64() && done.response()["legal_accepted_at"] == me["legal_accepted_at"]);
    assert_eq!((&me["username"], &me["first_name"]), (&json!("ada_l"), &json!("Ada")));
}

#[tokio::test]
async fn a_server_sees_a_sign_up_and_says_whose_it_is() {
    let server = TestServer::start().await;
    let mut ada = server.browser();
    let id = sign_up(&mut ada, "ada@example.com").await.response()["id"].as_str().unwrap().to_owned();
    let at = format!("/v1/sign_ups/{id}");
    let seen = server.backend("GET", &at, None).await;
    assert_eq!((&seen.expect(200)["email_address"], &seen.json["external_id"]), (&json!("ada@example.com"), &Value::Null));
    let body = json!({"external_id": "guest_7", "custom_action": true});
    let changed = server.backend("PATCH", &at, Some(body)).await;
    assert_eq!((&changed.expect(200)["external_id"], &changed.json["custom_action"]), (&json!("guest_7"), &json!(true)));
    let body = json!({"email_address": ["bob@example.com"], "password": PASSWORD, "external_id": "taken"});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200);
    server.backend("PATCH", &at, Some(json!({"external_id": "taken"}))).await.refused(422, "form_identifier_exists", "external_id");
    let mine = format!("/v1/client/sign_ups/{id}");
    ada.post(&format!("{mine}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("ada@example.com").await;
    ada.post(&format!("{mine}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await.expect(200);
    let done = server.backend("GET", &at, None).await;
    assert_eq!(done.expect(200)["status"], "complete");
    let user = server.backend("GET", &format!("/v1/users/{}", done.json["created_user_id"].as_str().unwrap()), None).await;
    assert_eq!(user.expect(200)["external_id"], "guest_7");
    server.backend("PATCH", &at, Some(json!({"custom_action": false}))).await.refused(403, "sign_up_cannot_be_updated", "");
    server.backend("GET", "/v1/sign_ups/sua_nothing", None).await.refused(404, "resource_not_found", "");
}
