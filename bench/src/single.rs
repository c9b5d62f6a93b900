//! One server on one database: how it starts, what it keeps in memory, what a mint and a sign-in cost it.

use crate::cost::{Cost, Load, cost, median, median_cost};
use crate::database::Kind;
use crate::load::{self, Make};
use crate::raw::Raw;
use crate::report::{Aim, Row};
use crate::server::Server;
use crate::users;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The load of mints, which is also put on the peer.
pub(crate) const MINT: Load = Load { connections: 8, warm_up: 500, count: 2_000 };
/// Of sign-ins.
pub(crate) const SIGN_IN: Load = Load { connections: 4, warm_up: 4, count: 50 };
/// Of new users.
pub(crate) const CREATE: Load = Load { connections: 1, warm_up: 200, count: 1_000 };

const ROUNDS: usize = 9;
const STARTS: usize = 20;
/// Connections of the even load: enough that a request hardly ever waits for one.
const PACED_CONNECTIONS: usize = 32;
const PACED_SECONDS: f64 = 8.0;

/// What was found.
pub(crate) struct Single {
    pub(crate) rows: Vec<Row>,
    pub(crate) database_version: String,
    pub(crate) mint: Cost,
    pub(crate) sign_in: Cost,
    pub(crate) create: Cost,
}

/// A call next to the raw operation inside it.
struct Ratio {
    cost: Cost,
    raw_us: f64,
    ratio: f64,
    rounds: Vec<f64>,
}

/// Measures all of it.
pub(crate) async fn measure(kind: &Kind, raw: &Raw) -> anyhow::Result<Single> {
    let mut server = Server::start(kind).await?;
    let database_version = server.database.version().await?;
    let mut rows = vec![starts(kind, &mut server).await?];
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = server.process()?.rss_mib()?;
    let call = server.mint().await?;
    let make: Make = Arc::new(move |_| call.clone());
    let mint = ratio(&server, MINT, &make, || raw.signature_us()).await?;
    rows.push(ratio_row(kind, "mint, processor time of a raw RSA-2048 signature / of the server", 0.70, &mint));
    rows.push(paced(kind, &server, &make, mint.cost.per_second * 0.8).await?);
    let after_mints = server.process()?.rss_mib()?;
    let call = server.sign_in();
    let make: Make = Arc::new(move |_| call.clone());
    let sign_in = ratio(&server, SIGN_IN, &make, || raw.argon2id_us()).await?;
    rows.push(ratio_row(kind, "password sign-in, processor time of a raw argon2id / of the server", 0.90, &sign_in));
    let create = cost(server.process()?, Some(&server.database), &server.private, CREATE, &users::create(&server)).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let details =
        json!({"after_mints_mib": after_mints, "after_all_mib": server.process()?.rss_mib()?, "peak_mib": server.process()?.peak_mib()?});
    let memory =
        |what: &str, value, aim| Row { what: format!("{}: {what}", kind.name()), value, unit: "MiB", aim, details: details.clone() };
    rows.push(memory("resident memory, idle", idle, Some(Aim::AtMost(30.0))));
    rows.push(memory("resident memory 2 s after the load", server.process()?.rss_mib()?, None));
    server.stop().await?;
    Ok(Single { rows, database_version, mint: mint.cost, sign_in: sign_in.cost, create })
}

async fn starts(kind: &Kind, server: &mut Server) -> anyhow::Result<Row> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        times.push(server.restart_ms().await?);
    }
    Ok(Row {
        what: format!("{}: exec to the first answered request, median of {STARTS}", kind.name()),
        value: median(times.iter().copied()),
        unit: "ms",
        aim: Some(Aim::AtMost(50.0)),
        details: json!({"after": "SIGKILL", "slowest_ms": times.iter().copied().fold(0.0, f64::max)}),
    })
}

/// Several rounds; in each the raw operation is measured before and after the call. The median round counts.
async fn ratio(server: &Server, load: Load, make: &Make, raw_us: impl Fn() -> anyhow::Result<f64>) -> anyhow::Result<Ratio> {
    let (mut costs, mut raws, mut rounds) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = raw_us()?;
        let it = cost(server.process()?, Some(&server.database), &server.public, load, make).await?;
        let raw = f64::midpoint(before, raw_us()?);
        rounds.push(raw / it.cpu_us);
        raws.push(raw);
        costs.push(it);
    }
    Ok(Ratio { cost: median_cost(&costs), raw_us: median(raws), ratio: median(rounds.iter().copied()), rounds })
}

fn ratio_row(kind: &Kind, what: &str, aim: f64, it: &Ratio) -> Row {
    Row {
        what: format!("{}: {what}", kind.name()),
        value: it.ratio,
        unit: "",
        aim: Some(Aim::AtLeast(aim)),
        details: json!({
            "raw_us": it.raw_us, "server_us": it.cost.cpu_us, "database_us": it.cost.database_cpu_us,
            "per_second": it.cost.per_second, "rounds": it.rounds,
        }),
    }
}

async fn paced(kind: &Kind, server: &Server, make: &Make, per_second: f64) -> anyhow::Result<Row> {
    let run = load::open_loop(&server.public, PACED_CONNECTIONS, per_second, PACED_SECONDS, make).await?;
    Ok(Row {
        what: format!("{}: mint, p99 at 80 % of the most per second", kind.name()),
        value: run.percentile_ms(0.99),
        unit: "ms",
        aim: None,
        details: json!({"wanted_per_second": per_second, "per_second": run.per_second, "p50_ms": run.percentile_ms(0.5), "p999_ms": run.percentile_ms(0.999)}),
    })
}
