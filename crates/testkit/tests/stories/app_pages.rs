//! What an instance says of its apps, where it sends browsers, and tokens for other services.

use doorward_core::settings::{AndroidApp, Settings};
use doorward_testkit::{ORIGIN, TestServer};
use serde_json::{Value, json};

const FINGERPRINT: &str = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5";

#[tokio::test]
async fn phones_learn_which_apps_belong_to_the_instance() {
    let server = TestServer::with_settings(|s| {
        s.native.apple_apps = vec!["A1B2C3D4E5.com.example.app".to_owned()];
        let prints = vec![FINGERPRINT.to_owned()];
        s.native.android_apps = vec![AndroidApp { package_name: "com.example.app".to_owned(), sha256_cert_fingerprints: prints }];
        s.attributes.passkey = true;
        s.allowed_origins = ["https://app.example.com", "https://*.example.com", "http://localhost:3000"].map(str::to_owned).to_vec();
    })
    .await;
    let mut phone = server.browser();
    let links = phone.get("/.well-known/assetlinks.json").await;
    let target = &links.expect(200)[0]["target"];
    assert_eq!((&target["package_name"], &target["sha256_cert_fingerprints"]), (&json!("com.example.app"), &json!([FINGERPRINT])));
    let apple = phone.get("/.well-known/apple-app-site-association").await;
    assert_eq!(apple.expect(200), &json!({"webcredentials": {"apps": ["A1B2C3D4E5.com.example.app"]}}));
    assert_eq!(phone.get("/.well-known/webauthn").await.expect(200), &json!({"origins": ["https://app.example.com"]}));

    let plain = TestServer::start().await;
    let mut phone = plain.browser();
    assert_eq!(phone.get("/.well-known/assetlinks.json").await.expect(200), &json!([]));
    assert_eq!(phone.get("/.well-known/webauthn").await.status, 404);
    let mut settings = Settings::default();
    settings.native.apple_apps = vec!["com.example.app".to_owned()];
    assert!(settings.validate().unwrap_err().contains("native.apple_apps"));
    settings.native = Default::default();
    settings.native.android_apps = vec![AndroidApp { package_name: "a".to_owned(), sha256_cert_fingerprints: vec!["00:11".to_owned()] }];
    assert!(settings.validate().unwrap_err().contains("native.android_apps"));
}

#[tokio::test]
async fn fault_115_a_redirect_leads_to_pages_of_the_app_only() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    let to = async |browser: &mut doorward_testkit::Browser, url: &str| {
        browser
            .get(&format!("/v1/redirect?redirect_url={}", url::form_urlencoded::byte_serialize(url.as_bytes()).collect::<String>()))
            .await
    };
    let page = format!("{ORIGIN}/somewhere?a=b");
    let sent = to(&mut browser, &page).await;
    assert_eq!((sent.status, sent.headers["location"].to_str().unwrap()), (307, page.as_str()));
    let home = browser.get("/v1/redirect").await;
    assert_eq!(home.status, 307);
    assert!(home.headers["location"].to_str().unwrap().starts_with("http"));
    for (bad, code) in [
        ("https://evil.example", "redirect_url_domain_mismatch"),
        ("//evil.example", "invalid_redirect_url"),
        ("javascript:alert(1)", "invalid_redirect_url"),
        ("http://localhost:3000@evil.example/", "invalid_redirect_url"),
        ("https://localhost.evil.example/", "redirect_url_domain_mismatch"),
        ("/relative", "invalid_redirect_url"),
    ] {
        to(&mut browser, bad).await.refused(422, code, "redirect_url");
    }
}

#[tokio::test]
async fn a_token_for_another_service_is_made_by_its_template() {
    let server = TestServer::with_settings(|s| {
        let mut template = doorward_core::settings::JwtTemplate::default();
        template.claims.insert("role".to_owned(), "{{user.username || 'nobody'}}".into());
        s.jwt_templates.insert("hasura".to_owned(), template);
    })
    .await;
    server.user("ada@example.com", "correct horse").await;
    let mut browser = server.browser();
    browser.post("/v1/me/tokens", &[("service", "hasura")]).await.refused(401, "authentication_invalid", "");
    browser.sign_in("ada@example.com", "correct horse").await.expect(200);
    let made = browser.post("/v1/me/tokens", &[("service", "hasura")]).await;
    assert_eq!((&made.expect(200)["object"], made.json["jwt"].as_str().unwrap().split('.').count()), (&json!("token"), 3));
    browser.post("/v1/me/tokens", &[]).await.refused(422, "form_param_missing", "service");
    assert_eq!(browser.post("/v1/me/tokens", &[("service", "firebase")]).await.status, 404);
}

#[tokio::test]
async fn what_matters_is_changed_by_who_was_there_lately_where_the_instance_asks_for_that() {
    let server = TestServer::with_settings(|s| s.session.reverify_sensitive = true).await;
    server.user("ada@example.com", "correct horse").await;
    let mut browser = server.browser();
    browser.sign_in("ada@example.com", "correct horse").await.expect(200);
    browser.post("/v1/me/email_addresses", &[("email_address", "one@example.com")]).await.expect(200);
    server.advance(std::time::Duration::from_secs(601));
    let table: Vec<_> = doorward_fapi::routes().table().copied().collect();
    for operation in doorward_wire::fapi::SENSITIVE {
        let meta = table.iter().find(|meta| meta.id == *operation).unwrap_or_else(|| panic!("no operation {operation}"));
        let path = meta.path.replace('{', "idn_").replace('}', "");
        let refused = browser.send(meta.method, &path, None).await;
        assert_eq!((refused.status, refused.code()), (403, "session_reverification_required"), "{operation}: {}", refused.text);
    }
    browser.get("/v1/me").await.expect(200);
    browser.post("/v1/me?_method=PATCH", &[("first_name", "Ada")]).await.expect(200);
    for name in ["username", "primary_email_address_id", "primary_phone_number_id", "primary_web3_wallet_id"] {
        let refused = browser.post("/v1/me?_method=PATCH", &[(name, "other")]).await;
        refused.refused(403, "session_reverification_required", "");
    }

    let phone = |name: &'static str| ("/v1/me/phone_numbers/idn_1?_method=PATCH", [(name, "true")]);
    let (at, reserved) = phone("reserved_for_second_factor");
    browser.post(at, &reserved).await.refused(403, "session_reverification_required", "");
    let (at, default) = phone("default_second_factor");
    assert_ne!(browser.post(at, &default).await.code(), "session_reverification_required", "the SDKs cannot prove presence for it");

    let session = browser.session_id().await.unwrap();
    let verify = format!("/v1/client/sessions/{session}/verify");
    browser.post(&verify, &[("level", "first_factor")]).await.expect(200);
    let fields = [("strategy", "password"), ("password", "correct horse")];
    browser.post(&format!("{verify}/attempt_first_factor"), &fields).await.expect(200);
    browser.post("/v1/me/email_addresses", &[("email_address", "two@example.com")]).await.expect(200);
    let lax = TestServer::start().await;
    lax.user("ada@example.com", "correct horse").await;
    let mut browser = lax.browser();
    browser.sign_in("ada@example.com", "correct horse").await.expect(200);
    lax.advance(std::time::Duration::from_secs(601));
    let added = browser.post("/v1/me/email_addresses", &[("email_address", "one@example.com")]).await;
    assert_ne!(added.response()["id"], Value::Null);
}
