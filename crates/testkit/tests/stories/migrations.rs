//! What is on disk: how it gets there, whose key opens it, what can be read in it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::{Clock, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::instance::{self, SIGNING_KEY_GRACE_MS};
use doorward_core::password::Passwords;
use doorward_core::{App, Instance};
use doorward_store::db::{DbOptions, Dialect};
use doorward_store::{Db, SCHEMA_VERSION, Sql, migrate, schema_version};
use doorward_testkit::{Answer, ORIGIN, START, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

const PASSWORD: &str = "correct horse";

/// An empty database that several servers can be started on.
struct Empty {
    url: String,
    _dir: tempfile::TempDir,
}

impl Empty {
    async fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        if std::env::var("DOORWARD_TEST_DATABASE").as_deref() != Ok("postgres") {
            return Self { url: format!("sqlite://{}/empty.db", dir.path().display()), _dir: dir };
        }
        let server = std::env::var("DOORWARD_TEST_POSTGRES_URL").unwrap();
        let schema = format!("m{}", Rng::system().alphanumeric(16).to_ascii_lowercase());
        let admin = connect(&server).await;
        admin.exec(Sql::new(format!("CREATE SCHEMA {schema}"))).await.unwrap();
        admin.close().await;
        let separator = if server.contains('?') { '&' } else { '?' };
        Self { url: format!("{server}{separator}options=-c%20search_path%3D{schema}"), _dir: dir }
    }

    async fn connect(&self) -> Db {
        connect(&self.url).await
    }
}

async fn connect(url: &str) -> Db {
    let connections = std::env::var("DOORWARD_TEST_CONNECTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let options = DbOptions { url: url.to_owned(), max_connections: connections, acquire_timeout: Duration::from_secs(30) };
    Db::connect(&options, &Rng::system()).await.unwrap()
}

/// Every table with its columns, in a fixed order.
async fn columns(db: &Db) -> Vec<(String, String)> {
    let text = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2"
        }
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c FROM information_schema.columns
             WHERE table_schema = current_schema() ORDER BY 1, 2"
        }
    };
    db.all(Sql::new(text)).await.unwrap().iter().map(|row| (row.text("t").unwrap(), row.text("c").unwrap())).collect()
}

#[tokio::test]
async fn fault_147_migrating_twice_does_nothing_the_second_time() {
    let empty = Empty::make().await;
    let db = empty.connect().await;
    assert_eq!(migrate(&db, START).await.unwrap(), SCHEMA_VERSION);
    let first = columns(&db).await;
    assert!(first.iter().any(|(table, column)| table == "users" && column == "password_hash"));
    assert_eq!(schema_version(&db).await.unwrap(), SCHEMA_VERSION);
    assert_eq!(migrate(&db, START + 1).await.unwrap(), 0);
    assert_eq!(columns(&db).await, first);
    let applied = db.all(Sql::new("SELECT version, applied_at FROM schema_migrations")).await.unwrap();
    assert_eq!(applied.len() as i64, SCHEMA_VERSION);
    assert!(applied.iter().all(|row| row.int("applied_at").unwrap() == START));
}

#[tokio::test]
async fn fault_147_servers_that_start_together_migrate_once() {
    for _ in 0..3 {
        let empty = Empty::make().await;
        let (a, b, c) = tokio::join!(empty.connect(), empty.connect(), empty.connect());
        let (x, y, z) = tokio::join!(migrate(&a, START), migrate(&b, START), migrate(&c, START));
        assert_eq!(x.unwrap() + y.unwrap() + z.unwrap(), SCHEMA_VERSION);
        assert_eq!(schema_version(&c).await.unwrap(), SCHEMA_VERSION);
    }
}

