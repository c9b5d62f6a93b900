//! What a server does with users.

use doorward_gateway::openapi;
use doorward_testkit::{Answer, START, TestServer};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

const PASSWORD: &str = "correct horse";

fn ids(answer: &Answer) -> Vec<String> {
    answer.expect(200).as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

async fn create(server: &TestServer, body: Value) -> String {
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// Ada, Bob and Eve, a minute apart.
async fn three(server: &TestServer) -> [String; 3] {
    let ada = json!({"email_address": ["ada@example.com"], "username": "ada_lovelace", "first_name": "Ada", "last_name": "Lovelace",
        "external_id": "x-ada", "password": PASSWORD});
    let bob = json!({"email_address": ["bob@example.org", "bobby@example.net"], "first_name": "Bob", "external_id": "x-bob", "password": PASSWORD});
    let eve = json!({"email_address": ["eve@example.org"], "username": "eve_100", "last_name": "Adams", "password": PASSWORD});
    let ada = create(server, ada).await;
    server.advance(Duration::from_secs(60));
    let bob = create(server, bob).await;
    server.advance(Duration::from_secs(60));
    let eve = create(server, eve).await;
    [ada, bob, eve]
}

#[tokio::test]
async fn a_user_is_created_read_changed_and_deleted() {
    let server = TestServer::start().await;
    let body = json!({
        "email_address": ["Ada@Example.com", "second@example.com"], "email_address_identification_status": ["verified", "reserved"],
        "username": "Ada_L", "external_id": "x1", "first_name": "Ada", "last_name": "Lovelace", "locale": "en-GB", "password": PASSWORD,
        "public_metadata": {"plan": "gold"}, "private_metadata": {"note": "vip"}, "unsafe_metadata": {"theme": "dark"},
        "created_at": "2012-10-20T07:15:20.902Z", "delete_self_enabled": false, "create_organizations_limit": 3,
    });
    let made = server.backend("POST", "/v1/users", Some(body)).await;
    let user = made.expect(200).clone();
    let at = format!("/v1/users/{}", user["id"].as_str().unwrap());
    assert!(user["id"].as_str().unwrap().starts_with("user_"));
    assert_eq!(user["object"], "user");
    assert_eq!(user["created_at"], 1_350_717_320_902_i64);
    assert_eq!((&user["password_enabled"], &user["banned"], &user["locked"]), (&json!(true), &json!(false), &json!(false)));
    assert_eq!((&user["delete_self_enabled"], &user["create_organizations_limit"]), (&json!(false), &json!(3)));
    let emails = user["email_addresses"].as_array().unwrap();
    assert_eq!(emails.len(), 2);
    assert_eq!(user["primary_email_address_id"], emails[0]["id"]);
    assert_eq!((&emails[0]["verification"]["status"], &emails[1]["reserved"]), (&json!("verified"), &json!(true)));
    assert_eq!(server.backend("GET", &at, None).await.expect(200), &user, "reading shows what creating showed");

    server.advance(Duration::from_secs(1));
    let change =
        json!({"first_name": null, "last_name": "King", "external_id": "x2", "username": "ada_king", "create_organizations_limit": null});
    let changed = server.backend("PATCH", &at, Some(change)).await.expect(200).clone();
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&Value::Null, &json!("King")));
    assert_eq!((&changed["external_id"], &changed["username"]), (&json!("x2"), &json!("ada_king")));
    assert_eq!((&changed["locale"], &changed["public_metadata"]), (&json!("en-GB"), &json!({"plan": "gold"})), "what was not sent stays");
    assert_eq!(changed["create_organizations_limit"], Value::Null);
    assert!(changed["updated_at"].as_i64() > user["updated_at"].as_i64(), "pitfall 18");
    let reserved = json!({"primary_email_address_id": emails[1]["id"]});
    server.backend("PATCH", &at, Some(reserved)).await.refused(422, "form_param_value_invalid", "primary_email_address_id");

    let deleted = server.backend("DELETE", &at, None).await;
    assert_eq!(deleted.expect(200), &json!({"object": "user", "id": user["id"], "external_id": "x2", "deleted": true}));
    for method in ["GET", "DELETE"] {
        assert_eq!(server.backend(method, &at, None).await.status, 404);
    }
    // What was the user's is free again.
    create(&server, json!({"email_address": ["ada@example.com"], "username": "ada_king", "external_id": "x2", "password": PASSWORD})).await;
}

