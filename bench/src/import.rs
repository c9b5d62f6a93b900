//! What `doorward user import` takes for a file of a million users, and how much memory.

use crate::database::Kind;
use crate::process::Process;
use crate::report::{Aim, Row, say};
use crate::server::Server;
use crate::users::many;
use anyhow::Context as _;
use doorward_base::Rng;
use serde_json::json;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// A digest in the form of bcrypt: it is kept as it is, not computed.
const DIGEST: &str = "$2a$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// Writes users as our export writes them, with a name, an address and a password each.
fn write(file: &Path, count: usize) -> anyhow::Result<()> {
    let (mut out, rng) = (BufWriter::new(std::fs::File::create(file)?), Rng::system());
    for n in 0..count {
        let (first, last) = (rng.alphanumeric(6), rng.alphanumeric(8));
        let email = format!("{first}.{last}@example{}.com", n % 1000);
        let proven = json!({"status": "verified", "strategy": "admin"});
        let user = json!({
            "external_id": format!("app-{n}"), "first_name": first, "last_name": last, "password_digest": DIGEST, "password_hasher": "bcrypt",
            "email_addresses": [{"email_address": email, "verification": proven}], "public_metadata": {"plan": "gold"},
        });
        writeln!(out, "{user}")?;
    }
    Ok(out.flush()?)
}

/// Measures one import into an empty database.
pub(crate) async fn measure(kind: &Kind) -> anyhow::Result<Vec<Row>> {
    let (server, count) = (Server::start(kind).await?, many());
    let file = server.dir().join("users.jsonl");
    write(&file, count)?;
    let began = Instant::now();
    let mut process = Process::spawn(server.command(&["user", "import", "--config", "doorward.toml", "users.jsonl"])?)?;
    let mut peak = 0.0_f64;
    // A process that has just ended has no memory any more.
    while process.runs()? {
        peak = peak.max(process.peak_mib().unwrap_or_default());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(process.succeeded()?, "doorward user import failed");
    let stored = server.database.bytes().await.context("the size of the database")?;
    server.stop().await?;
    say(&format!("{}: {count} users imported in {seconds:.0} s", kind.name()));
    let details = json!({"users": count, "seconds": seconds, "database_bytes_per_user": stored / count as f64});
    let row = |what: &str, value, unit, aim| Row { what: format!("{}: {what}", kind.name()), value, unit, aim, details: details.clone() };
    Ok(vec![
        row("user import", count as f64 / seconds, "/s", None),
        row("user import, the most resident memory", peak, "MiB", Some(Aim::AtMost(64.0))),
    ])
}
