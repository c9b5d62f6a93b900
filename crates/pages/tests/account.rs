//! The account pages of the public listener, as a browser asks for them. What they do there is told in `e2e`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use axum::Router;
use axum::body::Body;
use doorward_base::{Clock, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::instance::{CreatedInstance, Instances, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::password::Passwords;
use doorward_core::settings::{Settings, SignUpMode};
use doorward_core::{App, instance};
use doorward_gateway::{Config, Gateway};
use doorward_store::Db;
use doorward_store::db::DbOptions;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

const NOW: i64 = 1_700_000_000_000;
const HOST: &str = "clerk.example.com";

struct Server {
    router: Router,
    instance: CreatedInstance,
    _directory: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Whether it is the page itself: a build without the artefacts says so, and answers all else in the same way.
    fn is_page(&self) -> bool {
        match self.status {
            StatusCode::OK => self.text.contains("id=\"account\""),
            StatusCode::NOT_IMPLEMENTED => self.text.contains("make pages"),
            _ => false,
        }
    }
}

impl Server {
    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("pages.db").display());
        let db =
            Db::connect(&DbOptions { url, max_connections: 3, acquire_timeout: Duration::from_secs(5) }, &Rng::seeded(1)).await.unwrap();
        doorward_store::migrate(&db, NOW).await.unwrap();
        let app = Arc::new(App {
            db,
            clock: Clock::frozen(NOW),
            rng: Rng::seeded(1),
            sealer: Sealer::new(&[7; 32]).unwrap(),
            passwords: Passwords::new(1, 1),
            instances: Instances::default(),
            outbound: Arc::new(doorward_core::outbound::Nowhere),
            provider_documents: Default::default(),
            atlas: Default::default(),
            outbox: Arc::default(),
        });
        let mut settings = Settings { allowed_origins: vec!["https://app.example.com".to_owned()], ..Settings::default() };
        change(&mut settings);
        let new = NewInstance {
            environment: Environment::Production,
            name: "Shop".to_owned(),
            key_host: HOST.to_owned(),
            hosts: vec![HOST.to_owned()],
            scheme: "https".to_owned(),
            settings,
        };
        let instance = instance::create(&app, new).await.unwrap();
        let router = doorward_pages::public(Gateway::new(app, Config::default()));
        Self { router, instance, _directory: directory }
    }

    async fn get(&self, host: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path).header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}

#[tokio::test]
async fn nothing_but_our_own_script_runs_and_nobody_frames_them() {
    let server = Server::with(|_| {}).await;
    for path in
        ["/sign-in", "/sign-in/choose", "/sign-up", "/user", "/sign-in?redirect_url=https://evil.example", "/account-files/0/account.js"]
    {
        let answer = server.get(HOST, path, &[]).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'") && !policy.contains('*'), "{path}: {policy}");
        assert_eq!((answer.header("x-content-type-options"), answer.header("x-frame-options")), ("nosniff", "DENY"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(!answer.text.contains("<style") && !answer.text.contains(" style="), "{path}");
    }
}

#[tokio::test]
async fn a_page_leads_back_to_the_instance_s_own_origins_only() {
    let server = Server::with(|_| {}).await;
    for name in ["redirect_url", "sign_in_force_redirect_url", "sign_up_fallback_redirect_url", "after_sign_up_url"] {
        for page in ["/sign-in", "/sign-up", "/user"] {
            let good = server.get(HOST, &format!("{page}?{name}=https%3A%2F%2Fapp.example.com%2Fhome"), &[]).await;
            assert!(good.is_page(), "{page} {name}: {}", good.text);
            for bad in [
                "https://evil.example/",
                "https://app.example.com.evil.example/",
                "https://app.example.com@evil.example/",
                "http://app.example.com/",
                "javascript:alert(1)",
                "data:text/html,x",
                "//evil.example",
                "/home",
                "",
            ] {
                let query: String = bad.bytes().map(|byte| format!("%{byte:02X}")).collect();
                let answer = server.get(HOST, &format!("{page}?{name}={query}"), &[]).await;
                assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{page} {name}={bad}");
                assert!(!answer.text.contains("evil.example"), "what is refused is not repeated");
            }
        }
    }
}

#[tokio::test]
async fn the_first_page_leads_to_the_app_or_to_the_account() {
    let bare = Server::with(|_| {}).await;
    let answer = bare.get(HOST, "/", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, "/user"));
    let app = Server::with(|it| it.paths.home_url = Some("https://app.example.com/".to_owned())).await;
    let answer = app.get(HOST, "/", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::TEMPORARY_REDIRECT, "https://app.example.com/"));
    let itself = Server::with(|it| it.paths.home_url = Some(format!("https://{HOST}/"))).await;
    assert_eq!(itself.get(HOST, "/", &[]).await.header("location"), "/user", "and not round in circles");
}