#[tokio::test]
async fn what_is_not_valid_is_refused_by_name() {
    let server = TestServer::start().await;
    three(&server).await;
    let ok = json!({"email_address": ["new@example.com"], "password": PASSWORD});
    for (field, value, status, code, param) in [
        ("email_address", json!(["ADA@example.com"]), 422, "form_identifier_exists", "email_address"),
        ("email_address", json!(["bobby@example.net"]), 422, "form_identifier_exists", "email_address"),
        ("email_address", json!(["not an address"]), 422, "form_param_format_invalid", "email_address"),
        ("email_address", json!([]), 422, "form_data_missing", "email_address"),
        ("email_address", json!("new@example.com"), 422, "form_param_type_invalid", "email_address"),
        ("username", json!("ADA_lovelace"), 422, "form_identifier_exists", "username"),
        ("external_id", json!("x-bob"), 422, "form_identifier_exists", "external_id"),
        ("password", json!("short"), 422, "form_password_length_too_short", "password"),
        ("password", Value::Null, 422, "form_data_missing", "password"),
        ("created_at", json!("yesterday"), 422, "form_param_invalid_time", "created_at"),
        ("created_at", json!("2126-01-01T00:00:00Z"), 422, "form_disallow_future_date", "created_at"),
        ("phone_number", json!(["+15555550100"]), 422, "form_param_unknown", "phone_number"),
        ("fist_name", json!("Ada"), 422, "form_param_unknown", "fist_name"),
        ("is_admin", json!(true), 422, "form_param_unknown", "is_admin"),
        ("public_metadata", json!([1]), 422, "form_param_type_invalid", "public_metadata"),
    ] {
        let mut body = ok.clone();
        body[field] = value.clone();
        let answer = server.backend("POST", "/v1/users", Some(body)).await;
        let named = answer.json["errors"][0]["meta"]["param_name"].as_str().unwrap_or_default();
        assert_eq!((answer.status, named), (status, param), "{field} {value}: {}", answer.text);
        assert_eq!(answer.code(), code, "{field} {value}: {}", answer.text);
    }
    let count = server.backend("GET", "/v1/users/count", None).await;
    assert_eq!(count.expect(200), &json!({"object": "total_count", "total_count": 3}), "nothing of it was kept");
}

