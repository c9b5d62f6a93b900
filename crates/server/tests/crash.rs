//! The process is killed, and the disk is full.
#![allow(clippy::unwrap_used, reason = "tests")]

mod place;

use doorward_base::Rng;
use doorward_store::sql;
use place::{Place, Server, ask, ask_raw, connect, ended};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

fn new_user(name: &str) -> Value {
    json!({"email_address": [format!("{name}@example.com")], "external_id": name, "skip_password_requirement": true})
}

impl Server {
    fn user(&self, name: &str) -> (u16, Value) {
        self.ask("POST", "/v1/users", &new_user(name))
    }

    fn exists(&self, id: &str) -> bool {
        let (status, user) = self.ask("GET", &format!("/v1/users/{id}"), &Value::Null);
        status == 200 && user["email_addresses"].as_array().unwrap().len() == 1
    }
}

/// What is written until the server is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    User,
    Metadata,
    Session,
    SignInToken,
    Invitation,
    Allowed,
    Waiting,
}

/// Something that was written, and the id that it has or that its user has.
type Written = (Kind, String);

impl Kind {
    /// Every other one is a user; what is somebody's waits for there to be a user whom nothing else was written for.
    fn drawn(rng: &Rng, spare: bool) -> Self {
        match rng.bytes::<1>()[0] % 12 {
            0 if spare => Self::Metadata,
            1 if spare => Self::Session,
            2 if spare => Self::SignInToken,
            3 => Self::Invitation,
            4 => Self::Allowed,
            5 => Self::Waiting,
            _ => Self::User,
        }
    }

    fn is_of_a_user(self) -> bool {
        matches!(self, Self::Metadata | Self::Session | Self::SignInToken)
    }

    /// What writes it.
    fn call(self, name: &str, user: &str) -> (&'static str, String, Value) {
        let post = |path: &str, body: Value| ("POST", path.to_owned(), body);
        let email = format!("{name}@example.com");
        match self {
            Self::User => post("/v1/users", new_user(name)),
            Self::Metadata => ("PATCH", format!("/v1/users/{user}/metadata"), json!({"public_metadata": {"name": name}})),
            Self::Session => post("/v1/sessions", json!({"user_id": user})),
            Self::SignInToken => post("/v1/sign_in_tokens", json!({"user_id": user})),
            Self::Invitation => post("/v1/invitations", json!({"email_address": email, "notify": false})),
            Self::Allowed => post("/v1/allowlist_identifiers", json!({"identifier": email, "notify": false})),
            Self::Waiting => post("/v1/waitlist_entries", json!({"email_address": email, "notify": false})),
        }
    }

    /// The event that tells of it, if there is one.
    fn event(self) -> Option<&'static str> {
        match self {
            Self::User => Some("user.created"),
            Self::Metadata => Some("user.updated"),
            Self::Session => Some("session.created"),
            Self::Waiting => Some("waitlistEntry.created"),
            Self::SignInToken | Self::Invitation | Self::Allowed => None,
        }
    }

    /// What an event tells of. A user changes by signing in, too.
    fn told_by(event: &str) -> Self {
        [Self::User, Self::Session, Self::Waiting].into_iter().find(|kind| kind.event() == Some(event)).unwrap_or(Self::User)
    }

    /// Whether it is there, and whole. What cannot be read is asked for by taking it away: once.
    fn is_there(self, server: &Server, id: &str) -> bool {
        let done = |method: &str, path: String| server.ask(method, &path, &Value::Null).0 == 200;
        match self {
            Self::User => server.exists(id),
            Self::Metadata => server.ask("GET", &format!("/v1/users/{id}"), &Value::Null).1["public_metadata"]["name"].is_string(),
            Self::Session => done("GET", format!("/v1/sessions/{id}")),
            Self::SignInToken => done("POST", format!("/v1/sign_in_tokens/{id}/revoke")),
            Self::Invitation => done("POST", format!("/v1/invitations/{id}/revoke")),
            Self::Allowed => done("DELETE", format!("/v1/allowlist_identifiers/{id}")),
            Self::Waiting => done("DELETE", format!("/v1/waitlist_entries/{id}")),
        }
    }
}

