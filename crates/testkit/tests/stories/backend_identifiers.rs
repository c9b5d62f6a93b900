//! What a server does with users' addresses and numbers.

use doorward_core::settings::Presence;
use doorward_testkit::TestServer;
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const NUMBERS: [&str; 3] = ["+12024560143", "+12024560144", "+12024560145"];

async fn server() -> TestServer {
    TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Optional;
        s.attributes.phone_second_factor = true;
    })
    .await
}

/// The two kinds, so that what holds for both is told once: path, field, three values.
const KINDS: [(&str, &str, [&str; 3]); 2] = [
    ("email_addresses", "email_address", ["one@example.com", "two@example.com", "three@example.com"]),
    ("phone_numbers", "phone_number", NUMBERS),
];

async fn add(server: &TestServer, kind: usize, user: &str, value: &str, more: Value) -> Value {
    let (path, field, _) = KINDS[kind];
    // Identifiers and mails are listed by age.
    server.advance(Duration::from_secs(1));
    let mut body = more;
    body["user_id"] = json!(user);
    body[field] = json!(value);
    server.backend("POST", &format!("/v1/{path}"), Some(body)).await.expect(200).clone()
}

async fn user(server: &TestServer, id: &str) -> Value {
    server.backend("GET", &format!("/v1/users/{id}"), None).await.expect(200).clone()
}

