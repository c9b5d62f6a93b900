//! Doorward under measurement: the release binary with one production instance and one user.

use crate::database::{Database, Kind};
use crate::load::{self, Call};
use crate::process::{Process, free_port};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Of the user.
pub(crate) const EMAIL: &str = "bench@example.com";
/// Of the user, here and on the peer.
pub(crate) const PASSWORD: &str = "a password for measuring";

/// A running server.
pub(crate) struct Server {
    process: Option<Process>,
    dir: tempfile::TempDir,
    /// Its database.
    pub(crate) database: Database,
    /// The address of its Frontend API.
    pub(crate) public: String,
    /// The address of its Backend API.
    pub(crate) private: String,
    secret_key: String,
}

fn binary() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("DOORWARD_BIN").map_or_else(|| PathBuf::from("target/release/doorward"), PathBuf::from);
    Ok(std::path::absolute(named)?)
}

/// What `doorward --version` says.
pub(crate) fn version() -> anyhow::Result<String> {
    let done = Command::new(binary()?).arg("--version").output().context("target/release/doorward: is it built?")?;
    Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

fn run(dir: &Path, args: &[&str]) -> anyhow::Result<Value> {
    let done = Command::new(binary()?).args(args).current_dir(dir).stdin(Stdio::null()).output()?;
    if !done.status.success() {
        bail!("doorward {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr));
    }
    Ok(serde_json::from_slice(&done.stdout).unwrap_or(Value::Null))
}

impl Server {
    /// Starts a server on an empty database.
    pub(crate) async fn start(kind: &Kind) -> anyhow::Result<Self> {
        Self::start_with(kind, &json!({"version": 1}), "").await
    }

    /// The same, with an instance of these settings, and this at the end of the configuration.
    pub(crate) async fn start_with(kind: &Kind, settings: &Value, more: &str) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("doorward-bench-").tempdir()?;
        let (public, private) = (format!("127.0.0.1:{}", free_port()?), format!("127.0.0.1:{}", free_port()?));
        let database = Database::make(kind, dir.path()).await?;
        let config = format!(
            "[server]\nlisten = \"{public}\"\nbackend_listen = \"{private}\"\n[database]\nurl = \"{}\"\n[secrets]\nmaster_key_file = \"master.key\"\n[limits]\nenabled = false\n[log]\nlevel = \"warn\"\n{more}",
            database.url
        );
        std::fs::write(dir.path().join("doorward.toml"), config)?;
        std::fs::write(dir.path().join("settings.json"), settings.to_string())?;
        run(dir.path(), &["keys", "new-master", "master.key"])?;
        let place = ["--config", "doorward.toml", "--json"];
        let instance =
            [&["instance", "create", "--name", "bench", "--host", &public, "--scheme", "http", "--settings", "settings.json"], &place[..]]
                .concat();
        let made = run(dir.path(), &instance)?;
        run(dir.path(), &[&["user", "create", "--email", EMAIL, "--password", PASSWORD], &place[..]].concat())?;
        let secret_key = made["secret_key"].as_str().context("the instance has a secret key")?.to_owned();
        let mut server = Self { process: None, dir, database, public, private, secret_key };
        server.restart_ms().await?;
        Ok(server)
    }

    /// Where its configuration is.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Another command of the binary, run beside it.
    pub(crate) fn command(&self, args: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(binary()?);
        command.args(args).current_dir(self.dir());
        Ok(command)
    }

    /// Ends it and starts it again: milliseconds from exec to the first answered request, which reads the database.
    pub(crate) async fn restart_ms(&mut self) -> anyhow::Result<f64> {
        self.process = None;
        let mut command = Command::new(binary()?);
        command.args(["serve", "--config", "doorward.toml"]).current_dir(self.dir.path());
        let began = Instant::now();
        let process = self.process.insert(Process::spawn(command)?);
        process.answers(&self.public, &Call::get("/v1/client")).await.context("doorward serve")?;
        Ok(began.elapsed().as_secs_f64() * 1000.0)
    }

    /// Its process.
    pub(crate) fn process(&self) -> anyhow::Result<&Process> {
        self.process.as_ref().context("the server is not running")
    }

    /// Ends it and removes its database.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.process = None;
        self.database.drop().await
    }

    /// A call of the Backend API.
    pub(crate) fn backend(&self, call: Call) -> Call {
        call.header("authorization", format!("Bearer {}", self.secret_key))
    }

    /// A sign-in with a password, by a browser that was never here.
    pub(crate) fn sign_in(&self) -> Call {
        Call::post("/v1/client/sign_ins").form(&format!("identifier={EMAIL}&password={PASSWORD}"))
    }

    /// Signs in, and answers the call that mints a token for that session.
    pub(crate) async fn mint(&self) -> anyhow::Result<Call> {
        let answer = load::once(&self.public, self.sign_in()).await?;
        let cookie = answer.cookie("__client").context("no client cookie")?;
        let body = answer.json()?;
        let id = body["response"]["created_session_id"].as_str().with_context(|| body.to_string())?;
        Ok(Call::post(format!("/v1/client/sessions/{id}/tokens"))
            .header("cookie", cookie)
            .header("origin", format!("http://{}", self.public)))
    }
}
