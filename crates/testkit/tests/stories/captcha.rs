//! Captchas: a sign-up needs one where the settings say so, and nobody is asked for one anywhere else.

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use doorward_core::captcha::CaptchaWidget;
use doorward_core::keys::Environment;
use doorward_core::oauth::OAuthConnection;
use doorward_core::settings::CaptchaSettings;
use doorward_testkit::{Answer, Browser, CLIENT_ID, CLIENT_SECRET, ORIGIN, Options, Provider, TestServer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const SECRET: &str = "1x0000000000000000000000000000000AA";

/// How the service is.
#[derive(Clone, Copy)]
enum Mood {
    Fine,
    Broken,
    Silent,
    Nonsense,
}

/// A service that verifies tokens: those that begin with `good` are good, once.
#[derive(Clone)]
struct Service {
    asked: Arc<Mutex<Vec<HashMap<String, String>>>>,
    mood: Arc<Mutex<Mood>>,
    url: String,
}

async fn verdict(State(it): State<Service>, body: String) -> (http::StatusCode, String) {
    let fields: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let fine = |value: Value| (http::StatusCode::OK, value.to_string());
    let bad = |why: &str| fine(json!({"success": false, "error-codes": [why]}));
    let mood = *it.mood.lock().unwrap();
    let token = fields["response"].clone();
    let before = it.asked.lock().unwrap().iter().any(|asked| asked["response"] == token);
    let secret = fields["secret"].clone();
    it.asked.lock().unwrap().push(fields);
    match mood {
        Mood::Broken => (http::StatusCode::BAD_GATEWAY, String::new()),
        Mood::Nonsense => fine(json!(["what?"])),
        Mood::Silent => std::future::pending().await,
        Mood::Fine if ![SECRET, "invisible secret"].contains(&secret.as_str()) => bad("invalid-input-secret"),
        Mood::Fine if before => bad("timeout-or-duplicate"),
        Mood::Fine if token.starts_with("good") => fine(json!({"success": true, "error-codes": [], "hostname": "app.example.com"})),
        Mood::Fine => bad("invalid-input-response"),
    }
}

impl Service {
    async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/turnstile/v0/siteverify", listener.local_addr().unwrap());
        let it = Self { asked: Arc::default(), mood: Arc::new(Mutex::new(Mood::Fine)), url };
        let router = Router::new().route("/turnstile/v0/siteverify", post(verdict)).with_state(it.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        it
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn settings(&self) -> CaptchaSettings {
        CaptchaSettings {
            sign_up: true,
            site_key: Some("0x4AAsmart".to_owned()),
            invisible_site_key: Some("0x4AAinvisible".to_owned()),
            verify_url: Some(self.url.clone()),
            ..CaptchaSettings::default()
        }
    }
}

async fn server_with(captcha: CaptchaSettings, environment: Environment) -> TestServer {
    let mut options = Options { environment, ..Options::default() };
    options.settings.captcha = captcha;
    let server = TestServer::with(options).await;
    server.provider_secret("captcha", SECRET).await;
    server
}

/// A production instance that asks for captchas, and the service.
async fn server(change: impl FnOnce(&mut CaptchaSettings)) -> (TestServer, Service) {
    let service = Service::serve().await;
    let mut captcha = service.settings();
    change(&mut captcha);
    (server_with(captcha, Environment::Production).await, service)
}

async fn sign_up(browser: &mut Browser, more: &[(&str, &str)]) -> Answer {
    browser.post("/v1/client/sign_ups", &[&[("email_address", EMAIL), ("password", PASSWORD)], more].concat()).await
}

async fn environment(server: &TestServer) -> Value {
    server.browser().get("/v1/environment").await.expect(200).clone()
}

#[tokio::test]
async fn nobody_is_asked_unless_the_settings_say_so() {
    let server = TestServer::start().await;
    let shown = environment(&server).await;
    assert_eq!(shown["user_settings"]["sign_up"]["captcha_enabled"], false);
    let display = &shown["display_config"];
    assert_eq!((&display["captcha_public_key"], &display["captcha_public_key_invisible"]), (&Value::Null, &Value::Null));
    let mut browser = server.browser();
    let begun = sign_up(&mut browser, &[("captcha_token", "whatever"), ("captcha_widget_type", "smart")]).await;
    assert_eq!((begun.expect(200), &begun.json["client"]["captcha_bypass"]), (&begun.json, &json!(true)));
    browser.post("/v1/client/verify", &[("captcha_token", "good")]).await.refused(400, "captcha_not_enabled", "");
    sign_up(&mut server.browser(), &[("captcha_error", "300030")]).await.expect(200);
}

#[tokio::test]
async fn sdks_show_no_captcha_on_development_instances_so_none_is_asked_for() {
    let service = Service::serve().await;
    let server = server_with(service.settings(), Environment::Development).await;
    let shown = environment(&server).await;
    assert_eq!(shown["user_settings"]["sign_up"]["captcha_enabled"], false);
    assert_eq!(shown["display_config"]["captcha_public_key"], Value::Null);
    sign_up(&mut server.browser(), &[]).await.expect(200);
    assert_eq!(service.times_asked(), 0);
}

#[tokio::test]
async fn a_sign_up_needs_a_captcha_that_was_passed() {
    let (server, service) = server(|it| it.widget = CaptchaWidget::Invisible).await;
    let shown = environment(&server).await;
    let (display, sign_ups) = (&shown["display_config"], &shown["user_settings"]["sign_up"]);
    assert_eq!((&display["captcha_public_key"], &display["captcha_widget_type"]), (&json!("0x4AAsmart"), &json!("invisible")));
    assert_eq!((&display["captcha_public_key_invisible"], &display["captcha_provider"]), (&json!("0x4AAinvisible"), &json!("turnstile")));
    assert_eq!((&sign_ups["captcha_enabled"], &sign_ups["captcha_widget_type"]), (&json!(true), &json!("invisible")));
    let mut browser = server.browser();
    sign_up(&mut browser, &[]).await.refused(400, "captcha_missing_token", "");
    sign_up(&mut browser, &[("captcha_token", " ")]).await.refused(400, "captcha_missing_token", "");
    sign_up(&mut browser, &[("captcha_error", "300030")]).await.refused(400, "captcha_invalid", "");
    sign_up(&mut browser, &[("captcha_token", &"good".repeat(600))]).await.refused(400, "captcha_invalid", "");
    assert_eq!(service.times_asked(), 0);
    sign_up(&mut browser, &[("captcha_token", "bad")]).await.refused(400, "captcha_invalid", "");
    let both = [("captcha_token", "good 0"), ("captcha_error", "300030")];
    sign_up(&mut browser, &both).await.refused(400, "captcha_invalid", "");
    let begun = sign_up(&mut browser, &[("captcha_token", "good 1"), ("captcha_widget_type", "smart")]).await;
    assert_eq!(begun.expect(200)["client"]["captcha_bypass"], false, "the next sign-up needs another one");
    let asked = service.asked.lock().unwrap().last().unwrap().clone();
    assert_eq!((asked["secret"].as_str(), asked["remoteip"].as_str()), (SECRET, "127.0.0.1"));
    sign_up(&mut server.browser(), &[("captcha_token", "good 1")]).await.refused(400, "captcha_invalid", "");

    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for(EMAIL).await;
    let done = browser.post(&format!("{at}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");
    let sent = server.outbox().await.len();
    assert_eq!(sent, 1, "who passed none caused no mail");
}

#[tokio::test]
async fn each_widget_has_a_secret_of_its_own_or_shares_the_one_there_is() {
    let (server, service) = server(|_| {}).await;
    let invisible = |token: &'static str| [("captcha_token", token), ("captcha_widget_type", "invisible")];
    sign_up(&mut server.browser(), &invisible("good 1")).await.expect(200);
    server.provider_secret("captcha_invisible", "invisible secret").await;
    sign_up(&mut server.browser(), &invisible("good 2")).await.expect(200);
    sign_up(&mut server.browser(), &[("captcha_token", "good 3"), ("captcha_widget_type", "smart")]).await.expect(200);
    let secrets: Vec<String> = service.asked.lock().unwrap().iter().map(|asked| asked["secret"].clone()).collect();
    assert_eq!(secrets, [SECRET, "invisible secret", SECRET]);
}

#[tokio::test]
async fn fault_146_a_service_that_fails_lets_nobody_in_unless_the_settings_say_so() {
    let (strict, service) = server(|_| {}).await;
    let lax = server_with(CaptchaSettings { required: false, ..service.settings() }, Environment::Production).await;
    for (n, mood) in [Mood::Broken, Mood::Nonsense, Mood::Silent].into_iter().enumerate() {
        service.is(mood);
        let token = format!("good {n}");
        let refused = sign_up(&mut strict.browser(), &[("captcha_token", &token)]).await;
        assert_eq!((refused.status, refused.code()), (503, "server_busy"), "{}", refused.text);
        sign_up(&mut lax.browser(), &[("captcha_token", &token)]).await.expect(200);
        sign_up(&mut lax.browser(), &[]).await.refused(400, "captcha_missing_token", "");
    }
    service.is(Mood::Fine);
    sign_up(&mut lax.browser(), &[("captcha_token", "bad")]).await.refused(400, "captcha_invalid", "");
    // A secret that the service does not know is our fault and not the person's.
    strict.provider_secret("captcha", "another").await;
    let refused = sign_up(&mut strict.browser(), &[("captcha_token", "good 9")]).await;
    assert_eq!((refused.status, refused.code()), (503, "server_busy"));
    // So is one that was never set.
    let mut options = Options { environment: Environment::Production, ..Options::default() };
    options.settings.captcha = service.settings();
    let without = TestServer::with(options).await;
    let refused = sign_up(&mut without.browser(), &[("captcha_token", "good 10")]).await;
    assert_eq!((refused.status, refused.code()), (503, "server_busy"));
}

#[tokio::test]
async fn fault_146_testing_tokens_stand_for_a_captcha() {
    let (server, service) = server(|it| it.sign_in = true).await;
    let token = server.backend("POST", "/v1/testing_tokens", None).await.expect(200)["token"].as_str().unwrap().to_owned();
    let fields = [("email_address", EMAIL), ("password", PASSWORD)];
    let with = |path: &str, token: &str| format!("{path}?__clerk_testing_token={token}");
    server.browser().post(&with("/v1/client/sign_ups", &token), &fields).await.expect(200);
    server.browser().post(&with("/v1/client/sign_ups", "dwt_wrong"), &fields).await.refused(400, "captcha_missing_token", "");
    server.user(EMAIL, PASSWORD).await;
    let sign_in = [("identifier", EMAIL), ("password", PASSWORD)];
    server.browser().post(&with("/v1/client/sign_ins", &token), &sign_in).await.expect(200);
    server.browser().post(&with("/v1/client/verify", &token), &[]).await.expect(200);
    assert_eq!(service.times_asked(), 0);
    server.advance(Duration::from_secs(3601));
    server.browser().post(&with("/v1/client/sign_ups", &token), &fields).await.refused(400, "captcha_missing_token", "");
}

#[tokio::test]
async fn a_client_that_passed_one_is_asked_for_none_for_an_hour() {
    let (server, service) = server(|it| it.sign_in = true).await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.refused(401, "requires_captcha", "");
    browser.post("/v1/client/verify", &[("captcha_token", "bad")]).await.refused(400, "captcha_invalid", "");
    browser.post("/v1/client/verify", &[("captcha_error", "captcha_unavailable")]).await.refused(400, "captcha_invalid", "");
    browser.post("/v1/client/verify", &[]).await.refused(400, "captcha_missing_token", "");
    browser.sign_in(EMAIL, PASSWORD).await.refused(401, "requires_captcha", "");
    let passed = browser.post("/v1/client/verify", &[("captcha_token", "good 1"), ("captcha_widget_type", "smart")]).await;
    assert_eq!((&passed.response()["captcha_bypass"], &passed.json["client"]), (&json!(true), &Value::Null));
    assert_eq!(browser.sign_in(EMAIL, PASSWORD).await.response()["status"], "complete");
    browser.send("DELETE", "/v1/client/sessions", None).await.expect(200);
    let asked = service.times_asked();
    let fields = [("email_address", "bob@example.com"), ("password", PASSWORD)];
    browser.post("/v1/client/sign_ups", &fields).await.expect(200);
    assert_eq!(service.times_asked(), asked);
    server.advance(Duration::from_secs(3600));
    browser.post("/v1/client/sign_ups", &fields).await.refused(400, "captcha_missing_token", "");
    server.browser().sign_in(EMAIL, PASSWORD).await.refused(401, "requires_captcha", "");
}

#[tokio::test]
async fn providers_that_are_trusted_spare_it_and_nothing_else_by_their_name() {
    let account = json!({"sub": "ada-1", "email": EMAIL, "email_verified": true, "given_name": "Ada"});
    let (provider, service) = (Provider::start(account).await, Service::serve().await);
    let acme = || OAuthConnection { client_id: CLIENT_ID.to_owned(), issuer: Some(provider.url()), ..OAuthConnection::default() };
    let mut options = Options { environment: Environment::Production, ..Options::default() };
    options.settings.captcha = CaptchaSettings { oauth_bypass: vec!["oauth_custom_acme".to_owned()], ..service.settings() };
    options.settings.oauth.insert("custom_acme".to_owned(), acme());
    options.settings.oauth.insert("custom_other".to_owned(), acme());
    let server = TestServer::with(options).await;
    for (key, secret) in [("custom_acme", CLIENT_SECRET), ("custom_other", CLIENT_SECRET), ("captcha", SECRET)] {
        server.provider_secret(key, secret).await;
    }
    assert_eq!(environment(&server).await["display_config"]["captcha_oauth_bypass"], json!(["oauth_custom_acme"]));
    let by = |strategy: &'static str| [("strategy", strategy), ("redirect_url", "/back"), ("action_complete_redirect_url", "/done")];
    server.browser().post("/v1/client/sign_ups", &by("oauth_custom_other")).await.refused(400, "captcha_missing_token", "");
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &by("oauth_custom_acme")).await;
    let way = begun.response()["verifications"]["external_account"]["external_verification_redirect_url"].as_str().unwrap();
    // Whoever turns to another way meanwhile has to pass one.
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    let (patch, prepare) = (format!("{at}?_method=PATCH"), format!("{at}/prepare_verification"));
    let fields = [("email_address", "eve@example.com"), ("password", PASSWORD)];
    for (path, fields) in [(&patch, &fields[..]), (&prepare, &by("oauth_custom_other")), (&prepare, &[("strategy", "email_code")])] {
        browser.post(path, fields).await.refused(400, "captcha_missing_token", "");
    }
    assert_eq!(browser.get(&provider.visit(way)).await.headers["location"], format!("{ORIGIN}/done"));
    assert_eq!(service.times_asked(), 0, "nobody was asked");

    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &by("oauth_custom_acme")).await;
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    let later = [&fields[..], &[("captcha_token", "good 1")]].concat();
    browser.post(&format!("{at}?_method=PATCH"), &later).await.expect(200);
    browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
}

/// The SDKs bring the token with the sign-in, and none with the sign-up that goes on from there.
#[tokio::test]
async fn whoever_may_turn_out_to_be_new_is_asked_at_the_door() {
    let (server, service) = server(|_| {}).await;
    let fields = [("identifier", EMAIL), ("strategy", "email_code"), ("sign_up_if_missing", "true")];
    let mut ada = server.browser();
    ada.post("/v1/client/sign_ins", &fields).await.refused(400, "captcha_missing_token", "");
    assert_eq!(server.outbox().await.len(), 0, "nobody is written to for a script");
    let answered = [&fields[..], &[("captcha_token", "good one"), ("captcha_widget_type", "smart")]].concat();
    let begun = ada.post("/v1/client/sign_ins", &answered).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());
    let code = server.code_for(EMAIL).await;
    ada.post(&at, &[("strategy", "email_code"), ("code", &code)]).await.refused(422, "sign_up_if_missing_transfer", "");
    let made = ada.post("/v1/client/sign_ups", &[("transfer", "true"), ("password", PASSWORD)]).await;
    assert_eq!(made.response()["status"], "complete", "{}", made.text);
    assert_eq!(service.times_asked(), 1);
}
