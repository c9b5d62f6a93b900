//! The configuration: what it takes, what it refuses and by which name, and how the environment changes it.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_server::config::{self, Config, KEYS, MailTls, variable};
use std::path::Path;

const MASTER_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads a text as `doorward.toml`, under variables.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<config::Loaded, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("doorward.toml");
    std::fs::write(&file, text).unwrap();
    config::load(Some(&file), &environment(variables)).map_err(|e| e.to_string())
}

fn error(text: &str, variables: &[(&str, &str)]) -> String {
    load(text, variables).map(|loaded| loaded.config).unwrap_err()
}

/// What a configuration that loads is still refused for.
fn problems(text: &str, variables: &[(&str, &str)]) -> String {
    let mut all = vec![("DOORWARD_MASTER_KEY", MASTER_KEY)];
    all.extend(variables);
    let config = load(text, &all).unwrap().config;
    config.check(&environment(&all)).err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn fault_149_an_unknown_key_is_refused_with_its_name_file_and_line() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nlisen = \"x\"\n";
    let said = error(text, &[]);
    assert!(said.contains("doorward.toml:3:1: unknown field `lisen`"), "{said}");
    let said = error("[sever]\n", &[]);
    assert!(said.contains("doorward.toml:1:2: unknown field `sever`"), "{said}");
    let said = error("[server\n", &[]);
    assert!(said.contains("doorward.toml:1:"), "{said}");
    let said = error("[server]\nmax_in_flight = \"many\"\n", &[]);
    assert!(said.contains("doorward.toml:2:17:"), "{said}");
}

#[test]
fn fault_126_a_line_with_a_mistake_is_not_repeated_for_it_may_hold_a_secret() {
    let said = error("[database]\nurll = \"postgres://doorward:hunter2@db/doorward\"\n", &[]);
    assert!(said.contains("`urll`") && !said.contains("hunter2"), "{said}");
    let loaded = load("[database]\nurl = \"postgres://doorward:hunter2@db/doorward\"\n", &[]).unwrap();
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
    let said = problems("[database]\nurl = \"mysql://doorward:hunter2@db\"\n", &[]);
    assert!(said.contains("database.url") && !said.contains("hunter2"), "{said}");
}

#[test]
fn every_key_can_be_set_by_its_variable_which_counts_more_than_the_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\n[limits]\nenabled = true\n";
    let loaded = load(
        text,
        &[
            ("DOORWARD_SERVER__LISTEN", "0.0.0.0:80, [::]:80"),
            ("DOORWARD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
            ("DOORWARD_SERVER__MAX_IN_FLIGHT", "7"),
            ("DOORWARD_LIMITS__ENABLED", "false"),
            ("DOORWARD_MAIL__TLS", "implicit"),
            ("DOORWARD_MAIL__USERNAME", "12345"),
            ("UNRELATED__THING", "x"),
        ],
    );
    let loaded = loaded.unwrap();
    let config = loaded.config;
    assert_eq!(config.server.listen.to_string(), "0.0.0.0:80,[::]:80");
    assert_eq!(config.server.trusted_proxies.0.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
    assert_eq!((config.server.max_in_flight, config.limits.enabled, config.mail.tls), (7, false, MailTls::Implicit));
    assert_eq!(config.mail.username.as_deref(), Some("12345"), "a text stays a text, whatever it looks like");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn a_variable_that_cannot_be_meant_is_refused_or_at_least_mentioned() {
    assert_eq!(error("", &[("DOORWARD_SERVER__LISTN", "x")]), "DOORWARD_SERVER__LISTN: no such variable");
    let said =
        error("", &[("DOORWARD_LIMITS__ENABLED", "no"), ("DOORWARD_SERVER__LISTEN", "here"), ("DOORWARD_MAIL__TRANSPORT", "pigeon")]);
    for part in ["DOORWARD_LIMITS__ENABLED: must be true or false", "DOORWARD_SERVER__LISTEN: \"here\"", "DOORWARD_MAIL__TRANSPORT: "] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let loaded = load("", &[("DOORWARD_SERVER_LISTEN", "x"), ("DOORWARD_MASTER_KEY", MASTER_KEY)]).unwrap();
    assert_eq!(loaded.warnings, ["DOORWARD_SERVER_LISTEN: no such variable; did you mean DOORWARD_SERVER__LISTEN?"]);
}

/// The names that a section takes, as the refusal of a wrong one lists them.
fn known_names(text: &str) -> Vec<String> {
    let said = error(text, &[]);
    let list = said.split("expected").nth(1).unwrap();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_table_of_variables_is_complete() {
    let mut expected: Vec<(String, String)> = Vec::new();
    for section in known_names("nonsense = 1\n") {
        for key in known_names(&format!("[{section}]\nnonsense = 1\n")) {
            expected.push((section.clone(), key));
        }
    }
    let mut table: Vec<(String, String)> = KEYS.iter().map(|(section, key, _)| ((*section).to_owned(), (*key).to_owned())).collect();
    table.sort();
    expected.sort();
    assert_eq!(table, expected);
    assert_eq!(variable("server", "backend_listen"), "DOORWARD_SERVER__BACKEND_LISTEN");
}

const EXAMPLE: &str = include_str!("../../../doorward.example.toml");

#[test]
fn the_example_is_valid_and_documents_every_key() {
    load(EXAMPLE, &[]).unwrap();
    let mut section = "";
    let mut documented = Vec::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, _)) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        {
            documented.push((section, key));
        }
    }
    for (section, key, _) in KEYS {
        assert!(documented.contains(&(*section, *key)), "[{section}] {key} is not in doorward.example.toml");
    }
    for (section, key) in documented {
        assert!(KEYS.iter().any(|(s, k, _)| (*s, *k) == (section, key)), "[{section}] {key} is no key");
    }
}

