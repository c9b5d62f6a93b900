//! What a server reads and changes of its instance.

use doorward_core::keys::Environment;
use doorward_core::settings::Presence;
use doorward_testkit::{Options, TestServer};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";

async fn patch(server: &TestServer, path: &str, body: Value) -> doorward_testkit::Answer {
    server.backend("PATCH", path, Some(body)).await
}

#[tokio::test]
async fn settings_are_read_and_changed_and_hold_at_once() {
    let server = TestServer::start().await;
    let read = async || server.backend("GET", "/v1/instance", None).await.expect(200).clone();
    let before = read().await;
    let id = server.instance.id.to_string();
    assert_eq!((&before["object"], &before["id"], &before["environment_type"]), (&json!("instance"), &json!(id), &json!("development")));
    let change = json!({"allowed_origins": ["https://app.example.com"], "support_email": "help@example.com", "hibp": true,
        "preferred_sign_in_strategy_when_password_required": "otp", "test_mode": false});
    let done = patch(&server, "/v1/instance", change).await;
    assert_eq!((done.status, done.text.as_str()), (204, ""));
    assert_eq!(read().await["allowed_origins"], json!(["https://app.example.com"]));
    let shown = server.browser().get("/v1/environment").await.expect(200).clone();
    assert_eq!(shown["display_config"]["support_email"], "help@example.com");
    assert_eq!(shown["display_config"]["preferred_sign_in_strategy"], "otp");
    assert_eq!(shown["auth_config"]["test_mode"], false);
    assert_eq!(shown["user_settings"]["password_settings"]["disable_hibp"], false);
    assert_eq!(
        patch(&server, "/v1/instance", json!({"support_email": "", "preferred_sign_in_strategy_when_password_required": ""})).await.status,
        204
    );
    let shown = server.browser().get("/v1/environment").await.expect(200).clone();
    assert_eq!((&shown["display_config"]["support_email"], &shown["auth_config"]["test_mode"]), (&Value::Null, &json!(false)));
    for (change, code, param) in [
        (json!({"allowed_origins": ["app.example.com"]}), "form_invalid_origin", "allowed_origins"),
        (json!({"allowed_origins": ["https://*"]}), "form_invalid_origin", "allowed_origins"),
        (json!({"support_email": "nobody"}), "form_param_format_invalid", "support_email"),
        (
            json!({"preferred_sign_in_strategy_when_password_required": "magic"}),
            "form_param_value_invalid",
            "preferred_sign_in_strategy_when_password_required",
        ),
        (json!({"clerk_js_version": "5\"><script>"}), "form_param_format_invalid", "clerk_js_version"),
        (json!({"development_origin": "app.example.com"}), "form_invalid_origin", "development_origin"),
        (json!({"nothing": "5"}), "form_param_unknown", "nothing"),
    ] {
        patch(&server, "/v1/instance", change).await.refused(422, code, param);
    }
    assert_eq!(read().await["allowed_origins"], json!(["https://app.example.com"]));
}

#[tokio::test]
async fn an_app_is_developed_elsewhere_and_told_which_script_to_load() {
    for (environment, let_in) in [(Environment::Development, true), (Environment::Production, false)] {
        let server = TestServer::with(Options { environment, ..Options::default() }).await;
        let elsewhere = async || {
            let mut browser = server.browser();
            browser.origin = Some("https://dev.example.com".to_owned());
            browser.post("/v1/client/sign_ins", &[]).await.code() != "origin_invalid"
        };
        assert!(!elsewhere().await);
        let change = json!({"clerk_js_version": "5.1.0", "development_origin": "https://dev.example.com",
            "url_based_session_syncing": false, "cookieless_dev": false});
        assert_eq!(patch(&server, "/v1/instance", change).await.status, 204);
        assert_eq!(elsewhere().await, let_in, "{environment:?}");
        let shown = server.browser().get("/v1/environment").await.expect(200).clone();
        assert_eq!(shown["display_config"]["clerk_js_version"], "5.1.0");
        assert_eq!(shown["auth_config"]["url_based_session_syncing"], let_in, "as ever");
        let domain = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0].clone();
        assert_eq!(domain["development_origin"], "https://dev.example.com");
        assert_eq!(patch(&server, "/v1/instance", json!({"clerk_js_version": "", "development_origin": ""})).await.status, 204);
        assert!(!elsewhere().await);
        let shown = server.browser().get("/v1/environment").await.expect(200).clone();
        assert_eq!(shown["display_config"]["clerk_js_version"], Value::Null);
    }
}

