//! Measures the release binary as a process of its own, and prints ratios: what a request costs the server's processor
//! against what its cryptography alone costs, both taken in this run.
//!
//! `DOORWARD_BIN` names the binary, `BENCH_USERS` the larger number of users (a million), `BENCH_POSTGRES_URL` a PostgreSQL server to
//! measure on as well.

mod limits;
mod load;
mod process;
mod users;

use anyhow::Context as _;
use process::Server;
use serde_json::{Value, json};
use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let raw = limits::measure()?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(run(raw))
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// The databases to measure on, with a name each.
fn databases() -> Vec<(&'static str, Option<String>)> {
    let mut all = vec![("sqlite", None)];
    match std::env::var("BENCH_POSTGRES_URL") {
        Ok(url) => all.push(("postgres", Some(url))),
        Err(_) => say("PostgreSQL is not measured: BENCH_POSTGRES_URL is not set"),
    }
    all
}

async fn run(raw: limits::Raw) -> anyhow::Result<()> {
    say(&format!(
        "raw: one RSA-2048 signature {:.0} us, one argon2id hash {:.1} ms of processor time",
        raw.signature_us,
        raw.argon2id_us / 1000.0
    ));
    let mut results = vec![];
    for (name, url) in databases() {
        let server = Server::start(url.as_deref()).await?;
        results.push(start_and_memory(&server, name).await?);
        results.push(mint(&server, name, raw.signature_us).await?);
        results.push(sign_in(&server, name, raw.argon2id_us).await?);
        let idle = server.rss_kib()?;
        results.push(json!({"what": format!("{name}: memory after the load"), "value": idle as f64 / 1024.0, "unit": "MiB"}));
        server.stop().await?;
        results.extend(users::measure(name, url.as_deref()).await?);
    }
    report(&results)
}

async fn start_and_memory(server: &Server, name: &str) -> anyhow::Result<Value> {
    let memory = server.rss_kib()? as f64 / 1024.0;
    let mut times = Vec::new();
    for _ in 0..20 {
        times.push(server.restart_time_ms().await?);
    }
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().context("no start was timed")?;
    Ok(
        json!({"what": format!("{name}: exec to first answer, median of 20"), "value": median, "unit": "ms", "aim": "< 50", "idle_memory_mib": memory}),
    )
}

/// One processor-time ratio: the cryptography alone over the whole request.
async fn mint(server: &Server, name: &str, raw_us: f64) -> anyhow::Result<Value> {
    let session = server.signed_in().await?;
    load::mints(server, &session, 500, 4).await?;
    let before = server.cpu_us()?;
    let run = load::mints(server, &session, 8_000, 8).await?;
    let each = (server.cpu_us()? - before) / run.count as f64;
    let paced = load::paced_mints(server, &session, run.per_second * 0.8, 6).await?;
    Ok(json!({
        "what": format!("{name}: mint, raw signature / server"), "value": raw_us / each, "unit": "ratio", "aim": ">= 0.70",
        "server_us": each, "per_second": run.per_second, "p99_ms_at_80_percent": paced.p99_ms, "p50_ms_at_80_percent": paced.p50_ms,
    }))
}

async fn sign_in(server: &Server, name: &str, raw_us: f64) -> anyhow::Result<Value> {
    load::sign_ins(server, 10, 2).await?;
    let before = server.cpu_us()?;
    let run = load::sign_ins(server, 200, 4).await?;
    let each = (server.cpu_us()? - before) / run.count as f64;
    Ok(json!({
        "what": format!("{name}: password sign-in, raw argon2id / server"), "value": raw_us / each, "unit": "ratio", "aim": ">= 0.90",
        "server_us": each, "per_second": run.per_second,
    }))
}

fn report(results: &[Value]) -> anyhow::Result<()> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    say("\n| what | result | aim |\n| --- | ---: | --- |");
    for row in results {
        let (what, value) = (row["what"].as_str().unwrap_or_default(), row["value"].as_f64().unwrap_or_default());
        say(&format!("| {what} | {value:.2} {} | {} |", row["unit"].as_str().unwrap_or_default(), row["aim"].as_str().unwrap_or("")));
    }
    say(&format!("\n{cores} cores of {model}"));
    let all = json!({"machine": {"cpu": model, "cores": cores}, "version": env!("CARGO_PKG_VERSION"), "results": results});
    std::fs::create_dir_all("bench/out")?;
    std::fs::write("bench/out/latest.json", serde_json::to_string_pretty(&all)? + "\n").context("bench/out/latest.json")
}