#[tokio::test]
async fn every_filter_of_the_list_finds_whom_it_names() {
    let server = TestServer::start().await;
    let [ada, bob, eve] = three(&server).await;
    server.backend("POST", &format!("/v1/users/{eve}/ban"), None).await.expect(200);
    server.advance(Duration::from_secs(60));
    server.browser().sign_in("bob@example.org", PASSWORD).await.expect(200);
    let (t1, t2, t3) = (START, START + 60_000, START + 180_000);
    let (a, b, e) = (ada.as_str(), bob.as_str(), eve.as_str());
    let cases: Vec<(String, Vec<&str>)> = vec![
        (String::new(), vec![a, b, e]),
        ("email_address=ADA@example.com".into(), vec![a]),
        ("email_address=ada@example.com&email_address=bobby@example.net".into(), vec![a, b]),
        ("email_address=nobody@example.com".into(), vec![]),
        ("email_address=not-an-address".into(), vec![]),
        ("phone_number=%2B15555550100".into(), vec![]),
        ("web3_wallet=0x0".into(), vec![]),
        ("organization_id=org_1".into(), vec![]),
        ("organization_id=-org_1".into(), vec![a, b, e]),
        ("provider=google&provider_user_id=1".into(), vec![]),
        ("external_id=x-ada&external_id=x-bob".into(), vec![a, b]),
        ("external_id=-x-ada".into(), vec![b, e]),
        ("username=ADA_LOVELACE".into(), vec![a]),
        (format!("user_id={a}&user_id={e}"), vec![a, e]),
        (format!("user_id=%2B{a}"), vec![a]),
        (format!("user_id=-{a}&user_id=-{b}"), vec![e]),
        ("query=LOVE".into(), vec![a]),
        ("query=example.org".into(), vec![b, e]),
        ("query=x-bob".into(), vec![b]),
        (format!("query={}", &e[5..]), vec![e]),
        ("query=adams".into(), vec![e]),
        ("query=%25".into(), vec![]),
        ("query=e_e".into(), vec![]),
        ("email_address_query=example.n".into(), vec![b]),
        ("username_query=_100".into(), vec![e]),
        ("name_query=ada".into(), vec![a, e]),
        ("phone_number_query=555".into(), vec![]),
        ("banned=true".into(), vec![e]),
        ("banned=false".into(), vec![a, b]),
        (format!("created_at_before={t2}"), vec![a]),
        (format!("created_at_after={t1}"), vec![b, e]),
        (format!("last_sign_in_at_before={}", t3 + 1), vec![b]),
        (format!("last_sign_in_at_before={t3}"), vec![]),
        (format!("last_sign_in_at_after={}", t3 - 1), vec![b]),
        (format!("last_sign_in_at_after={t3}"), vec![]),
        (format!("last_active_at_since={t3}"), vec![b]),
        (format!("last_active_at_after={t3}"), vec![]),
        (format!("last_active_at_before={t3}"), vec![]),
        ("query=example.org&banned=false".into(), vec![b]),
        ("email_address=ada@example.com&username=eve_100".into(), vec![]),
    ];
    for (query, expected) in cases {
        let found = server.backend("GET", &format!("/v1/users?order_by=created_at&{query}"), None).await;
        assert_eq!(ids(&found), expected, "{query}");
        let count = server.backend("GET", &format!("/v1/users/count?{query}"), None).await;
        assert_eq!(count.expect(200)["total_count"], expected.len(), "the count agrees: {query}");
    }
    for (query, param) in [("provider=google", "provider_user_id"), ("provider_user_id=1", "provider"), ("banned=perhaps", "banned")] {
        let refused = server.backend("GET", &format!("/v1/users?{query}"), None).await;
        assert_eq!((refused.status, &refused.json["errors"][0]["meta"]["param_name"]), (422, &json!(param)), "{}", refused.text);
    }
    let many: String = (0..101).map(|n| format!("user_id=user_{n}&")).collect();
    assert_eq!(server.backend("GET", &format!("/v1/users?{many}"), None).await.status, 422);
}

#[tokio::test]
async fn every_order_has_each_user_once_and_in_its_place() {
    let server = TestServer::start().await;
    let [ada, bob, eve] = three(&server).await;
    server.advance(Duration::from_secs(60));
    server.browser().sign_in("bob@example.org", PASSWORD).await.expect(200);
    server.advance(Duration::from_secs(60));
    server.backend("PATCH", &format!("/v1/users/{ada}"), Some(json!({"locale": "de"}))).await.expect(200);
    let (a, b, e) = (&ada, &bob, &eve);
    for (field, ascending) in [
        ("created_at", [a, b, e]),
        ("updated_at", [e, b, a]),
        ("email_address", [a, b, e]),
        ("first_name", [e, a, b]),
        ("last_name", [b, e, a]),
        ("username", [b, a, e]),
        ("phone_number", [a, b, e]),
        ("web3wallet", [a, b, e]),
    ] {
        let mut expected: Vec<&String> = ascending.to_vec();
        for sign in ["", "%2B", "+"] {
            assert_eq!(
                ids(&server.backend("GET", &format!("/v1/users?order_by={sign}{field}"), None).await).iter().collect::<Vec<_>>(),
                expected,
                "{sign}{field}"
            );
        }
        expected.reverse();
        assert_eq!(
            ids(&server.backend("GET", &format!("/v1/users?order_by=-{field}"), None).await).iter().collect::<Vec<_>>(),
            expected,
            "-{field}"
        );
    }
    for field in ["last_sign_in_at", "last_active_at"] {
        let up = ids(&server.backend("GET", &format!("/v1/users?order_by={field}"), None).await);
        let down = ids(&server.backend("GET", &format!("/v1/users?order_by=-{field}"), None).await);
        assert_eq!((up.last(), down.first(), up.len()), (Some(b), Some(b), 3), "{field}: who was never seen comes before");
    }
    assert_eq!(ids(&server.backend("GET", "/v1/users", None).await), [eve.clone(), bob.clone(), ada.clone()], "the newest first");
}