/// A table that stands in the way stands for whatever cuts a migration off: what it did before that is taken back.
#[tokio::test]
async fn fault_147_a_migration_that_is_cut_off_leaves_nothing_and_is_done_again() {
    let empty = Empty::make().await;
    let db = empty.connect().await;
    migrate(&db, START).await.unwrap();
    let whole = columns(&db).await;
    let tables: BTreeSet<&str> = whole.iter().map(|(table, _)| table.as_str()).filter(|it| *it != "schema_migrations").collect();
    for table in tables.iter().skip(3).step_by(7) {
        let empty = Empty::make().await;
        let db = empty.connect().await;
        db.exec(Sql::new(format!("CREATE TABLE {table} (in_the_way BIGINT)"))).await.unwrap();
        migrate(&db, START).await.unwrap_err();
        let before = columns(&db).await;
        let version = schema_version(&db).await.unwrap();
        assert!(version < SCHEMA_VERSION);
        migrate(&db, START).await.unwrap_err();
        assert_eq!((columns(&db).await, schema_version(&db).await.unwrap()), (before, version), "{table}");
        db.exec(Sql::new(format!("DROP TABLE {table}"))).await.unwrap();
        assert_eq!(migrate(&db, START).await.unwrap(), SCHEMA_VERSION - version);
        assert_eq!(columns(&db).await, whole, "{table}");
    }
}

#[tokio::test]
async fn fault_147_migrating_again_leaves_what_is_there() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let before = server.backend("GET", &format!("/v1/users/{user}"), None).await.json;
    assert_eq!(migrate(&server.app.db, START).await.unwrap(), 0);
    assert_eq!(server.backend("GET", &format!("/v1/users/{user}"), None).await.json, before);
    assert_eq!(ada.mint(&session).await.status, 200);
}

/// Signs Ada in, and mints.
async fn in_and_out(server: &TestServer) {
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    assert_eq!(ada.mint(&session).await.status, 200);
}

/// A node of the next version has been here, and this one goes on: columns that it does not know stay empty. On PostgreSQL it
/// was at work meanwhile; SQLite has one node, which stands still while it is replaced.
#[tokio::test]
async fn fault_148_this_build_serves_on_the_next_version_s_schema() {
    let server = TestServer::start().await;
    let db = &server.app.db;
    if db.dialect() == Dialect::Postgres {
        server.user("ada@example.com", PASSWORD).await;
        in_and_out(&server).await;
    }
    for text in [
        "ALTER TABLE users ADD COLUMN of_the_future TEXT",
        "ALTER TABLE sessions ADD COLUMN of_the_future BIGINT NOT NULL DEFAULT 0",
        "CREATE TABLE of_the_future (instance_id TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (instance_id, id))",
    ] {
        db.exec(Sql::new(text)).await.unwrap();
    }
    let applied = Sql::new("INSERT INTO schema_migrations (version, applied_at) VALUES ($1, $2)");
    db.exec(applied.bind(SCHEMA_VERSION + 1).bind(START)).await.unwrap();
    assert_eq!(migrate(db, START).await.unwrap(), 0, "it starts, and takes nothing back");
    assert_eq!(schema_version(db).await.unwrap(), SCHEMA_VERSION + 1);

    if db.dialect() == Dialect::Sqlite {
        server.user("ada@example.com", PASSWORD).await;
    }
    for _ in 0..10 {
        in_and_out(&server).await;
    }
    let user = server.user("bob@example.com", PASSWORD).await;
    let changed = server.backend("PATCH", &format!("/v1/users/{user}"), Some(json!({"first_name": "Bob"}))).await;
    assert_eq!(changed.expect(200)["first_name"], "Bob");
    assert_eq!(server.backend("DELETE", &format!("/v1/users/{user}"), None).await.status, 200);
}

fn app_with(db: Db, master: [u8; 32]) -> App {
    App {
        db,
        clock: Clock::frozen(START),
        rng: Rng::seeded(7),
        sealer: Sealer::new(&master).unwrap(),
        passwords: Passwords::new(1, 10),
        instances: Default::default(),
        outbound: std::sync::Arc::new(doorward_core::outbound::Nowhere),
        provider_documents: Default::default(),
        atlas: Default::default(),
        outbox: Arc::default(),
    }
}

#[tokio::test]
async fn fault_150_another_master_key_does_not_start_and_does_no_harm() {
    let server = TestServer::start().await;
    let (right, wrong) = (app_with(server.app.db.clone(), [7; 32]), app_with(server.app.db.clone(), [8; 32]));
    instance::claim_master_key(&right).await.unwrap();
    for refused in [instance::claim_master_key(&wrong).await, instance::check_master_key(&wrong).await] {
        let refused = refused.unwrap_err();
        assert!(refused.contains("master key"), "{refused}");
    }
    assert!(instance::reveal_secret_key(&wrong, &server.instance.id).await.is_err());
    assert!(instance::by_id(&wrong, &server.instance.id).await.is_err(), "nor are the signing keys opened");
    instance::check_master_key(&right).await.unwrap();
    let revealed = instance::reveal_secret_key(&right, &server.instance.id).await.unwrap().unwrap();
    assert_eq!(revealed.expose(), server.instance.secret_key.expose());
}

