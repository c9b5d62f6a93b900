//! Templates of tokens for other services: managed by servers, used by browsers and servers.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::settings::JwtTemplate;
use doorward_testkit::{Answer, START, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const PASSWORD: &str = "correct horse";
const AT: &str = "/v1/jwt_templates";

async fn create(server: &TestServer, body: Value) -> Answer {
    server.backend("POST", AT, Some(body)).await
}

/// The header and the claims of a token.
fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| B64.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

/// Ada, signed in, and how to mint for her.
async fn ada(server: &TestServer) -> (String, doorward_testkit::Browser, String) {
    let user = server.user("ada@example.com", PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = browser.session_id().await.unwrap();
    (user, browser, session)
}

#[tokio::test]
async fn a_template_is_made_read_changed_used_and_removed() {
    let server = TestServer::start().await;
    let (user, mut browser, session) = ada(&server).await;
    let metadata = json!({"public_metadata": {"plan": {"name": "gold", "seats": 3}}, "private_metadata": {"secret": "no"}});
    server.backend("PATCH", &format!("/v1/users/{user}/metadata"), Some(metadata)).await.expect(200);
    let claims = json!({
        "aud": "hasura", "plan": "{{user.public_metadata.plan}}", "seats": "{{user.public_metadata.plan.seats}}",
        "who": "{{user.first_name}} <{{user.primary_email_address}}>", "verified": "{{user.email_verified}}",
        "nick": "{{user.username || user.external_id || 'nobody'}}", "nested": {"list": ["{{user.id}}", 7, null]},
        "secret": "{{user.private_metadata.secret}}", "org": "{{org.id}}", "org_name": "{{org.name || 'none'}}",
        "org_id": "{{org.id}}", "org_role": "{{org.role}}", "org_slug": "{{org.slug}}", "org_permissions": "{{org_membership.permissions}}",
        "hello": "Hi {{user.last_name}}", "two_factor": "{{user.two_factor_enabled || 'no'}}",
    });
    let made = create(&server, json!({"name": "hasura", "claims": claims})).await.expect(200).clone();
    assert_eq!((&made["object"], &made["name"], &made["claims"]), (&json!("jwt_template"), &json!("hasura"), &claims));
    assert_eq!((&made["lifetime"], &made["allowed_clock_skew"]), (&json!(60), &json!(5)));
    assert_eq!((&made["custom_signing_key"], &made["signing_algorithm"]), (&json!(false), &json!("RS256")));
    assert_eq!((&made["created_at"], &made["updated_at"]), (&json!(START), &json!(START)));
    let at = format!("{AT}/{}", made["id"].as_str().unwrap());
    assert_eq!(server.backend("GET", &at, None).await.expect(200), &made);
    assert_eq!(server.backend("GET", AT, None).await.expect(200), &json!([made]));
    let page = server.backend("GET", &format!("{AT}?paginated=true&offset=1"), None).await;
    assert_eq!(page.expect(200), &json!({"data": [], "total_count": 1}));

    let expected = json!({
        "aud": "hasura", "plan": {"name": "gold", "seats": 3}, "seats": 3, "who": "Ada <ada@example.com>", "verified": true,
        "nick": "nobody", "nested": {"list": [user, 7, null]}, "secret": null, "org": null, "org_name": "none",
        "org_id": null, "org_role": null, "org_slug": null, "org_permissions": null, "hello": "Hi null", "two_factor": "no",
    });
    let by_browser = browser.post(&format!("/v1/client/sessions/{session}/tokens/hasura"), &[]).await;
    let by_server =
        server.backend("POST", &format!("/v1/sessions/{session}/tokens/hasura"), Some(json!({"expires_in_seconds": 900}))).await;
    for (answer, lifetime) in [(by_browser, 60), (by_server, 900)] {
        let (header, mut got) = read(answer.expect(200)["jwt"].as_str().unwrap());
        assert_eq!((&header["alg"], &header["cat"]), (&json!("RS256"), &json!("cl_B7d4PD222AAA")));
        let (now, claims) = (START / 1000, got.as_object_mut().unwrap());
        let own = ["exp", "iat", "nbf", "sub"].map(|name| claims.remove(name).unwrap());
        assert_eq!(own, [json!(now + lifetime), json!(now), json!(now - 5), json!(user)]);
        for name in ["iss", "jti", "azp"] {
            claims.remove(name);
        }
        assert_eq!(got, expected);
    }

    server.advance(Duration::from_secs(1));
    let change = json!({"name": "renamed", "claims": {}, "lifetime": 30, "allowed_clock_skew": 0});
    let changed = server.backend("PATCH", &at, Some(change)).await.expect(200).clone();
    assert_eq!((&changed["id"], &changed["created_at"]), (&made["id"], &made["created_at"]), "the id is the same under another name");
    assert_eq!((&changed["name"], &changed["lifetime"], &changed["updated_at"]), (&json!("renamed"), &json!(30), &json!(START + 1000)));
    assert_eq!(browser.post(&format!("/v1/client/sessions/{session}/tokens/hasura"), &[]).await.status, 404);
    browser.post(&format!("/v1/client/sessions/{session}/tokens/renamed"), &[]).await.expect(200);
    let gone = json!({"object": "jwt_template", "id": made["id"], "deleted": true});
    assert_eq!(server.backend("DELETE", &at, None).await.expect(200), &gone);
    for method in ["GET", "DELETE", "PATCH"] {
        assert_eq!(server.backend(method, &at, (method == "PATCH").then(|| json!({}))).await.status, 404);
    }
    assert_eq!(browser.post(&format!("/v1/client/sessions/{session}/tokens/renamed"), &[]).await.status, 404);
}

#[tokio::test]
async fn fault_010_a_template_cannot_speak_as_somebody_else() {
    let server = TestServer::start().await;
    for name in ["azp", "exp", "iat", "iss", "jti", "nbf", "sub", "sid", "v", "pla", "fea"] {
        create(&server, json!({"name": name, "claims": {name: "x"}})).await.refused(400, "jwt_template_reserved_claim", "claims");
    }
}

#[tokio::test]
async fn what_is_not_valid_is_refused_by_name() {
    let server = TestServer::start().await;
    create(&server, json!({"name": "taken", "claims": {}})).await.expect(200);
    let long = "k".repeat(64);
    for (change, status, code, param) in [
        (json!({"name": ""}), 422, "form_param_missing", "name"),
        (json!({"claims": null}), 422, "form_param_missing", "claims"),
        (json!({"claims": [1]}), 422, "form_param_type_invalid", "claims"),
        (json!({"name": "a/b"}), 422, "form_param_format_invalid", "name"),
        (json!({"name": "n".repeat(65)}), 422, "form_param_max_length_exceeded", "name"),
        (json!({"name": "taken"}), 422, "form_already_exists", "name"),
        (json!({"claims": {"sub": "x"}}), 400, "jwt_template_reserved_claim", "claims"),
        (json!({"claims": {"iss": "x"}}), 400, "jwt_template_reserved_claim", "claims"),
        (json!({"claims": {"x": "y".repeat(9000)}}), 422, "form_param_exceeds_allowed_size", "claims"),
        (json!({"lifetime": 29}), 422, "form_param_value_invalid", "lifetime"),
        (json!({"lifetime": 315_360_001}), 422, "form_param_value_invalid", "lifetime"),
        (json!({"allowed_clock_skew": 301}), 422, "form_param_value_invalid", "allowed_clock_skew"),
        (json!({"allowed_clock_skew": -1}), 422, "form_param_value_invalid", "allowed_clock_skew"),
        (json!({"custom_signing_key": true}), 422, "form_conditional_param_missing", "signing_algorithm"),
        (json!({"custom_signing_key": true, "signing_algorithm": "HS256"}), 422, "form_conditional_param_missing", "signing_key"),
        (
            json!({"custom_signing_key": true, "signing_algorithm": "none", "signing_key": long}),
            422,
            "form_param_value_invalid",
            "signing_algorithm",
        ),
        (
            json!({"custom_signing_key": true, "signing_algorithm": "HS256", "signing_key": "short"}),
            422,
            "form_param_value_invalid",
            "signing_key",
        ),
        (
            json!({"custom_signing_key": true, "signing_algorithm": "RS256", "signing_key": long}),
            422,
            "form_param_value_invalid",
            "signing_key",
        ),
        (json!({"signing_key": long}), 422, "form_conditional_param_disallowed", "signing_key"),
    ] {
        let mut body = json!({"name": "new", "claims": {}});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = create(&server, body).await;
        answer.refused(status, code, param);
        assert!(!answer.text.contains(&long), "a key is not repeated: {}", answer.text);
    }
    assert_eq!(server.backend("GET", AT, None).await.expect(200).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_of_the_template_s_own_signs_and_is_never_shown() {
    let server = TestServer::start().await;
    let (_, mut browser, session) = ada(&server).await;
    let secret = "jwt-template-secret-0123456789abcdefgh";
    let body = json!({"name": "own", "claims": {"a": 1}, "custom_signing_key": true, "signing_algorithm": "HS256", "signing_key": secret});
    let made = create(&server, body).await;
    assert_eq!((&made.expect(200)["custom_signing_key"], &made.json["signing_algorithm"]), (&json!(true), &json!("HS256")));
    let at = format!("{AT}/{}", made.json["id"].as_str().unwrap());
    let mut mint = async || {
        browser.post(&format!("/v1/client/sessions/{session}/tokens/own"), &[]).await.expect(200)["jwt"].as_str().unwrap().to_owned()
    };
    let holds = |token: &str| {
        let (signed, tag) = token.rsplit_once('.').unwrap();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes(), &B64.decode(tag).unwrap()).is_ok()
    };
    let token = mint().await;
    assert!(holds(&token));
    assert_eq!(read(&token).0, json!({"alg": "HS256", "cat": "cl_B7d4PD222AAA", "typ": "JWT"}));
    server.advance(Duration::from_secs(1));
    server.backend("PATCH", &at, Some(json!({"claims": {"a": 2}}))).await.expect(200);
    let token = mint().await;
    assert!(holds(&token) && read(&token).1["a"] == 2, "the key stays when something else changes");
    let other = json!({"custom_signing_key": true, "signing_algorithm": "HS512"});
    server.backend("PATCH", &at, Some(other)).await.refused(422, "form_conditional_param_missing", "signing_key");
    for answer in [&made, &server.backend("GET", &at, None).await, &server.backend("GET", AT, None).await] {
        assert!(!answer.text.contains(secret));
    }
    let kept = doorward_store::instances::get(&server.app.db, &server.instance.id).await.unwrap().unwrap().settings;
    assert!(!kept.contains(secret), "the key is sealed");
    doorward_testkit::canary(&[secret]);

    // What cannot be opened signs nothing, and no other key takes its place.
    let broken = kept.replace("\"signing_key\":\"", "\"signing_key\":\"x");
    let row = doorward_store::instances::get(&server.app.db, &server.instance.id).await.unwrap().unwrap();
    let mut tx = server.app.db.begin().await.unwrap();
    let written = doorward_store::instances::update_settings(&mut tx, &row.id, &broken, row.updated_at, START + 9_000).await.unwrap();
    tx.commit().await.unwrap();
    server.app.instances.clear();
    let answer = browser.post(&format!("/v1/client/sessions/{session}/tokens/own"), &[]).await;
    assert_eq!((written, answer.status), (true, 500), "{}", answer.text);
    server.backend("PATCH", &at, Some(json!({"custom_signing_key": false}))).await.expect(200);
    let token = browser.post(&format!("/v1/client/sessions/{session}/tokens/own"), &[]).await.expect(200)["jwt"].clone();
    assert_eq!(read(token.as_str().unwrap()).0["alg"], "RS256");
}

#[tokio::test]
async fn a_template_of_the_settings_has_an_id_that_stays() {
    let server = TestServer::with_settings(|s| {
        s.jwt_templates.insert("by_hand".to_owned(), JwtTemplate { lifetime: 300, ..JwtTemplate::default() });
    })
    .await;
    let listed = server.backend("GET", AT, None).await.expect(200)[0].clone();
    assert_eq!((&listed["name"], &listed["lifetime"]), (&json!("by_hand"), &json!(300)));
    let at = format!("{AT}/{}", listed["id"].as_str().unwrap());
    let changed = server.backend("PATCH", &at, Some(json!({"name": "renamed"}))).await.expect(200).clone();
    assert_eq!((&changed["id"], &changed["name"], &changed["lifetime"]), (&listed["id"], &json!("renamed"), &json!(300)));
    assert_eq!(server.backend("GET", &at, None).await.expect(200), &changed);
}

#[tokio::test]
async fn templates_that_are_made_at_the_same_time_are_all_kept() {
    let server = TestServer::start().await;
    let all = (0..4).map(|n| create(&server, json!({"name": format!("t{n}"), "claims": {}})));
    let made = futures_util::future::join_all(all).await;
    let kept = server.backend("GET", AT, None).await.expect(200).as_array().unwrap().len();
    assert_eq!(made.iter().filter(|it| it.status == 200).count(), kept);
    assert!(made.iter().all(|it| it.status == 200 || it.code() == "conflict"));
    let twice = (0..10).map(|_| create(&server, json!({"name": "once", "claims": {}})));
    let made = futures_util::future::join_all(twice).await;
    assert_eq!(made.iter().filter(|it| it.status == 200).count(), 1);
}