#[tokio::test]
async fn pages_have_every_user_exactly_once() {
    let server = TestServer::start().await;
    let mut all = HashSet::new();
    for n in 0..23 {
        // Some are created at the same moment.
        let body = json!({"email_address": [format!("u{n}@example.com")], "skip_password_requirement": true});
        all.insert(create(&server, body).await);
        server.advance(Duration::from_millis(u64::from(n % 3 == 0)));
    }
    assert_eq!(ids(&server.backend("GET", "/v1/users", None).await).len(), 10, "by default");
    let mut by_cursor = Vec::new();
    loop {
        let after: String = by_cursor.last().map(|id| format!("&starting_after={id}")).unwrap_or_default();
        let page = ids(&server.backend("GET", &format!("/v1/users?limit=5{after}"), None).await);
        if page.is_empty() {
            break;
        }
        by_cursor.extend(page);
    }
    for order in ["-created_at", "email_address", "-first_name"] {
        let mut by_offset = Vec::new();
        for offset in (0..25).step_by(5) {
            by_offset.extend(ids(&server.backend("GET", &format!("/v1/users?limit=5&offset={offset}&order_by={order}"), None).await));
        }
        assert_eq!(by_offset.len(), 23, "{order}");
        assert_eq!(by_offset.iter().cloned().collect::<HashSet<_>>(), all, "{order}");
        if order == "-created_at" {
            assert_eq!(by_offset, by_cursor, "both ways of paging agree");
        }
    }
}

#[tokio::test]
async fn fault_116_pages_that_make_no_sense_are_refused() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let document = openapi::document(&doorward_bapi::routes());
    let paged = |it: &&Value| it["get"]["parameters"].as_array().is_some_and(|all| all.iter().any(|it| it["name"] == "limit"));
    let paths = document["paths"].as_object().unwrap().iter();
    let lists: Vec<String> = paths
        .filter(|(_, it)| paged(it))
        .map(|(path, _)| {
            let path = path.replace("{user_id}", &user).replace("{provider}", "oauth_google").replace("{template_type}", "email");
            assert!(!path.contains('{'), "{path}: the test knows no id for this parameter yet");
            if path == "/v1/sessions" { format!("{path}?user_id={user}&") } else { format!("{path}?") }
        })
        .collect();
    assert!(lists.len() > 9, "{lists:?}");
    for list in &lists {
        for bad in [
            "0",
            "-1",
            "501",
            "9223372036854775807",
            "18446744073709551615",
            "99999999999999999999999",
            "1.5",
            "ten",
            "0x10",
            "1e2",
            "NaN",
            "1%00",
        ] {
            let refused = server.backend("GET", &format!("{list}limit={bad}"), None).await;
            assert_eq!(
                (refused.status, &refused.json["errors"][0]["meta"]["param_name"]),
                (422, &json!("limit")),
                "{list} {bad}: {}",
                refused.text
            );
        }
        for bad in ["-1", "9223372036854775807", "18446744073709551615", "ten", "1.0", "-9223372036854775808"] {
            let refused = server.backend("GET", &format!("{list}offset={bad}"), None).await;
            assert_eq!(
                (refused.status, &refused.json["errors"][0]["meta"]["param_name"]),
                (422, &json!("offset")),
                "{list} {bad}: {}",
                refused.text
            );
        }
        for good in ["limit=500&offset=1000000000", "limit=&offset="] {
            let answer = server.backend("GET", &format!("{list}{good}"), None).await;
            assert!(answer.status == 200 || answer.code() == "oauth_token_provider_not_enabled", "{list}{good}: {}", answer.text);
        }
    }
    for (query, param) in [("starting_after=user_gone", "starting_after"), (&format!("starting_after={user}&offset=1"), "starting_after")] {
        let refused = server.backend("GET", &format!("/v1/users?{query}"), None).await;
        assert_eq!((refused.status, &refused.json["errors"][0]["meta"]["param_name"]), (422, &json!(param)), "{}", refused.text);
    }
}

