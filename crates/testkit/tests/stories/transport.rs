//! What comes over the wire when somebody means harm: bodies, headers, addresses, too much of everything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::keys::Environment;
use doorward_core::settings::RateLimits;
use doorward_gateway::Config;
use doorward_testkit::{Browser, ORIGIN, Options, TestServer, canary};
use doorward_wire::Api;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

const PASSWORD: &str = "correct horse";

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn backend(server: &TestServer) -> Browser {
    let mut out = server.browser().on_node(server.private);
    (out.origin, out.api_version) = (None, None);
    out.headers.push(("authorization".to_owned(), format!("Bearer {}", server.instance.secret_key.expose())));
    out
}

async fn limited() -> TestServer {
    let config = Config { limits_enabled: true, ..Config::default() };
    let mut options = Options { config, ..Options::default() };
    options.settings.attack_protection.rate_limits = RateLimits::On;
    TestServer::with(options).await
}

#[tokio::test]
async fn tests_of_apps_meet_no_limits_unless_they_ask_for_them() {
    for (environment, limits, refused) in [
        (Environment::Development, RateLimits::Auto, false),
        (Environment::Development, RateLimits::On, true),
        (Environment::Production, RateLimits::Auto, true),
        (Environment::Production, RateLimits::Off, false),
    ] {
        let config = Config { limits_enabled: true, ..Config::default() };
        let mut options = Options { config, environment, ..Options::default() };
        options.settings.attack_protection.rate_limits = limits;
        let server = TestServer::with(options).await;
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(server.browser().post("/v1/client/sign_ins", &[]).await.status);
        }
        assert_eq!(statuses.contains(&429), refused, "{environment:?} {limits:?}: {statuses:?}");
    }
}

#[tokio::test]
async fn a_server_changes_one_user_and_invites_people_only_so_often() {
    for (factor, changes, lots) in [(1, 10, 25), (3, 30, 75)] {
        let config = Config { limits_enabled: true, ..Config::default() };
        let mut options = Options { config, environment: Environment::Production, ..Options::default() };
        options.settings.attack_protection.rate_limit_factor = factor;
        let server = TestServer::with(options).await;
        let (ada, bob) = (server.user("ada@example.com", PASSWORD).await, server.user("bob@example.com", PASSWORD).await);
        let patch = async |user: &str, path: &str| server.backend("PATCH", &format!("/v1/users/{user}{path}"), Some(json!({}))).await;
        for _ in 0..changes {
            patch(&ada, "").await.expect(200);
        }
        let refused = patch(&ada, "").await;
        assert_eq!((refused.status, refused.code()), (429, "too_many_requests"), "{}", refused.text);
        assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 10);
        patch(&bob, "").await.expect(200);
        patch(&ada, "/metadata").await.expect(200);
        server.advance(Duration::from_secs(10));
        patch(&ada, "").await.expect(200);

        let invite = async || server.backend("POST", "/v1/invitations/bulk", Some(json!([]))).await.status;
        for _ in 0..lots {
            assert_ne!(invite().await, 429);
        }
        assert_eq!(invite().await, 429);
        let one = server.backend("POST", "/v1/invitations", Some(json!({"email_address": "eve@example.com"}))).await;
        one.expect(200);
    }
}

/// Sends bytes as they are, and reads the status of what comes back; 0 when the connection is closed without a word.
async fn raw(at: SocketAddr, bytes: Vec<u8>) -> u16 {
    let task = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The server may answer and hang up before everything is sent.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let head = String::from_utf8_lossy(&answer).into_owned();
        head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    });
    task.await.unwrap()
}

