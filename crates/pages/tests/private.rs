//! The pages of the private listener, as a browser gets them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use axum::body::Body;
use doorward_base::{Clock, InstanceId, MessageId, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::instance::{Instances, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::password::Passwords;
use doorward_core::settings::Settings;
use doorward_core::{App, instance};
use doorward_pages::Pages;
use doorward_store::Db;
use doorward_store::db::DbOptions;
use doorward_store::jobs::{self, InboxRecord};
use doorward_store::message_templates::{self, TemplateRecord};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

const NOW: i64 = 1_700_000_000_000;

struct Server {
    pages: Pages,
    _directory: tempfile::TempDir,
}

impl Server {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("pages.db").display());
        let db =
            Db::connect(&DbOptions { url, max_connections: 3, acquire_timeout: Duration::from_secs(5) }, &Rng::seeded(1)).await.unwrap();
        doorward_store::migrate(&db, NOW).await.unwrap();
        let app = App {
            db,
            clock: Clock::frozen(NOW),
            rng: Rng::seeded(1),
            sealer: Sealer::new(&[7; 32]).unwrap(),
            passwords: Passwords::new(1, 1),
            instances: Instances::default(),
            outbound: std::sync::Arc::new(doorward_core::outbound::Nowhere),
            provider_documents: Default::default(),
            atlas: Default::default(),
            outbox: Arc::default(),
        };
        Self { pages: Pages { app: Arc::new(app), public_url: "http://localhost:4100".to_owned() }, _directory: directory }
    }

    async fn instance(&self, environment: Environment, name: &str) -> InstanceId {
        self.pages.app.clock.advance(1);
        let host = format!("{}.example.com", name.to_lowercase());
        let new = NewInstance {
            environment,
            name: name.to_owned(),
            key_host: host.clone(),
            hosts: vec![host],
            scheme: "https".to_owned(),
            settings: Settings::default(),
        };
        instance::create(&self.pages.app, new).await.unwrap().id
    }

    async fn mail(&self, instance: &InstanceId, id: &str, subject: &str, body: &str) {
        let record = InboxRecord {
            id: MessageId::from(id),
            recipient: "ada@example.com".to_owned(),
            subject: subject.to_owned(),
            body: body.to_owned(),
            created_at: NOW - 120_000,
        };
        jobs::insert_inbox(&self.pages.app.db, instance, &record).await.unwrap();
    }

    async fn get(&self, host: &str, path: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap();
        let (parts, body) = doorward_pages::private(self.pages.clone()).oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }
}

