//! What an operator sees and does: logs, metrics, traces, health, signals, mail.
#![allow(clippy::unwrap_used, reason = "tests")]

mod place;

use doorward_store::sql;
use place::{Place, Server, call, connect};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const JSON_LOG: [(&str, &str); 2] = [("RUST_LOG", "info"), ("DOORWARD_LOG__FORMAT", "json")];

fn doorward(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward")).args(args).env_remove("DOORWARD_MASTER_KEY").stdin(Stdio::null()).output().unwrap()
}

fn ok(args: &[&str]) -> String {
    let done = doorward(args);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap().success());
}

/// The lines of a JSON log, up to the first that is looked for.
fn log_until(log: &mut BufReader<ChildStderr>, mut wanted: impl FnMut(&Value) -> bool) -> Value {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the log ended: {seen}");
        seen.push_str(&line);
        // Before the log begins there may be a note on the variables of the suite, which the server does not know.
        let value: Value = serde_json::from_str(&line).unwrap_or_default();
        if wanted(&value) {
            return value;
        }
    }
}

/// A collector of traces: where it listens, and what it gets.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    let (send, got) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            loop {
                let (mut head, mut length) = (String::new(), 0);
                while stream.read_line(&mut head).is_ok_and(|n| n > 2) {}
                for line in head.lines().map(str::to_ascii_lowercase) {
                    length = line.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
                }
                let mut body = vec![0; length];
                if head.is_empty() || stream.read_exact(&mut body).is_err() {
                    break;
                }
                let _ = send.send((head.lines().next().unwrap().to_owned(), body));
                let _ = stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    (at, got)
}

#[tokio::test]
async fn a_request_shows_by_its_route_in_log_metrics_and_traces_and_nobody_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let (at, traces) = collector();
    let mut server = place.start_with(None, &[JSON_LOG[0], JSON_LOG[1], ("DOORWARD_TELEMETRY__OTLP_ENDPOINT", &at)], Stdio::piped());
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    let person = json!({"email_address": ["ada.lovelace@example.com"], "first_name": "Augusta", "skip_password_requirement": true});
    let (status, user) = server.ask("POST", "/v1/users", &person);
    assert_eq!(status, 200, "{user}");
    let user = user["id"].as_str().unwrap().to_owned();
    assert_eq!(server.ask("GET", &format!("/v1/users/{user}"), &Value::Null).0, 200);
    let (status, missing) = server.ask("GET", "/v1/users/user_nobody_at_all", &Value::Null);
    let trace = missing["clerk_trace_id"].as_str().unwrap();
    assert_eq!(status, 404);

    let line = log_until(&mut log, |line| line["trace_id"] == trace);
    let instance = line["instance"].as_str().unwrap();
    assert!(instance.starts_with("ins_") && line["duration_us"].is_u64() && line["timestamp"].is_string(), "{line}");
    let expected = json!({
        "timestamp": line["timestamp"],
        "level": "INFO",
        "target": "doorward::request",
        "trace_id": trace,
        "instance": instance,
        "api": "backend",
        "route": "GetUser",
        "method": "GET",
        "status": 404,
        "code": "resource_not_found",
        "duration_us": line["duration_us"],
    });
    assert_eq!(line, expected, "this and nothing more");

    let (_, metrics) = call(server.private, "GET", "/metrics", "", "").unwrap();
    for counted in [
        r#"doorward_requests_total{api="backend",route="GetUser",status="2xx"} 1"#,
        r#"doorward_requests_total{api="backend",route="GetUser",status="4xx"} 1"#,
        r#"doorward_requests_total{api="backend",route="CreateUser",status="2xx"} 1"#,
        r#"doorward_request_seconds_count{api="backend",route="GetUser"} 2"#,
    ] {
        assert!(metrics.lines().any(|line| line == counted), "{counted} in {metrics}");
    }

    // Told to stop by the keyboard, it sends the last traces and ends well. They come in batches, each after seconds.
    signal(&server.child, "INT");
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert!(server.child.wait().unwrap().success(), "{rest}");
    let (request, body) = traces.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(request, "POST /v1/traces HTTP/1.1");
    let body = traces.try_iter().fold(body, |all, (_, more)| [all, more].concat());
    let holds = |text: &str| body.windows(text.len()).any(|at| at == text.as_bytes());
    for there in ["doorward", "route", "GetUser", "status", "trace_id", trace] {
        assert!(holds(there), "{there} in the traces");
    }
    for secret in [&user, "user_nobody", "ada.lovelace", "Augusta", &server.key] {
        assert!(!holds(secret) && !metrics.contains(secret) && !rest.contains(secret), "{secret}");
    }
}

