//! The command line, run as an operator runs it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod place;

use place::Place;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn doorward() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.env_remove("DOORWARD_MASTER_KEY").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    doorward().args(args).output().unwrap()
}

fn ok(args: &[&str]) -> String {
    let done = run(args);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn refused(args: &[&str], code: i32) -> String {
    let done = run(args);
    let text = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(code), "{args:?}: {text}");
    text
}

/// A configuration in a directory of its own, with a master key, on the database that the suite runs on.
fn configured(dir: &Path) -> String {
    let place = tokio::runtime::Runtime::new().unwrap().block_on(Place::new(dir));
    place.configured("")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_operator_makes_an_instance_and_a_user_and_reads_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let made = parsed(&ok(&[
        "instance",
        "create",
        "--config",
        &config,
        "--name",
        "Shop",
        "--host",
        "clerk.example.com",
        "--allowed-origin",
        "https://app.example.com",
        "--cookie-domain",
        "example.com",
        "--json",
    ]));
    assert!(made["publishable_key"].as_str().unwrap().starts_with("pk_live_"));
    assert!(made["secret_key"].as_str().unwrap().starts_with("sk_live_"));
    assert_eq!(made["frontend_api_url"], "https://clerk.example.com");
    let user = parsed(&ok(&["user", "create", "--config", &config, "--email", "ada@example.com", "--password", "correct horse", "--json"]));
    assert_eq!(user["email_addresses"], json!(["ada@example.com"]));
    let listed = parsed(&ok(&["user", "list", "--config", &config, "--json"]));
    assert_eq!(listed[0]["id"], user["id"]);
    let shown = ok(&["instance", "show", "--config", &config]);
    assert!(!shown.contains("sk_live_") && shown.contains("BEGIN PUBLIC KEY"), "{shown}");
    let hidden = refused(&["instance", "show", "--config", &config, "--reveal-secret"], 1);
    assert!(hidden.contains("doorward keys create") && !hidden.contains("sk_live_"), "{hidden}");
    let rotated = parsed(&ok(&["keys", "rotate", "--config", &config, "--kind", "secret", "--json"]));
    assert_ne!(rotated["secret_key"], made["secret_key"]);
    ok(&["user", "delete", "--config", &config, user["id"].as_str().unwrap()]);
    assert_eq!(parsed(&ok(&["user", "list", "--config", &config, "--json"])), json!([]));
    let taken = refused(&["instance", "create", "--config", &config, "--name", "Other", "--host", "clerk.example.com"], 1);
    assert!(taken.contains("answers on this host"), "{taken}");
}

#[test]
fn settings_are_read_changed_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    ok(&["instance", "create", "--config", &config, "--name", "Shop", "--host", "clerk.example.com"]);
    let mut settings = parsed(&ok(&["instance", "settings", "get", "--config", &config]));
    settings["session"]["single_session"] = json!(false);
    let file = dir.path().join("settings.json");
    std::fs::write(&file, settings.to_string()).unwrap();
    ok(&["instance", "settings", "set", "--config", &config, file.to_str().unwrap()]);
    assert_eq!(parsed(&ok(&["instance", "settings", "get", "--config", &config]))["session"]["single_session"], false);
    settings["session"]["lifetme"] = json!(1);
    std::fs::write(&file, settings.to_string()).unwrap();
    assert!(refused(&["instance", "settings", "set", "--config", &config, file.to_str().unwrap()], 1).contains("lifetme"));
}

#[test]
fn fault_149_a_typo_in_the_configuration_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let text = std::fs::read_to_string(&config).unwrap().replace("backend_listen", "backend_listn");
    std::fs::write(&config, text).unwrap();
    for command in ["check-config", "serve"] {
        assert!(refused(&[command, "--config", &config], 3).contains("backend_listn"));
    }
}

#[test]
fn a_database_of_places_that_is_none_is_refused_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let text = std::fs::read_to_string(&config).unwrap().replace("[server]", "[server]\ngeoip_database = \"city.mmdb\"");
    std::fs::write(&config, text).unwrap();
    for broken in [false, true] {
        if broken {
            std::fs::write(dir.path().join("city.mmdb"), "not one").unwrap();
        }
        for command in ["check-config", "serve"] {
            let said = refused(&[command, "--config", &config], 3);
            assert!(said.contains("server.geoip_database") && said.contains("city.mmdb"), "{said}");
        }
    }
}

