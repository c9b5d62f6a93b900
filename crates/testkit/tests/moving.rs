//! Users and whole instances move in and out.
#![allow(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::*;
use doorward_core::moving::{self, Import, Imported};
use doorward_core::users::{self, ImportedUser, Outcome};
use doorward_core::webhooks::{self, EndpointChange};
use doorward_core::{Scope, instance};
use doorward_store::Sql;
use doorward_store::db::Value as Bound;
use doorward_store::moving::{Kind, MOVED, columns};
use doorward_testkit::{Browser, Options, START, TestServer};
use serde_json::{Value, json};
use totp_rs::{Algorithm, TOTP};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const KEY: &str = "jwt-template-secret-0123456789abcdefgh";
/// A digest of `U*U` from the vectors of another implementation.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn code(server: &TestServer) -> String {
    let bytes = totp_rs::Secret::Encoded(SECRET.to_owned()).to_bytes().unwrap();
    let app = TOTP::new(Algorithm::SHA1, 6, 0, 30, bytes, None, EMAIL.to_owned()).unwrap();
    app.generate(u64::try_from(server.app.clock.now() / 1000).unwrap())
}

/// A server with a template that has a key of its own, Ada with an authenticator app, Bob with backup codes and a picture.
async fn furnished() -> TestServer {
    let server = TestServer::with_settings(|settings| settings.attributes.username = doorward_core::settings::Presence::Optional).await;
    let template = json!({"name": "own", "claims": {"a": 1}, "custom_signing_key": true, "signing_algorithm": "HS256", "signing_key": KEY});
    server.backend("POST", "/v1/jwt_templates", Some(template)).await.expect(200);
    let ada = json!({
        "email_address": [EMAIL, "other@example.com"], "password": PASSWORD, "totp_secret": SECRET, "backup_codes": ["plain-code-1"],
        "username": "lovelace", "external_id": "x1", "public_metadata": {"a": "ü"}, "private_metadata": {"b": [1]},
    });
    server.backend("POST", "/v1/users", Some(ada)).await.expect(200);
    let bob = json!({
        "email_address": ["bob@example.com"], "password_digest": BCRYPT, "password_hasher": "bcrypt", "totp_secret": SECRET,
        "backup_codes": [BCRYPT],
    });
    let bob = server.backend("POST", "/v1/users", Some(bob)).await.expect(200)["id"].as_str().unwrap().to_owned();
    let text = "INSERT INTO images (instance_id, id, user_id, name, content_type, bytes, created_at) VALUES ($1, 'img_1', $2, 'a', 'image/png', $3, 5)";
    let picture = Sql::new(text).bind(&server.instance.id).bind(bob.as_str()).bind(Bound::Bytes((0..=255).collect()));
    server.app.db.exec(picture).await.unwrap();
    let hook = EndpointChange { url: Some("https://example.com/hook".to_owned()), ..EndpointChange::default() };
    webhooks::create(&scope(&server, &server.instance.id).await, hook).await.unwrap();
    server
}

/// The secret of the instance's one webhook endpoint.
async fn hook_secret(server: &TestServer, id: &InstanceId) -> String {
    let scope = scope(server, id).await;
    let endpoint = webhooks::list(&scope).await.unwrap().pop().unwrap();
    webhooks::reveal_secret(&scope, &endpoint.id).await.unwrap().expose().to_owned()
}

async fn exported(server: &TestServer, instance: &InstanceId) -> String {
    let mut file = Vec::new();
    let rows = moving::export(&server.app, instance, &mut file).await.unwrap();
    let text = String::from_utf8(file).unwrap();
    assert_eq!(text.lines().count() as u64, 2 + rows.values().sum::<u64>());
    text
}

async fn imported(server: &TestServer, file: &str) -> Result<Imported, String> {
    let mut lines = file.lines();
    let mut import = Import::begin(&server.app, lines.next().unwrap()).await?;
    for line in lines {
        import.line(line).await?;
    }
    import.finish().await
}

/// All users, as whoever has the secret key sees them.
async fn users_by(key: &Secret, server: &TestServer) -> Value {
    server.backend_as(key, "GET", "/v1/users?order_by=%2Bcreated_at", None).await.expect(200).clone()
}

