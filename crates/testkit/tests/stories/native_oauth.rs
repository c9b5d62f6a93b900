//! Providers and native apps: the browser that an app opens knows nothing of the app's client, so what it comes back with
//! goes to the app, which hands it in.

use doorward_base::Secret;
use doorward_testkit::social::*;
use doorward_testkit::{Answer, Browser, Provider, START, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const APP_CALLBACK: &str = "my-app://callback";
const PASSWORD: &str = "correct horse battery";

/// A native app, which keeps its token itself.
struct App(Browser);

impl App {
    fn new(server: &TestServer) -> Self {
        let mut browser = server.browser();
        browser.origin = None;
        Self(browser)
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        assert!(answer.set_cookies().is_empty(), "{:?}", answer.headers);
        if let Some(token) = answer.headers.get("authorization") {
            self.0.token = Some(Secret::from(token.to_str().unwrap()));
        }
        answer
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.0.post(&format!("{path}?_is_native=1"), fields).await;
        self.keep(answer)
    }

    async fn get(&mut self, path: &str, nonce: Option<&str>) -> Answer {
        let nonce = nonce.map(|it| format!("&rotating_token_nonce={it}")).unwrap_or_default();
        let answer = self.0.get(&format!("{path}?_is_native=1{nonce}")).await;
        self.keep(answer)
    }

    async fn set_out(&mut self, what: &str) -> (String, String) {
        let begun = self.post(&format!("/v1/client/{what}"), &[("strategy", ACME), ("redirect_url", APP_CALLBACK)]).await;
        (format!("/v1/client/{what}/{}", begun.response()["id"].as_str().unwrap()), way(&begun))
    }

    async fn sessions(&mut self) -> Vec<Value> {
        self.get("/v1/client", None).await.response()["sessions"].as_array().unwrap().clone()
    }
}

async fn listed() -> (TestServer, Provider) {
    let (server, provider) = acme().await;
    server.backend("POST", "/v1/redirect_urls", Some(json!({"url": APP_CALLBACK}))).await.expect(200);
    (server, provider)
}

/// The browser of the system is back from the provider. Answers what it leads the app to.
async fn browser_back(server: &TestServer, path: &str) -> String {
    let mut system = server.browser();
    system.origin = None;
    let answer = system.get(path).await;
    assert_eq!((answer.status, answer.set_cookies().len()), (303, 0), "{}", answer.text);
    let to = answer.headers["location"].to_str().unwrap();
    assert!(to.starts_with(&format!("{APP_CALLBACK}?")), "{to}");
    let query: std::collections::HashMap<_, _> = url::Url::parse(to).unwrap().query_pairs().into_owned().collect();
    assert_eq!(query.len(), 1, "{to}");
    query["rotating_token_nonce"].clone()
}

#[tokio::test]
async fn an_app_signs_up_and_in_by_a_provider() {
    let (server, provider) = listed().await;
    let mut ada = App::new(&server);
    let (at, to) = ada.set_out("sign_ups").await;
    let nonce = browser_back(&server, &provider.visit(&to)).await;
    assert!(!nonce.contains("code-0"), "{nonce}");
    assert_eq!(ada.sessions().await, Vec::<Value>::new(), "not before the app hands it in");
    let before = ada.0.token.clone().unwrap();
    let done = ada.get(&at, Some(&nonce)).await.response().clone();
    assert_eq!(done["status"], "complete", "{done}");
    assert_ne!(ada.0.token.as_ref().unwrap().expose(), before.expose());
    let sessions = ada.sessions().await;
    assert_eq!((sessions.len(), &sessions[0]["id"]), (1, &done["created_session_id"]));
    assert_eq!(sessions[0]["user"]["external_accounts"][0]["provider"], ACME);
    let mut stolen = App::new(&server);
    stolen.0.token = Some(before);
    assert_eq!(stolen.get("/v1/client", None).await.json["response"], Value::Null, "the token from before is of no use");

    let mut again = App::new(&server);
    let (at, to) = again.set_out("sign_ins").await;
    let nonce = browser_back(&server, &provider.visit(&to)).await;
    assert_eq!(again.get(&at, Some(&nonce)).await.response()["status"], "complete");
    assert_eq!(again.sessions().await[0]["user"]["id"], sessions[0]["user"]["id"]);
}

#[tokio::test]
async fn an_app_carries_over_what_is_the_other_way_round_and_hears_a_no() {
    let (server, provider) = listed().await;
    let mut ada = App::new(&server);
    let (at, to) = ada.set_out("sign_ins").await;
    let nonce = browser_back(&server, &provider.visit(&to)).await;
    let waiting = ada.get(&at, Some(&nonce)).await.response().clone();
    assert_eq!(waiting["first_factor_verification"]["status"], "transferable", "{waiting}");
    let made = ada.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
    assert_eq!(made.response()["status"], "complete", "{}", made.text);

    let mut bob = App::new(&server);
    let (at, to) = bob.set_out("sign_ins").await;
    let path = provider.visit(&to).replace("code=code-", "error=access_denied&x=");
    let nonce = browser_back(&server, &path).await;
    let refused = bob.get(&at, Some(&nonce)).await.response()["first_factor_verification"].clone();
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!("failed"), &json!("oauth_access_denied")));
}