#[tokio::test]
async fn fault_120_names_of_fields_do_not_reach_the_database() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    for order in [
        "password_hash",
        "-password_hash",
        "id",
        "private_metadata",
        "created_at;DROP TABLE users",
        "created_at DESC, id",
        "1",
        "(SELECT 1)",
        "--created_at",
        "u.created_at",
        "CREATED_AT",
        "created_at--",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(order.as_bytes()).collect();
        server.backend("GET", &format!("/v1/users?order_by={encoded}"), None).await.refused(422, "form_param_value_invalid", "order_by");
    }
    for text in ["' OR '1'='1", "ada' --", "\\", "%", "a_a", "\"", "$1", "1)); DROP TABLE users; --", "\u{202e}", "😀"] {
        let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for field in ["query", "email_address", "email_address_query", "username", "username_query", "name_query", "external_id", "user_id"]
        {
            let found = server.backend("GET", &format!("/v1/users?{field}={encoded}"), None).await;
            assert_eq!(found.expect(200), &json!([]), "{field}={text}");
        }
    }
    for (unknown, name) in [("password_hash=%25", "password_hash"), ("1=1", "1")] {
        server.backend("GET", &format!("/v1/users?{unknown}"), None).await.refused(422, "form_param_unknown", name);
    }
    assert_eq!(ids(&server.backend("GET", "/v1/users", None).await), [user]);
}

#[tokio::test]
async fn metadata_is_merged_or_replaced_as_asked() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let at = format!("/v1/users/{user}/metadata");
    let first =
        json!({"public_metadata": {"a": 1, "b": {"c": 1, "d": 2}}, "private_metadata": {"p": "q"}, "unsafe_metadata": {"u": [1, 2]}});
    server.backend("PUT", &at, Some(first)).await.expect(200);
    let merged = server.backend("PATCH", &at, Some(json!({"public_metadata": {"a": null, "b": {"c": 9, "e": {"f": null}}}}))).await;
    assert_eq!(merged.expect(200)["public_metadata"], json!({"b": {"c": 9, "d": 2, "e": {}}}), "RFC 7396");
    assert_eq!((&merged.json["private_metadata"], &merged.json["unsafe_metadata"]), (&json!({"p": "q"}), &json!({"u": [1, 2]})));
    let replaced = server.backend("PUT", &at, Some(json!({"public_metadata": {"only": null}}))).await;
    assert_eq!(
        (&replaced.expect(200)["public_metadata"], &replaced.json["private_metadata"]),
        (&json!({"only": null}), &json!({"p": "q"}))
    );
    let cleared = server.backend("PUT", &at, Some(json!({"private_metadata": {}}))).await;
    assert_eq!(cleared.expect(200)["private_metadata"], json!({}));
    let large = json!({"public_metadata": {"x": "y".repeat(20_000)}});
    let refused = server.backend("PATCH", &at, Some(large)).await;
    assert_eq!((refused.status, &refused.json["errors"][0]["meta"]["param_name"]), (422, &json!("public_metadata")), "{}", refused.text);
    // Newer callers must say which of the two they mean.
    let at = |date: &str| format!("/v1/users/{user}?__clerk_api_version={date}");
    server.backend("PATCH", &at("2025-11-10"), Some(json!({"public_metadata": {"old": 1}}))).await.expect(200);
    let newer = at("2026-05-12");
    server.backend("PATCH", &newer, Some(json!({"public_metadata": {"new": 1}}))).await.refused(
        422,
        "form_param_unknown",
        "public_metadata",
    );
}