#[test]
fn a_wrong_master_key_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    ok(&["migrate", "--config", &config]);
    let done = doorward().args(["migrate", "--config", &config]).env("DOORWARD_MASTER_KEY", "00".repeat(32)).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let text = String::from_utf8(done.stderr).unwrap();
    assert!(text.contains("another master key") && !text.contains("0000"), "{text}");
}

/// Kills what a failed test would leave running.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn dev_makes_everything_says_so_and_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let mut first = String::new();
    for _ in 0..2 {
        let child = doorward()
            .args([
                "dev",
                "--data-dir",
                data.to_str().unwrap(),
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--backend-listen",
                "127.0.0.1:0",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Server(child);
        let said: Vec<String> =
            BufReader::new(server.0.stdout.take().unwrap()).lines().map(Result::unwrap).take_while(|l| !l.starts_with("ready")).collect();
        let key = said.iter().find(|l| l.starts_with("SECRET_KEY=")).unwrap().clone();
        assert!(first.is_empty() || first == key, "the second start finds the first one's keys");
        first = key;
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(socket, "GET /v1/client HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with(r#"{"response":null,"client":null}"#), "{answer}");
        for file in ["master.key", "doorward.db", "dev.env"] {
            let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{file} is for its owner only");
        }
        assert!(Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap().success());
        assert!(server.0.wait().unwrap().success(), "told to stop, it stops with 0");
    }
}

#[test]
fn the_openapi_documents_are_printed() {
    for api in ["frontend", "backend"] {
        let document = parsed(&ok(&["openapi", api]));
        assert_eq!(document["openapi"], "3.1.0");
        assert!(document["paths"].as_object().unwrap().len() > 15);
    }
    refused(&["openapi", "sideways"], 2);
}

#[test]
fn a_lost_master_key_is_not_replaced_by_another_one() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("doorward.db"), "").unwrap();
    let said = refused(&["dev", "--data-dir", dir.path().to_str().unwrap()], 1);
    assert!(said.contains("master.key is missing"), "{said}");
    assert!(!dir.path().join("master.key").exists());
}