async fn finish(browser: &mut Browser, half: &doorward_testkit::Answer, code: &str, strategy: &str) -> Value {
    assert_eq!(half.response()["status"], "needs_second_factor");
    let attempt = format!("/v1/client/sign_ins/{}/attempt_second_factor", half.response()["id"].as_str().unwrap());
    browser.post(&attempt, &[("strategy", strategy), ("code", code)]).await.response()["status"].clone()
}

#[tokio::test]
async fn an_instance_moves_to_another_master_key_and_database_and_back() {
    let source = furnished().await;
    let file = exported(&source, &source.instance.id).await;
    assert!(imported(&source, &file).await.unwrap_err().contains("here already"));
    let key = &source.instance.secret_key;
    let before = users_by(key, &source).await;
    let ada = before.as_array().unwrap().iter().position(|user| user["external_id"] == "x1").unwrap();
    assert_eq!(before[ada]["backup_code_enabled"], true);

    let target = TestServer::with(Options { master: [8; 32], sqlite: true, ..Options::default() }).await;
    let done = imported(&target, &file).await.unwrap();
    assert_eq!((&done.instance, done.rows["users"], done.rows["images"], done.backup_codes_lost), (&source.instance.id, 2, 1, 1));
    let mut expected = before.clone();
    expected[ada]["backup_code_enabled"] = json!(false);
    assert_eq!(users_by(key, &target).await, expected);

    let host = source.public.to_string();
    let mut ada = target.browser_on(&host);
    let keys = "/.well-known/jwks.json";
    assert_eq!(ada.get(keys).await.expect(200), source.browser().get(keys).await.expect(200));
    let half = ada.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(finish(&mut ada, &half, &code(&target), "totp").await, "complete");
    let session = ada.session_id().await.unwrap();
    let token = ada.post(&format!("/v1/client/sessions/{session}/tokens/own"), &[]).await.expect(200)["jwt"].as_str().unwrap().to_owned();
    let (signed, tag) = token.rsplit_once('.').unwrap();
    let own = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    assert!(hmac::verify(&own, signed.as_bytes(), &B64.decode(tag).unwrap()).is_ok(), "the template has its key");
    let mut bob = target.browser_on(&host);
    let half = bob.sign_in("bob@example.com", "U*U").await;
    assert_eq!(finish(&mut bob, &half, "U*U", "backup_code").await, "complete", "codes that came as hashes work on");

    let id = &source.instance.id;
    assert_eq!(hook_secret(&target, id).await, hook_secret(&source, id).await);
    let revealed = instance::reveal_secret_key(&target.app, &source.instance.id).await.unwrap().unwrap();
    assert_eq!(revealed.expose(), source.instance.secret_key.expose());
    let back = TestServer::with(Options { master: [9; 32], ..Options::default() }).await;
    imported(&back, &exported(&target, &source.instance.id).await).await.unwrap();
    assert_eq!(users_by(key, &back).await, users_by(key, &target).await);
    let picture = back.app.db.opt(Sql::new("SELECT bytes FROM images WHERE id = 'img_1'")).await.unwrap().unwrap();
    assert_eq!(picture.bytes("bytes").unwrap(), (0..=255).collect::<Vec<u8>>());
    let half = back.browser_on(&host).sign_in(EMAIL, PASSWORD).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
}

#[tokio::test]
async fn under_the_same_master_key_backup_codes_come_along() {
    let source = furnished().await;
    let target = TestServer::start().await;
    let done = imported(&target, &exported(&source, &source.instance.id).await).await.unwrap();
    assert_eq!(done.backup_codes_lost, 0);
    let mut ada = target.browser_on(&source.public.to_string());
    let half = ada.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(finish(&mut ada, &half, "plain-code-1", "backup_code").await, "complete");
}