/// Writes from four sides until nobody answers any more; kills the server once `kill_at` were acknowledged. Each side's mix
/// comes of the seed.
fn write_until_killed(mut server: Server, round: u64, kill_at: usize, seed: u64) -> Vec<Written> {
    let (private, key) = (server.private, server.key.clone());
    let (made, number) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for side in 0..4 {
            let rng = Rng::seeded(seed.wrapping_add(round * 4 + side));
            let (made, number, key) = (&made, &number, &key);
            scope.spawn(move || {
                let mut spare: Vec<String> = Vec::new();
                loop {
                    let kind = Kind::drawn(&rng, !spare.is_empty());
                    let user = kind.is_of_a_user().then(|| spare.pop()).flatten().unwrap_or_default();
                    let name = format!("w{round}-{}", number.fetch_add(1, Ordering::Relaxed));
                    let (method, path, body) = kind.call(&name, &user);
                    let id = match ask(private, key, method, &path, &body.to_string()) {
                        Some((200, answer)) => answer["id"].as_str().unwrap().to_owned(),
                        Some(other) => panic!("{kind:?}: {other:?}"),
                        None => return,
                    };
                    if kind == Kind::User {
                        spare.push(id.clone());
                    }
                    made.lock().unwrap().push((kind, id));
                }
            });
        }
        let began = Instant::now();
        while made.lock().unwrap().len() < kill_at {
            assert!(began.elapsed() < Duration::from_secs(60), "only {} writes were done", made.lock().unwrap().len());
            std::thread::yield_now();
        }
        server.child.kill().unwrap();
    });
    made.into_inner().unwrap()
}

/// By what the writes of this run are drawn: `DOORWARD_TEST_CRASH_SEED` draws those of another run again.
fn crash_seed() -> u64 {
    let drawn = || u64::from_le_bytes(Rng::system().bytes());
    std::env::var("DOORWARD_TEST_CRASH_SEED").map_or_else(|_| drawn(), |text| text.parse().unwrap())
}

#[tokio::test]
async fn fault_140_a_killed_server_has_all_that_it_said_it_had_and_no_half_users() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let (seed, mut count) = (crash_seed(), 0);
    for (round, kill_at) in (0..).zip([7, 23, 61]) {
        let made = write_until_killed(place.start(None), round, kill_at, seed);
        count += made.iter().filter(|(kind, _)| *kind == Kind::User).count();
        let server = place.start(None);
        for (kind, id) in &made {
            assert!(kind.is_there(&server, id), "seed {seed}, round {round}: {kind:?} {id}");
        }
        let (_, users) = server.ask("GET", "/v1/users?limit=500", &Value::Null);
        let users = users.as_array().unwrap();
        assert!(users.len() >= count && users.iter().all(|user| user["email_addresses"].as_array().unwrap().len() == 1));
    }
}

/// As docs/OPERATIONS.md says it: the copy of a database at work, and its master key from where that is kept.
#[tokio::test(flavor = "multi_thread")]
async fn fault_150_a_copy_made_while_the_server_writes_is_whole_and_starts_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::on_sqlite(dir.path());
    let server = place.start(None);
    let (_, ada) = server.user("ada");
    let (_, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": ada["id"]}));
    let (made, over) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    // Its keys name the address where it answers.
    let elsewhere = Place { data: dir.path().join("elsewhere"), database: None, ..place };
    std::fs::create_dir(&elsewhere.data).unwrap();
    let db = connect(&place.url()).await;
    let before = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0.. {
                let (status, user) = server.user(&format!("u{n}"));
                assert_eq!(status, 200, "{user}");
                made.lock().unwrap().push(user["id"].as_str().unwrap().to_owned());
                if over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let many = |count| {
            while made.lock().unwrap().len() < count && !writer.is_finished() {
                std::thread::yield_now();
            }
        };
        many(20);
        let before = made.lock().unwrap().clone();
        let copy = sql!(format!("VACUUM INTO '{}'", elsewhere.data.join("doorward.db").display()));
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(db.exec(copy))).unwrap();
        many(before.len() + 20);
        over.store(true, Ordering::Relaxed);
        before
    });
    std::fs::copy(place.data.join("master.key"), elsewhere.data.join("master.key")).unwrap();
    drop(server);

    let server = elsewhere.start(None);
    assert!(before.len() >= 20 && before.iter().all(|id| server.exists(id)), "all that was there before it");
    let (_, users) = server.ask("GET", "/v1/users?limit=500", &Value::Null);
    assert!(users.as_array().unwrap().iter().all(|user| user["email_addresses"].as_array().unwrap().len() == 1), "and no half ones");
    let (status, token) = server.ask("POST", &format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap()), &json!({}));
    assert_eq!(status, 200, "its keys are opened: {token}");
    assert_eq!(server.user("eve").0, 200);
}