#[tokio::test]
async fn what_sdks_send_of_the_hosted_service_s_own_is_taken_without_effect() {
    let server = TestServer::start().await;
    patch(&server, "/v1/instance", json!({"enhanced_email_deliverability": false, "hibp": false})).await.expect(204);
    let told = patch(&server, "/v1/beta_features/instance_settings", json!({"enhanced_email_deliverability": true})).await;
    assert_eq!(told.expect(200)["enhanced_email_deliverability"], false);
    let user = json!({"email_address": ["ada@example.com"], "timezone": "Europe/London", "skip_password_requirement": true});
    let id = server.backend("POST", "/v1/users", Some(user)).await.expect(200)["id"].as_str().unwrap().to_owned();
    patch(&server, &format!("/v1/users/{id}"), json!({"timezone": "UTC"})).await.expect(200);
    let at = "/v1/instance/organization_settings";
    patch(&server, at, json!({"creator_role_id": "", "domains_default_role_id": null, "enabled": true})).await.expect(200);
    for param in ["creator_role_id", "domains_default_role_id"] {
        patch(&server, at, json!({param: "role_1", "enabled": false})).await.refused(404, "resource_not_found", "");
    }
    assert_eq!(server.backend("GET", at, None).await.expect(200)["enabled"], true);
    let ticket = async |org: Value| server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": id, "org_id": org}))).await;
    ticket(Value::Null).await.expect(200);
    ticket(json!("org_1")).await.refused(404, "resource_not_found", "");
    let listed = server.backend("GET", "/v1/blocklist_identifiers?limit=10&offset=0", None).await;
    assert_eq!(listed.expect(200)["total_count"], 0);
    let moved = server.backend("POST", "/v1/beta_features/change_domain", Some(json!({"home_url": "https://new.example.com"}))).await;
    let same = server.backend("POST", "/v1/instance/change_domain", Some(json!({"home_url": "https://new.example.com"}))).await;
    assert_eq!((moved.status, moved.code()), (same.status, same.code()));
}

#[tokio::test]
async fn a_misspelt_filter_is_named_and_reads_nothing() {
    let server = TestServer::start().await;
    for (path, param) in [("/v1/users?user_ids=user_1", "user_ids"), ("/v1/users?limit=1&emailAddress=a@example.com", "emailAddress")] {
        server.backend("GET", path, None).await.refused(422, "form_param_unknown", param);
    }
    server.backend("GET", "/v1/users?__clerk_api_version=2025-11-10", None).await.expect(200);
    server.backend("GET", "/v1/users?order_by=username&order_by=-created_at", None).await.expect(200);
    server.backend("GET", "/v1/users?limit=1&limit=2", None).await.refused(422, "form_param_duplicate", "limit");
}

#[tokio::test]
async fn dots_in_addresses_count_and_servers_of_before_are_told_so() {
    let server = TestServer::start().await;
    let restrict =
        async |date: &str, body: Value| patch(&server, &format!("/v1/instance/restrictions?__clerk_api_version={date}"), body).await;
    let param = "ignore_dots_for_gmail_addresses";
    let before = restrict("2025-03-12", json!({param: false, "blocklist": true})).await;
    assert_eq!((&before.expect(200)[param], &before.json["blocklist"]), (&json!(false), &json!(true)));
    restrict("2025-03-12", json!({param: true})).await.refused(422, "form_param_value_invalid", param);
    restrict("2025-04-10", json!({param: false})).await.refused(422, "form_param_unknown", param);
    assert_eq!(restrict("2025-04-10", json!({})).await.expect(200).get(param), None);
}

#[tokio::test]
async fn test_addresses_have_a_fixed_code_where_and_only_where_that_is_on() {
    for (environment, by_default) in [(Environment::Development, true), (Environment::Production, false)] {
        let server = TestServer::with(Options { environment, ..Options::default() }).await;
        for (set, fixed) in [(None, by_default), (Some(!by_default), !by_default)] {
            if let Some(on) = set {
                let answer = patch(&server, "/v1/beta_features/instance_settings", json!({"test_mode": on})).await;
                assert_eq!(answer.expect(200)["object"], "instance_settings");
            }
            let mut browser = server.browser();
            let email = format!("ada_{fixed}+clerk_test@example.com");
            let begun = browser.post("/v1/client/sign_ups", &[("email_address", &email), ("password", PASSWORD)]).await;
            let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
            browser.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
            let fields = [("strategy", "email_code"), ("code", "424242")];
            let tried = browser.post(&format!("{at}/attempt_verification"), &fields).await;
            assert_eq!(tried.status, if fixed { 200 } else { 422 }, "{environment:?} {set:?}: {}", tried.text);
        }
    }
}

#[tokio::test]
async fn numbers_of_blocked_countries_are_refused() {
    let server = TestServer::with_settings(|s| s.attributes.phone_number = Presence::Optional).await;
    let at = "/v1/instance/communication";
    let blocked = server.backend("GET", at, None).await.expect(200).clone();
    let all = blocked["blocked_country_codes"].as_array().unwrap();
    assert!(all.contains(&json!("DE")) && !all.contains(&json!("US")));
    let user = server.user("ada@example.com", PASSWORD).await;
    let add =
        async |number: &str| server.backend("POST", "/v1/phone_numbers", Some(json!({"user_id": user, "phone_number": number}))).await;
    add("+4915112345678").await.refused(403, "unsupported_country_code", "phone_number");
    let now = patch(&server, at, json!({"blocked_country_codes": ["US", "XX"]})).await;
    assert_eq!(now.expect(200)["blocked_country_codes"], json!(["US"]), "what is no country is passed over");
    add("+4915112345678").await.expect(200);
    add("+12024560143").await.refused(403, "unsupported_country_code", "phone_number");
    assert_eq!(patch(&server, at, json!({})).await.expect(200)["blocked_country_codes"], json!(["US"]));
    patch(&server, at, json!({"blocked_country_codes": ["us"]})).await.refused(422, "form_param_format_invalid", "blocked_country_codes");
    patch(&server, at, json!({"blocked_country_codes": ["US", "US"]})).await.refused(422, "form_param_duplicate", "blocked_country_codes");
}

