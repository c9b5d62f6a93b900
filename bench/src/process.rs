//! The server under measurement: a process of its own, so that its processor time and memory are its own.

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A running server with one instance and one user.
pub(crate) struct Server {
    dir: tempfile::TempDir,
    child: Mutex<Option<Child>>,
    pub(crate) http: reqwest::Client,
    pub(crate) frontend: String,
    pub(crate) backend: String,
    pub(crate) secret_key: String,
}

/// A signed-in client.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) cookie: String,
}

pub(crate) const EMAIL: &str = "bench@example.com";
pub(crate) const PASSWORD: &str = "a password for measuring";

fn binary() -> PathBuf {
    std::env::var_os("DOORWARD_BIN").map_or_else(|| PathBuf::from("target/release/doorward"), PathBuf::from)
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn run(dir: &Path, args: &[&str]) -> anyhow::Result<Value> {
    let done = Command::new(std::path::absolute(binary())?).args(args).current_dir(dir).stdin(Stdio::null()).output()?;
    if !done.status.success() {
        bail!("doorward {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr));
    }
    Ok(serde_json::from_slice(&done.stdout).unwrap_or(Value::Null))
}

impl Server {
    /// Starts a server on an empty database.
    pub(crate) async fn start(postgres: Option<&str>) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let (public, private) = (free_port()?, free_port()?);
        let database = match postgres {
            Some(url) => fresh_schema(url).await?,
            None => "sqlite://bench.db".to_owned(),
        };
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:{public}\"\nbackend_listen = \"127.0.0.1:{private}\"\n[database]\nurl = \"{database}\"\n[secrets]\nmaster_key_file = \"master.key\"\n[limits]\nenabled = false\n[log]\nlevel = \"warn\"\n"
        );
        std::fs::write(dir.path().join("doorward.toml"), config)?;
        run(dir.path(), &["keys", "new-master", "master.key"])?;
        let host = format!("127.0.0.1:{public}");
        let made = run(
            dir.path(),
            &["instance", "create", "--config", "doorward.toml", "--name", "bench", "--host", &host, "--scheme", "http", "--json"],
        )?;
        run(dir.path(), &["user", "create", "--config", "doorward.toml", "--email", EMAIL, "--password", PASSWORD, "--json"])?;
        let server = Self {
            dir,
            child: Mutex::new(None),
            http: reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?,
            frontend: format!("http://{host}"),
            backend: format!("http://127.0.0.1:{private}"),
            secret_key: made["secret_key"].as_str().context("the instance has a secret key")?.to_owned(),
        };
        server.spawn().await?;
        Ok(server)
    }

    /// The database's file or address, for filling it.
    pub(crate) fn sqlite_url(&self) -> String {
        format!("sqlite://{}", self.dir.path().join("bench.db").display())
    }

    async fn spawn(&self) -> anyhow::Result<f64> {
        let began = Instant::now();
        let child = Command::new(std::path::absolute(binary())?)
            .args(["serve", "--config", "doorward.toml"])
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("the binary cannot be started: is it built?")?;
        *self.child.lock().map_err(|_| anyhow::anyhow!("poisoned"))? = Some(child);
        while began.elapsed() < Duration::from_secs(20) {
            if self.http.get(format!("{}/v1/client", self.frontend)).send().await.is_ok_and(|a| a.status().is_success()) {
                return Ok(began.elapsed().as_secs_f64() * 1000.0);
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        bail!("the server did not answer within 20 s")
    }

    /// Stops and starts it again: milliseconds from exec to the first answered request.
    pub(crate) async fn restart_time_ms(&self) -> anyhow::Result<f64> {
        self.kill()?;
        self.spawn().await
    }

    fn kill(&self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.lock().map_err(|_| anyhow::anyhow!("poisoned"))?.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.kill()
    }

    fn pid(&self) -> anyhow::Result<u32> {
        let child = self.child.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        child.as_ref().map(Child::id).context("the server is not running")
    }

    /// Processor time so far, all threads, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        cpu_us(&self.pid()?.to_string())
    }

    /// Resident memory, in KiB.
    pub(crate) fn rss_kib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        line.split_whitespace().next().and_then(|n| n.parse().ok()).context("VmRSS")
    }

    /// Signs in, as a native app does: no cookies to keep apart.
    pub(crate) async fn signed_in(&self) -> anyhow::Result<Session> {
        let answer = self
            .http
            .post(format!("{}/v1/client/sign_ins", self.frontend))
            .form(&[("identifier", EMAIL), ("password", PASSWORD)])
            .send()
            .await?;
        let cookies: Vec<String> =
            answer.headers().get_all("set-cookie").iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect();
        let cookie =
            cookies.iter().find(|c| c.starts_with("__client=")).and_then(|c| c.split(';').next()).context("no client cookie")?.to_owned();
        let body: Value = answer.json().await?;
        let id = body["response"]["created_session_id"].as_str().with_context(|| body.to_string())?.to_owned();
        Ok(Session { id, cookie })
    }

    /// A call to the Backend API.
    pub(crate) async fn backend(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.backend)).bearer_auth(&self.secret_key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        if !answer.status().is_success() {
            bail!("{path}: {}", answer.text().await?);
        }
        Ok(answer.json().await.unwrap_or(json!(null)))
    }
}

/// Processor time of a process so far, all threads, in microseconds; `self` is this one.
pub(crate) fn cpu_us(pid: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|t| t.parse::<f64>().ok()).context("/proc/pid/stat");
    // The kernel counts in hundredths of a second, whatever its own tick.
    Ok((ticks(11)? + ticks(12)?) * 10_000.0)
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

async fn fresh_schema(url: &str) -> anyhow::Result<String> {
    let schema = format!("bench{}", doorward_base::Rng::system().digits(10));
    let options = doorward_store::db::DbOptions { url: url.to_owned(), max_connections: 1, acquire_timeout: Duration::from_secs(10) };
    let db = doorward_store::Db::connect(&options).await?;
    db.exec(doorward_store::Sql::new(format!("CREATE SCHEMA {schema}"))).await?;
    db.close().await;
    let separator = if url.contains('?') { '&' } else { '?' };
    Ok(format!("{url}{separator}options=-c%20search_path%3D{schema}"))
}