fn status(port: u16, path: &str) -> (String, String) {
    let (head, body) = call(port, "GET", path, "", "").unwrap();
    (head[9..12].to_owned(), body)
}

#[tokio::test]
async fn readiness_follows_the_database_and_liveness_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let server = place.start(None);
    let url = format!("http://127.0.0.1:{}", server.private);
    let db = connect(&place.url()).await;
    let agree = |code: Option<i32>, why: &str| {
        let (status, text) = status(server.private, "/health/ready");
        assert_eq!((status.as_str(), text.contains(why)), (if code == Some(0) { "200" } else { "503" }, true), "{text}");
        let done = doorward(&["healthcheck", "--url", &url]);
        assert_eq!(done.status.code(), code, "{done:?}");
        let said = [done.stdout, done.stderr].concat();
        assert!(String::from_utf8(said).unwrap().contains(why));
        assert_eq!(self::status(server.private, "/health/live"), ("200".to_owned(), "live\n".to_owned()));
    };
    agree(Some(0), "ready");
    db.exec(sql!("ALTER TABLE schema_migrations RENAME TO elsewhere")).await.unwrap();
    agree(Some(1), "the database does not answer");
    db.exec(sql!("ALTER TABLE elsewhere RENAME TO schema_migrations")).await.unwrap();
    agree(Some(0), "ready");
    db.exec(sql!("UPDATE meta SET value = 'of another key' WHERE key = 'master_key_check'")).await.unwrap();
    agree(Some(1), "the master key is not this database's");
    drop(server);
    assert_eq!(doorward(&["healthcheck", "--url", &url]).status.code(), Some(1), "nobody answers");
}

#[tokio::test]
async fn who_interrupts_twice_does_not_wait_for_what_is_under_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Place::new(dir.path()).await.start_with(None, &JSON_LOG, Stdio::piped());
    let mut log = BufReader::new(server.child.stderr.take().unwrap());
    // Its body is waited for, as the server says by itself.
    let mut slow = TcpStream::connect(("127.0.0.1", server.public)).unwrap();
    let head = format!("POST /v1/client/sign_ins HTTP/1.1\r\nHost: localhost:{}\r\nOrigin: http://localhost:3000\r\n", server.public);
    let kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    slow.write_all(format!("{head}{kind}").as_bytes()).unwrap();
    let mut said = [0; 12];
    slow.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 100");
    let began = Instant::now();
    signal(&server.child, "INT");
    log_until(&mut log, |line| line["message"] == "stopping");
    assert!(server.child.try_wait().unwrap().is_none(), "once, it waits");
    signal(&server.child, "INT");
    assert_eq!(server.child.wait().unwrap().code(), Some(1));
    assert!(began.elapsed() < Duration::from_secs(20), "long before its time of grace is over");
}

/// A mail server that takes everything: its port, and the mails.
fn mail_server() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, mails) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut mail, mut in_mail) = (String::new(), false);
            let mut answer = "220 test";
            loop {
                if !answer.is_empty() && stream.get_mut().write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                    break;
                }
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap_or(0) == 0 {
                    break;
                }
                let line = line.trim_end();
                mail.push_str(line);
                mail.push('\n');
                answer = match line {
                    "." if in_mail => {
                        let _ = send.send(std::mem::take(&mut mail));
                        "250 taken"
                    }
                    _ if in_mail => "",
                    "DATA" => "354 go on",
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                in_mail = answer == "354 go on" || (in_mail && answer.is_empty());
            }
        }
    });
    (port, mails)
}

/// A form posted by a page of the app: the answer's `response`.
fn post(port: u16, key: &str, cookie: &str, path: &str, form: &str) -> (String, Value) {
    let headers = format!("Origin: https://app.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nCookie: {cookie}\r\n");
    let (head, body) = call(port, "POST", &format!("{path}?__clerk_publishable_key={key}"), &headers, form).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    (head, body["response"].clone())
}