#[tokio::test]
async fn the_domain_shows_its_proxy_and_takes_one_on_production_only() {
    let server = TestServer::start().await;
    let listed = server.backend("GET", "/v1/domains", None).await.expect(200).clone();
    assert_eq!((&listed["total_count"], &listed["data"][0]["is_satellite"]), (&json!(1), &json!(false)));
    assert_eq!(listed["data"][0]["frontend_api_url"], json!(server.instance.frontend_url));
    let at = format!("/v1/domains/{}", listed["data"][0]["id"].as_str().unwrap());
    let proxy = json!({"proxy_url": "https://app.example.com/__clerk"});
    patch(&server, &at, proxy.clone()).await.refused(400, "domain_update_forbidden", "");
    assert_eq!(patch(&server, "/v1/domains/dmn_other", proxy.clone()).await.status, 404);

    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    let at = format!("/v1/domains/{}", server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0]["id"].as_str().unwrap());
    let changed = patch(&server, &at, proxy.clone()).await.expect(200).clone();
    assert_eq!(changed["proxy_url"], proxy["proxy_url"]);
    assert_eq!(server.backend("GET", "/v1/domains", None).await.expect(200)["data"], json!([changed]));
    patch(&server, &at, json!({"proxy_url": "javascript:alert(1)"})).await.refused(422, "form_param_format_invalid", "proxy_url");
    assert_eq!(patch(&server, &at, json!({})).await.expect(200)["proxy_url"], proxy["proxy_url"]);
    assert_eq!(patch(&server, &at, json!({"proxy_url": null})).await.expect(200)["proxy_url"], Value::Null);
}

#[tokio::test]
async fn a_proxy_is_asked_whether_it_works() {
    let server = TestServer::start().await;
    let check = async |body: Value| server.backend("POST", "/v1/proxy_checks", Some(body)).await;
    check(json!({})).await.refused(422, "form_param_missing", "proxy_url");
    check(json!({"proxy_url": "nonsense"})).await.refused(422, "form_param_format_invalid", "proxy_url");
    assert_eq!(check(json!({"proxy_url": "https://a.test", "domain_id": "dmn_other"})).await.status, 404);
    // The server itself answers, but says no address of a proxy, as one that does not send the headers.
    let itself = format!("http://{}", server.public);
    check(json!({"proxy_url": itself})).await.refused(422, "invalid_proxy_configuration", "proxy_url");
    let proxy = proxy(&server).await;
    let done = check(json!({"proxy_url": proxy})).await.expect(200).clone();
    assert_eq!((&done["successful"], &done["proxy_url"], &done["object"]), (&json!(true), &json!(proxy), &json!("proxy_check")));
}

/// A proxy in front of the Frontend API, as apps make it.
async fn proxy(server: &TestServer) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/__clerk", listener.local_addr().unwrap());
    let (behind, key, own) = (server.public, server.instance.secret_key.clone(), url.clone());
    let forward = move |uri: axum::http::Uri| {
        let (key, own) = (key.clone(), own.clone());
        async move {
            let path = uri.path_and_query().unwrap().as_str().trim_start_matches("/__clerk").to_owned();
            let request = reqwest::Client::new().get(format!("http://{behind}{path}"));
            let sent = request.header("clerk-proxy-url", own).header("clerk-secret-key", key.expose()).send().await.unwrap();
            sent.text().await.unwrap()
        }
    };
    let router = axum::Router::new().fallback(forward);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn the_backend_api_is_called_with_the_version_in_its_path_or_without() {
    let server = TestServer::start().await;
    let with = server.backend("GET", "/v1/instance", None).await.expect(200).clone();
    assert_eq!(server.backend("GET", "/instance", None).await.expect(200), &with);
    server.user("ada@example.com", "correct horse").await;
    let found = server.backend("GET", "/users?email_address=ada%40example.com", None).await;
    let at = format!("/users/{}", found.expect(200)[0]["id"].as_str().unwrap());
    assert_eq!(patch(&server, &at, json!({"first_name": "Ada"})).await.expect(200)["first_name"], "Ada");
    server.backend("GET", "/nothing/here", None).await.refused(404, "resource_not_found", "");
    server.backend("PUT", "/instance", None).await.refused(405, "method_not_allowed", "");
    let unknown = server.browser().get("/client").await;
    assert_eq!(unknown.status, 404, "browsers' SDKs all say the version");
}