/// What readiness says, and the metric beside it.
fn health(server: &Server) -> (u16, String, bool) {
    let (head, text) = ask_raw(server.private, &server.key, "GET", "/health/ready", "").unwrap();
    let (_, metrics) = ask_raw(server.private, &server.key, "GET", "/metrics", "").unwrap();
    let gauge = metrics.lines().find_map(|line| line.strip_prefix("doorward_database_refuses_writes ")).unwrap();
    (head[9..12].parse().unwrap(), text, gauge == "1")
}

#[test]
fn fault_141_with_a_full_disk_writes_are_put_off_and_tokens_are_still_minted() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::on_sqlite(dir.path());
    let server = place.start(None);
    let (status, user) = server.user("ada");
    assert_eq!(status, 200, "{user}");
    let (status, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    assert_eq!(status, 200, "{session}");
    drop(server);

    let server = place.start(Some(2048));
    assert_eq!(health(&server), (200, "ready\n".to_owned(), false));
    let mut made = Vec::new();
    let refused = loop {
        assert!(made.len() < 2_000, "two megabytes are full by now");
        let name = format!("u{}", made.len());
        let (head, body) = ask_raw(server.private, &server.key, "POST", "/v1/users", &new_user(&name).to_string()).unwrap();
        let answer: Value = serde_json::from_str(&body).unwrap();
        if !head.starts_with("HTTP/1.1 200") {
            break (head.to_ascii_lowercase(), answer);
        }
        made.push(answer["id"].as_str().unwrap().to_owned());
    };
    assert!(!made.is_empty(), "there was room at first");
    assert!(refused.0.starts_with("http/1.1 503") && refused.0.contains("retry-after: 10"), "{refused:?}");
    assert_eq!(refused.1["errors"][0]["code"], "server_busy");
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    for _ in 0..5 {
        let (status, token) = server.ask("POST", &mint, &json!({}));
        assert_eq!(status, 200, "{token}");
        assert!(token["jwt"].is_string());
    }
    assert!(made.iter().all(|id| server.exists(id)), "what was said to be there is there");
    let (status, text, gauge) = health(&server);
    assert!(status == 200 && text.contains("writes are refused") && gauge, "it still serves those who are in: {text}");

    let roomy = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &server.child.id().to_string()]).status().unwrap();
    assert!(roomy.success());
    assert_eq!(server.user("bob").0, 200, "with room again it writes again, without a restart");
    assert_eq!(health(&server), (200, "ready\n".to_owned(), false));
    drop(server);

    let server = place.start(None);
    assert!(made.iter().all(|id| server.exists(id)));
    assert_eq!(server.user("eve").0, 200);
}