#[tokio::test]
async fn fault_121_keys_with_a_meaning_elsewhere_are_kept_as_they_are() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let odd = r#"{"__proto__":{"admin":true},"constructor":{"prototype":1},"":0,"$ref":"x","a.b":{"é\u0001":[[]]},"n":1.5e300}"#;
    let odd: Value = serde_json::from_str(odd).unwrap();
    let at = format!("/v1/users/{user}/metadata");
    server.backend("PUT", &at, Some(json!({"public_metadata": odd}))).await.expect(200);
    let merged = server.backend("PATCH", &at, Some(json!({"public_metadata": {"__proto__": {"more": 1}}}))).await;
    let mut expected = odd;
    expected["__proto__"]["more"] = json!(1);
    assert_eq!(merged.expect(200)["public_metadata"], expected);
    let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(server.backend("PATCH", &at, Some(json!({"public_metadata": deep}))).await.status, 400);
}

#[tokio::test]
async fn changes_side_by_side_do_not_undo_each_other() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let (_, second) = server.second_node().await;
    let at = format!("/v1/users/{user}/metadata");
    let key = format!("Bearer {}", server.instance.secret_key.expose());
    let calls = (0..4).map(|n| {
        let mut caller = server.browser().on_node(if n % 2 == 0 { server.private } else { second });
        (caller.origin, caller.api_version) = (None, None);
        caller.headers.push(("authorization".to_owned(), key.clone()));
        let (at, body) = (at.clone(), json!({"public_metadata": {format!("k{n}"): n}}).to_string());
        async move { caller.send("PATCH", &at, Some(("application/json", body))).await.status }
    });
    let statuses = futures_util::future::join_all(calls).await;
    assert!(statuses.iter().all(|s| matches!(s, 200 | 409)), "{statuses:?}");
    let metadata = server.backend("GET", &format!("/v1/users/{user}"), None).await.json["public_metadata"].clone();
    let kept: Vec<bool> = (0..4).map(|n| metadata.get(format!("k{n}")).is_some()).collect();
    assert_eq!(kept, statuses.iter().map(|s| *s == 200).collect::<Vec<_>>(), "what was answered with 200 is there: {metadata}");
    assert!(statuses.contains(&200));
}

#[tokio::test]
async fn a_server_checks_a_password_and_cannot_guess_round_the_lock() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 3).await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let at = format!("/v1/users/{user}/verify_password");
    let check = async |password: &str| server.backend("POST", &at, Some(json!({"password": password}))).await;
    assert_eq!(check(PASSWORD).await.expect(200), &json!({"verified": true}));
    check("").await.refused(422, "form_param_missing", "password");
    for _ in 0..3 {
        check("wrong horse").await.refused(422, "incorrect_password", "password");
    }
    check(PASSWORD).await.refused(403, "user_locked", "");
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "user_locked", "");
    let unlocked = server.backend("POST", &format!("/v1/users/{user}/unlock"), None).await;
    assert_eq!((&unlocked.expect(200)["locked"], &unlocked.json["verification_attempts_remaining"]), (&json!(false), &json!(3)));
    check(PASSWORD).await.expect(200);
    let without = create(&server, json!({"email_address": ["bob@example.com"], "skip_password_requirement": true})).await;
    let none = server.backend("POST", &format!("/v1/users/{without}/verify_password"), Some(json!({"password": "x"}))).await;
    none.refused(400, "no_password_set", "");
}

#[tokio::test]
async fn a_new_password_works_and_the_old_one_does_not() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let at = format!("/v1/users/{user}");
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    server.backend("PATCH", &at, Some(json!({"password": "another horse"}))).await.expect(200);
    assert_eq!(ada.mint(&session).await.status, 200, "sessions stay unless asked otherwise");
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(422, "form_password_incorrect", "password");
    // fault 26: asked to, a new password ends what was open with the old one.
    let out = json!({"password": "a third horse", "sign_out_of_other_sessions": true});
    server.backend("PATCH", &at, Some(out)).await.expect(200);
    assert_eq!(ada.mint(&session).await.status, 404);
    server.browser().sign_in("ada@example.com", "a third horse").await.expect(200);
    let refused = server.backend("PATCH", &at, Some(json!({"sign_out_of_other_sessions": true}))).await;
    refused.refused(422, "form_conditional_param_disallowed", "sign_out_of_other_sessions");
}