#[test]
fn what_the_example_calls_defaults_are_the_defaults() {
    // Everything that is commented out there with a value that does not depend on the machine.
    let keys = [
        "max_in_flight",
        "max_connections",
        "request_timeout_seconds",
        "shutdown_grace_seconds",
        "enabled",
        "format",
        "level",
        "transport",
        "tls",
    ];
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let value = line.strip_prefix("# ").filter(|rest| keys.iter().any(|key| rest.starts_with(&format!("{key} = "))));
        text.push_str(line.starts_with('[').then_some(line).or(value).unwrap_or_default());
        text.push('\n');
    }
    let mut shown = load(&text, &[]).unwrap().config;
    shown.database.max_connections = None;
    let mut default = load("", &[]).unwrap().config;
    // The two were read from directories of their own.
    for config in [&mut shown, &mut default] {
        config.sdk.dir = None;
    }
    assert_eq!(format!("{shown:?}"), format!("{default:?}"));
}

#[test]
fn relative_paths_are_taken_from_the_files_directory() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("doorward.toml");
    std::fs::write(&file, "[database]\nurl = \"sqlite://data/doorward.db?mode=rwc\"\n[secrets]\nmaster_key_file = \"master.key\"\n")
        .unwrap();
    let config = config::load(Some(&file), &[]).unwrap().config;
    assert_eq!(config.secrets.master_key_file.as_deref(), Some(dir.path().join("master.key").as_path()));
    assert_eq!(config.sqlite_file().unwrap(), dir.path().join("data/doorward.db"));
    assert_eq!(config.sdk_dir(), dir.path().join("sdk"));
    assert!(config.database.url.expose().ends_with("?mode=rwc"));
}

#[test]
fn an_awkward_directory_is_still_one_file() {
    let dir = Path::new("/tmp/50% off? #1");
    let config = config::dev(dir, &[]).unwrap().config;
    assert_eq!(config.sqlite_file().unwrap(), dir.join("doorward.db"));
    assert!(!config.database.url.expose().contains('?'));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "[server]\nbackend_path = \"/v1/admin\"\nmax_in_flight = 0\n[mail]\ntransport = \"smtp\"\n[log]\nlevel = \"lo=ud=er\"\n";
    let said = problems(text, &[]);
    for key in ["database.url", "server.backend_path", "server.max_in_flight", "mail.host", "log.level"] {
        assert!(said.contains(key), "{key} in {said}");
    }
}

#[test]
fn a_backend_path_must_be_free() {
    let said = |path: &str| problems(&format!("[server]\nbackend_path = {path:?}\n[database]\nurl = \"sqlite://a.db\"\n"), &[]);
    for good in ["/backend", "/a/b", "/v1x"] {
        assert_eq!(said(good), "", "{good}");
    }
    for bad in ["", "/", "backend", "/a/", "/v1", "/npm/x", "/docs", "/{id}", "/a/../v1", "/.well-known/x", "/a b", "/user"] {
        assert!(said(bad).contains("server.backend_path"), "{bad}");
    }
}

#[test]
fn mail_over_smtp_needs_a_server_a_sender_and_both_halves_of_a_login() {
    let base = "[database]\nurl = \"sqlite://a.db\"\n[mail]\ntransport = \"smtp\"\nhost = \"mail.example.com\"\n";
    let said = |rest: &str, variables: &[(&str, &str)]| problems(&format!("{base}{rest}"), variables);
    assert!(said("", &[]).contains("mail.from: is needed"));
    assert!(said("from = \"nobody\"\n", &[]).contains("mail.from: \"nobody\""));
    assert_eq!(said("from = \"no-reply@example.com\"\n", &[]), "");
    assert!(said("from = \"a@example.com\"\nusername = \"u\"\n", &[]).contains("mail.password_file"));
    assert!(said("from = \"a@example.com\"\n", &[("DOORWARD_MAIL_PASSWORD", "p")]).contains("mail.username"));
    assert_eq!(said("from = \"a@example.com\"\nusername = \"u\"\n", &[("DOORWARD_MAIL_PASSWORD", "p")]), "");
}

#[test]
fn a_master_key_that_is_none_is_not_repeated() {
    let config: Config = load("[database]\nurl = \"sqlite://a.db\"\n", &[]).unwrap().config;
    let said = |key: &str| config.check(&environment(&[("DOORWARD_MASTER_KEY", key)])).unwrap_err().to_string();
    for bad in ["", "hunter2hunter2", &MASTER_KEY[1..]] {
        let said = said(bad);
        assert!(
            said.contains("DOORWARD_MASTER_KEY") && said.contains("64") && !said.contains("hunter2") && !said.contains("00000"),
            "{said}"
        );
    }
    assert!(config.check(&[]).unwrap_err().to_string().contains("secrets.master_key_file: is missing"));
}

#[test]
fn fault_133_nothing_listens_beyond_this_machine_unless_it_is_told_to() {
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../doorward.example.toml")).unwrap();
    for text in ["", &example] {
        let server = load(text, &[]).unwrap().config.server;
        let all: Vec<_> = server.listen.0.iter().chain(&server.backend_listen.0).collect();
        assert!(all.len() == 2 && all.iter().all(|at| at.ip().is_loopback()), "{all:?}");
        assert_eq!(server.backend_path, None, "and the Backend API is on the private listener only");
    }
}
