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

#[tokio::test]
async fn fault_140_a_killed_server_has_every_user_that_it_said_it_had_and_no_half_ones() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
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

/// What an endpoint was told: the ids of the users that were made, each with the ids of the events that said so.
#[derive(Default)]
struct Told {
    users: Mutex<HashMap<String, HashSet<String>>>,
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
    let user = event["data"]["id"].as_str().unwrap().to_owned();
    told.users.lock().unwrap().entry(user).or_default().insert(id);
    told.news.notify_all();
    socket.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok()
}

/// `DOORWARD_TEST_CRASH_WRITES` says how many users are made; each kill comes after a random number of them.
#[tokio::test]
async fn fault_140_no_kill_loses_an_event_of_what_was_acknowledged() {
    let most = std::env::var("DOORWARD_TEST_CRASH_WRITES").map_or(300, |text| text.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let told = Arc::new(Told::default());
    let url = format!("http://127.0.0.1:{}/hook", listen(told.clone()));
    drop(place.start(None));
    assert!(ended(place.command(&["webhook", "create", "--url", &url, "--event", "user.created"]).spawn().unwrap()).0);
    let (mut all, mut round) = (Vec::new(), 0);
    while all.len() < most {
        let kill_at = 1 + usize::from(Rng::system().bytes::<1>()[0]) % 60;
        all.extend(create_until_killed(place.start(None), round, kill_at));
        round += 1;
    }
    // What a killed server had begun to deliver is another's after its lease. The test does not wait a minute for that.
    let db = connect(&place.url()).await;
    db.exec(sql!("UPDATE webhook_deliveries SET next_at = 0 WHERE status = 'pending'")).await.unwrap();
    db.close().await;
    let server = place.start(None);
    let began = Instant::now();
    let mut users = told.users.lock().unwrap();
    while let Some(missing) = all.iter().find(|id| !users.contains_key(*id)) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "after {round} kills {} of {} are told of, not {missing}",
            users.len(),
            all.len()
        );
        users = told.news.wait_timeout(users, Duration::from_secs(1)).unwrap().0;
    }
    assert!(all.iter().all(|id| server.exists(id)), "every user that was acknowledged is there");
    assert!(users.keys().all(|id| server.exists(id)), "and whoever was told of is there");
    assert!(users.values().all(|ids| ids.len() == 1), "each under one id, however often");
}
