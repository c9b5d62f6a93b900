//! Cookies as browsers get them from an instance on https, and what several or bad ones lead to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_base::Secret;
use doorward_core::instance::{self, CreatedInstance, NewInstance};
use doorward_core::keys::{Environment, cookie_suffix};
use doorward_core::settings::Settings;
use doorward_store::Sql;
use doorward_testkit::{Answer, Browser, ORIGIN, TestServer};
use serde_json::{Value, json};

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const HOST: &str = "clerk.example.com";
const APP: &str = "https://app.example.com";

/// A production instance on https, with its Frontend API beside the app.
async fn https(server: &TestServer, cookie_domain: Option<&str>) -> CreatedInstance {
    let settings = Settings {
        allowed_origins: vec![APP.to_owned(), "https://app.elsewhere.test".to_owned()],
        cookie_domain: cookie_domain.map(str::to_owned),
        ..Settings::default()
    };
    let (key_host, hosts) = (HOST.to_owned(), vec![HOST.to_owned()]);
    let environment = Environment::Production;
    let new = NewInstance { environment, name: "shop".to_owned(), key_host, hosts, scheme: "https".to_owned(), settings };
    let made = instance::create(&server.app, new).await.unwrap();
    let body = json!({"email_address": [EMAIL], "password": PASSWORD, "skip_password_checks": true});
    server.backend_as(&made.secret_key, "POST", "/v1/users", Some(body)).await.expect(200);
    made
}

/// The attributes of the cookies that an answer or a handshake sets, by their names.
fn attributes(cookies: &[String]) -> Vec<(&str, Vec<&str>)> {
    cookies
        .iter()
        .map(|text| {
            let mut parts = text.split("; ");
            (parts.next().unwrap().split_once('=').unwrap().0, parts.collect())
        })
        .collect()
}

fn set(answer: &Answer) -> Vec<String> {
    answer.set_cookies().into_iter().map(str::to_owned).collect()
}

/// Fails unless each cookie is `Secure`, and has the domain just where apps have to see it.
#[track_caller]
fn are_placed(cookies: &[String], domain: Option<&str>) {
    let shared = domain.map(|it| format!("Domain={it}"));
    assert!(!cookies.is_empty());
    for (name, attributes) in attributes(cookies) {
        assert!(attributes.contains(&"Secure") && attributes.contains(&"Path=/"), "{name}: {attributes:?}");
        let has = attributes.iter().find(|it| it.starts_with("Domain=")).map(|it| (*it).to_owned());
        let wanted = if name.starts_with("__client_uat") || name.starts_with("__clerk_handshake") { shared.clone() } else { None };
        assert_eq!(has, wanted, "{name}");
        let hidden = name == "__client" || name.starts_with("__refresh_");
        assert_eq!(attributes.contains(&"HttpOnly"), hidden, "{name}: {attributes:?}");
    }
}

