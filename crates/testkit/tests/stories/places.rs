//! Where people are, by a database file.

use doorward_core::atlas::Atlas;
use doorward_testkit::{Mmdb, Options, TestServer, mmdb};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery";

fn atlas(bytes: &[u8]) -> Result<Atlas, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("city.mmdb");
    std::fs::write(&file, bytes).unwrap();
    Atlas::open(&file)
}

/// A server behind a proxy, so that tests can say where callers are.
async fn server(atlas: Atlas) -> TestServer {
    let mut options = Options { atlas, ..Options::default() };
    options.config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    TestServer::with(options).await
}

/// Signs in from an address. Answers the country that the server says, and the activity as the browser and a server see it.
async fn activity(server: &TestServer, from: &str) -> (Option<String>, Value) {
    let mut browser = server.browser();
    browser.headers.push(("x-forwarded-for".to_owned(), from.to_owned()));
    let answer = browser.sign_in("ada@example.com", PASSWORD).await;
    answer.expect(200);
    let country = answer.headers.get("x-country").map(|it| it.to_str().unwrap().to_owned());
    let id = browser.session_id().await.unwrap();
    let minted = browser.mint(&id).await;
    assert!(minted.status == 200 && !minted.headers.contains_key("x-country"), "tokens are minted without looking around");
    let all = browser.get("/v1/me/sessions").await;
    let mine = all.expect(200).as_array().unwrap().iter().find(|it| it["id"] == id.as_str()).unwrap()["latest_activity"].clone();
    let seen = server.backend("GET", &format!("/v1/sessions/{id}"), None).await.expect(200)["latest_activity"].clone();
    assert_eq!(mine, seen);
    assert_eq!(mine["ip_address"], from.trim_matches(['[', ']']));
    (country, mine)
}

#[tokio::test]
async fn sessions_say_where_they_are_used_from() {
    let country_only = Mmdb::Map([("country", Mmdb::Map([("iso_code", Mmdb::Text("fr"))].into()))].into());
    let file = mmdb(&[
        ("81.2.69.0", 24, Mmdb::city("London", "GB")),
        ("203.0.113.128", 25, country_only),
        ("198.51.100.7", 32, Mmdb::city("", "Nowhere")),
        ("2001:db8::", 32, Mmdb::city("Z\u{fc}rich", "CH")),
    ]);
    let server = server(atlas(&file).unwrap()).await;
    server.user("ada@example.com", PASSWORD).await;
    for (from, city, country) in [
        ("81.2.69.142", json!("London"), json!("GB")),
        ("81.2.70.1", Value::Null, Value::Null),
        ("203.0.113.200", Value::Null, json!("FR")),
        ("203.0.113.1", Value::Null, Value::Null),
        ("198.51.100.7", Value::Null, Value::Null),
        ("2001:db8::1", json!("Z\u{fc}rich"), json!("CH")),
    ] {
        let (said, activity) = activity(&server, from).await;
        assert_eq!((&activity["city"], &activity["country"]), (&city, &country), "{from}");
        assert_eq!(json!(said), country, "{from}");
    }
    // Refusals say it as well; servers are not told where they are.
    let mut browser = server.browser();
    browser.headers.push(("x-forwarded-for".to_owned(), "81.2.69.142".to_owned()));
    let refused = browser.sign_in("ada@example.com", "wrong").await;
    assert_eq!((refused.status, refused.headers["x-country"].to_str().unwrap()), (422, "GB"));
    assert!(refused.headers["access-control-expose-headers"].to_str().unwrap().contains("X-Country"));
    assert!(!server.backend("GET", "/v1/users/count", None).await.headers.contains_key("x-country"));
}

#[tokio::test]
async fn without_a_file_nothing_is_known_and_a_broken_one_is_no_file() {
    let server = server(Atlas::default()).await;
    server.user("ada@example.com", PASSWORD).await;
    let (said, activity) = activity(&server, "81.2.69.142").await;
    assert_eq!((said, activity.get("city"), activity.get("country")), (None, None, None));
    let good = mmdb(&[("81.2.69.0", 24, Mmdb::city("London", "GB"))]);
    assert!(atlas(&good).is_ok());
    for bad in [b"".as_slice(), b"PK\x03\x04", &good[..40], &good[good.len() - 20..]] {
        assert!(atlas(bad).is_err(), "{} bytes", bad.len());
    }
    let missing = Atlas::open(std::path::Path::new("/nonexistent/city.mmdb")).err().unwrap();
    assert!(!missing.is_empty());
}
