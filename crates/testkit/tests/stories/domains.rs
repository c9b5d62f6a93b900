//! An instance's domains: satellites that share its users, a move to another domain, and settings that are kept.

use doorward_core::keys::Environment;
use doorward_testkit::{Answer, Browser, Options, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

async fn production() -> TestServer {
    TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await
}

async fn call(server: &TestServer, method: &str, path: &str, body: Value) -> Answer {
    server.backend(method, path, Some(body)).await
}

fn location(answer: &Answer) -> url::Url {
    assert_eq!(answer.status, 307, "{}", answer.text);
    answer.headers["location"].to_str().unwrap().parse().unwrap()
}

/// The path and query of an address on one of the server's hosts.
fn path(url: &url::Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

async fn with_satellite(server: &TestServer) -> Value {
    call(server, "POST", "/v1/domains", json!({"name": "Sat.example", "is_satellite": true})).await.expect(200).clone()
}

#[tokio::test]
async fn a_satellite_is_added_renamed_and_removed() {
    let server = production().await;
    let made = with_satellite(&server).await;
    assert_eq!((&made["name"], &made["is_satellite"], &made["accounts_portal_url"]), (&json!("sat.example"), &json!(true), &Value::Null));
    assert_eq!(made["frontend_api_url"], "http://clerk.sat.example");
    assert_eq!(made["cname_targets"], json!([{"host": "clerk.sat.example", "value": server.public.to_string(), "required": true}]));
    let listed = server.backend("GET", "/v1/domains", None).await.expect(200).clone();
    assert_eq!((&listed["total_count"], &listed["data"][1]), (&json!(2), &made));
    let jwks = server.browser_on("clerk.sat.example").get("/.well-known/jwks.json").await;
    assert_eq!(jwks.expect(200)["keys"].as_array().unwrap().len(), 1, "its Frontend API answers");

    let at = format!("/v1/domains/{}", made["id"].as_str().unwrap());
    let proxy = json!({"proxy_url": "https://sat.example/__clerk"});
    assert_eq!(call(&server, "PATCH", &at, proxy.clone()).await.expect(200)["proxy_url"], proxy["proxy_url"]);
    assert_eq!(call(&server, "PATCH", &at, json!({"proxy_url": null})).await.expect(200)["proxy_url"], Value::Null);
    assert_eq!(call(&server, "PATCH", &at, json!({"name": "moon.example"})).await.expect(200)["name"], "moon.example");
    assert_eq!(server.browser_on("clerk.sat.example").get("/.well-known/jwks.json").await.status, 400);
    server.browser_on("clerk.moon.example").get("/.well-known/jwks.json").await.expect(200);

    let gone = server.backend("DELETE", &at, None).await;
    assert_eq!(gone.expect(200), &json!({"object": "domain", "id": made["id"], "deleted": true}));
    assert_eq!(server.backend("DELETE", &at, None).await.status, 404);
    assert_eq!(server.browser_on("clerk.moon.example").get("/.well-known/jwks.json").await.status, 400);
}

#[tokio::test]
async fn what_is_no_satellite_is_refused() {
    let server = production().await;
    let add = async |body: Value| call(&server, "POST", "/v1/domains", body).await;
    add(json!({"name": "a.example"})).await.refused(422, "form_param_missing", "is_satellite");
    add(json!({"name": "a.example", "is_satellite": false})).await.refused(422, "primary_domain_already_exists", "");
    add(json!({"is_satellite": true})).await.refused(422, "form_param_missing", "name");
    for name in ["localhost", "a.example:443", "https://a.example", "a.example/x", "u@a.example", "127.0.0.1", "a..example"] {
        add(json!({"name": name, "is_satellite": true})).await.refused(422, "form_param_format_invalid", "name");
    }
    with_satellite(&server).await;
    add(json!({"name": "sat.example", "is_satellite": true})).await.refused(422, "home_url_taken", "name");
    let own = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let kept = server.backend("DELETE", &format!("/v1/domains/{own}"), None).await;
    kept.refused(403, "operation_not_allowed_on_primary_domain", "");

    // Another instance's apps are not moved onto a host that somebody has.
    let other = server.another_instance("clerk.taken.example").await;
    add(json!({"name": "taken.example", "is_satellite": true})).await.refused(422, "home_url_taken", "name");
    assert_eq!(server.backend("GET", "/v1/domains", None).await.expect(200)["total_count"], 2, "nothing was half done");
    let development =
        server.backend_as(&other.secret_key, "POST", "/v1/domains", Some(json!({"name": "localhost:3001", "is_satellite": true})));
    let development = development.await.expect(200).clone();
    assert_eq!((&development["cname_targets"], &development["frontend_api_url"]), (&json!([]), &json!(other.frontend_url)));
    let proxied = json!({"name": "localhost:3002", "is_satellite": true, "proxy_url": "https://a.example/p"});
    let proxied = server.backend_as(&other.secret_key, "POST", "/v1/domains", Some(proxied)).await;
    proxied.refused(400, "domain_update_forbidden", "");
}

/// Ada's browser, which is signed in on the instance's own domain, and the same browser on the satellite: cookies are a host's.
async fn ada(server: &TestServer) -> (Browser, Browser) {
    server.user(EMAIL, PASSWORD).await;
    let mut there = server.browser();
    there.sign_in(EMAIL, PASSWORD).await.expect(200);
    (there, server.browser_on("clerk.sat.example"))
}

const HANDSHAKE: &str = "/v1/client/handshake?redirect_url=http%3A%2F%2Fwww.sat.example%2Fin%3Fa%3D1&format=nonce";

/// The way over the instance's own domain and back: the address that links the clients.
async fn synced(there: &mut Browser, here: &mut Browser) -> url::Url {
    let out = location(&here.get(HANDSHAKE).await);
    assert_eq!((out.path(), out.query_pairs().any(|it| it.0 == "link_domain" && it.1 == "sat.example")), ("/v1/client/sync", true));
    let back = location(&there.get(&path(&out)).await);
    assert_eq!((back.host_str(), back.path()), (Some("clerk.sat.example"), "/v1/client/link"));
    back
}

#[tokio::test]
async fn who_is_signed_in_on_the_own_domain_is_on_a_satellite() {
    let server = production().await;
    with_satellite(&server).await;
    let (mut there, mut here) = ada(&server).await;
    let back = synced(&mut there, &mut here).await;
    let again = location(&here.get(&path(&back)).await);
    assert_eq!((again.host_str(), again.path()), (Some("clerk.sat.example"), "/v1/client/handshake"));
    let done = here.get(&path(&again)).await;
    assert_eq!(location(&done).as_str(), "http://www.sat.example/in?a=1&__clerk_synced=true");
    let cookies = done.set_cookies();
    assert!(cookies.iter().any(|it| it.starts_with("__clerk_handshake_nonce=") && it.contains("Domain=sat.example")), "{cookies:?}");

    // It is the same client: a sign-out there is one here.
    here.origin = Some("http://www.sat.example".to_owned());
    let session = here.get("/v1/client").await.expect(200)["response"]["sessions"][0].clone();
    assert_eq!(session["user"]["email_addresses"][0]["email_address"], EMAIL);
    let token = here.mint(session["id"].as_str().unwrap()).await.expect(200)["jwt"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token)["iss"], "http://clerk.sat.example");
    there.send("DELETE", "/v1/client/sessions", None).await.expect(200);
    assert_eq!(here.get("/v1/client").await.expect(200)["response"]["sessions"], json!([]));
}

#[tokio::test]
async fn an_agent_comes_to_a_page_of_a_satellite_signed_in() {
    let server = production().await;
    with_satellite(&server).await;
    let user = server.user(EMAIL, PASSWORD).await;
    let page = "https://www.sat.example/orders?a=1";
    let task = json!({
        "on_behalf_of": {"user_id": user}, "permissions": "*", "agent_name": "a", "task_description": "b", "redirect_url": page,
    });
    let task = call(&server, "POST", "/v1/agents/tasks", task).await.expect(200)["url"].as_str().unwrap().parse().unwrap();
    let (mut there, mut here) = (server.browser(), server.browser_on("clerk.sat.example"));
    let mut at = location(&there.get(&path(&task)).await);
    for _ in 0..4 {
        let browser = if at.host_str() == Some("clerk.sat.example") { &mut here } else { &mut there };
        at = location(&browser.get(&path(&at)).await);
    }
    assert_eq!(at.as_str(), format!("{page}&__clerk_synced=true"));
    here.origin = Some("https://www.sat.example".to_owned());
    assert_eq!(here.get("/v1/client").await.response()["sessions"][0]["user"]["id"], json!(user));
}

fn claims(jwt: &str) -> Value {
    use base64::Engine as _;
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn who_is_signed_in_nowhere_comes_back_signed_out_and_not_again() {
    let server = production().await;
    with_satellite(&server).await;
    let (mut there, mut here) = (server.browser(), server.browser_on("clerk.sat.example"));
    let back = synced(&mut there, &mut here).await;
    let again = location(&here.get(&path(&back)).await);
    assert_eq!(location(&here.get(&path(&again)).await).as_str(), "http://www.sat.example/in?a=1&__clerk_synced=true");
    // The first generation of the SDKs goes to the satellite's own address.
    let out = location(&here.get("/v1/client/sync?redirect_url=http%3A%2F%2Fsat.example%2F").await);
    assert_eq!(out.host_str(), Some("127.0.0.1"));
    let back = location(&there.get(&path(&out)).await);
    assert_eq!(location(&here.get(&path(&back)).await).as_str(), "http://sat.example/?__clerk_synced=true");
}

#[tokio::test]
async fn fault_134_a_link_works_once_in_the_browser_that_asked_for_it_and_not_for_long() {
    let server = production().await;
    with_satellite(&server).await;
    let (mut there, mut here) = ada(&server).await;
    let refused = |answer: Answer| answer.refused(403, "sync_nonce_already_consumed", "");
    // A link that somebody sends to somebody else signs nobody in.
    let back = synced(&mut there, &mut here).await;
    let mut victim = server.browser_on("clerk.sat.example");
    victim.get(HANDSHAKE).await;
    let answer = victim.get(&path(&back)).await;
    assert!(answer.set_cookies().iter().all(|it| !it.starts_with("__client=")));
    refused(answer);
    refused(here.get(&path(&back)).await);

    let back = synced(&mut there, &mut here).await;
    refused(there.get(&path(&back)).await);
    let back = synced(&mut there, &mut here).await;
    server.advance(Duration::from_secs(61));
    refused(here.get(&path(&back)).await);

    let back = synced(&mut there, &mut here).await;
    let redeems = (0..100).map(|_| {
        let (mut browser, back) = (server.browser_on("clerk.sat.example"), path(&back));
        browser.cookies = here.cookies.clone();
        async move { browser.get(&back).await.status }
    });
    let statuses = futures_util::future::join_all(redeems).await;
    assert_eq!(statuses.iter().filter(|status| **status == 307).count(), 1);

    for (query, status, code, param) in [
        ("redirect_url=http%3A%2F%2Fsat.example%2F&state=x", 422, "form_param_missing", "link_domain"),
        ("link_domain=sat.example&state=x", 422, "form_param_missing", "redirect_url"),
        ("link_domain=sat.example&redirect_url=http%3A%2F%2Fsat.example%2F", 422, "form_param_missing", "state"),
        (
            "link_domain=sat.example&redirect_url=http%3A%2F%2Fnotsat.example%2F&state=x",
            422,
            "redirect_url_domain_mismatch",
            "redirect_url",
        ),
        ("link_domain=sat.example&redirect_url=javascript%3Aalert(1)&state=x", 422, "invalid_redirect_url", "redirect_url"),
        ("link_domain=other.example&redirect_url=http%3A%2F%2Fother.example%2F&state=x", 404, "resource_not_found", ""),
    ] {
        there.get(&format!("/v1/client/sync?{query}")).await.refused(status, code, param);
    }
}

#[tokio::test]
async fn an_instance_moves_to_another_domain_with_its_settings() {
    let server = TestServer::start().await;
    call(&server, "POST", "/v1/instance/change_domain", json!({"home_url": "https://new.example"})).await.refused(
        400,
        "domain_update_forbidden",
        "",
    );
    let server = production().await;
    let change = async |body: Value| call(&server, "POST", "/v1/instance/change_domain", body).await;
    change(json!({})).await.refused(422, "form_param_missing", "home_url");
    for bad in ["new.example", "javascript:alert(1)", "https://localhost", "https://u@new.example"] {
        change(json!({"home_url": bad})).await.refused(422, "form_param_format_invalid", "home_url");
    }
    server.another_instance("taken.example").await;
    change(json!({"home_url": "https://taken.example"})).await.refused(422, "home_url_taken", "home_url");
    let before = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0].clone();
    assert_eq!(before["frontend_api_url"], server.instance.frontend_url, "nothing was half done");

    let moved = change(json!({"home_url": "https://www.new.example/welcome"})).await;
    assert_eq!((moved.status, moved.bytes.len()), (202, 0));
    let after = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0].clone();
    assert_eq!((&after["id"], &after["name"]), (&before["id"], &json!("new.example")));
    let mut browser = server.browser_on("new.example");
    let environment = browser.get("/v1/environment").await.expect(200).clone();
    assert_eq!(environment["display_config"]["home_url"], "https://www.new.example/welcome");
    assert_eq!(server.browser().get("/v1/environment").await.status, 400, "the old host is nobody's");

    let beta = call(&server, "PUT", "/v1/beta_features/domain", json!({"home_url": "https://newer.example"})).await;
    assert_eq!(beta.status, 202);
    let renamed =
        call(&server, "PATCH", &format!("/v1/domains/{}", before["id"].as_str().unwrap()), json!({"name": "newest.example"})).await;
    assert_eq!(
        (&renamed.expect(200)["name"], &renamed.json["frontend_api_url"]),
        (&json!("newest.example"), &json!("http://newest.example"))
    );
    server.browser_on("newest.example").get("/v1/environment").await.expect(200);
    for (secondary, expected) in [(false, "last.example"), (true, "www.last.example")] {
        let body = json!({"name": "www.last.example", "is_secondary": secondary});
        let renamed = call(&server, "PATCH", &format!("/v1/domains/{}", before["id"].as_str().unwrap()), body).await;
        assert_eq!(renamed.expect(200)["name"], expected);
    }
}

