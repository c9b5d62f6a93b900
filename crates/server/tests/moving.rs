//! Users and instances come in and go out by the command line, and a run that is killed is repeated.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod place;

use place::{Place, Server};
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

/// Whether a command said how far it was, a few times and not at each step.
fn told_by_percent(done: &Output, after: &str) -> bool {
    let said = String::from_utf8_lossy(&done.stderr);
    let told = |line: &str| line.split_once(" % · ").filter(|(_, rest)| rest.contains(after)).and_then(|it| it.0.parse::<u64>().ok());
    let told: Vec<u64> = said.lines().filter_map(told).collect();
    (5..=20).contains(&told.len()) && told.is_sorted() && told.iter().all(|percent| *percent <= 100)
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
        let expected = json!({"read": USERS, "added": added, "present": present, "refused": 0, "passed_over": {}, "complete": true});
        assert!(done.status.success() && summary(&done) == expected, "{:?}", summary(&done));
        assert_eq!(count(), USERS as u64);
        assert!(told_by_percent(&done, " read: "), "how far it is");
    }
    let right = json!({"password": "U*U"});
    assert_eq!(server.ask("POST", "/v1/users/user_009999/verify_password", &right).0, 200);

    let out = dir.path().join("out.jsonl");
    let done = run(&place, &["user", "export", text(&out), "--json"]);
    assert_eq!(summary(&done), json!({"written": USERS, "passed_over": {}}));
    assert!(told_by_percent(&done, " written"), "how far it is");
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
    assert_eq!(summary(&done), json!({"read": 4, "added": 1, "present": 0, "refused": 3, "passed_over": {}, "complete": true}));
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
    let written = std::fs::read_to_string(&out).unwrap();
    let (first, row) = written.split_once('\n').unwrap();
    assert!(first.starts_with(&format!("{columns},external_id,")) && row.starts_with(&format!("{},", rows[1])), "{written}");
}

/// A user as a server sees one, without what its addresses and numbers are called by and proven by.
fn without_ids(server: &Server, id: &str) -> Value {
    let (status, mut user) = server.ask("GET", &format!("/v1/users/{id}"), &Value::Null);
    assert_eq!(status, 200, "{user}");
    for (list, kind) in [("email_addresses", "email_address"), ("phone_numbers", "phone_number")] {
        let all = user[list].as_array().unwrap();
        user[list] = all.iter().map(|it| json!([it[kind], it["verification"]["status"]])).collect();
    }
    for ids in ["primary_email_address_id", "primary_phone_number_id", "image_url", "profile_image_url"] {
        assert!(user.as_object_mut().unwrap().remove(ids).is_some());
    }
    user
}

#[tokio::test]
async fn a_csv_brings_everything_back_that_is_no_list() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Place::new(dir.path()).await, dir.path().join("two"));
    let source = one.start(None);
    let verified = json!({"status": "verified"});
    let ada = json!({
        "id": "user_ada", "external_id": "007", "locale": "de-AT", "username": null, "first_name": "Ada, \"the\" first",
        "email_addresses": [{"email_address": "b@example.com", "verification": verified}, {"email_address": "a@example.com"}],
        "public_metadata": {"a": "ü,\n\"x\""}, "private_metadata": {"b": [1, null]}, "unsafe_metadata": {"c": true}, "banned": true,
        "delete_self_enabled": false, "create_organizations_limit": 3, "legal_accepted_at": 2, "last_sign_in_at": 3, "last_active_at": 4,
        "created_at": 1, "updated_at": 6, "password_last_updated_at": 5, "password_digest": BCRYPT, "password_hasher": "bcrypt",
        "external_accounts": [{"provider": "google", "provider_user_id": "117", "verification": verified}],
        "web3_wallets": [{"web3_wallet": "0x0123456789012345678901234567890123456789", "verification": verified}],
    });
    let bob = json!({"id": "user_bob", "email_addresses": [{"email_address": "bob@example.com", "verification": verified}]});
    let file = dir.path().join("users.json");
    std::fs::write(&file, json!([ada, bob]).to_string()).unwrap();
    let done = run(&one, &["user", "import", text(&file), "--json"]);
    assert_eq!(summary(&done), json!({"read": 2, "added": 2, "present": 0, "refused": 0, "passed_over": {}, "complete": true}));

    let csv = dir.path().join("users.csv");
    let done = run(&one, &["user", "export", "--format", "csv", text(&csv), "--json"]);
    assert_eq!(summary(&done), json!({"written": 2, "passed_over": {"external_accounts": 1, "web3_wallets": 1}}));
    let other = Place::on_sqlite(&two);
    let target = other.start(None);
    let done = run(&other, &["user", "import", text(&csv), "--json"]);
    assert_eq!(summary(&done)["added"], 2, "{}", String::from_utf8_lossy(&done.stderr));
    let mut before = without_ids(&source, "user_ada");
    for list in ["external_accounts", "web3_wallets"] {
        assert_eq!(before[list].as_array().unwrap().len(), 1);
        before[list] = json!([]);
    }
    before["primary_web3_wallet_id"] = Value::Null;
    assert_eq!(without_ids(&target, "user_ada"), before);
    assert_eq!(without_ids(&target, "user_bob"), without_ids(&source, "user_bob"));

    let odd = "id,primary_email_address,banned,favourite_colour\nuser_c,c@example.com,yes,\nuser_d,d@example.com,,red\n";
    std::fs::write(&csv, odd).unwrap();
    let done = run(&other, &["user", "import", text(&csv), "--json"]);
    let passed = json!({"favourite_colour": 1});
    assert_eq!(summary(&done), json!({"read": 2, "added": 1, "present": 0, "refused": 1, "passed_over": passed, "complete": true}));
    assert!(String::from_utf8_lossy(&done.stderr).contains("line 2: banned: "));
}

