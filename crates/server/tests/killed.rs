//! A process is killed by `kill -9` inside its transactions, once at each table that it writes: while the write to that table is
//! held up, everything before it is done and nothing after it. On both databases nothing half is left, and nothing is lost
//! that was acknowledged.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod place;

use doorward_base::Rng;
use doorward_store::db::{DbOptions, Dialect};
use doorward_store::{Db, StoreError, Tx, sql};
use place::{Place, Server, ask, call, connect, ended};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Writes to one table are held up: by a lock, or on SQLite by a trigger that does not come to an end.
struct Held {
    table: String,
    lock: Option<(Tx, i64)>,
    waiting: Vec<i64>,
}

const EVENTS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

impl Held {
    async fn new(db: &Db, table: &str) -> Self {
        let lock = match db.dialect() {
            Dialect::Postgres => {
                let mut tx = db.begin().await.unwrap();
                tx.exec(sql!(format!("LOCK TABLE {table} IN SHARE MODE"))).await.unwrap();
                let me = tx.opt(sql!("SELECT CAST(pg_backend_pid() AS BIGINT) AS pid")).await.unwrap().unwrap();
                Some((tx, me.int("pid").unwrap()))
            }
            Dialect::Sqlite => {
                let endless = "SELECT (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c)";
                for event in EVENTS {
                    let text = format!("CREATE TRIGGER held_{event} BEFORE {event} ON {table} BEGIN {endless}; END");
                    db.exec(sql!(text)).await.unwrap();
                }
                None
            }
        };
        Self { table: table.to_owned(), lock, waiting: Vec::new() }
    }

    /// Whether a process waits in the middle of a transaction.
    async fn is_felt(&mut self, db: &Db, impatient: &Db) -> bool {
        let Some((_, me)) = &self.lock else {
            return matches!(impatient.begin().await.map(drop), Err(StoreError::Serialization | StoreError::Busy));
        };
        let text = "SELECT CAST(pid AS BIGINT) AS pid FROM pg_stat_activity
                    WHERE CAST($1 AS INTEGER) = ANY(pg_blocking_pids(pid)) AND application_name = 'doorward'";
        self.waiting = db.all(sql!(text, *me)).await.unwrap().iter().map(|row| row.int("pid").unwrap()).collect();
        !self.waiting.is_empty()
    }

    /// Lets go; what was waiting for a process that is dead by now is over when this returns.
    async fn release(self, db: &Db) {
        let Some((tx, _)) = self.lock else {
            for event in EVENTS {
                db.exec(sql!(format!("DROP TRIGGER held_{event}"))).await.unwrap();
            }
            return;
        };
        tx.commit().await.unwrap();
        for pid in self.waiting {
            let text = "SELECT pid FROM pg_stat_activity WHERE pid = CAST($1 AS INTEGER) AND application_name = 'doorward'";
            until("the dead one's transaction ends", async || db.all(sql!(text, pid)).await.unwrap().is_empty()).await;
        }
    }
}

async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
    }
}

async fn tables(db: &Db) -> Vec<String> {
    let text = match db.dialect() {
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS t FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
        }
        Dialect::Sqlite => "SELECT name AS t FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1",
    };
    db.all(sql!(text)).await.unwrap().iter().map(|row| row.text("t").unwrap()).collect()
}

/// Something that is done again and again.
trait Deed {
    /// What was acknowledged.
    type Ack: Send + 'static;
    /// Does all but the last step, which it begins in a thread: nothing when nobody answered.
    fn prepare(&mut self, place: &Place, server: &Server, n: usize) -> Box<dyn FnOnce() -> Running<Self::Ack>>;
    /// Whether all is well, with the server running.
    async fn check(&mut self, server: &Server, db: &Db, ack: Option<Self::Ack>);
}

struct Running<T> {
    work: JoinHandle<Option<T>>,
    /// The process to be killed, when it is not the server.
    pid: Option<u32>,
}

/// Does it once for each table, killed wherever it writes. Answers the tables at which it was.
async fn kill_at_every_table(mut deed: impl Deed) -> BTreeSet<String> {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let mut server = place.start(None);
    let db = connect(&place.url()).await;
    let short = DbOptions { url: place.url(), max_connections: 1, acquire_timeout: Duration::from_millis(400) };
    let impatient = Db::connect(&short, &Rng::system()).await.unwrap();
    let mut killed_at = BTreeSet::new();
    for (n, table) in tables(&db).await.iter().enumerate() {
        let last_step = deed.prepare(&place, &server, n);
        let mut held = Held::new(&db, table).await;
        let running = last_step();
        let mut felt = false;
        while !felt && !running.work.is_finished() {
            felt = held.is_felt(&db, &impatient).await;
        }
        if felt {
            match running.pid {
                Some(pid) => assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success()),
                None => server.child.kill().unwrap(),
            }
            killed_at.insert(held.table.clone());
        }
        let ack = running.work.join().unwrap();
        held.release(&db).await;
        if felt || running.pid.is_some() {
            // Nothing from before is in memory, whoever was killed.
            drop(server);
            server = place.start(None);
        }
        deed.check(&server, &db, ack).await;
    }
    killed_at
}