async fn handshake(browser: &mut Browser, page: &str) -> (Vec<String>, Vec<String>) {
    let page: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
    let answer = browser.get(&format!("/v1/client/handshake?redirect_url={page}")).await;
    assert_eq!(answer.status, 307, "{}", answer.text);
    let cookies = set(&answer);
    let payload = cookies.iter().find_map(|it| it.strip_prefix("__clerk_handshake=")).unwrap().split(';').next().unwrap();
    let payload: Value = serde_json::from_slice(&B64.decode(payload.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let directives = payload["handshake"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    (cookies, directives)
}

#[track_caller]
fn names(cookies: &[String], suffix: &str, expected: &[&str]) {
    let named: Vec<String> = attributes(cookies).into_iter().map(|(name, _)| name.replace(suffix, "<suffix>")).collect();
    assert_eq!(named, expected);
}

#[tokio::test]
async fn pitfall_036_what_the_app_s_server_has_to_see_is_set_for_the_common_domain() {
    let server = TestServer::start().await;
    let shop = https(&server, Some("example.com")).await;
    let suffix = cookie_suffix(&shop.publishable_key);
    let mut ada = server.browser_on(HOST);
    ada.origin = Some(APP.to_owned());
    let signed_in = set(&ada.sign_in(EMAIL, PASSWORD).await);
    names(&signed_in, &suffix, &["__client", "__client_uat", "__client_uat_<suffix>"]);
    are_placed(&signed_in, Some("example.com"));

    let (sent, directives) = handshake(&mut ada, &format!("{APP}/protected")).await;
    names(&sent, &suffix, &["__clerk_handshake"]);
    are_placed(&sent, Some("example.com"));
    let expected = [
        "__clerk_handshake",
        "__clerk_handshake_nonce",
        "__client_uat",
        "__client_uat_<suffix>",
        "__refresh_<suffix>",
        "__session",
        "__session_<suffix>",
    ];
    names(&directives, &suffix, &expected);
    are_placed(&directives, Some("example.com"));

    // A page outside the domain gets none that it could not keep.
    let (sent, directives) = handshake(&mut ada, "https://app.elsewhere.test/").await;
    are_placed(&sent, None);
    are_placed(&directives, None);

    let signed_out = set(&ada.send("POST", "/v1/client?_method=DELETE", None).await);
    names(&signed_out, &suffix, &["__client", "__client_uat", "__client_uat_<suffix>"]);
    are_placed(&signed_out, Some("example.com"));
    assert!(signed_out[0].starts_with("__client=;") && signed_out[1].starts_with("__client_uat=0;"), "{signed_out:?}");
    are_placed(&handshake(&mut ada, APP).await.1, Some("example.com"));
}

/// A browser whose app passes the Frontend API on.
fn proxied(server: &TestServer, key: &Secret, app: &str) -> Browser {
    let mut out = server.browser_on("127.0.0.1:1");
    out.origin = Some(app.to_owned());
    out.headers = vec![("clerk-proxy-url".to_owned(), format!("{app}/__clerk")), ("clerk-secret-key".to_owned(), key.expose().to_owned())];
    out
}

#[tokio::test]
async fn pitfall_036_behind_a_proxy_there_is_no_domain_unless_it_lies_in_the_one_that_was_set() {
    for (cookie_domain, app, expected) in [
        (None, APP, None),
        (Some("example.com"), "https://app.elsewhere.test", None),
        // One browser must not hold two cookies of one name: what other apps of the domain share, this one does too.
        (Some("example.com"), APP, Some("example.com")),
    ] {
        let server = TestServer::start().await;
        let shop = https(&server, cookie_domain).await;
        let mut ada = proxied(&server, &shop.secret_key, app);
        are_placed(&set(&ada.sign_in(EMAIL, PASSWORD).await), expected);
        let (sent, directives) = handshake(&mut ada, app).await;
        are_placed(&sent, expected);
        are_placed(&directives, expected);
    }
}

#[tokio::test]
async fn pitfall_002_a_stranger_is_nobody_until_there_is_something_to_keep() {
    let server = TestServer::start().await;
    let clients = async || {
        let rows = server.app.db.all(Sql::new("SELECT id FROM clients WHERE instance_id = $1").bind(&server.instance.id)).await;
        rows.unwrap().len()
    };
    for _ in 0..3 {
        let seen = server.browser().get("/v1/client").await;
        assert_eq!(seen.expect(200), &json!({"response": null, "client": null}));
        assert!(seen.set_cookies().iter().all(|it| !it.starts_with("__client=")), "{:?}", seen.set_cookies());
    }
    assert_eq!(clients().await, 0, "who only looks leaves nothing");

    // Who asks for one gets it, and keeps it signed in or not.
    let mut new = server.browser();
    let made = new.send("POST", "/v1/client?_method=PUT", None).await;
    assert_eq!((&made.response()["object"], &made.response()["sessions"]), (&json!("client"), &json!([])));
    assert!(new.cookies.contains_key("__client"));
    assert_eq!(new.get("/v1/client").await.response(), made.response());
    server.user(EMAIL, PASSWORD).await;
    new.sign_in(EMAIL, PASSWORD).await.expect(200);
    new.send("POST", "/v1/client/sessions?_method=DELETE", None).await.expect(200);
    let out = new.get("/v1/client").await;
    assert_eq!((&out.response()["id"], &out.response()["sessions"]), (&made.response()["id"], &json!([])));
    assert_eq!(clients().await, 1);
}

/// A request with two cookies of the client's name.
async fn with_both(server: &TestServer, first: &str, second: &str, path: &str) -> Answer {
    let mut browser = server.browser();
    browser.headers.push(("cookie".to_owned(), format!("__client={first}; __client={second}")));
    if path.ends_with("/tokens") { browser.post(path, &[]).await } else { browser.get(path).await }
}

#[tokio::test]
async fn fault_018_a_cookie_that_was_planted_beside_the_client_s_opens_nothing() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    server.user("eve@example.com", PASSWORD).await;
    let (mut ada, mut eve) = (server.browser(), server.browser());
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    eve.sign_in("eve@example.com", PASSWORD).await.expect(200);
    let (own, planted) = (ada.cookies["__client"].clone(), eve.cookies["__client"].clone());
    let session = ada.session_id().await.unwrap();
    let mint = format!("/v1/client/sessions/{session}/tokens");
    // Whichever comes first is who it is, wholly: nothing of the other shows or can be used.
    for (first, second, whose) in [(&own, &planted, EMAIL), (&planted, &own, "eve@example.com")] {
        let me = with_both(&server, first, second, "/v1/me").await;
        assert_eq!(me.response()["email_addresses"][0]["email_address"], whose);
        assert_eq!(with_both(&server, first, second, &mint).await.status, if whose == EMAIL { 200 } else { 404 });
        for junk in ["", "x", "dwc_nobody"] {
            let me = with_both(&server, junk, second, "/v1/me").await;
            assert_eq!(me.status, 401, "{junk:?} before a good one");
        }
        assert_eq!(with_both(&server, first, "dwc_nobody", "/v1/me").await.status, 200);
    }

    // A client that somebody else made and planted is theirs no more once somebody signs in on it.
    let mut planter = server.browser();
    planter.send("POST", "/v1/client?_method=PUT", None).await.expect(200);
    let planted = planter.cookies["__client"].clone();
    let mut victim = server.browser();
    victim.cookies.insert("__client".to_owned(), planted.clone());
    victim.sign_in(EMAIL, PASSWORD).await.expect(200);
    assert_ne!(victim.cookies["__client"], planted, "the token is another one from then on");
    assert_eq!(planter.get("/v1/me").await.status, 401);
    assert_eq!(planter.get("/v1/client").await.response(), &Value::Null);
}

#[tokio::test]
async fn pitfall_030_a_handshake_with_a_bad_client_ends_on_its_page_signed_out() {
    let server = TestServer::start().await;
    let other = server.another_instance("other.example.test").await;
    server.user(EMAIL, PASSWORD).await;
    let body = json!({"email_address": [EMAIL], "password": PASSWORD});
    server.backend_as(&other.secret_key, "POST", "/v1/users", Some(body)).await.expect(200);
    let mut ada = server.browser();
    let dev = ada.post("/v1/dev_browser", &[]).await.expect(200)["id"].as_str().unwrap().to_owned();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let mut foreign = server.browser_on("other.example.test");
    let foreign_dev = foreign.post("/v1/dev_browser", &[]).await.expect(200)["id"].as_str().unwrap().to_owned();
    foreign.sign_in(EMAIL, PASSWORD).await.expect(200);
    let client = ada.cookies["__client"].clone();
    let bad = ["x", "dwc_made_up", "null", &client[..client.len() - 1], &foreign.cookies["__client"], "%00"];
    let bad_dev = ["x", "dvb_made_up", "%00", &dev[..dev.len() - 1], &foreign_dev];
    let page = "/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2Fpage";
    let attempts = bad.iter().map(|it| (Some(*it), None)).chain(bad_dev.iter().map(|it| (None, Some(*it)))).chain([(Some("x"), Some("x"))]);
    for (cookie, dev) in attempts {
        let mut browser = server.browser();
        browser.cookies.extend(cookie.map(|it| ("__client".to_owned(), it.to_owned())));
        let answer = browser.get(&dev.map_or_else(|| page.to_owned(), |dev| format!("{page}&__clerk_db_jwt={dev}"))).await;
        assert_eq!(answer.status, 307, "{cookie:?} {dev:?}: {}", answer.text);
        let to = answer.headers["location"].to_str().unwrap();
        let payload = to.strip_prefix(&format!("{ORIGIN}/page?__clerk_handshake=")).unwrap_or_else(|| panic!("{to}"));
        let payload: Value = serde_json::from_slice(&B64.decode(payload.split('.').nth(1).unwrap()).unwrap()).unwrap();
        let has = |text: &str| payload["handshake"].as_array().unwrap().iter().any(|it| it.as_str().unwrap().starts_with(text));
        assert!(has("__client_uat=0;") && has("__session=;"), "{cookie:?} {dev:?}: {payload}");
        assert!(has("__clerk_db_jwt=dvb_"), "with a development browser that is good for the next time: {payload}");
    }
}