#[tokio::test]
async fn fault_024_the_banned_are_out_and_the_locked_stay_in() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();

    let locked = server.backend("POST", &format!("/v1/users/{user}/lock"), None).await;
    assert_eq!((&locked.expect(200)["locked"], &locked.json["lockout_expires_in_seconds"]), (&json!(true), &json!(3600)));
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "user_locked", "");
    assert_eq!(ada.mint(&session).await.status, 200, "a lock keeps guesses out, not who is in");
    server.advance(Duration::from_secs(3600));
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);

    let banned = server.backend("POST", &format!("/v1/users/{user}/ban"), None).await;
    assert_eq!(banned.expect(200)["banned"], true);
    assert_eq!(ada.mint(&session).await.status, 404);
    assert_eq!(ada.get("/v1/me").await.status, 401);
    let tokens = server.backend("POST", &format!("/v1/sessions/{session}/tokens"), None).await;
    assert_eq!(tokens.status, 404, "not by a server either");
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(403, "user_banned", "");
    let refused = server.backend("POST", "/v1/sessions", Some(json!({"user_id": user}))).await;
    refused.refused(403, "user_banned", "");

    server.backend("POST", &format!("/v1/users/{user}/unban"), None).await.expect(200);
    assert_eq!(ada.mint(&session).await.status, 404, "what a ban ended stays ended");
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn a_bulk_is_all_or_nothing() {
    let server = TestServer::start().await;
    let [ada, bob, eve] = three(&server).await;
    let both = Some(json!({"user_ids": [eve, ada, eve]}));
    let banned = server.backend("POST", "/v1/users/ban", both.clone()).await;
    assert_eq!(ids(&banned), [eve.clone(), ada.clone()], "in the order of the request, each once");
    assert!(banned.json.as_array().unwrap().iter().all(|user| user["banned"] == true));
    let some_gone = Some(json!({"user_ids": [bob, "user_gone"]}));
    assert_eq!(server.backend("POST", "/v1/users/ban", some_gone).await.status, 404);
    assert_eq!(ids(&server.backend("GET", "/v1/users?banned=true&order_by=created_at", None).await), [ada, eve], "Bob was not touched");
    server.backend("POST", "/v1/users/unban", both).await.expect(200);
    assert_eq!(ids(&server.backend("GET", "/v1/users?banned=true", None).await), Vec::<String>::new());
    for (body, code) in [
        (json!({}), "form_param_missing"),
        (json!({"user_ids": []}), "form_param_missing"),
        (json!({"user_ids": vec!["user_1"; 51]}), "bulk_size_exceeded"),
    ] {
        assert_eq!(server.backend("POST", "/v1/users/ban", Some(body)).await.code(), code);
    }
}

#[tokio::test]
async fn fault_014_a_deleted_user_is_gone_everywhere_at_once() {
    let server = TestServer::start().await;
    let (second, _) = server.second_node().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mut elsewhere = ada.clone().on_node(second);
    assert_eq!(elsewhere.mint(&session).await.status, 200);
    server.backend("DELETE", &format!("/v1/users/{user}"), None).await.expect(200);
    for browser in [&mut ada, &mut elsewhere] {
        assert_eq!(browser.mint(&session).await.status, 404);
        assert_eq!(browser.get("/v1/me").await.status, 401);
        assert_eq!(browser.get("/v1/client").await.response()["sessions"], json!([]));
    }
    assert_eq!(server.backend("GET", &format!("/v1/sessions?user_id={user}&status=active"), None).await.expect(200), &json!([]));
    server.browser().sign_in("ada@example.com", PASSWORD).await.refused(422, "form_identifier_not_found", "identifier");
}