#[tokio::test]
async fn the_newest_code_is_there_to_read_and_copy() {
    let server = Server::new().await;
    let id = server.instance(Environment::Development, "Acme").await;
    let (status, _, empty) = server.get("localhost:4101", "/inbox").await;
    assert!(status == StatusCode::OK && empty.contains("No mail yet"));
    server.mail(&id, "msg_1", "424242 is your Acme code", "Your code:\n\n    424242\n").await;
    let (_, headers, page) = server.get("localhost:4101", "/inbox").await;
    assert!(page.contains("<code>424242</code>") && page.contains("data-copy=\"424242\""), "{page}");
    assert!(page.contains("<b>ada@example.com</b>, 2 minutes ago"), "{page}");
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn fault_114_what_users_and_apps_write_cannot_become_markup() {
    let server = Server::new().await;
    let id = server.instance(Environment::Development, "Acme").await;
    server.mail(&id, "msg_1", "<script>alert(1)</script>", "</pre><img src=x onerror=alert(1)>\n\"'&").await;
    let (_, headers, page) = server.get("localhost:4101", "/inbox").await;
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(headers["x-frame-options"], "DENY");
}

#[tokio::test]
async fn only_development_instances_have_an_inbox_and_each_has_its_own() {
    let server = Server::new().await;
    let live = server.instance(Environment::Production, "Live").await;
    assert_eq!(server.get("localhost:4101", "/inbox").await.0, StatusCode::NOT_FOUND);
    let first = server.instance(Environment::Development, "First").await;
    let second = server.instance(Environment::Development, "Second").await;
    server.mail(&live, "msg_0", "000000 is your code", "").await;
    server.mail(&first, "msg_1", "111111 is your code", "").await;
    server.mail(&second, "msg_2", "222222 is your code", "").await;
    let (_, _, page) = server.get("localhost:4101", "/inbox").await;
    assert!(page.contains("222222") && !page.contains("111111"), "{page}");
    let (_, _, page) = server.get("localhost:4101", &format!("/inbox?instance={first}")).await;
    assert!(page.contains("111111") && !page.contains("222222"), "{page}");
    assert_eq!(server.get("localhost:4101", &format!("/inbox?instance={live}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(server.get("localhost:4101", "/inbox?instance=ins_unknown").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_that_anybody_can_point_here_does_not_show_the_codes() {
    let server = Server::new().await;
    let id = server.instance(Environment::Development, "Acme").await;
    server.mail(&id, "msg_1", "424242 is your Acme code", "").await;
    let (status, _, page) = server.get("rebound.evil.example:4101", "/inbox").await;
    assert!(status == StatusCode::FORBIDDEN && !page.contains("424242"), "{page}");
}

#[tokio::test]
async fn the_first_page_links_the_rest_and_what_it_needs_is_served() {
    let server = Server::new().await;
    let (status, _, page) = server.get("localhost:4101", "/").await;
    assert_eq!(status, StatusCode::OK);
    for link in ["/inbox", "/webhooks", "/docs", "/openapi.json", "/health/ready", "/health/live", "/metrics", "http://localhost:4100/docs"]
    {
        assert!(page.contains(&format!("href=\"{link}\"")), "{link}");
    }
    for (path, kind) in [("/pages/style.css", "text/css"), ("/pages/inbox.js", "text/javascript")] {
        let (status, headers, _) = server.get("localhost:4101", path).await;
        assert!(status == StatusCode::OK && headers["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
}

#[tokio::test]
async fn messages_are_shown_as_people_get_them_in_each_language_and_may_do_nothing() {
    let server = Server::new().await;
    let live = server.instance(Environment::Production, "Live").await;
    assert_eq!(server.get("localhost:4101", "/messages").await.0, StatusCode::NOT_FOUND);
    let id = server.instance(Environment::Development, "Acme").await;
    let own = TemplateRecord {
        channel: "email".to_owned(),
        slug: "verification_code".to_owned(),
        subject: Some("Hello".to_owned()),
        body: Some("<script>alert(1)</script>{{otp_code}} of {{app.name}}".to_owned()),
        delivered: true,
        ..TemplateRecord::default()
    };
    let mut tx = server.pages.app.db.begin().await.unwrap();
    message_templates::put(&mut tx, &id, &own).await.unwrap();
    tx.commit().await.unwrap();

    let (status, headers, page) = server.get("localhost:4101", "/messages").await;
    assert_eq!((status, page.matches("<iframe").count(), page.matches("class=\"letter\"").count()), (StatusCode::OK, 13, 16));
    assert!(page.contains("<b>Hello</b>") && page.matches("own words").count() == 1, "{page}");
    assert!(page.contains("Your password at Doorward was changed") && !page.contains("<script>"), "{page}");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let (_, _, german) = server.get("localhost:4101", "/messages?language=de").await;
    assert!(german.contains("Ihr Passwort bei Doorward wurde geändert"), "{german}");

    let (status, headers, mail) = server.get("localhost:4101", "/messages/verification_code").await;
    assert_eq!((status, mail.as_str()), (StatusCode::OK, "<script>alert(1)</script>123456 of Doorward"));
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.ends_with("; sandbox") && !policy.contains("script"), "{policy}");
    assert_eq!(headers["x-frame-options"], "SAMEORIGIN");

    for nothing in
        ["/messages/nothing".to_owned(), format!("/messages?instance={live}"), format!("/messages/verification_code?instance={live}")]
    {
        assert_eq!(server.get("localhost:4101", &nothing).await.0, StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(server.get("acme.example.org", "/messages").await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.get("acme.example.org", "/messages/verification_code").await.0, StatusCode::FORBIDDEN);
}
