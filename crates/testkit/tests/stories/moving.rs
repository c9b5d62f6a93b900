//! Users and whole instances move in and out.

use super::authenticator_app;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::*;
use doorward_core::moving::{self, Import, Imported};
use doorward_core::oauth::OAuthConnection;
use doorward_core::settings::{Presence, Settings};
use doorward_core::users::{self, ImportedUser, Outcome};
use doorward_core::webhooks::{self, EndpointChange};
use doorward_core::{Scope, instance};
use doorward_store::Sql;
use doorward_store::db::Value as Bound;
use doorward_store::moving::{Kind, MOVED, columns};
use doorward_testkit::social::{ACME, CALLBACK, acme, acme_with, ada, connection, user_id, visit};
use doorward_testkit::{Browser, CLIENT_SECRET, Options, Provider, START, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const KEY: &str = "jwt-template-secret-0123456789abcdefgh";
/// A digest of `U*U` from the vectors of another implementation.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

fn code(server: &TestServer) -> String {
    authenticator_app::code(&authenticator_app::app(SECRET), server)
}

/// A server with a template that has a key of its own, Ada with an authenticator app, Bob with backup codes and a picture.
async fn furnished() -> TestServer {
    let server = TestServer::with_settings(|settings| settings.attributes.username = Presence::Optional).await;
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
    let all = users::export_page(&from, None, 10, true).await.unwrap().0;
    assert_eq!(all.len(), 2);
    let bare = users::export_page(&from, None, 10, false).await.unwrap().0;
    assert!(bare.iter().all(|user| !user.contains_key("totp_secret")));
    let first: UserId = all[0]["id"].as_str().unwrap().into();
    assert_eq!(users::export_page(&from, Some(&first), 10, true).await.unwrap().0, all[1..]);
    let rows: Vec<ImportedUser> = all.into_iter().map(|user| row(Value::Object(user))).collect();
    for round in 0..2 {
        let outcomes = users::import(&to, &rows).await.unwrap();
        assert!(
            outcomes.iter().all(|it| if round == 0 { matches!(it, Outcome::Added(_)) } else { matches!(it, Outcome::Present) }),
            "{outcomes:?}"
        );
    }
    let before = server.backend("GET", "/v1/users?order_by=%2Bcreated_at", None).await;
    let after = server.backend_as(&other.secret_key, "GET", "/v1/users?order_by=%2Bcreated_at", None).await;
    for n in 0..2 {
        for same in ["id", "external_id", "username", "primary_email_address_id", "email_addresses", "public_metadata", "private_metadata"]
        {
            assert_eq!(before.json[n][same], after.json[n][same], "{same}");
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

fn all_identifiers(settings: &mut Settings) {
    (settings.attributes.username, settings.attributes.phone_number) = (Presence::Optional, Presence::Optional);
    settings.attributes.phone_second_factor = true;
}

/// A server some minutes later whose people sign in at the same provider.
async fn later_at(provider: &Provider) -> TestServer {
    let issuer = Some(provider.url());
    let server = TestServer::with_settings(|settings| {
        all_identifiers(settings);
        settings.oauth.insert("custom_acme".to_owned(), OAuthConnection { issuer, ..connection() });
    })
    .await;
    server.provider_secret("custom_acme", CLIENT_SECRET).await;
    server.advance(Duration::from_secs(4 * 60));
    server
}

/// What became of one row, which must have been added: what was passed over, as JSON.
async fn added(scope: &Scope, row: ImportedUser) -> Value {
    match users::import(scope, &[row]).await.unwrap().remove(0) {
        Outcome::Added(left) => json!(left),
        other => unreachable!("{other:?}"),
    }
}

/// A user as a server sees one, without what passes by itself and without addresses of pictures.
async fn seen(server: &TestServer, id: &str) -> Value {
    let mut user = server.backend("GET", &format!("/v1/users/{id}"), None).await.expect(200).clone();
    for passing in ["lockout_expires_in_seconds", "verification_attempts_remaining", "image_url", "profile_image_url"] {
        user.as_object_mut().unwrap().remove(passing);
    }
    user
}

#[tokio::test]
async fn whoever_signs_in_by_a_provider_goes_on_doing_so_and_nothing_that_is_seen_changes() {
    let (source, provider) = acme_with(all_identifiers).await;
    let mut browser = source.browser();
    assert_eq!(visit(&mut browser, &provider, "sign_ups", ACME).await, "/done");
    let ada = user_id(&mut browser).await.unwrap();
    source.advance(Duration::from_secs(60));
    let metadata = json!({"public_metadata": {"a": "ü"}, "private_metadata": {"b": [1]}});
    source.backend("PATCH", &format!("/v1/users/{ada}/metadata"), Some(metadata)).await.expect(200);
    let names = json!({"locale": "de-AT", "username": "lovelace"});
    source.backend("PATCH", &format!("/v1/users/{ada}"), Some(names)).await.expect(200);
    let bob = json!({
        "email_address": ["bob@example.com", "b@example.com"], "phone_number": ["+12015550123"], "totp_secret": SECRET,
        "backup_codes": [BCRYPT], "password_digest": BCRYPT, "password_hasher": "bcrypt", "external_id": "x1",
    });
    let made = source.backend("POST", "/v1/users", Some(bob)).await;
    let (bob, phone) = (made.json["id"].as_str().unwrap(), made.json["phone_numbers"][0]["id"].as_str().unwrap());
    let kept = json!({"reserved_for_second_factor": true});
    source.backend("PATCH", &format!("/v1/phone_numbers/{phone}"), Some(kept)).await.expect(200);
    source.backend("POST", &format!("/v1/users/{bob}/lock"), None).await.expect(200);
    let eve = json!({"email_address": ["eve@example.com"], "password": PASSWORD});
    let eve = source.backend("POST", "/v1/users", Some(eve)).await.expect(200)["id"].as_str().unwrap().to_owned();
    source.backend("POST", &format!("/v1/users/{eve}/password/set_compromised"), None).await.expect(200);

    let target = later_at(&provider).await;
    let (from, to) = (scope(&source, &source.instance.id).await, scope(&target, &target.instance.id).await);
    let (all, left) = users::export_page(&from, None, 10, true).await.unwrap();
    assert_eq!(json!(left), json!({"provider_tokens": 1}));
    for user in all {
        assert_eq!(added(&to, row(Value::Object(user))).await, json!({}));
    }
    for id in [&ada, bob, &eve] {
        assert_eq!(seen(&target, id).await, seen(&source, id).await);
    }
    let before = seen(&target, &ada).await;
    assert_eq!(
        (&before["external_accounts"][0]["provider"], &before["external_accounts"][0]["provider_user_id"]),
        (&json!(ACME), &json!("ada-1"))
    );
    assert_eq!(before["email_addresses"][0]["linked_to"][0]["id"], before["external_accounts"][0]["identification_id"]);
    assert_eq!(seen(&target, bob).await["locked"], true);

    let mut browser = target.browser();
    assert_eq!(visit(&mut browser, &provider, "sign_ins", ACME).await, "/done");
    assert_eq!(user_id(&mut browser).await.unwrap(), ada, "by the same account at the provider");
    let mut eve = target.browser();
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    let tasks = eve.get("/v1/client").await.response()["sessions"][0]["tasks"].clone();
    assert_eq!(tasks, json!([{"key": "reset-password"}]), "a password that others know is still known to them");
}

#[tokio::test]
async fn an_account_at_a_provider_comes_from_the_hosted_service_with_its_ids_and_metadata() {
    let (server, provider) = acme().await;
    let scope = scope(&server, &server.instance.id).await;
    let account = json!({
        "object": "external_account", "id": "eac_1", "provider": "oauth_custom_acme", "identification_id": "idn_7",
        "provider_user_id": "ada-1", "approved_scopes": "email  profile", "email_address": "ada@example.com", "first_name": "Ada",
        "last_name": null, "avatar_url": "https://img.example/a", "username": "lovelace", "public_metadata": {"tier": 1},
        "label": "work", "verification": {"status": "verified", "strategy": "oauth_custom_acme", "expire_at": START + 600_000},
        "created_at": 7, "updated_at": 8,
    });
    let by_key = json!({"id": "gac_1", "provider": "google", "provider_user_id": "117", "image_url": "javascript:alert(1)", "created_at": 9,
        "verification": {"status": "verified"}});
    let elsewhere = json!({"provider": "oauth_custom_other", "provider_user_id": "1", "verification": {"status": "verified"}});
    let ada = json!({"id": "user_ada", "external_accounts": [account, by_key, elsewhere], "created_at": 5});
    let expected = json!({"external_accounts": 1, "external_account_labels": 1, "external_account_pictures": 1});
    assert_eq!(added(&scope, row(ada)).await, expected);
    let user = seen(&server, "user_ada").await;
    let kept = &user["external_accounts"];
    let mut shown = account.clone();
    shown["approved_scopes"] = json!("email profile");
    shown["last_name"] = json!("");
    for (name, value) in shown.as_object().unwrap().iter().filter(|(name, _)| !["label", "verification"].contains(&name.as_str())) {
        assert_eq!(&kept[0][name], value, "{name}");
    }
    assert_eq!((&kept[0]["verification"]["status"], &kept[0]["verification"]["expire_at"]), (&json!("verified"), &json!(START)));
    assert!(kept[1]["provider"] == "oauth_google" && kept[1]["id"].as_str().unwrap().starts_with("eac_") && kept[1]["image_url"] == "");
    assert_eq!((kept.as_array().unwrap().len(), &user["updated_at"]), (2, &json!(5)));
    let mut browser = server.browser();
    assert_eq!(visit(&mut browser, &provider, "sign_ins", ACME).await, "/done", "whose only way in it is");
    assert_eq!(user_id(&mut browser).await.unwrap(), "user_ada");
}

/// Whoever registered with somebody's account at a provider, and never proved it, must not be who that somebody signs in as.
#[tokio::test]
async fn fault_045_an_account_at_a_provider_that_came_unproven_lets_nobody_in() {
    let (server, provider) = acme().await;
    let scope = scope(&server, &server.instance.id).await;
    let proofs = [
        json!(null),
        json!({"status": "unverified"}),
        json!({"status": "failed", "error": {"code": "x"}}),
        json!({"status": "transferable"}),
        json!({"status": "VERIFIED"}),
    ];
    for (n, proof) in proofs.iter().enumerate() {
        let account = json!({
            "provider": ACME, "provider_user_id": "ada-1", "email_address": "ada@example.com", "email_address_verified": true,
            "verification": proof, "issuer": provider.url(),
        });
        let email = json!([{"email_address": "ada@example.com", "linked_to": [{"type": ACME}]}]);
        let thief = json!({
            "id": format!("user_thief{n}"), "username": format!("thief{n}"), "email_addresses": email, "external_accounts": [account],
            "password_digest": BCRYPT, "password_hasher": "bcrypt",
        });
        assert_eq!(added(&scope, row(thief)).await, json!({}), "many may claim what nobody has proven");
        let user = seen(&server, &format!("user_thief{n}")).await;
        assert_ne!(user["external_accounts"][0]["verification"]["status"], "verified");
        assert_eq!(user["email_addresses"][0]["linked_to"], json!([]));
    }
    let alone = json!({"id": "user_alone", "external_accounts": [{"provider": ACME, "provider_user_id": "x"}]});
    assert!(matches!(&users::import(&scope, &[row(alone)]).await.unwrap()[..], [Outcome::Refused(_)]), "it is no way to be found");
    provider.account(ada());
    let mut browser = server.browser();
    assert_eq!(visit(&mut browser, &provider, "sign_ins", ACME).await, CALLBACK);
    assert_eq!(user_id(&mut browser).await, None);
    assert_eq!(visit(&mut browser, &provider, "sign_ups", ACME).await, "/done");
    assert!(!user_id(&mut browser).await.unwrap().starts_with("user_thief"), "she has an account of her own");
}

#[tokio::test]
async fn of_a_bad_row_nothing_is_written_and_the_parameter_is_named() {
    let server = TestServer::start().await;
    let scope = scope(&server, &server.instance.id).await;
    let email = |address: &str| json!([{"email_address": address, "verification": {"status": "verified", "strategy": "email_code"}}]);
    let good = json!({"id": "user_good", "email_addresses": email(EMAIL), "created_at": 5, "password_digest": BCRYPT, "password_hasher": "bcrypt"});
    let google = |subject: &str| json!({"provider": "oauth_google", "provider_user_id": subject, "verification": {"status": "verified"}});
    let with = |mut it: Value, name: &str, value: Value| {
        it[name] = value;
        it
    };
    let first = json!({"id": "user_first", "external_accounts": [google("taken")]});
    assert_eq!(added(&scope, row(first)).await, json!({}));
    assert!(matches!(users::import(&scope, &[row(good.clone())]).await.unwrap()[..], [Outcome::Added(_)]));
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
        (json!({"external_accounts": [google("1"), google("1")]}), "external_accounts[1]"),
        (json!({"external_accounts": [google("2"), google("taken")]}), "external_accounts[1]"),
        (json!({"external_accounts": [google("null")]}), "external_accounts[0].provider_user_id"),
        (json!({"external_accounts": [with(google("3"), "id", json!("eac_!"))]}), "external_accounts[0].id"),
        (json!({"external_accounts": [with(google("3"), "first_name", json!("a\nb"))]}), "external_accounts[0].first_name"),
        (
            json!({"external_accounts": [with(google("3"), "approved_scopes", json!("x".repeat(3000)))]}),
            "external_accounts[0].approved_scopes",
        ),
        (json!({"external_accounts": [with(google("3"), "created_at", json!(START + 60_001))]}), "external_accounts[0].created_at"),
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
        assert!(matches!(outcomes[1], Outcome::Added(_)), "the rows beside it are taken");
    }
    for (table, count) in [("users", 26), ("email_addresses", 25), ("external_accounts", 1)] {
        let text = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table}");
        assert_eq!(server.app.db.opt(Sql::new(text)).await.unwrap().unwrap().int("n").unwrap(), count, "{table}");
    }
    let nameless = row(json!({"email_addresses": email(EMAIL)}));
    assert!(matches!(users::import(&scope, &[nameless]).await.unwrap()[..], [Outcome::Present]), "known by the address");
    let mut nameless = json!({"external_accounts": [google("taken")]});
    assert!(matches!(users::import(&scope, &[row(nameless.clone())]).await.unwrap()[..], [Outcome::Present]), "known by the account");
    nameless["email_addresses"] = email("new@example.com");
    assert!(matches!(users::import(&scope, &[row(nameless)]).await.unwrap()[..], [Outcome::Refused(_)]), "somebody else's");
}

#[tokio::test]
async fn what_comes_twice_in_a_file_or_in_two_runs_is_added_once() {
    let server = TestServer::start().await;
    server.user("taken@example.com", PASSWORD).await;
    let scope = scope(&server, &server.instance.id).await;
    let proven = |email: &str| json!([{"email_address": email, "verification": {"status": "verified"}}]);
    let rows = [
        row(json!({"id": "user_1", "email_addresses": proven("taken@example.com")})),
        // The same one, put right.
        row(json!({"id": "user_1", "email_addresses": proven("ada@example.com")})),
        row(json!({"id": "user_1", "email_addresses": proven("ada@example.com")})),
        // Nothing would tell a second run that it is there.
        row(json!({"email_addresses": [{"email_address": "bob@example.com"}]})),
    ];
    let words = |outcomes: &[Outcome]| {
        outcomes
            .iter()
            .map(|it| match it {
                Outcome::Added(_) => "added".to_owned(),
                Outcome::Present => "present".to_owned(),
                Outcome::Refused(error) => error.meta().param_name.clone().unwrap(),
            })
            .collect::<Vec<_>>()
    };
    let first = users::import(&scope, &rows).await.unwrap();
    assert_eq!(words(&first), ["email_addresses", "added", "present", "external_id"]);
    let second = users::import(&scope, &rows).await.unwrap();
    assert_eq!(words(&second), ["present", "present", "present", "external_id"]);
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 2);
}