#[tokio::test]
async fn a_code_goes_out_by_the_mail_server_and_signs_in() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let (port, mails) = mail_server();
    let from = "from = \"no-reply@example.com\"";
    let config = place.configured(&format!("[mail]\ntransport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n{from}\n"));
    assert!(ok(&["check-config", "--config", &config]).contains("is valid"));
    let create = ["instance", "create", "--config", &config, "--name", "Shop", "--host", "clerk.example.com", "--json"];
    let made: Value = serde_json::from_str(&ok(&[&create[..], &["--allowed-origin", "https://app.example.com"]].concat())).unwrap();
    let key = made["publishable_key"].as_str().unwrap();
    let listed: Value = serde_json::from_str(&ok(&["instance", "list", "--config", &config, "--json"])).unwrap();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &made["id"]), "{listed}");
    ok(&["user", "create", "--config", &config, "--email", "ada@example.com", "--password", "correct horse"]);

    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.args(["serve", "--config", &config]).env_remove("DOORWARD_MASTER_KEY").envs(JSON_LOG).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let _server = Server { child, public: place.public, private: place.private, key: String::new() };
    log_until(&mut log, |line| line["message"] == "ready");

    let (head, begun) = post(place.public, key, "", "/v1/client/sign_ins", "strategy=email_code&identifier=ada%40example.com");
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ").filter(|it| it.starts_with("__client="))).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let mail = mails.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(mail.contains("MAIL FROM:<no-reply@example.com>") && mail.contains("RCPT TO:<ada@example.com>"), "{mail}");
    let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap();
    let code: String = subject.chars().take_while(char::is_ascii_digit).collect();
    assert_eq!(code.len(), 6, "{mail}");
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun["id"].as_str().unwrap());
    let (_, done) = post(place.public, key, cookie, &at, &format!("strategy=email_code&code={code}"));
    assert_eq!(done["status"], "complete", "{done}");
}

#[tokio::test]
async fn fault_147_servers_of_two_processes_start_together_on_an_empty_database() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path()).await;
    let config = place.configured("");
    let start = |_| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.args(["migrate", "--config", &config]).env_remove("DOORWARD_MASTER_KEY").stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let all: Vec<Child> = (0..3).map(start).collect();
    for child in all {
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let db = connect(&place.url()).await;
    assert_eq!(doorward_store::schema_version(&db).await.unwrap(), doorward_store::SCHEMA_VERSION);
}

/// Memory of a process, in MiB: `VmRSS` now, `VmHWM` at its most.
fn memory(server: &Server, what: &str) -> u64 {
    let all = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = all.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn fault_131_memory_is_bounded_however_many_sign_in_at_once() {
    const CROWD: u64 = 200;
    const HASH_MIB: u64 = 19;
    let dir = tempfile::tempdir().unwrap();
    let server = Place::new(dir.path()).await.start_with(None, &[("DOORWARD_PASSWORDS__WORKERS", "2")], Stdio::null());
    // Each is a guess until it is judged: at one account they would be more than it bears.
    for n in 0..4 {
        let person = json!({"email_address": [format!("u{n}@example.com")], "password": "correct horse", "skip_password_checks": true});
        assert_eq!(server.ask("POST", "/v1/users", &person).0, 200);
    }
    let before = memory(&server, "VmRSS");
    let port = server.public;
    let sign_in = move |n| {
        std::thread::spawn(move || {
            let headers = "Origin: http://localhost:3000\r\nContent-Type: application/x-www-form-urlencoded\r\n";
            let form = format!("identifier=u{}%40example.com&password=correct+horse", n % 4);
            let (head, body) = call(port, "POST", "/v1/client/sign_ins", headers, &form).unwrap();
            // Whoever finds no place left among those who wait is told when to come again.
            let busy = head.starts_with("HTTP/1.1 503") && head.contains("retry-after");
            assert!(busy || head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
            !busy
        })
    };
    let all: Vec<_> = (0..CROWD).map(sign_in).collect();
    let in_at_once = all.into_iter().map(|it| it.join().unwrap()).filter(|in_at_once| *in_at_once).count();
    assert!(in_at_once >= 50, "{in_at_once}");
    // Without a bound it would be two hundred hashes' memory, 3800 MiB.
    let most = memory(&server, "VmHWM");
    assert!(most < before + 2 * HASH_MIB + 60, "{before} MiB before, {most} MiB at the most");
}