struct SignUps {
    email: String,
}

/// A request of a native app: status, body and client token.
fn app(port: u16, path: &str, token: Option<&str>, form: &str) -> Option<(u16, Value, String)> {
    let token = token.map_or_else(String::new, |token| format!("Authorization: {token}\r\n"));
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{token}");
    let (head, body) = call(port, "POST", &format!("{path}?_is_native=1"), &headers, form)?;
    let token = head.lines().find_map(|line| line.to_ascii_lowercase().starts_with("authorization: ").then(|| line[15..].to_owned()));
    Some((head.get(9..12)?.parse().ok()?, serde_json::from_str(&body).ok()?, token.unwrap_or_default()))
}

/// All of a sign-up but its last step: that one's path and client token.
fn nearly_signed_up(port: u16, email: &str) -> (String, String) {
    let form = format!("email_address={}&password=correct+horse", email.replace('+', "%2B"));
    let (status, made, token) = app(port, "/v1/client/sign_ups", None, &form).unwrap();
    assert_eq!(status, 200, "{made}");
    let at = format!("/v1/client/sign_ups/{}", made["response"]["id"].as_str().unwrap());
    let (status, sent, _) = app(port, &format!("{at}/prepare_verification"), Some(&token), "strategy=email_code").unwrap();
    assert_eq!(status, 200, "{sent}");
    (format!("{at}/attempt_verification"), token)
}

const PROOF: &str = "strategy=email_code&code=424242";

impl Deed for SignUps {
    type Ack = String;

    fn prepare(&mut self, _: &Place, server: &Server, n: usize) -> Box<dyn FnOnce() -> Running<String>> {
        self.email = format!("ada{n}+clerk_test@example.com");
        let port = server.public;
        let (at, token) = nearly_signed_up(port, &self.email);
        Box::new(move || {
            let work = std::thread::spawn(move || {
                let (status, done, _) = app(port, &at, Some(&token), PROOF)?;
                assert_eq!((status, &done["response"]["status"]), (200, &json!("complete")), "{done}");
                Some(done["response"]["created_user_id"].as_str().unwrap().to_owned())
            });
            Running { work, pid: None }
        })
    }

    async fn check(&mut self, server: &Server, _: &Db, ack: Option<String>) {
        let query = format!("/v1/users?email_address={}", self.email.replace('+', "%2B"));
        let found = || server.ask("GET", &query, &Value::Null).1.as_array().unwrap().clone();
        match (&ack, &found()[..]) {
            (Some(id), [user]) => assert_eq!(user["id"], json!(id)),
            (Some(id), _) => panic!("{id} was acknowledged"),
            // The address is as free as it was.
            (None, []) => {
                let (at, token) = nearly_signed_up(server.public, &self.email);
                let (status, done, _) = app(server.public, &at, Some(&token), PROOF).unwrap();
                assert_eq!((status, &done["response"]["status"]), (200, &json!("complete")), "{done}");
            }
            (None, _) => {}
        }
        let found = found();
        assert_eq!(found.len(), 1);
        let user = &found[0];
        let emails = user["email_addresses"].as_array().unwrap();
        assert!(emails.len() == 1 && emails[0]["verification"]["status"] == "verified", "{user}");
        assert_eq!(user["primary_email_address_id"], emails[0]["id"]);
        let id = user["id"].as_str().unwrap();
        assert!(has_password(server, id, "correct horse"));
        let (_, sessions) = server.ask("GET", &format!("/v1/sessions?user_id={id}"), &Value::Null);
        assert_eq!(sessions.as_array().unwrap().len(), 1, "{sessions}");
    }
}

fn has_password(server: &Server, user: &str, password: &str) -> bool {
    let (status, answer) = server.ask("POST", &format!("/v1/users/{user}/verify_password"), &json!({"password": password}));
    assert!(status == 200 || status == 422, "{answer}");
    status == 200
}

/// Changes of one user's password, by which all sessions end.
#[derive(Default)]
struct Passwords {
    user: String,
    session: String,
    before: String,
    after: String,
}

impl Deed for Passwords {
    type Ack = ();