#[tokio::test]
async fn fault_150_of_two_first_starts_with_different_keys_one_wins() {
    let empty = Empty::make().await;
    let db = empty.connect().await;
    migrate(&db, START).await.unwrap();
    let (one, two) = (app_with(db.clone(), [1; 32]), app_with(db, [2; 32]));
    let (a, b) = tokio::join!(instance::claim_master_key(&one), instance::claim_master_key(&two));
    assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
}

fn header(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').next().unwrap()).unwrap()).unwrap()
}

fn kids(answer: &Answer) -> Vec<String> {
    answer.expect(200)["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Session token and refresh token of whoever is signed in.
async fn pair(server: &TestServer, browser: &mut doorward_testkit::Browser) -> (String, String) {
    let back = browser.get("/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce").await;
    let nonce = back.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
    let payload = server.backend("GET", &format!("/v1/clients/handshake_payload?nonce={nonce}"), None).await;
    let directives = payload.expect(200)["directives"].as_array().unwrap();
    let value = |prefix: &str| {
        let found = directives.iter().find_map(|d| d.as_str().unwrap().strip_prefix(prefix)).unwrap();
        found.split_once('=').unwrap().1.split(';').next().unwrap().to_owned()
    };
    (value("__session_"), value("__refresh_"))
}

#[tokio::test]
async fn fault_153_tokens_of_a_replaced_key_are_good_through_its_grace() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let (old_token, refresh) = pair(&server, &mut ada).await;
    let old_kid = header(&old_token)["kid"].as_str().unwrap().to_owned();
    assert_eq!(kids(&server.browser().get("/.well-known/jwks.json").await), [old_kid.as_str()]);

    let new_kid = instance::rotate_signing_key(&server.app, &server.instance.id).await.unwrap();
    assert_ne!(new_kid, old_kid);
    let minted = ada.mint(&session).await;
    assert_eq!(header(minted.expect(200)["jwt"].as_str().unwrap())["kid"], new_kid);
    for keys in [server.browser().get("/.well-known/jwks.json").await, server.backend("GET", "/v1/jwks", None).await] {
        assert_eq!(kids(&keys), [new_kid.as_str(), &old_kid], "pitfall 34: both are published");
    }
    let body = json!({"expired_token": old_token, "refresh_token": refresh, "request_origin": ORIGIN});
    let renewed = server.backend("POST", &format!("/v1/sessions/{session}/refresh"), Some(body.clone())).await;
    assert_eq!(header(renewed.expect(200)["jwt"].as_str().unwrap())["kid"], new_kid, "nobody is signed out by a rotation");

    // A node without memory of its own shows what the database says at that time.
    server.advance(Duration::from_millis(u64::try_from(SIGNING_KEY_GRACE_MS).unwrap() - 1));
    let (last_moment, _) = server.second_node().await;
    assert_eq!(kids(&server.browser().on_node(last_moment).get("/.well-known/jwks.json").await).len(), 2);
    server.advance(Duration::from_millis(1));
    let (after, _) = server.second_node().await;
    assert_eq!(kids(&server.browser().on_node(after).get("/.well-known/jwks.json").await), [new_kid]);
}

#[tokio::test]
async fn fault_153_a_rotation_in_the_midst_of_mints_fails_none_of_them() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let mints = futures_util::future::join_all((0..40).map(|_| {
        let (mut tab, session) = (ada.clone(), session.clone());
        async move { tab.mint(&session).await }
    }));
    let (answers, rotated) = tokio::join!(mints, instance::rotate_signing_key(&server.app, &server.instance.id));
    rotated.unwrap();
    let published = kids(&server.browser().get("/.well-known/jwks.json").await);
    for answer in answers {
        let kid = header(answer.expect(200)["jwt"].as_str().unwrap())["kid"].as_str().unwrap().to_owned();
        assert!(published.contains(&kid), "{kid} is not among {published:?}");
    }
}