#[tokio::test]
async fn an_import_that_is_cut_off_serves_nothing_and_is_begun_again() {
    let source = furnished().await;
    let file = exported(&source, &source.instance.id).await;
    let target = TestServer::with(Options { master: [8; 32], ..Options::default() }).await;
    let lines: Vec<&str> = file.lines().collect();
    for cut in 1..lines.len() {
        let refused = imported(&target, &lines[..cut].join("\n")).await.unwrap_err();
        assert!(refused.contains("cut off"), "{refused}");
        target.backend_as(&source.instance.secret_key, "GET", "/v1/users", None).await.expect(401);
        assert!(instance::by_id(&target.app, &source.instance.id).await.unwrap().is_none());
    }
    for (what, from, to) in [
        ("another instance", "\"instance_id\":\"ins_", "\"instance_id\":\"ins_x"),
        ("is no column here", "\"first_name\":", "\"fist_name\":1,\"first_name\":"),
        ("is missing", "\"first_name\":null,", ""),
        ("is no table that moves", "\"table\":\"users\"", "\"table\":\"sessions\""),
        ("not the one that the end names", "\"users\":2", "\"users\":3"),
        ("not a line of an export", "{\"row\":", "{\"raw\":"),
        ("run the same version", "\"schema\":", "\"schema\":9"),
        ("the file's format", "doorward-instance-1", "doorward-instance-2"),
    ] {
        let broken = file.replacen(from, to, 1);
        assert_ne!(broken, file, "{what}");
        let refused = imported(&target, &broken).await.unwrap_err();
        assert!(refused.contains(what) && !refused.contains(PASSWORD) && !refused.contains(KEY), "{refused}");
    }
    assert_eq!(imported(&target, &file).await.unwrap().rows["users"], 2);
    for (table, count) in [("users", 2), ("email_addresses", 3), ("totps", 2)] {
        let text = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table}");
        assert_eq!(target.app.db.opt(Sql::new(text)).await.unwrap().unwrap().int("n").unwrap(), count, "{table}");
    }
}

/// Columns that look sealed and are not known to be would come along as they are, and open nowhere.
#[tokio::test]
async fn every_sealed_column_is_sealed_anew() {
    let server = TestServer::start().await;
    for table in MOVED {
        for column in columns(&server.app.db, table.name).await.unwrap() {
            let looks = column.kind == Kind::Text && ["sealed", "secret", "tokens"].iter().any(|word| column.name.contains(word));
            assert_eq!(looks, moving::is_sealed(table.name, &column.name), "{}.{}", table.name, column.name);
        }
    }
}

async fn scope(server: &TestServer, id: &InstanceId) -> Scope {
    let instance = instance::by_id(&server.app, id).await.unwrap().unwrap();
    Scope { app: server.app.clone(), instance, now: server.app.clock.now() }
}