#[tokio::test]
async fn what_cannot_be_taken_is_counted_and_a_collision_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let server = place.start(None);
    let email = |name: &str| json!([{"email_address": format!("{name}@example.com"), "verification": {"status": "verified"}}]);
    let at = |provider: &str, id: &str| json!({"provider": provider, "provider_user_id": id, "verification": {"status": "verified"}});
    let rows = [
        json!({
            "id": "user_1", "email_addresses": email("a"), "external_accounts": [at("oauth_google", "1"), at("oauth_custom_acme", "1")],
            "passkeys": [{"id": "passkey_1"}, {"id": "passkey_2"}], "saml_accounts": [], "enterprise_accounts": [{"id": "ent_1"}],
            "has_image": true, "image_url": "https://img.example/1", "password_enabled": true, "totp_enabled": true,
            "backup_code_enabled": true, "two_factor_enabled": true, "organization_memberships": [{"id": "orgmem_1"}],
            "\u{1b}[2J": "x", "verification_attempts_remaining": 100,
        }),
        json!({
            "id": "user_2", "email_addresses": email("b"), "external_accounts": [at("oauth_github", "2"), at("oauth_google", "1")],
            "passkeys": [{"id": "passkey_3"}],
        }),
        json!({"id": "user_3", "email_addresses": email("c"), "external_accounts": [at("oauth_github", "2")], "passkeys": [{}], "locked": true}),
    ];
    let file = dir.path().join("users.jsonl");
    std::fs::write(&file, rows.map(|row| row.to_string()).join("\n")).unwrap();
    let done = run(&place, &["user", "import", text(&file), "--json"]);
    let passed = json!({
        "backup_codes": 1, "enterprise_accounts": 1, "external_accounts": 1, "organization_memberships": 1, "other": 1, "passkeys": 3,
        "passwords": 1, "pictures": 1, "totp_secrets": 1,
    });
    assert_eq!(summary(&done), json!({"read": 3, "added": 2, "present": 0, "refused": 1, "passed_over": passed, "complete": true}));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        said.contains("line 2: external_accounts[1]: ") && said.contains("left behind: backup_codes: 1, enterprise_accounts: 1"),
        "{said}"
    );
    assert_eq!(server.ask("GET", "/v1/users/user_2", &Value::Null).0, 404);
    let (_, user) = server.ask("GET", "/v1/users/user_3", &Value::Null);
    assert_eq!(
        (&user["external_accounts"][0]["provider_user_id"], &user["locked"]),
        (&json!("2"), &json!(true)),
        "nothing of the other was kept"
    );

    let out = dir.path().join("out.jsonl");
    server.ask("PATCH", "/v1/users/user_1", &json!({"backup_codes": ["plain-code-1"], "totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}));
    let done = run(&place, &["user", "export", text(&out)]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.ends_with("2 users written\nleft behind: backup_codes: 1, totp_secrets: 1\n") && done.stdout.is_empty(), "{said}");
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