#[tokio::test]
async fn fault_058_who_lures_somebody_to_a_provider_gets_nothing_of_them() {
    let (server, provider) = listed().await;
    let mut victim = App::new(&server);
    victim.set_out("sign_ins").await;
    let mut mallory = App::new(&server);
    let (at, to) = mallory.set_out("sign_ups").await;
    // The victim follows the link and is signed in at the provider; what comes of it goes to the app on the victim's device.
    let nonce = browser_back(&server, &provider.visit(&to)).await;
    assert_eq!(mallory.get(&at, None).await.response()["status"], "missing_requirements");
    assert_eq!(mallory.sessions().await, Vec::<Value>::new());
    // There it is of no use either: that app did not set out with it.
    victim.get("/v1/client", Some(&nonce)).await.refused(400, "oauth_callback_invalid", "");
    let (id, sealed) = nonce.split_once('.').unwrap();
    let bent: String = sealed.chars().rev().collect();
    for bad in [format!("{id}.{bent}"), format!("{id}."), format!("ver_x.{sealed}"), id.to_owned(), "x.y".to_owned()] {
        mallory.get(&at, Some(&bad)).await.refused(400, "oauth_callback_invalid", "");
    }
    // A browser hands nothing in: for it the cookie decides.
    let mut web = server.browser();
    set_out(&mut web, "sign_ups", ACME).await.expect(200);
    web.get(&format!("/v1/client?rotating_token_nonce={nonce}")).await.expect(200);
    assert_eq!(user_id(&mut web).await, None);
    assert_eq!(provider.calls().iter().filter(|it| it.path == "POST /token").count(), 0, "nobody used the code up");
}