#[tokio::test]
async fn fault_117_bodies_too_large_or_of_another_kind_are_refused() {
    let server = TestServer::start().await;
    let sizes = [(250 * 1024, false), (256 * 1024 + 1, true), (4 * 1024 * 1024, true)];
    for (size, refused) in sizes {
        let form = format!("identifier={}", "a".repeat(size - 11));
        let answer = server.browser().send("POST", "/v1/client/sign_ins", Some(("application/x-www-form-urlencoded", form))).await;
        assert_eq!(answer.status == 413, refused, "{size}: {}", answer.text);
        assert!(answer.status < 500);
    }
    let large = json!({"email_address": ["a@example.com"], "password": "x".repeat(300 * 1024)}).to_string();
    backend(&server).send("POST", "/v1/users", Some(("application/json", large))).await.refused(413, "request_body_too_large", "");
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/x-www-form-urlencoded2",
        "",
        "json",
    ] {
        let answer = server.browser().send("POST", "/v1/client/sign_ins", Some((kind, "identifier=x".to_owned()))).await;
        assert_eq!(answer.status, 415, "{kind}: {}", answer.text);
        let answer = backend(&server).send("POST", "/v1/users", Some((kind, "{}".to_owned()))).await;
        assert_eq!(answer.status, 415, "{kind}: {}", answer.text);
    }
    for kind in ["Application/JSON", "application/json; charset=utf-8", "application/json;x=y"] {
        backend(&server).send("POST", "/v1/users", Some((kind, "{}".to_owned()))).await.refused(422, "form_data_missing", "email_address");
    }
}

#[tokio::test]
async fn fault_117_no_body_makes_any_endpoint_fall_over() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    server.user("bob@example.com", PASSWORD).await;
    let deep = |n: usize| format!("{}1{}", "{\"public_metadata\":".repeat(n), "}".repeat(n));
    let bodies: Vec<(&str, String)> = [
        "",
        "null",
        "[]",
        "0",
        "\"x\"",
        "{",
        "{}",
        "{}}",
        "{\"a\":}",
        "\u{feff}{}",
        "{\"identifier\":\"\\ud800\"}",
        "{\"password\":null}",
        "{\"password\":{}}",
        "{\"email_address\":[[]]}",
        "{\"email_address\":[null,1]}",
        "{\"user_ids\":[\"\\u0000\"]}",
        "{\"limit\":1e999}",
        "{\"expires_in_seconds\":-9223372036854775809}",
        "{\"password\":\"a\",\"password\":\"b\"}",
        "{\"public_metadata\":{\"a\":1,\"a\":2}}",
        "{\"created_at\":\"+999999999-01-01T00:00:00Z\"}",
        "{\"identifier\":\"a\\u0000b\"}",
    ]
    .map(|text| ("application/json", text.to_owned()))
    .into_iter()
    .chain([("application/json", deep(33)), ("application/json", deep(5000)), ("application/json", "[".repeat(100_000))])
    .chain(
        [
            "%",
            "%zz",
            "=",
            "&&&&",
            "a[b[c]=d",
            "a[][][]=1",
            "unsafe_metadata[",
            "unsafe_metadata[a]=1&unsafe_metadata=x",
            "identifier=%00",
            "identifier=%ff%fe",
            "identifier=a&identifier=b",
            "password[x]=1",
            "strategy=%F0%9F%98%80",
            "code=+%0d%0a",
            "unsafe_metadata=%7B",
            "email_address[]=a",
        ]
        .map(|text| ("application/x-www-form-urlencoded", text.to_owned())),
    )
    .chain([
        ("application/x-www-form-urlencoded", "k=v&".repeat(20_000)),
        ("application/x-www-form-urlencoded", "unsafe_metadata".to_owned() + &"[a]".repeat(500) + "=1"),
    ])
    .collect();
    let mut sent = 0;
    for routes in [doorward_fapi::routes(), doorward_bapi::routes()] {
        for meta in routes.table().filter(|meta| !matches!(meta.method, "GET" | "DELETE")) {
            let path = meta.path_params().fold(meta.path.to_owned(), |path, name| path.replace(&format!("{{{name}}}"), &user));
            for (kind, body) in &bodies {
                let mut caller = if routes.api() == Api::Frontend { server.browser() } else { backend(&server) };
                let answer = caller.send(meta.method, &path, Some((*kind, body.clone()))).await;
                assert!(answer.status < 500, "{} with {}: {}", meta.id, &body[..body.len().min(80)], answer.text);
                sent += 1;
            }
        }
    }
    assert!(sent > 1000);
    // Of the one that every path named, an endpoint may have taken the password away, as it was asked to.
    server.browser().sign_in("bob@example.com", "and the server still answers").await.refused(422, "form_password_incorrect", "password");
}

