//! The page of webhook endpoints, as a browser gets it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use axum::body::Body;
use doorward_base::{Clock, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::instance::{Instances, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::password::Passwords;
use doorward_core::settings::Settings;
use doorward_core::webhooks;
use doorward_core::{App, Scope, instance};
use doorward_pages::Pages;
use doorward_store::Db;
use doorward_store::db::DbOptions;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

const NOW: i64 = 1_700_000_000_000;

struct Server {
    pages: Pages,
    scope: Scope,
    _directory: tempfile::TempDir,
}

async fn new_instance(app: &Arc<App>, name: &str) -> Scope {
    let host = format!("{}.example.com", name.to_lowercase());
    let new = NewInstance {
        environment: Environment::Production,
        name: name.to_owned(),
        key_host: host.clone(),
        hosts: vec![host],
        scheme: "https".to_owned(),
        settings: Settings::default(),
    };
    let made = instance::create(app, new).await.unwrap();
    Scope { instance: instance::by_id(app, &made.id).await.unwrap().unwrap(), app: app.clone(), now: app.clock.now() }
}

impl Server {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("pages.db").display());
        let options = DbOptions { url, max_connections: 3, acquire_timeout: Duration::from_secs(5) };
        let db = Db::connect(&options, &Rng::seeded(1)).await.unwrap();
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
        let scope = new_instance(&app, "Acme").await;
        Self { pages: Pages { app, public_url: "http://localhost:4100".to_owned() }, scope, _directory: directory }
    }

    async fn send(&self, method: &str, path: &str, cookie: &str, form: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::builder().method(method).uri(path).header("host", "localhost:4101").header("cookie", cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from(body)).unwrap();
        let (parts, body) = doorward_pages::private(self.pages.clone()).oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Opens an address as somebody does who was handed one: the cookie.
    async fn enter(&self, scope: &Scope) -> String {
        let link = webhooks::link(scope).await.unwrap();
        let (status, _, page) = self.send("GET", &link, "", &[]).await;
        assert_eq!(status, StatusCode::OK);
        let token = value(&page, "token");
        let form = [("instance", scope.instance.id.as_str()), ("token", token.as_str())];
        let (status, headers, _) = self.send("POST", "/webhooks/enter", "", &form).await;
        assert_eq!((status, &headers["location"]), (StatusCode::SEE_OTHER, &"/webhooks".parse().unwrap()));
        let set = headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/webhooks"), "{set}");
        assert_eq!(self.send("POST", "/webhooks/enter", "", &form).await.0, StatusCode::FORBIDDEN, "once");
        set.split(';').next().unwrap().to_owned()
    }
}

/// The value of a hidden field.
fn value(page: &str, name: &str) -> String {
    let rest = page.split_once(&format!("name=\"{name}\" value=\"")).expect(name).1;
    rest.split('"').next().unwrap().to_owned()
}

fn secret(page: &str) -> Option<String> {
    let at = page.find("whsec_")?;
    Some(page[at..].chars().take_while(|c| !"<\"".contains(*c)).collect())
}

#[tokio::test]
async fn an_endpoint_is_made_changed_and_removed_with_forms_alone() {
    let server = Server::new().await;
    let cookie = server.enter(&server.scope).await;
    let (_, headers, page) = server.send("GET", "/webhooks", &cookie, &[]).await;
    assert!(page.contains("No endpoint yet") && secret(&page).is_none());
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action 'self'") && !policy.contains("script"), "{policy}");
    let form = value(&page, "form_token");
    let new =
        [("form_token", form.as_str()), ("url", "https://example.com/<hook>"), ("description", "<script>"), ("event", "user.created")];
    let (status, headers, made) = server.send("POST", "/webhooks", &cookie, &new).await;
    assert_eq!((status, &headers["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    assert!(!made.contains("<script>"), "{made}");
    let id = webhooks::list(&server.scope).await.unwrap()[0].id.to_string();
    let at = format!("/webhooks/{id}");
    let first = secret(&made).unwrap();
    assert_eq!(webhooks::reveal_secret(&server.scope, &id.as_str().into()).await.unwrap().expose(), first);
    assert!(secret(&server.send("GET", &at, &cookie, &[]).await.2).is_none(), "the secret is shown when it is made");

    let act = async |action: &str, more: &[(&str, &str)]| {
        let form =
            [&[("form_token", form.as_str()), ("action", action), ("url", "https://example.com/b"), ("description", "")], more].concat();
        server.send("POST", &at, &cookie, &form).await
    };
    assert_eq!(secret(&act("reveal", &[]).await.2), Some(first.clone()), "or asked for");
    assert_ne!(secret(&act("rotate", &[]).await.2).unwrap(), first);
    for action in ["update", "disable", "test", "recover", "enable"] {
        assert_eq!(act(action, &[("rate_limit", "5")]).await.0, StatusCode::SEE_OTHER, "{action}");
    }
    let it = webhooks::list(&server.scope).await.unwrap().remove(0);
    assert_eq!((it.url.as_str(), it.rate_limit, it.events.as_str(), it.disabled), ("https://example.com/b", Some(5), "[]", false));
    let (_, _, page) = server.send("GET", &at, &cookie, &[]).await;
    let event = value(&page, "event_id");
    assert!(page.contains("pending, 0 tries") && event.starts_with("evt_"), "{page}");
    assert_eq!(act("replay", &[("event_id", &event)]).await.0, StatusCode::SEE_OTHER);
    assert_eq!(act("replay", &[("event_id", "evt_unknown")]).await.0, StatusCode::NOT_FOUND);
    for (action, rate) in [("update", "0"), ("update", "many"), ("explode", "1")] {
        assert!(act(action, &[("rate_limit", rate)]).await.0.is_client_error(), "{action} {rate}");
    }
    assert_eq!(act("delete", &[]).await.0, StatusCode::BAD_REQUEST, "somebody must be sure");
    assert_eq!(act("delete", &[("sure", "yes")]).await.0, StatusCode::SEE_OTHER);
    assert!(webhooks::list(&server.scope).await.unwrap().is_empty());

    server.send("POST", "/webhooks/leave", &cookie, &[("form_token", &form)]).await;
    assert_eq!(server.send("GET", "/webhooks", &cookie, &[]).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_gets_in_without_an_address_that_was_handed_out_and_no_other_site_can_send_a_form() {
    let server = Server::new().await;
    let cookie = server.enter(&server.scope).await;
    let form = value(&server.send("GET", "/webhooks", &cookie, &[]).await.2, "form_token");
    let good = [("form_token", form.as_str()), ("url", "https://example.com/hook")];
    let other = new_instance(&server.pages.app, "Other").await;
    let foreign = cookie.replace(server.scope.instance.id.as_str(), other.instance.id.as_str());
    for bad in ["", "doorward_webhooks=", "doorward_webhooks=x.y", &foreign, &cookie[..cookie.len() - 1]] {
        assert_eq!(server.send("GET", "/webhooks", bad, &[]).await.0, StatusCode::FORBIDDEN, "{bad}");
        assert_eq!(server.send("POST", "/webhooks", bad, &good).await.0, StatusCode::FORBIDDEN, "{bad}");
    }
    for token in ["", "x", &form.replace(&form[..1], "z")] {
        let forged = [("form_token", token), ("url", "https://example.com/hook")];
        assert_eq!(server.send("POST", "/webhooks", &cookie, &forged).await.0, StatusCode::FORBIDDEN, "{token}");
    }
    assert!(webhooks::list(&server.scope).await.unwrap().is_empty());
    // Another instance's endpoint is not found, however good the cookie is.
    let cookie_there = server.enter(&other).await;
    assert_eq!(server.send("POST", "/webhooks", &cookie, &good).await.0, StatusCode::OK);
    let id = webhooks::list(&server.scope).await.unwrap()[0].id.to_string();
    assert_eq!(server.send("GET", &format!("/webhooks/{id}"), &cookie_there, &[]).await.0, StatusCode::NOT_FOUND);
    // An address is good for ten minutes, and what it led to for an hour.
    let link = webhooks::link(&server.scope).await.unwrap();
    let token = link.split("token=").nth(1).unwrap().to_owned();
    server.pages.app.clock.advance(600_000);
    let late = [("instance", server.scope.instance.id.as_str()), ("token", token.as_str())];
    assert_eq!(server.send("POST", "/webhooks/enter", "", &late).await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.send("GET", "/webhooks", &cookie, &[]).await.0, StatusCode::OK);
    server.pages.app.clock.advance(3_000_000);
    assert_eq!(server.send("GET", "/webhooks", &cookie, &[]).await.0, StatusCode::FORBIDDEN);
}
