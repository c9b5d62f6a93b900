//! What holds for every endpoint, generated from the tables that route the requests: an endpoint that is added later is
//! held against all of this without anybody thinking of it.

use doorward_core::instance;
use doorward_core::settings::RateLimits;
use doorward_gateway::{Config, Routes, openapi};
use doorward_testkit::{Answer, Browser, ORIGIN, Options, TestServer};
use doorward_wire::{Api, Auth, EndpointMeta, Envelope, Rate};
use std::collections::{BTreeSet, HashSet};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn tables() -> [Routes; 2] {
    [doorward_fapi::routes(), doorward_bapi::routes()]
}

fn endpoints(api: Api) -> Vec<EndpointMeta> {
    let [frontend, backend] = tables();
    let routes = if api == Api::Frontend { frontend } else { backend };
    routes.table().copied().collect()
}

/// The path with the same made-up id for every parameter.
fn place(meta: &EndpointMeta, id: &str) -> String {
    meta.path_params().fold(meta.path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), id))
}

/// Somebody without credentials who is no browser, at either listener.
fn stranger(server: &TestServer, api: Api) -> Browser {
    let mut out = server.browser();
    if api == Api::Backend {
        out = out.on_node(server.private);
    }
    (out.origin, out.api_version) = (None, None);
    out
}

fn with_authorization(server: &TestServer, value: &str) -> Browser {
    let mut out = stranger(server, Api::Backend);
    out.headers.push(("authorization".to_owned(), value.to_owned()));
    out
}

#[track_caller]
fn is_an_error(answer: &Answer, place: &str) {
    let error = &answer.json["errors"][0];
    for field in ["code", "message", "long_message"] {
        assert!(!error[field].as_str().unwrap_or_default().is_empty(), "{place}: {field} in {}", answer.text);
    }
    assert!(answer.json["clerk_trace_id"].is_string(), "{place}: {}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json", "{place}");
}

#[tokio::test]
async fn fault_101_no_backend_endpoint_answers_without_the_secret_key() {
    let server = TestServer::start().await;
    let ours = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let revoked = format!("Bearer {}", server.instance.secret_key.expose());
    let fresh = instance::rotate_secret_key(&server.app, &ours).await.unwrap();
    let fresh = format!("Bearer {}", fresh.expose());
    let guarded: Vec<_> = endpoints(Api::Backend).into_iter().filter(|meta| meta.auth == Auth::SecretKey).collect();
    assert!(guarded.len() > 20);
    for meta in guarded {
        let (path, what) = (place(&meta, "x_1"), meta.id);
        let none = stranger(&server, Api::Backend).send(meta.method, &path, None).await;
        none.refused(401, "authentication_invalid", "");
        for malformed in [revoked.strip_prefix("Bearer ").unwrap(), &fresh.replace("Bearer", "Basic"), &fresh.replace(' ', "")] {
            let answer = with_authorization(&server, malformed).send(meta.method, &path, None).await;
            assert_eq!(answer.status, 401, "{what} with a malformed header: {}", answer.text);
        }
        for wrong in ["Bearer sk_test_00000000000000000000000000000000", "Bearer x", &fresh[..fresh.len() - 1], &revoked] {
            let answer = with_authorization(&server, wrong).send(meta.method, &path, None).await;
            assert_eq!(answer.status, 401, "{what} with a wrong or revoked key: {}", answer.text);
            is_an_error(&answer, what);
        }
        let right = with_authorization(&server, &fresh).send(meta.method, &path, None).await;
        assert_ne!(right.status, 401, "{what} with the key: {}", right.text);
    }
}

#[tokio::test]
async fn fault_101_no_endpoint_of_a_session_answers_without_one() {
    let server = TestServer::start().await;
    let mut empty = server.browser();
    empty.post("/v1/client", &[]).await.expect(200);
    let mut garbage = server.browser();
    garbage.cookies.insert("__client".to_owned(), "dwc_nothing".to_owned());
    let guarded: Vec<_> =
        endpoints(Api::Frontend).into_iter().filter(|meta| matches!(meta.auth, Auth::Session | Auth::AnySession)).collect();
    assert!(guarded.len() >= 4);
    for meta in guarded {
        for browser in [server.browser(), empty.clone(), garbage.clone()] {
            let mut browser = browser;
            let answer = browser.send(meta.method, &place(&meta, "sess_1"), None).await;
            assert_eq!((answer.status, answer.code()), (401, "authentication_invalid"), "{}: {}", meta.id, answer.text);
        }
    }
}