/// Resident memory of a process in KiB.
fn resident(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn fault_152_memory_does_not_grow_with_the_number_of_mints() {
    let dir = tempfile::tempdir().unwrap();
    let server = Place::new(dir.path()).await.start(None);
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
    let place = Place::on_sqlite(dir.path());
    let server = place.start(None);
    let (_, user) = server.user("ada");
    let (_, session) = server.ask("POST", "/v1/sessions", &json!({"user_id": user["id"]}));
    let mint = format!("/v1/sessions/{}/tokens", session["id"].as_str().unwrap());
    let db = connect(&place.url()).await;

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

#[tokio::test]
async fn fault_151_a_crowd_that_comes_back_at_once_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
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

/// What an endpoint was told: each event by its kind and by what it is of, with the ids under which it came.
#[derive(Default)]
struct Told {
    events: Mutex<HashMap<(String, String), HashSet<String>>>,
    news: Condvar,
}

/// An endpoint that takes one call at a time, for as long as the test runs.
fn listen(told: Arc<Told>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let _ = take(socket.unwrap(), &told);
        }
    });
    port
}

/// Takes a call, if it is whole: the server may be killed in the middle of it.
fn take(mut socket: TcpStream, told: &Told) -> Option<()> {
    let mut reader = BufReader::new(socket.try_clone().ok()?);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("svix-id", value)) => value.clone_into(&mut id),
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(_) => {}
            None if line == "\r\n" => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let event: Value = serde_json::from_slice(&body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    told.events.lock().unwrap().entry((text(&event["type"]), text(&event["data"]["id"]))).or_default().insert(id);
    told.news.notify_all();
    socket.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok()
}

/// `DOORWARD_TEST_CRASH_WRITES` says how many writes there are; each kill comes after a random number of them.
#[tokio::test]
async fn fault_140_no_kill_loses_an_event_of_what_was_acknowledged() {
    let most = std::env::var("DOORWARD_TEST_CRASH_WRITES").map_or(300, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let told = Arc::new(Told::default());
    let url = format!("http://127.0.0.1:{}/hook", listen(told.clone()));
    drop(place.start(None));
    let events = [Kind::User, Kind::Metadata, Kind::Session, Kind::Waiting].into_iter().filter_map(Kind::event);
    let create: Vec<&str> = ["webhook", "create", "--url", &url].into_iter().chain(events.flat_map(|event| ["--event", event])).collect();
    assert!(ended(place.command(&create).spawn().unwrap()).0);
    let seed = crash_seed();
    let (rng, mut all, mut round) = (Rng::seeded(seed), Vec::new(), 0);
    while all.len() < most {
        let kill_at = 1 + usize::from(rng.bytes::<1>()[0]) % 60;
        all.extend(write_until_killed(place.start(None), round, kill_at, seed));
        round += 1;
    }
    // What a killed server had begun to deliver is another's after its lease. The test does not wait a minute for that.
    let db = connect(&place.url()).await;
    db.exec(sql!("UPDATE webhook_deliveries SET next_at = 0 WHERE status = 'pending'")).await.unwrap();
    db.close().await;
    let server = place.start(None);
    let events = all_told(&told, &all, seed);
    assert!(events.values().all(|ids| ids.len() == 1), "each under one id, however often");
    let mut there: HashSet<Written> = all.into_iter().collect();
    there.extend(events.into_keys().map(|(event, id)| (Kind::told_by(&event), id)));
    for (kind, id) in &there {
        assert!(kind.is_there(&server, id), "what was acknowledged or told of is there: {kind:?} {id}, seed {seed}");
    }
}

/// Waits until an endpoint was told of all that there are events of, and answers all that it was told.
fn all_told(told: &Told, all: &[Written], seed: u64) -> HashMap<(String, String), HashSet<String>> {
    let wanted: Vec<(String, String)> = all.iter().filter_map(|(kind, id)| Some((kind.event()?.to_owned(), id.clone()))).collect();
    let began = Instant::now();
    let mut events = told.events.lock().unwrap();
    while let Some(missing) = wanted.iter().find(|it| !events.contains_key(*it)) {
        let late = began.elapsed() > Duration::from_secs(60);
        assert!(!late, "seed {seed}: {} events of {} are told, not {missing:?}", events.len(), wanted.len());
        events = told.news.wait_timeout(events, Duration::from_secs(1)).unwrap().0;
    }
    events.clone()
}