fn row(value: Value) -> ImportedUser {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn users_go_out_and_in_with_ids_passwords_and_second_factors() {
    let server = furnished().await;
    let other = server.another_instance("other.localhost").await;
    let (from, to) = (scope(&server, &server.instance.id).await, scope(&server, &other.id).await);
    let all = users::export_page(&from, None, 10, true).await.unwrap();
    assert_eq!(all.len(), 2);
    let bare = users::export_page(&from, None, 10, false).await.unwrap();
    assert!(bare.iter().all(|user| !user.contains_key("totp_secret")));
    let first: UserId = all[0]["id"].as_str().unwrap().into();
    assert_eq!(users::export_page(&from, Some(&first), 10, true).await.unwrap(), all[1..]);
    let rows: Vec<ImportedUser> = all.into_iter().map(|user| row(Value::Object(user))).collect();
    for round in 0..2 {
        let outcomes = users::import(&to, &rows).await.unwrap();
        assert!(
            outcomes.iter().all(|it| if round == 0 { matches!(it, Outcome::Added) } else { matches!(it, Outcome::Present) }),
            "{outcomes:?}"
        );
    }
    let before = server.backend("GET", "/v1/users?order_by=%2Bcreated_at", None).await;
    let after = server.backend_as(&other.secret_key, "GET", "/v1/users?order_by=%2Bcreated_at", None).await;
    for n in 0..2 {
        for same in ["id", "external_id", "username", "primary_email_address_id", "email_addresses", "public_metadata", "private_metadata"]
        {
            let strip = |value: &Value| {
                let mut value = value.clone();
                for email in value.as_array_mut().into_iter().flatten() {
                    email["verification"]["expire_at"] = Value::Null;
                }
                value
            };
            assert_eq!(strip(&before.json[n][same]), strip(&after.json[n][same]), "{same}");
        }
        for same in ["created_at", "password_enabled", "totp_enabled", "two_factor_enabled"] {
            assert_eq!(before.json[n][same], after.json[n][same], "{same}");
        }
    }
    for (email, password) in [(EMAIL, PASSWORD), ("bob@example.com", "U*U")] {
        let mut browser = server.browser_on("other.localhost");
        let half = browser.sign_in(email, password).await;
        assert_eq!(finish(&mut browser, &half, &code(&server), "totp").await, "complete");
    }
}

#[tokio::test]
async fn of_a_bad_row_nothing_is_written_and_the_parameter_is_named() {
    let server = TestServer::start().await;
    let scope = scope(&server, &server.instance.id).await;
    let email = |address: &str| json!([{"email_address": address, "verification": {"status": "verified", "strategy": "email_code"}}]);
    let good = json!({"id": "user_good", "email_addresses": email(EMAIL), "created_at": 5, "password_digest": BCRYPT, "password_hasher": "bcrypt"});
    assert!(matches!(users::import(&scope, &[row(good.clone())]).await.unwrap()[..], [Outcome::Added]));
    let bad = [
        (json!({"id": "auth0|1"}), "id"),
        (json!({"id": "user_"}), "id"),
        (json!({"email_addresses": email("nobody")}), "email_addresses[0]"),
        (json!({"email_addresses": [{"id": "user_1", "email_address": "b@example.com"}]}), "email_addresses[0].id"),
        (json!({"email_addresses": [{"email_address": "b@example.com"}, {"email_address": "B@example.com"}]}), "email_addresses[1]"),
        (json!({"email_addresses": []}), "email_addresses"),
        (json!({"email_addresses": email("ADA@example.com")}), "email_addresses"),
        (json!({"phone_numbers": [{"phone_number": "12"}]}), "phone_numbers[0]"),
        (json!({"web3_wallets": [{"web3_wallet": "0x12"}]}), "web3_wallets[0]"),
        (json!({"created_at": START + 60_001}), "created_at"),
        (json!({"password_hasher": "rot13"}), "password_hasher"),
        (json!({"password_digest": "$2a$15$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}), "password_digest"),
        (json!({"password_digest": null}), "password_digest"),
        (json!({"totp_secret": "!"}), "totp_secret"),
        (json!({"backup_codes": ["x"]}), "backup_codes"),
        (json!({"first_name": "a\nb"}), "first_name"),
        (json!({"private_metadata": {"x": "y".repeat(9000)}}), "private_metadata"),
    ];
    let mut rows = Vec::new();
    for (n, (change, _)) in bad.iter().enumerate() {
        let mut it = good.clone();
        it["id"] = json!(format!("user_bad{n}"));
        it["email_addresses"] = email(&format!("bad{n}@example.com"));
        for (name, value) in change.as_object().unwrap() {
            it[name] = value.clone();
        }
        rows.push(row(it));
        rows.push(row(json!({"id": format!("user_more{n}"), "email_addresses": email(&format!("more{n}@example.com"))})));
    }
    let outcomes = users::import(&scope, &rows).await.unwrap();
    for (outcomes, (change, param)) in outcomes.chunks(2).zip(&bad) {
        let Outcome::Refused(error) = &outcomes[0] else { unreachable!("{change}: {:?}", outcomes[0]) };
        assert_eq!(error.meta().param_name.as_deref(), Some(*param), "{change}");
        assert!(matches!(outcomes[1], Outcome::Added), "the rows beside it are taken");
    }
    for (table, count) in [("users", 18), ("email_addresses", 18)] {
        let text = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table}");
        assert_eq!(server.app.db.opt(Sql::new(text)).await.unwrap().unwrap().int("n").unwrap(), count, "{table}");
    }
    let nameless = row(json!({"email_addresses": email(EMAIL)}));
    assert!(matches!(users::import(&scope, &[nameless]).await.unwrap()[..], [Outcome::Present]), "known by the address");
}