#[tokio::test]
async fn a_move_to_another_domain_ends_all_sessions_of_the_instance() {
    let server = production().await;
    let other = server.another_instance("other.example").await;
    let body = json!({"email_address": [EMAIL], "password": PASSWORD});
    server.backend_as(&other.secret_key, "POST", "/v1/users", Some(body)).await.expect(200);
    server.user(EMAIL, PASSWORD).await;
    let (mut here, mut there) = (server.browser(), server.browser_on("other.example"));
    here.sign_in(EMAIL, PASSWORD).await.expect(200);
    there.sign_in(EMAIL, PASSWORD).await.expect(200);
    let (session, kept) = (here.session_id().await.unwrap(), there.session_id().await.unwrap());
    server.advance(Duration::from_secs(1));
    let moved = call(&server, "POST", "/v1/instance/change_domain", json!({"home_url": "https://new.example"})).await;
    assert_eq!(moved.status, 202);
    let after = server.backend("GET", &format!("/v1/sessions/{session}"), None).await;
    assert_eq!(after.expect(200)["status"], "revoked");
    let mut carried = server.browser_on("new.example");
    carried.cookies = here.cookies.clone();
    assert_eq!(carried.mint(&session).await.status, 404, "not even where the cookie is brought along");
    there.mint(&kept).await.expect(200);
}