#[tokio::test]
async fn nobody_else_s_host_has_them() {
    let server = Server::with(|_| {}).await;
    for path in ["/", "/sign-in", "/sign-up", "/user"] {
        assert_eq!(server.get("other.example.com", path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
        let forged = server.get(HOST, path, &[("clerk-proxy-url", "https://app.example.com/auth")]).await;
        assert!(forged.status.is_client_error(), "a proxy shows the secret key: {path} {}", forged.status);
    }
}

#[tokio::test]
async fn behind_a_proxy_all_addresses_are_below_its_own() {
    let server = Server::with(|_| {}).await;
    let key = server.instance.secret_key.expose().to_owned();
    let proxied = [("clerk-proxy-url", "https://app.example.com/auth/"), ("clerk-secret-key", key.as_str())];
    assert_eq!(server.get("internal", "/", &proxied).await.header("location"), "/auth/user");
    let page = server.get("internal", "/sign-in", &proxied).await;
    assert!(page.is_page() && page.text.contains("href=\"/auth/account-files/"), "{}", page.text);
    assert!(!page.text.contains(&key));
}

#[tokio::test]
async fn where_sign_up_is_closed_there_is_no_page_for_it() {
    let server = Server::with(|it| it.sign_up.mode = SignUpMode::Restricted).await;
    let answer = server.get(HOST, "/sign-up", &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text.contains("No sign-ups here"));
    assert!(server.get(HOST, "/sign-in", &[]).await.is_page());
}

#[tokio::test]
async fn crowds_are_counted() {
    let server = Server::with(|_| {}).await;
    let mut refused = None;
    for _ in 0..10_000 {
        let answer = server.get(HOST, "/sign-in", &[]).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(answer);
            break;
        }
    }
    assert_ne!(refused.expect("there is an end to it").header("retry-after"), "");
}

#[tokio::test]
async fn a_popup_tells_the_page_that_opened_it_and_no_other() {
    let server = Server::with(|_| {}).await;
    for path in ["/popup-callback", "/v1/auth-popup-callback"] {
        let query = "state=s1&return_url=https%3A%2F%2Fapp.example.com%2Fback%3Fa%3D1&opener=https%3A%2F%2Fapp.example.com&__clerk_created_session=sess_1";
        let answer = server.get(HOST, &format!("{path}?{query}"), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        for said in [
            "data-opener=\"https://app.example.com\"",
            "data-session=\"sess_1\"",
            "data-return-url=\"https://app.example.com/back?a=1\"",
            "data-state=\"s1\"",
            "src=\"/account-files/popup.js\"",
        ] {
            assert!(answer.text.contains(said), "{path} {said}: {}", answer.text);
        }
        assert!(!answer.header("content-security-policy").contains("unsafe-inline"));
        let evil = "opener=https%3A%2F%2Fevil.example&return_url=javascript%3Aalert(1)&state=%22%3E%3Cscript%3E";
        let answer = server.get(HOST, &format!("{path}?{evil}"), &[]).await;
        assert!(answer.text.contains("data-opener=\"\"") && answer.text.contains("data-return-url=\"\""), "{}", answer.text);
        assert_eq!(answer.text.matches("<script").count(), 1, "{}", answer.text);
        assert_eq!(server.get("nobody.example", path, &[]).await.status, StatusCode::NOT_FOUND);
    }
    let script = server.get(HOST, "/account-files/popup.js", &[]).await;
    assert!(script.status == StatusCode::OK && script.text.contains("postMessage(") && !script.text.contains("\"*\""), "{}", script.text);
}