    fn prepare(&mut self, _: &Place, server: &Server, n: usize) -> Box<dyn FnOnce() -> Running<()>> {
        if self.user.is_empty() {
            self.after = "correct horse 0".to_owned();
            let new = json!({"email_address": ["ada@example.com"], "password": self.after});
            let (status, user) = server.ask("POST", "/v1/users", &new);
            assert_eq!(status, 200, "{user}");
            self.user = user["id"].as_str().unwrap().to_owned();
        }
        if has_password(server, &self.user, &self.after) {
            self.before = self.after.clone();
        }
        self.after = format!("correct horse {}", n + 1);
        let (status, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": self.user}));
        assert_eq!(status, 200, "{session}");
        self.session = session["id"].as_str().unwrap().to_owned();
        let (private, key, path) = (server.private, server.key.clone(), format!("/v1/users/{}", self.user));
        let change = json!({"password": self.after, "sign_out_of_other_sessions": true}).to_string();
        Box::new(move || {
            let work = std::thread::spawn(move || {
                let (status, user) = ask(private, &key, "PATCH", &path, &change)?;
                assert_eq!(status, 200, "{user}");
                Some(())
            });
            Running { work, pid: None }
        })
    }

    async fn check(&mut self, server: &Server, _: &Db, ack: Option<()>) {
        let (before, after) = (has_password(server, &self.user, &self.before), has_password(server, &self.user, &self.after));
        assert!(before != after, "it is one of the two");
        assert!(after || ack.is_none(), "what was acknowledged is so");
        let (_, session) = server.ask("GET", &format!("/v1/sessions/{}", self.session), &Value::Null);
        assert_eq!(session["status"], if after { "revoked" } else { "active" }, "with the old password only");
    }
}

/// New keys, by the command.
struct Keys {
    kind: &'static str,
    session: String,
}

impl Deed for Keys {
    type Ack = String;

    fn prepare(&mut self, place: &Place, server: &Server, _: usize) -> Box<dyn FnOnce() -> Running<String>> {
        if self.session.is_empty() {
            let (_, user) =
                server.ask("POST", "/v1/users", &json!({"email_address": ["ada@example.com"], "skip_password_requirement": true}));
            let (status, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
            assert_eq!(status, 200, "{session}");
            self.session = session["id"].as_str().unwrap().to_owned();
        }
        let mut command = place.command(&["keys", "rotate", "--kind", self.kind]);
        Box::new(move || {
            let child = command.spawn().unwrap();
            let pid = Some(child.id());
            Running { work: std::thread::spawn(move || Some(ended(child)).filter(|it| it.0).map(|it| it.1)), pid }
        })
    }

    async fn check(&mut self, server: &Server, db: &Db, ack: Option<String>) {
        let rows = db.all(sql!("SELECT kid FROM signing_keys WHERE retires_at IS NULL")).await.unwrap();
        assert_eq!(rows.len(), 1, "one key signs");
        let kid = rows[0].text("kid").unwrap();
        let (_, keys) = server.ask("GET", "/v1/jwks", &Value::Null);
        assert!(keys["keys"].as_array().unwrap().iter().any(|key| key["kid"] == json!(kid)), "and is published: {keys}");
        let (status, token) = server.ask("POST", &format!("/v1/sessions/{}/tokens", self.session), &json!({}));
        assert_eq!(status, 200, "and is not half of one, no more than the secret key: {token}");
        let secrets = db.all(sql!("SELECT id FROM secret_keys WHERE revoked_at IS NULL")).await.unwrap();
        assert_eq!(secrets.len(), 1);
        if let Some(ack) = ack {
            assert_eq!(ack, if self.kind == "signing" { kid } else { server.key.clone() });
        }
    }
}

fn among(killed_at: &BTreeSet<String>, tables: &[&str]) {
    assert!(tables.iter().all(|table| killed_at.contains(*table)), "{killed_at:?}");
}

#[tokio::test]
async fn fault_140_a_sign_up_that_is_cut_off_made_everything_or_nothing() {
    let killed_at = kill_at_every_table(SignUps { email: String::new() }).await;
    among(&killed_at, &["users", "email_addresses", "clients", "sessions", "sign_ups"]);
}

#[tokio::test]
async fn fault_140_a_change_of_password_that_is_cut_off_ended_all_sessions_or_changed_nothing() {
    among(&kill_at_every_table(Passwords::default()).await, &["users", "sessions"]);
}

#[tokio::test]
async fn fault_140_a_rotation_of_the_signing_key_that_is_cut_off_leaves_one_that_works() {
    among(&kill_at_every_table(Keys { kind: "signing", session: String::new() }).await, &["signing_keys"]);
}

#[tokio::test]
async fn fault_140_a_rotation_of_the_secret_key_that_is_cut_off_leaves_one_that_works() {
    among(&kill_at_every_table(Keys { kind: "secret", session: String::new() }).await, &["secret_keys"]);
}