#[test]
fn a_place_where_nothing_is_gets_a_hint_and_not_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    let said = refused(&["user", "list", "--data-dir", nowhere.to_str().unwrap()], 1);
    assert!(said.contains("start `doorward dev` once"), "{said}");
    assert!(!nowhere.exists());
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let mut child = doorward().args(["openapi", "backend"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success() && done.stderr.is_empty(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn the_private_listener_has_what_operators_ask_for_and_the_public_one_has_not() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    let port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (public, private) = (port(), port());
    let mut server = doorward();
    server
        .args(["serve", "--config", &config])
        .env("DOORWARD_SERVER__LISTEN", format!("127.0.0.1:{public}"))
        .env("DOORWARD_SERVER__BACKEND_LISTEN", format!("127.0.0.1:{private}"))
        .env("DOORWARD_SERVER__BACKEND_PATH", "/backend")
        .env("DOORWARD_LOG__FORMAT", "json")
        .stderr(Stdio::piped());
    let mut server = Server(server.spawn().unwrap());
    let ready = BufReader::new(server.0.stderr.take().unwrap()).lines().map(Result::unwrap).find(|l| l.contains("\"message\":\"ready\""));
    assert!(ready.is_some());
    let get = |port: u16, path: &str| {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        (answer[9..12].to_owned(), answer)
    };
    for path in ["/", "/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"] {
        assert_eq!(get(private, path).0, "200", "{path}");
    }
    assert_eq!(get(private, "/inbox").0, "404", "no development instance, no inbox");
    for path in ["/", "/health/live", "/health/ready", "/metrics", "/inbox", "/backend/metrics", "/backend/inbox", "/v1/users"] {
        assert_eq!(get(public, path).0, "404", "{path}");
    }
    assert_eq!(get(public, "/backend/v1/users").0, "401", "there, and closed to whoever has no key");
    for (port, title) in [(public, "Doorward Frontend API"), (private, "Doorward Backend API")] {
        let (status, document) = get(port, "/openapi.json");
        let document = parsed(document.split_once("\r\n\r\n").unwrap().1);
        assert_eq!((status.as_str(), &document["info"]["title"]), ("200", &json!(title)));
        let (status, page) = get(port, "/docs");
        assert!(status == "200" && page.contains("content-type: text/html") && page.contains(title), "{page}");
    }
    let (status, text) = get(public, "/npm/@clerk/clerk-js@4/dist/clerk.browser.js");
    assert_eq!(status, "404");
    assert!(text.ends_with("    doorward sdk install @clerk/clerk-js@4 --config doorward.toml\n"), "{text}");
    assert!(Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap().success());
    assert!(server.0.wait().unwrap().success());
}

#[test]
fn an_operator_hands_out_secret_keys_and_withdraws_them() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    ok(&["instance", "create", "--config", &config, "--name", "Shop", "--host", "clerk.example.com"]);
    let made = parsed(&ok(&["keys", "create", "--config", &config, "--name", "ci", "--json"]));
    let secret = made["secret_key"].as_str().unwrap();
    assert!(secret.starts_with("sk_live_"));
    let listed = ok(&["keys", "list", "--config", &config, "--json"]);
    assert!(!listed.contains(secret), "keys are shown once");
    let names: Vec<_> = parsed(&listed).as_array().unwrap().iter().map(|key| key["name"].clone()).collect();
    assert!(names.len() == 2 && names.contains(&json!("first")) && names.contains(&json!("ci")));
    ok(&["keys", "revoke", "--config", &config, made["id"].as_str().unwrap()]);
    assert!(ok(&["keys", "list", "--config", &config]).contains("withdrawn"));
    let left = parsed(&listed).as_array().unwrap().iter().find(|key| key["name"] == "first").unwrap()["id"].clone();
    refused(&["keys", "revoke", "--config", &config, left.as_str().unwrap()], 1);
}

#[test]
fn an_operator_keeps_the_endpoints_of_webhooks() {
    let dir = tempfile::tempdir().unwrap();
    let config = configured(dir.path());
    ok(&["instance", "create", "--config", &config, "--name", "Shop", "--host", "clerk.example.com"]);
    let webhook = |args: &[&str]| parsed(&ok(&[&["webhook"], args, &["--config", &config, "--json"]].concat()));
    let made = webhook(&["create", "--url", "https://hooks.example.com/in", "--event", "user.created"]);
    let (id, first) = (made["id"].as_str().unwrap(), &made["secret"]);
    assert!(first.as_str().unwrap().starts_with("whsec_"));
    assert_eq!(webhook(&["reveal-secret", id])["secret"], *first);
    let second = webhook(&["rotate-secret", id])["secret"].clone();
    assert_ne!(second, *first);
    assert_eq!(webhook(&["reveal-secret", id])["secret"], second);

    let changed = webhook(&["update", id, "--description", "the shop", "--rate-limit", "5", "--disabled"]);
    assert_eq!((&changed["description"], &changed["rate_limit"]), (&json!("the shop"), &json!(5)));
    assert_eq!((&changed["events"], &changed["url"]), (&made["events"], &made["url"]), "what is not named stays");
    assert_ne!(changed["state"], made["state"]);
    let changed = webhook(&["update", id, "--event", "all", "--rate-limit", "0", "--enabled"]);
    assert_eq!((&changed["events"], &changed["rate_limit"], &changed["state"]), (&json!([]), &Value::Null, &made["state"]));

    ok(&["user", "create", "--config", &config, "--email", "ada@example.com", "--password", "correct horse"]);
    let waiting = webhook(&["deliveries", id, "--status", "pending"]);
    assert_eq!(waiting[0]["type"], "user.created");
    let event = waiting[0]["event_id"].as_str().unwrap();
    assert_eq!(webhook(&["replay", id, "--event", event])["events"], 1);
    assert_eq!(webhook(&["replay", id, "--hours", "1", "--all"])["events"], 0, "it waits already");
    assert_eq!(webhook(&["deliveries", id, "--event", event]), json!([]), "nothing was tried yet");

    let no_time = refused(&["webhook", "replay", id, "--since", "yesterday", "--config", &config], 2);
    assert!(no_time.contains("2026-11-24T02:00:00Z"), "{no_time}");
    let refused = |args: &[&str]| refused(&[&["webhook"], args, &["--config", &config]].concat(), 1);
    assert!(refused(&["update", id, "--url", "ftp://hooks.example.com"]).contains("url"));
    assert!(refused(&["update", id, "--event", "user.creatd"]).contains("user.creatd"));
    let between = |since: &str, until: &str| webhook(&["replay", id, "--since", since, "--until", until, "--all"])["events"].clone();
    assert_eq!(between("2020-01-01T00:00:00Z", "2020-01-02T00:00:00+02:00"), 0);
    assert!(refused(&["replay", id, "--event", "evt_none"]).contains("evt_none"));
    webhook(&["delete", id]);
    assert_eq!(webhook(&["list"]), json!([]));
    assert!(refused(&["reveal-secret", id]).contains(id));
}
