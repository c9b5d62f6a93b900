//! Whether users cost more when there are many of them. Two servers run side by side, one with few users and one with
//! many, and are measured in turns, so that a machine that slows down in between slows both.

use crate::cost::{Cost, Load, cost, median_cost};
use crate::database::Kind;
use crate::fill::{Known, fill};
use crate::load::{Call, Make};
use crate::report::{Aim, Row, say};
use crate::server::Server;
use anyhow::Context as _;
use doorward_base::Rng;
use doorward_store::instances;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;

/// The smaller number.
const FEW: usize = 10_000;
const ROUNDS: usize = 3;
/// For five letters from the middle of an address, which hardly anybody else has.
const SEARCH: &str = "search";
const COUNT: &str = "count";
const COUNT_FOUND: &str = "count of a search";
/// Of two hundred users, in an order that has nothing to do with when they came.
const NEW_BY_NAME: &str = "list (newest 200, by first name)";
const ALL: [&str; 11] = [
    "create",
    "get",
    "list (10 newest)",
    "list (by last name)",
    "list (by wallet)",
    "list (banned, by user name)",
    NEW_BY_NAME,
    "find by e-mail",
    SEARCH,
    COUNT,
    COUNT_FOUND,
];

/// A server with users in it.
struct Filled {
    server: Server,
    known: Known,
}

/// How many are many.
pub(crate) fn many() -> usize {
    std::env::var("BENCH_USERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000)
}

/// Measures create, get, list, find, search and count at ten thousand users and at many.
pub(crate) async fn measure(kind: &Kind) -> anyhow::Result<Vec<Row>> {
    let (few, lots) = (filled(kind, FEW).await?, filled(kind, many()).await?);
    let mut rows = Vec::new();
    for what in ALL {
        let (mut at_few, mut at_lots) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            at_few.push(one(&few, what).await?);
            at_lots.push(one(&lots, what).await?);
        }
        rows.extend(compare(kind, what, &median_cost(&at_few), &median_cost(&at_lots)));
    }
    few.server.stop().await?;
    lots.server.stop().await?;
    Ok(rows)
}

async fn filled(kind: &Kind, count: usize) -> anyhow::Result<Filled> {
    let began = Instant::now();
    let mut server = Server::start(kind).await?;
    let db = server.database.open().await?;
    let instance = instances::list(&db).await?.first().map(|it| it.id.clone()).context("the instance")?;
    let known = fill(&db, &instance, count).await?;
    server.database.settle(&db).await?;
    db.close().await;
    server.restart_ms().await?;
    say(&format!("{}: {count} users made in {:.0} s", kind.name(), began.elapsed().as_secs_f64()));
    Ok(Filled { server, known })
}

/// A new user without a password, whose hash would hide everything else.
pub(crate) fn create(server: &Server) -> Make {
    let (base, run) = (server.backend(Call::post("/v1/users")), Rng::system().alphanumeric(10).to_ascii_lowercase());
    Arc::new(move |n| {
        let user = json!({"email_address": [format!("{run}-{n}@example.com")], "first_name": "Ada", "last_name": "Lovelace", "skip_password_requirement": true});
        base.clone().json(&user)
    })
}

fn reads(it: &Filled, paths: Vec<String>) -> Make {
    let calls: Vec<Call> = paths.into_iter().map(|path| it.server.backend(Call::get(path))).collect();
    Arc::new(move |n| calls.get(n % calls.len().max(1)).cloned().unwrap_or_else(|| Call::get("/")))
}

/// From the middle of addresses.
fn parts(emails: &[String]) -> impl Iterator<Item = &str> {
    emails.iter().filter_map(|email| email.get(3..8))
}

async fn one(it: &Filled, what: &str) -> anyhow::Result<Cost> {
    let (make, count) = match what {
        "create" => (create(&it.server), 700),
        "get" => (reads(it, it.known.ids.iter().map(|id| format!("/v1/users/{id}")).collect()), 3_000),
        "find by e-mail" => (reads(it, it.known.emails.iter().map(|email| format!("/v1/users?email_address={email}")).collect()), 2_000),
        SEARCH => (reads(it, parts(&it.known.emails).map(|part| format!("/v1/users?query={part}")).collect()), 2_000),
        COUNT_FOUND => (reads(it, parts(&it.known.emails).map(|part| format!("/v1/users/count?query={part}")).collect()), 2_000),
        COUNT => (reads(it, vec!["/v1/users/count".to_owned()]), 2_000),
        "list (by last name)" => (reads(it, vec!["/v1/users?limit=10&order_by=last_name".to_owned()]), 2_000),
        "list (by wallet)" => (reads(it, vec!["/v1/users?limit=10&order_by=-web3wallet".to_owned()]), 2_000),
        "list (banned, by user name)" => (reads(it, vec!["/v1/users?limit=10&banned=true&order_by=username".to_owned()]), 2_000),
        NEW_BY_NAME => {
            let since = it.known.newest - 200_500;
            (reads(it, vec![format!("/v1/users?limit=10&created_at_after={since}&order_by=first_name")]), 2_000)
        }
        _ => (reads(it, vec!["/v1/users?limit=10".to_owned()]), 2_000),
    };
    let load = Load { connections: 1, warm_up: 100, count };
    cost(it.server.process()?, Some(&it.server.database), &it.server.private, load, &make).await
}

/// A line for what it costs the processors (the database's included), and one for how long it takes.
fn compare(kind: &Kind, what: &str, few: &Cost, lots: &Cost) -> [Row; 2] {
    let (name, many) = (kind.name(), many());
    let all = |it: &Cost| it.cpu_us + it.database_cpu_us.unwrap_or_default();
    let cpu = Row {
        what: format!("{name}: user {what}, processor time at {many} / at {FEW} users"),
        value: all(lots) / all(few),
        unit: "x",
        aim: Some(Aim::AtMost(1.5)),
        details: json!({
            "few_us": few.cpu_us, "many_us": lots.cpu_us,
            "few_database_us": few.database_cpu_us, "many_database_us": lots.database_cpu_us,
        }),
    };
    let time = Row {
        what: format!("{name}: user {what}, median latency at {many} / at {FEW} users"),
        value: lots.p50_ms / few.p50_ms,
        unit: "x",
        aim: Some(Aim::AtMost(1.5)),
        details: json!({"few_ms": few.p50_ms, "many_ms": lots.p50_ms, "few_p99_ms": few.p99_ms, "many_p99_ms": lots.p99_ms}),
    };
    [cpu, time]
}