#[tokio::test]
async fn a_taken_name_changes_nothing_of_a_domain() {
    let server = production().await;
    server.another_instance("taken.example").await;
    let before = server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0].clone();
    let at = format!("/v1/domains/{}", before["id"].as_str().unwrap());
    let proxy = "https://app.new.example/__clerk";
    let refused = call(&server, "PATCH", &at, json!({"name": "taken.example", "proxy_url": proxy})).await;
    refused.refused(422, "home_url_taken", "name");
    assert_eq!(server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0], before, "nor of its proxy");
    let both = call(&server, "PATCH", &at, json!({"name": "new.example", "proxy_url": proxy})).await.expect(200).clone();
    assert_eq!((&both["name"], &both["proxy_url"]), (&json!("new.example"), &json!(proxy)));
    assert_eq!(server.backend("GET", "/v1/domains", None).await.expect(200)["data"][0], both);
}

#[tokio::test]
async fn settings_of_what_comes_later_are_kept_and_checked() {
    let server = TestServer::start().await;
    let patch = async |path: &str, body: Value| call(&server, "PATCH", path, body).await;
    let at = "/v1/instance/organization_settings";
    let before = server.backend("GET", at, None).await.expect(200).clone();
    assert_eq!(
        (&before["enabled"], &before["creator_role"], &before["max_allowed_memberships"]),
        (&json!(false), &json!("org:admin"), &json!(5))
    );
    let change = json!({"enabled": true, "max_allowed_memberships": 7, "domains_enabled": true, "slug_disabled": true,
        "admin_delete_enabled": false, "domains_enrollment_modes": ["automatic_invitation"]});
    let after = patch(at, change.clone()).await.expect(200).clone();
    assert!(change.as_object().unwrap().iter().all(|(name, value)| &after[name] == value), "{after}");
    assert_eq!(server.backend("GET", at, None).await.expect(200), &after);
    patch(at, json!({"max_allowed_memberships": -1})).await.refused(422, "form_param_value_invalid", "max_allowed_memberships");
    patch(at, json!({"domains_enrollment_modes": ["by_chance"]})).await.refused(
        422,
        "form_param_value_invalid",
        "domains_enrollment_modes",
    );
    let twice = json!({"domains_enrollment_modes": ["automatic_invitation", "automatic_invitation"]});
    patch(at, twice).await.refused(422, "form_param_duplicate", "domains_enrollment_modes");
    let environment = server.browser().get("/v1/environment").await;
    assert_eq!(environment.expect(200)["organization_settings"]["enabled"], false, "apps are offered none before there are any");

    let at = "/v1/instance/oauth_application_settings";
    assert_eq!(server.backend("GET", at, None).await.expect(200)["default_scopes"], Value::Null);
    let change = json!({"dynamic_oauth_client_registration": true, "default_scopes": ["profile", "email"], "oauth_jwt_access_tokens": true,
        "client_id_metadata_documents_advertised": true, "client_id_metadata_documents_only_allow_pre_registered_clients": true,
        "client_id_metadata_documents_block_implicitly_allowed_clients": true});
    let after = patch(at, change.clone()).await.expect(200).clone();
    assert!(change.as_object().unwrap().iter().all(|(name, value)| &after[name] == value), "{after}");
    for bad in [json!(["two words"]), json!([""]), json!(["a", "a"]), json!(["\""])] {
        patch(at, json!({"default_scopes": bad})).await.refused(422, "form_param_value_invalid", "default_scopes");
    }
    assert_eq!(patch(at, json!({"default_scopes": null})).await.expect(200)["default_scopes"], Value::Null);

    let at = "/v1/instance/protect";
    let off = json!({"object": "instance_protect", "rules_enabled": false, "specter_enabled": false, "checks_bypassed": false});
    assert_eq!(server.backend("GET", at, None).await.expect(200), &off);
    assert_eq!(patch(at, json!({"rules_enabled": true})).await.expect(200)["rules_enabled"], true);

    let beta = patch("/v1/beta_features/instance_settings", json!({"restricted_to_allowlist": true})).await;
    assert_eq!((&beta.expect(200)["restricted_to_allowlist"], &beta.json["progressive_sign_up"]), (&json!(true), &json!(true)));
    assert_eq!(patch("/v1/instance/restrictions", json!({})).await.expect(200)["allowlist"], true);
}