#[tokio::test]
async fn fault_059_what_a_browser_came_back_with_works_once_and_soon() {
    let (server, provider) = listed().await;
    let mut ada = App::new(&server);
    let (at, to) = ada.set_out("sign_ups").await;
    let path = provider.visit(&to);
    let nonce = browser_back(&server, &path).await;
    let twice = browser_back(&server, &path).await;
    assert_ne!(nonce, twice);
    let raced = (0..100).map(|n| {
        let mut app = ada.0.clone();
        let path = format!("{at}?_is_native=1&rotating_token_nonce={}", if n % 2 == 0 { &nonce } else { &twice });
        async move { app.get(&path).await }
    });
    let answers = futures_util::future::join_all(raced).await;
    assert!(answers.iter().all(|it| it.status < 500), "{:?}", answers.iter().map(|it| it.status).collect::<Vec<_>>());
    assert_eq!(answers.iter().filter(|it| it.headers.contains_key("authorization")).count(), 1);
    assert_eq!(server.backend("GET", "/v1/users/count", None).await.expect(200)["total_count"], 1);
    assert_eq!(provider.calls().iter().filter(|it| it.path == "POST /token").count(), 1);

    let mut late = App::new(&server);
    let (at, to) = late.set_out("sign_ins").await;
    let nonce = browser_back(&server, &provider.visit(&to)).await;
    server.advance(Duration::from_secs(601));
    assert_eq!(late.get(&at, Some(&nonce)).await.response()["first_factor_verification"]["status"], "expired");
    assert_eq!(late.sessions().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_app_connects_an_account_for_who_is_signed_in() {
    let (server, provider) = listed().await;
    server.user("bob@example.com", PASSWORD).await;
    let mut bob = App::new(&server);
    bob.post("/v1/client/sign_ins", &[("identifier", "bob@example.com"), ("password", PASSWORD)]).await.expect(200);
    let begun = bob.post("/v1/me/external_accounts", &[("strategy", ACME), ("redirect_url", APP_CALLBACK)]).await;
    let nonce = browser_back(&server, &provider.visit(&way(&begun))).await;
    let me = bob.get("/v1/me", Some(&nonce)).await.response().clone();
    assert_eq!(me["external_accounts"][0]["verification"]["status"], "verified", "{me}");
    assert_eq!(me["external_accounts"][0]["verification"]["expire_at"], START);
    // Handed in again, nothing changes.
    assert_eq!(bob.get("/v1/me", Some(&nonce)).await.response()["external_accounts"], me["external_accounts"]);
}

#[tokio::test]
async fn fault_115_an_app_is_led_to_listed_addresses_only() {
    let (server, provider) = listed().await;
    let mut app = App::new(&server);
    for (bad, code) in [
        ("my-app://callback/", "invalid_redirect_url"),
        ("my-app://callback?x=1", "invalid_redirect_url"),
        ("other-app://callback", "invalid_redirect_url"),
        ("my-app:callback", "invalid_redirect_url"),
        ("javascript://callback/%0aalert(1)", "invalid_redirect_url"),
        ("https://evil.example/", "invalid_redirect_url"),
        // A page that browsers may come back to is bound to a browser; an app is not.
        ("http://localhost:3000/callback", "invalid_redirect_url"),
        ("/relative", "invalid_redirect_url"),
    ] {
        for what in ["sign_ins", "sign_ups"] {
            let at = format!("/v1/client/{what}");
            app.post(&at, &[("strategy", ACME), ("redirect_url", bad)]).await.refused(422, code, "redirect_url");
            let fields = [("strategy", ACME), ("redirect_url", APP_CALLBACK), ("action_complete_redirect_url", bad)];
            app.post(&at, &fields).await.refused(422, code, "action_complete_redirect_url");
        }
    }
    // One that is listed may have a query of its own, and a page elsewhere that is listed is as good.
    for good in ["my-app://callback?from=oauth", "https://links.example/app"] {
        server.backend("POST", "/v1/redirect_urls", Some(json!({"url": good}))).await.expect(200);
        let begun = app.post("/v1/client/sign_ins", &[("strategy", ACME), ("redirect_url", good)]).await;
        let answer = server.browser().get(&provider.visit(&way(&begun))).await;
        let to = answer.headers["location"].to_str().unwrap();
        assert!(to.starts_with(good) && to.contains("rotating_token_nonce=ver_"), "{to}");
    }
    // What is no longer listed leads nobody away.
    let all = server.backend("GET", "/v1/redirect_urls", None).await.expect(200).clone();
    for it in all.as_array().unwrap() {
        server.backend("DELETE", &format!("/v1/redirect_urls/{}", it["id"].as_str().unwrap()), None).await.expect(200);
    }
    app.post("/v1/client/sign_ins", &[("strategy", ACME), ("redirect_url", APP_CALLBACK)]).await.refused(
        422,
        "invalid_redirect_url",
        "redirect_url",
    );
}