/// Somebody with a user name only.
async fn nameless(server: &TestServer, name: &str) -> String {
    let body = json!({"username": name, "password": PASSWORD, "skip_user_requirement": true});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn identifiers_are_added_read_changed_and_removed() {
    let server = server().await;
    for (kind, (path, field, values)) in KINDS.into_iter().enumerate() {
        let id = nameless(&server, &format!("ada_{kind}")).await;
        let primary = format!("primary_{field}_id");
        let first = add(&server, kind, &id, values[0], json!({})).await;
        assert_eq!((&first["object"], &first[field], &first["verification"]), (&json!(field), &json!(values[0]), &Value::Null));
        assert_eq!(user(&server, &id).await[&primary], first["id"], "the first one is the primary one");
        let second = add(&server, kind, &id, values[1], json!({"verified": true})).await;
        assert_eq!((&second["verification"]["status"], &second["verification"]["strategy"]), (&json!("verified"), &json!("admin")));
        assert_eq!(user(&server, &id).await[&primary], second["id"], "a proven one comes before one that is not");
        let third = add(&server, kind, &id, values[2], json!({"verified": true})).await;
        assert_eq!(user(&server, &id).await[&primary], second["id"]);

        let at = |it: &Value| format!("/v1/{path}/{}", it["id"].as_str().unwrap());
        assert_eq!(server.backend("GET", &at(&third), None).await.expect(200), &third);
        server.backend("PATCH", &at(&third), Some(json!({"primary": true}))).await.expect(200);
        assert_eq!(user(&server, &id).await[&primary], third["id"]);
        server.backend("PATCH", &at(&first), Some(json!({"primary": true}))).await.refused(422, "form_param_value_invalid", "primary");
        server.advance(Duration::from_secs(1));
        let proven = server.backend("PATCH", &at(&first), Some(json!({"verified": true, "primary": true}))).await.expect(200).clone();
        assert_eq!(proven["verification"]["status"], "verified");
        assert_eq!(user(&server, &id).await[&primary], first["id"]);
        let taken_back = server.backend("PATCH", &at(&first), Some(json!({"verified": false}))).await.expect(200).clone();
        assert_eq!((&taken_back["verification"], &taken_back["reserved"]), (&Value::Null, &json!(false)));
        assert_eq!(user(&server, &id).await[&primary], second["id"], "the oldest proven one follows");

        let gone = json!({"object": field, "id": second["id"], "deleted": true});
        assert_eq!(server.backend("DELETE", &at(&second), None).await.expect(200), &gone);
        for method in ["GET", "DELETE", "PATCH"] {
            assert_eq!(server.backend(method, &at(&second), (method == "PATCH").then(|| json!({}))).await.status, 404);
        }
        assert_eq!(user(&server, &id).await[&primary], third["id"]);
    }
}

#[tokio::test]
async fn what_is_not_valid_is_refused_by_name_and_nothing_is_kept() {
    let server = server().await;
    for (kind, (path, field, values)) in KINDS.into_iter().enumerate() {
        let (ada, eve) = (nameless(&server, &format!("ada_{kind}")).await, nameless(&server, &format!("eve_{kind}")).await);
        let of_ada = add(&server, kind, &ada, values[0], json!({"verified": true})).await;
        let of_eve = add(&server, kind, &eve, values[0], json!({})).await;
        let post = async |body: Value| server.backend("POST", &format!("/v1/{path}"), Some(body)).await;
        for (change, code, param) in [
            (json!({field: "nonsense"}), "form_param_format_invalid", field),
            (json!({field: ""}), "form_param_missing", field),
            (json!({"user_id": ""}), "form_param_missing", "user_id"),
            (json!({field: values[0]}), "form_identifier_exists", field),
            (json!({field: values[0], "verified": true}), "form_identifier_exists", field),
            (json!({"primary": true}), "form_param_value_invalid", "primary"),
            (json!({"verified": "yes"}), "form_param_type_invalid", "verified"),
        ] {
            let mut body = json!({"user_id": eve, field: values[1]});
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            post(body).await.refused(422, code, param);
        }
        assert_eq!(post(json!({"user_id": "user_nobody", field: values[1]})).await.status, 404);
        let claim = format!("/v1/{path}/{}", of_eve["id"].as_str().unwrap());
        server.backend("PATCH", &claim, Some(json!({"verified": true}))).await.refused(400, "identification_claimed", "");
        let eve = user(&server, &eve).await;
        assert_eq!((&eve[path][0]["verification"], eve[path].as_array().unwrap().len()), (&Value::Null, 1));
        assert_eq!(user(&server, &ada).await[path][0], of_ada);
    }
    // The last thing by which somebody is found stays.
    let body = json!({"email_address": ["only@example.com"], "password": PASSWORD});
    let only = server.backend("POST", "/v1/users", Some(body)).await.expect(200)["email_addresses"][0]["id"].clone();
    let at = format!("/v1/email_addresses/{}", only.as_str().unwrap());
    server.backend("DELETE", &at, None).await.refused(422, "form_data_missing", "email_id");
    server.backend("PATCH", &at, Some(json!({"verified": false}))).await.refused(422, "form_data_missing", "email_id");
}

#[tokio::test]
async fn fault_134_an_identifier_is_proven_for_one_user_however_many_ask_for_it() {
    let server = server().await;
    for (kind, (path, field, values)) in KINDS.into_iter().enumerate() {
        let mut users = Vec::new();
        for n in 0..100 {
            users.push(nameless(&server, &format!("ada_{kind}_{n}")).await);
        }
        let all = users.iter().map(|id| {
            let body = json!({"user_id": id, field: values[0], "verified": true});
            let (server, path) = (&server, format!("/v1/{path}"));
            async move { server.backend("POST", &path, Some(body)).await }
        });
        let answers = futures_util::future::join_all(all).await;
        assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
        answers.iter().filter(|it| it.status != 200).for_each(|it| it.refused(422, "form_identifier_exists", field));
    }
}

#[tokio::test]
async fn one_identifier_takes_the_place_of_all() {
    let server = server().await;
    for (kind, (path, field, values)) in KINDS.into_iter().enumerate() {
        let id = nameless(&server, &format!("ada_{kind}")).await;
        let first = add(&server, kind, &id, values[0], json!({"verified": true})).await;
        add(&server, kind, &id, values[1], json!({"verified": true})).await;
        let put = async |body: Value| server.backend("PUT", &format!("/v1/users/{id}/{field}"), Some(body)).await;
        put(json!({field: values[2], "identification_status": "wrong"})).await.refused(
            422,
            "form_param_value_invalid",
            "identification_status",
        );
        let only = put(json!({field: values[2]})).await.expect(200).clone();
        assert_eq!((&only[field], &only["verification"]["strategy"]), (&json!(values[2]), &json!("admin")));
        let ada = user(&server, &id).await;
        assert_eq!((&ada[path], &ada[format!("primary_{field}_id")]), (&json!([only]), &only["id"]));
        assert_eq!(server.backend("GET", &format!("/v1/{path}/{}", first["id"].as_str().unwrap()), None).await.status, 404);
        let kept = put(json!({field: values[2], "identification_status": "reserved"})).await.expect(200).clone();
        assert_eq!((&kept["id"], &kept["reserved"]), (&only["id"], &json!(true)), "the same one keeps its id");
        let named = put(json!({field: values[2], "identification_status": "unverified"})).await.expect(200).clone();
        assert_eq!((&named["id"], &named["reserved"]), (&only["id"], &json!(false)), "and whatever becomes of it");
        put(json!({field: values[0], "identification_status": "unverified"})).await.expect(200);
        assert_eq!(user(&server, &id).await[path].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_address_from_before_is_told_when_asked_for() {
    let server = server().await;
    let id = nameless(&server, "ada_l").await;
    add(&server, 0, &id, "old@example.com", json!({"verified": true})).await;
    add(&server, 0, &id, "silent@example.com", json!({"verified": true, "primary": true})).await;
    assert!(server.outbox().await.is_empty());
    let loud = json!({"verified": true, "primary": true, "notify_primary_email_address_changed": true});
    add(&server, 0, &id, "new@example.com", loud).await;
    let told: Vec<String> = server.outbox().await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(told, ["silent@example.com"]);
    server.advance(Duration::from_secs(1));
    let body = json!({"email_address": "last@example.com", "notify_primary_email_address_changed": true});
    server.backend("PUT", &format!("/v1/users/{id}/email_address"), Some(body)).await.expect(200);
    assert_eq!(server.outbox().await.last().unwrap().to, "new@example.com");
}

#[tokio::test]
async fn a_server_has_an_identifier_proven_by_a_code() {
    let server = server().await;
    for (kind, (path, _, values)) in KINDS.into_iter().enumerate() {
        let id = nameless(&server, &format!("ada_{kind}")).await;
        let added = add(&server, kind, &id, values[0], json!({})).await;
        let at = format!("/v1/{path}/{}", added["id"].as_str().unwrap());
        let sent = server.backend("POST", &format!("{at}/prepare_verification"), None).await.expect(200).clone();
        assert_eq!((&sent["status"], &sent["attempts"]), (&json!("unverified"), &json!(0)));
        assert_eq!(sent["channel"], if kind == 1 { json!("sms") } else { Value::Null });
        let attempt = async |code: &str| {
            let body = json!({"verification_id": sent["id"], "code": code});
            server.backend("POST", &format!("{at}/attempt_verification"), Some(body)).await
        };
        let code = server.code_for(values[0]).await;
        let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
        let tried = attempt(&wrong).await.expect(200).clone();
        assert_eq!((&tried["status"], &tried["attempts"]), (&json!("unverified"), &json!(1)), "a wrong code shows in the status");
        server.advance(Duration::from_secs(1));
        assert_eq!(attempt(&code).await.expect(200)["status"], "verified");
        assert_eq!(user(&server, &id).await["updated_at"], server.app.clock.now());
        attempt(&code).await.refused(400, "verification_already_verified", "");
        let proven = server.backend("GET", &at, None).await.expect(200).clone();
        assert_eq!((&proven["verification"]["status"], &proven["reserved"]), (&json!("verified"), &json!(false)));

        let late = server.backend("POST", &format!("{at}/prepare_verification"), None).await.expect(200)["id"].clone();
        server.advance(Duration::from_secs(601));
        let body = json!({"verification_id": late, "code": server.code_for(values[0]).await});
        let answer = server.backend("POST", &format!("{at}/attempt_verification"), Some(body)).await;
        assert_eq!(answer.expect(200)["status"], "expired");
        let body = json!({"verification_id": "ver_unknown", "code": "123456"});
        server.backend("POST", &format!("{at}/attempt_verification"), Some(body)).await.refused(400, "verification_missing", "");
    }
}

#[tokio::test]
async fn a_number_becomes_a_second_factor_only_when_it_is_proven() {
    let server = server().await;
    let id = nameless(&server, "ada_l").await;
    let body = json!({"user_id": id, "phone_number": NUMBERS[0], "reserved_for_second_factor": true});
    let answer = server.backend("POST", "/v1/phone_numbers", Some(body)).await;
    answer.refused(400, "identification_create_second_factor_unverified", "");
    let first = add(&server, 1, &id, NUMBERS[0], json!({})).await;
    let at = format!("/v1/phone_numbers/{}", first["id"].as_str().unwrap());
    let second = Some(json!({"reserved_for_second_factor": true}));
    server.backend("PATCH", &at, second.clone()).await.refused(400, "identification_update_second_factor_unverified", "");
    let both = Some(json!({"verified": true, "reserved_for_second_factor": true}));
    let changed = server.backend("PATCH", &at, both).await.expect(200).clone();
    assert_eq!((&changed["reserved_for_second_factor"], &changed["default_second_factor"]), (&json!(true), &json!(true)));
    let ada = user(&server, &id).await;
    assert_eq!((&ada["two_factor_enabled"], &ada["primary_phone_number_id"]), (&json!(true), &Value::Null));
    let other = add(&server, 1, &id, NUMBERS[1], json!({"verified": true, "reserved_for_second_factor": true})).await;
    assert_eq!(other["default_second_factor"], false, "the first one is asked first");
    // One number in the place of both ends the second factor.
    server.backend("PUT", &format!("/v1/users/{id}/phone_number"), Some(json!({"phone_number": NUMBERS[0]}))).await.expect(200);
    let ada = user(&server, &id).await;
    assert_eq!((&ada["two_factor_enabled"], ada["phone_numbers"].as_array().unwrap().len()), (&json!(false), 1));
    assert!(ada["mfa_disabled_at"].is_i64());
}

#[tokio::test]
async fn users_are_listed_in_the_order_of_their_numbers() {
    let server = server().await;
    let mut users = Vec::new();
    for n in [1, 0, 2] {
        let id = nameless(&server, &format!("ada_{n}")).await;
        add(&server, 1, &id, NUMBERS[n], json!({"verified": true})).await;
        users.push(id);
    }
    let listed = async |order: &str| {
        let list = server.backend("GET", &format!("/v1/users?order_by={order}"), None).await.expect(200).clone();
        list.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("phone_number").await, [users[1].as_str(), &users[0], &users[2]]);
    assert_eq!(listed("-phone_number").await, [users[2].as_str(), &users[0], &users[1]]);
}
