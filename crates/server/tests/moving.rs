//! Users and instances come in and go out by the command line, and a run that is killed is repeated.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod place;

use place::Place;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Output, Stdio};

/// A digest of `U*U` from the vectors of another implementation.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const USERS: usize = 10_000;

fn line(n: usize) -> String {
    let email = json!([{"email_address": format!("u{n}@example.com"), "verification": {"status": "verified", "strategy": "email_code"}}]);
    let user = json!({"id": format!("user_{n:06}"), "email_addresses": email, "password_digest": BCRYPT, "password_hasher": "bcrypt", "created_at": 5});
    format!("{user}\n")
}

fn run(place: &Place, args: &[&str]) -> Output {
    place.command(args).stderr(Stdio::piped()).output().unwrap()
}

fn summary(done: &Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn an_import_that_is_killed_and_repeated_ends_with_every_user_once() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let server = place.start(None);
    let count = || server.ask("GET", "/v1/users/count", &Value::Null).1["total_count"].as_u64().unwrap();

    let mut first = place.command(&["user", "import", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut into = first.stdin.take().unwrap();
    let fed = std::thread::spawn(move || {
        let sent = (0..3000).try_for_each(|n| into.write_all(line(n).as_bytes()));
        (into, sent)
    });
    let mut said = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("2000 read: 2000 added")));
    first.kill().unwrap();
    first.wait().unwrap();
    drop(fed.join().unwrap());
    let half = count();
    assert!((2000..=3000).contains(&half), "{half}");

    let file = dir.path().join("users.jsonl");
    std::fs::write(&file, (0..USERS).map(line).collect::<String>()).unwrap();
    for added in [USERS as u64 - half, 0] {
        let done = run(&place, &["user", "import", text(&file), "--json"]);
        let present = USERS as u64 - added;
        let expected = json!({"read": USERS, "added": added, "present": present, "refused": 0, "complete": true});
        assert!(done.status.success() && summary(&done) == expected, "{:?}", summary(&done));
        assert_eq!(count(), USERS as u64);
    }
    let right = json!({"password": "U*U"});
    assert_eq!(server.ask("POST", "/v1/users/user_009999/verify_password", &right).0, 200);

    let out = dir.path().join("out.jsonl");
    assert!(run(&place, &["user", "export", text(&out)]).status.success());
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(written.lines().count(), USERS);
    let last: Value = serde_json::from_str(written.lines().last().unwrap()).unwrap();
    assert_eq!((&last["id"], &last["password_digest"], &last["created_at"]), (&json!("user_009999"), &json!(BCRYPT), &json!(5)));
    assert!(!run(&place, &["user", "export", text(&out)]).status.success(), "a file is never replaced");
}

#[tokio::test]
async fn bad_rows_are_told_by_line_and_the_rest_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let server = place.start(None);
    let file = dir.path().join("users.csv");
    let columns = "id,first_name,last_name,username,primary_email_address,primary_phone_number,verified_email_addresses,\
                   unverified_email_addresses,verified_phone_numbers,unverified_phone_numbers,totp_secret,password_digest,password_hasher";
    let rows = [
        format!("user_1,Ada,\"Love\nlace\",,a@example.com,,a@example.com,b@example.com,,,,{BCRYPT},bcrypt"),
        format!("user_2,Ada,Lovelace,,a@example.com,,a@example.com|c@example.com,b@example.com,,,,{BCRYPT},bcrypt"),
        format!("user_3,Bob,,,d@example.com,,,,,,,{BCRYPT},rot13"),
        "user_4,short".to_owned(),
    ];
    std::fs::write(&file, format!("{columns}\n{}\n", rows.join("\n"))).unwrap();
    let done = run(&place, &["user", "import", text(&file), "--json"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(summary(&done), json!({"read": 4, "added": 1, "present": 0, "refused": 3, "complete": true}));
    let said = String::from_utf8(done.stderr).unwrap();
    for (line, what) in [(2, "last_name: "), (5, "password_hasher: "), (6, "columns")] {
        let told = said.lines().find(|text| text.starts_with(&format!("line {line}: "))).unwrap_or_else(|| panic!("{said}"));
        assert!(told.contains(what) && !told.contains(BCRYPT), "{told}");
    }
    let (status, user) = server.ask("GET", "/v1/users/user_2", &Value::Null);
    let addresses: Vec<_> = user["email_addresses"].as_array().unwrap().iter().map(|it| it["email_address"].clone()).collect();
    assert_eq!((status, addresses), (200, vec![json!("a@example.com"), json!("c@example.com"), json!("b@example.com")]));
    assert_eq!(server.ask("GET", "/v1/users/user_1", &Value::Null).0, 404);

    let out = dir.path().join("out.csv");
    assert!(run(&place, &["user", "export", "--format", "csv", text(&out)]).status.success());
    assert_eq!(std::fs::read_to_string(&out).unwrap(), format!("{columns}\n{}\n", rows[1]));
}

#[tokio::test]
async fn an_instance_moves_between_two_servers() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Place::new(dir.path()).await, dir.path().join("two"));
    let source = one.start(None);
    let made = source.ask("POST", "/v1/users", &json!({"email_address": ["ada@example.com"], "password": "correct horse battery"}));
    assert_eq!(made.0, 200, "{}", made.1);
    let file = dir.path().join("shop.instance");
    let written = run(&one, &["instance", "export", text(&file)]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let other = Place::on_sqlite(&two);
    let target = other.start(None);
    let done = run(&other, &["instance", "import", text(&file), "--json"]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(summary(&done)["rows"]["users"], 1);
    let at = format!("/v1/users/{}", made.1["id"].as_str().unwrap());
    let (status, user) = place::ask(target.private, &source.key, "GET", &at, "").unwrap();
    assert_eq!((status, &user), (200, &source.ask("GET", &at, &Value::Null).1));
    let right = json!({"password": "correct horse battery"}).to_string();
    assert_eq!(place::ask(target.private, &source.key, "POST", &format!("{at}/verify_password"), &right).unwrap().0, 200);
    let again = run(&other, &["instance", "import", text(&file)]);
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("here already"));
}
