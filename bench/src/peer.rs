//! The same work on better-auth (Node.js, SQLite), with the same load generator in the same run.

use crate::cost::{Cost, Load, cost};
use crate::load::{self, Call, Make};
use crate::process::{Process, free_port};
use crate::server::PASSWORD;
use anyhow::{Context as _, ensure};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

const EMAIL: &str = "bench@example.com";
const DIR: &str = "bench/peer";

/// What the peer costs.
pub(crate) struct Peer {
    pub(crate) version: String,
    pub(crate) mint: Cost,
    pub(crate) sign_in: Cost,
    pub(crate) create: Cost,
    pub(crate) idle_mib: f64,
    pub(crate) loaded_mib: f64,
}

/// Installs it unless it is there, runs it and measures it.
pub(crate) async fn measure(mint: Load, sign_in: Load, create: Load) -> anyhow::Result<Peer> {
    install().await?;
    let dir = tempfile::Builder::new().prefix("doorward-bench-peer-").tempdir()?;
    let host = format!("127.0.0.1:{}", free_port()?);
    let port = host.rsplit(':').next().unwrap_or_default();
    let mut command = std::process::Command::new("node");
    command.arg("server.mjs").current_dir(DIR).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs([("NODE_ENV", "production"), ("PEER_PORT", port), ("PEER_EMAIL", EMAIL), ("PEER_PASSWORD", PASSWORD)]);
    command.env("PEER_DATABASE", dir.path().join("peer.db")).env("PEER_SECRET", doorward_base::Rng::system().alphanumeric(40));
    let mut process = Process::spawn(command)?;
    process.answers(&host, &Call::get("/api/auth/ok")).await.context("better-auth")?;
    let idle_mib = process.rss_mib()?;
    let sign_in_call = Call::post("/api/auth/sign-in/email").json(&json!({"email": EMAIL, "password": PASSWORD}));
    let cookie = load::once(&host, sign_in_call.clone()).await?.cookie("session_token").context("no session cookie")?;
    let token = Call::get("/api/auth/token").header("cookie", cookie.clone());
    let answer = load::once(&host, token.clone()).await?.json()?;
    ensure!(answer["token"].as_str().is_some_and(|it| it.starts_with("eyJ")), "no session token: {answer}");
    let origin = format!("http://{host}");
    let user = Call::post("/api/auth/admin/create-user").header("cookie", cookie).header("origin", origin);
    let new: Make = Arc::new(move |n| user.clone().json(&json!({"email": format!("user-{n}@example.com"), "name": "Ada Lovelace"})));
    let (token, again): (Make, Make) = (Arc::new(move |_| token.clone()), Arc::new(move |_| sign_in_call.clone()));
    let mint = cost(&process, None, &host, mint, &token).await?;
    let sign_in = cost(&process, None, &host, sign_in, &again).await?;
    let create = cost(&process, None, &host, create, &new).await?;
    Ok(Peer { version: version()?, mint, sign_in, create, idle_mib, loaded_mib: process.rss_mib()? })
}

fn version() -> anyhow::Result<String> {
    let text = std::fs::read_to_string(Path::new(DIR).join("node_modules/better-auth/package.json"))?;
    let package: serde_json::Value = serde_json::from_str(&text)?;
    Ok(package["version"].as_str().unwrap_or_default().to_owned())
}

/// `npm ci`, unless it was done for this lock file.
async fn install() -> anyhow::Result<()> {
    let changed = |file: &str| std::fs::metadata(Path::new(DIR).join(file)).and_then(|it| it.modified());
    if let (Ok(installed), Ok(locked)) = (changed("node_modules/.package-lock.json"), changed("package-lock.json"))
        && installed >= locked
    {
        return Ok(());
    }
    let mut npm = tokio::process::Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(DIR).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let done = tokio::time::timeout(Duration::from_secs(400), npm.kill_on_drop(true).output()).await.context("npm took too long")??;
    ensure!(done.status.success(), "npm ci: {}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}
