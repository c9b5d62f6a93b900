//! The process is killed, and the disk is full.
#![allow(clippy::unwrap_used, reason = "tests")]

use doorward_store::Db;
use doorward_store::db::DbOptions;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A development server in a directory, always on the same ports.
struct Place {
    data: PathBuf,
    public: u16,
    private: u16,
}

/// A running one. Dropped it is killed, as by `kill -9`.
struct Server {
    child: Child,
    private: u16,
    key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Place {
    fn new(dir: &Path) -> Self {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { data: dir.join("data"), public: port(), private: port() }
    }

    /// Starts it; no file may grow beyond `most_kib`.
    fn start(&self, most_kib: Option<u32>) -> Server {
        // The shell goes on as the server itself, so that the process is the one to be killed.
        let limit = most_kib.map_or_else(String::new, |kib| format!("trap '' XFSZ; ulimit -f {kib}; "));
        let mut child = Command::new("bash")
            .args(["-c", &format!("{limit}exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_doorward"), "dev", "--data-dir"])
            .arg(&self.data)
            .args(["--listen", &format!("127.0.0.1:{}", self.public), "--backend-listen", &format!("127.0.0.1:{}", self.private)])
            .env_remove("DOORWARD_MASTER_KEY")
            .env("RUST_LOG", "off")
            .env("DOORWARD_LIMITS__ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = said.take_while(|line| !line.starts_with("ready")).collect();
        let key = said.iter().find_map(|line| line.strip_prefix("SECRET_KEY=")).unwrap().to_owned();
        Server { child, private: self.private, key }
    }
}

/// A request to the Backend API: status and body, or nothing when the server is gone.
fn ask(private: u16, key: &str, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
    let mut socket = TcpStream::connect(("127.0.0.1", private)).ok()?;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n");
    write!(socket, "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.get(9..12)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

impl Server {
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(self.private, &self.key, method, path, &body).unwrap()
    }

    fn user(&self, name: &str) -> (u16, Value) {
        self.ask("POST", "/v1/users", &new_user(name))
    }

    fn exists(&self, id: &str) -> bool {
        let (status, user) = self.ask("GET", &format!("/v1/users/{id}"), &Value::Null);
        status == 200 && user["email_addresses"].as_array().unwrap().len() == 1
    }
}

fn new_user(name: &str) -> Value {
    json!({"email_address": [format!("{name}@example.com")], "external_id": name, "skip_password_requirement": true})
}

/// Creates users from four sides until nobody answers any more; kills the server once `kill_at` were acknowledged.
fn create_until_killed(mut server: Server, round: usize, kill_at: usize) -> Vec<String> {
    let (private, key) = (server.private, server.key.clone());
    let (made, number) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let name = format!("u{round}-{}", number.fetch_add(1, Ordering::Relaxed));
                    match ask(private, &key, "POST", "/v1/users", &new_user(&name).to_string()) {
                        Some((200, user)) => made.lock().unwrap().push(user["id"].as_str().unwrap().to_owned()),
                        Some(other) => panic!("{other:?}"),
                        None => return,
                    }
                }
            });
        }
        let began = Instant::now();
        while made.lock().unwrap().len() < kill_at {
            assert!(began.elapsed() < Duration::from_secs(60), "only {} users were made", made.lock().unwrap().len());
            std::thread::yield_now();
        }
        server.child.kill().unwrap();
    });
    made.into_inner().unwrap()
}

#[test]
fn fault_140_a_killed_server_has_every_user_that_it_said_it_had_and_no_half_ones() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let mut all = Vec::new();
    for (round, kill_at) in [7, 23, 61].into_iter().enumerate() {
        all.extend(create_until_killed(place.start(None), round, kill_at));
        let server = place.start(None);
        assert!(all.iter().all(|id| server.exists(id)), "round {round}");
        let (_, users) = server.ask("GET", "/v1/users?limit=500", &Value::Null);
        let users = users.as_array().unwrap();
        assert!(users.len() >= all.len() && users.iter().all(|user| user["email_addresses"].as_array().unwrap().len() == 1));
    }
    assert!(all.len() >= 7 + 23 + 61);
}

