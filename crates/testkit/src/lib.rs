//! A real server for tests: real sockets, a real database of either kind, a frozen clock, seeded randomness; and people's
//! browsers as values.
//!
//! `DOORWARD_TEST_DATABASE=postgres` with `DOORWARD_TEST_POSTGRES_URL` runs the same tests on PostgreSQL, each in a schema
//! of its own; `DOORWARD_TEST_CONNECTIONS` sets the size of the pool. `DOORWARD_TEST_RECORD` names a directory in which every
//! exchange is written down; `DOORWARD_TEST_API_VERSION` is the date that callers name, the newest unless it is set.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up has failed")]

mod authenticator;
mod browser;
mod device_key;
mod logs;
mod mail_server;
mod mmdb;
mod provider;
mod race;
mod receiver;
mod record;
pub mod social;
mod wallet;

pub use authenticator::{Algorithm, Authenticator, Credential};
pub use browser::{Answer, Browser};
pub use device_key::DeviceKey;
pub use logs::canary;
pub use mail_server::MailServer;
pub use mmdb::{Mmdb, mmdb};
pub use provider::{CLIENT_ID, CLIENT_SECRET, Provider, ProviderCall, StandIn};
pub use race::{TOO_LATE, race};
pub use receiver::{Act, Call, Receiver};
pub use wallet::Wallet;

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use doorward_base::*;
use doorward_core::atlas::Atlas;
use doorward_core::crypto::Sealer;
use doorward_core::instance::{self, CreatedInstance, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::outbound::Outbound;
use doorward_core::password::Passwords;
use doorward_core::settings::Settings;
use doorward_core::{App, mail, sms, webhooks};
use doorward_gateway::{Config, Gateway};
use doorward_store::db::DbOptions;
use doorward_store::{Db, Sql, migrate};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// When the clock of every test stands: 2026-01-01T00:00:00Z.
pub const START: Timestamp = 1_767_225_600_000;

/// The page that browsers are on unless a test says otherwise.
pub const ORIGIN: &str = "http://localhost:3000";

/// All dates of the protocol, oldest first.
pub const DATES: [&str; 6] = ["2021-02-05", "2024-10-01", "2025-03-12", "2025-04-10", "2025-11-10", NEWEST];

/// The date that the server's own code knows.
pub const NEWEST: &str = "2026-05-12";

/// The date of the protocol that callers name unless a test says otherwise.
pub fn api_version() -> String {
    std::env::var("DOORWARD_TEST_API_VERSION").unwrap_or_else(|_| NEWEST.to_owned())
}

/// How many servers this process has started: each has ids of its own.
static SERVERS: AtomicU64 = AtomicU64::new(0);

/// What the next server's ids, codes and tokens come from: the same whenever this test runs.
fn seed() -> u64 {
    let mut hasher = DefaultHasher::new();
    std::thread::current().name().hash(&mut hasher);
    SERVERS.fetch_add(1, Ordering::Relaxed).hash(&mut hasher);
    hasher.finish()
}

/// What a test may choose.
pub struct Options {
    /// How the gateway guards the server; limits are off unless a test is about them.
    pub config: Config,
    /// The kind of the first instance.
    pub environment: Environment,
    /// The settings of the first instance.
    pub settings: Settings,
    /// The hashing pool.
    pub passwords: Passwords,
    /// The master key.
    pub master: [u8; 32],
    /// SQLite, whatever the tests run on.
    pub sqlite: bool,
    /// What calls others: anybody, anywhere, unless a test is about that.
    pub outbound: Arc<dyn Outbound>,
    /// Where addresses are: not known.
    pub atlas: Atlas,
}

impl Default for Options {
    fn default() -> Self {
        let settings = Settings { allowed_origins: vec![ORIGIN.to_owned()], ..Settings::default() };
        Self {
            config: Config { limits_enabled: false, ..Config::default() },
            environment: Environment::Development,
            settings,
            passwords: Passwords::new(2, 1000),
            master: [7; 32],
            sqlite: false,
            outbound: doorward_outbound::shared(true).unwrap(),
            atlas: Atlas::default(),
        }
    }
}

/// A running server.
pub struct TestServer {
    /// What it shares.
    pub app: Arc<App>,
    /// Its first instance.
    pub instance: CreatedInstance,
    /// Where its Frontend API listens.
    pub public: SocketAddr,
    /// Where its Backend API listens.
    pub private: SocketAddr,
    http: reqwest::Client,
    config: Config,
    _dir: tempfile::TempDir,
    _canary: logs::Canary,
}

impl TestServer {
    /// A server with a development instance.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// A server with an instance of the settings that `change` makes.
    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        let mut options = Options::default();
        change(&mut options.settings);
        Self::with(options).await
    }

    /// A server as the options say.
    pub async fn with(options: Options) -> Self {
        logs::install();
        let dir = tempfile::tempdir().unwrap();
        let db = database(&dir, options.sqlite).await;
        migrate(&db, START).await.unwrap();
        let app = Arc::new(App {
            db,
            clock: Clock::frozen(START),
            rng: Rng::seeded(seed()),
            sealer: Sealer::new(&options.master).unwrap(),
            passwords: options.passwords,
            instances: Default::default(),
            outbound: options.outbound,
            provider_documents: Default::default(),
            atlas: options.atlas,
            outbox: Arc::default(),
        });
        webhooks::listen(&app);
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let private = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (public_at, private_at) = (public.local_addr().unwrap(), private.local_addr().unwrap());
        let instance = new_instance(&app, options.environment, &public_at.to_string(), options.settings).await;
        let gateway = Gateway::new(app.clone(), options.config.clone());
        serve(public, &gateway, doorward_fapi::routes());
        serve(private, &gateway, doorward_bapi::routes());
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(60)).build().unwrap();
        Self { app, instance, public: public_at, private: private_at, http, config: options.config, _dir: dir, _canary: logs::Canary }
    }

    /// A second node on the same database, with its own memory.
    pub async fn second_node(&self) -> (SocketAddr, SocketAddr) {
        let app = Arc::new(App {
            db: self.app.db.clone(),
            clock: self.app.clock.clone(),
            rng: self.app.rng.clone(),
            sealer: self.app.sealer.clone(),
            passwords: Passwords::new(2, 1000),
            instances: Default::default(),
            outbound: self.app.outbound.clone(),
            provider_documents: Default::default(),
            atlas: Default::default(),
            outbox: Arc::default(),
        });
        let gateway = Gateway::new(app, self.config.clone());
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let private = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = (public.local_addr().unwrap(), private.local_addr().unwrap());
        serve(public, &gateway, doorward_fapi::routes());
        serve(private, &gateway, doorward_bapi::routes());
        at
    }

    /// This node's Frontend API, and that of a second one: whoever sends to both by turns meets them at the same time.
    pub async fn nodes(&self) -> [SocketAddr; 2] {
        [self.public, self.second_node().await.0]
    }

    /// One more instance, on a host of its own.
    pub async fn another_instance(&self, host: &str) -> CreatedInstance {
        let settings = Settings { allowed_origins: vec![ORIGIN.to_owned()], ..Settings::default() };
        new_instance(&self.app, Environment::Development, host, settings).await
    }

    /// A browser that has never been here, on the first instance.
    pub fn browser(&self) -> Browser {
        Browser::new(self.http.clone(), self.public, self.public.to_string())
    }

    /// A browser on another instance's host.
    pub fn browser_on(&self, host: &str) -> Browser {
        Browser::new(self.http.clone(), self.public, host.to_owned())
    }

    /// A call to the Backend API of the first instance.
    pub async fn backend(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.backend_as(&self.instance.secret_key, method, path, body).await
    }

    /// A call to the Backend API with a secret key.
    pub async fn backend_as(&self, key: &Secret, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        logs::hide_in_address(path);
        let mut request = self.http.request(method, format!("http://{}{path}", self.private)).bearer_auth(key.expose());
        if !path.contains("__clerk_api_version") {
            request = request.header("clerk-api-version", api_version());
        }
        if let Some(body) = body {
            logs::hide_in_body(&body.to_string());
            request = request.json(&body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Gives the first instance the secret of a provider.
    pub async fn provider_secret(&self, key: &str, secret: &str) {
        let instance = instance::by_id(&self.app, &self.instance.id).await.unwrap().unwrap();
        doorward_core::oauth::set_secret(&self.app, &instance, key, &Secret::from(secret)).await.unwrap();
    }

    /// Changes the settings of the first instance.
    pub async fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let before = instance::by_id(&self.app, &self.instance.id).await.unwrap().unwrap();
        let mut settings = before.settings.clone();
        change(&mut settings);
        instance::update_settings(&self.app, &before, &settings).await.unwrap();
    }

    /// Makes a user with a proven address and a password.
    pub async fn user(&self, email: &str, password: &str) -> String {
        let body = serde_json::json!({"email_address": [email], "password": password, "first_name": "Ada", "skip_password_checks": true});
        let made = self.backend("POST", "/v1/users", Some(body)).await;
        made.expect(200)["id"].as_str().unwrap().to_owned()
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.app.clock.advance(i64::try_from(duration.as_millis()).unwrap());
    }

    /// The mails that wait in the outbox, oldest first.
    pub async fn outbox(&self) -> Vec<mail::Mail> {
        let waiting = self.waiting(mail::JOB_KIND).await;
        waiting.iter().map(|(id, sealed)| mail::open(&self.app.sealer, id, sealed).unwrap()).collect()
    }

    /// The text messages that wait in the outbox, oldest first.
    pub async fn texts(&self) -> Vec<sms::Sms> {
        let waiting = self.waiting(sms::JOB_KIND).await;
        waiting.iter().map(|(id, sealed)| sms::open(&self.app.sealer, id, sealed).unwrap()).collect()
    }

    async fn waiting(&self, kind: &str) -> Vec<(JobId, String)> {
        let text = "SELECT * FROM jobs WHERE done_at IS NULL AND kind = $1 ORDER BY created_at, id";
        let rows = self.app.db.all(Sql::new(text).bind(kind)).await.unwrap();
        rows.iter().map(|row| (row.id("id").unwrap(), row.text("sealed").unwrap())).collect()
    }

    /// The path of the link in the newest mail.
    pub async fn link(&self) -> String {
        let mail = self.outbox().await.pop().expect("a mail was sent");
        let line = mail.text.lines().find(|line| line.starts_with("http")).expect("there is a link in it");
        line.strip_prefix(&format!("http://{}", self.public)).expect("it leads here").to_owned()
    }

    /// The code of the newest message to an address or a number.
    pub async fn code_for(&self, to: &str) -> String {
        let words = if to.starts_with('+') {
            self.texts().await.into_iter().rev().find(|sms| sms.to == to).expect("a text message was sent").text
        } else {
            self.outbox().await.into_iter().rev().find(|mail| mail.to == to).expect("a mail was sent").subject
        };
        let code: String = words.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(code.len(), 6, "{words}");
        code
    }
}

async fn new_instance(app: &App, environment: Environment, host: &str, settings: Settings) -> CreatedInstance {
    let key_host = if host.contains('.') { host.to_owned() } else { format!("{host}.test") };
    let new =
        NewInstance { environment, name: "test".to_owned(), key_host, hosts: vec![host.to_owned()], scheme: "http".to_owned(), settings };
    instance::create(app, new).await.unwrap()
}

fn serve(listener: TcpListener, gateway: &Gateway, routes: doorward_gateway::Routes) {
    let api = routes.api();
    let router = record::recorded(gateway.wrap(gateway.mount(routes)), api);
    let service: IntoMakeServiceWithConnectInfo<_, SocketAddr> = router.into_make_service_with_connect_info();
    tokio::spawn(async move { axum::serve(listener, service).await });
}

async fn database(dir: &tempfile::TempDir, sqlite: bool) -> Db {
    let connections = std::env::var("DOORWARD_TEST_CONNECTIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let options = |url: String| DbOptions { url, max_connections: connections, acquire_timeout: Duration::from_secs(30) };
    if sqlite || std::env::var("DOORWARD_TEST_DATABASE").as_deref() != Ok("postgres") {
        return Db::connect(&options(format!("sqlite://{}/test.db", dir.path().display())), &Rng::system()).await.unwrap();
    }
    let url = std::env::var("DOORWARD_TEST_POSTGRES_URL").expect("DOORWARD_TEST_POSTGRES_URL names the server to test on");
    let schema = format!("t{}", Rng::system().alphanumeric(16).to_ascii_lowercase());
    let admin = Db::connect(&options(url.clone()), &Rng::system()).await.unwrap();
    admin.exec(Sql::new(format!("CREATE SCHEMA {schema}"))).await.unwrap();
    admin.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Db::connect(&options(format!("{url}{separator}options=-c%20search_path%3D{schema}")), &Rng::system()).await.unwrap()
}
