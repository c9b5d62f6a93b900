//! Measures the release binary as a process of its own, and prints ratios: what a request costs the server's processor
//! against what its cryptography alone costs, against the same request with a hundred times as many users, and against
//! the same work done by a peer, all taken in this run.
//!
//! `DOORWARD_BIN` names the binary; `BENCH_USERS` the larger number of users (a million); `BENCH_POSTGRES_URL` a
//! PostgreSQL server on this machine whose user may make databases; `BENCH_ONLY` names parts to run, of `server`, `peer`,
//! `strategies`, `hidden`, `users` and `import`.

mod cost;
mod database;
mod fill;
mod hidden;
mod import;
mod load;
mod peer;
mod process;
mod ranks;
mod raw;
mod report;
mod server;
mod single;
mod strategies;
mod users;
mod visitor;

use database::Kind;
use raw::Raw;
use report::{Row, say};
use serde_json::{Map, Value, json};
use single::Single;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // Dropping the run ends the programs that it started.
        tokio::select! {
            done = run() => done,
            _ = terminate.recv() => anyhow::bail!("told to stop"),
            _ = interrupt.recv() => anyhow::bail!("told to stop"),
        }
    })
}

/// Whether this part was asked for.
fn wanted(part: &str) -> bool {
    std::env::var("BENCH_ONLY").map_or(true, |only| only.split(',').any(|it| it.trim() == part))
}

/// The databases to measure on.
fn databases(notes: &mut Vec<String>) -> Vec<Kind> {
    match std::env::var("BENCH_POSTGRES_URL") {
        Ok(url) => vec![Kind::Sqlite, Kind::Postgres(url)],
        Err(_) => {
            notes.push("PostgreSQL was not measured: BENCH_POSTGRES_URL is not set.".to_owned());
            vec![Kind::Sqlite]
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    let (machine, mut versions) = (report::machine(), report::versions(&server::version()?));
    if report::load_average() > 0.5 {
        notes.push(format!("The machine was busy with other things (load {:.1}): measure again on a quiet one.", report::load_average()));
    }
    if users::many() != 1_000_000 {
        notes.push(format!("BENCH_USERS made {} users of the million.", users::many()));
    }
    let raw = Raw::new()?;
    for kind in databases(&mut notes) {
        if wanted("server") || wanted("peer") {
            say(&format!("{}: one server", kind.name()));
            let single = single::measure(&kind, &raw).await?;
            versions.insert(kind.name().to_owned(), single.database_version.clone().into());
            if matches!(kind, Kind::Sqlite) && wanted("peer") {
                compare(&single, &mut rows, &mut versions, &mut notes).await;
            }
            rows.extend(single.rows);
        }
        if wanted("strategies") {
            say(&format!("{}: sign-ins by strategy", kind.name()));
            rows.extend(strategies::measure(&kind).await?);
        }
        if wanted("hidden") {
            say(&format!("{}: whether time tells who has an account", kind.name()));
            rows.extend(hidden::measure(&kind).await?);
        }
        if wanted("users") {
            rows.extend(users::measure(&kind).await?);
        }
        if wanted("import") {
            rows.extend(import::measure(&kind).await?);
        }
    }
    report::write(&machine, &versions, &notes, &rows)
}

/// Measures the peer, or notes why not.
async fn compare(single: &Single, rows: &mut Vec<Row>, versions: &mut Map<String, Value>, notes: &mut Vec<String>) {
    say("SQLite: the peer");
    let peer = match peer::measure(single::MINT, single::SIGN_IN, single::CREATE).await {
        Ok(peer) => peer,
        Err(error) => {
            notes.push(format!("The peer was not measured: {error:#}"));
            return;
        }
    };
    versions.insert("better-auth".to_owned(), peer.version.clone().into());
    let pairs =
        [("mint", &single.mint, &peer.mint), ("sign-in", &single.sign_in, &peer.sign_in), ("user create", &single.create, &peer.create)];
    rows.extend(pairs.map(|(what, ours, theirs)| Row {
        what: format!("SQLite: {what}, processor time of better-auth / of Doorward"),
        value: theirs.cpu_us / ours.cpu_us,
        unit: "x",
        aim: None,
        details: json!({
            "doorward_us": ours.cpu_us, "better_auth_us": theirs.cpu_us,
            "doorward_per_second": ours.per_second, "better_auth_per_second": theirs.per_second,
        }),
    }));
    rows.push(Row {
        what: "SQLite: resident memory of better-auth, idle".to_owned(),
        value: peer.idle_mib,
        unit: "MiB",
        aim: None,
        details: json!({"after_load_mib": peer.loaded_mib}),
    });
}