#[tokio::test]
async fn fault_138_a_changed_setting_is_seen_by_the_next_request() {
    let server = TestServer::start().await;
    server.browser().get("/v1/environment").await.expect(200);
    let ours: Arc<Instance> = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let mut settings = ours.settings.clone();
    settings.allowed_origins = vec!["https://app.example.com".to_owned()];
    server.advance(Duration::from_millis(1));
    instance::update_settings(&server.app, &ours, &settings).await.unwrap();
    let mut page = server.browser();
    page.origin = Some("https://app.example.com".to_owned());
    page.post("/v1/client", &[]).await.expect(200);
    let refused = instance::update_settings(&server.app, &ours, &settings).await.unwrap_err();
    assert!(refused.contains("somebody else"), "a change of what has changed since is refused: {refused}");
}

#[tokio::test]
async fn what_is_stored_does_not_contain_what_opens_doors() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    let dev = ada.post("/v1/dev_browser", &[]).await.expect(200)["id"].as_str().unwrap().to_owned();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let (session_token, refresh) = pair(&server, &mut ada).await;
    let back = ada.get("/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce").await;
    let nonce = back.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
    let testing = server.backend("POST", "/v1/testing_tokens", None).await.expect(200)["token"].as_str().unwrap().to_owned();
    let mut other = server.browser();
    other.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await.expect(200);
    let mut new = server.browser();
    let sign_up = new.post("/v1/client/sign_ups", &[("email_address", "eve@example.com"), ("password", "eves own horse")]).await;
    let id = sign_up.response()["id"].as_str().unwrap();
    new.post(&format!("/v1/client/sign_ups/{id}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let codes = [server.code_for("ada@example.com").await, server.code_for("eve@example.com").await];
    let totp = ada.post("/v1/me/totp", &[]).await.response()["secret"].as_str().unwrap().to_owned();
    let brought = json!({
        "email_address": ["bob@example.com"], "password": "bobs own horse", "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "backup_codes": ["plain-code-1"],
    });
    let bob = server.backend("POST", "/v1/users", Some(brought)).await.expect(200)["id"].clone();
    let ticket = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": bob}))).await.expect(200)["token"].clone();
    let acting = json!({"user_id": bob, "actor": {"sub": "user_support"}});
    let acting = server.backend("POST", "/v1/actor_tokens", Some(acting)).await.expect(200)["token"].clone();
    let invited = json!({"email_address": "carol@example.com"});
    let invited = server.backend("POST", "/v1/invitations", Some(invited)).await.expect(200)["url"].clone();
    let invited = invited.as_str().unwrap().split_once("ticket=").unwrap().1;
    let subjects: Vec<String> = server.outbox().await.into_iter().map(|mail| mail.subject).collect();
    let secrets = [
        PASSWORD,
        "eves own horse",
        "bobs own horse",
        &totp,
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "plain-code-1",
        ticket.as_str().unwrap(),
        acting.as_str().unwrap(),
        invited,
        server.instance.secret_key.expose(),
        &ada.cookies["__client"],
        &other.cookies["__client"],
        &dev,
        &session_token,
        session_token.rsplit_once('.').unwrap().1,
        &refresh,
        &nonce,
        &testing,
        &subjects[0],
        &subjects[1],
        "PRIVATE KEY",
    ];
    let (mut cells, mut tables) = (0, std::collections::BTreeSet::new());
    for (table, column) in columns(&server.app.db).await {
        let text = format!("SELECT CAST({column} AS TEXT) AS cell FROM {table}");
        for row in server.app.db.all(Sql::new(text)).await.unwrap() {
            let Some(cell) = row.opt_text("cell").unwrap() else { continue };
            cells += 1;
            tables.insert(table.clone());
            for secret in secrets {
                assert!(!cell.contains(secret), "{table}.{column} holds {secret}");
            }
            // Six digits may be part of any time, so a code is looked for as it would be kept.
            for code in &codes {
                assert!(cell != *code && !cell.contains(&format!("\"{code}\"")), "{table}.{column} holds a code");
            }
        }
    }
    for table in [
        "users",
        "clients",
        "sessions",
        "verifications",
        "one_time_tokens",
        "refresh_tokens",
        "dev_browsers",
        "jobs",
        "secret_keys",
        "signing_keys",
        "sign_ins",
        "sign_ups",
        "totps",
        "backup_codes",
        "tickets",
        "invitations",
    ] {
        assert!(tables.contains(table), "the scan saw no row of {table}: {tables:?}");
    }
    assert!(cells > 100);
}