#[test]
fn every_endpoint_says_what_it_is_and_is_documented() {
    let (mut ids, mut places) = (HashSet::new(), HashSet::new());
    for routes in tables() {
        let document = openapi::document(&routes);
        for meta in routes.table() {
            assert!(meta.summary.ends_with('.') && meta.summary.len() > 5 && !meta.tag.is_empty(), "{}", meta.id);
            assert!(ids.insert((meta.api == Api::Frontend, meta.id)), "{} twice", meta.id);
            assert!(places.insert((meta.api == Api::Frontend, meta.method, meta.path)), "{} {} twice", meta.method, meta.path);
            assert!(METHODS.contains(&meta.method), "{}", meta.id);
            assert!(meta.rate != Rate::Unlimited || meta.method == "GET", "{} changes something and is not limited", meta.id);
            let operation = &document["paths"][meta.path][meta.method.to_ascii_lowercase()];
            assert_eq!(operation["operationId"], meta.id);
            let named: BTreeSet<_> = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| p["in"] == "path")
                .collect::<Vec<_>>()
                .iter()
                .map(|p| p["name"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(named, meta.path_params().map(str::to_owned).collect(), "{}", meta.id);
        }
    }
}

#[tokio::test]
async fn every_way_to_write_an_address_reaches_the_same_endpoint() {
    let server = TestServer::start().await;
    let key = format!("Bearer {}", server.instance.secret_key.expose());
    for meta in endpoints(Api::Frontend).into_iter().chain(endpoints(Api::Backend)) {
        let caller = || match meta.api {
            Api::Frontend => server.browser(),
            Api::Backend => with_authorization(&server, &key),
        };
        let path = place(&meta, "x_1");
        // What it deletes is there once.
        let prepare = async || {
            if meta.id == "DeleteSvixApp" {
                server.backend("POST", "/v1/webhooks/svix", None).await.expect(200);
            }
        };
        prepare().await;
        let plain = caller().send(meta.method, &path, None).await;
        assert!(!matches!(plain.status, 405 | 500..), "{}: {}", meta.id, plain.text);
        let mut others = vec![(meta.method, format!("{path}/")), (meta.method, format!("{path}//?_a=b"))];
        if matches!(meta.method, "PUT" | "PATCH" | "DELETE") {
            others.push(("POST", format!("{path}?_method={}", meta.method)));
            others.push(("POST", format!("{path}/?_method={}", meta.method.to_ascii_lowercase())));
        }
        for (method, other) in others {
            prepare().await;
            let answer = caller().send(method, &other, None).await;
            assert_eq!((answer.status, answer.code()), (plain.status, plain.code()), "{} by {method} {other}", meta.id);
        }
    }
}

#[tokio::test]
async fn fault_050_other_spellings_of_an_address_share_its_counter() {
    let mut options = Options { config: Config::default(), ..Options::default() };
    options.settings.attack_protection.rate_limits = RateLimits::On;
    let server = TestServer::with(options).await;
    let spellings = [
        "/v1/client/sign_ins",
        "/v1/client/sign_ins/",
        "/v1/client/sign_ins//",
        "/v1/client/sign_ins?x=y",
        "/v1/client/sign_ins/?_method=POST",
    ];
    for path in spellings {
        server.browser().post(path, &[]).await.expect(200);
    }
    for path in spellings {
        assert_eq!(server.browser().post(path, &[]).await.status, 429, "{path}");
    }
    // These do not reach the endpoint at all, so there is nothing to count.
    for path in ["//v1/client/sign_ins", "/v1//client/sign_ins", "/V1/client/sign_ins", "/v1/client/sign%5Fins/x", "/v1/client/sign_ins;a"]
    {
        assert!(matches!(server.browser().post(path, &[]).await.status, 404 | 405 | 429), "{path}");
    }
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_refused_in_the_shape_of_all_errors() {
    let server = TestServer::start().await;
    for api in [Api::Frontend, Api::Backend] {
        let all = endpoints(api);
        let paths: BTreeSet<_> = all.iter().map(|meta| meta.path).collect();
        for path in paths {
            let here: Vec<_> = all.iter().filter(|meta| meta.path == path).collect();
            let at = place(here[0], "x_1");
            for method in METHODS.into_iter().filter(|method| here.iter().all(|meta| meta.method != *method)) {
                let answer = stranger(&server, api).send(method, &at, None).await;
                assert_eq!(answer.status, 405, "{method} {at}: {}", answer.text);
                is_an_error(&answer, &at);
            }
        }
        for path in
            ["/", "/v1", "/v1/nothing", "/v2/client", "/v1/client/nothing/at/all", "/v1/users/user_1/nothing", "/%00", "/v1/..%2fv1"]
        {
            for method in METHODS {
                let answer = stranger(&server, api).send(method, path, None).await;
                assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text);
                is_an_error(&answer, path);
            }
        }
    }
}

#[tokio::test]
async fn pitfall_007_the_content_type_of_json_says_nothing_more() {
    let server = TestServer::start().await;
    let key = format!("Bearer {}", server.instance.secret_key.expose());
    let user = server.user("ada@example.com", "correct horse").await;
    let mut good = 0;
    for meta in endpoints(Api::Backend) {
        let path = place(&meta, &user);
        let answers = [
            with_authorization(&server, &key).send(meta.method, &path, None).await,
            stranger(&server, Api::Backend).send(meta.method, &path, None).await,
        ];
        for answer in answers {
            good += u32::from(answer.status == 200);
            if answer.status >= 400 {
                is_an_error(&answer, meta.id);
            } else if meta.envelope == Envelope::Nothing {
                assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{}", meta.id);
            } else if meta.envelope != Envelope::Raw {
                assert_eq!(answer.headers["content-type"], "application/json", "{}", meta.id);
                assert!(!answer.json.is_null() && answer.status == 200, "pitfall 15: {}", meta.id);
            }
        }
    }
    assert!(good > 5, "the test must see successes too: {good}");
}

/// A call with an `Origin`, whatever the method: a page on another origin sends it with GET as well.
async fn from_page(browser: &Browser, meta: &EndpointMeta, origin: &str, id: &str) -> Answer {
    let mut browser = browser.clone();
    browser.origin = None;
    browser.headers.push(("origin".to_owned(), origin.to_owned()));
    browser.send(meta.method, &place(meta, id), None).await
}

#[tokio::test]
async fn pitfall_011_allowed_pages_may_read_every_answer_and_others_get_none() {
    let server = TestServer::start().await;
    let (mut good, mut bad) = (0, 0);
    // What takes forms of other origins lets no page read an answer.
    let read = endpoints(Api::Frontend).into_iter().filter(|meta| meta.auth != Auth::Foreign);
    for (n, meta) in read.enumerate() {
        // A user for each: one of the calls is the last thing its user does.
        let email = format!("ada{n}@example.com");
        server.user(&email, "correct horse").await;
        let mut ada = server.browser();
        ada.sign_in(&email, "correct horse").await.expect(200);
        let session = ada.session_id().await.unwrap();

        let foreign = from_page(&ada, &meta, "https://evil.test", &session).await;
        assert_eq!((foreign.status, foreign.code()), (400, "origin_invalid"), "{}: {}", meta.id, foreign.text);
        assert!(!foreign.headers.contains_key("access-control-allow-origin"), "{}", meta.id);
        assert!(foreign.set_cookies().is_empty(), "{}", meta.id);

        for answer in [from_page(&ada, &meta, ORIGIN, &session).await, from_page(&server.browser(), &meta, ORIGIN, "sess_1").await] {
            *(if answer.status < 400 { &mut good } else { &mut bad }) += 1;
            assert_eq!(answer.headers["access-control-allow-origin"], ORIGIN, "{}: {}", meta.id, answer.text);
            assert_eq!(answer.headers["access-control-allow-credentials"], "true", "{}", meta.id);
            let vary: Vec<_> = answer.headers.get_all("vary").iter().map(|v| v.to_str().unwrap().to_ascii_lowercase()).collect();
            assert!(vary.iter().any(|v| v.contains("origin")), "{}: {vary:?}", meta.id);
            if answer.status >= 400 {
                is_an_error(&answer, meta.id);
            } else if meta.envelope == Envelope::Nothing {
                assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{}", meta.id);
            } else if meta.envelope != Envelope::Raw {
                assert_eq!(answer.headers["content-type"], "application/json", "{}", meta.id);
                assert!(!answer.json.is_null(), "pitfall 15: {}", meta.id);
            }
        }
    }
    assert!(good > 20 && bad > 20, "the test must see both: {good} {bad}");
}

#[tokio::test]
async fn pitfall_032_a_preflight_is_answered_for_allowed_pages_only() {
    let server = TestServer::start().await;
    for meta in endpoints(Api::Frontend) {
        let ask = |origin: &str| {
            let mut browser = server.browser();
            browser.headers = vec![
                ("origin".to_owned(), origin.to_owned()),
                ("access-control-request-method".to_owned(), meta.method.to_owned()),
                ("access-control-request-headers".to_owned(), "content-type".to_owned()),
            ];
            browser.origin = None;
            async move { browser.send("OPTIONS", &place(&meta, "x_1"), None).await }
        };
        let allowed = ask(ORIGIN).await;
        assert_eq!(allowed.status, 204, "{}: {}", meta.id, allowed.text);
        assert_eq!(allowed.headers["access-control-allow-origin"], ORIGIN);
        assert_eq!(allowed.headers["access-control-allow-headers"], "content-type");
        assert!(allowed.headers["access-control-allow-methods"].to_str().unwrap().contains(meta.method));
        let foreign = ask("https://evil.test").await;
        assert_eq!(foreign.code(), "origin_invalid", "{}", meta.id);
        assert!(!foreign.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_page_may_read_why_its_address_or_method_is_not_served() {
    let server = TestServer::start().await;
    let mut browser = server.browser();
    for (method, path, status) in [("POST", "/v1/nowhere", 404), ("DELETE", "/v1/environment", 405)] {
        let answer = browser.send(method, path, None).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(answer.headers["access-control-allow-origin"], doorward_testkit::ORIGIN);
        assert_eq!(answer.json["clerk_trace_id"].as_str().map(str::len), Some(32), "it is logged under this id: {}", answer.text);
    }
}