#[tokio::test]
async fn fault_139_one_of_many_parallel_creations_makes_the_user() {
    let server = TestServer::start().await;
    let (_, second) = server.second_node().await;
    let key = format!("Bearer {}", server.instance.secret_key.expose());
    for (field, shared) in
        [("email_address", json!(["same@example.com"])), ("username", json!("same_name")), ("external_id", json!("same-id"))]
    {
        let calls = (0..100).map(|n| {
            let mut body = json!({"email_address": [format!("{field}{n}@example.com")], "skip_password_requirement": true});
            body[field] = shared.clone();
            let mut caller = server.browser().on_node(if n % 2 == 0 { server.private } else { second });
            (caller.origin, caller.api_version) = (None, None);
            caller.headers.push(("authorization".to_owned(), key.clone()));
            async move { caller.send("POST", "/v1/users", Some(("application/json", body.to_string()))).await }
        });
        let answers = futures_util::future::join_all(calls).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 99), "{field}");
        for answer in lost {
            answer.refused(422, "form_identifier_exists", field);
        }
    }
    let count = server.backend("GET", "/v1/users/count", None).await;
    assert_eq!(count.expect(200)["total_count"], 3, "no half-made users are left");
}

#[tokio::test]
async fn fault_013_what_is_for_the_backend_stays_there_and_secrets_stay_here() {
    let server = TestServer::with_settings(|s| s.session.single_session = false).await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let metadata = json!({"private_metadata": {"canary": "for-the-backend-only"}, "public_metadata": {"x": "for-everybody"}});
    server.backend("PATCH", &format!("/v1/users/{user}/metadata"), Some(metadata)).await.expect(200);
    let mut ada = server.browser();
    let mut frontend = vec![ada.post("/v1/client/sign_ins", &[("identifier", "ada@example.com")]).await];
    frontend.push(ada.sign_in("ada@example.com", PASSWORD).await);
    let session = ada.session_id().await.unwrap();
    for path in
        ["/v1/client", "/v1/me", "/v1/me/sessions", "/v1/me/sessions/active", "/v1/environment", &format!("/v1/client/sessions/{session}")]
    {
        frontend.push(ada.get(path).await);
    }
    frontend.push(ada.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await);
    frontend.push(ada.sign_in("ada@example.com", PASSWORD).await);
    let cookie = ada.cookies["__client"].clone();
    assert!(frontend.iter().any(|answer| answer.text.contains("for-everybody")));
    for answer in &frontend {
        assert!(!answer.text.contains("for-the-backend-only") && !answer.text.contains("private_metadata"), "{}", answer.text);
    }
    let mut backend = Vec::new();
    for path in [
        format!("/v1/users/{user}"),
        "/v1/users".into(),
        format!("/v1/sessions/{session}"),
        format!("/v1/sessions?user_id={user}"),
        "/v1/clients".into(),
        "/v1/jwks".into(),
    ] {
        backend.push(server.backend("GET", &path, None).await);
    }
    assert!(backend[0].text.contains("for-the-backend-only"));
    for answer in frontend.iter().chain(&backend) {
        for secret in
            ["password_hash", "$argon2", PASSWORD, "token_hash", "sealed", "secret_key", "address_key", cookie.as_str(), "\"d\":", "\"p\":"]
        {
            assert!(!answer.text.contains(secret), "{secret} in {}", answer.text);
        }
    }
}

#[tokio::test]
async fn before_there_are_organizations_users_have_nothing_of_them() {
    let server = TestServer::start().await;
    let id = server.user("ada@example.com", "correct horse").await;
    for what in ["organization_memberships", "organization_invitations"] {
        let read = async |user: &str, query: &str| server.backend("GET", &format!("/v1/users/{user}/{what}{query}"), None).await;
        for query in ["", "?limit=500&offset=3"] {
            assert_eq!(read(&id, query).await.expect(200), &json!({"data": [], "total_count": 0}), "{what}");
        }
        assert_eq!(read("user_gone", "").await.status, 404);
        read(&id, "?limit=501").await.refused(422, "form_param_value_invalid", "limit");
        read(&id, "?offset=-1").await.refused(422, "form_param_value_invalid", "offset");
    }
    let at = format!("/v1/users/{id}/organization_invitations?status=");
    server.backend("GET", &format!("{at}pending"), None).await.expect(200);
    server.backend("GET", &format!("{at}lost"), None).await.refused(422, "form_param_value_invalid", "status");
}
