//! A server as a process that can be killed and started again where it was.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

use doorward_base::Rng;
use doorward_store::db::DbOptions;
use doorward_store::{Db, sql};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A development server in a directory, always on the same ports and database.
pub(crate) struct Place {
    pub(crate) data: PathBuf,
    pub(crate) public: u16,
    pub(crate) private: u16,
    /// A PostgreSQL; else SQLite in the directory.
    pub(crate) database: Option<String>,
}

/// A running one. Dropped it is killed, as by `kill -9`.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) public: u16,
    pub(crate) private: u16,
    /// The secret key.
    pub(crate) key: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A few connections to a database.
pub(crate) async fn connect(url: &str) -> Db {
    let options = DbOptions { url: url.to_owned(), max_connections: 3, acquire_timeout: Duration::from_secs(5) };
    Db::connect(&options, &Rng::system()).await.unwrap()
}

impl Place {
    /// With a database of the kind that the suite runs on.
    pub(crate) async fn new(dir: &Path) -> Self {
        if std::env::var("DOORWARD_TEST_DATABASE").as_deref() != Ok("postgres") {
            return Self::on_sqlite(dir);
        }
        let url = std::env::var("DOORWARD_TEST_POSTGRES_URL").expect("DOORWARD_TEST_POSTGRES_URL names the server to test on");
        let schema = format!("t{}", Rng::system().alphanumeric(16).to_ascii_lowercase());
        let admin = connect(&url).await;
        admin.exec(sql!(format!("CREATE SCHEMA {schema}"))).await.unwrap();
        admin.close().await;
        let separator = if url.contains('?') { '&' } else { '?' };
        Self { database: Some(format!("{url}{separator}options=-c%20search_path%3D{schema}")), ..Self::on_sqlite(dir) }
    }

    pub(crate) fn on_sqlite(dir: &Path) -> Self {
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { data: dir.join("data"), public: port(), private: port(), database: None }
    }

    /// The database's address.
    pub(crate) fn url(&self) -> String {
        let file = || format!("sqlite://{}", self.data.join("doorward.db").display());
        self.database.clone().unwrap_or_else(file)
    }

    fn set_up(&self, command: &mut Command) {
        command.env_remove("DOORWARD_MASTER_KEY").env("RUST_LOG", "off").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        if let Some(url) = &self.database {
            command.env("DOORWARD_DATABASE__URL", url);
        }
    }

    /// Starts it; no file may grow beyond `most_kib` until that limit is lifted.
    pub(crate) fn start(&self, most_kib: Option<u32>) -> Server {
        self.start_with(most_kib, &[], Stdio::null())
    }

    /// The same with variables, and with its log going to `stderr`.
    pub(crate) fn start_with(&self, most_kib: Option<u32>, environment: &[(&str, &str)], stderr: Stdio) -> Server {
        // The shell goes on as the server itself, so that the process is the one to be killed.
        let limit = most_kib.map_or_else(String::new, |kib| format!("trap '' XFSZ; ulimit -S -f {kib}; "));
        let mut command = Command::new("bash");
        command.args(["-c", &format!("{limit}exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_doorward"), "dev", "--data-dir"]).arg(&self.data);
        command.args(["--listen", &format!("127.0.0.1:{}", self.public), "--backend-listen", &format!("127.0.0.1:{}", self.private)]);
        self.set_up(command.env("DOORWARD_LIMITS__ENABLED", "false"));
        command.envs(environment.iter().copied()).stderr(stderr);
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = said.take_while(|line| !line.starts_with("ready")).collect();
        let key = said.iter().find_map(|line| line.strip_prefix("SECRET_KEY=")).unwrap().to_owned();
        Server { child, public: self.public, private: self.private, key }
    }

    /// A configuration for `doorward serve` on this place, with a master key, and `more` in it.
    pub(crate) fn configured(&self, more: &str) -> String {
        std::fs::create_dir_all(&self.data).unwrap();
        let (key, file) = (self.data.join("master.key"), self.data.join("doorward.toml"));
        let made = Command::new(env!("CARGO_BIN_EXE_doorward")).args(["keys", "new-master"]).arg(key).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let listen = format!("listen = \"127.0.0.1:{}\"\nbackend_listen = \"127.0.0.1:{}\"", self.public, self.private);
        let url = self.url();
        let text = format!("[server]\n{listen}\n[database]\nurl = \"{url}\"\n[secrets]\nmaster_key_file = \"master.key\"\n{more}");
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// A command that works on the server's database.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        self.set_up(command.args(args).arg("--data-dir").arg(&self.data));
        command
    }
}

/// Whether a command succeeded, and what it said.
pub(crate) fn ended(command: Child) -> (bool, String) {
    let Output { status, stdout, .. } = command.wait_with_output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap().trim().to_owned())
}

/// One request: head and body of the answer, or nothing when the server is gone.
pub(crate) fn call(port: u16, method: &str, path: &str, headers: &str, body: &str) -> Option<(String, String)> {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{headers}");
    write!(socket, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// A request to the private listener: head and body, or nothing when the server is gone.
pub(crate) fn ask_raw(private: u16, key: &str, method: &str, path: &str, body: &str) -> Option<(String, String)> {
    call(private, method, path, &format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"), body)
}

/// A request to the Backend API: status and body, or nothing when the server is gone.
pub(crate) fn ask(private: u16, key: &str, method: &str, path: &str, body: &str) -> Option<(u16, Value)> {
    let (head, body) = ask_raw(private, key, method, path, body)?;
    Some((head.get(9..12)?.parse().ok()?, serde_json::from_str(&body).ok()?))
}

impl Server {
    /// A request to the Backend API, which answers.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        ask(self.private, &self.key, method, path, &body).unwrap()
    }
}