#[tokio::test]
async fn fault_117_bytes_that_are_no_text_are_refused_cleanly() {
    let server = TestServer::start().await;
    let head = |line: &str, more: &[u8]| {
        let mut out = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.public).into_bytes();
        out.extend(more);
        out
    };
    let with_body = |kind: &str, body: &[u8]| {
        let mut out =
            head("POST /v1/client/sign_ins", format!("Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
        out.extend(body);
        out
    };
    let everything: Vec<u8> = (0..=255).collect();
    let requests: Vec<Vec<u8>> = vec![
        with_body("application/json", &everything),
        with_body("application/json", b"{\"identifier\":\"\xff\xfe\"}"),
        with_body("application/x-www-form-urlencoded", &everything),
        with_body("application/x-www-form-urlencoded", b"identifier=\xc3\x28"),
        with_body("\x01", b"x"),
        head("GET /v1/client", b"Cookie: __client=\xff\xfe\x80\r\n\r\n"),
        head("GET /v1/client", b"Authorization: \xff\xfe\r\n\r\n"),
        head("GET /v1/client", b"Origin: \xff\r\n\r\n"),
        head("GET /v1/client", b"User-Agent: \xff\xfe\r\nReferer: \xff\r\nX-Forwarded-For: \xff\r\n\r\n"),
        head("GET /v1/client", b"Clerk-Proxy-Url: \xff\r\nClerk-Secret-Key: \xff\r\n\r\n"),
        head("GET /v1/client?__clerk_api_version=%ff", b"\r\n"),
        head("GET /v1/client?%00=%00&__clerk_db_jwt=%00", b"\r\n"),
        head("GET /v1/client?__clerk_publishable_key=%00", b"\r\n"),
        head("GET /v1/client/sessions/%00", b"\r\n"),
        head("GET /v1/client/sessions/%ff%fe", b"\r\n"),
        head("GET /v1/client/sign_ins/%F0%9F%98%80", b"\r\n"),
        head("GET /v1/client", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        head("POST /v1/client/sign_ins", b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        head("POST /v1/client/sign_ins", b"Content-Length: 100\r\n\r\nshort"),
        head("FROB /v1/client", b"\r\n"),
        b"GET /v1/client HTTP/1.1\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET http://evil.test/v1/client HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01".to_vec(),
    ];
    for (n, request) in requests.into_iter().enumerate() {
        let shown = String::from_utf8_lossy(&request[..request.len().min(120)]).into_owned();
        let status = raw(server.public, request).await;
        assert!(status < 500, "{n}: {shown}: {status}");
    }
    // Not half of a connection, which the server may give up before it has answered.
    server.browser().get("/v1/health").await.expect(200);
}

#[tokio::test]
async fn fault_017_a_cookie_that_is_no_token_is_no_cookie() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let token = ada.cookies["__client"].clone();
    let (half, upper) = (token[..token.len() / 2].to_owned(), token.to_uppercase());
    let mut corpus = vec![
        "".to_owned(),
        "null".into(),
        "undefined".into(),
        "%".into(),
        "\"\"".into(),
        "=".into(),
        "a=b".into(),
        half,
        upper,
        format!("{token}x"),
        format!("x{token}"),
        format!("{token} {token}"),
        format!("{token}%00"),
        "' OR 1=1 --".into(),
        "a".repeat(4000),
        server.instance.publishable_key.clone(),
        session.clone(),
        "eyJhbGciOiJub25lIn0.e30.".into(),
    ];
    corpus.push(token.replace('_', "%5F"));
    let nobody = server.browser().get("/v1/client").await;
    for text in corpus {
        let mut browser = server.browser();
        browser.cookies.insert("__client".to_owned(), text.clone());
        let seen = browser.get("/v1/client").await;
        assert_eq!((seen.status, &seen.json), (200, &nobody.json), "{text:?}");
        assert_eq!(browser.get("/v1/me").await.status, 401, "{text:?}");
        assert!(matches!(browser.mint(&session).await.status, 401 | 404), "{text:?}");
    }
    assert_eq!(ada.mint(&session).await.status, 200);
}

#[tokio::test]
async fn fault_110_no_header_decides_what_mails_and_tokens_say() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    for name in [
        "x-forwarded-host",
        "x-host",
        "forwarded",
        "x-original-host",
        "x-forwarded-server",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-proto",
        "x-forwarded-prefix",
        "referer",
    ] {
        ada.headers
            .push((name.to_owned(), if name == "forwarded" { "host=evil.test".to_owned() } else { "https://evil.test/".to_owned() }));
    }
    ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await.expect(200);
    let mails = server.outbox().await;
    assert_eq!(mails.len(), 1);
    assert!(!format!("{:?} {} {}", mails[0].to, mails[0].subject, mails[0].text).contains("evil"), "{}", mails[0].text);
    let done = ada.sign_in("ada@example.com", PASSWORD).await;
    assert!(!done.text.contains("evil"), "{}", done.text);
    let session = ada.session_id().await.unwrap();
    let minted = claims(ada.mint(&session).await.expect(200)["jwt"].as_str().unwrap());
    assert_eq!((&minted["iss"], &minted["azp"]), (&json!(server.instance.frontend_url), &json!(ORIGIN)));
    for set in done.set_cookies() {
        assert!(!set.contains("evil"), "{set}");
    }
    // A foreign Host is nobody's; where the publishable key says whose it is, the Host still does not get anywhere.
    let mut poisoned = server.browser_on("evil.test");
    poisoned.sign_in("ada@example.com", PASSWORD).await.refused(400, "host_invalid", "");
    let key = format!("?__clerk_publishable_key={}", server.instance.publishable_key);
    let fields = [("identifier", "ada@example.com"), ("password", PASSWORD)];
    let done = poisoned.post(&format!("/v1/client/sign_ins{key}"), &fields).await;
    assert!(!done.text.contains("evil"), "{}", done.text);
    let token = done.json["client"]["sessions"][0]["last_active_token"]["jwt"].as_str().unwrap();
    assert_eq!(claims(token)["iss"], server.instance.frontend_url.as_str());
    let environment = poisoned.get(&format!("/v1/environment{key}")).await;
    assert!(!environment.text.contains("evil"), "{}", environment.text);
}

#[tokio::test]
async fn fault_115_nobody_is_sent_to_an_address_that_was_not_allowed() {
    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    for bad in [
        "javascript:alert(document.domain)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>1</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:http://localhost:3000/x",
        "http://evil.test",
        "https://localhost:3000",
        "http://localhost:3001/",
        "http://localhost:3000.evil.test/",
        "http://localhost:3000@evil.test/",
        "http://user:pass@localhost:3000/",
        "//localhost:3000/",
        "/protected",
        "http:localhost.evil.test:3000",
        "http://[::ffff:7f00:1]:3000/",
        "http://127.0.0.1:3000/",
        "http://2130706433:3000/",
        "http://localhost%2eevil.test:3000/",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(bad.as_bytes()).collect();
        for path in ["handshake", "touch"] {
            let answer = ada.get(&format!("/v1/client/{path}?redirect_url={encoded}")).await;
            assert_eq!(answer.status, 422, "{path} {bad:?}: {} {:?}", answer.text, answer.headers.get("location"));
            assert!(!answer.headers.contains_key("location"), "{bad:?}");
        }
    }
    // Browsers read a backslash as a slash, and so do we: what is sent back is what was understood, not what was written.
    let slashed = ada.get("/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%5C%40evil.test%2F").await;
    assert_eq!(slashed.headers["location"], "http://localhost:3000/@evil.test/");
    for path in ["handshake", "touch"] {
        let good = ada.get(&format!("/v1/client/{path}?redirect_url=http%3A%2F%2FLOCALHOST%3A3000%2Fa%3Fb%23c")).await;
        assert_eq!(good.status, 307, "{}", good.text);
        assert!(good.headers["location"].to_str().unwrap().starts_with("http://localhost:3000/a?b"));
        assert_eq!(good.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn fault_020_a_foreign_page_is_never_taken_for_one_of_ours() {
    let server = TestServer::with(Options { environment: Environment::Production, ..Options::default() }).await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    for foreign in [
        "null",
        "http://localhost:3000.evil.test",
        "http://localhost:3001",
        "https://localhost:3000",
        "http://LOCALHOST:3000/",
        "http://localhost:3000, http://localhost:3000",
        "http://accounts.localhost:3000",
        "http://x@localhost:3000",
        "file://",
        "*",
    ] {
        let mut page = ada.clone();
        page.origin = Some(foreign.to_owned());
        let answer = page.mint(&session).await;
        answer.refused(400, "origin_invalid", "");
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{foreign}");
    }
    let mut two = ada.clone();
    two.headers.push(("origin".to_owned(), ORIGIN.to_owned()));
    assert_eq!(two.mint(&session).await.status, 400, "two origins are none");
    // A referrer names an origin only where it is an allowed one.
    for (referer, azp) in [
        ("https://evil.test/x", Value::Null),
        ("http://localhost:3000.evil.test/", Value::Null),
        ("http://localhost:3000/page", json!(ORIGIN)),
    ] {
        let mut page = ada.clone();
        page.headers.push(("referer".to_owned(), referer.to_owned()));
        let client = page.get("/v1/client").await;
        let token = client.response()["sessions"][0]["last_active_token"]["jwt"].as_str().unwrap();
        assert_eq!(claims(token)["azp"], azp, "{referer}");
    }
}

#[tokio::test]
async fn the_sixth_sign_in_within_ten_seconds_waits() {
    let server = limited().await;
    server.user("ada@example.com", PASSWORD).await;
    for _ in 0..5 {
        server.browser().sign_in("ada@example.com", "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    let refused = server.browser().sign_in("ada@example.com", PASSWORD).await;
    refused.refused(429, "too_many_requests", "");
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(refused.headers["access-control-allow-origin"], ORIGIN, "the page must be able to read it");
    // Forged headers make nobody somebody else.
    for name in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "forwarded", "true-client-ip"] {
        let mut other = server.browser();
        other.headers.push((name.to_owned(), "203.0.113.77".to_owned()));
        assert_eq!(other.sign_in("ada@example.com", PASSWORD).await.status, 429, "fault 48: {name}");
    }
    server.advance(Duration::from_secs(wait));
    server.browser().sign_in("ada@example.com", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn the_fourth_guess_within_ten_seconds_waits() {
    let server = limited().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    let started = ada.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", "ada@example.com")]).await;
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", started.response()["id"].as_str().unwrap());
    let code = server.code_for("ada@example.com").await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..3 {
        ada.post(&at, &[("strategy", "email_code"), ("code", wrong)]).await.refused(422, "form_code_incorrect", "code");
    }
    let fields = [("strategy", "email_code"), ("code", code.as_str())];
    let refused = ada.post(&at, &fields).await;
    refused.refused(429, "too_many_requests", "");
    assert_eq!(ada.post(&format!("{at}/"), &fields).await.status, 429, "fault 50");
    server.advance(Duration::from_secs(refused.headers["retry-after"].to_str().unwrap().parse().unwrap()));
    assert_eq!(ada.post(&at, &fields).await.response()["status"], "complete", "the guess that was not let in was not counted");
}

#[tokio::test]
async fn fault_052_a_crowd_gets_no_more_sign_ins_than_the_limit() {
    let server = limited().await;
    let crowd = (0..60).map(|_| {
        let mut browser = server.browser();
        async move { browser.post("/v1/client/sign_ins", &[]).await.status }
    });
    let statuses = futures_util::future::join_all(crowd).await;
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 5, "{statuses:?}");
    assert!(statuses.iter().all(|s| matches!(s, 200 | 429)));
}

#[tokio::test]
async fn pitfall_014_minting_is_never_answered_with_429() {
    let server = limited().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    for n in 0..350 {
        let answer = ada.mint(&session).await;
        assert_eq!(answer.status, 200, "{n}: {}", answer.text);
    }
    // Not even when everything else of that browser is.
    let mut last = 200;
    for _ in 0..301 {
        last = ada.get("/v1/client").await.status;
    }
    assert_eq!(last, 429);
    assert_eq!(ada.mint(&session).await.status, 200);
}

#[tokio::test]
async fn fault_126_no_secret_is_logged_in_a_whole_life_of_a_user() {
    let server = TestServer::start().await;
    let (password, wrong) = ("the canary sings at dawn", "the canary is hoarse today");
    let mut ada = server.browser();
    let dev = ada.post("/v1/dev_browser", &[]).await.expect(200)["id"].as_str().unwrap().to_owned();
    let sign_up = ada
        .post(&format!("/v1/client/sign_ups?__clerk_db_jwt={dev}"), &[("email_address", "ada@example.com"), ("password", password)])
        .await;
    let id = sign_up.response()["id"].as_str().unwrap().to_owned();
    ada.post(&format!("/v1/client/sign_ups/{id}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let code = server.code_for("ada@example.com").await;
    let subject = server.outbox().await.last().unwrap().subject.clone();
    let attempt = ada.post(&format!("/v1/client/sign_ups/{id}/attempt_verification"), &[("strategy", "email_code"), ("code", &code)]).await;
    assert_eq!(attempt.response()["status"], "complete");
    let first_token = ada.cookies["__client"].clone();
    ada.send("POST", "/v1/client/sessions?_method=DELETE", None).await.expect(200);
    ada.sign_in("ada@example.com", wrong).await.refused(422, "form_password_incorrect", "password");
    ada.sign_in("ada@example.com", password).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let jwt = ada.mint(&session).await.expect(200)["jwt"].as_str().unwrap().to_owned();
    let back = ada.get("/v1/client/handshake?redirect_url=http%3A%2F%2Flocalhost%3A3000%2F&format=nonce").await;
    let nonce = back.headers["location"].to_str().unwrap().split_once("__clerk_handshake_nonce=").unwrap().1.to_owned();
    let payload = server.backend("GET", &format!("/v1/clients/handshake_payload?nonce={nonce}"), None).await;
    let directives = payload.expect(200)["directives"].as_array().unwrap().clone();
    let refresh = directives.iter().find_map(|d| d.as_str().unwrap().strip_prefix("__refresh_")).unwrap();
    let refresh = refresh.split_once('=').unwrap().1.split(';').next().unwrap().to_owned();
    let body = json!({"expired_token": jwt, "refresh_token": refresh, "request_origin": ORIGIN});
    server.backend("POST", &format!("/v1/sessions/{session}/refresh"), Some(body)).await.expect(200);
    let testing = server.backend("POST", "/v1/testing_tokens", None).await.expect(200)["token"].as_str().unwrap().to_owned();
    server.backend("POST", "/v1/clients/verify", Some(json!({"token": ada.cookies["__client"]}))).await.expect(200);
    // Errors are where secrets leak: a key that is nearly right, a body that does not parse.
    let nearly = format!("{}x", server.instance.secret_key.expose());
    assert_eq!(server.backend_as(&nearly.as_str().into(), "GET", "/v1/users", None).await.status, 401);
    let broken = format!("{{\"password\": \"{password}\", \"email_address\": 7}}");
    assert_eq!(backend(&server).send("POST", "/v1/users", Some(("application/json", broken))).await.status, 422);
    assert_eq!(
        backend(&server).send("POST", "/v1/users", Some(("application/json", format!("{{\"password\": \"{password}\"")))).await.status,
        400
    );

    // Six digits alone may be part of any time or number, so the code is looked for as it would be written.
    canary(&[
        password,
        "the+canary+sings",
        wrong,
        "the+canary+is",
        server.instance.secret_key.expose(),
        &first_token,
        &ada.cookies["__client"],
    ]);
    canary(&[
        &subject,
        &format!("code={code}"),
        &format!("\"{code}"),
        jwt.rsplit_once('.').unwrap().1,
        &refresh,
        &nonce,
        &testing,
        &dev,
        "$argon2",
    ]);
}