#[test]
fn fault_141_with_a_full_disk_writes_are_refused_and_tokens_are_still_minted() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let server = place.start(None);
    let (status, user) = server.user("ada");
    assert_eq!(status, 200, "{user}");
    let (status, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    assert_eq!(status, 200, "{session}");
    drop(server);

    let server = place.start(Some(1024));
    let mut made = Vec::new();
    let refused = loop {
        assert!(made.len() < 2_000, "a megabyte is full by now");
        match server.user(&format!("u{}", made.len())) {
            (200, user) => made.push(user["id"].as_str().unwrap().to_owned()),
            other => break other,
        }
    };
    assert!(!made.is_empty(), "there was room at first");
    assert!(refused.0 >= 500 && refused.1["errors"][0]["code"].is_string(), "{refused:?}");
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    for _ in 0..5 {
        let (status, token) = server.ask("POST", &mint, &json!({}));
        assert_eq!(status, 200, "{token}");
        assert!(token["jwt"].is_string());
    }
    assert!(made.iter().all(|id| server.exists(id)), "what was said to be there is there");
    drop(server);

    let server = place.start(None);
    assert!(made.iter().all(|id| server.exists(id)));
    assert_eq!(server.user("bob").0, 200, "with room again it writes again");
}

/// Resident memory of a process in KiB.
fn resident(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn fault_152_memory_does_not_grow_with_the_number_of_mints() {
    let dir = tempfile::tempdir().unwrap();
    let server = Place::new(dir.path()).start(None);
    let (_, user) = server.user("ada");
    let (_, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    let mints = |count: usize| (0..count).for_each(|_| assert_eq!(server.ask("POST", &mint, &json!({})).0, 200));
    mints(500);
    let before = resident(&server);
    mints(3_000);
    let grown = resident(&server).saturating_sub(before);
    // A kilobyte kept for each would be three megabytes.
    assert!(grown < 2_500, "{grown} KiB more than {before}");
}

#[tokio::test]
async fn fault_142_while_the_database_is_held_tokens_are_minted_and_afterwards_all_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let server = place.start(None);
    let (_, user) = server.user("ada");
    let (_, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    let url = format!("sqlite://{}", place.data.join("doorward.db").display());
    let db = Db::connect(&DbOptions { url, max_connections: 1, acquire_timeout: Duration::from_secs(5) }).await.unwrap();

    let held = db.begin().await.unwrap();
    let (private, key) = (server.private, server.key.clone());
    let waiting = std::thread::spawn(move || ask(private, &key, "POST", "/v1/users", &new_user("bob").to_string()));
    for _ in 0..20 {
        assert_eq!(server.ask("POST", &mint, &json!({})).0, 200, "readers do not wait for the writer");
    }
    let (status, refused) = waiting.join().unwrap().unwrap();
    assert_eq!(status, 503, "it waits for a bounded time: {refused}");
    held.commit().await.unwrap();
    assert_eq!(server.user("bob").0, 200, "without a restart");
}

#[test]
fn fault_151_a_crowd_that_comes_back_at_once_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let server = place.start(None);
    let (_, user) = server.user("ada");
    let (_, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    let key = server.key.clone();
    drop(server);
    let (began, private) = (Instant::now(), place.private);
    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let (key, mint) = (key.clone(), mint.clone());
            // As clients do without the server: again and again until it answers.
            std::thread::spawn(move || {
                while began.elapsed() < Duration::from_secs(60) {
                    match ask(private, &key, "POST", &mint, "{}") {
                        Some((200, _)) => return true,
                        Some((503, _)) | None => std::thread::yield_now(),
                        Some(other) => panic!("{other:?}"),
                    }
                }
                false
            })
        })
        .collect();
    let server = place.start(None);
    assert!(crowd.into_iter().all(|one| one.join().unwrap()), "each of them within a minute");
    assert_eq!(server.ask("POST", &mint, &json!({})).0, 200);
}
